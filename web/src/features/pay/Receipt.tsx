// The receipt of a payment: what the service has signed and this device has checked; from it, giving money back, a tip, a dispute.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { connected, usePaid } from '../../app/paid.ts'
import { payNow, whyPay, whyWords } from '../../app/pay.ts'
import { chatPath, go } from '../../app/router.ts'
import { engine, nameOf } from '../../app/session.ts'
import { newPayId, type Payment } from '../../core/pay.ts'
import { amountText, fieldText, money, readAmount } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Busy, Button, Empty, Field, Pill } from '../../ui/controls.tsx'
import { Dialog, over } from '../../ui/overlay.tsx'
import { kindWords, stateWords } from './History.tsx'
import type { PageProps } from './index.tsx'
import './pay.css'

/** ReceiptPage shows the payment `id`. */
export function ReceiptPage({ id }: PageProps): JSX.Element {
  const kept = usePaid<Payment | undefined>((pay, show) => pay.watchPayment(id, show), [id])
  const [told, setTold] = useState<Payment | 'none' | { failed: string }>()
  useEffect(() => { engine().pay().then((pay) => pay.ask('lookup', id)).then((found) => setTold(found ?? 'none'), (error: unknown) => setTold({ failed: whyPay(error) })) }, [id, connected()])
  const payment = kept ?? (told !== undefined && told !== 'none' && 'id' in told ? told : undefined)
  return (
    <>
      <PageHead title={t('pm.receipt')} always up="/pay/history" />
      <div class="scroll"><div class="page">
        {payment ? <Facts payment={payment} /> : told === undefined ? <Busy /> : <Empty title={t('pm.noReceipt')} text={told === 'none' || 'id' in told ? t('pm.noReceiptText') : told.failed} />}
      </div></div>
    </>
  )
}

const looks = { done: 'ok', held: 'info', ended: undefined, refused: 'bad', signed: 'wait', sent: 'wait', waiting: 'wait', promised: 'wait' } as const

function Facts({ payment: p }: { payment: Payment }): JSX.Element {
  const me = engine().account().jid
  const [checked, setChecked] = useState<boolean>()
  useEffect(() => {
    setChecked(undefined)
    if (p.receipt) engine().pay().then((pay) => p.receipt && pay.checkReceipt(p.receipt)).then((fields) => setChecked(fields !== undefined && fields?.['id'] === p.id), () => setChecked(false))
  }, [p.receipt?.signature])
  const look = looks[p.state]
  const left = p.amount - (p.refunded ?? 0)
  const paysBack = p.payee === me && p.payer !== me && p.state === 'done' && left > 0 && ['send', 'tip', 'offline', 'capture'].includes(p.kind)
  const gave = p.payer === me && p.payee !== me && p.state === 'done' && ['send', 'offline', 'capture'].includes(p.kind)
  const facts: [string, JSX.Element | string | false | undefined][] = [
    [t('pm.from'), <><bdi>{p.payer === me ? t('pm.you') : nameOf(p.payer)}</bdi> <small dir="ltr">{p.payer}</small></>],
    [t('pm.to'), <><bdi>{p.payee === me ? t('pm.you') : nameOf(p.payee)}</bdi> <small dir="ltr">{p.payee}</small></>],
    [t('pm.for'), p.for && <bdi>{p.for}</bdi>], [t('pm.kind'), kindWords(p)], [t('pm.fee'), p.fee > 0 && money(p.fee, p)], [t('pm.givenBack'), (p.refunded ?? 0) > 0 && money(p.refunded ?? 0, p)],
    [t('pm.time'), fullTime(p.time)], [t('pm.numberName'), p.number], [t('pm.id'), <code dir="ltr">{p.id}</code>],
  ]
  return (
    <>
      <div class="card paying print-me">
        <Pill {...(look ? { kind: look } : {})} {...(p.state === 'done' ? { icon: 'check' as const } : {})}>{stateWords(p)}</Pill>
        <p class="sum"><b class="num">{amountText(p.amount, p.exponent, true)}</b> {p.unit}</p>
        {p.state === 'refused' && <p role="status">{t('pm.nothingTaken')} {p.why && whyWords({ why: p.why })}</p>}
        {(p.state === 'signed' || p.state === 'sent') && <p role="status">{t('pm.oneOrNone')}</p>}
        {p.state === 'promised' && <p role="status"><b>{t('pm.promisedNot')}</b></p>}
        <dl class="facts">{facts.map(([name, value]) => value && <><dt>{name}</dt><dd>{value}</dd></>)}</dl>
        {p.receipt && checked !== undefined && <p class={checked ? 'checked' : 'wrong'} role={checked ? undefined : 'alert'}>{t(checked ? 'pm.checked' : 'pm.forged')}</p>}
      </div>
      <div class="dos mid no-print">
        {paysBack && <Button act={() => void back(p, left)}>{t('pm.refund')}</Button>}
        {gave && <Button act={() => void tip(p)}>{t('pm.tip')}</Button>}
        {p.chat && <Button kind="g" act={() => go(chatPath(p.chat ?? ''))}>{t('pm.toChat')}</Button>}
        {p.receipt && <Button kind="g" act={() => print()}>{t('pm.print')}</Button>}
        {gave && <Button kind="t" act={() => go(`/pay/dispute/new?of=${encodeURIComponent(p.id)}`)}>{t('pm.dispute')}</Button>}
      </div>
    </>
  )
}

async function back(p: Payment, left: number): Promise<void> {
  const amount = await askAmount({ title: t('pm.refund'), label: t('pm.refundHow', { amount: money(left, p) }), most: left, begin: left, p })
  if (amount) await payNow({ id: newPayId(), kind: 'refund', payee: p.payer, amount, unit: p.unit, of: p.id, for: p.for, chat: p.payer })
}

async function tip(p: Payment): Promise<void> {
  const amount = await askAmount({ title: t('pm.tip'), label: t('pm.tipHow', { name: nameOf(p.payee) }), most: p.amount, p })
  if (amount) await payNow({ id: newPayId(), kind: 'tip', payee: p.payee, amount, unit: p.unit, of: p.id, for: '', chat: p.payee })
}

async function askAmount({ title, label, most, begin, p }: { title: string; label: string; most: number; begin?: number; p: Payment }): Promise<number | undefined> {
  let answer: number | undefined
  await over((done) => <Dialog title={title} close={done}><AskAmount label={label} most={most} begin={begin === undefined ? '' : fieldText(begin, p.exponent)} p={p} done={(amount) => { answer = amount; done() }} /></Dialog>)
  return answer
}

function AskAmount({ label, most, begin, p, done }: { label: string; most: number; begin: string; p: Payment; done: (amount?: number) => void }): JSX.Element {
  const [text, setText] = useState(begin)
  const amount = readAmount(text, p.exponent)
  const fits = amount !== undefined && amount <= most
  return (
    <form class="form" onSubmit={(e) => { e.preventDefault(); if (fits) done(amount) }}>
      <Field label={label} value={text} change={setText} limit={20} required focus ltr wrong={text && !fits ? t('pm.atMost', { amount: money(most, p) }) : undefined} />
      <div class="do"><Button kind="t" act={() => done()}>{t('cancel')}</Button><Button kind="p" submit disabled={!fits}>{t('pm.next')}</Button></div>
    </form>
  )
}
