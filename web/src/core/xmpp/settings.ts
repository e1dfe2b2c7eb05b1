// What a person decides about a chat, the same on all their devices (docs/protocol/chat-settings.md). For a room it stands in its bookmark, where other
// apps read it (XEP-0402, XEP-0469, XEP-0492); for anybody else in a node of our own, since no XEP has a place for it.

import { MAX_BROADCAST, type Chat, type Micros } from '../model.ts'
import { parseJID, bare } from './jid.ts'
import { BOOKMARK_PINNING, BOOKMARKS, CHATS, NOTIFICATIONS } from './ns.ts'
import type { Item } from './pubsub.ts'
import { formatTime, parseTime } from './time.ts'
import { el, Element } from './xml.ts'

/** The names of what is shared. */
export const SHARED = ['pinned', 'archived', 'favourite', 'muted', 'accepted', 'lists', 'markedUnread', 'cleared', 'statusMuted', 'title', 'to'] as const
/** One of them. */
export type Shared = (typeof SHARED)[number]

/** One decision: its value, none for off, and when it was made. The later one holds. */
export interface Decision { value?: Micros | true | string; at: Micros }
/** Decisions about one chat. */
export type Decisions = Partial<Record<Shared, Decision>>

const MAX_TIME = 8.64e18
const MAX_LISTS = 20
const MAX_LIST_NAME = 40

