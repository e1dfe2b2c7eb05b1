// What is asked of groups (docs/protocol/groups.md, XEP-0045): only with a connection, and seldom. Everything fails as Session.request does.

import type { GroupLink, GroupSettings, JoinRequest, NotAdded } from '../groups.ts'
import type { JID, Micros } from '../model.ts'
import { form } from './form.ts'
import { CONFIG, fieldsOf } from './groups.ts'
import { listItems, type Item } from './groups-list.ts'
import { bare, parseJID } from './jid.ts'
import { DISCO_ITEMS, GROUP, MODERATE, MUC, MUC_ADMIN, MUC_OWNER, MUC_USER, REGISTER, RETRACT, RSM } from './ns.ts'
import type { Session } from './session.ts'
import { base64, message, newID, presence, StanzaError } from './stanza.ts'
import { parseTime } from './time.ts'
import { el, type Element } from './xml.ts'

const VCARD = 'vcard-temp'
/** People that one request may be about. */
const MAX_ITEMS = 200
/** Milliseconds after which a new group should have answered. */
const PATIENCE = 30_000
const MAX_BANNED = 1000

/** Makes a group that nobody knows yet, with these settings. `nick` is what we are called in it. */
export async function makeGroup(session: Session, room: JID, nick: string, settings: GroupSettings, about: { name: string; description?: string }): Promise<void> {
  await enter(session, `${room}/${nick}`)
  try {
    await configure(session, room, { ...fieldsOf(settings), 'muc#roomconfig_persistentroom': true, 'muc#roomconfig_roomname': about.name, 'muc#roomconfig_roomdesc': about.description })
  } finally {
    session.send(presence({ to: `${room}/${nick}`, type: 'unavailable' }))
  }
}

/** Comes into a room with presence, which makes one that is not there (XEP-0045 §10.1). */
function enter(session: Session, occupant: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error) => {
      clearTimeout(timer)
      stop()
      if (error) reject(error)
      else resolve()
    }
    const timer = setTimeout(() => end(new StanzaError('timeout', 'wait')), PATIENCE)
    const stop = session.on('presence', (stanza) => {
      if (stanza.attr('from') !== occupant) return
      if (stanza.attr('type') === 'error') end(new StanzaError(stanza.child('error')?.children()[0]?.name ?? 'undefined-condition'))
      else if (stanza.attr('type') === undefined) end()
    })
    session.send(presence({ to: occupant }, el(MUC, 'x', {}, el(MUC, 'history', { maxstanzas: 0 }))), (acknowledged) => { if (!acknowledged) end(new StanzaError('disconnected', 'wait')) })
  })
}

/** Sets fields of the form of settings; what is not named stays. For owners. */
export async function configure(session: Session, room: JID, fields: Record<string, string | number | boolean | undefined>): Promise<void> {
  await session.request('set', el(MUC_OWNER, 'query', {}, form(CONFIG, fields)), { to: room })
}

/** Sets settings; those that are not named stay. For owners. */
export const setSettings = (session: Session, room: JID, change: Partial<GroupSettings>): Promise<void> => configure(session, room, fieldsOf(change))

/** Sets the picture of a group, at most 128 KiB; null takes it away (XEP-0486). */
export async function setPicture(session: Session, room: JID, picture: Blob | null): Promise<void> {
  const bytes = picture && base64(new Uint8Array(await picture.arrayBuffer()))
  await session.request('set', el(VCARD, 'vCard', {}, bytes && el(VCARD, 'PHOTO', {}, el(VCARD, 'TYPE', {}, picture.type), el(VCARD, 'BINVAL', {}, bytes))), { to: room })
}

/** Sets how people stand with a group: all of them, or none, with the error. At most 200. */
export async function setItems(session: Session, room: JID, items: Item[], reason?: string): Promise<void> {
  const item = ({ jid, affiliation, nick }: Item): Element => el(MUC_ADMIN, 'item', { jid, affiliation, nick }, reason ? el(MUC_ADMIN, 'reason', {}, reason.slice(0, 500)) : undefined)
  await session.request('set', el(MUC_ADMIN, 'query', {}, ...items.map(item)), { to: room, seconds: 60 })
}

