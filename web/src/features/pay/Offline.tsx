// Paying without network: a pocket with money set aside, a key with a PIN of its own, and a code that promises. Both sides are told plainly that a promise is no payment yet.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import hourglass from 'icon:hourglass'
import { PageHead } from '../../app/PageHead.tsx'
import { connected, unitOf, usePaid, useWallet } from '../../app/paid.ts'
import { askProof, payNow, whyPay, whyWords } from '../../app/pay.ts'
import { place } from '../../app/router.ts'
import { engine, nameOf } from '../../app/session.ts'
import { leftOffline, newPayId, type Pay, type Payment, type Promised, type Unit, type Wallet } from '../../core/pay.ts'
import { readCode } from '../../core/qr/code.ts'
import { amountText, fieldText, money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Busy, Button, Field } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { scan } from '../../ui/Scan.tsx'
import { toast } from '../../ui/toast.tsx'
import { Amount, isPin, NewPin, Pin, tooLong, useAmount } from './fields.tsx'
import { fillFrom, unitIn, type Filled } from './fill.ts'
import type { PageProps } from './index.tsx'
import { Already, Promises, usePending } from './Promises.tsx'
import { whyCode } from './Scan.tsx'
import { feeOn } from './tip.ts'
import './pay.css'

type Device = Awaited<ReturnType<Pay['device']>>

/** OfflinePage is the pocket, and what is promised from it. `?to=&unit=&amount=&for=&id=` come from a shop's code. */
export function OfflinePage(_: PageProps): JSX.Element {
  const wallet = useWallet()
  const [device, setDevice] = useState<Device>()
  const [promise, setPromise] = useState<Promised>()
  const look = (): void => void engine().pay().then((pay) => pay.device()).then(setDevice, () => undefined)
  const pocket = unitOf(wallet, device?.offline?.unit ?? '')
  const pending = usePending()
  useEffect(look, [wallet?.time])
  useEffect(() => { import('../../ui/qrcode.ts').catch(() => undefined) }, []) // what draws the code is here before the network goes; Qr says so when it is not
  return (
    <>
      <PageHead title={t('pm.offline')} always up="/pay" />
      <div class="scroll"><div class="page">
        {!promise && <Promises pending={pending} show={setPromise} />}
        {promise ? <Show promise={promise} done={() => setPromise(undefined)} /> : wallet === undefined || !device ? <Busy /> : wallet === null ? <p>{t('pm.noWallet')}</p> : device.offline
          ? <Ready wallet={wallet} offline={device.offline} pending={pending} given={setPromise} pocket={pocket} /> : <SetUp wallet={wallet} done={look} />}
      </div></div>
    </>
  )
}

function SetUp({ wallet, done }: { wallet: Wallet; done: () => void }): JSX.Element {
  const typed = useAmount(wallet)
  const [pin, setPin] = useState<string>()
  const [failed, setFailed] = useState<string>()
  const [busy, setBusy] = useState(false)
  const make = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!pin || busy || !typed.amount) return
    const proof = await askProof(t('pm.offlineProof'))
    if (!proof) return
    setBusy(true)
    try { await (await engine().pay()).setUpOffline(pin, typed.amount, typed.unit.code, proof); done() } catch (error) { setFailed(whyPay(error)) }
    setBusy(false)
  }
  return (
    <form class="stack" onSubmit={(e) => void make(e)}>
      <p>{t('pm.offlineText')}</p>
      <Amount label={t('pm.cap')} hint={t('pm.capText')} typed={typed} />
      <NewPin label={t('pm.pinNew')} hint={t('pm.pinText')} change={setPin} />
      {failed && <p class="wrong" role="alert">{failed}</p>}
      <Button kind="p" wide submit disabled={!pin || !typed.amount || busy}>{t(busy ? 'busy' : 'pm.offlineSet')}</Button>
    </form>
  )
}

interface ReadyProps { wallet: Wallet; offline: NonNullable<Device['offline']>; pending: Payment[]; given: (promise: Promised) => void; pocket: Unit | undefined }