/** Names of lists as they are kept: tidy, each once, in order. */
export const listNames = (names: string[]): string[] =>
  [...new Set(names.map((n) => n.replace(/[,\s\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim().slice(0, MAX_LIST_NAME).trim()).filter(Boolean))].sort().slice(0, MAX_LISTS)

/** What a broadcast list is called, tidy. */
export const titleOf = (text: string): string => text.replace(/[\s\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim().slice(0, 100).trim()

/** Who is on a broadcast list: bare addresses of people, each once. */
export const peopleOf = (all: string[]): string[] =>
  [...new Set(all.slice(0, 4 * MAX_BROADCAST).flatMap((one) => { const jid = parseJID(one); return jid?.includes('@') ? [bare(jid)] : [] }))].slice(0, MAX_BROADCAST)

/** Those that are so or not. */
const FLAGS: readonly Shared[] = ['archived', 'favourite', 'accepted', 'markedUnread', 'statusMuted']

/** Reads a value of a name: a time for `pinned`, a place for `cleared`, a time or `always` for `muted`, names with commas between for `lists`, `true` for the others. */
function valueOf(name: Shared, text: string | undefined): Decision['value'] {
  if (text === undefined) return undefined
  if (FLAGS.includes(name)) return text === 'true' || undefined
  if (name === 'lists') return listNames(text.slice(0, 2 * MAX_LISTS * MAX_LIST_NAME).split(',')).join(',') || undefined
  if (name === 'title') return titleOf(text.slice(0, 1000)) || undefined
  if (name === 'to') return peopleOf(text.slice(0, 300_000).split(' ')).join(' ') || undefined
  return name === 'muted' && text === 'always' ? Infinity : parseTime(text)
}

function write(name: Shared, { value, at }: Decision): Element {
  const text = value === undefined ? undefined : value === true ? 'true' : typeof value === 'string' ? value : value === Infinity ? 'always' : formatTime(value)
  return el(CHATS, 'set', { name, value: text, at: formatTime(at) })
}

function read(chat: Element | undefined): Decisions {
  const out: Decisions = {}
  for (const e of (chat?.children('set') ?? []).slice(0, 50)) {
    const name = SHARED.find((n) => n === e.attr('name'))
    const at = parseTime(e.attr('at'))
    if (name && at !== undefined && at > 0 && at < MAX_TIME) out[name] = { value: valueOf(name, e.attr('value')), at }
  }
  return out
}

const parts = (decisions: Decisions): Element[] => SHARED.flatMap((name) => { const one = decisions[name]; return one ? [write(name, one)] : [] })

/** What is published about a chat without bookmark. */
export const chatElement = (decisions: Decisions): Element => el(CHATS, 'chat', {}, ...parts(decisions))

/** Reads an item of our node; undefined for anything else. */
export function parseChat({ id, payload }: Item): { jid: string; told: Decisions } | undefined {
  const jid = parseJID(id)
  return jid && payload?.is('chat', CHATS) ? { jid: bare(jid), told: read(payload) } : undefined
}

/** The setting of XEP-0492 that holds for this app: the most specific one. */
function notifyFor(notify: Element | undefined): Element | undefined {
  const all = (notify?.children() ?? []).filter((e) => e.ns === NOTIFICATIONS && /^(always|on-mention|never)$/.test(e.name))
  const of = (category?: string, type?: string) => all.find((e) => e.attr('identity-category') === category && e.attr('identity-type') === type)
  return of('client', 'web') ?? of('client') ?? of()
}

/**
 * Reads what the extensions of a bookmark say. Other apps do not say when they decided: what differs from what one of ours wrote beside it was
 * decided later, and counts as decided at the time that is given.
 */
export function readExtensions(extensions: Element | undefined, at: Micros): Decisions {
  const told = read(extensions?.child('chat', CHATS))
  const setting = notifyFor(extensions?.child('notify', NOTIFICATIONS))
  const pinned = !!extensions?.child('pinned', BOOKMARK_PINNING)
  if (pinned !== (told.pinned?.value !== undefined)) told.pinned = { value: pinned ? at : undefined, at }
  if (setting && (setting.name === 'never') !== (told.muted?.value === Infinity)) told.muted = { value: setting.name === 'never' ? Infinity : undefined, at }
  return told
}

/** Writes decisions into the extensions of a bookmark. What other apps keep there stays, also their finer settings (XEP-0492 §3.3). */
export function writeExtensions(extensions: Element | undefined, decisions: Decisions): Element {
  const kept = (extensions?.nodes ?? []).filter((n) => typeof n === 'string' || !(n.is('chat', CHATS) || n.is('pinned', BOOKMARK_PINNING) || n.is('notify', NOTIFICATIONS)))
  const before = extensions?.child('notify', NOTIFICATIONS)
  const notify = decisions.muted ? writeNotify(before, decisions.muted.value === Infinity) : before
  return new Element(BOOKMARKS, 'extensions', extensions?.attrs ?? {}, [
    ...kept, ...(decisions.pinned?.value !== undefined ? [el(BOOKMARK_PINNING, 'pinned')] : []), ...(notify ? [notify] : []), chatElement(decisions),
  ])
}

/** A chat that is muted for good is `never`. One that is muted until a time is not: no other app would end it. */
function writeNotify(before: Element | undefined, never: boolean): Element | undefined {
  const current = notifyFor(before)
  if (!never && (!current || current.name !== 'never')) return before
  if (never && current?.name === 'never') return before
  const fresh = new Element(NOTIFICATIONS, never ? 'never' : 'always', current?.attrs ?? {}, current?.nodes ?? [])
  const others = (before?.nodes ?? []).filter((n) => n !== current)
  const bare = others.some((n) => typeof n !== 'string' && n.attr('identity-category') === undefined) || fresh.attr('identity-category') === undefined
  return new Element(NOTIFICATIONS, 'notify', before?.attrs ?? {}, [...others, fresh, ...(bare ? [] : [el(NOTIFICATIONS, fresh.name)])])
}

/** The decisions as fields of a chat. */
export function fieldsOf(decisions: Decisions): Partial<Pick<Chat, Shared>> {
  const { pinned, archived, favourite, muted, accepted, lists, markedUnread, cleared, statusMuted, title, to } = decisions
  const time = (d: Decision | undefined) => typeof d?.value === 'number' ? d.value : undefined
  return {
    ...(pinned ? { pinned: time(pinned) } : {}), ...(archived ? { archived: archived.value === true } : {}),
    ...(favourite ? { favourite: favourite.value === true } : {}), ...(muted ? { muted: time(muted) } : {}),
    ...(accepted ? { accepted: accepted.value === true } : {}), ...(lists ? { lists: typeof lists.value === 'string' ? lists.value.split(',') : undefined } : {}),
    ...(markedUnread ? { markedUnread: markedUnread.value === true } : {}), ...(cleared ? { cleared: time(cleared) } : {}), ...(statusMuted ? { statusMuted: statusMuted.value === true } : {}),
    ...(title ? { title: typeof title.value === 'string' ? title.value : undefined } : {}), ...(to ? { to: typeof to.value === 'string' ? to.value.split(' ') : undefined } : {}),
  }
}

/** Decisions for fields of a chat, made now. */
export function decide(fields: Partial<Chat>, at: Micros): Decisions {
  const out: Decisions = {}
  for (const name of SHARED) {
    if (!(name in fields)) continue
    const value = fields[name]
    out[name] = { value: typeof value === 'number' ? value : Array.isArray(value) ? (name === 'to' ? peopleOf(value).join(' ') : listNames(value).join(',')) || undefined : value || undefined, at }
  }
  return out
}

/** Says whether two values of a field say the same; off may be said in many ways. */
export const isSame = (a: Chat[Shared], b: Chat[Shared]): boolean => String(a || '') === String(b || '')

/** The later of each; of two at the same time what was told. What was cleared stays so: there the place further on holds. `newer`: ours has something that was not told. */
export function merge(ours: Decisions, told: Decisions): { all: Decisions; newer: boolean } {
  const all: Decisions = { ...ours }
  let newer = false
  for (const name of SHARED) {
    const [mine, theirs] = [ours[name], told[name]]
    const holds = name === 'cleared' ? (one: Decision) => Number(one.value ?? 0) : (one: Decision) => one.at
    if (theirs && (!mine || holds(theirs) >= holds(mine))) all[name] = theirs
    else if (mine && mine.value !== theirs?.value) newer = true
  }
  return { all, newer }
}
