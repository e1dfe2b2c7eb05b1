// What a shop's code fills into a promise.
import type { Code } from '../../core/qr/code.ts'
import { newPayId } from '../../core/pay.ts'
import type { Tip } from '../../core/qr/merchant.ts'

type Shop = Extract<Code, { kind: 'shop' }>

/** What is read from a code into the form. `id`: what the promise is called, new where the code has none; `tip`: what the shop adds to the amount. */
export interface Filled { id: string; to: string; amount: string; for: string; tip?: Tip | undefined }

/** fillFrom is what a shop's code says for a promise in a unit, all of it anew so that nothing of another code stays; undefined if the code asks in another unit. */
export function fillFrom({ account, merchant }: { account: Shop['account']; merchant: Pick<Shop['merchant'], 'currency' | 'amount' | 'additional' | 'tip'> }, unit: string): Filled | undefined {
  if (unitIn({ account, merchant }) !== unit) return undefined
  return { id: account.id ?? newPayId(), to: account.jid, amount: merchant.amount ?? '', for: merchant.additional['08'] ?? '', tip: merchant.tip }
}

/** unitIn is the unit in which a shop's code asks. */
export const unitIn = ({ account, merchant }: { account: Shop['account']; merchant: Pick<Shop['merchant'], 'currency'> }): string => account.unit ?? merchant.currency