/** Makes people members. Those of whom the group will not hear are found by halving: it takes all that are asked for, or none. */
export async function addPeople(session: Session, room: JID, people: JID[]): Promise<NotAdded[]> {
  const out: NotAdded[] = []
  for (let i = 0; i < people.length; i += MAX_ITEMS) out.push(...await addSome(session, room, people.slice(i, i + MAX_ITEMS)))
  return out
}

async function addSome(session: Session, room: JID, people: JID[]): Promise<NotAdded[]> {
  try {
    await setItems(session, room, people.map((jid) => ({ jid, affiliation: 'member' })))
    return []
  } catch (error) {
    if (!(error instanceof StanzaError) || error.temporary || error.condition === 'gone') throw error
    const [only] = people
    if (only && people.length === 1) return [{ jid: only, why: whyNot(error) }]
    const half = people.length >> 1
    return [...await addSome(session, room, people.slice(0, half)), ...await addSome(session, room, people.slice(half))]
  }
}

function whyNot({ condition, text }: StanzaError): NotAdded['why'] {
  if (condition === 'item-not-found' || condition === 'jid-malformed') return 'unknown'
  if (condition === 'not-allowed') return 'full'
  return condition === 'forbidden' && text.includes('banned') ? 'banned' : 'refused'
}

/** Takes another nick. */
export async function register(session: Session, room: JID, nick: string, reason?: string): Promise<void> {
  const fields = { 'muc#register_roomnick': nick, [GROUP + '#reason']: reason?.slice(0, 500) }
  await session.request('set', el(REGISTER, 'query', {}, form(MUC + '#register', fields)), { to: room })
}

/** Is a member no more. */
export async function leave(session: Session, room: JID): Promise<void> {
  await session.request('set', el(REGISTER, 'query', {}, el(REGISTER, 'remove')), { to: room })
}

/** Declines an invitation (XEP-0045 §7.8.2). */
export function declineInvitation(session: Session, room: JID, by: JID): void {
  session.send(message({ to: room, type: 'normal', id: newID() }, el(MUC_USER, 'x', {}, el(MUC_USER, 'decline', { to: by }))))
}

/** Ends a group. */
export async function destroy(session: Session, room: JID, reason?: string): Promise<void> {
  await session.request('set', el(MUC_OWNER, 'query', {}, el(MUC_OWNER, 'destroy', {}, reason ? el(MUC_OWNER, 'reason', {}, reason.slice(0, 500)) : undefined)), { to: room })
}

function linkOf(e: Element): GroupLink[] {
  const [id, expires] = [e.attr('id'), parseTime(e.attr('expires'))]
  const by = parseJID(e.attr('by') ?? '')
  return id && expires ? [{ id, expires, uses: Number(e.attr('uses')) || 0, ...(by ? { by: bare(by) } : {}), ...(e.attr('uri') ? { uri: e.attr('uri') } : {}) }] : []
}

/** Makes an invitation link. */
export async function makeLink(session: Session, room: JID, wanted: { seconds?: number; uses?: number }): Promise<GroupLink> {
  const answer = await session.request('set', el(GROUP, 'link', { uses: wanted.uses, expires: wanted.seconds }), { to: room })
  const link = answer.child('link', GROUP)
  const [made] = link ? linkOf(link) : []
  if (!made?.uri) throw new StanzaError('undefined-condition')
  return made
}

/** The links that still let somebody in. */
export async function links(session: Session, room: JID): Promise<GroupLink[]> {
  return ((await session.request('get', el(GROUP, 'links'), { to: room })).child('links', GROUP)?.children('link') ?? []).slice(0, 100).flatMap(linkOf)
}

/** A link lets nobody in any more. */
export async function revokeLink(session: Session, room: JID, id: string): Promise<void> {
  await session.request('set', el(GROUP, 'revoke', { id }), { to: room })
}

