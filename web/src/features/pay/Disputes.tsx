// Disputes: a payment that somebody wants back, what both say to it, and how it ended.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useAsked, Waiting } from '../../app/asked.tsx'
import { PageHead } from '../../app/PageHead.tsx'
import { usePaid } from '../../app/paid.ts'
import { whyPay } from '../../app/pay.ts'
import { go, place } from '../../app/router.ts'
import { engine, nameOf } from '../../app/session.ts'
import { newPayId, type Dispute, type Payment } from '../../core/pay.ts'
import { amountText, fieldText, money, readAmount } from '../../i18n/money.ts'
import { has, t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Busy, Button, Empty, Field, Pill } from '../../ui/controls.tsx'
import { confirm } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { Choice } from './Request.tsx'
import type { PageProps } from './index.tsx'
import './pay.css'

const maxWords = 1000
const maxFile = 25_000_000

/** What is said of a dispute's state; one that is not known here is open. */
const stateOf = (state: string): string => { const key = `pm.d-${state}`; return has(key) ? t(key) : t('pm.d-open') }

/** DisputesPage lists them. */
export function DisputesPage(_: PageProps): JSX.Element {
  const asked = useAsked(async () => (await engine().pay()).ask('disputes'), [], whyPay)
  const told = usePaid<Dispute[]>((pay, show) => pay.watchDisputes(show))
  const all = [...(told ?? []), ...(asked.value ?? []).filter((d) => !told?.some((known) => known.id === d.id))]
  return (
    <>
      <PageHead title={t('pm.disputes')} always up="/pay" />
      <div class="scroll"><div class="page">
        <p>{t('pm.disputesText')}</p>
        {all.length ? <ul class="card flat">{all.map((d) => <li key={d.id}><a class="act peer" href={`/pay/dispute/${encodeURIComponent(d.id)}`}><span class="grow"><b class="cut one" dir="auto">{whyWords(d.why)}</b><small class="cut one" dir="auto">{nameOf(d.by)}</small></span><span class="end"><b class="num">{money(d.amount, d)}</b><small>{stateOf(d.state)}</small></span></a></li>)}</ul>
          : asked.value ? <Empty title={t('pm.noDisputes')} text={t('pm.noDisputesText')} /> : <Waiting asked={asked} />}
      </div></div>
    </>
  )
}

const reasons = ['not-received', 'not-as-described', 'wrong-amount', 'twice', 'not-me', 'other'] as const
const whyWords = (why: string): string => { const key = `pm.w-${why}`; return has(key) ? t(key) : why }

/** DisputePage shows one, or begins one (`id` is new, `?of=` names the payment). */
export function DisputePage({ id }: PageProps): JSX.Element {
  return (
    <>
      <PageHead title={t('pm.dispute')} always up="/pay/disputes" />
      <div class="scroll">{id === 'new' ? <Begin of={place.value.query.get('of') ?? ''} /> : <One id={id} />}</div>
    </>
  )
}

function Begin({ of }: { of: string }): JSX.Element {
  const [id] = useState(newPayId)
  const asked = useAsked(async (): Promise<Payment | undefined> => (await engine().pay()).ask('lookup', of), [of], whyPay)
  const [why, setWhy] = useState<(typeof reasons)[number]>('not-received')
  const [text, setText] = useState('')
  const [typed, setTyped] = useState<string>()
  const [state, setState] = useState<{ busy?: boolean; failed?: string }>({})
  const p = asked.value
  if (!p) return <Waiting asked={asked} />
  const left = p.amount - (p.refunded ?? 0)
  const amount = typed === undefined ? left : readAmount(typed, p.exponent)
  const fits = amount !== undefined && amount <= left
  const begin = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (state.busy || !fits || !text.trim()) return
    setState({ busy: true })
    try { await (await engine().pay()).ask('makeDispute', { id, of, why, amount, text: text.trim() }); go(`/pay/dispute/${id}`, { replace: true }) } catch (error) { setState({ failed: whyPay(error) }) }
  }
  return (
    <form class="page" onSubmit={(e) => void begin(e)}>
      <p dir="auto">{t('pm.disputeOf', { amount: money(p.amount, p), name: nameOf(p.payee) })}</p>
      <Choice id="dispute-why" label={t('pm.disputeWhy')} value={why} change={setWhy} answers={{ 'not-received': t('pm.w-not-received'), 'not-as-described': t('pm.w-not-as-described'), 'wrong-amount': t('pm.w-wrong-amount'), twice: t('pm.w-twice'), 'not-me': t('pm.w-not-me'), other: t('pm.w-other') }} />
      <Field label={`${t('pm.amount')} (${p.unit})`} value={typed ?? fieldText(left, p.exponent)} change={setTyped} limit={20} ltr wrong={fits ? undefined : t('pm.atMost', { amount: money(left, p) })} />
      <Field label={t('pm.disputeText')} value={text} change={setText} limit={maxWords} multiline required />
      <p class="small">{t('pm.disputeSeen')}</p>
      {state.failed && <p class="wrong" role="alert">{state.failed}</p>}
      <Button kind="p" wide submit disabled={state.busy || !fits || !text.trim()}>{t('pm.disputeDo')}</Button>
    </form>
  )
}

