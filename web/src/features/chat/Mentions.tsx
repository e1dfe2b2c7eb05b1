import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../../i18n/t.ts'
import type { Chat } from '../../core/model.ts'
import { contactOf, engine, nameOf } from '../../app/session.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { candidates, withMembers, type Found, type Person } from './mention.ts'
import { timeline } from './state.ts'

/** useNamed finds who may be meant by what stands after an @: those who spoke last, then members of the group by their names. */
export function useNamed(chat: Chat, asked: Found | undefined): Person[] {
  const [members, setMembers] = useState<{ jid: string; nick: string }[]>([])
  const words = asked?.words
  useEffect(() => {
    if (words === undefined || !chat.group) { setMembers([]); return }
    let wanted = true
    engine().members(chat.jid, { words, limit: 9 }).then((page) => { if (wanted) setMembers(page.members) }, (error: unknown) => console.warn('members', error))
    return () => { wanted = false }
  }, [words, chat.jid])
  if (words === undefined) return []
  const spoke = candidates(words, timeline.value?.messages.value ?? [], nameOf).filter((p) => !p.jid.includes('/'))
  return withMembers(spoke, members, engine().account().jid, (jid, nick) => contactOf(jid)?.name ?? nick)
}

/** Mentions offers the people who may be meant; arrow keys move, Enter or Tab takes, Escape closes, and the text keeps the focus. */
export function Mentions({ people, pick, close }: { people: Person[]; pick: (person: Person) => void; close: () => void }): JSX.Element | null {
  const [at, setAt] = useState(0)
  const list = useRef<HTMLUListElement>(null)
  const chosen = people[Math.min(at, people.length - 1)]
  useEffect(() => {
    const key = (event: KeyboardEvent): void => {
      if (!chosen || event.isComposing) return
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') setAt((at + (event.key === 'ArrowDown' ? 1 : people.length - 1)) % people.length)
      else if (event.key === 'Enter' || event.key === 'Tab') pick(chosen)
      else if (event.key === 'Escape') close()
      else return
      event.preventDefault()
      event.stopPropagation()
    }
    addEventListener('keydown', key, true)
    return () => removeEventListener('keydown', key, true)
  })
  useEffect(() => list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }), [at])
  if (!people.length) return null
  return (
    <ul class="picks" role="listbox" aria-label={t('mention')} tabIndex={0} ref={list}>
      {people.map((p) => (
        <li key={p.jid} role="option" aria-selected={p === chosen} class="act" onPointerDown={(e) => { e.preventDefault(); pick(p) }}>
          <Avatar id={p.jid} name={p.name} size="xs" /><span class="cut" dir="auto">{p.name}</span>
        </li>
      ))}
    </ul>
  )
}
