// The receipt of a payment: what the service has signed and this device has checked; from it, giving money back, a tip, a dispute.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { usePaid } from '../../app/paid.ts'
import { askProof, mayPayAgain, noteOf, payAgain, payNow, whyPay, whyRefused } from '../../app/pay.ts'
import { chatPath, go } from '../../app/router.ts'
import { engine, nameOf } from '../../app/session.ts'
import { newPayId, type Payment } from '../../core/pay.ts'
import { amountText, fieldText, money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Busy, Button, Empty, Pill } from '../../ui/controls.tsx'
import { share } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'
import { leftOf, useAbout, Waits, type About } from './about.tsx'
import { askAmount } from './askAmount.tsx'
import { otherOf } from './book.ts'
import { kindWords, partyName, stateWords } from './History.tsx'
import type { PageProps } from './index.tsx'
import { mayTakeBack, takeBack } from './takeBack.tsx'
import './pay.css'

/** ReceiptPage shows the payment `id`. */
export function ReceiptPage({ id }: PageProps): JSX.Element {
  const kept = usePaid<Payment | undefined>((pay, show) => pay.watchPayment(id, show), [id])
  const about = useAbout(id, async () => (await engine().pay()).ask('lookup', id))
  const { value, failed } = about.asked
  const payment = kept ?? value?.value
  return (
    <>
      <PageHead title={t('pm.receipt')} always up="/pay/history" />
      <div class="scroll"><div class="page">
        {payment ? <Facts payment={payment} about={about} /> : !value && !failed ? <Busy /> : <Empty title={t('pm.noReceipt')} text={failed ?? t('pm.noReceiptText')} />}
      </div></div>
    </>
  )
}

const looks = { done: 'ok', held: 'info', ended: undefined, refused: 'bad', signed: 'wait', sent: 'wait', waiting: 'wait', promised: 'wait' } as const

function Facts({ payment: p, about: { waits, free, signed } }: { payment: Payment; about: About<Payment | undefined> }): JSX.Element {
  const me = engine().account().jid
  const [checked, setChecked] = useState<boolean>()
  useEffect(() => {
    setChecked(undefined)
    if (p.receipt) engine().pay().then((pay) => p.receipt && pay.checkReceipt(p.receipt)).then((fields) => setChecked(fields !== undefined && fields?.['id'] === p.id), () => setChecked(false))
  }, [p.receipt?.signature])
  const look = looks[p.state]
  const left = leftOf(p.amount - (p.refunded ?? 0), waits, 'refund')
  const paysBack = p.payee === me && p.payer !== me && p.state === 'done' && (left > 0 || waits.length > 0) && ['send', 'tip', 'offline', 'capture'].includes(p.kind)
  const missing = p.state === 'refused' || p.state === 'ended' ? undefined : p.tip
  const gave = p.payer === me && p.payee !== me && p.state === 'done' && ['send', 'offline', 'capture'].includes(p.kind)
  const facts: [string, JSX.Element | string | false | undefined][] = [
    [t('pm.from'), <><bdi>{p.payer === me ? t('pm.you') : partyName(p.payer)}</bdi> <small dir="ltr">{p.payer}</small></>],
    [t('pm.to'), <><bdi>{p.payee === me ? t('pm.you') : partyName(p.payee)}</bdi> <small dir="ltr">{p.payee}</small></>],
    [t('pm.for'), p.for && <bdi>{p.for}</bdi>], [t('pm.kind'), kindWords(p)], [t('pm.fee'), p.fee > 0 && money(p.fee, p)], [t('pm.givenBack'), (p.refunded ?? 0) > 0 && money(p.refunded ?? 0, p)],
    [t('pm.time'), fullTime(p.time)], [t('pm.ends'), p.until !== undefined && (p.state === 'held' || p.kind === 'mandate') && fullTime(p.until)], [t('pm.numberName'), p.number], [t('pm.id'), <code dir="ltr">{p.id}</code>],
  ]
  return (
    <>
      <div class="card paying print-me">
        <Pill {...(look ? { kind: look } : {})} {...(p.state === 'done' ? { icon: 'check' as const } : {})}>{stateWords(p)}</Pill>
        <p class="sum"><b class="num">{amountText(p.amount, p.exponent, true)}</b> {p.unit}</p>
        {p.state === 'refused' && <p role="status">{t('pm.nothingTaken')} {p.why && whyRefused(p)}</p>}
        {(p.state === 'signed' || p.state === 'sent') && <p role="status">{t('pm.oneOrNone')}</p>}
        {p.state === 'promised' && <p role="status"><b>{p.back || p.why ? noteOf(p) : t('pm.promisedNot')}</b></p>}
        {p.state === 'held' && <p role="status">{t(p.payer === me ? 'pm.heldMine' : 'pm.heldTheirs', { name: nameOf(otherOf(p, me)) })}</p>}
        {missing && <p role="status">{t('pc.tipNot', { amount: money(missing.amount, p) })}</p>}
        <Waits all={waits} />
        <dl class="facts">{facts.map(([name, value]) => value && <><dt>{name}</dt><dd>{value}</dd></>)}</dl>
        {p.receipt && checked !== undefined && <p class={checked ? 'checked' : 'wrong'} role={checked ? undefined : 'alert'}>{t(checked ? 'pm.checked' : 'pm.forged')}</p>}
      </div>
      <div class="dos mid no-print">
        {p.state === 'held' && p.payee === me && <><Button kind="p" disabled={!free} act={() => void take(p).then(signed)}>{t('pm.take')}</Button><Button disabled={!free} act={() => void release(p).then(signed)}>{t('pm.free')}</Button></>}
        {p.kind === 'mandate' && <Button act={() => go(`/pay/debit/${encodeURIComponent(p.id)}`)}>{t('pm.toDebit')}</Button>}
        {(p.kind === 'capture' || p.kind === 'revoke' || p.kind === 'void') && p.of && <Button kind="g" act={() => go(`/pay/receipt/${encodeURIComponent(p.of ?? '')}`)}>{t('pm.toWhat')}</Button>}
        {mayTakeBack(p) && <Button act={() => void takeBack(p)}>{t(p.back ? 'again' : 'pm.takeBack')}</Button>}
        {paysBack && <Button disabled={!free || !left} act={() => void back(p, left).then(signed)}>{t('pm.refund')}</Button>}
        {p.state === 'done' && <Button act={() => void shareReceipt(p)}>{t('pm.share')}</Button>}
        {gave && p.kind === 'send' && <Button act={() => go(again(p))}>{t('pm.again')}</Button>}
        {mayPayAgain(p, me) && <Button kind="p" act={() => void payAgain(p).then((made) => { if (made) go(`/pay/receipt/${made.id}`) })}>{p.feeNow !== undefined ? t('pc.againFee', { fee: money(p.feeNow, p) }) : t('pm.again')}</Button>}
        {missing ? <Button disabled={!free} act={() => void giveTip(p, missing).then(signed)}>{t('pm.tip')}</Button> : gave && <Button kind="g" disabled={!free} act={() => void tip(p).then(signed)}>{t('pm.tip')}</Button>}
        {p.chat && <Button kind="g" act={() => go(chatPath(p.chat ?? ''))}>{t('pm.toChat')}</Button>}
        {p.receipt && <Button kind="g" act={() => print()}>{t('pm.print')}</Button>}
        {gave && <Button kind="t" act={() => go(`/pay/dispute/new?of=${encodeURIComponent(p.id)}`)}>{t('pm.dispute')}</Button>}
      </div>
    </>
  )
}

