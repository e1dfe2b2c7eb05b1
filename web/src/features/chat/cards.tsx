// Places and people inside messages.
import type { JSX } from 'preact'
import type { Content } from '../../core/model.ts'
import { chatPath, go } from '../../app/router.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { toast } from '../../ui/toast.tsx'

/** Place shows a location. No map is fetched: that would tell others where we look; the device's own map opens instead. */
export function Place({ content }: { content: Extract<Content, { type: 'location' }> }): JSX.Element {
  const where = `${content.latitude.toFixed(5)}, ${content.longitude.toFixed(5)}`
  const copy = (): void => void navigator.clipboard.writeText(where).then(() => toast(t('copied')))
  return (
    <div>
      <div class="map"><Icon name="mapPin" /></div>
      <div class="doc"><span class="grow"><b dir="auto">{content.label ?? t('kind.location')}</b><small class="num" dir="ltr">{where}</small></span></div>
      <div class="cta">
        <Button act={copy}>{t('act.copy')}</Button>
        <a class="btn s" href={`geo:${content.latitude},${content.longitude}`}>{t('place.open')}</a>
      </div>
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
