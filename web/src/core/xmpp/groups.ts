// Groups on the wire (docs/protocol/groups.md, XEP-0045): what is told of them. What is asked of them stands in groups-ask.ts.

import type { Affiliation, GroupSettings } from '../groups.ts'
import type { JID, Micros } from '../model.ts'
import { readForm } from './form.ts'
import { bare, domain, parseJID } from './jid.ts'
import { DISCO, GROUP, MUC_USER, OCCUPANT, RSM } from './ns.ts'
import { discover, discoverItems } from './disco.ts'
import type { Session } from './session.ts'
import { stanzaID } from './ids.ts'
import { StanzaError } from './stanza.ts'
import { el, type Element } from './xml.ts'

/** Fields of the form of settings (XEP-0045 §16.5.3). */
export const CONFIG = 'http://jabber.org/protocol/muc#roomconfig'
const FIELD = 'muc#roomconfig_'
/** What a group says of itself (XEP-0045 §6.4). */
const ROOM_INFO = 'http://jabber.org/protocol/muc#roominfo'
/** Pages of groups that one account may be in: 10,000 groups. */
const MAX_PAGES = 100
const MAX_NAME = 100
const MAX_TEXT = 2048
/** People that one entry of a log may be about. */
const MAX_WHO = 2000

/** What holds of a group of which nothing is known: nothing is open. */
export const closed: GroupSettings = { private: true, listed: false, writes: 'all', adds: 'admins', edits: 'admins', approval: false, history: false, slow: 0, anonymous: false }

const affiliations = new Set<string | undefined>(['owner', 'admin', 'member', 'none', 'outcast'])
/** How somebody stands with a group, in the word of XEP-0045; undefined for any other. */
export const affiliationOf = (word: string | undefined): Affiliation | undefined => affiliations.has(word) ? word as Affiliation : undefined
const address = (text: string | undefined): JID | undefined => {
  const jid = text ? parseJID(text) : undefined
  return jid && bare(jid)
}
const hashOf = (text: string | undefined): string | undefined => /^[\da-f]{40}$/.test(text ?? '') ? text : undefined
/** A text that has at most so many characters; undefined for none. */
export const cut = (text: string | undefined, most: number) => text?.slice(0, most) || undefined

/** An id of an entry as a number; 0 for none. */
export function entryID(text: string | undefined): Micros {
  const n = /^\d{1,16}$/.test(text ?? '') ? Number(text) : 0
  return Number.isSafeInteger(n) ? n : 0
}

/** A group of the account, as the service lists it. */
export interface Listed { jid: JID; name?: string; affiliation: Affiliation; nick?: string; /** Our own id in it. */ occupant?: string; newest: Micros; since: Micros; members: number; picture?: string; /** It is the announcements of a community. */ kind?: 'community'; /** The community that it belongs to. */ community?: JID }

function listed(e: Element): Listed[] {
  const [jid, affiliation] = [address(e.attr('jid')), affiliationOf(e.attr('affiliation'))]
  if (!jid || !affiliation) return []
  const members = Number(e.attr('members'))
  return [{
    jid, affiliation, name: cut(e.attr('name'), MAX_NAME), nick: cut(e.attr('nick'), MAX_NAME), occupant: cut(e.attr('occupant'), 256), newest: entryID(e.attr('newest')), since: entryID(e.attr('since')),
    members: Number.isSafeInteger(members) && members > 0 ? members : 1, picture: hashOf(e.attr('picture')),
    ...(e.attr('kind') === 'community' ? { kind: 'community' as const } : {}), community: address(e.attr('community')),
  }]
}

/** Has this session attend the groups of the account, and lists them, each page to `take`. */
export async function attend(session: Session, service: string, take: (groups: Listed[]) => Promise<void>): Promise<void> {
  let after: string | undefined
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const asked = el(GROUP, 'attend', {}, el(RSM, 'set', {}, el(RSM, 'max', {}, 100), after !== undefined && el(RSM, 'after', {}, after)))
    const groups = (await session.request('set', asked, { to: service })).child('groups', GROUP)
    await take((groups?.children('group') ?? []).slice(0, 100).flatMap(listed))
    const last = groups?.child('set', RSM)?.textOf('last')
    if (groups?.attr('complete') === 'true' || !last || last === after) return
    after = last
  }
}

/** The service of our server, undefined if it has none: at the usual address, or looked for. */
export async function findGroups(session: Session): Promise<string | undefined> {
  const home = domain(session.account)
  for (const jid of ['groups.' + home, ...await discoverItems(session, home).catch(() => [])]) {
    const about = await discover(session, jid).catch((error: unknown) => {
      if (error instanceof StanzaError && error.temporary) throw error
      return undefined
    })
    if (about?.features.has(GROUP)) return jid
  }
  return undefined
}

/** What an entry says of somebody: how they stand with the group from then on. */
export interface Stands { jid: JID; affiliation: Affiliation; was: Affiliation; nick?: string; /** They were asked whether they want to come in. */ invited?: true }

/** A change of a group, as its log has it. */
export interface GroupChange {
  what: string
  by?: JID
  who: Stands[]
  name?: string
  description?: string
  settings?: GroupSettings
  /** Of a nick: what it was before. */
  was?: string
  instead?: JID
  reason?: string
  /** Of a group that comes into a community, or goes: the group; in its own log the community that it belongs to from then on. */
  jid?: JID
  /** Of a picture: its SHA-1, if there is one. */
  hash?: string
}

