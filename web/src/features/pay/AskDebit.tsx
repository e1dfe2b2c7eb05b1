// Asking somebody to be allowed to take money, or to set some of it aside: how much, how often, until when.
import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { useWallet } from '../../app/paid.ts'
import { whyPay } from '../../app/pay.ts'
import { chatPath, go } from '../../app/router.ts'
import { contactOf, engine, nameOf } from '../../app/session.ts'
import type { JID, Micros } from '../../core/model.ts'
import type { Period, Terms } from '../../core/pay.ts'
import { readAmount } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { now } from '../../i18n/when.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button, Field } from '../../ui/controls.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { toast } from '../../ui/toast.tsx'
import { asked, type Asked } from './ask.ts'
import { Amount, tooLong, useAmount } from './fields.tsx'
import type { PageProps } from './index.tsx'
import { Choice, Choose } from './Request.tsx'

const dayMicros = 86_400_000_000
/** Days: a mandate ends at most three years ahead, a hold 62 days. */
const debitDays = { '31': 31, '92': 92, '366': 366, '1098': 1098 } as const
const holdDays = { '1': 1, '7': 7, '30': 30, '61': 61 } as const
/** How long it can be agreed to. */
const answerDays = 30

/** AskDebitPage asks one person; `id` is their address, '' while nobody was chosen. */
export function AskDebitPage({ id }: PageProps): JSX.Element {
  return (
    <>
      <PageHead title={t('pd.ask')} always up="/pay/debits" />
      <div class="scroll">{id ? <Form payer={id} /> : <Choose path="/pay/allow/" />}</div>
    </>
  )
}

function Form({ payer }: { payer: JID }): JSX.Element {
  const wallet = useWallet()
  const sent = useRef<Asked>(undefined)
  const [kind, setKind] = useState<Terms['kind']>('mandate')
  const each = useAmount(wallet)
  const [most, setMost] = useState('')
  const [period, setPeriod] = useState<Period>('month')
  const [debit, setDebit] = useState<keyof typeof debitDays>('366')
  const [hold, setHold] = useState<keyof typeof holdDays>('7')
  const [words, setWords] = useState('')
  const [state, setState] = useState<{ busy?: boolean; failed?: string }>({})
  const name = nameOf(payer)
  const often = kind === 'mandate' && period !== 'once'
  const total = often && most.trim() ? readAmount(most, each.unit.exponent) : each.amount
  const short = total !== undefined && each.amount !== undefined && total < each.amount
  const fits = each.amount !== undefined && total !== undefined && !short && !tooLong(words)
  const terms = (at: Micros): Terms => {
    const until = at + (kind === 'hold' ? holdDays[hold] : debitDays[debit]) * dayMicros
    return kind === 'hold' ? { kind, until } : { kind, total: total ?? 0, period, until }
  }
  const ask = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (state.busy || !fits || !each.amount) return
    setState({ busy: true })
    const { amount, unit } = each
    sent.current = asked(sent.current, (at) => ({ payer, amount, unit: unit.code, for: words.trim(), partial: false, expires: at + answerDays * dayMicros, chat: payer, terms: terms(at) }), now())
    try {
      await (await engine().pay()).ask('makeRequest', sent.current.draft)
      toast(t('pd.asked', { name }))
      go(chatPath(payer), { replace: true })
    } catch (error) { setState({ failed: whyPay(error) }) }
  }
  return (
    <form class="page" onSubmit={(e) => void ask(e)}>
      <div class="face"><Avatar id={payer} name={name} picture={contactOf(payer)?.avatar} /><h2 dir="auto">{name}</h2><p dir="ltr">{payer}</p></div>
      <Radios label={t('pd.what')} value={kind} change={setKind} answers={[{ value: 'mandate', label: t('pd.kindDebit') }, { value: 'hold', label: t('pd.kindHold') }]} />
      <p class="small">{t(kind === 'hold' ? 'pd.kindHoldText' : 'pd.kindDebitText')}</p>
      <Amount label={t(kind === 'hold' ? 'pm.amount' : 'pd.each')} typed={each} big />
      {kind === 'mandate' ? <>
        <Choice id="debit-period" label={t('pd.period')} value={period} change={setPeriod} answers={{ month: t('pm.eachMonth'), week: t('pm.eachWeek'), day: t('pm.eachDay'), once: t('pm.once') }} />
        {often && <Field label={`${t('pd.most')} (${each.unit.code})`} value={most} change={setMost} hint={t('pd.mostHint')} limit={20} ltr wrong={short ? t('pd.mostLow') : total === undefined && most.trim() ? t('pm.amountWrong') : undefined} />}
        <Choice id="debit-until" label={t('pd.howLong')} value={debit} change={setDebit} answers={{ '31': t('pm.aMonth'), '92': t('pd.threeMonths'), '366': t('pm.aYear'), '1098': t('pd.threeYears') }} />
      </> : <Choice id="hold-until" label={t('pd.howLong')} value={hold} change={setHold} answers={{ '1': t('pm.aDay'), '7': t('pm.aWeek'), '30': t('pm.aMonth'), '61': t('pd.twoMonths') }} />}
      <Field label={t('pm.for')} value={words} change={setWords} limit={200} wrong={tooLong(words) ? t('pm.long') : undefined} />
      {state.failed && <p class="wrong" role="alert">{state.failed}</p>}
      <Button kind="p" wide submit disabled={!fits || state.busy}>{t(state.busy ? 'busy' : 'pd.askDo')}</Button>
    </form>
  )
}
