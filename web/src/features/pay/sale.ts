// What pays for a sale at the counter, and what does not.
import type { Payment, Unit } from '../../core/pay.ts'
import type { Shop } from './shop.ts'

/** Sale is what one customer pays. `id`: what the code gives the payment; `amount`: what is owed, with the `fee` that its code adds by a `tip` in percent; `began`: when the code was shown, in microseconds of the server's time. */
export interface Sale { id: string; amount: number; fee?: number; tip?: Shop['tip']; unit: Unit; for: string; began: number }

/** Receipts tell whole seconds, and clocks that differ by less than two are not corrected. Microseconds. */
const slack = 5e6

/** fits is whether a payment is to us, and over what the sale asks. */
export const fits = (payment: Payment, { amount, unit }: Sale, account: string): boolean => payment.payee === account && payment.amount >= amount && payment.unit === unit.code

/** counts is whether a payment pays for a sale: it is done, the service has signed that, and, where it has an id of its own (a promise), that was not before the sale began. */
export function counts(payment: Payment, sale: Sale, account: string): boolean {
  if (!fits(payment, sale, account) || payment.state !== 'done' || !payment.receipt) return false
  const when = Date.parse(/\ntime=(\S+)\n/.exec(payment.receipt.text)?.[1] ?? '') * 1000
  return payment.id === sale.id || when >= sale.began - slack
}

/** bell is told again and again what is known of the payment for a sale, and rings once: when it is paid. */
export function bell(sale: Sale, account: string, ring: () => void): (payment: Payment | undefined) => void {
  let rung = false
  return (payment) => {
    if (rung || !payment || !counts(payment, sale, account)) return
    rung = true
    ring()
  }
}
