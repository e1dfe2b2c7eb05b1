// How much may be spent: what the level of identification allows, and what its owner allows below that.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { unitOf, useWallet } from '../../app/paid.ts'
import { askProof, whyPay } from '../../app/pay.ts'
import { engine } from '../../app/session.ts'
import type { Limit, Unit, Wallet } from '../../core/pay.ts'
import { fieldText, money, readAmount } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Banner, Busy, Button, Field } from '../../ui/controls.tsx'
import { toast } from '../../ui/toast.tsx'
import type { PageProps } from './index.tsx'
import './pay.css'

/** LimitsPage shows and changes limits; they never go above those of the level. */
export function LimitsPage(_: PageProps): JSX.Element {
  const wallet = useWallet()
  return (
    <>
      <PageHead title={t('pm.limits')} always up="/pay" />
      <div class="scroll"><div class="page">
        <p>{t('pm.limitsText')}</p>
        {wallet === undefined ? <Busy /> : wallet === null ? <p>{t('pm.noWallet')}</p> : (
          <>
            {wallet.frozen && <Banner kind="bad" icon="lock" title={t('pay.frozen')} text={t('pay.frozenText')} />}
            {wallet.about.levels.length > 1 && wallet.level && <p class="small">{t('pm.level', { level: wallet.level })}</p>}
            {wallet.limits.map((limit) => { const unit = unitOf(wallet, limit.unit); return unit && <One key={limit.unit} limit={limit} unit={unit} wallet={wallet} /> })}
            {!wallet.limits.length && <p>{t('pm.noLimits')}</p>}
          </>
        )}
      </div></div>
    </>
  )
}

function One({ limit, unit, wallet }: { limit: Limit; unit: Unit; wallet: Wallet }): JSX.Element {
  const facts = { unit: unit.code, exponent: unit.exponent }
  const text = (amount: number | undefined): string => (amount === undefined ? '' : fieldText(amount, unit.exponent, true))
  const [transaction, setTransaction] = useState(() => text(limit.transaction))
  const [day, setDay] = useState(() => text(limit.day))
  const [busy, setBusy] = useState(false)
  const wrong = (typed: string): string | undefined => (typed.trim() && readAmount(typed, unit.exponent) === undefined ? t('pm.amountWrong') : undefined)
  const most = wallet.about.levels.find((level) => level.name === wallet.level)?.limits.find((l) => l.unit === limit.unit)
  const same = transaction === text(limit.transaction) && day === text(limit.day)
  const save = async (event: Event): Promise<void> => {
    event.preventDefault()
    const [once, daily] = [readAmount(transaction, unit.exponent), readAmount(day, unit.exponent)]
    const proof = await askProof(t('pm.limitsProof'))
    if (!proof) return
    setBusy(true)
    try {
      await (await engine().pay()).order({ kind: 'limits', unit: unit.code, ...(once ? { transaction: once } : {}), ...(daily ? { day: daily } : {}) }, proof)
      toast(t('pm.limitsKept'))
    } catch (error) { toast(whyPay(error)) }
    setBusy(false)
  }
  return (
    <form class="card limit" onSubmit={(e) => void save(e)}>
      <h2>{unit.name || unit.code}</h2>
      {limit.day !== undefined && limit.left !== undefined && !wallet.frozen && <><progress class="meter" max={limit.day} value={limit.day - limit.left} aria-label={t('pm.leftToday', { amount: money(limit.left, facts) })} /><p class="small">{t('pm.leftToday', { amount: money(limit.left, facts) })}</p></>}
      <Field label={`${t('pm.perPayment')} (${unit.code})`} value={transaction} change={setTransaction} limit={20} ltr wrong={wrong(transaction)} {...(most?.transaction ? { hint: t('pm.levelMost', { amount: money(most.transaction, facts) }) } : {})} />
      <Field label={`${t('pm.perDay')} (${unit.code})`} value={day} change={setDay} limit={20} ltr wrong={wrong(day)} {...(most?.day ? { hint: t('pm.levelMost', { amount: money(most.day, facts) }) } : {})} />
      <p class="small">{t('pm.limitNone')}</p>
      {limit.stepup !== undefined && <p class="small">{t('pm.stepup', { amount: money(limit.stepup, facts) })}</p>}
      <Button submit disabled={busy || same || Boolean(wrong(transaction) ?? wrong(day))}>{t('pm.keep')}</Button>
    </form>
  )
}
