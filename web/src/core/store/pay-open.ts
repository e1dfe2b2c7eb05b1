// What of payments has no end yet: an index finds it however old it is, and it is never forgotten. Apart from the rest, since it is needed where a database is opened.

import type { Payment, RequestState } from '../pay.ts'
import type { KeptPay } from './pay.ts'

/** A record as it stands in the index of those that have no end yet. */
export function marked(record: KeptPay): KeptPay {
  const { open: _, ...rest } = record
  const open = openAs(rest)
  return open ? { ...rest, open } : rest
}

function openAs(record: KeptPay): string | undefined {
  switch (record.what) {
    case 'payment': return record.payment.state === 'held' ? 'held' : isOver(record.payment) ? undefined : 'payment'
    case 'request': return isAsked(record.request.state) ? 'request' : undefined
    case 'split': return record.split.shares.some((share) => isAsked(share.state)) ? 'split' : undefined
    case 'dispute': return /^(open|upheld)$/.test(record.dispute.state) ? 'dispute' : undefined
    case 'mandate': return record.mandate.state === 'open' ? 'mandate' : undefined
    default: return undefined
  }
}

const isAsked = (state: RequestState | undefined): boolean => state === 'open' || state === 'part'

/** Says whether the end of a payment is known. */
export const isOver = (p: Payment): boolean => p.state === 'done' || p.state === 'ended' || p.state === 'refused' || p.state === 'held'
