// The wallet: what we have, the ways to pay and be paid, and closing it at once.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import add from 'icon:banknote-arrow-down'
import take from 'icon:banknote-arrow-up'
import coins from 'icon:hand-coins'
import give from 'icon:banknote-arrow-up'
import calendar from 'icon:calendar-clock'
import history from 'icon:history'
import key from 'icon:key-round'
import gauge from 'icon:gauge'
import scale from 'icon:scale'
import scan from 'icon:scan-line'
import store from 'icon:store'
import snow from 'icon:snowflake'
import pocket from 'icon:wifi-off'
import qr from 'icon:qr-code'
import { PageHead } from '../../app/PageHead.tsx'
import { connected, usePaid, useWallet } from '../../app/paid.ts'
import { askProof, noteOf, whyPay } from '../../app/pay.ts'
import { go } from '../../app/router.ts'
import { engine, nameOf } from '../../app/session.ts'
import { payTrouble, type Payment, type Wallet } from '../../core/pay.ts'
import { amountText, money } from '../../i18n/money.ts'
import { loadPart, t, type Key } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Banner, Busy, Button, Empty, Pill } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { confirm } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { otherOf } from './book.ts'
import { Row } from './History.tsx'
import type { PageProps } from './index.tsx'
import { KeySetUp } from './Keys.tsx'
import { keepTitles, movedBy } from './rails.ts'
import { UnderWay } from './UnderWay.tsx'
import './pay.css'
import './wallet.css'

/** WalletPage shows what we have. */
export function WalletPage(_: PageProps): JSX.Element {
  const wallet = useWallet()
  return (
    <>
      <PageHead title={t('pay.title')} up="/settings" />
      <div class="scroll"><div class="page">{wallet ? <Inside wallet={wallet} /> : wallet === null ? <Nothing /> : <Busy />}</div></div>
    </>
  )
}

/** Nothing was told of a wallet yet: it may be on its way. */
function Nothing(): JSX.Element {
  const [why, setWhy] = useState<string>()
  useEffect(() => { engine().pay().then((pay) => pay.ask('wallet')).catch((error: unknown) => setWhy(payTrouble(error).why)) }, [])
  if (!why) return <Busy />
  return why === 'none' ? <Empty title={t('pay.none')} text={t('pay.noneText')} /> : <Empty title={t('pay.notNow')} text={t('pay.notNowText')} />
}

/** What is done every day stands at hand, the rest in a list. */
const quick: [string, string, Key][] = [['/pay/to', give, 'pay.send'], ['/pay/request', coins, 'pay.ask'], ['/pay/scan?camera=1', scan, 'pay.scan'], ['/pay/code', qr, 'pay.code']]
const ways: [string, string, Key][] = [
  ['/pay/counter', store, 'pay.counter'], ['/pay/history', history, 'pay.history'],
  ['/pay/offline', pocket, 'pay.withoutNetwork'], ['/pay/debits', calendar, 'pay.debits'], ['/pay/limits', gauge, 'pay.limits'], ['/pay/keys', key, 'pay.keys'], ['/pay/disputes', scale, 'pay.disputes'],
]

