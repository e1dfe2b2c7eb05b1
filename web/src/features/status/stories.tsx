// Somebody's statuses over everything, one after the other: a tap at the side goes on or back, a finger that stays stops it, and below one answers.
// With reduced motion nothing moves by itself.
import type { JSX, RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import pausePath from 'icon:pause'
import playPath from 'icon:play'
import type { Status } from '../../core/engine.ts'
import { contactOf, engine, nameOf } from '../../app/session.ts'
import { chatPath, go } from '../../app/router.ts'
import { t } from '../../i18n/t.ts'
import { ago } from '../../i18n/when.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { IconButton } from '../../ui/controls.tsx'
import { useTrap } from '../../ui/focus.ts'
import { confirm, openMenu, over, type Item } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { Answer } from './answer.tsx'
import { wordsOf } from './label.ts'
import { Own } from './own.tsx'
import { Shown, stillOf } from './shown.tsx'
import './status.css'

/** view shows somebody's statuses, and after them those of the others, in their order. */
export function view(jid: string, others: string[]): Promise<void> {
  return new Promise((shown) => {
    let open = false
    const stop = engine().watchStatuses((all) => {
      if (open) return
      open = true
      queueMicrotask(() => stop())
      const order = others.includes(jid) ? others.slice(others.indexOf(jid)) : [jid]
      if (!all.some((s) => s.author === jid)) { shown(); return }
      void over((done) => <Viewer order={order} begin={all} close={done} />).then(shown)
    })
  })
}

const firstOf = (all: Status[], jid: string): string | undefined => {
  const theirs = all.filter((s) => s.author === jid)
  return (theirs.find((s) => !s.seen) ?? theirs[0])?.id
}

const isStill = (): boolean => document.documentElement.dataset['motion'] === 'off' || matchMedia('(prefers-reduced-motion: reduce)').matches
const holdMs = 250
const away = 90

interface ViewerProps { order: string[]; begin: Status[]; close: () => void }

function Viewer({ order, begin, close }: ViewerProps): JSX.Element | null {
  const root = useRef<HTMLDivElement>(null)
  const [all, setAll] = useState(begin)
  const [who, setWho] = useState(0)
  const [id, setId] = useState(firstOf(begin, order[0] ?? ''))
  const [held, setHeld] = useState(false)
  const [paused, setPaused] = useState(false)
  const [busy, setBusy] = useState(false)
  const [timed, setTimed] = useState<{ id: string; seconds: number }>()
  useFocusHere(root)
  useTrap(root)
  useEffect(() => engine().watchStatuses(setAll), [])
  const jid = order[who] ?? ''
  const theirs = all.filter((s) => s.author === jid)
  const at = theirs.findIndex((s) => s.id === id)
  const status = theirs[at]
  const noteSeen = useSeen(jid)
  // What is over, or was taken back, goes from the screen, too.
  useEffect(() => { if (!status) { const next = theirs[0]; if (next) setId(next.id); else person(1) } }, [status])

  const person = (by: number): void => {
    for (let next = who + by; next >= 0 && next < order.length; next += by) {
      const first = firstOf(all, order[next] ?? '')
      if (first) { setWho(next); setId(first); return }
    }
    if (by > 0) close()
  }
  const step = (by: number): void => {
    const next = theirs[at + by]
    if (next) setId(next.id)
    else person(by)
  }
  if (!status) return null
  const stopped = held || paused || busy || isStill()
  const rtl = document.documentElement.dir === 'rtl'
  const key = (e: KeyboardEvent): void => {
    const typing = (e.target as Element).closest('input,textarea,video')
    const acts: Record<string, () => void> = { Escape: close, ...(typing ? {} : { ArrowRight: () => step(rtl ? -1 : 1), ArrowLeft: () => step(rtl ? 1 : -1) }), ...(typing || (e.target as Element).closest('button,a') ? {} : { ' ': () => setPaused((p) => !p) }) }
    const act = acts[e.key]
    if (act) { e.preventDefault(); e.stopPropagation(); act() }
  }
  const name = status.own ? t('st.mine') : nameOf(jid)
  return (
    <div class="story-viewer" role="dialog" aria-modal="true" aria-label={t('st.viewer')} tabIndex={-1} ref={root} onKeyDown={key} data-theme="dark">
      <p class="vh" role="status">{t('st.position', { name, n: at + 1, of: theirs.length })}. {wordsOf(status)}</p>
      <Stage hold={setHeld} step={step} close={close}>
        <Shown key={status.id} status={status} stopped={stopped} seen={() => noteSeen(status)} length={(seconds) => setTimed({ id: status.id, seconds })} ended={() => step(1)} />
      </Stage>
      <header>
        <Progress of={theirs.length} at={at} id={status.id} seconds={timed?.id === status.id ? timed.seconds : undefined} stopped={stopped} ended={() => { if (!stillOf(status)) return; step(1) }} />
        <div class="line">
          <IconButton icon="chevronLeft" flip label={t('close')} act={close} />
          <Avatar id={jid} name={status.own ? engine().account().name : name} picture={status.own ? engine().account().avatar : contactOf(jid)?.avatar} size="s" />
          <div class="grow"><b class="cut one" dir="auto">{name}</b><small>{ago(status.posted)}</small></div>
          {!isStill() && <IconButton path={paused ? playPath : pausePath} label={t(paused ? 'st.play' : 'st.pause')} act={() => setPaused(!paused)} />}
          <IconButton icon="ellipsis" label={t('menu')} menu act={(e) => { setBusy(true); void openMenu(e.currentTarget as HTMLElement, t('menu'), items(status, name, close)).then(() => setBusy(false)) }} />
        </div>
      </header>
      {(at > 0 || who > 0) && <span class="go-back"><IconButton icon="chevronLeft" flip label={t('st.previous')} act={() => step(-1)} /></span>}
      {(at < theirs.length - 1 || who < order.length - 1) && <span class="go-on"><IconButton icon="chevronRight" flip label={t('st.next')} act={() => step(1)} /></span>}
      <footer>{status.own ? <Own status={status} busy={setBusy} /> : <Answer key={status.id} status={status} name={name} busy={setBusy} />}</footer>
    </div>
  )
}

/** The keys are for what is shown, not for the first button; afterwards the focus is where it was. */
function useFocusHere(root: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const before = document.activeElement
    root.current?.focus()
    return () => { if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true }) }
  }, [])
}

