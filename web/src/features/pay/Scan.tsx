// Scanning what somebody shows: a shop's code is paid, a customer's is asked for money, a promise is kept and handed in; codes of other networks are shown and not paid here.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { connected, useWallet } from '../../app/paid.ts'
import { payNow, whyPay } from '../../app/pay.ts'
import { go, place } from '../../app/router.ts'
import { engine, nameOf } from '../../app/session.ts'
import { newPayId, type Payment, type PayRequest, type Promised, type Unit, type Wallet } from '../../core/pay.ts'
import { readCode, type Code } from '../../core/qr/code.ts'
import type { CodeError } from '../../core/qr/wrong.ts'
import { amountText, fieldText, money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Banner, Busy, Button, Field } from '../../ui/controls.tsx'
import { scan } from '../../ui/Scan.tsx'
import { copy } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'
import { Amount, useAmount } from './fields.tsx'
import type { PageProps } from './index.tsx'
import { askedBy } from './shop.ts'
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

/** ScanPage reads a code with the camera, from a picture, or as it is pasted. */
export function ScanPage(_: PageProps): JSX.Element {
  const wallet = useWallet()
  const [typed, setTyped] = useState(place.value.query.get('code') ?? '')
  const [found, setFound] = useState<Read>()
  const take = (text: string): void => { setFound(undefined); void read(text).then(setFound) }
  const look = async (): Promise<void> => { const text = await scan(t('pm.scan')); if (text) take(text) }
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
  const amount = asked ?? typed.amount
  const offline = !connected()
  const what = merchant.additional['08'] ?? merchant.additional['01'] ?? ''
  const pay = async (): Promise<void> => {
    if (!amount || busy) return
    setBusy(true)
    const { id, of } = await idsFor(account.id, own)
    const payment = await payNow({ id, kind: 'send', payee: account.jid, amount, unit: unit.code, ...(of ? { of } : {}), for: what, chat: account.jid })
    setBusy(false)
    if (payment) go(`/pay/receipt/${payment.id}`)
  }
  const promise = (): void => go(`/pay/offline?${new URLSearchParams({ to: account.jid, unit: unit.code, for: what, id: account.id ?? own, ...(amount ? { amount: fieldText(amount, unit.exponent) } : {}) })}`)
  return (
    <div class="card paying">
      <small>{t('pm.payTo')}</small>
      <h2 dir="auto">{merchant.name}</h2>
      <small dir="ltr">{account.jid} · <span dir="auto">{merchant.city}</span></small>
      {asked !== undefined ? <p class="sum"><b class="num">{amountText(asked, unit.exponent, true)}</b> {unit.code}</p> : <Amount label={t('pm.amount')} typed={typed} big focus />}
      {what && <p dir="auto">{what}</p>}
      {offline && <p>{t('pm.noNetwork')}</p>}
      <div class="dos mid">
        <Button kind={offline ? 's' : 'p'} disabled={!amount || busy} act={() => void pay()}>{amount ? t('pm.payAmount', { amount: money(amount, { unit: unit.code, exponent: unit.exponent }) }) : t('pm.pay')}</Button>
        {offline && <Button kind="p" act={promise}>{t('pm.promiseIt')}</Button>}
      </div>
    </div>
  )
}

/** What a code's id is: that of a request, which is paid by a payment with an id of its own, or the id that the payment itself takes, so that the code is paid once. */
async function idsFor(id: string | undefined, own: string): Promise<{ id: string; of?: string }> {
  if (!id) return { id: own }
  const request: PayRequest | undefined = await (await engine().pay()).ask('request', id).catch(() => undefined)
  return request ? { id: own, of: id } : { id }
}

function TakePromise({ promise }: { promise: Promised }): JSX.Element {
  const [kept, setKept] = useState<Payment>()
  const [failed, setFailed] = useState<string>()
  const mine = promise.payee === engine().account().jid
  const take = async (): Promise<void> => {
    try { setKept(await (await engine().pay()).redeem(promise.code)) } catch (error) { setFailed(whyPay(error)) }
  }
  return (
    <div class="card paying promised">
      <h2>{t('pm.promised')}</h2>
      <p class="sum"><b class="num">{amountText(promise.amount, promise.exponent, true)}</b> {promise.unit}</p>
      <p dir="auto">{t('pm.promisedBy', { name: nameOf(promise.payer) })}</p>
      {promise.for && <p dir="auto">{promise.for}</p>}
      <p class="small">{t('pm.promisedUntil', { when: fullTime(promise.expires) })}</p>
      <p><b>{t('pm.promisedShop')}</b></p>
      {!mine && <p class="wrong" role="alert">{t('pm.promiseNotYours', { name: nameOf(promise.payee) })}</p>}
      {failed && <p class="wrong" role="alert">{failed}</p>}
      {kept ? <><p role="status">{t('pm.promiseKept')}</p><Button act={() => go(`/pay/receipt/${kept.id}`)}>{t('pm.receipt')}</Button></> : <Button kind="p" disabled={!mine} act={() => void take()}>{t('pm.promiseKeep')}</Button>}
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
      <div class="dos"><Button act={() => void copy(text).then((done) => { if (done) toast(t('copied')) })}>{t('pm.copyCode')}</Button></div>
    </div>
  )
}
