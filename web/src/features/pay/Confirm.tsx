// Confirming a payment: whom, how much, what it costs, what to look at, and then the PIN or the passkey of this device. Who has no key here makes one first.
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import fingerprint from 'icon:fingerprint-pattern'
import { unitOf, useWallet } from '../../app/paid.ts'
import { whyPay, whyWords } from '../../app/pay.ts'
import { engine, nameOf } from '../../app/session.ts'
import { payTrouble, type Pay, type PayDraft, type Payment, type Proof, type Quote, type Trouble, type Unit } from '../../core/pay.ts'
import { amountText, money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Banner, Busy, Button, Field } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { toast } from '../../ui/toast.tsx'
import '../../ui/css/pages.css'
import './confirm.css'

type Device = Awaited<ReturnType<Pay['device']>>
type Draft = Omit<PayDraft, 'fee'>

/** confirmPayment is payNow of app/pay.ts. Who closes it while it is being signed stops it, unless it is kept already: then they are told. */
export async function confirmPayment(draft: Draft): Promise<Payment | undefined> {
  const stop = new AbortController()
  let answer: Payment | undefined
  let sent: Promise<Payment> | undefined
  const send = async (fee: number, proof: Proof): Promise<void> => {
    sent = engine().pay().then((pay) => pay.send({ ...draft, fee }, proof, stop.signal))
    answer = await sent
  }
  await over((close) => <Sheet title={titleOf(draft)} close={close}><Confirming draft={draft} send={async (fee, proof) => { await send(fee, proof); close() }} close={close} /></Sheet>)
  if (answer) return answer
  stop.abort()
  const kept = await sent?.catch(() => undefined) // it was stopped, or has failed
  if (kept) toast(t('pc.tooLate'))
  return kept
}

/** askProof is askProof of app/pay.ts. */
export async function askProof(title: string): Promise<Proof | undefined> {
  let answer: Proof | undefined
  await over((close) => <Sheet title={title} close={close}><div class="confirm"><WithKey><Proving label={t('pc.confirm')} prove={async (proof) => { answer = proof; close() }} close={close} /></WithKey></div></Sheet>)
  return answer
}

const own = new Set<PayDraft['kind']>(['reserve', 'release'])

function titleOf({ kind, payee }: Draft): string {
  if (kind === 'refund') return t('pc.refundTo', { name: nameOf(payee) })
  return own.has(kind) ? t(kind === 'reserve' ? 'pc.reserve' : 'pc.release') : t('pc.payTo', { name: nameOf(payee) })
}

interface ConfirmProps { draft: Draft; send: (fee: number, proof: Proof) => Promise<void>; close: () => void }

/** What is asked in a unit that the service does not list is not shown as an amount, and not paid. */
function Confirming(props: ConfirmProps): JSX.Element {
  const wallet = useWallet()
  const unit = unitOf(wallet, props.draft.unit)
  return unit ? <Sure {...props} unit={unit} /> : wallet === undefined ? <Busy /> : <p class="wrong" role="alert">{whyWords({ why: wallet ? 'refused' : 'none' })}</p>
}

function Sure({ draft, send, close, unit }: ConfirmProps & { unit: Unit }): JSX.Element {
  const facts = { unit: unit.code, exponent: unit.exponent }
  const [quote, setQuote] = useState<Quote | { trouble: Trouble }>()
  const ask = (): void => {
    const { kind, payee, amount, unit: code, of } = draft
    setQuote(undefined)
    engine().pay().then((pay) => pay.ask('quote', { kind, payee, amount, unit: code, ...(of ? { of } : {}) })).then(setQuote, (error: unknown) => setQuote({ trouble: payTrouble(error) }))
  }
  useEffect(ask, [])
  const told = quote && 'fee' in quote ? quote : undefined
  const trouble = quote && 'trouble' in quote ? quote.trouble : undefined
  const pay = async (proof: Proof): Promise<void> => {
    // Without a connection the fee is not known: what costs another one is refused, and nothing is taken.
    try { await send(told?.fee ?? 0, proof) } catch (error) {
      if (payTrouble(error).why === 'fee-changed') ask()
      throw error
    }
  }
  return (
    <div class="confirm">
      <div class="confirm-what">
        {!own.has(draft.kind) && <Avatar id={draft.payee} name={nameOf(draft.payee)} />}
        <p class="mon-sum"><b class="num">{amountText(draft.amount, unit.exponent, true)}</b> {unit.code}</p>
        {draft.for && <p dir="auto">{draft.for}</p>}
        {!own.has(draft.kind) && <small dir="ltr">{draft.payee}</small>}
        {told && told.name && told.name !== nameOf(draft.payee) && <small dir="auto">{t('pc.called', { name: told.name })}</small>}
        {told && <small>{told.fee ? t('pc.fee', { fee: money(told.fee, facts), all: money(draft.amount + told.fee, facts) }) : t('pc.noFee')}</small>}
      </div>
      {told?.warnings.map((w) => <div key={w.kind} role="alert"><Banner kind={w.kind === 'look-alike' ? 'bad' : 'info'} icon="circleAlert" title={t(`pc.warn-${w.kind}`)} text={w.kind === 'look-alike' ? t('pc.warnLike', { name: w.of ?? '' }) : t(`pc.warnText-${w.kind}`)} /></div>)}
      {trouble && <div role="alert"><Banner {...(trouble.why === 'offline' ? {} : { kind: 'bad' as const })} icon="circleAlert" title={whyWords(trouble)} text={trouble.why === 'offline' ? t('pc.offlineText') : t('pc.nothing')} /></div>}
      {!quote ? <Busy /> : trouble && trouble.why !== 'offline' ? <div class="do"><Button kind="t" act={close}>{t('cancel')}</Button><Button act={ask}>{t('again')}</Button></div>
        : <WithKey><Proving label={draft.kind === 'refund' ? t('pc.refundDo', { amount: money(draft.amount, facts) }) : t('pc.pay', { amount: money(draft.amount + (told?.fee ?? 0), facts) })} prove={pay} close={close} /></WithKey>}
    </div>
  )
}

