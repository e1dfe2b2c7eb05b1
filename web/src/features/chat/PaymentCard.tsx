// A payment in its bubble.
import type { JSX } from 'preact'
import type { Message } from '../../core/model.ts'
import type { Payment } from '../../core/pay.ts'
import { money } from '../../i18n/money.ts'

/** PaymentCard shows how far a payment has come. */
export function PaymentCard({ payment }: { message: Message; payment: Payment }): JSX.Element {
  return <div class="pad">{money(payment.amount, payment)}</div>
}
