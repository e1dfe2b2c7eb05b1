// What a status holds, as it is looked at: words on a colour, a photo, a video, a voice. What is not here is fetched.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Status } from '../../core/engine.ts'
import { engine } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { Button } from '../../ui/controls.tsx'
import { useBlob } from '../../ui/Thumb.tsx'
import { wordsOf } from './label.ts'
import { readingTime } from './reading.ts'
import { Sound } from './sound.tsx'

const unknownSeconds = 5

/** stillOf is whether a status has no time of its own: how long it stands is for us to say. */
export const stillOf = ({ content }: Status): boolean => content?.type !== 'video' && content?.type !== 'voice' && content?.type !== 'audio'

interface ShownProps {
  status: Status
  stopped: boolean
  /** It is on the screen now. */
  seen: () => void
  /** How long it stands, once that is known. */
  length: (seconds: number) => void
  ended: () => void
}

/** Shown is one status. */
export function Shown({ status, stopped, seen, length, ended }: ShownProps): JSX.Element {
  const { content, unreadable } = status
  const here = (seconds: number): void => { length(seconds); seen() }
  const isText = content?.type === 'text' || content?.type === 'location'
  useEffect(() => { if (unreadable || isText) here(readingTime(wordsOf(status))) }, [isText, unreadable])
  if (unreadable) return <Words colour={7} text={t('st.unreadable')} />
  if (!content) return <Missing status={status} />
  if (content.type === 'text') return <Words colour={status.colour} text={content.text} />
  if (content.type === 'location') return <Words colour={status.colour} text={content.label ?? t('kind.location')}><a class="btn s" href={`geo:${content.latitude},${content.longitude}`}>{t('st.place')}</a></Words>
  return <File status={status} content={content} stopped={stopped} here={here} ended={ended} />
}

/** The longer a text, the smaller its letters. */
const sizeOf = (text: string): string => (text.length < 60 ? 'l' : text.length < 200 ? 'm' : 's')

function Words({ colour, text, children }: { colour: number; text: string; children?: JSX.Element }): JSX.Element {
  return <div class={`words k${colour} ${sizeOf(text)}`}><p dir="auto">{text}</p>{children}</div>
}

/** What is not here yet is asked for at once. */
function Missing({ status, here }: { status: Status; here?: () => void }): JSX.Element {
  const [failed, setFailed] = useState(false)
  const load = (): void => {
    setFailed(false)
    engine().status('fetch', status.author, status.id).then(() => here?.(), (error: unknown) => { console.warn('status', error); setFailed(true) })
  }
  useEffect(load, [])
  return <div class="missing" role="status">{failed ? <><p>{t('st.notLoaded')}</p><Button kind="s" icon="refresh" act={load}>{t('again')}</Button></> : <><span class="spin" /><span>{t('st.loading')}</span></>}</div>
}

type FileContent = Extract<NonNullable<Status['content']>, { media: unknown }>

function File({ status, content, stopped, here, ended }: { status: Status; content: FileContent; stopped: boolean; here: (seconds: number) => void; ended: () => void }): JSX.Element {
  const [turn, setTurn] = useState(0)
  const [absent, setAbsent] = useState(false)
  const { media } = content
  const url = useBlob(media.key, turn)
  useEffect(() => { void engine().bytes(media.key).then((blob) => setAbsent(!blob)) }, [turn])
  const label = t(`kind.${content.type}` as Key)
  return (
    <>
      {!url && absent && <Missing status={status} here={() => { setTurn(turn + 1) }} />}
      {url && content.type === 'image' && <img src={url} alt={content.caption ?? label} draggable={false} onLoad={() => here(readingTime(content.caption ?? ''))} />}
      {url && content.type === 'video' && <Film url={url} poster={media.poster} label={label} stopped={stopped} here={here} ended={ended} />}
      {url && (content.type === 'voice' || content.type === 'audio') && <div class={`words k${status.colour}`}><Sound url={url} seconds={media.seconds} stopped={stopped} here={here} ended={ended} /></div>}
      {content.caption && <p class="caption" dir="auto">{content.caption}</p>}
    </>
  )
}

interface PlayingProps { url: string; poster?: string | undefined; label: string; stopped: boolean; here: (seconds: number) => void; ended: () => void }

/** A film plays while nothing stops it. Where nothing may move by itself, and where the browser refuses, a person begins it. */
function Film({ url, poster, label, stopped, here, ended }: PlayingProps): JSX.Element {
  const ref = useRef<HTMLVideoElement>(null)
  const [controls, setControls] = useState(stopped)
  useEffect(() => {
    const film = ref.current
    if (!film) return
    if (stopped) film.pause()
    else film.play().catch(() => setControls(true))
  }, [stopped])
  const known = (): void => { const told = ref.current?.duration ?? 0; here(Number.isFinite(told) && told > 0 ? told : unknownSeconds) }
  return <video ref={ref} src={url} poster={poster} playsInline controls={controls} aria-label={label} onLoadedMetadata={known} onEnded={() => { if (!stopped) ended() }} />
}