/** Reads a change; undefined for a message without one. It is believed only when it comes from the group itself. */
export function parseChange(stanza: Element): GroupChange | undefined {
  const e = stanza.child('change', GROUP)
  if (!e) return undefined
  const who = e.children('who').slice(0, MAX_WHO).flatMap((w): Stands[] => {
    const [jid, affiliation] = [address(w.attr('jid')), affiliationOf(w.attr('affiliation'))]
    return jid && affiliation ? [{ jid, affiliation, was: affiliationOf(w.attr('was')) ?? 'none', nick: cut(w.attr('nick'), MAX_NAME), ...(w.attr('invited') === 'true' ? { invited: true } : {}) }] : []
  })
  const fields = readForm(e)
  return {
    what: (e.attr('what') ?? '').slice(0, 50), by: address(e.attr('by')), who, settings: fields && settingsOf(fields),
    name: cut(fields?.get(FIELD + 'roomname')?.[0] ?? e.attr('name'), MAX_NAME), description: cut(fields?.get(FIELD + 'roomdesc')?.[0] ?? e.attr('description'), MAX_TEXT),
    was: cut(e.attr('was'), MAX_NAME), jid: address(e.attr('jid')), instead: address(e.attr('instead')), hash: hashOf(e.attr('hash')), reason: cut(e.attr('reason') ?? e.textOf('reason'), MAX_TEXT),
  }
}

/** Settings in the fields of a form. What is not in it is closed. */
export function settingsOf(fields: Map<string, string[]>): GroupSettings {
  const on = (name: string) => /^(1|true)$/.test(fields.get(name)?.[0] ?? '')
  const slow = Number(fields.get(GROUP + '#slow')?.[0])
  return {
    private: on(FIELD + 'membersonly'), listed: on(FIELD + 'publicroom'), writes: on(GROUP + '#only-admins-write') ? 'admins' : 'all',
    adds: on(FIELD + 'allowinvites') ? 'all' : 'admins', edits: on(FIELD + 'changesubject') ? 'all' : 'admins', approval: on(GROUP + '#approve'),
    history: on(GROUP + '#whole-history'), slow: Number.isSafeInteger(slow) && slow > 0 ? Math.min(slow, 86_400) : 0, anonymous: fields.get(FIELD + 'whois')?.[0] === 'moderators',
  }
}

/** The fields of a form for some settings. */
export function fieldsOf(s: Partial<GroupSettings>): Record<string, string | number | boolean | undefined> {
  return {
    [FIELD + 'membersonly']: s.private, [FIELD + 'publicroom']: s.listed, [GROUP + '#only-admins-write']: s.writes && s.writes === 'admins',
    [FIELD + 'allowinvites']: s.adds && s.adds === 'all', [FIELD + 'changesubject']: s.edits && s.edits === 'all', [GROUP + '#approve']: s.approval,
    [GROUP + '#whole-history']: s.history, [GROUP + '#slow']: s.slow, [FIELD + 'whois']: s.anonymous === undefined ? undefined : s.anonymous ? 'moderators' : 'anyone',
  }
}

/** What a group says of itself to who asks. */
export interface GroupInfo { name?: string; description?: string; members: number; settings: GroupSettings }

/** Asks what a group is; fails with `item-not-found` or `gone` for one that is none (any more). */
export async function fetchInfo(session: Session, jid: JID): Promise<GroupInfo> {
  const query = (await session.request('get', el(DISCO, 'query'), { to: jid })).child('query', DISCO)
  const features = new Set((query?.children('feature') ?? []).slice(0, 100).map((f) => f.attr('var')))
  const fields = readForm(query, ROOM_INFO) ?? new Map<string, string[]>()
  const members = Number(fields.get(GROUP + '#members')?.[0])
  return {
    name: cut(query?.child('identity')?.attr('name'), MAX_NAME), description: cut(fields.get('muc#roominfo_description')?.[0], MAX_TEXT),
    members: Number.isSafeInteger(members) ? members : 0,
    settings: { ...settingsOf(fields), private: features.has('muc_membersonly'), listed: features.has('muc_public'), anonymous: features.has('muc_semianonymous') },
  }
}

/** The facts of a message in a group that the group alone may tell. */
export interface Entry {
  /** Its number in the log; 0 for what is not kept. */
  id: Micros
  /** The number of the one before, undefined if it is not told. */
  after?: Micros
  /** The author's id in the group (XEP-0421), and their real address where the message says it (XEP-0313 §6.1.2). */
  occupant?: string
  author?: JID
}

/** Reads them of a message that came from the group, live or from its log. */
export function entryOf(stanza: Element, room: JID): Entry {
  const after = stanza.child('entry', GROUP)?.attr('after')
  const item = stanza.child('x', MUC_USER)?.child('item')
  return {
    id: entryID(stanzaID(stanza, room)), ...(after === undefined ? {} : { after: entryID(after) }), occupant: cut(stanza.child('occupant-id', OCCUPANT)?.attr('id'), 256),
    author: address(item?.attr('jid')),
  }
}