function One({ id }: { id: string }): JSX.Element {
  const told = usePaid<Dispute[]>((pay, show) => pay.watchDisputes(show))?.find((d) => d.id === id)
  const [asked, setAsked] = useState<Dispute>()
  const [failed, setFailed] = useState<string>()
  useEffect(() => { engine().pay().then((pay) => pay.ask('dispute', id)).then(setAsked, (error: unknown) => setFailed(whyPay(error))) }, [id])
  const d = told ?? asked
  if (!d) return failed ? <Empty title={failed} /> : <Busy />
  const me = engine().account().jid
  const open = d.state === 'open'
  const withdraw = async (): Promise<void> => {
    if (!await confirm({ title: t('pm.withdraw'), text: t('pm.withdrawText'), yes: t('pm.withdraw'), danger: true })) return
    try { setAsked(await (await engine().pay()).ask('settle', id, 'withdraw')) } catch (error) { toast(whyPay(error)) }
  }
  return (
    <div class="page">
      <div class="card paying">
        <Pill {...(open ? { kind: 'wait' as const } : {})}>{stateOf(d.state)}</Pill>
        <p class="sum"><b class="num">{amountText(d.amount, d.exponent, true)}</b> {d.unit}</p>
        <p><b>{whyWords(d.why)}</b></p>
        <p dir="auto">{d.text}</p>
        <small dir="auto">{d.by === me ? t('pm.you') : nameOf(d.by)}</small>
        <Button kind="t" act={() => go(`/pay/receipt/${encodeURIComponent(d.of)}`)}>{t('pm.receipt')}</Button>
      </div>
      <h2 class="label2">{t('pm.evidence')}</h2>
      <ul class="card flat said">{d.evidence.map((e, i) => <li key={i}><b dir="auto">{e.by === me ? t('pm.you') : nameOf(e.by)}</b> <small>{fullTime(e.time)}</small><p dir="auto">{e.text}</p>{e.hash && <small class="print">SHA-256 {e.hash}</small>}</li>)}{!d.evidence.length && <li><p>{t('pm.noEvidence')}</p></li>}</ul>
      {open && <Evidence id={id} added={setAsked} />}
      {open && <p class="small">{t('pm.operatorDecides')}</p>}
      {open && <div class="dos">{d.by === me ? <Button act={() => void withdraw()}>{t('pm.withdraw')}</Button> : <Button kind="p" act={() => go(`/pay/receipt/${encodeURIComponent(d.of)}`)}>{t('pm.refund')}</Button>}</div>}
    </div>
  )
}

/** Words, and the fingerprint of a file, by which it can be shown later that it is this one; the file itself stays here. */
function Evidence({ id, added }: { id: string; added: (d: Dispute) => void }): JSX.Element {
  const [text, setText] = useState('')
  const [file, setFile] = useState<File>()
  const add = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!text.trim()) return
    try {
      const hash = file && file.size <= maxFile ? [...new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()))].map((b) => b.toString(16).padStart(2, '0')).join('') : undefined
      added(await (await engine().pay()).ask('addEvidence', id, { text: text.trim(), ...(hash ? { hash } : {}) }))
      setText('')
      setFile(undefined)
    } catch (error) { toast(whyPay(error)) }
  }
  return (
    <form class="form" onSubmit={(e) => void add(e)}>
      <Field label={t('pm.evidenceText')} value={text} change={setText} limit={maxWords} multiline />
      <div class="field"><label for="evidence-file">{t('pm.evidenceFile')}</label><input id="evidence-file" type="file" onChange={(e) => setFile(e.currentTarget.files?.[0])} /><span class="hint">{t('pm.evidenceFileText')}</span></div>
      <Button submit disabled={!text.trim()}>{t('pm.evidenceAdd')}</Button>
    </form>
  )
}
