// Confirming a payment: whom, how much, what it costs, what to look at, and then the PIN or the passkey of this device. Who has no key here makes one first.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import fingerprint from 'icon:fingerprint-pattern'
import { connected, unitOf, useWallet } from '../../app/paid.ts'
import { whyPay, whyWords } from '../../app/pay.ts'
import { go } from '../../app/router.ts'
import { contactOf, engine, nameOf } from '../../app/session.ts'
import { payTrouble, type Pay, type PayDraft, type Payment, type Proof, type Quote, type Trouble, type Unit, type Wallet } from '../../core/pay.ts'
import { amountText, money } from '../../i18n/money.ts'
import { termLines } from '../../app/terms.ts'
import { loadPart, t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Banner, Busy, Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { toast } from '../../ui/toast.tsx'
import { isPin, NewPin, Pin } from './fields.tsx'
import { railParty, railsOf, railTitle } from './rails.ts'
import { haveOf, isPlain, isShort } from './weigh.ts'
import '../../ui/css/pages.css'
import './confirm.css'

type Device = Awaited<ReturnType<Pay['device']>>
type Draft = Omit<PayDraft, 'fee'>

/** confirmPayment is payNow of app/pay.ts. Who closes it while it is being signed stops it, unless it is kept already: then they are told. */
export async function confirmPayment(draft: Draft, tip = 0): Promise<Payment | undefined> {
  const stop = new AbortController()
  let answer: Payment | undefined
  let sent: Promise<Payment> | undefined
  const send = async ({ fee, tipFee }: Fees, proof: Proof): Promise<void> => {
    const pay = await engine().pay()
    sent = pay.send({ ...draft, fee, ...(tip ? { tip } : {}) }, proof, stop.signal)
    answer = await sent
    if (!tip) return
    if (!answer.tip) return toast(whyWords({ why: 'id-taken' })) // it was kept before, with its own tip or without one
    const { id: of, payee, unit, chat } = draft
    // It is signed after what it is about, which is kept by now: what goes wrong with it takes nothing of that back, and the receipt says that it is missing.
    try { await pay.send({ id: answer.tip.id, kind: 'tip', payee, amount: tip, unit, fee: tipFee, of, for: '', ...(chat ? { chat } : {}) }, proof) } catch (error) { toast(t('pc.tipFailed', { why: whyPay(error) })) }
  }
  await over((close) => <Sheet title={titleOf(draft)} close={close}><Confirming draft={draft} tip={tip} send={async (fees, proof) => { await send(fees, proof); close() }} close={close} /></Sheet>)
  if (answer) return answer
  stop.abort()
  const kept = await sent?.catch(() => undefined) // it was stopped, or has failed
  if (kept) toast(t('pc.tooLate'))
  return kept
}

/** askProof is askProof of app/pay.ts. */
export async function askProof(title: string, text?: string): Promise<Proof | undefined> {
  let answer: Proof | undefined
  await over((close) => <Sheet title={title} close={close}><div class="confirm">{text && <p>{text}</p>}<WithKey>{(pin, _, used) => <Proving label={t('pc.confirm')} pin={pin} used={used} prove={async (proof) => { answer = proof; close() }} close={close} />}</WithKey></div></Sheet>)
  return answer
}

const own = new Set<PayDraft['kind']>(['reserve', 'release'])
/** What costs nothing and needs no warning: nothing of ours is debited by it. */
const free = new Set<PayDraft['kind']>(['capture'])

/** With whom it is, for who confirms it. */
const withWhom = ({ kind, payer, payee }: Draft): string => kind === 'capture' && payer ? payer : payee

function titleOf(draft: Draft): string {
  const { kind, payee } = draft
  if (kind === 'cashout') return t('pc.cashout')
  if (kind === 'refund') return t('pc.refundTo', { name: nameOf(payee) })
  if (kind === 'mandate') return t('pc.allowTo', { name: nameOf(payee) })
  if (kind === 'hold') return t('pc.holdFor', { name: nameOf(payee) })
  if (kind === 'capture') return t('pc.takeFrom', { name: nameOf(withWhom(draft)) })
  return own.has(kind) ? t(kind === 'reserve' ? 'pc.reserve' : 'pc.release') : t('pc.payTo', { name: nameOf(payee) })
}

interface Fees { fee: number; tipFee: number }
/** Whether this device can sign without the service: a passkey can, a PIN is checked by the service. undefined: not known yet. */
function useSigns(): boolean | undefined {
  const [signs, setSigns] = useState<boolean>()
  useEffect(() => { engine().pay().then((pay) => pay.device()).then(({ key }) => setSigns(key === 'passkey'), () => setSigns(false)) }, [])
  return signs
}

interface ConfirmProps { draft: Draft; tip: number; send: (fees: Fees, proof: Proof) => Promise<void>; close: () => void }

/** What is done by the button that confirms, in words. */
function doing({ kind, amount }: Draft, fee: number, facts: { unit: string; exponent: number }): string {
  switch (kind) {
    case 'refund': return t('pc.refundDo', { amount: money(amount, facts) })
    case 'mandate': return t('pc.allowDo')
    case 'cashout': return t('pc.cashoutDo', { amount: money(amount, facts) })
    case 'hold': return t('pc.holdDo', { amount: money(amount, facts) })
    case 'capture': return t('pc.takeDo', { amount: money(amount, facts) })
    default: return t('pc.pay', { amount: money(amount + fee, facts) })
  }
}

/** What is asked in a unit that the service does not list is not shown as an amount, and not paid. */
function Confirming(props: ConfirmProps): JSX.Element {
  const wallet = useWallet()
  const unit = unitOf(wallet, props.draft.unit)
  return unit ? <Sure {...props} unit={unit} wallet={wallet} /> : wallet === undefined ? <Busy /> : <p class="wrong" role="alert">{whyWords({ why: wallet ? 'refused' : 'none' })}</p>
}

function Sure({ draft, tip, send, close, unit, wallet }: ConfirmProps & { unit: Unit; wallet: Wallet | null | undefined }): JSX.Element {
  const facts = { unit: unit.code, exponent: unit.exponent }
  const [quote, setQuote] = useState<Quote & { tipFee: number } | { trouble: Trouble }>()
  const ask = (): void => {
    const { kind, payee, amount, unit: code, of } = draft
    if (free.has(kind)) { setQuote(!connected() ? { trouble: { why: 'offline' } } : { fee: 0, tipFee: 0, name: '', stepup: false, short: false, warnings: [] }); return }
    setQuote(undefined)
    engine().pay().then(async (pay) => {
      const main = await pay.ask('quote', { kind, payee, amount, unit: code, ...(of ? { of } : {}) })
      return { ...main, tipFee: tip ? (await pay.ask('quote', { kind: 'tip', payee, amount: tip, unit: code })).fee : 0 }
    }).then(setQuote, (error: unknown) => setQuote({ trouble: payTrouble(error) }))
  }
  useEffect(ask, [])
  const by = draft.kind === 'cashout' ? railParty(draft.payee) : undefined
  const told = quote && 'fee' in quote ? quote : undefined
  const trouble = quote && 'trouble' in quote ? quote.trouble : undefined
  const signs = useSigns()
  const whom = withWhom(draft)
  const fees = (told?.fee ?? 0) + (told?.tipFee ?? 0)
  const have = haveOf(wallet, unit.code)
  const [going, setGoing] = useState(false) // what is in the wallet then is less by what is being paid
  const short = told !== undefined && !going && isShort(draft.kind, told, draft.amount + tip + fees, have)
  // Without a connection the fee is not known: what costs another one is refused, and nothing is taken.
  const pay = async (proof: Proof): Promise<void> => {
    setGoing(true)
    try { await send({ fee: told?.fee ?? 0, tipFee: told?.tipFee ?? 0 }, proof) } catch (error) {
      setGoing(false)
      throw error
    }
  }
  return (
    <div class="confirm">
      <div class="confirm-what">
        {!by && !own.has(draft.kind) && <Avatar id={whom} name={nameOf(whom)} picture={contactOf(whom)?.avatar} />}
        <p class="mon-sum"><b class="num">{amountText(draft.amount + tip, unit.exponent, true)}</b> {unit.code}</p>
        {tip > 0 && <small>{t('pc.withTip', { amount: money(draft.amount, facts), tip: money(tip, facts) })}</small>}
        {draft.for && <p dir="auto">{draft.for}</p>}
        {!own.has(draft.kind) && <small dir="ltr">{by ? by.address : whom}</small>}
        {by && <small dir="auto">{railTitle(wallet, by.name)}</small>}
        <TermsOf draft={draft} facts={facts} />
        {told && told.name && told.name !== nameOf(draft.payee) && <small dir="auto">{t('pc.called', { name: told.name })}</small>}
        {told && draft.kind !== 'mandate' && !free.has(draft.kind) && <small>{fees ? t('pc.fee', { fee: money(fees, facts), all: money(draft.amount + tip + fees, facts) }) : t('pc.noFee')}</small>}
      </div>
      {told?.warnings.map((w) => <div key={w.kind} role="alert"><Banner kind={w.kind === 'look-alike' ? 'bad' : 'info'} icon="circleAlert" title={t(`pc.warn-${w.kind}`)} text={w.kind === 'look-alike' ? t('pc.warnLike', { name: w.of ?? '' }) : t(`pc.warnText-${w.kind}`)} /></div>)}
      {trouble && <div role="alert"><Banner {...(trouble.why === 'offline' ? {} : { kind: 'bad' as const })} icon="circleAlert" title={whyWords(trouble)} text={trouble.why !== 'offline' ? t('pc.nothing') : signs ? t('pc.offlineText') : t('pay.offlinePin')} /></div>}
      {short ? <Short unit={unit} wallet={wallet} have={have} close={close} /> : !quote || (trouble && signs === undefined) ? <Busy /> : trouble && (trouble.why !== 'offline' || !signs) ? <div class="do"><Button kind="t" act={close}>{t('cancel')}</Button><Button act={ask}>{t('again')}</Button></div>
        : <WithKey>{(pin, fresh, used) => <Proving label={doing(draft, fees + tip, facts)} pin={pin} used={used} plain={!fresh && told !== undefined && isPlain(draft, told, { name: nameOf(draft.payee), known: contactOf(draft.payee) !== undefined }, fees + tip)} prove={pay} close={close} />}</WithKey>}
    </div>
  )
}

/** There is not enough: what there is, and the way to more where a network brings it in. Nothing is asked to be confirmed. */
function Short({ unit, wallet, have, close }: { unit: Unit; wallet: Wallet | null | undefined; have: number | undefined; close: () => void }): JSX.Element {
  const [words, setWords] = useState(false)
  useEffect(() => { loadPart('payrail').then(() => setWords(true), () => undefined) }, [])
  const comes = words && wallet && railsOf(wallet, 'in').some((rail) => rail.units.includes(unit.code))
  return <>
    <div role="alert"><Banner kind="bad" icon="circleAlert" title={whyWords({ why: 'insufficient' })} {...(have !== undefined ? { text: t('pay.have', { amount: money(have, { unit: unit.code, exponent: unit.exponent }) }) } : {})} /></div>
    <div class="do"><Button kind="t" act={close}>{t('cancel')}</Button>{comes && <Button kind="p" act={() => { close(); go('/pay/add') }}>{t('pr.add')}</Button>}</div>
  </>
}

/** What a hold or a mandate allows from now on, in whole sentences: it is signed for a long time. */
function TermsOf({ draft: { kind, payee, amount, total, period, until }, facts }: { draft: Draft; facts: { unit: string; exponent: number } }): JSX.Element | null {
  if (until === undefined) return null
  if (kind === 'hold') return <p class="small">{t('pc.holdText', { name: nameOf(payee), when: fullTime(until) })}</p>
  return <>
    <ul class="confirm-terms">{termLines({ kind: 'mandate', total: total ?? amount, period: period ?? 'once', until }, amount, facts).map((line) => <li key={line}>{line}</li>)}</ul>
    <p class="small">{t('pc.allowText', { name: nameOf(payee) })}</p>
  </>
}

/** What is inside once this device has a key; before that, making one. The PIN that was chosen a moment ago is not asked for again, and forgotten with its first use; `fresh`: the key was made just now, and another finger may be taken for a part of that. */
function WithKey({ children }: { children: (pin: string, fresh: boolean, used: () => void) => JSX.Element }): JSX.Element {
  const [pin, setPin] = useState('')
  const fresh = useRef(false)
  const [device, setDevice] = useState<Device>()
  const wallet = useWallet()
  const look = (): void => void engine().pay().then((pay) => pay.device()).then(setDevice, () => undefined)
  useEffect(look, [wallet, connected()]) // the answer about a key may come later than whoever asked
  if (!device) return <Busy />
  if (!device.key) fresh.current = true
  return device.key ? children(pin, fresh.current, () => setPin('')) : <MakeKey device={device} done={(chosen) => { setPin(chosen ?? ''); look() }} />
}

/** MakeKey makes the key of this device: a passkey, or one that a PIN opens. */
export function MakeKey({ device, done }: { device: Device; done: (pin?: string) => void }): JSX.Element {
  const [way, setWay] = useState<'pin' | 'passkey'>(device.canPasskey ? 'passkey' : 'pin')
  const [pin, setPin] = useState<string>()
  const [state, setState] = useState<{ busy?: boolean; failed?: string }>({})
  const fits = way === 'passkey' || pin !== undefined
  const make = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!fits || state.busy) return
    setState({ busy: true })
    try {
      await (await engine().pay()).setUp(pin === undefined || way === 'passkey' ? { passkey: true } : { pin }, deviceName())
      done(way === 'pin' ? pin : undefined)
    } catch (error) {
      setState({ failed: whyPay(error) })
      if (payTrouble(error).why === 'key-made') { toast(whyPay(error)); done() }
    }
  }
  return (
    <form class="form" onSubmit={(e) => void make(e)}>
      <p>{t('pc.makeKey')}</p>
      {device.canPasskey && <Radios label={t('pc.how')} hideLabel value={way} change={setWay} answers={[{ value: 'passkey', label: t('pc.byPasskey') }, { value: 'pin', label: t('pc.byPin') }]} />}
      {way === 'pin' && <NewPin label={t('pc.pinNew')} hint={t('pc.pinHint')} change={setPin} />}
      {state.failed && <p class="wrong" role="alert">{state.failed}</p>}
      <Button kind="p" wide submit disabled={!fits || state.busy}>{t(state.busy ? 'busy' : 'pc.makeKeyDo')}</Button>
    </form>
  )
}

