// Scanning what somebody shows: a shop's code is paid, a customer's is asked for money, a promise is kept and handed in; codes of other networks are shown and not paid here.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { connected, usePaid, useWallet } from '../../app/paid.ts'
import { payNow, whyPay } from '../../app/pay.ts'
import { go, place } from '../../app/router.ts'
import { contactOf, engine, nameOf } from '../../app/session.ts'
import { newPayId, payTrouble, type Payment, type Promised, type Unit, type Wallet } from '../../core/pay.ts'
import { readCode, type Code } from '../../core/qr/code.ts'
import type { CodeError } from '../../core/qr/wrong.ts'
import { amountText, fieldText, money, readAmount } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { fullTime, percent } from '../../i18n/when.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Banner, Busy, Button, Field } from '../../ui/controls.tsx'
import { scan } from '../../ui/Scan.tsx'
import { copy } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'
import { Amount, useAmount } from './fields.tsx'
import type { PageProps } from './index.tsx'
import { askedBy, idsFor } from './shop.ts'
import { customary, feeOn, partOf } from './tip.ts'
import './pay.css'

type Shop = Extract<Code, { kind: 'shop' }>
type Foreign = Exclude<Code, { kind: 'shop' | 'promise' | 'customer' }>
/** What was read, and what is done with it. */
type Read = { code: Shop } | { promise: Promised } | { foreign: Foreign; text: string } | { wrong: string }

/** whyCode says why a code cannot be read. */
export function whyCode(error: unknown): string {
  const { name, reason } = (error ?? {}) as Partial<CodeError>
  if (name !== 'CodeError') return whyPay(error)
  return reason === 'checksum' ? t('pm.codeChecksum') : reason === 'unknown' ? t('pm.codeUnknown') : reason === 'too-long' ? t('pm.codeLong') : t('pm.codeBroken')
}

async function read(text: string): Promise<Read> {
  try {
    const code = readCode(text.trim())
    if (code.kind === 'customer') { go(`/pay/request/${encodeURIComponent(code.customer.jid)}`); return { wrong: '' } }
    if (code.kind === 'promise') return { promise: await (await engine().pay()).check(text.trim()) }
    return code.kind === 'shop' ? { code } : { foreign: code, text: text.trim() }
  } catch (error) { return { wrong: whyCode(error) } }
}

/** ScanPage reads a code with the camera (at once with `?camera`), from a picture, or as it is pasted. */
export function ScanPage(_: PageProps): JSX.Element {
  const wallet = useWallet()
  const [typed, setTyped] = useState(place.value.query.get('code') ?? '')
  const [found, setFound] = useState<Read>()
  const take = (text: string): void => { setFound(undefined); void read(text).then(setFound) }
  const look = async (): Promise<void> => { const text = await scan(t('pm.scan')); if (text) take(text) }
  // Who comes to scan looks through the camera at once.
  useEffect(() => {
    if (!place.value.query.has('camera')) return
    go('/pay/scan', { replace: true })
    void look()
  }, [])
  return (
    <>
      <PageHead title={t('pm.scan')} always up="/pay" />
      <div class="scroll"><div class="page">
        <Button kind="p" wide icon="qr" act={() => void look()}>{t('pm.scanCamera')}</Button>
        <details class="more" open={!found || 'wrong' in found}><summary>{t('pm.paste')}</summary>
          <form class="form" onSubmit={(e) => { e.preventDefault(); take(typed) }}>
            <Field label={t('pm.pasteCode')} value={typed} change={setTyped} limit={4096} multiline ltr />
            <Button submit disabled={!typed.trim()}>{t('pm.read')}</Button>
          </form>
        </details>
        {found && 'wrong' in found && found.wrong && <div role="alert"><Banner kind="bad" icon="circleAlert" title={t('pm.codeWrong')} text={found.wrong} /></div>}
        {found && 'code' in found && <PayShop key={found.code.account.id ?? found.code.account.jid} code={found.code} wallet={wallet} />}
        {found && 'promise' in found && <TakePromise promise={found.promise} />}
        {found && 'foreign' in found && <Other code={found.foreign} text={found.text} />}
      </div></div>
    </>
  )
}

/** A shop's code; one in another unit, or of an amount that the unit cannot have, is not paid. */
function PayShop({ code, wallet }: { code: Shop; wallet: Wallet | null | undefined }): JSX.Element {
  if (!wallet) return wallet === null ? <p>{t('pm.noWallet')}</p> : <Busy />
  const asked = askedBy(code, wallet.about.units)
  if ('other' in asked) return <p class="wrong" role="alert">{asked.other ? t('pm.unitOther', { unit: asked.other }) : t('pm.codeBroken')}</p>
  return <PayHere code={code} wallet={wallet} unit={asked.unit} asked={asked.amount} />
}

