// How a chat is encrypted, and making sure that nobody stands between: the safety number, the codes, the devices and their keys.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Comparison, Device, DeviceNotice } from '../../core/model.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { chatPath } from '../../app/router.ts'
import { engine, nameOf } from '../../app/session.ts'
import type { ViewProps } from '../../app/View.tsx'
import { t, type Key } from '../../i18n/t.ts'
import { fullTime, shortTime } from '../../i18n/when.ts'
import { Banner, Busy, Button } from '../../ui/controls.tsx'
import { DeviceRow } from '../../ui/DeviceRow.tsx'
import { openMenu, over, Sheet, type Item } from '../../ui/overlay.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { scan } from '../../ui/Scan.tsx'
import { toast } from '../../ui/toast.tsx'
import '../../ui/css/pages.css'

/** Keys that are missing may come with the next answer of the server. */
const retryMs = 4000

/** Security is the page about the keys of one person. */
export default function Security({ params }: ViewProps): JSX.Element {
  const jid = params['jid'] ?? ''
  const name = nameOf(jid)
  const [turn, setTurn] = useState(0)
  const changed = (): void => setTurn((n) => n + 1)
  return (
    <div class="scroll">
      <PageHead title={t('sec.title')} up={chatPath(jid)} always />
      <div class="page" key={jid}>
        <News jid={jid} name={name} />
        <p>{t('sec.text', { name })}</p>
        <SafetyNumber jid={jid} turn={turn} verified={changed} />
        <Codes jid={jid} name={name} compared={changed} />
        <List jid={jid} name={name} turn={turn} changed={changed} />
        <details class="more"><summary>{t('sec.what')}</summary><p>{t('sec.whatText')}</p></details>
      </div>
    </div>
  )
}

function News({ jid, name }: { jid: string; name: string }): JSX.Element {
  const [news, setNews] = useState<DeviceNotice[]>([])
  useEffect(() => engine().watchNotices((all) => setNews(all.filter((n) => n.jid === jid))), [jid])
  const seen = (id: string): void => { void engine().noticed([id]).then(() => setNews((all) => all.filter((n) => n.id !== id))) }
  return (
    <>{news.map((n) => {
      const kind = n.type === 'new-device' ? 'new' : 'changed'
      const waits = n.trust === 'undecided' || n.trust === 'distrusted'
      return <Banner key={n.id} icon="shieldAlert" title={t(`sec.${kind}Title` as Key, { name })} text={t(`sec.${kind}${waits ? 'Waits' : 'Text'}` as Key, { time: fullTime(n.time) })} action={{ label: t('sec.seen'), act: () => seen(n.id) }} />
    })}</>
  )
}

function SafetyNumber({ jid, turn, verified }: { jid: string; turn: number; verified: () => void }): JSX.Element {
  const [number, setNumber] = useState<string | 'none'>()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let wanted = true
    const ask = (): void => {
      engine().safetyNumber(jid).then((made) => { if (wanted) setNumber(made) }, () => { if (wanted) { setNumber('none'); timer = setTimeout(ask, retryMs) } })
    }
    setNumber(undefined)
    ask()
    return () => { wanted = false; clearTimeout(timer) }
  }, [jid, turn])
  const same = (): void => { if (number) engine().verifyNumber(jid, number).then(() => { toast(t('sec.sameDone')); verified() }, () => toast(t('sec.failed'))) }
  const groups = number?.split(' ') ?? []
  return (
    <section class="card">
      <h2>{t('sec.number')}</h2>
      {!number && <div role="status"><Busy /><p class="small">{t('sec.numberWait')}</p></div>}
      {number === 'none' && <p>{t('sec.numberNone')}</p>}
      {number && number !== 'none' && (
        <>
          <div class="numbers" role="img" aria-label={`${t('sec.number')}: ${groups.join(', ')}`}>{groups.map((g, i) => <span key={i}>{g}</span>)}</div>
          <Button kind="s" icon="check" act={same}>{t('sec.same')}</Button>
        </>
      )}
    </section>
  )
}

