// The words for what becomes of transfers with networks outside.
import type { Key } from '../../i18n/t.ts'

/** In which direction a transfer goes. */
export const ways: Record<string, Key> = { in: 'adm.wayIn', out: 'adm.wayOut', refund: 'adm.kindRefund' }

/** The states of a transfer, in their order. */
export const railStates: Record<string, Key> = {
  created: 'adm.trCreated', submitted: 'adm.trSubmitted', accepted: 'adm.trAccepted', unknown: 'adm.trUnknown', settled: 'adm.trSettled', rejected: 'adm.trRejected', reversed: 'adm.trReversed',
}

/** In what two lists differ. */
export const differs: Record<string, Key> = { 'missing-here': 'adm.dfHere', 'missing-there': 'adm.dfThere', 'other-amount': 'adm.dfAmount', 'other-state': 'adm.dfState' }
