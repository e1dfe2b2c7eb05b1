// The counter of a shop: the amount, a code for it, and big words and a sound when it is paid. Each code has an id that the payment takes, so that one code is paid once.
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import circleCheck from 'icon:circle-check-big'
import hourglass from 'icon:hourglass'
import { PageHead } from '../../app/PageHead.tsx'
import { connected, usePaid, useWallet } from '../../app/paid.ts'
import { whyPay, whyRefused } from '../../app/pay.ts'
import { go } from '../../app/router.ts'
import { engine, nameOf } from '../../app/session.ts'
import type { Micros } from '../../core/model.ts'
import { newPayId, payTrouble, type Payment } from '../../core/pay.ts'
import { amountText, money, plainDigits, point } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { clock, now } from '../../i18n/when.ts'
import { Banner, Button, Field } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { scan } from '../../ui/Scan.tsx'
import { useAmount, type Typed } from './fields.tsx'
import type { PageProps } from './index.tsx'
import { safely } from './Code.tsx'
import { bell, counts, fits, sinks, without, type Sale } from './sale.ts'
import { canAsk, codeOf, keepShop, shopOf, type Shop } from './shop.ts'
import { feeOn } from './tip.ts'
import { Tips } from './Tips.tsx'
import { chime } from './chime.ts'
import './pay.css'

/** CounterPage is what stands on a counter. Enter shows the code and goes to the next customer, Escape goes back. */
export function CounterPage(_: PageProps): JSX.Element {
  const wallet = useWallet()
  const typed = useAmount(wallet)
  const [shop, setShop] = useState<Shop>(() => shopOf(engine().account()))
  const [what, setWhat] = useState('')
  const [sale, setSale] = useState<Sale>()
  const next = (): void => { setSale(undefined); typed.set(''); setWhat('') }
  const show = (): void => {
    const { amount: price, unit } = typed
    const { tip } = shop
    if (!price || !canAsk(tip)) return
    const fee = feeOn(price, tip, unit.exponent)
    setSale({ id: newPayId(), amount: price + fee, fee, tip, unit, for: what.trim(), began: now() })
  }
  return (
    <>
      <PageHead title={t('pm.counter')} always up="/pay"><Button kind="t" act={() => go('/pay/report')}>{t('pm.report')}</Button></PageHead>
      <div class="scroll"><div class="page counter">
        {!connected() && <Banner icon="wifiOff" title={t('pm.counterOffline')} text={t('pm.counterOfflineText')} />}
        {wallet === null ? <p>{t('pm.noWallet')}</p> : sale ? <Waiting sale={sale} change={setSale} next={next} back={() => setSale(undefined)} /> : <Till typed={typed} what={what} setWhat={setWhat} tip={shop.tip} setTip={(tip) => { const now = { ...shop, tip }; setShop(now); keepShop(now) }} show={show} />}
      </div></div>
    </>
  )
}

interface TillProps { typed: Typed; what: string; setWhat: (text: string) => void; tip: Shop['tip']; setTip: (tip: Shop['tip']) => void; show: () => void }

