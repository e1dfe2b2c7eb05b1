// Places and people inside messages.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Content, Message } from '../../core/model.ts'
import { sharing, stop } from '../../app/live.ts'
import { chatPath, go } from '../../app/router.ts'
import { t } from '../../i18n/t.ts'
import { ago, clock, now } from '../../i18n/when.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { toast } from '../../ui/toast.tsx'

/** Place shows a location. No map is fetched: that would tell others where we look; the device's own map opens instead. */
export function Place({ message, content }: { message: Message; content: Extract<Content, { type: 'location' }> }): JSX.Element {
  const where = `${content.latitude.toFixed(5)}, ${content.longitude.toFixed(5)}`
  const copy = (): void => void navigator.clipboard.writeText(where).then(() => toast(t('copied')))
  return (
    <div>
      <div class="map"><Icon name="mapPin" /></div>
      <div class="doc"><span class="grow"><b dir="auto">{content.label ?? t('kind.location')}</b><small class="num" dir="ltr">{where}</small></span></div>
      {content.liveUntil !== undefined && <Followed message={message} until={content.liveUntil} />}
      <div class="cta">
        <Button act={copy}>{t('act.copy')}</Button>
        <a class="btn s" href={`geo:${content.latitude},${content.longitude}`}>{t('place.open')}</a>
      </div>
    </div>
  )
}

const everyMs = 30_000

/** Until when a place is followed, and how old it is; who shares it can end it. */
function Followed({ message, until }: { message: Message; until: number }): JSX.Element {
  const [time, setTime] = useState(now)
  const live = until > time && until > (message.edited ?? 0) // who ended it said so at that time
  useEffect(() => {
    if (!live) return
    const timer = setTimeout(() => setTime(now()), Math.max(100, Math.min(everyMs, (until - now()) / 1000 + 100)))
    return () => clearTimeout(timer)
  }, [time, until])
  if (!live) return <p class="followed over">{t('place.over')}</p>
  return (
    <div class="followed">
      <p><b>{t('place.until', { time: clock(until) })}</b><br /><small>{t('place.updated', { when: ago(message.edited ?? message.time) })}</small></p>
      {message.own && <Button kind="g" act={() => void stop(message.id)}>{t('place.stop')}</Button>}
      {message.own && !sharing.value.has(message.id) && <small>{t('place.elsewhere')}</small>}
    </div>
  )
}

/** ContactCard shows somebody who was passed on. */
export function ContactCard({ content }: { content: Extract<Content, { type: 'contact' }> }): JSX.Element {
  return (
    <div>
      <div class="doc"><Avatar id={content.jid} name={content.name} size="s" /><span class="grow"><b dir="auto">{content.name}</b><small class="cut" dir="ltr">{content.jid}</small></span></div>
      <div class="cta"><Button icon="message" act={() => go(chatPath(content.jid))}>{t('contact.write')}</Button></div>
    </div>
  )
}
