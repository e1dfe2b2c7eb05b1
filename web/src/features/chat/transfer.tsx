// Uploads and downloads as they are seen: how much there is, how far it has come, and how to stop it.
import type { JSX } from 'preact'
import pausePath from 'icon:pause'
import downPath from 'icon:download'
import upPath from 'icon:upload'
import type { Content, Media, Message } from '../../core/model.ts'
import { choices, engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { size } from '../../i18n/when.ts'
import { Icon } from '../../ui/Icon.tsx'
import { cellular, lowData } from '../../ui/prefs.ts'
import { open } from './state.ts'

type Visual = Extract<Content, { media: Media }>

/** How large a file may be, in bytes, to be fetched without being asked; of one whose size nobody told as much is fetched at most. */
const freely = { wifi: 16_000_000, mobile: 1_000_000 }
const kinds = { image: 'image', sticker: 'image', voice: 'voice', audio: 'file', video: 'video', file: 'file' } as const

const way = (): 'wifi' | 'mobile' => (cellular.value ? 'mobile' : 'wifi')

/** fetchesItself is whether media is got as soon as it is seen: if the person wants that kind on this network, it is not too large, and nobody stopped it; never of who
 * is not to know that we are there. */
export function fetchesItself({ type, media: { size: bytes, url, transfer, loop } }: Pick<Visual, 'type' | 'media'>): boolean {
  const wanted = !lowData.value && choices.value?.autoLoad[way()].includes(loop ? 'image' : kinds[type])
  return !!wanted && !open.value?.request && url !== undefined && bytes <= freely[way()] && (transfer === undefined || transfer.state === 'waiting')
}

/** fetchSeen gets media that was not asked for. */
export const fetchSeen = (message: Message): void => void engine().fetch(message.id, freely[way()])

/** moving is whether bytes are under way. */
export const moving = (media: Media): boolean => media.transfer !== undefined && ['waiting', 'running'].includes(media.transfer.state)

/** ringed is whether there is a transfer to stop or to go on with: one's own file that has not left keeps its button until it has. */
export const ringed = (message: Message, media: Media): boolean => moving(media) || (message.own && !media.url && media.transfer !== undefined)

const round = 2 * Math.PI * 16

/** Ring is the button of a transfer: fetch, pause with progress, or try again. */
export function Ring({ message, media }: { message: Message; media: Media }): JSX.Element {
  const { transfer } = media
  const running = moving(media)
  const done = transfer && transfer.total > 0 ? transfer.done / transfer.total : 0
  const percent = Math.round(done * 100)
  const act = (event: MouseEvent): void => { event.stopPropagation(); void (running ? engine().pause(message.id) : engine().fetch(message.id)) }
  const name = running ? t(transfer?.making ? 'transfer.makingStop' : 'transfer.pause', { percent }) : transfer?.state === 'failed' ? t('transfer.again') : transfer?.direction === 'up' ? t('transfer.go', { percent }) : t('transfer.get', { size: size(media.size) })
  return (
    <button type="button" class="ring" onClick={act} aria-label={name} title={name}>
      <svg class="dial" viewBox="0 0 36 36" aria-hidden="true"><circle cx="18" cy="18" r="16" /><circle cx="18" cy="18" r="16" stroke-dasharray={`${round * done} ${round}`} /></svg>
      <Icon path={running ? pausePath : transfer?.direction === 'up' ? upPath : downPath} />
    </button>
  )
}

/** progressText says how far a transfer has come. */
export function progressText(media: Media): string {
  const { transfer } = media
  if (!transfer || transfer.state === 'done') return size(media.size)
  if (transfer.state === 'paused') return t('transfer.paused', { size: size(media.size) })
  if (transfer.state === 'failed') return t('transfer.failed')
  if (transfer.making) return t('transfer.making')
  return t(transfer.state === 'waiting' ? 'transfer.waits' : 'transfer.part', { done: size(transfer.done), total: size(transfer.total || media.size) })
}
