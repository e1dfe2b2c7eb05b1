// A request for money in its bubble: whoever is asked pays with one tap, all of it or a part, or says no; whoever asks may remind and take it back.
import type { JSX } from 'preact'
import handCoins from 'icon:hand-coins'
import { usePaid } from '../../app/paid.ts'
import { payNow, whyPay } from '../../app/pay.ts'
import { engine, nameOf } from '../../app/session.ts'
import type { JID, Message } from '../../core/model.ts'
import { newPayId, type Again, type Pay, type PayRequest } from '../../core/pay.ts'
import { amountText, money, readAmount } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { fullDate, fullTime } from '../../i18n/when.ts'
import { Button, Field, Pill } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { choose, confirm, Dialog, over } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { TermsCard } from './TermsCard.tsx'
import './money.css'

/** What is said of a request's state, and in which colour. */
export const stateLook: Record<PayRequest['state'], { kind?: 'ok' | 'wait' | 'bad' | 'info'; words: 'pc.open' | 'pc.part' | 'pc.paid' | 'pc.declined' | 'pc.cancelled' | 'pc.expired' }> = {
  open: { words: 'pc.open' }, part: { kind: 'wait', words: 'pc.part' }, paid: { kind: 'ok', words: 'pc.paid' }, declined: { kind: 'bad', words: 'pc.declined' }, cancelled: { words: 'pc.cancelled' }, expired: { words: 'pc.expired' },
}

/** What is on its way for a request: payments of this device that nobody has answered. */
export const useOnTheWay = (request: string): boolean => usePaid<boolean>((pay, show) => pay.watchPending((all) => show(all.some((p) => p.of === request))), [request]) ?? false

/** tried does something about payments and says what came of it. */
export async function tried(work: (pay: Pay) => Promise<unknown>, well?: string): Promise<void> {
  try { await work(await engine().pay()); if (well) toast(well) } catch (error) { toast(whyPay(error)) }
}

/** payRequest opens the sheet for what is left of a request, or for a part of it. */
export async function payRequest(request: PayRequest, amount = request.amount - request.paid): Promise<void> {
  const { id, payee, unit, chat } = request
  await payNow({ id: newPayId(), kind: 'send', payee, amount, unit, of: id, for: request.for, ...(chat ? { chat } : {}) })
}

/** remind asks again, and says so. */
export const remind = (id: string): Promise<void> => tried((pay) => pay.ask('remind', id), t('pc.reminded'))

/** decline says no to a request, after asking: that is for good, and for all turns of one that comes `again`. */
export async function decline(id: string, payee: JID, again?: Again): Promise<void> {
  if (await confirm({ title: t('pc.declineAsk'), text: t(again ? 'pc.declineAgain' : 'pc.declineText', { name: nameOf(payee) }), yes: t('pc.decline'), danger: true })) await tried((pay) => pay.ask('decline', id))
}

/** RequestCard shows what is asked for and how far it is paid, or whether it was allowed. */
export function RequestCard({ request: told }: { message: Message; request: PayRequest }): JSX.Element {
  const request = usePaid<PayRequest>((pay, show) => pay.watchRequest(told.id, (now) => { if (now) show(now) }), [told.id]) ?? told
  return request.terms ? <TermsCard request={request} terms={request.terms} /> : <Asked request={request} />
}

function Asked({ request }: { request: PayRequest }): JSX.Element {
  const sent = useOnTheWay(request.id)
  const me = engine().account().jid
  const { amount, paid, unit, exponent, state, again } = request
  const still = state === 'open' || state === 'part'
  const look = sent && still ? { kind: 'wait' as const, words: 'pc.sent' as const } : stateLook[state]
  const part = async (): Promise<void> => { const some = await askPart(request); if (some) await payRequest(request, some) }
  const back = async (): Promise<void> => { if (await choose({ title: t('pc.cancelAsk'), answers: [{ value: 'yes', label: t('pc.cancel'), danger: true }] })) await tried((pay) => pay.ask('cancel', request.id)) }
  return (
    <div class="mon">
      <div class="mon-head"><Icon path={handCoins} /><span class="grow">{request.payee === me ? t('pc.youAsk') : t('pc.theyAsk', { name: nameOf(request.payee) })}</span><Pill {...(look.kind ? { kind: look.kind } : {})} {...(state === 'paid' ? { icon: 'check' as const } : sent && still ? { icon: 'clock' as const } : {})}>{t(look.words)}</Pill></div>
      <p class="mon-sum"><b class="num">{amountText(amount, exponent, true)}</b> {unit}</p>
      {request.for && <p class="mon-for" dir="auto">{request.for}</p>}
      {again && still && <small>{t(`pc.again-${again.every}`, { n: again.turn, all: again.times, when: fullDate(again.last) })}</small>}
      {paid > 0 && still && <><progress max={amount} value={paid} aria-label={t('pc.paidSoFar', { amount: money(paid, request) })} /><small>{t('pc.paidSoFar', { amount: money(paid, request) })}</small></>}
      {request.expires !== undefined && still && <small>{t('pc.until', { when: fullTime(request.expires) })}</small>}
      {still && !sent && (request.payer === me ? (
        <div class="cta">
          <Button kind="p" act={() => void payRequest(request)}>{t('pc.pay', { amount: money(amount - paid, request) })}</Button>
          {request.partial && <Button act={() => void part()}>{t('pc.payPart')}</Button>}
          <Button kind="t" act={() => void decline(request.id, request.payee, again)}>{t('pc.decline')}</Button>
        </div>
      ) : request.payee === me && <div class="cta"><Button act={() => void remind(request.id)}>{t('pc.remind')}</Button><Button kind="t" act={() => void back()}>{t('pc.cancel')}</Button></div>)}
    </div>
  )
}

/** How much of a request somebody wants to pay now; undefined when they would rather not. */
async function askPart({ amount, paid, unit, exponent }: PayRequest): Promise<number | undefined> {
  let text = ''
  let answer: number | undefined
  const left = amount - paid
  await over((done) => (
    <Dialog title={t('pc.payPart')} close={done}>
      <form class="form" onSubmit={(e) => { e.preventDefault(); const read = readAmount(text, exponent); if (read !== undefined && read <= left) { answer = read; done() } }}>
        <Field label={t('pc.partHow', { amount: money(left, { unit, exponent }) })} value={text} change={(now) => { text = now }} limit={20} required focus ltr />
        <div class="do"><Button kind="t" act={done}>{t('cancel')}</Button><Button kind="p" submit>{t('pc.next')}</Button></div>
      </form>
    </Dialog>
  ))
  return answer
}
