// The statuses of a day: our own first, then those of the people one knows, with something new, looked at, and muted.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import pencil from 'icon:pencil'
import type { Status } from '../../core/engine.ts'
import { byPeople, type StatusPerson } from '../../core/status.ts'
import { contactOf, engine, nameOf } from '../../app/session.ts'
import { beforehand, newStatus, showStatuses } from '../../app/status.ts'
import { t } from '../../i18n/t.ts'
import { ago } from '../../i18n/when.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { IconButton } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { lowData } from '../../ui/prefs.ts'

/** Statuses lists them. */
export function Statuses(): JSX.Element {
  const [all, setAll] = useState<Status[]>()
  useEffect(() => engine().watchStatuses(setAll), [])
  useEffect(() => { if (!lowData.value) beforehand() }, [])
  const { own, fresh, seen, muted } = byPeople(all ?? [])
  return (
    <section class="statuses" aria-labelledby="up-status">
      <h2 id="up-status">{t('up.status')}</h2>
      <Mine own={own} />
      <People title={t('up.recent')} people={fresh} />
      <People title={t('up.seen')} people={seen} />
      {muted.length > 0 && <details class="apart"><summary>{t('up.muted')}</summary><People people={muted} /></details>}
      {all && !fresh.length && !seen.length && !muted.length && <p class="hint">{t('up.none')}</p>}
    </section>
  )
}

function Mine({ own }: { own: Status[] }): JSX.Element {
  const me = engine().account()
  const last = own.at(-1)
  const under = own.some((s) => s.state === 'failed') ? t('up.failed') : own.some((s) => s.state === 'waiting') ? t('up.waits') : last ? ago(last.posted) : t('up.tell')
  return (
    <div class="act peer story">
      <button type="button" class="open" onClick={() => void (last ? showStatuses(me.jid) : newStatus())}>
        <Ring parts={own.map(() => true)}><Avatar id={me.jid} name={me.name} picture={me.avatar} />{!last && <i class="plus"><Icon name="plus" /></i>}</Ring>
        <span class="grow"><b class="cut one">{t('up.mine')}</b><small class={`cut one${own.some((s) => s.state === 'failed') ? ' bad' : ''}`}>{under}</small></span>
      </button>
      <IconButton path={pencil} label={t('up.add')} act={() => void newStatus()} />
    </div>
  )
}

function People({ title, people }: { title?: string; people: StatusPerson[] }): JSX.Element | null {
  if (!people.length) return null
  const order = people.map((p) => p.jid)
  return (
    <>
      {title && <h3>{title}</h3>}
      <ul aria-label={title ?? t('up.muted')}>{people.map((p) => <li key={p.jid}><Person person={p} show={() => void showStatuses(p.jid, p.fresh ? order : [])} /></li>)}</ul>
    </>
  )
}

function Person({ person: { jid, statuses, newest }, show }: { person: StatusPerson; show: () => void }): JSX.Element {
  const fresh = statuses.filter((s) => !s.seen).length
  return (
    <button type="button" class="act peer story" onClick={show}>
      <Ring parts={statuses.map((s) => s.seen)}><Avatar id={jid} name={nameOf(jid)} picture={contactOf(jid)?.avatar} /></Ring>
      <span class="grow"><b class="cut one" dir="auto">{nameOf(jid)}</b><small class="cut one">{ago(newest)}{fresh > 0 && <span class="vh">, {t('up.new', { n: fresh })}</span>}</small></span>
    </button>
  )
}

const around = 2 * Math.PI * 27
const mostParts = 24

/** One arc for each status, in another colour when it was looked at. */
function Ring({ parts, children }: { parts: boolean[]; children: preact.ComponentChildren }): JSX.Element {
  const shown = parts.slice(-mostParts)
  const gap = shown.length > 1 ? Math.min(4, around / shown.length / 3) : 0
  const length = around / Math.max(1, shown.length)
  return (
    <span class="story-ring">
      {shown.length > 0 && (
        <svg viewBox="0 0 58 58" aria-hidden="true">
          {shown.map((seen, i) => <circle key={i} cx="29" cy="29" r="27" class={seen ? 'seen' : ''} stroke-dasharray={`${length - gap} ${around - length + gap}`} stroke-dashoffset={-(i * length + gap / 2)} />)}
        </svg>
      )}
      {children}
    </span>
  )
}
