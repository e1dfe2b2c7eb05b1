// What the pages about a person and about a group have in common.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import links from 'icon:images'
import type { Message } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Icon, type IconName } from '../../ui/Icon.tsx'
import { Thumb } from '../../ui/Thumb.tsx'

/** Quick is one of the round buttons under the face. */
export function Quick({ icon, path, label, act }: { icon?: IconName; path?: string; label: string; act: () => void }): JSX.Element {
  return <button type="button" onClick={act}><span class="tile"><Icon {...(icon ? { name: icon } : {})} {...(path ? { path } : {})} /></span>{label}</button>
}

const shown = 6

/** Shared leads to what was shared in a chat, and shows the newest pictures. */
export function Shared({ jid }: { jid: string }): JSX.Element {
  const [media, setMedia] = useState<Message[]>([])
  useEffect(() => { let wanted = true; engine().gallery(jid, 'media').then((all) => { if (wanted) setMedia(all.slice(0, shown)) }, () => undefined); return () => { wanted = false } }, [jid])
  const to = `/chat/${encodeURIComponent(jid)}/media`
  return (
    <section class="card flat">
      <Go path={links} label={t('ab.media')} to={to} />
      {media.length > 0 && <div class="strip" aria-hidden="true">{media.map((m) => <Thumb key={m.id} message={m} />)}</div>}
      <Go icon="star" label={t('ab.starred')} to={`${to}?kind=starred`} />
    </section>
  )
}

/** Go is a line that leads to another page. */
export function Go({ icon, path, label, text, to }: { icon?: IconName; path?: string; label: string; text?: string | undefined; to: string }): JSX.Element {
  return (
    <a class="act" href={to}>
      <span class="tile"><Icon {...(icon ? { name: icon } : {})} {...(path ? { path } : {})} /></span><span class="grow">{label}{text && <small dir="auto">{text}</small>}</span><Icon name="chevronRight" flip kind="go" />
    </a>
  )
}

/** Act is a line that does something. */
export function Act({ icon, path, label, text, act, bad }: { icon?: IconName; path?: string; label: string; text?: string; act: () => void; bad?: boolean }): JSX.Element {
  return <button type="button" class={`act${bad ? ' bad' : ''}`} onClick={act}><span class="tile"><Icon {...(icon ? { name: icon } : {})} {...(path ? { path } : {})} /></span><span class="grow">{label}{text && <small dir="auto">{text}</small>}</span></button>
}
