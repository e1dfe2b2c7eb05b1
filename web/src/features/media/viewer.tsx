// One photo or video over everything: larger with two fingers, the wheel or + and −, the next with a swipe or the arrows.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import zoomIn from 'icon:zoom-in'
import zoomOut from 'icon:zoom-out'
import download from 'icon:download'
import type { Message } from '../../core/model.ts'
import { bytesOf } from '../../ui/Avatar.tsx'
import { chatPath, go } from '../../app/router.ts'
import { engine, nameOf } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { fullTime, length, size } from '../../i18n/when.ts'
import { Button, IconButton } from '../../ui/controls.tsx'
import { useTrap } from '../../ui/focus.ts'
import { choose, openMenu, over } from '../../ui/overlay.tsx'
import { saveAs } from '../../ui/save.ts'
import { useBlob } from '../../ui/Thumb.tsx'
import { toast } from '../../ui/toast.tsx'
import { forward } from './forward.tsx'
import { usePan } from './pan.ts'
import './media.css'

const atMost = 500

/** view shows a message's photo or video, and those around it in its chat. */
export async function view(jid: string, id: string): Promise<void> {
  const all = (await engine().gallery(jid, 'media').catch(() => [])).slice(0, atMost).sort((a, b) => a.order - b.order)
  const here = all.some((m) => m.id === id) ? all : (await engine().page(jid, { around: id, limit: 1 })).messages.filter((m) => m.id === id)
  if (here.length) await over((done) => <Viewer all={here} first={id} close={done} />)
}

function Viewer({ all, first, close }: { all: Message[]; first: string; close: () => void }): JSX.Element | null {
  const root = useRef<HTMLDivElement>(null)
  const [list, setList] = useState(all)
  const [at, setAt] = useState(Math.max(0, all.findIndex((m) => m.id === first)))
  useTrap(root)
  const m = list[at]
  const step = (by: number): void => setAt((now) => Math.max(0, Math.min(list.length - 1, now + by)))
  const { ref, scale, zoom, handlers } = usePan(m?.id ?? '', step, close)
  useEffect(() => engine().watchMessages(m?.chat ?? '', (changed) => setList((known) => known.map((k) => changed.find((c) => c.id === k.id) ?? k))), [m?.chat])
  if (!m) return null
  const key = (e: KeyboardEvent): void => {
    const rtl = document.documentElement.dir === 'rtl' ? -1 : 1
    const acts: Record<string, () => void> = { Escape: close, ArrowRight: () => step(rtl), ArrowLeft: () => step(-rtl), '+': () => zoom(1.5), '=': () => zoom(1.5), '-': () => zoom(1 / 1.5), Home: () => setAt(0), End: () => setAt(list.length - 1) }
    const act = (e.target as Element).closest('video') && e.key.startsWith('Arrow') ? undefined : acts[e.key]
    if (act) { e.preventDefault(); e.stopPropagation(); act() }
  }
  const who = m.own ? t('med.you') : nameOf(m.from)
  return (
    <div class="viewer" role="dialog" aria-modal="true" aria-label={t('med.viewer')} tabIndex={-1} ref={root} onKeyDown={key} data-theme="dark">
      <header>
        <IconButton icon="x" label={t('close')} act={close} />
        <div class="grow"><b class="cut one" dir="auto">{who}</b><small>{fullTime(m.time)}{list.length > 1 && ` · ${t('med.position', { n: at + 1, of: list.length })}`}</small></div>
        {m.content.type === 'image' && <><IconButton path={zoomOut} label={t('med.zoomOut')} act={() => zoom(1 / 1.5)} disabled={scale <= 1} /><IconButton path={zoomIn} label={t('med.zoomIn')} act={() => zoom(1.5)} /></>}
        <Tools message={m} close={close} gone={() => { const rest = list.filter((k) => k.id !== m.id); if (!rest.length) close(); setList(rest); setAt(Math.min(at, rest.length - 1)) }} />
      </header>
      <div class="stage" {...handlers}><div class="moved" ref={ref}><Picture key={m.id} message={m} who={who} /></div></div>
      {at > 0 && <span class="go-prev"><IconButton icon="chevronLeft" flip label={t('med.previous')} act={() => step(-1)} /></span>}
      {at < list.length - 1 && <span class="go-next"><IconButton icon="chevronRight" flip label={t('med.next')} act={() => step(1)} /></span>}
      {'caption' in m.content && m.content.caption && <p class="caption" dir="auto">{m.content.caption}</p>}
    </div>
  )
}

function Tools({ message: m, close, gone }: { message: Message; close: () => void; gone: () => void }): JSX.Element {
  const media = 'media' in m.content ? m.content.media : undefined
  const save = async (): Promise<void> => { const blob = media && await bytesOf(media.key); if (blob) saveAs(blob, media.name); else toast(t('med.failed')) }
  const drop = async (): Promise<void> => {
    const answers = [{ value: 'me' as const, label: t('med.deleteMe'), danger: true }, ...(m.own ? [{ value: 'all' as const, label: t('med.deleteAll'), danger: true }] : [])]
    const answer = await choose<'me' | 'all'>({ title: t('med.deleteTitle'), answers })
    if (answer) engine().remove([m.id], answer === 'all').then(gone, () => toast(t('med.failed')))
  }
  return (
    <>
      <IconButton path={download} label={t('med.save')} act={() => void save()} />
      <IconButton icon="ellipsis" label={t('menu')} menu act={(e) => void openMenu(e.currentTarget as HTMLElement, t('menu'), [
        { label: t('med.forward'), icon: 'forward', act: () => void forward(m.id) },
        { label: t('med.show'), icon: 'message', act: () => { close(); go(chatPath(m.chat, m.id)) } },
        { label: t('med.delete'), icon: 'trash', act: () => void drop(), danger: true },
      ])} />
    </>
  )
}

function Picture({ message: m, who }: { message: Message; who: string }): JSX.Element {
  const media = 'media' in m.content ? m.content.media : undefined
  const state = media?.transfer?.state
  const busy = state === 'running' || state === 'waiting'
  const url = useBlob(media?.key, state)
  const load = (): void => { engine().fetch(m.id).catch(() => toast(t('med.failed'))) }
  const label = t('med.open', { kind: t(`kind.${m.content.type}` as Key), name: who, time: fullTime(m.time) })
  if (!url) return <div class="not-here">{media?.poster && <img src={media.poster} alt="" draggable={false} />}{media?.seconds !== undefined && <span class="num">{length(media.seconds)}</span>}<Button kind="s" icon="arrowDown" disabled={busy} act={load}>{busy ? t('med.loading') : t('med.load', { size: size(media?.size ?? 0) })}</Button></div>
  return m.content.type === 'video' ? <video src={url} poster={media?.poster} loop={media?.loop} controls playsInline aria-label={label} /> : <img src={url} alt={'caption' in m.content && m.content.caption ? m.content.caption : label} draggable={false} />
}
