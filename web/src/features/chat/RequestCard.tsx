// A request for money in its bubble.
import type { JSX } from 'preact'
import type { Message } from '../../core/model.ts'
import type { PayRequest } from '../../core/pay.ts'
import { money } from '../../i18n/money.ts'

/** RequestCard shows what is asked for and how far it is paid. */
export function RequestCard({ request }: { message: Message; request: PayRequest }): JSX.Element {
  return <div class="pad">{money(request.amount, request)}</div>
}
