// Who comes to an event, and who does not.
import type { JSX } from 'preact'
import type { Content, JID } from '../../core/model.ts'
import { contactOf, engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Sheet } from '../../ui/overlay.tsx'
import { called } from './label.ts'
import { timeline } from './state.ts'

type Event = Extract<Content, { type: 'event' }>

/** WhoComes lists the people: who has a place in the order of places, who waits, who may come, who does not. */
export function WhoComes({ id, first, close }: { id: string; first: Event; close: () => void }): JSX.Element {
  const now = timeline.value?.messages.value.find((m) => m.id === id)?.content
  const event = now?.type === 'event' ? now : first
  const all = Object.entries(event.answers)
  const yes = all.filter(([, a]) => a.going === 'yes')
  const none = (jid: JID): boolean => (event.answers[jid]?.waits ?? 0) > (event.answers[jid]?.guests ?? 0)
  return (
    <Sheet title={t('ev.who')} close={close}>
      <div class="scroll ev-list">
        <People title={t('ev.listYes')} people={yes.filter(([jid]) => !none(jid))} />
        <People title={t('ev.listWaits')} people={yes.filter(([jid]) => none(jid))} />
        <People title={t('ev.listMaybe')} people={all.filter(([, a]) => a.going === 'maybe')} />
        <People title={t('ev.listNo')} people={all.filter(([, a]) => a.going === 'no')} />
        {event.unread !== undefined && <p class="ev-none">{t('ev.unread', { n: event.unread })}</p>}
      </div>
    </Sheet>
  )
}

function People({ title, people }: { title: string; people: [JID, Event['answers'][string]][] }): JSX.Element | null {
  if (!people.length) return null
  const me = engine().account().jid
  return (
    <>
      <h3 class="part">{title}</h3>
      <ul class="list-plain">
        {people.map(([jid, a]) => {
          const name = jid === me ? t('you') : called(jid)
          const under = [a.guests ? t('ev.brings', { n: a.guests }) : '', a.waits && a.waits <= a.guests ? t('ev.waiting', { n: a.waits }) : '', a.stale ? t('ev.stale') : ''].filter(Boolean).join(' · ')
          return <li key={jid}><Avatar id={jid} name={name} picture={contactOf(jid)?.avatar} size="xs" /><span class="cut" dir="auto">{name}</span>{under && <small>{under}</small>}</li>
        })}
      </ul>
    </>
  )
}