/** Takes an invitation (docs/protocol/groups.md). */
export const accept = (session: Session, room: JID, nick: string): Promise<boolean> => byLink(session, room, undefined, nick)

/** Comes in by a link; true: an administrator has to let us in. Who is called like somebody there gets another nick from the group. */
export async function byLink(session: Session, room: JID, token: string | undefined, nick: string): Promise<boolean> {
  const join = async (called?: string) => !!(await session.request('set', el(GROUP, 'join', { token, nick: called }), { to: room })).child('waits', GROUP)
  try {
    return await join(nick)
  } catch (error) {
    if (error instanceof StanzaError && error.condition === 'conflict') return join()
    throw error
  }
}

/** Becomes a member of an open group, or asks to be let in; true: an administrator has to do that. */
export async function comeIn(session: Session, room: JID, nick: string, reason?: string): Promise<boolean> {
  await register(session, room, nick, reason)
  const answer = await session.request('get', el(REGISTER, 'query'), { to: room })
  return !answer.child('query', REGISTER)?.child('registered')
}

/** Who waits to be let in. */
export async function requests(session: Session, room: JID): Promise<JoinRequest[]> {
  const list = (await session.request('get', el(GROUP, 'requests'), { to: room })).child('requests', GROUP)
  return (list?.children('request') ?? []).slice(0, 200).flatMap((e): JoinRequest[] => {
    const jid = parseJID(e.attr('jid') ?? '')
    return jid ? [{ jid: bare(jid), nick: (e.attr('nick') ?? '').slice(0, 100), time: parseTime(e.attr('stamp')) ?? 0, ...(e.text ? { reason: e.text.slice(0, 2000) } : {}) }] : []
  })
}

/** Who is invited and has not come in yet. */
export async function invitations(session: Session, room: JID): Promise<{ jid: JID; time: Micros }[]> {
  const list = (await session.request('get', el(GROUP, 'invitations'), { to: room })).child('invitations', GROUP)
  return (list?.children('invitation') ?? []).slice(0, 2000).flatMap((e) => {
    const jid = parseJID(e.attr('jid') ?? '')
    return jid ? [{ jid: bare(jid), time: parseTime(e.attr('stamp')) ?? 0 }] : []
  })
}

/** Lets somebody in who waits, or not. */
export async function decide(session: Session, room: JID, person: JID, letIn: boolean): Promise<void> {
  await session.request('set', el(GROUP, 'decide', { jid: person, allow: String(letIn) }), { to: room })
}

/** Who is banned, at most 1,000. */
export async function banned(session: Session, room: JID): Promise<JID[]> {
  const out: JID[] = []
  let after: string | undefined
  do {
    const { items, next } = await listItems(session, room, 'outcast', after)
    out.push(...items.map((i) => i.jid))
    after = next
  } while (after && out.length < MAX_BANNED)
  return out.slice(0, MAX_BANNED)
}

/** Takes a message away by its number in the log. */
export async function moderate(session: Session, room: JID, id: string, reason?: string): Promise<void> {
  await session.request('set', el(MODERATE, 'moderate', { id }, el(RETRACT, 'retract'), reason ? el(MODERATE, 'reason', {}, reason.slice(0, 500)) : undefined), { to: room })
}

/** A page of the groups that can be found. */
export async function findOpen(session: Session, service: string, after?: string): Promise<{ groups: { jid: JID; name: string }[]; next?: string }> {
  const asked = el(DISCO_ITEMS, 'query', {}, el(RSM, 'set', {}, el(RSM, 'max', {}, 50), after !== undefined && el(RSM, 'after', {}, after)))
  const query = (await session.request('get', asked, { to: service })).child('query', DISCO_ITEMS)
  const groups = (query?.children('item') ?? []).slice(0, 100).flatMap((e) => {
    const jid = parseJID(e.attr('jid') ?? '')
    return jid ? [{ jid: bare(jid), name: (e.attr('name') ?? '').slice(0, 100) }] : []
  })
  const last = query?.child('set', RSM)?.textOf('last')
  return { groups, ...(last && groups.length >= 50 ? { next: last } : {}) }
}