function Codes({ jid, name, compared }: { jid: string; name: string; compared: () => void }): JSX.Element {
  const [result, setResult] = useState<Comparison | 'none'>()
  const look = async (): Promise<void> => {
    const text = await scan(t('sec.scan', { name }))
    if (!text) return
    try { setResult(await engine().compare(text)); compared() } catch { setResult('none') }
  }
  return (
    <section class="card">
      <div class="dos">
        <Button kind="p" icon="camera" act={() => void look()}>{t('sec.scan', { name })}</Button>
        <Button kind="s" icon="qr" act={() => void over((done) => <Sheet title={t('sec.mine')} close={done}><Mine /></Sheet>)}>{t('sec.mine')}</Button>
      </div>
      {result && <div role="status" class="stack"><Result jid={jid} name={name} result={result} /></div>}
    </section>
  )
}

function Result({ jid, name, result }: { jid: string; name: string; result: Comparison | 'none' }): JSX.Element {
  if (result === 'none') return <Banner kind="bad" icon="circleAlert" title={t('sec.noCode')} />
  if (result.jid !== jid) return <Banner kind="bad" icon="circleAlert" title={t('sec.wrongPerson', { name: result.jid })} />
  const { matching, differing, unknown } = result
  return (
    <>
      {differing.length > 0 && <Banner kind="bad" icon="shieldAlert" title={t('sec.differs', { n: differing.length })} text={t('sec.differsText', { name })} />}
      {matching.length > 0 && <Banner kind="ok" icon="shield" title={t('sec.match', { n: matching.length })} />}
      {unknown.length > 0 && <Banner kind="info" icon="shield" title={t('sec.ahead', { n: unknown.length })} />}
    </>
  )
}

function Mine(): JSX.Element {
  const [uri, setUri] = useState<string>()
  const [failed, setFailed] = useState(false)
  useEffect(() => { engine().trustURI().then(setUri, () => setFailed(true)) }, [])
  if (failed) return <p role="alert">{t('sec.failed')}</p>
  return uri ? <div class="qr-of"><Qr text={uri} label={t('sec.mineLabel')} /></div> : <Busy />
}

function List({ jid, name, turn, changed }: { jid: string; name: string; turn: number; changed: () => void }): JSX.Element {
  const [devices, setDevices] = useState<Device[]>()
  useEffect(() => { engine().devices(jid).then(setDevices, () => setDevices([])) }, [jid, turn])
  const decide = (device: Device, trust: Device['trust']): void => { engine().trust(device, trust).then(changed, () => toast(t('sec.failed'))) }
  return (
    <section class="card flat">
      <h2 class="label2">{t('sec.devices', { name })}</h2>
      {!devices && <Busy />}
      {devices?.length === 0 && <p class="small">{t('sec.noDevices')}</p>}
      <ul class="acts">{devices?.map((d) => {
        const label = d.label ?? t('sec.device', { id: String(d.id) })
        const facts = [!d.active && t('sec.inactive'), d.firstSeen > 0 && t('sec.first', { time: shortTime(d.firstSeen) })].filter(Boolean).join(' · ')
        const options = { label: t('sec.options', { name: label }), act: (e: MouseEvent): void => void openMenu(e.currentTarget as HTMLElement, label, items(d, decide)) }
        return <DeviceRow key={d.id} device={d} name={label} facts={facts} trust={t(`sec.${d.trust}` as Key)} fingerprint={t('sec.fingerprint')} unknownKey={t('sec.unknownKey')} {...(d.fingerprint ? { options } : {})} />
      })}</ul>
    </section>
  )
}

function items(device: Device, decide: (device: Device, trust: Device['trust']) => void): Item[] {
  const all: (Item & { trust: Device['trust'] })[] = [
    { trust: 'verified', label: t('sec.doVerify'), icon: 'shield', act: () => decide(device, 'verified') },
    { trust: 'trusted', label: t('sec.doTrust'), icon: 'check', act: () => decide(device, 'trusted') },
    { trust: 'distrusted', label: t('sec.doDistrust'), icon: 'shieldAlert', danger: true, act: () => decide(device, 'distrusted') },
  ]
  return all.filter((i) => i.trust !== device.trust)
}