/** What to call this device among one's keys. */
const deviceName = (): string => /iPhone|iPad|Android|Windows|Macintosh|Linux/.exec(navigator.userAgent)?.[0] ?? 'Web'

interface ProvingProps { label: string; /** What stands in the field at first; `used` forgets it. */ pin: string; used: () => void; /** There is nothing to weigh: who has a passkey is asked for it at once. */ plain?: boolean; prove: (proof: Proof) => Promise<void>; close: () => void }

function Proving({ label, pin: begin, used, plain, prove, close }: ProvingProps): JSX.Element {
  const [device, setDevice] = useState<Device>()
  const [pin, setPin] = useState(begin)
  useEffect(() => { if (begin) setPin(begin) }, [begin])
  const [state, setState] = useState<{ busy?: boolean; failed?: string }>({})
  useEffect(() => void engine().pay().then((pay) => pay.device()).then(setDevice), [])
  const go = async (proof: Proof): Promise<void> => {
    if (state.busy) return
    setState({ busy: true })
    used()
    setPin('') // a proof is given once
    try { await prove(proof) } catch (error) { setState({ failed: whyPay(error) }) }
  }
  useEffect(() => { if (plain && device?.key === 'passkey') void go({ passkey: true }) }, [device?.key])
  if (!device) return <Busy />
  if (device.key === 'passkey') return (
    <div class="form">
      {state.failed && <p class="wrong" role="alert">{state.failed}</p>}
      <Button kind="p" wide disabled={state.busy} act={() => void go({ passkey: true })}><Icon path={fingerprint} />{state.busy ? t('busy') : label}</Button>
      <Button kind="t" act={close}>{t('cancel')}</Button>
    </div>
  )
  return (
    <form class="form" onSubmit={(e) => { e.preventDefault(); if (isPin(pin)) void go({ pin }) }}>
      <div class="pin-in"><Pin label={t('pc.pin')} value={pin} change={setPin} focus wrong={state.failed} /></div>
      <Button kind="p" wide submit disabled={!isPin(pin) || state.busy}>{state.busy ? t('busy') : label}</Button>
      <Button kind="t" act={close}>{t('cancel')}</Button>
    </form>
  )
}
