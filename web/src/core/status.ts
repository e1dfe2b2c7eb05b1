// Statuses, in the words of the screens (docs/protocol/status.md): what people tell for a day. What is here is read with Engine.watchStatuses, and what is
// done goes through Engine.status. What is told or taken back without a connection is kept on this device and leaves by itself.

import type { Outgoing } from './engine.ts'
import type { Content, Failure, JID, Media, Micros } from './model.ts'

/** How long a status is there, in microseconds. */
export const STATUS_LIFE: Micros = 24 * 3600e6
/** How many backgrounds there are for a text, numbered from 0. */
export const STATUS_COLOURS = 10
/** The longest text of a status, in characters. */
export const MAX_STATUS_TEXT = 700

/** What a status holds: a text, a file with words that belong to it, or a place. */
export type StatusContent = Extract<Content, { type: 'text' | 'location' }> | { type: 'image' | 'video' | 'voice' | 'audio'; media: Media; caption?: string }

/** Somebody has looked at a status of ours. */
export interface StatusView { jid: JID; time: Micros }

/** One status. */
export interface Status {
  id: string
  author: JID
  own: boolean
  posted: Micros
  /** Nobody is shown it from then on. Of one that waits to leave: Infinity. */
  expires: Micros
  /** None: it was not fetched yet, or cannot be read on this device (`unreadable`). */
  content?: StatusContent
  unreadable?: true
  /** The background of a text. */
  colour: number
  /** Its author's statuses are muted. */
  muted?: true
  /** It was looked at, here or on another device of ours. */
  seen: boolean
  /** Of ours: it waits to leave, or a person has to decide. */
  state?: 'waiting' | 'failed'
  failure?: StatusFailure
  /** Of ours: who has looked at it, the newest first; none where views are not told (Choices.readReceipts). */
  views?: StatusView[]
}

/** Why a status was not told. `nobody`: nobody of those it is for can read it; `many`: too many in 24 hours. */
export type StatusFailure = Failure | 'nobody' | 'many'

/** Whom a status is for: all contacts who may see when we are here, these without some, or some of them only. */
export interface Audience { kind: 'contacts' | 'except' | 'only'; except: JID[]; only: JID[] }

/** What is told. One of text and file. */
export interface NewStatus {
  text?: string
  /** 0–9. */
  colour?: number
  file?: NonNullable<Outgoing['file']>
  audience: Audience
}

/** What is done with statuses. */
export interface Statuses {
  /** Keeps a status, which leaves by itself. Fails with Unusable, StorageFull. */
  post(status: NewStatus): Promise<string>
  /** Sends one that failed again. */
  retry(id: string): Promise<void>
  /** Takes one of ours back, for all. */
  remove(id: string): Promise<void>
  /** These of somebody's were looked at; their author is told once, if we tell such things. */
  look(author: JID, ids: string[]): Promise<void>
  /** Gets what is not here of a status: what it says (of muted people), and its file. Fails with Offline, or when it is not there any more. */
  fetch(author: JID, id: string): Promise<void>
  /** The audience of the last time. */
  audience(): Promise<Audience>
  /** Shows somebody's statuses apart, and tells of none, or not any more. */
  mute(jid: JID, on: boolean): Promise<void>
}

/** Somebody's statuses, in the order in which they were told; `fresh`: one was not looked at. */
export interface StatusPerson { jid: JID; statuses: Status[]; fresh: boolean; newest: Micros }

/** Sorts statuses as they are listed: ours, then those of people with something new, of others, and of muted people; in each part who told something last is first. */
export function byPeople(all: Status[]): { own: Status[]; fresh: StatusPerson[]; seen: StatusPerson[]; muted: StatusPerson[] } {
  const people = new Map<JID, Status[]>()
  for (const status of all) if (!status.own) people.set(status.author, [...(people.get(status.author) ?? []), status])
  const list = [...people].map(([jid, statuses]): StatusPerson => ({ jid, statuses, fresh: statuses.some((s) => !s.seen), newest: statuses.at(-1)?.posted ?? 0 }))
    .sort((a, b) => b.newest - a.newest)
  const isMuted = (p: StatusPerson) => p.statuses.some((s) => s.muted)
  return { own: all.filter((s) => s.own), fresh: list.filter((p) => p.fresh && !isMuted(p)), seen: list.filter((p) => !p.fresh && !isMuted(p)), muted: list.filter(isMuted) }
}