function PayHere({ code: { account, merchant }, wallet, unit, asked }: { code: Shop; wallet: Wallet; unit: Unit; asked: number | undefined }): JSX.Element {
  const typed = useAmount(wallet, '', unit.code)
  const [own] = useState(newPayId)
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<string>()
  const [tip, setTip] = useState<number | 'own'>(0)
  const [ownTip, setOwnTip] = useState('')
  const facts = { unit: unit.code, exponent: unit.exponent }
  const amount = asked ?? typed.amount
  const fee = amount ? feeWithin(amount, merchant.tip, unit) : 0
  const offline = !connected()
  const what = merchant.additional['08'] ?? merchant.additional['01'] ?? ''
  const asksTip = !offline && !!merchant.tip && 'ask' in merchant.tip // without network no tip can follow upon a promise: it can be given later, from the receipt
  const extra = !asksTip || !amount ? 0 : tip === 'own' ? readAmount(ownTip, unit.exponent) ?? 0 : partOf(amount, String(tip))
  if (fee === undefined) return <p class="wrong" role="alert">{t('pm.codeBroken')}</p>
  const owed = amount && amount + fee
  const wrongTip = asksTip && tip === 'own' && ownTip.trim() !== '' && (!extra || (owed !== undefined && extra > owed))
  const pay = async (): Promise<void> => {
    if (!owed || busy || wrongTip) return
    setBusy(true)
    setFailed(undefined)
    const ids = await idsFor(account.id, own, async (id) => (await engine().pay()).ask('request', id)).catch((error: unknown) => { setFailed(whyPay(error)) })
    if (!ids) return setBusy(false) // nobody knows what it would pay
    const { id, of } = ids
    const payment = await payNow({ id, kind: 'send', payee: account.jid, amount: owed, unit: unit.code, ...(of ? { of } : {}), for: what, chat: account.jid }, extra)
    setBusy(false)
    if (payment) go(`/pay/receipt/${payment.id}`)
  }
  const promise = (): void => go(`/pay/offline?${new URLSearchParams({ to: account.jid, unit: unit.code, for: what, id: account.id ?? own, ...(owed ? { amount: fieldText(owed, unit.exponent) } : {}) })}`)
  return (
    <div class="card paying">
      <small>{t('pm.payTo')}</small>
      <Payee jid={account.jid} unit={unit.code} says={merchant.name} city={merchant.city} />
      {asked !== undefined ? <p class="sum"><b class="num">{amountText(asked, unit.exponent, true)}</b> {unit.code}</p> : <Amount label={t('pm.amount')} typed={typed} big focus />}
      {what && <p dir="auto">{what}</p>}
      {asksTip && <fieldset class="tips"><legend>{t('pm.tipAsk')}</legend>
        <div class="chips wrap">{[0, ...customary, 'own' as const].map((one) => <button type="button" key={one} class="chip" aria-pressed={tip === one} onClick={() => setTip(one)}>{one === 0 ? t('pm.tipNone') : one === 'own' ? t('pm.tipOwn') : percent(one / 100)}</button>)}</div>
        {tip === 'own' && <Field label={`${t('pm.tip')} (${unit.code})`} value={ownTip} change={setOwnTip} limit={20} ltr focus wrong={wrongTip ? extra && owed ? t('pm.atMost', { amount: money(owed, facts) }) : t('pm.amountWrong') : undefined} />}
      </fieldset>}
      {amount && (fee > 0 || extra > 0) && <dl class="sums parts">
        <div><dt>{t('pm.amount')}</dt><dd class="num">{money(amount, facts)}</dd></div>
        {fee > 0 && <div><dt>{t('pm.codeFee')}{merchant.tip && 'percent' in merchant.tip && <> ({merchant.tip.percent} %)</>}</dt><dd class="num">{money(fee, facts)}</dd></div>}
        {extra > 0 && <div><dt>{t('pm.tip')}</dt><dd class="num">{money(extra, facts)}</dd></div>}
        <div class="big"><dt>{t('pm.inAll')}</dt><dd class="num">{money(amount + fee + extra, facts)}</dd></div>
      </dl>}
      {offline && <p>{t('pm.noNetwork')}</p>}
      {failed && <p class="wrong" role="alert">{failed}</p>}
      <div class="dos mid">
        <Button kind={offline ? 's' : 'p'} disabled={!owed || busy || wrongTip} act={() => void pay()}>{owed ? t('pm.payAmount', { amount: money(owed + extra, facts) }) : t('pm.pay')}</Button>
        {offline && <Button kind="p" act={promise}>{t('pm.promiseIt')}</Button>}
      </div>
    </div>
  )
}

/** The fee that a code asks for; undefined for one that the unit cannot have. */
function feeWithin(amount: number, tip: Shop['merchant']['tip'], unit: Unit): number | undefined {
  try { return feeOn(amount, tip, unit.exponent) } catch { return undefined }
}

