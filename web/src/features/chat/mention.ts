// Naming somebody in a group: what was typed after @, and who may be meant.
import type { JID, Message } from '../../core/model.ts'

export interface Person { jid: JID; name: string }
export interface Found { from: number; words: string }

const most = 8

/** found is the name that is being typed after an @ at the caret. */
export function found(text: string, caret: number): Found | undefined {
  const before = text.slice(0, caret)
  const match = /(?:^|\s)@([\p{L}\p{N}_.-]{0,30})$/u.exec(before)
  return match ? { from: caret - (match[1]?.length ?? 0) - 1, words: match[1] ?? '' } : undefined
}

/** withMembers adds members of the group to those who spoke; nobody twice, and not ourselves. */
export function withMembers(spoke: Person[], members: { jid: JID; nick: string }[], me: JID, nameOf: (jid: JID, nick: string) => string): Person[] {
  const people = new Map(spoke.map((p) => [p.jid, p]))
  for (const { jid, nick } of members) if (jid !== me && !people.has(jid)) people.set(jid, { jid, name: nameOf(jid, nick) })
  return [...people.values()].slice(0, most)
}

/** candidates are those who spoke, the latest first, whose name begins like that. */
export function candidates(words: string, messages: Message[], nameOf: (jid: JID) => string): Person[] {
  const wanted = words.toLocaleLowerCase()
  const people = new Map<JID, Person>()
  for (let i = messages.length - 1; i >= 0 && people.size < most; i--) {
    const m = messages[i]
    if (!m || m.own || m.content.type === 'system' || people.has(m.from)) continue
    const name = m.author ?? nameOf(m.from)
    if (name.toLocaleLowerCase().split(/\s+/).some((w) => w.startsWith(wanted))) people.set(m.from, { jid: m.from, name })
  }
  return [...people.values()]
}