function Till({ typed, what, setWhat, tip, setTip, show }: TillProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => { input.current?.focus() }, [])
  const press = (key: string): void => typed.set((was) => (key === '⌫' ? was.slice(0, -1) : (was + key).slice(0, 12)))
  // Whoever types means the amount, wherever the focus is.
  useEffect(() => {
    const key = (event: KeyboardEvent): void => {
      const { target, key: typedKey } = event
      if (event.ctrlKey || event.metaKey || event.altKey || (target instanceof HTMLElement && target.closest('input, textarea, select, [role=dialog]'))) return
      if (/^[\d.,]$/.test(plainDigits(typedKey))) press(typedKey)
      else if (typedKey === 'Backspace') press('⌫')
      else if (typedKey === 'Enter' && !(target instanceof HTMLElement && target.closest('button, a'))) show()
    }
    addEventListener('keydown', key)
    return () => removeEventListener('keydown', key)
  })
  return (
    <form class="till" onSubmit={(e) => { e.preventDefault(); show() }}>
      <label class="vh" for="till">{t('pm.amount')}</label>
      <div class="till-sum">
        <input id="till" ref={input} inputMode="none" autocomplete="off" dir="ltr" maxLength={12} placeholder="0" value={typed.text} aria-invalid={(typed.text !== '' && typed.amount === undefined) || undefined} onInput={(e) => typed.set(e.currentTarget.value)} />
        {typed.units.length > 1 ? <select aria-label={t('pm.unit')} value={typed.unit.code} onChange={(e) => typed.choose(e.currentTarget.value)}>{typed.units.map((u) => <option key={u.code}>{u.code}</option>)}</select> : <span class="unit">{typed.unit.code}</span>}
      </div>
      <div class="keys" role="group" aria-label={t('pm.keys')}>
        {['1', '2', '3', '4', '5', '6', '7', '8', '9', point(), '0', '⌫'].map((key) => <button type="button" key={key} class="num" aria-label={key === '⌫' ? t('pm.rub') : key} disabled={key === point() && (typed.unit.exponent === 0 || /[.,٫]/.test(typed.text))} onClick={() => press(key)}>{key}</button>)}
      </div>
      <Field label={t('pm.for')} value={what} change={setWhat} limit={25} />
      <Tips tip={tip} change={setTip} />
      <Button kind="p" wide submit disabled={!typed.amount || !canAsk(tip)}>{t('pm.showCode')}</Button>
    </form>
  )
}

const lookMs = 10_000

function Waiting({ sale, change, next, back }: { sale: Sale; change: (sale: Sale) => void; next: () => void; back: () => void }): JSX.Element {
  const { id, amount, fee = 0, tip, unit } = sale
  const account = engine().account()
  const [promised, setPromised] = useState<Payment>()
  const followed = promised?.id ?? id // a promise may have an id of its own
  const told = usePaid<{ payment: Payment | undefined; skew: Micros }>((pay, show) => pay.watchPayment(followed, (payment, skew) => show({ payment, skew })), [followed])
  const [failed, setFailed] = useState<string>()
  const hear = useMemo(() => bell(sale, account.jid, chime), [sale])
  const skew = told?.skew ?? 0
  const known = told && (told.payment?.id === followed ? told.payment : promised)
  const done = known !== undefined && counts(known, sale, account.jid, skew)
  useAwake()
  useEffect(() => hear(known, skew), [known])
  // The code is shown again, and what it gives the payment is what is waited for.
  const sunk = promised && known && sinks(known, sale, account.jid, skew)
  useEffect(() => {
    if (!sunk) return
    setPromised(undefined)
    setFailed(sunk === 'used' ? t('pm.promiseUsed') : `${t('pm.saleRefused')} ${whyRefused(known)}`)
    change(without(promised, sale))
  }, [sunk])
  // A notice tells of it at once; should it be late, the service is asked.
  useEffect(() => {
    if (done) return
    const timer = setInterval(() => { engine().pay().then((pay) => pay.ask('lookup', followed)).catch(() => undefined) }, lookMs)
    return () => clearInterval(timer)
  }, [followed, done])
  useEffect(() => {
    const key = (event: KeyboardEvent): void => { if (event.key === 'Enter' && done && !(event.target instanceof HTMLButtonElement)) next(); if (event.key === 'Escape' && !done) back() }
    addEventListener('keydown', key)
    return () => removeEventListener('keydown', key)
  }, [done])
  const take = async (): Promise<void> => {
    const code = await scan(t('pm.scanPromise'))
    setFailed(undefined)
    if (code) await redeem(code, sale).then(setPromised, (error: unknown) => setFailed(payTrouble(error).why === 'id-taken' ? t('pm.promiseUsed') : whyPay(error)))
  }
  const sum = money(amount, { unit: unit.code, exponent: unit.exponent })
  if (done) return <Paid payment={known} next={next} />
  if (known?.state === 'promised') return <Promised payment={known} next={next} />
  const code = safely(() => codeOf(account.jid, { ...shopOf(account), tip }, { unit, amount: amount - fee, id, for: sale.for }))
  return (
    <div class="sale">
      <p class="sum"><b class="num">{amountText(amount, unit.exponent, true)}</b> {unit.code}</p>
      {fee > 0 && <p class="num"><bdi dir="ltr">{amountText(amount - fee, unit.exponent)} + {amountText(fee, unit.exponent)}</bdi> ({t('pm.codeFee')})</p>}
      {code ? <div data-code={code} class="big-qr"><Qr text={code} label={t('pm.scanToPay', { amount: sum })} /></div> : <p class="wrong" role="alert">{t('pm.codeNot')}</p>}
      <p role="status" class="wait-for"><Icon path={hourglass} />{known && !fits(known, sale, account.jid) ? t('pm.wrongSum', { amount: money(known.amount, known) }) : known?.state === 'refused' ? t('pm.saleRefused') : t('pm.waiting')}</p>
      {failed && <p class="wrong" role="alert">{failed}</p>}
      <div class="dos mid"><Button act={() => void take()}>{t('pm.scanPromise')}</Button><Button kind="t" act={back}>{t('cancel')}</Button></div>
    </div>
  )
}