function items(status: Status, name: string, close: () => void): Item[] {
  if (status.own) return [{ label: t('st.delete'), icon: 'trash', danger: true, act: () => void drop(status.id) }]
  const mute = (): void => {
    engine().status('mute', status.author, !status.muted).then(() => { if (!status.muted) toast(t('st.muted', { name })) }, (error: unknown) => console.warn('mute', error))
  }
  return [
    { label: t('st.chat'), icon: 'message', act: () => { close(); go(chatPath(status.author)) } },
    { label: t(status.muted ? 'st.unmute' : 'st.mute', { name }), icon: 'bellOff', act: mute },
  ]
}

async function drop(id: string): Promise<void> {
  if (await confirm({ title: t('st.deleteTitle'), text: t('st.deleteText'), yes: t('st.delete'), danger: true })) await engine().status('remove', id)
}

/** Notes what was shown of somebody, and tells it when one goes on to the next, or looks elsewhere. */
function useSeen(jid: string): (status: Status) => void {
  const ids = useRef(new Set<string>())
  useEffect(() => {
    const tell = (): void => {
      const now = [...ids.current]
      ids.current.clear()
      if (now.length) engine().status('look', jid, now).catch((error: unknown) => console.warn('seen', error)) // it is shown as new again
    }
    const hidden = (): void => { if (document.hidden) tell() }
    document.addEventListener('visibilitychange', hidden)
    return () => { document.removeEventListener('visibilitychange', hidden); tell() }
  }, [jid])
  return (status) => { if (!status.own && !status.seen) ids.current.add(status.id) }
}

interface ProgressProps { of: number; at: number; id: string; seconds: number | undefined; stopped: boolean; ended: () => void }

/** One bar for each; that of now fills while it is looked at. */
function Progress({ of, at, id, seconds, stopped, ended }: ProgressProps): JSX.Element {
  return (
    <div class="bars" aria-hidden="true">
      {Array.from({ length: of }, (_, i) => (
        <span key={i} class={i < at || (i === at && isStill()) ? 'full' : ''}>
          {i === at && seconds !== undefined && !isStill() && <i key={id} style={{ animationDuration: `${seconds}s`, animationPlayState: stopped ? 'paused' : 'running' }} onAnimationEnd={ended} />}
        </span>
      ))}
    </div>
  )
}

/** Where it is shown: taps, a finger that stays, a pull down. */
function Stage({ hold, step, close, children }: { hold: (on: boolean) => void; step: (by: number) => void; close: () => void; children: JSX.Element }): JSX.Element {
  const from = useRef<{ x: number; y: number; time: number } | undefined>(undefined)
  const down = (e: PointerEvent): void => {
    if (!e.isPrimary || e.button !== 0 || (e.target as Element).closest('button,a,audio')) return
    from.current = { x: e.clientX, y: e.clientY, time: Date.now() }
    hold(true)
  }
  const up = (e: PointerEvent): void => {
    const begun = from.current
    from.current = undefined
    hold(false)
    if (!begun) return
    const box = (e.currentTarget as Element).getBoundingClientRect()
    const [x, y] = [e.clientX - begun.x, e.clientY - begun.y]
    const rtl = document.documentElement.dir === 'rtl' ? -1 : 1
    if (y > away && y > Math.abs(x)) close()
    else if (Math.abs(x) > away) step(x * rtl < 0 ? 1 : -1)
    else if (Date.now() - begun.time < holdMs) step((e.clientX - box.left - box.width / 2) * rtl < -box.width / 6 ? -1 : 1)
  }
  const lost = (): void => { from.current = undefined; hold(false) }
  return <div class="stage" onPointerDown={down} onPointerUp={up} onPointerCancel={lost} onContextMenu={(e) => e.preventDefault()}>{children}</div>
}
