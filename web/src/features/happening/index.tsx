// "What is happening": how the connection is, what waits and since when, what is kept where, and what can be done, in plain sentences. Every
// sentence is made of a fact that the engine told; nothing is guessed.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import server from 'icon:server'
import device from 'icon:smartphone'
import ban from 'icon:ban'
import type { Storage, Waiting, Waking } from '../../core/model.ts'
import { keep } from '../../app/enter.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { chatPath, go } from '../../app/router.ts'
import { connection, engine, nameOf, ready } from '../../app/session.ts'
import { exists } from '../../app/View.tsx'
import { t, type Key } from '../../i18n/t.ts'
import { ago, clock, daysAgo, fullTime, size } from '../../i18n/when.ts'
import { Button, Pill } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import '../../ui/css/pages.css'
import './happening.css'

/** at is the hour today, and the date with it before. */
const at = (time: number): string => (daysAgo(time) === 0 ? clock(time) : fullTime(time))

const refreshMs = 5000

/** useFact asks for something now and every few seconds, and keeps what it had when the answer fails. */
function useFact<T>(ask: () => Promise<T>): T | undefined {
  const [fact, setFact] = useState<T>()
  useEffect(() => {
    let wanted = true
    const look = (): void => { ask().then((found) => { if (wanted) setFact(found) }, () => undefined) }
    look()
    const timer = setInterval(look, refreshMs)
    return () => { wanted = false; clearInterval(timer) }
  }, [])
  return fact
}

/** Happening is the page that the word beside the title leads to. */
export default function Happening(): JSX.Element {
  if (!ready.value) return <div class="scroll"><PageHead title={t('hap.title')} /></div>
  return (
    <div class="scroll">
      <PageHead title={t('hap.title')} />
      <div class="page">
        <Line />
        <Waits />
        <Where />
        <Wake />
        <Servers />
      </div>
    </div>
  )
}

const kinds = { live: 'ok', fallback: 'wait', connecting: 'info', offline: 'wait', refused: 'bad' } as const

function Line(): JSX.Element {
  const { state, server: place, since, lastHeard, nextTry, reason } = connection.value
  const where = hostOf(place) ?? engine().account().jid.split('@')[1] ?? ''
  const why = t(`refused.${reason ?? 'password'}` as Key)
  return (
    <section class={`card line ${kinds[state]}`} aria-live="polite">
      <Pill kind={kinds[state]} live>{t(`net.${state}`)}</Pill>
      <h2>{t(`hap.${state}` as Key, { server: where, why })}</h2>
      <p class="small">
        {t('hap.since', { time: at(since) })} {lastHeard !== undefined && state !== 'live' && t('hap.heard', { time: ago(lastHeard) })} {nextTry !== undefined && state !== 'live' && t('hap.next', { time: at(nextTry) })}
      </p>
      {state === 'refused' ? exists('onboarding') && <Button kind="p" act={() => go('/signin')}>{t('hap.signIn')}</Button>
        : state !== 'live' && <Button kind="p" icon="refresh" act={() => engine().reconnect()}>{t('hap.try')}</Button>}
    </section>
  )
}

const hostOf = (url: string | undefined): string | undefined => { try { return url && new URL(url).host } catch { return url } }

function Waits(): JSX.Element {
  const { waiting, oldestWaiting } = connection.value
  const list = useFact<Waiting[]>(() => engine().waiting())
  return (
    <section class="card">
      <h2>{t('hap.waits')}</h2>
      {waiting === 0 ? !list?.some((w) => w.failure) && <p class="good"><Icon name="circleCheck" /> {t('hap.nothing')}</p> : <p>{t('hap.waiting', { n: waiting, time: oldestWaiting === undefined ? '…' : at(oldestWaiting) })} {t('hap.waitKept')}</p>}
      {list && list.length > 0 && (waiting > 0 || list.some((w) => w.failure)) && (
        <ul class="acts">{list.map((w) => <li key={w.id}><a class="act" href={w.step ? `/contacts/${encodeURIComponent(w.chat)}` : chatPath(w.chat, w.id)}><span class="tile"><Icon name={w.failure ? 'circleAlert' : 'clock'} /></span>
          <span class="grow"><span class="cut one" dir="auto">{w.step ? t(`hap.step.${w.step}`) : w.text || t(w.transfer ? 'kind.file' : 'kind.system')}</span><small>{w.step ? nameOf(w.chat) : t('hap.to', { name: nameOf(w.chat) })} · {w.failure ? t('hap.failed') : ago(w.since)}{w.transfer && !w.failure && ` · ${progress(w.transfer)}`}</small></span></a></li>)}</ul>
      )}
    </section>
  )
}

function progress({ done, total, state }: NonNullable<Waiting['transfer']>): string {
  return t('hap.upload', { done: size(done), total: size(total) }) + (state === 'paused' ? ` · ${t('hap.paused')}` : '')
}

function Where(): JSX.Element {
  const kept = useFact<Storage>(() => engine().storage())
  const [asked, setAsked] = useState<boolean>()
  const safe = asked ?? kept?.persistent
  return (
    <section class="card">
      <h2>{t('hap.where')}</h2>
      <Fact path={device} title={t('hap.onDevice')} text={t('hap.onDeviceText', { size: kept ? size(kept.used) : '…' })}>
        <>
          {connection.value.full && <p class="full" role="status"><Icon name="circleAlert" /> {t('hap.full')}</p>}
          {kept && <p class="small">{t(safe ? 'hap.safe' : 'hap.notSafe')} {!safe && <button type="button" class="plain" onClick={() => void keep().then(setAsked)}>{t('hap.makeSafe')}</button>}</p>}
        </>
      </Fact>
      <Fact path={server} title={t('hap.onServer')} text={t('hap.onServerText')} />
      <Fact path={ban} title={t('hap.nowhere')} text={t('hap.nowhereText')} />
    </section>
  )
}

function Fact({ path, title, text, children }: { path: string; title: string; text: string; children?: JSX.Element | false | undefined }): JSX.Element {
  return <div class="fact"><span class="tile"><Icon path={path} /></span><div><h3>{title}</h3><p class="small">{text}</p>{children}</div></div>
}

function Wake(): JSX.Element {
  const state = useFact<Waking>(() => engine().waking())
  const on = state?.state === 'on'
  return (
    <section class="card">
      <h2>{t('hap.wake')}</h2>
      {state && <p>{t(on ? 'hap.wakeOn' : 'hap.wakeOff')} {on && (state.last === undefined ? t('hap.wakeNever') : t('hap.wakeLast', { time: ago(state.last) }))}</p>}
      {exists('settings') && <div class="dos"><Button kind="s" act={() => go('/settings/notify')}>{t('hap.wakeSet')}</Button></div>}
    </section>
  )
}

function Servers(): JSX.Element | null {
  const list = useFact<string[]>(() => engine().servers())
  if (!list?.length) return null
  const { server: now, state } = connection.value
  const live = state === 'live' || state === 'fallback'
  return (
    <section class="card">
      <h2>{t('hap.servers')}</h2>
      <p class="small">{t('hap.serversText')}</p>
      <ol class="list-plain">{list.map((url) => <li key={url}><bdi dir="ltr">{hostOf(url)}</bdi>{live && hostOf(now) === hostOf(url) && <Pill kind="ok">{t('hap.inUse')}</Pill>}</li>)}</ol>
    </section>
  )
}