/** A promise is taken for this sale only if it is over its amount and for us, and no other sale had it before. */
async function redeem(code: string, { id, amount, unit }: Sale): Promise<Payment> {
  const pay = await engine().pay()
  const said = await pay.check(code)
  if (said.payee !== engine().account().jid || said.amount !== amount || said.unit !== unit.code) throw new WrongPromise(t('pm.promiseOther', { amount: money(said.amount, said) }))
  return pay.redeem(code, id)
}

/** The promise is another one than was asked for. */
export class WrongPromise extends Error { override readonly name = 'WrongPromise' }

function Paid({ payment, next }: { payment: Payment; next: () => void }): JSX.Element {
  const main = useRef<HTMLDivElement>(null)
  useEffect(() => { main.current?.querySelector('button')?.focus() }, [])
  return (
    <div class="sale paid" ref={main}>
      <Icon path={circleCheck} />
      <div role="alert"><h2>{t('pm.paid')}</h2><p class="sum"><b class="num">{amountText(payment.amount, payment.exponent, true)}</b> {payment.unit}</p></div>
      <p dir="auto">{nameOf(payment.payer)} · {clock(payment.time)}</p>
      {payment.number && <p class="small">{t('pm.number', { n: payment.number })}</p>}
      <div class="dos mid"><Button kind="p" act={next}>{t('pm.nextSale')}</Button><Button kind="t" act={() => go(`/pay/receipt/${payment.id}`)}>{t('pm.receipt')}</Button></div>
    </div>
  )
}

function Promised({ payment, next }: { payment: Payment; next: () => void }): JSX.Element {
  return (
    <div class="sale promised">
      <Icon path={hourglass} />
      <div role="alert"><h2>{t('pm.promised')}</h2><p class="sum"><b class="num">{amountText(payment.amount, payment.exponent, true)}</b> {payment.unit}</p></div>
      <p>{t('pm.promisedShop')}</p>
      <p dir="auto">{nameOf(payment.payer)}</p>
      <Button kind="p" act={next}>{t('pm.nextSale')}</Button>
    </div>
  )
}

/** The screen stays on while a code is shown. */
function useAwake(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | undefined
    let over = false
    navigator.wakeLock?.request('screen').then((got) => { if (over) void got.release(); else lock = got }, () => undefined)
    return () => { over = true; void lock?.release() }
  }, [])
}
