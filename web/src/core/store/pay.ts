// What is kept of payments. What is known of each is one record, which only goes forward: what is told twice or late changes nothing.

import type { JID, Micros } from '../model.ts'
import type { Passkey } from '../pay/passkey.ts'
import type { PinKey } from '../pay/pin.ts'
import type { Dispute, Payment, PayRequest, PayState, RequestState, Split } from '../pay.ts'
import type { Change, Look } from './database.ts'

/** What was signed, as it leaves each time. */
export interface Signed { text: string; signature: string; key: string; authenticator?: string; client?: string }

/** A key for payments without network. */
export interface OfflineKey extends PinKey { share: string; cap: number; unit: string; /** Wrong PINs since the last right one. */ wrong: number; /** Since when the service has allowed it. */ told?: Micros }

/** One of the records; `key` is what it is and its id. */
export type KeptPay = { key: string; time: Micros } & (
  /** `intent`: this device hands it in until it is answered; `tried`: it may have arrived. `code`: shown or taken without network. */
  | { what: 'payment'; payment: Payment; intent?: Signed; expires?: Micros; tried?: true; code?: string }
  | { what: 'request'; request: PayRequest }
  | { what: 'split'; split: Split }
  | { what: 'dispute'; dispute: Dispute }
  /** `told`: since when the service knows the main key. */
  | { what: 'keys'; main?: PinKey | Passkey; told?: Micros; offline?: OfflineKey }
  /** A notice that came before it was known who may send such. */
  | { what: 'early'; from: JID; xml: string; archived?: string; live: boolean; old?: boolean }
)

/** One kind of them. */
export type Kept<W extends KeptPay['what']> = Extract<KeptPay, { what: W }>

/** Reads one. */
export async function readPay<W extends KeptPay['what']>(tx: Look, what: W, id = ''): Promise<Kept<W> | undefined> {
  const found = await tx.objectStore('pay').get(keyOf(what, id))
  return found?.what === what ? found as Kept<W> : undefined
}

/** Those of a kind, the newest last, at most `most`. */
export async function listPay<W extends KeptPay['what']>(tx: Look, what: W, most = 1000): Promise<Kept<W>[]> {
  const out: Kept<W>[] = []
  let cursor = await tx.objectStore('pay').index('what').openCursor(IDBKeyRange.bound([what, -Infinity], [what, Infinity]), 'prev')
  for (; cursor && out.length < most; cursor = await cursor.continue()) out.push(cursor.value as Kept<W>)
  return out.reverse()
}

/** The key of a record. */
export const keyOf = (what: KeptPay['what'], id = ''): string => `${what} ${id}`

/** Puts one. */
export const putPay = (tx: Change, record: KeptPay): Promise<unknown> => tx.objectStore('pay').put(record)

const HOW_FAR: Record<PayState, number> = { promised: 0, signed: 1, sent: 2, waiting: 3, held: 4, refused: 5, ended: 6, done: 6 }

/** What is known of a payment when something is told of it: it never goes back. */
export function further(before: Payment | undefined, told: Payment): Payment {
  if (!before) return told
  const ahead = HOW_FAR[told.state] >= HOW_FAR[before.state]
  const [next, last] = ahead ? [told, before] : [before, told]
  const { why: _, ...rest } = next
  const refunded = Math.max(before.refunded ?? 0, told.refunded ?? 0)
  const receipt = next.receipt ?? last.receipt
  return {
    ...rest, time: before.time || told.time, exponent: told.exponent,
    ...(next.why && next.state === 'refused' ? { why: next.why } : {}), ...(refunded ? { refunded } : {}), ...(receipt ? { receipt } : {}),
    ...((next.number ?? last.number) ? { number: next.number ?? last.number } : {}), ...((before.chat ?? told.chat) ? { chat: before.chat ?? told.chat } : {}),
  }
}

const REQUEST: Record<RequestState, number> = { open: 0, part: 1, expired: 2, cancelled: 3, declined: 3, paid: 4 }

/** The same of a request. */
export function furtherRequest(before: PayRequest | undefined, told: PayRequest): PayRequest {
  if (!before) return told
  const next = REQUEST[told.state] >= REQUEST[before.state] ? told : before
  return { ...next, paid: Math.max(before.paid, told.paid), ...((before.chat ?? told.chat) ? { chat: before.chat ?? told.chat } : {}) }
}

/** The same of a split: each share for itself. */
export function furtherSplit(before: Split | undefined, told: Split): Split {
  if (!before) return told
  const shares = told.shares.map((share) => {
    const was = before.shares.find((s) => s.jid === share.jid)
    return was?.state && (!share.state || REQUEST[was.state] > REQUEST[share.state]) ? { ...share, state: was.state } : share
  })
  return { ...told, shares }
}

/** The same of a dispute: what is over stays so, and evidence grows. */
export const furtherDispute = (before: Dispute | undefined, told: Dispute): Dispute =>
  before && ((before.state !== 'open' && told.state === 'open') || before.evidence.length > told.evidence.length) ? before : told

/** Says whether the end of a payment is known. */
export const isOver = (p: Payment): boolean => p.state === 'done' || p.state === 'ended' || p.state === 'refused' || p.state === 'held'
