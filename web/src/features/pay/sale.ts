// What pays for a sale at the counter, and what does not.
import type { Micros } from '../../core/model.ts'
import { newPayId, type Payment, type Unit } from '../../core/pay.ts'
import type { Shop } from './shop.ts'

/** Sale is what one customer pays. `id`: what the code gives the payment; `amount`: what is owed, with the `fee` that its code adds by a `tip` in percent; `began`: when the code was shown, in microseconds by this device's clock. */
export interface Sale { id: string; amount: number; fee?: number; tip?: Shop['tip']; unit: Unit; for: string; began: number }

/** Receipts tell whole seconds, and clocks that differ by less than two are not corrected. Microseconds. */
const slack = 5e6

/** fits is whether a payment is to us, and over what the sale asks. */
export const fits = (payment: Payment, { amount, unit }: Sale, account: string): boolean => payment.payee === account && payment.amount >= amount && payment.unit === unit.code

/** counts is whether a payment pays for a sale: it is done, the service has signed that, and, where it has an id of its own (a promise), that was not before the sale began. `skew` is what the server's clock is ahead of this device's, as far as is known now: when the sale began it may not have been known. */
export function counts(payment: Payment, sale: Sale, account: string, skew: Micros): boolean {
  if (!fits(payment, sale, account) || payment.state !== 'done' || !payment.receipt) return false
  const when = Date.parse(/\ntime=(\S+)\n/.exec(payment.receipt.text)?.[1] ?? '') * 1000
  return payment.id === sale.id || when >= sale.began + skew - slack
}

/** sinks is why a promise will not pay for the sale that it was taken for: it was refused, or it was handed in before the sale began and has paid for something else. Undefined: it may still. */
export const sinks = (promise: Payment, sale: Sale, account: string, skew: Micros): 'refused' | 'used' | undefined =>
  promise.state === 'refused' ? 'refused' : promise.state === 'done' && !counts(promise, sale, account, skew) ? 'used' : undefined

/** without is a sale whose promise will not pay for it: it goes on, under another id if the promise had its own, since that one's payer cannot use it twice. */
export const without = (promise: Payment, sale: Sale): Sale => promise.id === sale.id ? { ...sale, id: newPayId() } : sale

/** bell is told again and again what is known of the payment for a sale, and rings once: when it is paid. */
export function bell(sale: Sale, account: string, ring: () => void): (payment: Payment | undefined, skew: Micros) => void {
  let rung = false
  return (payment, skew) => {
    if (rung || !payment || !counts(payment, sale, account, skew)) return
    rung = true
    ring()
  }
}