/** With a connection the pocket comes first: it is to be filled. Without one, or with a shop's code, it is promised from. */
function Ready({ wallet, offline, pending, given, pocket }: ReadyProps): JSX.Element {
  const aside = pocket && <Pocket key="pocket" wallet={wallet} unit={pocket} offline={offline} />
  const give = <Give key="give" wallet={wallet} offline={offline} pending={pending} given={given} />
  return <>{connected() && !place.value.query.has('to') ? [aside, give] : [give, aside]}</>
}

function Pocket({ wallet, unit, offline }: { wallet: Wallet; unit: Unit; offline: NonNullable<Device['offline']> }): JSX.Element {
  const facts = { unit: unit.code, exponent: unit.exponent }
  const pocket = wallet.balances.find((b) => b.unit === offline.unit)?.pocket ?? 0
  const room = Math.min(offline.cap - pocket, wallet.balances.find((b) => b.unit === offline.unit)?.amount ?? 0)
  const typed = useAmount(wallet, pocket === 0 && room > 0 ? fieldText(room, unit.exponent, true) : '', offline.unit)
  const me = engine().account().jid
  const live = connected()
  const [moving, setMoving] = useState<string>()
  const moved = usePaid<Payment | undefined>((pay, show) => pay.watchPayment(moving ?? '', show), [moving])
  const over = moved !== undefined && moved.id === moving && (moved.state === 'done' || moved.state === 'refused')
  useEffect(() => { if (over) engine().pay().then((pay) => pay.ask('wallet')).catch(() => undefined) }, [over])
  const move = async (kind: 'reserve' | 'release'): Promise<void> => {
    if (!typed.amount) return
    const payment = await payNow({ id: newPayId(), kind, payee: me, amount: typed.amount, unit: unit.code, for: '' })
    if (payment) { typed.set(''); setMoving(payment.id) }
  }
  return (
    <div class="card pocket">
      <h2>{t('pm.pocket')}</h2>
      <p class="sum"><b class="num">{amountText(pocket, unit.exponent, true)}</b> {unit.code}</p>
      {moved?.state === 'refused' && <p class="wrong" role="alert">{whyWords({ why: moved.why ?? 'refused' })}</p>}
      {pocket === 0 && live && <p>{t('pm.pocketEmpty')}</p>}
      <p class="small">{t('pm.pocketCap', { amount: money(offline.cap, facts) })}</p>
      {live ? (
        <>
          <Amount label={t('pm.amount')} typed={{ ...typed, units: [] }} optional />
          <div class="dos"><Button disabled={!typed.amount} act={() => void move('reserve')}>{t('pm.reserve')}</Button><Button kind="g" disabled={!typed.amount || typed.amount > pocket} act={() => void move('release')}>{t('pm.release')}</Button></div>
        </>
      ) : <p class="small">{t('pm.pocketLater')}</p>}
    </div>
  )
}

