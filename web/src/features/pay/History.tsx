// What was paid: searched, of a month or between two days, by page, with a chart of the months and a table for other programs.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { useWallet } from '../../app/paid.ts'
import { whyPay } from '../../app/pay.ts'
import { contactOf, engine, nameOf } from '../../app/session.ts'
import type { HistoryQuery, Payment } from '../../core/pay.ts'
import { amountText, money } from '../../i18n/money.ts'
import { region, t } from '../../i18n/t.ts'
import { shortTime } from '../../i18n/when.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Busy, Button, Empty } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { saveAs } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'
import { charted, csv, dayOf, gather, lastMonths, monthPeriod, months, most, otherOf, periodOf, type Month, type Period } from './book.ts'
import type { PageProps } from './index.tsx'
import { keepTitles, movedBy, railParty, titleOf } from './rails.ts'
import { Choice } from './Request.tsx'
import './pay.css'

const page = 50

/** all asks for every page of a question, at most 2,000 payments. */
export async function all(query: HistoryQuery): Promise<{ payments: Payment[]; more: boolean }> {
  const pay = await engine().pay()
  return gather((before) => pay.ask('history', { ...query, max: 100, ...(before ? { before } : {}) }))
}

/** notAll says that there are older payments than those that were asked for. */
export const notAll = (): string => t('pm.notAll', { n: new Intl.NumberFormat(region.value).format(most) })

/** olderToo says that, and how to have them. */
const olderToo = (): string => `${notAll()} ${t('pm.shorter')}`

/** When the payments were that are wanted. `way`: '' at any time, a month (2026-11), or `days`: from one day to another. */
interface When { way: string; from: string; to: string }

const spanOf = ({ way, from, to }: When): Period => way === '' ? {} : way === 'days' ? periodOf(from, to) : monthPeriod(way)

/** Choose is a month, or days of one's own; these begin with those of this month. */
function Choose({ when: { way, from, to }, change }: { when: When; change: (when: When) => void }): JSX.Element {
  const now = Date.now()
  const called = (month: string): string => new Intl.DateTimeFormat(region.value, { month: 'long', year: 'numeric' }).format((monthPeriod(month).since ?? 0) / 1000)
  const choose = (next: string): void => change(next === 'days' && !from && !to ? { way: next, from: `${dayOf(now).slice(0, 7)}-01`, to: dayOf(now) } : { way: next, from, to })
  return <>
    <Choice id="pays-when" label={t('pm.period')} value={way} change={choose} answers={{ '': t('pm.anyTime'), ...Object.fromEntries(lastMonths(now).map((month) => [month, called(month)])), days: t('pm.ownDays') }} />
    {way === 'days' && <div class="days">
      <div class="field"><label for="pays-from">{t('pm.fromDay')}</label><input id="pays-from" type="date" value={from} onInput={(e) => change({ way, from: e.currentTarget.value, to })} /></div>
      <div class="field"><label for="pays-to">{t('pm.toDay')}</label><input id="pays-to" type="date" value={to} onInput={(e) => change({ way, from, to: e.currentTarget.value })} /></div>
    </div>}
  </>
}