function Inside({ wallet }: { wallet: Wallet }): JSX.Element {
  const me = engine().account().jid
  useEffect(() => keepTitles(wallet), [wallet])
  const pending = (usePaid<Payment[]>((pay, show) => pay.watchPending(show)) ?? []).filter((p) => !movedBy(p))
  return (
    <>
      {wallet.frozen && <Banner kind="bad" icon="lock" title={t('pay.frozen')} text={t('pay.frozenText')} action={{ label: t('pay.unfreezeNow'), act: () => void unfreeze() }} />}
      <KeySetUp wallet={wallet} />
      {!connected() && <p class="small" role="status">{t('pay.offline')}. {t('pc.asOf', { when: fullTime(wallet.time) })}</p>}
      <ul class="balances">{wallet.about.units.map((unit) => <Balance key={unit.code} wallet={wallet} code={unit.code} />)}</ul>
      <nav class="quick-ways" aria-label={t('pay.send')}>{quick.map(([path, icon, text]) => <a key={path} href={path}><span class="tile"><Icon path={icon} /></span>{t(text)}</a>)}</nav>
      {wallet.about.rails.length > 0 && <div class="dos mid"><Button act={() => go('/pay/add')}><Icon path={add} />{t('pr.add')}</Button><Button act={() => go('/pay/out')}><Icon path={take} />{t('pr.take')}</Button></div>}
      <UnderWay wallet={wallet} />
      {pending.length > 0 && (
        <section><h2>{t('pay.pending')}</h2>
          <ul class="card flat">{pending.map((p) => <li key={p.id}><a class="act" href={`/pay/receipt/${encodeURIComponent(p.id)}`}><span class="grow"><b class="cut one" dir="auto">{nameOf(otherOf(p, me))}</b><small>{noteOf(p)}</small></span><b class="num">{money(p.amount, p)}</b></a></li>)}</ul>
        </section>
      )}
      <Recent time={wallet.time} />
      <nav class="card flat" aria-label={t('pay.title')}>{[...ways, ...(wallet.about.rails.length ? [] : [['/pay/add', add, 'pr.add'] satisfies typeof ways[number]])].map(([path, icon, text]) => <a key={path} class="act" href={path}><span class="tile"><Icon path={icon} /></span><span class="grow">{t(text)}</span></a>)}</nav>
      <Freeze frozen={wallet.frozen} />
    </>
  )
}

const fewRecent = 3

/** The newest payments, asked for anew when the wallet has changed. While they are awaited, there is room for them. */
function Recent({ time }: { time: number }): JSX.Element | null {
  const [payments, setPayments] = useState<Payment[]>()
  useEffect(() => {
    let wanted = true
    Promise.all([engine().pay().then((pay) => pay.ask('history', { max: fewRecent })), loadPart('paymore')]).then(([page]) => { if (wanted) setPayments(page.payments) }, () => undefined) // without them, the rest is there
    return () => { wanted = false }
  }, [time])
  if (!payments && !connected()) return null
  return (
    <section class="stack"><h2 class="recent"><span>{t('pay.recent')}</span>{payments && payments.length > 0 && <a href="/pay/history">{t('pay.all')}</a>}</h2>
      {!payments ? <div class="card flat recent-wait" /> : payments.length ? <ul class="card flat pays">{payments.map((p) => <li key={p.id}><Row payment={p} /></li>)}</ul> : <p class="small">{t('pm.noPaysText')}</p>}
    </section>
  )
}

function Balance({ wallet, code }: { wallet: Wallet; code: string }): JSX.Element {
  const unit = wallet.about.units.find((u) => u.code === code)
  const { amount = 0, held = 0, pocket: aside = 0 } = wallet.balances.find((b) => b.unit === code) ?? {}
  const facts = { unit: code, exponent: unit?.exponent ?? 2 }
  return (
    <li class="balance">
      <span><bdi>{unit?.name ?? code}</bdi>{unit?.closed && <Pill>{t('pay.closed')}</Pill>}</span>
      <p class="sum"><b class="num">{amountText(amount, facts.exponent)}</b> {code}</p>
      {held > 0 && <small><a href="/pay/debits">{t('pay.heldSum', { amount: money(held, facts) })}</a></small>}
      {aside > 0 && <small>{t('pay.pocketSum', { amount: money(aside, facts) })}</small>}
    </li>
  )
}

async function unfreeze(): Promise<void> {
  const proof = await askProof(t('pay.unfreeze'))
  if (!proof) return
  try { await (await engine().pay()).order({ kind: 'unfreeze' }, proof) } catch (error) { toast(whyPay(error)) }
}

function Freeze({ frozen }: { frozen: boolean }): JSX.Element {
  const freeze = async (): Promise<void> => {
    if (!await confirm({ title: t('pay.freezeAsk'), text: t('pay.freezeText'), yes: t('pay.freeze'), danger: true })) return
    try { await (await engine().pay()).ask('freeze') } catch (error) { toast(whyPay(error)) }
  }
  return <div class="dos mid">{frozen ? <Button kind="p" icon="lockOpen" act={() => void unfreeze()}>{t('pay.unfreeze')}</Button> : <Button kind="d" act={() => void freeze()}><Icon path={snow} />{t('pay.freeze')}</Button>}</div>
}