/** Who gets the money comes first: as we call them, else as the service knows them, else their address. What the code calls them, anybody can write. */
function Payee({ jid, unit, says, city }: { jid: string; unit: string; says: string; city: string }): JSX.Element {
  const contact = contactOf(jid)
  const [known, setKnown] = useState<string>()
  useEffect(() => {
    let wanted = true
    setKnown(undefined)
    engine().pay().then((pay) => pay.ask('quote', { kind: 'send', payee: jid, amount: 1, unit })).then((quote) => { if (wanted) setKnown(quote.name) }, () => undefined) // then their address says who it is
    return () => { wanted = false }
  }, [jid, unit])
  const name = contact ? nameOf(jid) : known || jid
  return <>
    <Avatar id={jid} name={name} picture={contact?.avatar} />
    <h2 dir="auto">{name}</h2>
    {name !== jid && <small dir="ltr">{jid}</small>}
    <small class="says">{says === name ? <span dir="auto">{city}</span> : t('pm.codeSays', { name: says, city })}</small>
  </>
}

function TakePromise({ promise }: { promise: Promised }): JSX.Element {
  const known = usePaid<Payment | undefined>((pay, show) => pay.watchPayment(promise.id, show), [promise.id])
  const [is, setIs] = useState<'kept' | 'used'>()
  const [failed, setFailed] = useState<string>()
  const [own] = useState(newPayId)
  const mine = promise.payee === engine().account().jid
  const take = async (): Promise<void> => {
    setFailed(undefined)
    try {
      await (await engine().pay()).redeem(promise.code, own)
      setIs('kept')
    } catch (error) {
      if (payTrouble(error).why === 'id-taken') setIs('used')
      else setFailed(whyPay(error))
    }
  }
  return (
    <div class="card paying promised">
      <small>{t('pm.payTo')}</small>
      <h2 dir="auto">{mine ? t('pm.you') : nameOf(promise.payee)}</h2>
      <p><b>{t('pm.promised')}</b></p>
      <p class="sum"><b class="num">{amountText(promise.amount, promise.exponent, true)}</b> {promise.unit}</p>
      <p dir="auto">{t('pm.promisedBy', { name: nameOf(promise.payer) })}</p>
      {promise.for && <p dir="auto">{promise.for}</p>}
      <p class="small">{t('pm.promisedUntil', { when: fullTime(promise.expires) })}</p>
      <p><b>{t('pm.promisedShop')}</b></p>
      {!mine && <p class="wrong" role="alert">{t('pm.promiseNotYours', { name: nameOf(promise.payee) })}</p>}
      {failed && <p class="wrong" role="alert">{failed}</p>}
      {is === 'used' && <p class="wrong" role="alert">{t('pm.promiseUsed')}{known && ` (${money(known.amount, known)}, ${fullTime(known.time)})`}</p>}
      {is === 'kept' && <p role="status">{t('pm.promiseKept')}</p>}
      {is ? <Button act={() => go(`/pay/receipt/${promise.id}`)}>{t('pm.receipt')}</Button> : <Button kind="p" disabled={!mine} act={() => void take()}>{t('pm.promiseKeep')}</Button>}
    </div>
  )
}

/** What a code of another network says, in rows. */
function factsOf(code: Foreign): { title: string; rows: [string, string | undefined][]; href?: string } {
  if (code.kind === 'upi') {
    const { address, name, amount, note } = code.upi
    return { title: 'UPI', rows: [[t('pm.payTo'), name ?? address], [t('pm.account'), address], [t('pm.amount'), amount && `${amount} INR`], [t('pm.for'), note]] }
  }
  if (code.kind === 'epc') {
    const { name, iban, amount, reference, text } = code.epc
    return { title: 'SEPA', rows: [[t('pm.payTo'), name], [t('pm.account'), iban], [t('pm.amount'), amount && `${amount} EUR`], [t('pm.for'), text ?? reference]] }
  }
  if (code.kind === 'pix') {
    const { name, key, url, amount, info } = code.pix
    return { title: 'Pix', rows: [[t('pm.payTo'), name], [t('pm.account'), key ?? url], [t('pm.amount'), amount && `${amount} BRL`], [t('pm.for'), info]] }
  }
  const { name, city, amount, currency, accounts } = code.merchant
  return { title: accounts.map((a) => a.name).join(', '), rows: [[t('pm.payTo'), name], [t('pm.shopCity'), city], [t('pm.amount'), amount && `${amount} ${currency}`]] }
}

function Other({ code, text }: { code: Foreign; text: string }): JSX.Element {
  const { title, rows } = factsOf(code)
  return (
    <div class="card">
      <h2 dir="auto">{title}</h2>
      <dl class="facts">{rows.map(([name, value]) => value && <><dt>{name}</dt><dd dir="auto">{value}</dd></>)}</dl>
      <p>{t('pm.otherNetwork')}</p>
      <div class="dos"><Button act={() => void copy(text).then((done) => { if (done) toast(t('pm.copied')) })}>{t('pm.copyCode')}</Button></div>
    </div>
  )
}