/** HistoryPage shows payments, the newest first. */
export function HistoryPage(_: PageProps): JSX.Element {
  const wallet = useWallet()
  useEffect(() => { if (wallet) keepTitles(wallet) }, [wallet])
  const [words, setWords] = useState('')
  const [unit, setUnit] = useState('')
  const [when, setWhen] = useState<When>({ way: '', from: '', to: '' })
  const period = spanOf(when)
  const [found, setFound] = useState<{ payments: Payment[]; before?: string; failed?: string; busy?: boolean }>({ payments: [], busy: true })
  const query: HistoryQuery = { ...(words.trim() ? { q: words.trim() } : {}), ...(unit ? { unit } : {}), ...period }
  const load = (before?: string): (() => void) => {
    let wanted = true
    setFound((now) => ({ ...now, busy: true }))
    engine().pay().then((pay) => pay.ask('history', { ...query, max: page, ...(before ? { before } : {}) })).then(
      (next) => { if (wanted) setFound((now) => ({ payments: before ? [...now.payments, ...next.payments] : next.payments, ...(next.before ? { before: next.before } : {}) })) },
      (error: unknown) => { if (wanted) setFound((now) => ({ payments: before ? now.payments : [], failed: whyPay(error) })) })
    return () => { wanted = false }
  }
  useEffect(() => {
    let stop: (() => void) | undefined
    const timer = setTimeout(() => { stop = load() }, words || when.way === 'days' ? 250 : 0)
    return () => { clearTimeout(timer); stop?.() }
  }, [words, unit, period.since, period.until])
  const save = (): void => void all(query).then(({ payments, more }) => { saveAs(new Blob([csv(payments, engine().account().jid)], { type: 'text/csv' }), `${[t('pm.history'), ...(when.way === 'days' ? [when.from, when.to] : [when.way])].filter(Boolean).join(' ')}.csv`); if (more) toast(olderToo()) }, (error: unknown) => toast(whyPay(error)))
  const units = wallet?.about.units ?? []
  return (
    <>
      <PageHead title={t('pay.history')} always up="/pay"><Button kind="t" act={save}>{t('pm.csv')}</Button></PageHead>
      <div class="scroll"><div class="page">
        <Chart unit={unit || wallet?.balances[0]?.unit || units[0]?.code || ''} period={period} />
        <Choose when={when} change={setWhen} />
        <div class="search bordered"><Icon name="search" /><input type="search" dir="auto" maxLength={100} aria-label={t('pm.searchPays')} placeholder={t('pm.searchPays')} value={words} onInput={(e) => setWords(e.currentTarget.value)} /></div>
        {units.length > 1 && <div class="chips wrap" role="group" aria-label={t('pm.unit')}>{['', ...units.map((u) => u.code)].map((code) => <button type="button" key={code} class="chip" aria-pressed={unit === code} onClick={() => setUnit(code)}>{code || t('pm.allUnits')}</button>)}</div>}
        {found.payments.length > 0 && <ul class="card flat pays" aria-label={t('pm.history')}>{found.payments.map((p) => <li key={p.id}><Row payment={p} /></li>)}</ul>}
        {found.failed ? <p class="wrong" role="alert">{found.failed}</p> : found.busy ? <Busy /> : !found.payments.length ? <Empty title={t('pm.noPays')} text={t(words ? 'pm.noPaysFound' : when.way ? 'pm.noPaysThen' : 'pm.noPaysText')} /> : found.before && <Button wide act={() => void load(found.before)}>{t('pm.older')}</Button>}
      </div></div>
    </>
  )
}

/** partyName is what somebody of a payment is called: a person, or the network by which money came or went (`rail:NAME`); what the operator issued is that of a network of this name. */
export function partyName(jid: string): string {
  const rail = railParty(jid)?.name
  return rail === undefined ? nameOf(jid) : rail === 'operator' ? t('pm.operator') : titleOf(rail)
}

/** Row is a payment in a list; it leads to its receipt. */
export function Row({ payment }: { payment: Payment }): JSX.Element {
  const me = engine().account().jid
  const own = payment.payee === payment.payer
  const incoming = payment.payee === me
  const other = otherOf(payment, me)
  const sign = own || still(payment) ? '' : incoming ? '+' : '−'
  return (
    <a class="act peer" href={`/pay/${movedBy(payment) ? 'transfer' : 'receipt'}/${encodeURIComponent(payment.id)}`}>
      <Avatar id={other} name={partyName(other)} kind={other.startsWith('rail:') ? 'business' : 'person'} picture={contactOf(other)?.avatar} size="s" />
      <span class="grow"><b class="cut one" dir="auto">{own ? t('pm.pocket') : partyName(other)}</b><small class="cut one" dir="auto">{[kindWords(payment), payment.for].filter(Boolean).join(' · ')}</small></span>
      <span class="end">{payment.amount > 0 && <b class={`num${sign === '+' ? ' in' : ''}`}><bdi dir="ltr">{sign}{amountText(payment.amount, payment.exponent)}</bdi>{`\u00a0${payment.unit}`}</b>}<small>{payment.state === 'done' ? shortTime(payment.time) : stateWords(payment)}</small></span>
    </a>
  )
}

