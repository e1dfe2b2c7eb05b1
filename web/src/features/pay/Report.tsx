// The end of a day at the counter: what came in, what was given back, what it cost; on paper and as a table.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useAsked, Waiting } from '../../app/asked.tsx'
import { PageHead } from '../../app/PageHead.tsx'
import { whyPay } from '../../app/pay.ts'
import { engine, nameOf } from '../../app/session.ts'
import { money } from '../../i18n/money.ts'
import { region, t } from '../../i18n/t.ts'
import { clock } from '../../i18n/when.ts'
import { Button, Empty } from '../../ui/controls.tsx'
import { saveAs } from '../../ui/save.ts'
import { csv, dayBounds, dayOf, totals } from './book.ts'
import { all, kindWords, notAll, stateWords } from './History.tsx'
import type { PageProps } from './index.tsx'
import './pay.css'

/** ReportPage shows a day, today's at first. */
export function ReportPage(_: PageProps): JSX.Element {
  const [day, setDay] = useState(() => dayOf(Date.now()))
  const account = engine().account()
  const bounds = dayBounds(day)
  const asked = useAsked(async () => (bounds ? all(bounds) : { payments: [], more: false }), [day], whyPay)
  // What is taken at the counter: no money that was brought in or taken out, and none of the pocket.
  const payments = asked.value?.payments.filter((p) => p.payee !== p.payer && p.kind !== 'cashin' && p.kind !== 'cashout')
  const sums = totals(payments ?? [], account.jid)
  const save = (): void => saveAs(new Blob([csv(payments ?? [], account.jid)], { type: 'text/csv' }), `${t('pm.report')} ${day}.csv`)
  return (
    <>
      <PageHead title={t('pm.report')} always up="/pay/counter" />
      <div class="scroll"><div class="page print-me">
        <div class="field no-print"><label for="report-day">{t('pm.day')}</label><input id="report-day" type="date" value={day} max={dayOf(Date.now())} onInput={(e) => setDay(e.currentTarget.value)} /></div>
        <div class="only-print"><h2 dir="auto">{account.name}</h2><p>{bounds && new Intl.DateTimeFormat(region.value, { dateStyle: 'full' }).format(bounds.since / 1000)}</p></div>
        {!payments ? <Waiting asked={asked} /> : !payments.length ? <Empty title={t('pm.noPays')} text={t('pm.noPaysDay')} /> : (
          <>
            {asked.value?.more && <p class="wrong" role="status">{notAll()}</p>}
            {sums.map((sum) => (
              <dl class="card sums" key={sum.unit} data-unit={sum.unit}>
                <div class="big"><dt>{t('pm.received')}</dt><dd class="num">{money(sum.received, sum)}</dd></div>
                <div><dt>{t('pm.count')}</dt><dd class="num">{sum.receivedCount}</dd></div>
                <div><dt>{t('pm.refundsGiven')}</dt><dd class="num">{money(sum.refunded, sum)}{sum.refundCount > 0 && ` (${sum.refundCount})`}</dd></div>
                <div><dt>{t('pm.fees')}</dt><dd class="num">{money(sum.fees, sum)}</dd></div>
                <div><dt>{t('pm.left2')}</dt><dd class="num">{money(sum.received - sum.refunded - sum.fees, sum)}</dd></div>
              </dl>
            ))}
            <div class="card table"><table>
              <caption class="vh">{t('pm.report')}</caption>
              <thead><tr><th scope="col">{t('pm.time')}</th><th scope="col">{t('pm.with')}</th><th scope="col" class="n">{t('pm.amount')}</th></tr></thead>
              <tbody>{payments.map((p) => {
                const incoming = p.payee === account.jid
                return <tr key={p.id}><th scope="row" class="num">{clock(p.time)}</th><td><span dir="auto">{nameOf(incoming ? p.payer : p.payee)}</span><small dir="auto">{[kindWords(p), p.state === 'done' ? '' : stateWords(p), p.for].filter(Boolean).join(' · ')}</small></td><td class="n num">{incoming ? '' : '−'}{money(p.amount, p)}</td></tr>
              })}</tbody>
            </table></div>
            <div class="dos no-print"><Button kind="p" act={() => print()}>{t('pm.print')}</Button><Button act={save}>{t('pm.csv')}</Button></div>
          </>
        )}
      </div></div>
    </>
  )
}
