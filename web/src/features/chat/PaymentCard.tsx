// A payment in its bubble: how much, and how far it has come, in three steps. What is shown is what this device knows (core/pay.ts), at every moment.
import type { JSX } from 'preact'
import wallet from 'icon:wallet'
import shield from 'icon:shield-check'
import { usePaid } from '../../app/paid.ts'
import { mayPayAgain, noteOf, payAgain, whyRefused } from '../../app/pay.ts'
import { engine, nameOf } from '../../app/session.ts'
import type { Message } from '../../core/model.ts'
import type { Payment, PayState } from '../../core/pay.ts'
import { amountText, money } from '../../i18n/money.ts'
import { t, type Key } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Button, Pill } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import './money.css'
import './payment.css'

type Look = { kind?: 'ok' | 'wait' | 'bad' | 'info'; icon?: 'check' | 'clock' | 'circleAlert'; words: Key }

const looks: Record<PayState, Look> = {
  signed: { kind: 'wait', icon: 'clock', words: 'pay.signed' }, sent: { kind: 'wait', icon: 'clock', words: 'pay.waiting' },
  waiting: { kind: 'wait', icon: 'clock', words: 'pay.waiting' }, promised: { kind: 'wait', icon: 'clock', words: 'pay.promised' },
  held: { kind: 'info', words: 'pay.held' }, done: { kind: 'ok', icon: 'check', words: 'pay.received' }, ended: { words: 'pay.ended' }, refused: { kind: 'bad', icon: 'circleAlert', words: 'pay.refused' },
}

const titles: Partial<Record<Payment['kind'], Key>> = { tip: 'pay.tip', refund: 'pay.refund', hold: 'pay.hold', capture: 'pay.capture' }

/** PaymentCard shows how far a payment has come. */
export function PaymentCard({ payment: told }: { message: Message; payment: Payment }): JSX.Element {
  const p = usePaid<Payment>((pay, show) => pay.watchPayment(told.id, (now) => { if (now) show(now) }), [told.id]) ?? told
  const back = (p.refunded ?? 0) > 0
  const look: Look = p.state === 'done' && (p.refunded ?? 0) >= p.amount ? { words: 'pay.givenBack' } : looks[p.state]
  const me = engine().account().jid
  const note = noteOf(p)
  return (
    <div class={`mon pay-card is-${p.state}`} data-pay={p.state}>
      <div class="mon-head"><Icon path={wallet} /><span class="grow">{t(titles[p.kind] ?? 'pay.payment')}</span><Pill {...(look.kind ? { kind: look.kind } : {})} {...(look.icon ? { icon: look.icon } : {})}>{t(look.words)}</Pill></div>
      <p class="mon-sum"><b class="num">{amountText(p.amount, p.exponent, true)}</b> {p.unit}</p>
      {p.for && <p class="mon-for"><bdi>{p.for}</bdi></p>}
      {p.state !== 'refused' && p.state !== 'ended' && <Steps state={p.state} />}
      {p.state === 'held' && p.until !== undefined && <small>{t('pay.heldUntil', { when: fullTime(p.until) })}</small>}
      {note && <p class="pay-note"><Icon path={shield} /><span>{note}</span></p>}
      {p.state === 'refused' && <p class="pay-note bad"><Icon name="circleAlert" /><span>{t('pay.nothingTaken')} {p.why && p.why !== 'refused' && whyRefused(p)}</span></p>}
      {mayPayAgain(p, me) && p.feeNow !== undefined && <Button wide act={() => void payAgain(p)}>{t('pc.againFee', { fee: money(p.feeNow, p) })}</Button>}
      {p.fee > 0 && p.payer === me && <small>{t('pay.fee', { amount: money(p.fee, p) })}</small>}
      {back && <small>{t('pay.backPart', { amount: money(p.refunded ?? 0, p) })}</small>}
      <div class="pay-foot"><small>{p.payer === me ? t('pay.toName', { name: nameOf(p.payee) }) : t('pay.fromName', { name: nameOf(p.payer) })}</small>
        <a href={`/pay/receipt/${encodeURIComponent(p.id)}`}>{p.number ? t('pay.number', { number: p.number }) : t('pay.details')}</a></div>
    </div>
  )
}

const reached: Record<PayState, number> = { promised: 1, signed: 1, sent: 1, waiting: 2, held: 3, done: 3, ended: 3, refused: 0 }

/** Signed, sent, received: what is certain is filled, what is under way is striped. */
function Steps({ state }: { state: PayState }): JSX.Element {
  const far = reached[state]
  const third: Key = state === 'held' ? 'pay.held' : 'pay.received'
  const names: Key[] = ['pay.signed', far >= 2 ? 'pay.sent' : state === 'sent' ? 'pay.network' : 'pay.sent', third]
  const now = state === 'sent' ? 1 : state === 'waiting' ? 2 : -1
  return (
    <ol class="pay-steps">
      {names.map((name, i) => <li key={i} class={i < far ? 'yes' : i === now ? 'now' : ''}>{t(name)}<span class="vh">{t(i < far ? 'pay.stepDone' : i === now ? 'pay.stepNow' : 'pay.stepOpen')}</span></li>)}
    </ol>
  )
}