/** What moves no money by itself has no sign: what was set aside, and what allows to take. */
const still = ({ kind }: Payment): boolean => kind === 'hold' || kind === 'mandate' || kind === 'revoke' || kind === 'void'

/** kindWords is what a payment was, where it was not simply money that was sent. */
export function kindWords({ kind }: Payment): string {
  return kind === 'refund' ? t('pm.kindRefund') : kind === 'tip' ? t('pm.kindTip') : kind === 'offline' ? t('pm.kindOffline') : kind === 'hold' ? t('pm.kindHold') : kind === 'reserve' ? t('pm.kindReserve') : kind === 'release' ? t('pm.kindRelease') : kind === 'cashout' ? t('pm.kindCashout') : kind === 'cashin' ? t('pm.kindCashin') : kind === 'capture' ? t('pm.kindCapture')
    : kind === 'mandate' ? t('pm.kindMandate') : kind === 'revoke' ? t('pm.kindRevoke') : kind === 'void' ? t('pm.kindVoid') : kind === 'cashrefund' ? t('pm.kindCashrefund') : ''
}

/** stateWords is what is known of a payment now. */
export function stateWords({ state }: Payment): string {
  const words = { signed: 'pm.sSigned', sent: 'pm.sSent', waiting: 'pm.sWaiting', held: 'pm.sHeld', done: 'pm.sDone', ended: 'pm.sEnded', refused: 'pm.sRefused', promised: 'pm.promised' } as const
  return t(words[state])
}

function Chart({ unit, period }: { unit: string; period: Period }): JSX.Element | null {
  const [found, setFound] = useState<{ months: Month[]; exponent: number; more: boolean }>()
  useEffect(() => {
    let wanted = true
    setFound(undefined)
    const { last, count, asks } = charted(period, Date.now())
    const timer = setTimeout(() => {
      if (unit) all({ unit, ...asks }).then(({ payments, more }) => { if (wanted) setFound({ more, months: months(payments, engine().account().jid, unit, last, count), exponent: payments[0]?.exponent ?? 2 }) }, () => undefined) // without it, the list is there
    }, period.since === undefined ? 0 : 250)
    return () => { wanted = false; clearTimeout(timer) }
  }, [unit, period.since, period.until])
  // Months in which nothing was say nothing.
  return found?.months.some((m) => m.in || m.out) ? <><Months months={found.months} unit={{ unit, exponent: found.exponent }} />{found.more && <p class="small">{olderToo()}</p>}</> : null
}

const height = 88
const width = 240

/** Months draws what came and went; the same stands in a table for who does not see it. */
function Months({ months, unit }: { months: Month[]; unit: { unit: string; exponent: number } }): JSX.Element {
  const top = Math.max(1, ...months.flatMap((m) => [m.in, m.out]))
  const called = (start: number, month: 'short' | 'long'): string => new Intl.DateTimeFormat(region.value, { month, ...(month === 'long' ? { year: 'numeric' } : {}) }).format(start)
  const step = width / months.length
  const bar = (value: number): number => Math.max(value ? 2 : 0, (value / top) * height)
  return (
    <figure class="card chart">
      <figcaption><b>{t('pm.months')}</b><span class="key in">{t('pm.in')}</span><span class="key out">{t('pm.out')}</span></figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        {months.map((m, i) => <><rect class="in" x={i * step + step * .16} width={step * .32} y={height - bar(m.in)} height={bar(m.in)} rx="2" /><rect class="out" x={i * step + step * .52} width={step * .32} y={height - bar(m.out)} height={bar(m.out)} rx="2" /></>)}
      </svg>
      <div class="names" aria-hidden="true">{months.map((m) => <span key={m.start}>{called(m.start, 'short')}</span>)}</div>
      <div class="vh"><table>
        <caption>{t('pm.months')}</caption>
        <thead><tr><th scope="col">{t('pm.month')}</th><th scope="col">{t('pm.in')}</th><th scope="col">{t('pm.out')}</th></tr></thead>
        <tbody>{months.map((m) => <tr key={m.start}><th scope="row">{called(m.start, 'long')}</th><td>{money(m.in, unit)}</td><td>{money(m.out, unit)}</td></tr>)}</tbody>
      </table></div>
    </figure>
  )
}
