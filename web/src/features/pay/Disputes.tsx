// Disputes: a payment that somebody wants back, what both say to it, and how it ended.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useAsked, Waiting } from '../../app/asked.tsx'
import { EvidenceList } from '../../app/evidence.tsx'
import { PageHead } from '../../app/PageHead.tsx'
import { usePaid } from '../../app/paid.ts'
import { whyPay } from '../../app/pay.ts'
import { go, place } from '../../app/router.ts'
import { engine, nameOf } from '../../app/session.ts'
import { newPayId, payTrouble, type Dispute, type Payment } from '../../core/pay.ts'
import { amountText, fieldText, money, readAmount } from '../../i18n/money.ts'
import { has, t } from '../../i18n/t.ts'
import { size } from '../../i18n/when.ts'
import { Busy, Button, Empty, Field, Pill } from '../../ui/controls.tsx'
import { confirm } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { Choice } from './Request.tsx'
import type { PageProps } from './index.tsx'
import './pay.css'

const maxWords = 1000

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
  const waits = open || d.state === 'upheld'
  const withdraw = async (): Promise<void> => {
    if (!await confirm({ title: t('pm.withdraw'), text: t('pm.withdrawText'), yes: t('pm.withdraw'), danger: true })) return
    try { setAsked(await (await engine().pay()).ask('settle', id, 'withdraw')) } catch (error) { toast(whyPay(error)) }
  }
  return (
    <div class="page">
      <div class="card paying">
        <Pill {...(waits ? { kind: 'wait' as const } : {})}>{stateOf(d.state)}</Pill>
        <p class="sum"><b class="num">{amountText(d.amount, d.exponent, true)}</b> {d.unit}</p>
        <p><b>{whyWords(d.why)}</b></p>
        <p dir="auto">{d.text}</p>
        <small dir="auto">{d.by === me ? t('pm.you') : nameOf(d.by)}</small>
        {d.decided && <p role="status" dir="auto">{t('pm.decided', { why: d.decided })}</p>}
        <Button kind="t" act={() => go(`/pay/receipt/${encodeURIComponent(d.of)}`)}>{t('pm.receipt')}</Button>
      </div>
      <h2 class="label2">{t('pm.evidence')}</h2>
      <EvidenceList pieces={d.evidence} called={(jid) => (jid === me ? t('pm.you') : nameOf(jid))} />
      {open && <Add id={id} added={setAsked} />}
      {open && <p class="small">{t('pm.operatorDecides')}</p>}
      {waits && <div class="dos">{d.by === me ? <Button act={() => void withdraw()}>{t('pm.withdraw')}</Button> : <Button kind="p" act={() => go(`/pay/receipt/${encodeURIComponent(d.of)}`)}>{t('pm.refund')}</Button>}</div>}
    </div>
  )
}

/** Words and a file, which both sides and the operator can open: that is said before it leaves. */
function Add({ id, added }: { id: string; added: (d: Dispute) => void }): JSX.Element {
  const [text, setText] = useState('')
  const [file, setFile] = useState<File>()
  const [state, setState] = useState<{ share?: number; failed?: string }>({})
  const stop = useRef<AbortController | undefined>(undefined)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => () => stop.current?.abort(), [])
  const busy = state.share !== undefined
  const add = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (busy || (!text.trim() && !file)) return
    stop.current = new AbortController()
    setState({ share: 0 })
    try {
      const pay = await engine().pay()
      added(file ? await pay.showFile(id, text.trim(), file, (done, all) => setState({ share: done / all }), stop.current.signal) : await pay.ask('addEvidence', id, { text: text.trim() }))
      setText('')
      setFile(undefined)
      if (input.current) input.current.value = ''
      setState({})
    } catch (error) { setState(payTrouble(error).why === 'cancelled' ? {} : { failed: whyPay(error) }) }
  }
  return (
    <form class="form" onSubmit={(e) => void add(e)}>
      <Field label={t('pm.evidenceText')} value={text} change={setText} limit={maxWords} multiline />
      <div class="field"><label for="evidence-file">{t('sh.pick')}</label><input id="evidence-file" ref={input} type="file" disabled={busy} aria-describedby="evidence-who" onChange={(e) => { setFile(e.currentTarget.files?.[0]); setState({}) }} /><span class="hint" id="evidence-who">{t('sh.who')}</span></div>
      {file && !busy && <small dir="auto">{file.name} · {size(file.size)}</small>}
      {busy && file && <><progress class="meter" max={1} value={state.share} aria-label={t('sh.sending', { name: file.name })} /><small dir="auto">{t('sh.sending', { name: file.name })}</small></>}
      {state.failed && <p class="wrong" role="alert">{state.failed}</p>}
      <div class="dos">{busy && file && <Button kind="t" act={() => stop.current?.abort()}>{t('cancel')}</Button>}<Button submit disabled={busy || (!text.trim() && !file)}>{busy ? t('busy') : t('pm.evidenceAdd')}</Button></div>
    </form>
  )
}
