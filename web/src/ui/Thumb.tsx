import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import play from 'icon:play'
import type { Message } from '../core/model.ts'
import { bytesOf } from './Avatar.tsx'
import { Icon } from './Icon.tsx'
import './css/thumb.css'

/** useBlob gives an object URL for the bytes of a key while they are shown; undefined until they are on this device. another `turn` asks again. */
export function useBlob(key: string | undefined, turn?: string | number): string | undefined {
  const [url, setUrl] = useState<string>()
  useEffect(() => {
    let made: string | undefined
    let wanted = true
    setUrl(undefined)
    if (key) void bytesOf(key).then((blob) => { if (blob && wanted) setUrl(made = URL.createObjectURL(blob)) }, () => undefined)
    return () => { wanted = false; if (made) URL.revokeObjectURL(made) }
  }, [key, turn])
  return url
}

/** Thumb is the small square of a photo or video. What is not on this device yet is shown by its kind. */
export function Thumb({ message }: { message: Message }): JSX.Element {
  const { content } = message
  const media = 'media' in content ? content.media : undefined
  const video = content.type === 'video'
  const url = useBlob(media?.key, media?.transfer?.state)
  return (
    <span class="thumb">
      {video && media?.poster ? <img src={media.poster} alt="" /> : url && !video ? <img src={url} alt="" loading="lazy" /> : url && video ? <video src={url} muted preload="metadata" /> : <Icon name={video ? 'video' : 'image'} />}
      {video && <i class="play"><Icon path={play} full /></i>}
    </span>
  )
}
