// What a shop's code fills into a promise.
import type { Code } from '../../core/qr/code.ts'
import { newPayId } from '../../core/pay.ts'

type Shop = Extract<Code, { kind: 'shop' }>

/** What is read from a code into the form. `id`: what the promise is called, new where the code has none. */
export interface Filled { id: string; to: string; amount: string; for: string }

/** fillFrom is what a shop's code says for a promise in a unit, all of it anew so that nothing of another code stays; undefined if the code asks in another unit. */
export function fillFrom({ account, merchant }: { account: Shop['account']; merchant: Pick<Shop['merchant'], 'currency' | 'amount' | 'additional'> }, unit: string): Filled | undefined {
  if (unitIn({ account, merchant }) !== unit) return undefined
  return { id: account.id ?? newPayId(), to: account.jid, amount: merchant.amount ?? '', for: merchant.additional['08'] ?? '' }
}

/** unitIn is the unit in which a shop's code asks. */
export const unitIn = ({ account, merchant }: { account: Shop['account']; merchant: Pick<Shop['merchant'], 'currency'> }): string => account.unit ?? merchant.currency
