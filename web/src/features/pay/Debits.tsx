// Direct debits and reservations: who may take money without asking each time, whom we may take it from, what is set aside, and what still waits for an answer.
import type { JSX } from 'preact'
import { useAsked, Waiting } from '../../app/asked.tsx'
import { PageHead } from '../../app/PageHead.tsx'
import { connected, usePaid } from '../../app/paid.ts'
import { whyPay } from '../../app/pay.ts'
import { chatPath, go } from '../../app/router.ts'
import { contactOf, engine, nameOf } from '../../app/session.ts'
import type { Mandate, Payment, PayRequest } from '../../core/pay.ts'
import { money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button, Empty } from '../../ui/controls.tsx'
import { otherOf } from './book.ts'
import type { PageProps } from './index.tsx'
import './pay.css'

/** DebitsPage lists them. */
export function DebitsPage(_: PageProps): JSX.Element {
  const told = usePaid<Mandate[]>((pay, show) => pay.watchMandates(show)) ?? []
  const requests = usePaid<PayRequest[]>((pay, show) => pay.watchRequests(show)) ?? []
  const asked = useAsked(async () => (await engine().pay()).ask('mandates'), [connected()], whyPay) // what is answered is kept, and told
  const held = useAsked(async () => (await (await engine().pay()).ask('history', { state: 'held' })).payments, [connected()], whyPay).value ?? []
  const me = engine().account().jid
  const open = told.filter((m) => m.state === 'open')
  const waiting = requests.filter((r) => r.terms && r.state === 'open')
  const over = told.filter((m) => m.state !== 'open')
  const none = !told.length && !waiting.length && !held.length
  return (
    <>
      <PageHead title={t('pd.title')} always up="/pay" />
      <div class="scroll"><div class="page">
        <p>{t('pd.text')}</p>
        <Part title={t('pd.waiting')} all={waiting} row={(r) => <Line key={r.id} with={otherOf(r, me)} under={t(r.terms?.kind === 'hold' ? 'pd.kindHold' : 'pd.kindDebit')} end={money(r.amount, r)} small={r.for} href={chatPath(r.chat ?? otherOf(r, me))} />} />
        <Part title={t('pd.given')} all={open.filter((m) => m.payer === me)} row={(m) => <One key={m.id} mandate={m} me={me} />} />
        <Part title={t('pd.received')} all={open.filter((m) => m.payee === me)} row={(m) => <One key={m.id} mandate={m} me={me} />} />
        <Part title={t('pd.held')} all={held} row={(p) => <Held key={p.id} payment={p} me={me} />} />
        <Part title={t('pd.over')} all={over} row={(m) => <One key={m.id} mandate={m} me={me} />} />
        {none && (asked.value ? <Empty title={t('pd.none')} text={t('pd.noneText')} /> : <Waiting asked={asked} />)}
        <div class="dos mid"><Button kind="s" icon="plus" act={() => go('/pay/allow')}>{t('pd.ask')}</Button></div>
      </div></div>
    </>
  )
}

function Part<T>({ title, all, row }: { title: string; all: T[]; row: (one: T) => JSX.Element }): JSX.Element | null {
  return all.length ? <section><h2 class="label2">{title}</h2><ul class="card flat">{all.map((one) => <li>{row(one)}</li>)}</ul></section> : null
}

interface LineProps { with: string; under: string; end: string; small: string; href: string }

function Line({ with: other, under, end, small, href }: LineProps): JSX.Element {
  return (
    <a class="act peer" href={href}>
      <Avatar id={other} name={nameOf(other)} picture={contactOf(other)?.avatar} size="s" />
      <span class="grow"><b class="cut one" dir="auto">{nameOf(other)}</b><small class="cut one" dir="auto">{[under, small].filter(Boolean).join(' · ')}</small></span>
      <span class="end"><b class="num">{end}</b></span>
    </a>
  )
}

/** stateWords is how a mandate stands. */
export const mandateWords = ({ state }: Mandate): string => t(state === 'open' ? 'pc.inForce' : state === 'revoked' ? 'pc.revoked' : 'pc.expired')

function One({ mandate: m, me }: { mandate: Mandate; me: string }): JSX.Element {
  const once = m.period === 'once'
  const most = t(once ? 'pc.upToOnce' : `pc.total-${m.period}` as 'pc.total-month', { amount: money(once ? m.amount : m.total ?? m.amount, m) })
  return <Line with={otherOf(m, me)} under={m.state === 'open' ? most : mandateWords(m)} small={m.for} end={m.state === 'open' && m.taken ? t('pd.takenShort', { amount: money(m.taken, m) }) : money(m.amount, m)} href={`/pay/debit/${encodeURIComponent(m.id)}`} />
}

function Held({ payment: p, me }: { payment: Payment; me: string }): JSX.Element {
  return <Line with={otherOf(p, me)} under={p.for} small={p.until === undefined ? '' : t('pc.termUntil', { when: fullTime(p.until) })} end={money(p.amount, p)} href={`/pay/receipt/${encodeURIComponent(p.id)}`} />
}
