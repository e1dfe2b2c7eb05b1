// Bringing money into the wallet and taking it out, by one of the networks that the server has; or why that cannot be done here.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { connected, useWallet } from '../../app/paid.ts'
import { payNow, whyPay } from '../../app/pay.ts'
import { go } from '../../app/router.ts'
import { engine } from '../../app/session.ts'
import { newPayId, type Wallet } from '../../core/pay.ts'
import { money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { listOf } from '../../i18n/when.ts'
import { Banner, Busy, Button, Empty, Field } from '../../ui/controls.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { Amount, useAmount, wrongAmount, type Typed } from './fields.tsx'
import type { PageProps } from './index.tsx'
import { addressOf, howWords, needOf, railsOf, type Rail, type Way } from './rails.ts'
import { UnderWay } from './UnderWay.tsx'

/** AddPage brings money in. */
export const AddPage = (_: PageProps): JSX.Element => <MovePage way="in" />

/** OutPage takes money out. */
export const OutPage = (_: PageProps): JSX.Element => <MovePage way="out" />

function MovePage({ way }: { way: Way }): JSX.Element {
  const wallet = useWallet()
  return (
    <>
      <PageHead title={t(way === 'in' ? 'pr.add' : 'pr.take')} always up="/pay" />
      <div class="scroll"><div class="page">
        {wallet === undefined ? <Busy /> : wallet === null ? <Empty title={t('pay.notNow')} text={t('pay.notNowText')} /> : <Inside wallet={wallet} way={way} />}
      </div></div>
    </>
  )
}

function Inside({ wallet, way }: { wallet: Wallet; way: Way }): JSX.Element {
  const rails = railsOf(wallet, way)
  const [name, choose] = useState('')
  const rail = rails.find((r) => r.name === name) ?? rails[0]
  return (
    <>
      <UnderWay wallet={wallet} />
      {rails.length > 1 && rail && <Radios label={t('pr.which')} value={rail.name} change={choose} answers={rails.map((r) => ({ value: r.name, label: r.title }))} />}
      {rail ? <Form wallet={wallet} way={way} rail={rail} /> : <NoWay wallet={wallet} way={way} />}
    </>
  )
}

/** What can be done where no network is set up, said plainly. */
function NoWay({ wallet, way }: { wallet: Wallet; way: Way }): JSX.Element {
  const closed = wallet.about.units.filter((u) => u.closed).map((u) => u.name)
  const words = closed.length > 0 ? t(way === 'in' ? 'pr.noneInClosed' : 'pr.noneOutClosed', { units: listOf(closed) }) : t(way === 'in' ? 'pr.noneInText' : 'pr.noneOutText')
  return <Empty title={t(way === 'in' ? 'pr.noneIn' : 'pr.noneOut')} text={words}>{way === 'in' && <Button act={() => go('/pay/code')}>{t('pay.code')}</Button>}</Empty>
}

interface FormProps { wallet: Wallet; way: Way; rail: Rail }

function Form({ wallet, way, rail }: FormProps): JSX.Element {
  const [id] = useState(newPayId)
  const typed = ofRail(useAmount(wallet, '', rail.units[0]), rail)
  useEffect(() => { if (!rail.units.includes(typed.unit.code)) typed.choose(rail.units[0] ?? '') }, [rail.name])
  const [text, setText] = useState('')
  const [state, setState] = useState<{ busy?: boolean; failed?: string }>({})
  const need = needOf(rail, way)
  const address = addressOf(text, need)
  const fits = !need || (need.optional && address === '') || need.fits.test(address)
  const facts = { unit: typed.unit.code, exponent: typed.unit.exponent }
  const balance = wallet.balances.find((b) => b.unit === typed.unit.code)?.amount ?? 0
  const against = way === 'out' ? wrongAmount(typed, wallet) : undefined
  const fee = useFee(way === 'out' && fits && !against ? `rail:${rail.name}:${address}` : undefined, typed)
  const frozen = way === 'out' && wallet.frozen
  const begin = async (event: Event): Promise<void> => {
    event.preventDefault()
    const { amount, unit: { code: unit } } = typed
    if (amount === undefined || !fits || against || state.busy) return
    setState({ busy: true })
    try {
      const begun = way === 'in' ? await (await engine().pay()).bringIn({ id, rail: rail.name, address: need ? address : '', amount, unit })
        : await payNow({ id, kind: 'cashout', payee: `rail:${rail.name}:${address}`, amount, unit, for: '' })
      setState({})
      if (begun) go(`/pay/transfer/${encodeURIComponent(id)}`)
    } catch (error) { setState({ failed: whyPay(error) }) }
  }
  return (
    <form class="stack" onSubmit={(e) => void begin(e)}>
      {frozen && <Banner kind="bad" icon="lock" title={t('pay.frozen')} text={t('pay.frozenText')} />}
      {!connected() && <Banner icon="wifiOff" title={t('pay.offline')} text={t('pr.offline')} />}
      <section class="card how"><h2 dir="auto">{rail.title}</h2><p>{howWords(rail, way)}</p><p class="small">{t(way === 'in' ? 'pr.feeIn' : 'pr.feeOut', { name: rail.title })}</p></section>
      <Amount label={t('pay.amount')} typed={typed} big {...(way === 'out' ? { hint: t('pay.have', { amount: money(balance, facts) }) } : {})} />
      {against && <p class="wrong" role="alert">{against}</p>}
      {need && <Field label={t(need.label)} value={text} change={setText} limit={200} ltr required={!need.optional} {...(need === needOf({ kind: 'momo' }, way) ? { type: 'tel' as const } : {})} {...(need.hint ? { hint: t(need.hint) } : {})} wrong={text.trim() !== '' && !fits ? t(need.wrong) : undefined} />}
      {typed.unit.closed && <p class="small">{t('pay.closedUnit', { unit: typed.unit.name })}</p>}
      {fee !== undefined && typed.amount !== undefined && <p role="status">{fee ? t('pc.fee', { fee: money(fee, facts), all: money(typed.amount + fee, facts) }) : t('pc.noFee')}</p>}
      {state.failed && <p class="wrong" role="alert">{state.failed}</p>}
      <Button kind="p" wide submit disabled={!typed.amount || !fits || !!against || frozen || state.busy}>{t(state.busy ? 'busy' : 'pay.next')}</Button>
    </form>
  )
}

/** Only the units that a network moves. */
const ofRail = (typed: Typed, rail: Rail): Typed => ({ ...typed, units: typed.units.filter((u) => rail.units.includes(u.code)) })

/** Before it is confirmed, the fee is asked for anew. */
const still = 400

/** What it would cost to send an amount there; undefined while that is not known. */
function useFee(payee: string | undefined, { amount, unit }: Typed): number | undefined {
  const [fee, setFee] = useState<number>()
  useEffect(() => {
    setFee(undefined)
    if (!payee || amount === undefined || !connected()) return undefined
    let wanted = true
    const timer = setTimeout(() => {
      engine().pay().then((pay) => pay.ask('quote', { kind: 'cashout', payee, amount, unit: unit.code })).then((quote) => { if (wanted) setFee(quote.fee) }, () => undefined) // it is shown before it is confirmed
    }, still)
    return () => { wanted = false; clearTimeout(timer) }
  }, [payee, amount, unit.code])
  return fee
}