/** What is inside once this device has a key; before that, making one. */
function WithKey({ children }: { children: ComponentChildren }): JSX.Element {
  const [device, setDevice] = useState<Device>()
  const look = (): void => void engine().pay().then((pay) => pay.device()).then(setDevice, () => undefined)
  useEffect(look, [])
  if (!device) return <Busy />
  return device.key ? <>{children}</> : <MakeKey device={device} done={look} />
}

const pinForm = /^\d{6,12}$/

/** MakeKey makes the key of this device: a passkey, or one that a PIN opens. */
export function MakeKey({ device, done }: { device: Device; done: () => void }): JSX.Element {
  const [way, setWay] = useState<'pin' | 'passkey'>(device.canPasskey ? 'passkey' : 'pin')
  const [pin, setPin] = useState('')
  const [again, setAgain] = useState('')
  const [state, setState] = useState<{ busy?: boolean; failed?: string }>({})
  const fits = way === 'passkey' || (pinForm.test(pin) && pin === again)
  const make = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!fits || state.busy) return
    setState({ busy: true })
    try {
      await (await engine().pay()).setUp(way === 'passkey' ? { passkey: true } : { pin }, deviceName())
      done()
    } catch (error) { setState({ failed: whyPay(error) }) }
  }
  return (
    <form class="form" onSubmit={(e) => void make(e)}>
      <p>{t('pc.makeKey')}</p>
      {device.canPasskey && <Radios label={t('pc.how')} hideLabel value={way} change={setWay} answers={[{ value: 'passkey', label: t('pc.byPasskey') }, { value: 'pin', label: t('pc.byPin') }]} />}
      {way === 'pin' && (
        <>
          <Pin label={t('pc.pinNew')} hint={t('pc.pinHint')} value={pin} change={setPin} wrong={undefined} />
          <Pin label={t('pc.pinAgain')} value={again} change={setAgain} wrong={again.length >= pin.length && again !== '' && again !== pin ? t('pc.pinOther') : undefined} />
        </>
      )}
      {state.failed && <p class="wrong" role="alert">{state.failed}</p>}
      <Button kind="p" wide submit disabled={!fits || state.busy}>{t(state.busy ? 'busy' : 'pc.makeKeyDo')}</Button>
    </form>
  )
}

/** What to call this device among one's keys. */
const deviceName = (): string => /iPhone|iPad|Android|Windows|Macintosh|Linux/.exec(navigator.userAgent)?.[0] ?? 'Web'

function Pin({ label, hint, value, change, wrong }: { label: string; hint?: string; value: string; change: (pin: string) => void; wrong: string | undefined }): JSX.Element {
  return <Field label={label} {...(hint ? { hint } : {})} type="password" value={value} change={(typed) => change(typed.replace(/\s/g, ''))} limit={12} required ltr wrong={wrong} />
}

function Proving({ label, prove, close }: { label: string; prove: (proof: Proof) => Promise<void>; close: () => void }): JSX.Element {
  const [device, setDevice] = useState<Device>()
  const [pin, setPin] = useState('')
  const [state, setState] = useState<{ busy?: boolean; failed?: string }>({})
  useEffect(() => void engine().pay().then((pay) => pay.device()).then(setDevice), [])
  const go = async (proof: Proof): Promise<void> => {
    if (state.busy) return
    setState({ busy: true })
    try { await prove(proof) } catch (error) { setState({ failed: whyPay(error) }); setPin('') }
  }
  if (!device) return <Busy />
  if (device.key === 'passkey') return (
    <div class="form">
      {state.failed && <p class="wrong" role="alert">{state.failed}</p>}
      <Button kind="p" wide disabled={state.busy} act={() => void go({ passkey: true })}><Icon path={fingerprint} />{state.busy ? t('busy') : label}</Button>
      <Button kind="t" act={close}>{t('cancel')}</Button>
    </div>
  )
  return (
    <form class="form" onSubmit={(e) => { e.preventDefault(); if (pinForm.test(pin)) void go({ pin }) }}>
      <div class="pin-in"><Field label={t('pc.pin')} type="password" value={pin} change={(typed) => setPin(typed.replace(/\s/g, ''))} limit={12} required ltr focus wrong={state.failed} /></div>
      <Button kind="p" wide submit disabled={!pinForm.test(pin) || state.busy}>{state.busy ? t('busy') : label}</Button>
      <Button kind="t" act={close}>{t('cancel')}</Button>
    </form>
  )
}