/** Where the same is paid once more: the amount and the words are filled in, and confirmed as ever. */
const again = (p: Payment): string => `/pay/to/${encodeURIComponent(p.payee)}?${new URLSearchParams({ amount: fieldText(p.amount, p.exponent, true), unit: p.unit, for: p.for })}`

/** Hands the receipt to another app, in words. */
async function shareReceipt(p: Payment): Promise<void> {
  const text = [`${t('pm.receipt')}: ${money(p.amount, p)}`, `${t('pm.from')}: ${partyName(p.payer)} (${p.payer})`, `${t('pm.to')}: ${partyName(p.payee)} (${p.payee})`, p.for && `${t('pm.for')}: ${p.for}`, fullTime(p.time), p.number && t('pm.number', { n: p.number })]
  if (await share({ title: t('pm.receipt'), text: text.filter(Boolean).join('\n') }) === 'copied') toast(t('pm.copied'))
}

/** Takes what was set aside, all or a part; what is not taken is free again. */
async function take(p: Payment): Promise<Payment | undefined> {
  const amount = await askAmount({ title: t('pm.take'), label: t('pm.takeHow', { amount: money(p.amount, p) }), most: p.amount, begin: p.amount, ...p })
  return amount ? payNow({ id: newPayId(), kind: 'capture', payer: p.payer, payee: p.payee, amount, unit: p.unit, of: p.id, for: p.for, chat: p.chat ?? p.payer }) : undefined
}

async function release(p: Payment): Promise<Payment | undefined> {
  const proof = await askProof(t('pm.releaseTitle', { amount: money(p.amount, p), name: nameOf(p.payer) }))
  if (!proof) return undefined
  try { return await (await engine().pay()).send({ id: newPayId(), kind: 'void', payer: p.payer, payee: p.payee, amount: 0, unit: '', fee: 0, of: p.id, for: '' }, proof) } catch (error) { toast(whyPay(error)); return undefined }
}

async function back(p: Payment, left: number): Promise<Payment | undefined> {
  const amount = await askAmount({ title: t('pm.refund'), label: t('pm.refundHow', { amount: money(left, p) }), most: left, begin: left, ...p })
  return amount ? payNow({ id: newPayId(), kind: 'refund', payee: p.payer, amount, unit: p.unit, of: p.id, for: p.for, chat: p.payer }) : undefined
}

/** Gives the tip that was agreed to with the payment: under its id, so once. */
const giveTip = (p: Payment, { id, amount }: NonNullable<Payment['tip']>): Promise<Payment | undefined> => payNow({ id, kind: 'tip', payee: p.payee, amount, unit: p.unit, of: p.id, for: '', ...(p.chat ? { chat: p.chat } : {}) })

async function tip(p: Payment): Promise<Payment | undefined> {
  const amount = await askAmount({ title: t('pm.tip'), label: t('pm.tipHow', { name: nameOf(p.payee) }), most: p.amount, ...p })
  return amount ? payNow({ id: newPayId(), kind: 'tip', payee: p.payee, amount, unit: p.unit, of: p.id, for: '', chat: p.payee }) : undefined
}