function Give({ wallet, offline, pending, given }: { wallet: Wallet; offline: NonNullable<Device['offline']>; pending: Payment[]; given: (promise: Promised) => void }): JSX.Element {
  const { unit } = offline
  const left = leftOffline(offline, wallet, pending, engine().account().jid)
  // A code in another unit is not promised from this pocket: nothing of it is filled in.
  const asked = place.value.query.get('unit') ?? unit
  const query = asked === unit ? place.value.query : new URLSearchParams()
  const [id, setId] = useState(() => query.get('id') ?? newPayId())
  const [to, setTo] = useState(query.get('to') ?? '')
  const [what, setWhat] = useState(query.get('for') ?? '')
  const typed = useAmount(wallet, query.get('amount') ?? '', unit)
  const [tip, setTip] = useState<Filled['tip']>()
  const fee = typed.amount ? feeOn(typed.amount, tip, typed.unit.exponent) : 0
  const owed = typed.amount && typed.amount + fee
  const [pin, setPin] = useState('')
  const [state, setState] = useState<{ busy?: boolean; failed?: string }>(asked === unit ? {} : { failed: t('pm.unitOther', { unit: asked }) })
  const facts = { unit, exponent: typed.unit.exponent }
  const fits = owed !== undefined && owed <= left && /^[^\s@/]+@[^\s@/]+$/.test(to.trim()) && isPin(pin) && !tooLong(what)
  const look = async (): Promise<void> => {
    const text = await scan(t('pm.scan'))
    if (!text) return
    try {
      const code = readCode(text.trim())
      if (code.kind !== 'shop') { setState({ failed: t('pm.codeUnknown') }); return }
      const filled = fillFrom(code, unit)
      if (!filled) { setState({ failed: t('pm.unitOther', { unit: unitIn(code) }) }); return }
      feeOn(1, filled.tip, typed.unit.exponent) // one that the unit cannot have is none
      setId(filled.id)
      setTip(filled.tip)
      setTo(filled.to)
      setWhat(filled.for)
      typed.set(filled.amount)
      setState({})
    } catch (error) { setState({ failed: whyCode(error) }) }
  }
  const promise = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!fits || state.busy) return
    setState({ busy: true })
    try {
      given(await (await engine().pay()).promise({ id, kind: 'offline', payee: to.trim(), amount: owed, unit, fee: 0, for: what.trim(), chat: to.trim() }, pin))
    } catch (error) { setState({ failed: whyPay(error) }); setPin('') }
  }
  return (
    <form class="card stack" onSubmit={(e) => void promise(e)}>
      <h2>{t('pm.promiseIt')}</h2>
      <p>{t('pm.promiseText')}</p>
      <Button icon="qr" act={() => void look()}>{t('pm.scanCamera')}</Button>
      <Field label={t('pm.toWhom')} value={to} change={setTo} limit={320} required ltr />
      <Amount label={t('pm.amount')} hint={t('pm.canPromise', { amount: money(left, facts) })} typed={{ ...typed, units: [] }} />
      {fee > 0 && owed && <p>{t('pm.codeFee')}: <b class="num">{money(fee, facts)}</b>. {t('pm.inAll')}: <b class="num">{money(owed, facts)}</b></p>}
      {owed !== undefined && owed > left && <p class="wrong" role="alert">{t('pm.atMost', { amount: money(left, facts) })}</p>}
      <Field label={t('pm.for')} value={what} change={setWhat} limit={100} />
      <Already pending={pending} to={to.trim()} />
      <Pin label={t('pm.pinOffline')} value={pin} change={setPin} />
      {state.failed && <p class="wrong" role="alert">{state.failed}</p>}
      <Button kind="p" wide submit disabled={!fits || state.busy}>{t(state.busy ? 'busy' : 'pm.promiseIt')}</Button>
    </form>
  )
}

/** What the customer holds out: the code, and that nothing is paid yet; when it was handed in, what came of it. */
function Show({ promise, done }: { promise: Promised; done: () => void }): JSX.Element {
  const now = usePaid<Payment | undefined>((pay, show) => pay.watchPayment(promise.id, show), [promise.id])
  const over = now?.state === 'done' || now?.state === 'refused'
  useEffect(() => { if (over) toast(t(now.state === 'done' ? 'pm.sDone' : 'pm.sRefused')) }, [over])
  return (
    <div class="card paying promised" data-code={promise.code}>
      <small>{t('pm.payTo')}</small>
      <h2 dir="auto">{nameOf(promise.payee)}</h2>
      <small dir="ltr">{promise.payee}</small>
      <div role="status"><h2>{now?.state === 'done' ? t('pm.paid') : now?.state === 'refused' ? t('pm.sRefused') : <><Icon path={hourglass} /> {t('pm.promised')}</>}</h2></div>
      <p class="sum"><b class="num">{amountText(promise.amount, promise.exponent, true)}</b> {promise.unit}</p>
      {!over && <><div class="big-qr"><Qr text={promise.code} label={t('pm.promiseQr')} /></div><p><b>{t('pm.promisedNot')}</b></p><p>{t('pm.promiseShow')}</p></>}
      <Button act={done}>{t('pm.close')}</Button>
    </div>
  )
}
