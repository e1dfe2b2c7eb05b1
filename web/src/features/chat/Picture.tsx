// Photos, videos and stickers. Their place is kept from the first moment, so that nothing jumps when the bytes come.
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import downPath from 'icon:download'
import playPath from 'icon:play'
import type { Content, Media, Message } from '../../core/model.ts'
import { showMedia } from '../../app/media.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { length, size } from '../../i18n/when.ts'
import { Icon } from '../../ui/Icon.tsx'
import { over } from '../../ui/overlay.tsx'
import { useBytes, useSeen } from './bytes.ts'
import { Blur } from './Blur.tsx'
import { fetchesItself, fetchSeen, moving, ringed, Ring } from './transfer.tsx'
import { loop, wantLoop } from './late.ts'
import { Look } from './Look.tsx'

type Visual = Extract<Content, { media: Media }>
const tallest = 1.35

/** Picture shows a photo or a video; a click looks at it closely, or fetches it when it is not here yet. */
export function Picture({ message, content }: { message: Message; content: Visual }): JSX.Element {
  const { media } = content
  const box = useRef<HTMLDivElement>(null)
  const url = useBytes(media.key, media.transfer?.state)
  const video = content.type === 'video'
  useSeen(() => box.current, () => fetchSeen(message), !url && fetchesItself(content))
  const width = media.width ?? 4, height = Math.min(media.height ?? 3, (media.width ?? 4) * tallest)
  const kind = t(media.loop ? 'kind.gif' : `kind.${content.type}`)
  const name = content.caption ? t('kind.long', { kind, more: content.caption }) : kind
  useEffect(() => { if (media.loop) wantLoop() }, [media.loop])
  const Loop = url && media.loop ? loop.value?.Loop : undefined
  const act = (): void => { if (url) showMedia(message.chat, message.id).catch(() => over((done) => <Look url={url} video={video} name={name} close={done} />)); else void engine().fetch(message.id) }
  const ring = ringed(message, media)
  return (
    <div class="pic" ref={box}>
      <svg class="fit" viewBox={`0 0 ${width} ${height}`} aria-hidden="true" />
      {!url && media.thumbhash && <Blur hash={media.thumbhash} />}
      {!url && media.poster && <img src={media.poster} alt="" />}
      {url && Loop ? <Loop url={url} poster={media.poster} name={name} open={act} /> : url && (video ? <video src={url} poster={media.poster} muted preload={media.poster ? 'none' : 'metadata'} playsInline /> : <img src={url} alt={name} decoding="async" />)}
      {!Loop && <button type="button" class="cover" onClick={act} aria-label={url ? t('look', { what: name }) : [name, video && media.seconds !== undefined && length(media.seconds), t('transfer.get', { size: size(media.size) })].filter(Boolean).join(', ')} />}
      {ring && <span class="get"><Ring message={message} media={media} />{media.transfer?.making && moving(media) && <span class="pad">{t('transfer.making')}</span>}</span>}
      {!url && !ring && <span class="get" aria-hidden="true"><Icon path={downPath} />{t('transfer.load', { size: size(media.size) })}</span>}
      {url && video && !media.loop && !ring && <span class="get" aria-hidden="true"><Icon path={playPath} full /></span>}
      {media.loop ? <span class="len" aria-hidden="true">{t('kind.gif')}</span> : video && media.seconds !== undefined && <span class="len num">{length(media.seconds)}</span>}
    </div>
  )
}

/** Sticker shows a small picture without a bubble's manners; until it is here, its name, which fetches it. */
export function Sticker({ message, content }: { message: Message; content: Visual }): JSX.Element {
  const box = useRef<HTMLButtonElement>(null)
  const url = useBytes(content.media.key, content.media.transfer?.state)
  const name = content.caption ?? t('kind.sticker')
  useSeen(() => box.current, () => fetchSeen(message), !url && fetchesItself(content))
  if (url) return <img class="sticker" src={url} alt={name} />
  return <button type="button" class="gone" ref={box} onClick={() => void engine().fetch(message.id)} title={t('transfer.get', { size: size(content.media.size) })}><Icon name="sticker" />{name}</button>
}
