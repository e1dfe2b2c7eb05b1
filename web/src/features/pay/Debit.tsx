// One direct debit: what it allows, what was taken by it; who gave it ends it, who was given it takes by it.
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useAsked, Waiting } from '../../app/asked.tsx'
import { PageHead } from '../../app/PageHead.tsx'
import { connected, usePaid } from '../../app/paid.ts'
import { askProof, payNow, whyPay } from '../../app/pay.ts'
import { termLines } from '../../app/terms.ts'
import { contactOf, engine, nameOf } from '../../app/session.ts'
import { newPayId, type Mandate, type Payment } from '../../core/pay.ts'
import { amountText, money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button, Pill } from '../../ui/controls.tsx'
import { toast } from '../../ui/toast.tsx'
import { leftOf, useAbout, Waits, type About } from './about.tsx'
import { askAmount } from './askAmount.tsx'
import { otherOf } from './book.ts'
import { mandateWords } from './Debits.tsx'
import { Row } from './History.tsx'
import type { PageProps } from './index.tsx'
import './pay.css'

/** DebitPage shows the mandate `id`. */
export function DebitPage({ id }: PageProps): JSX.Element {
  const told = usePaid<Mandate | undefined>((pay, show) => pay.watchMandates((all) => show(all.find((m) => m.id === id))), [id])
  const about = useAbout(id, async () => (await (await engine().pay()).ask('mandates')).find((m) => m.id === id))
  const mandate = told ?? about.asked.value?.value
  return (
    <>
      <PageHead title={t('pd.one')} always up="/pay/debits" />
      <div class="scroll"><div class="page">{mandate ? <Facts mandate={mandate} about={about} /> : <Waiting asked={about.asked} />}</div></div>
    </>
  )
}

function Facts({ mandate: m, about: { asked, waits, free, signed } }: { mandate: Mandate; about: About<Mandate | undefined> }): JSX.Element {
  const me = engine().account().jid
  const other = otherOf(m, me)
  const mine = m.payer === me
  const open = m.state === 'open'
  const taken = useAsked(async (): Promise<Payment[]> => (await (await engine().pay()).ask('history', { of: m.id })).payments.filter((p) => p.kind === 'capture'), [m.id, m.left, m.taken, connected()], whyPay)
  // What is taken is told as a payment; how the mandate stands then is asked for.
  useEffect(() => {
    let stop: (() => void) | undefined
    let over = false
    engine().pay().then((pay) => { if (!over) stop = pay.watchWallet(() => asked.again()) }, () => undefined) // what was told stands there
    return () => { over = true; stop?.() }
  }, [m.id])
  const total = m.total ?? m.amount
  const left = leftOf(m.left ?? 0, waits, 'capture')
  return (
    <>
      <div class="card paying">
        <Avatar id={other} name={nameOf(other)} picture={contactOf(other)?.avatar} />
        <h2 dir="auto">{nameOf(other)}</h2>
        <small dir="ltr">{other}</small>
        <Pill {...(open ? { kind: 'ok' as const } : {})}>{mandateWords(m)}</Pill>
        <p class="sum"><b class="num">{amountText(m.amount, m.exponent, true)}</b> {m.unit}</p>
        {m.for && <p dir="auto">{m.for}</p>}
        <ul class="terms">{m.until !== undefined && termLines({ kind: 'mandate', total, period: m.period, until: m.until }, m.amount, m).map((line) => <li key={line}>{line}</li>)}</ul>
        {open && m.taken !== undefined && m.period !== 'once' && <><progress class="meter" max={total} value={m.taken} aria-label={t('pd.takenOf', { amount: money(m.taken, m), all: money(total, m) })} /><small>{t('pd.takenOf', { amount: money(m.taken, m), all: money(total, m) })}</small></>}
        {open && !mine && <small>{t('pd.left', { amount: money(left, m) })}</small>}
        <Waits all={waits} />
        {!free && !waits.length && asked.failed && <Waiting asked={asked} />}
      </div>
      {open && <div class="dos mid">{mine ? <Button kind="d" act={() => void revoke(m)}>{t('pd.revoke')}</Button> : <Button kind="p" disabled={!left || !free} act={() => void take(m, left).then(signed)}>{t('pd.take')}</Button>}</div>}
      {open && <p class="small">{mine ? t('pd.revokeText', { name: nameOf(other) }) : t('pd.takeText', { name: nameOf(other) })}</p>}
      <h2 class="label2">{t('pd.takes')}</h2>
      {taken.value?.length ? <ul class="card flat pays" aria-label={t('pd.takes')}>{taken.value.map((p) => <li key={p.id}><Row payment={p} /></li>)}</ul> : taken.value ? <p>{t('pd.noTakes')}</p> : <Waiting asked={taken} />}
    </>
  )
}

/** It is ended by a signature, as it was given by one; nothing else is asked. */
async function revoke({ id, payee }: Mandate): Promise<void> {
  const proof = await askProof(t('pd.revokeTitle', { name: nameOf(payee) }))
  if (!proof) return
  try {
    await (await engine().pay()).send({ id: newPayId(), kind: 'revoke', payee, amount: 0, unit: '', fee: 0, of: id, for: '' }, proof)
    toast(t('pd.revoked'))
  } catch (error) { toast(whyPay(error)) }
}

async function take({ id, payer, payee, unit, exponent, for: what }: Mandate, left: number): Promise<Payment | undefined> {
  const amount = await askAmount({ title: t('pd.take'), label: t('pd.takeHow', { amount: money(left, { unit, exponent }) }), most: left, unit, exponent })
  return amount ? payNow({ id: newPayId(), kind: 'capture', payer, payee, amount, unit, of: id, for: what, chat: payer }) : undefined
}
