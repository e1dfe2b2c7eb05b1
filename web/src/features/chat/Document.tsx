import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import type { Media, Message } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Icon } from '../../ui/Icon.tsx'
import { toast } from '../../ui/toast.tsx'
import { useSeen, whenHere } from './bytes.ts'
import { fetchesItself, fetchSeen, progressText, moving, Ring } from './transfer.tsx'

/** Document shows a file; a click saves it on the device, fetching it first when it is not here yet. */
export function Document({ message, media }: { message: Message; media: Media }): JSX.Element {
  const box = useRef<HTMLElement>(null)
  useSeen(() => box.current, () => fetchSeen(message), fetchesItself({ type: 'file', media }))
  const waits = moving(media) || media.transfer?.state === 'paused' || media.transfer?.state === 'failed'
  const kind = media.name.includes('.') ? media.name.split('.').pop()?.slice(0, 5).toUpperCase() : ''
  const content = <span class="grow" ref={box}><b class="cut" dir="auto">{media.name}</b><small class="num">{[kind, progressText(media)].filter(Boolean).join(' · ')}</small></span>
  if (waits) return <div class="doc"><Ring message={message} media={media} />{content}</div>
  return <button type="button" class="doc" onClick={() => void keep(message, media)} title={t('file.save', { name: media.name })}><span class="tile"><Icon name="fileText" /></span>{content}</button>
}

/** A file is saved, never opened here: what a peer sends does not run in this place. */
async function keep(message: Message, media: Media): Promise<void> {
  const blob = await engine().bytes(media.key) ?? (await whenHere(message, media.key) ? await engine().bytes(media.key) : undefined)
  if (!blob) return // the bubble says why
  const url = URL.createObjectURL(new Blob([blob], { type: 'application/octet-stream' }))
  const link = document.createElement('a')
  link.href = url
  link.download = media.name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
  toast(t('file.saved', { name: media.name }))
}
