// One payment by a network outside: how far it is, what its owner has to do, and that nobody knows when nobody does. It is asked about while somebody looks.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { connected, usePaid, useWallet } from '../../app/paid.ts'
import { whyPay, whyWords } from '../../app/pay.ts'
import { go } from '../../app/router.ts'
import { engine } from '../../app/session.ts'
import type { NextStep, Payment } from '../../core/pay.ts'
import { amountText, money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Banner, Busy, Button, Empty, Pill } from '../../ui/controls.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { copy } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'
import type { PageProps } from './index.tsx'
import { movedBy, railTitle } from './rails.ts'
import { hasEnd, nowWords, reached, steps } from './way.ts'
import './pay.css'

/** TransferPage shows the payment `id`. */
export function TransferPage({ id }: PageProps): JSX.Element {
  const kept = usePaid<Payment | undefined>((pay, show) => pay.watchPayment(id, show), [id])
  const told = useAsked(id, !!kept && hasEnd(kept))
  const payment = kept ?? (typeof told === 'object' && 'id' in told ? told : undefined)
  return (
    <>
      <PageHead title={t(payment && movedBy(payment)?.way === 'in' ? 'pr.add' : 'pr.take')} always up="/pay" />
      <div class="scroll"><div class="page">
        {payment ? <Facts payment={payment} /> : told === undefined ? <Busy /> : <Empty title={t('pr.nothing')} text={typeof told === 'object' && 'failed' in told ? told.failed : t('pr.nothingText')} />}
      </div></div>
    </>
  )
}

const first = 2000, slowest = 60_000, slower = 1.5

/** What the service says of a payment, asked for again and again until it has an end, as long as the page is there. */
function useAsked(id: string, over: boolean): Payment | 'none' | { failed: string } | undefined {
  const [told, setTold] = useState<Payment | 'none' | { failed: string }>()
  const live = connected()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let pause = first / slower
    let gone = false
    const ask = async (): Promise<void> => {
      const found = await engine().pay().then((pay) => pay.ask('lookup', id)).then((found): Payment | 'none' => found ?? 'none', (error: unknown) => ({ failed: whyPay(error) }))
      if (gone) return
      setTold(found)
      pause = Math.min(pause * slower, slowest)
      if (live) timer = setTimeout(() => void ask(), pause)
    }
    if (!over) void ask()
    return () => { gone = true; clearTimeout(timer) }
  }, [id, over, live])
  return told
}

function Facts({ payment: p }: { payment: Payment }): JSX.Element {
  const wallet = useWallet()
  const by = movedBy(p)
  const name = railTitle(wallet, by?.name ?? '')
  const { title, text, look } = nowWords(p, name)
  const rows: [string, JSX.Element | string | false | undefined][] = [
    [t('pr.by'), <bdi>{name}</bdi>], [t('pr.there'), by?.address && <bdi dir="ltr">{by.address}</bdi>], [t('pr.fee'), p.fee > 0 && money(p.fee, p)], [t('pr.since'), p.state === 'waiting' && p.since !== undefined && fullTime(p.since)], [t('pr.begun'), p.time > 0 && fullTime(p.time)], [t('pr.id'), <code dir="ltr">{p.id}</code>],
  ]
  return (
    <>
      {!hasEnd(p) && !connected() && <Banner icon="wifiOff" title={t('pay.offline')} text={t('pr.lastKnown')} />}
      <div class="card paying">
        <p class="sum"><b class="num">{amountText(p.amount, p.exponent, true)}</b> {p.unit}</p>
        <div class="way-now" role="status"><Pill kind={look}>{title}</Pill><p>{text} {p.state === 'refused' && p.why && p.why !== 'rail' && p.why !== 'expired' && whyWords({ why: p.why })}</p></div>
        {!hasEnd(p) && p.next && <Next next={p.next} name={name} />}
        <Steps payment={p} name={name} />
        <dl class="facts">{rows.map(([label, value]) => value && <><dt>{label}</dt><dd>{value}</dd></>)}</dl>
      </div>
      <div class="dos mid">
        {p.receipt && <Button act={() => go(`/pay/receipt/${encodeURIComponent(p.id)}`)}>{t('pr.receipt')}</Button>}
        <Button kind="g" act={() => go('/pay')}>{t('pay.wallet')}</Button>
      </div>
    </>
  )
}

const marks = { done: 'pay.stepDone', now: 'pay.stepNow', open: 'pay.stepOpen' } as const

function Steps({ payment, name }: { payment: Payment; name: string }): JSX.Element | null {
  const far = reached(payment)
  return far ? <ol class="way">{steps.map((step, i) => { const at = far[i] ?? 'open'; return <li key={step} class={at} aria-current={at === 'now' ? 'step' : undefined}>{t(`pr.step-${step}`, { name })}<span class="vh">{t(marks[at])}</span></li> })}</ol> : null
}

/** What to do so that money comes in. */
function Next({ next, name }: { next: NextStep; name: string }): JSX.Element {
  if ('go' in next) return <div class="next"><a class="btn p" href={next.go} target="_blank" rel="noopener noreferrer">{t('pr.goTo', { name })}</a><p class="small">{t('pr.goText')} <bdi dir="ltr">{new URL(next.go).host}</bdi></p></div>
  if ('wait' in next) return <p>{t('pr.asks', { name })}</p>
  return (
    <div class="next">
      <p>{t('pr.payCode')}</p>
      <div class="big-qr"><Qr text={next.show} label={t('pr.payCode')} /></div>
      <code class="long" dir="ltr">{next.show}</code>
      <Button kind="p" act={() => void copy(next.show).then((done) => { if (done) toast(t('pr.copied')) })}>{t('pr.copy')}</Button>
    </div>
  )
}
