// How a channel is shown: its picture, its name, the operator's mark.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import badge from 'icon:badge-check'
import type { Channel } from '../../core/channels.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'

/** here is whether an address is at this server: nothing is asked of other hosts. */
export const here = (url: string): boolean => URL.canParse(url) && new URL(url).origin === location.origin

/** Picture is a channel's picture, or its letters. */
export function Picture({ name, title, picture, size }: { name: string; title: string; picture?: string; size?: 's' | 'l' }): JSX.Element {
  const [failed, setFailed] = useState<string>()
  if (!picture || !here(picture) || failed === picture) return <Avatar id={`${name}@channels`} name={title} {...(size ? { size } : {})} />
  return <span class={`av${size ? ` ${size}` : ''}`} aria-hidden="true"><img src={picture} alt="" loading="lazy" onError={() => setFailed(picture)} /></span>
}

/** Mark stands behind the name of a channel for which the operator vouches. */
export function Mark({ words }: { words?: boolean }): JSX.Element {
  return <span class="ch-mark" title={t('ch.marked')}><Icon path={badge} />{words ? t('ch.marked') : <span class="vh">{t('ch.marked')}</span>}</span>
}

/** isolated keeps a text of somebody from mixing up the direction of the sentence that it stands in. */
const isolated = (text: string): string => `\u2068${text}\u2069`

/** showMark says who vouches for a channel, and why. */
export function showMark({ mark, marked }: Channel): Promise<void> {
  const host = engine().account().jid.split('@')[1] ?? location.host
  return over((close) => (
    <Sheet title={t('ch.markTitle')} close={close}>
      <div class="sheet-in ch-why"><p>{t('ch.markText', { host, reason: isolated(mark) })}</p>{marked !== undefined && <p>{t('ch.markSince', { time: fullTime(marked) })}</p>}</div>
      <div class="do"><Button kind="p" act={close}>{t('close')}</Button></div>
    </Sheet>
  ))
}
