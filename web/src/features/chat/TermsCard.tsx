// Somebody asks to be allowed to take money, or to have some of it set aside: what for, how much and until when stands there before anything is signed. When it was
// allowed, the same bubble says so, and leads to where it is ended.
import type { JSX } from 'preact'
import lock from 'icon:wallet'
import calendar from 'icon:calendar-clock'
import { usePaid } from '../../app/paid.ts'
import { payNow } from '../../app/pay.ts'
import { termLines } from '../../app/terms.ts'
import { engine, nameOf } from '../../app/session.ts'
import { newPayId, type Mandate, type PayRequest, type Terms } from '../../core/pay.ts'
import { amountText, money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Button, Pill } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { choose } from '../../ui/overlay.tsx'
import { decline, remind, stateLook, tried, useOnTheWay } from './RequestCard.tsx'

/** allow opens the sheet in which a hold or a mandate is signed, as a request asks for it. */
export async function allow({ id, payee, amount, unit, for: what, chat }: PayRequest, terms: Terms): Promise<void> {
  const more = terms.kind === 'mandate' ? { total: terms.total, period: terms.period } : {}
  await payNow({ id: newPayId(), kind: terms.kind, payee, amount, unit, of: id, for: what, until: terms.until, ...more, ...(chat ? { chat } : {}) })
}

const states = { open: { kind: 'ok', words: 'pc.inForce' }, revoked: { words: 'pc.revoked' }, expired: { words: 'pc.expired' } } as const

/** TermsCard shows what is asked for and whether it was allowed. */
export function TermsCard({ request, terms }: { request: PayRequest; terms: Terms }): JSX.Element {
  const sent = useOnTheWay(request.id)
  const mandate = usePaid<Mandate | undefined>((pay, show) => pay.watchMandates((all) => show(all.find((m) => m.request === request.id))), [request.id])
  const me = engine().account().jid
  const mine = request.payer === me
  const other = nameOf(mine ? request.payee : request.payer)
  const open = request.state === 'open'
  const hold = terms.kind === 'hold'
  const head = t(mine ? hold ? 'pc.holdAsked' : 'pc.takeAsked' : hold ? 'pc.holdYouAsk' : 'pc.takeYouAsk', { name: other })
  const look = sent && open ? { kind: 'wait' as const, words: 'pc.sent' as const } : mandate ? states[mandate.state] : request.state === 'paid' ? { kind: 'ok' as const, words: 'pc.allowed' as const } : request.state === 'open' ? { words: 'pc.toAllow' as const } : stateLook[request.state]
  const back = async (): Promise<void> => { if (await choose({ title: t('pc.cancelAsk'), answers: [{ value: 'yes', label: t('pc.cancel'), danger: true }] })) await tried((pay) => pay.ask('cancel', request.id)) }
  return (
    <div class="mon" data-terms={terms.kind}>
      <div class="mon-head"><Icon path={hold ? lock : calendar} /><span class="grow">{head}</span><Pill {...('kind' in look && look.kind ? { kind: look.kind } : {})}>{t(look.words)}</Pill></div>
      <p class="mon-sum"><b class="num">{amountText(request.amount, request.exponent, true)}</b> {request.unit}</p>
      {request.for && <p class="mon-for" dir="auto">{request.for}</p>}
      <ul class="mon-terms">{termLines(terms, request.amount, request).map((line) => <li key={line}>{line}</li>)}</ul>
      {mandate?.taken !== undefined && mandate.taken > 0 && <small>{t('pc.takenNow', { amount: money(mandate.taken, mandate) })}</small>}
      {open && mine && !sent && <small>{hold ? t('pc.holdText', { name: other, when: fullTime(terms.until) }) : t('pc.allowText', { name: other })}</small>}
      {open && !sent && (mine ? (
        <div class="cta">
          <Button kind="p" act={() => void allow(request, terms)}>{hold ? t('pc.holdDo', { amount: money(request.amount, request) }) : t('pc.allowDo')}</Button>
          <Button kind="t" act={() => void decline(request.id, request.payee)}>{t('pc.decline')}</Button>
        </div>
      ) : request.payee === me && <div class="cta"><Button act={() => void remind(request.id)}>{t('pc.remind')}</Button><Button kind="t" act={() => void back()}>{t('pc.cancel')}</Button></div>)}
      {mandate && <div class="pay-foot"><a href={`/pay/debit/${encodeURIComponent(mandate.id)}`}>{t(mandate.state === 'open' ? mine ? 'pc.manage' : 'pc.takeNow' : 'pay.details')}</a></div>}
    </div>
  )
}
