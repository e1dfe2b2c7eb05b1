// What a change of a group does here: who is in it and how, its name and settings, and the line that says so in the chat. The log has the changes in one
// order, and each says how things stand from then on, so that the same change may come twice, and older ones than what is known make lines alone.

import type { Group, GroupLine, GroupSettings } from '../groups.ts'
import type { Chat, JID, Micros } from '../model.ts'
import { nameFor, previewOf, refreshLast } from '../store/chats.ts'
import type { KeptMessage } from '../store/database.ts'
import { choicesOf, get } from '../store/kv.ts'
import { countMembers, memberOf, putMember } from '../store/members.ts'
import { byNames, drop, freePlace, isGone, put } from '../store/messages.ts'
import { archiveName } from '../store/names.ts'
import { isKnown } from '../store/requests.ts'
import type { GroupChange, Stands } from '../xmpp/groups.ts'
import { closed } from '../xmpp/groups.ts'
import { domain, local } from '../xmpp/jid.ts'
import { followStays } from './acts.ts'
import { archivePlace, freshId, type Step } from './apply.ts'
import type { Letter, Said } from './said.ts'

/** People that one line names. */
const MAX_NAMED = 10

/** Groups of a community that are remembered. */
const MAX_INSIDE = 500

/** One line of a chat. */
interface Line { key: GroupLine; by?: JID; who?: Stands[]; values?: Record<string, string> }

/** The chat of a group, made in memory if there is none yet. */
export async function groupChat(step: Step, jid: JID): Promise<Chat & { group: Group }> {
  const known = await step.tx.objectStore('chats').get(jid)
  const group = known?.group ?? { members: 0, affiliation: 'none', settings: closed, version: 0 }
  return known ? { ...known, kind: 'group', group } : { jid, kind: 'group', name: nameFor(jid), time: 0, unread: 0, protection: 'omemo', group }
}

/** How messages of a group are protected: what everybody may read, or nobody knows who reads, is not encrypted. */
export const protectionOf = ({ private: closed, anonymous }: GroupSettings): Chat['protection'] => closed && !anonymous ? 'omemo' : 'none'

/** Does what a change says, and puts its lines into the chat. */
export async function changeGroup(step: Step, letter: Letter, change: GroupChange): Promise<void> {
  const id = archivePlace(letter.archived)
  if (!id) return
  const chat = await groupChat(step, letter.chat)
  const lines = linesOf(chat, change, id > chat.group.version)
  if (id > chat.group.version) await follow(step, chat, change, id)
  await followStays(step, chat.jid, id, change)
  for (const [i, line] of lines.entries()) await putLine(step, chat, line, letter, id, i)
  if (change.by !== step.account && change.who.some((one) => one.jid === step.account && !isIn(one.was) && isIn(one.affiliation))) await unsay(step, chat)
  await step.tx.objectStore('chats').put(chat)
  step.changes.chat(chat.jid)
}

/** Brings what is known of a group to what a change says. */
async function follow(step: Step, chat: Chat & { group: Group }, change: GroupChange, id: Micros): Promise<void> {
  const group = chat.group = { ...chat.group, version: id }
  for (const one of change.who) {
    await putMember(step.tx, chat.jid, one.jid, one.affiliation, one.nick)
    if (one.jid === step.account) await stand(step, chat, change, one)
  }
  if (change.who.length) {
    const grown = change.who.reduce((sum, { was, affiliation }) => sum + Number(isIn(affiliation)) - Number(isIn(was)), 0)
    group.members = await get(step.tx, `members ${chat.jid}`) ? await countMembers(step.tx, chat.jid) : Math.max(0, group.members + grown)
  }
  if (change.what === 'community') belong(chat, change.jid)
  if (change.jid && change.what === 'group-added') group.inside = [...new Set([...group.inside ?? [], change.jid])].slice(-MAX_INSIDE)
  if (change.jid && change.what === 'group-removed') group.inside = (group.inside ?? []).filter((jid) => jid !== change.jid)
  if (change.what === 'picture') show(chat, change.hash)
  if (change.what === 'destroyed') end(chat, { how: 'destroyed', ...(change.by ? { by: change.by } : {}), ...(change.reason ? { reason: change.reason } : {}), ...(change.instead ? { instead: change.instead } : {}) })
  if (!change.settings) return
  group.settings = change.settings
  if (change.name) chat.name = change.name
  if (change.description) group.description = change.description
  else delete group.description
  chat.protection = group.large ? 'none' : protectionOf(change.settings)
}

/** We said something in a group: in a slow one we wait before we say more. What waited for its number goes on. */
export function spoke(step: Step, group: Group, at: Micros): void {
  step.changes.mark('outbox')
  if (group.settings.slow && group.affiliation === 'member') group.nextAt = at + group.settings.slow * 1e6
}

/** The group has another picture, or none; the picture itself is fetched when there is a connection. */
export function show(chat: Chat & { group: Group }, picture: string | undefined): void {
  if (picture) chat.group.picture = picture
  else {
    delete chat.group.picture
    delete chat.avatar
  }
}

/** The group belongs to a community, or to none. */
export function belong({ group }: Chat & { group: Group }, community: JID | undefined): void {
  if (community) group.community = community
  else delete group.community
}

/** Says whether somebody who stands so is in the group. */
export const isIn = (affiliation: Group['affiliation']): boolean => affiliation === 'owner' || affiliation === 'admin' || affiliation === 'member'

/** How we stand with the group ourselves. Who was added by a stranger is asked first, where a person wants that. */
async function stand(step: Step, chat: Chat & { group: Group }, { by }: GroupChange, { affiliation, was, nick }: Stands): Promise<void> {
  const { group } = chat
  group.affiliation = affiliation
  if (nick) group.nick = nick
  if (!isIn(affiliation)) return end(chat, { how: affiliation === 'outcast' ? 'banned' : by === step.account ? 'left' : 'removed', ...(by ? { by } : {}) })
  delete group.ended
  if (by === step.account) delete group.invited
  if (isIn(was) || !by || by === step.account) return
  group.invited = { ...group.invited, by }
  if (await isStranger(step, chat, by)) chat.request = true
}

/** Somebody invites us to a group of our server. Who was made a member by that knows it by the group's log; for who was not it stands in the list of chats
 * until they come in, or decline. */
export async function invited(step: Step, letter: Letter, { room, by, reason, name }: Said & { what: 'invite' }): Promise<void> {
  if (letter.old || !domain(room).endsWith('.' + domain(step.account)) || by === step.account) return
  const chat = await groupChat(step, room)
  const { group } = chat
  if (isIn(group.affiliation)) {
    if (!group.invited || !reason) return
    group.invited = { by, reason }
  } else {
    if (letter.time <= chat.time) return
    group.invited = { by, ...(reason ? { reason } : {}) }
    delete group.ended
    if (name) chat.name = name
    if (await isStranger(step, chat, by)) chat.request = true
    const line = await putLine(step, chat, { key: 'group-invited', by, values: { reason: reason ?? '' } }, letter, archivePlace(letter.archived) ?? letter.time, 0)
    if (line) group.invited.line = line
    chat.markedUnread = true
  }
  await step.tx.objectStore('chats').put(chat)
  step.changes.chat(room)
}

/** Who invited us has added us: the line about that says all. */
async function unsay(step: Step, chat: Chat & { group: Group }): Promise<void> {
  const line = chat.group.invited?.line
  if (!line) return
  delete chat.group.invited?.line
  await drop(step.tx, [line])
  step.changes.message(chat.jid, line)
  if (chat.last?.id === line) await refreshLast(step.tx, chat)
}

const isStranger = async (step: Step, chat: Chat, by: JID): Promise<boolean> =>
  !chat.accepted && !(await choicesOf(step.tx)).strangers && !isKnown(await step.tx.objectStore('contacts').get(by))

function end(chat: Chat & { group: Group }, ended: NonNullable<Group['ended']>): void {
  chat.group.ended = ended
  delete chat.group.invited
  delete chat.request
}

/** What a change says in lines. `fresh`: it is newer than what is known, so that settings can be compared with those before. */
function linesOf(chat: Chat & { group: Group }, change: GroupChange, fresh: boolean): Line[] {
  const { what, by } = change
  const who = (key: GroupLine, people: Stands[]): Line[] => people.length ? [{ key, by, who: people }] : []
  switch (what) {
    case 'made': return [{ key: 'group-made', by }]
    case 'destroyed': return [{ key: 'group-ended', by, values: { reason: change.reason ?? '' } }]
    case 'link-made': return [{ key: 'group-link', by }]
    case 'link-revoked': return [{ key: 'group-unlink', by }]
    case 'subject': return [{ key: 'group-subject', by, values: { subject: change.name ?? '' } }]
    case 'picture': return [{ key: 'group-picture', by }]
    // Told again when something else holds of who comes into it.
    case 'group-added': return fresh && change.jid && chat.group.inside?.includes(change.jid) ? [] : [{ key: 'group-inside', by, values: { name: change.name ?? '' } }]
    case 'group-removed': return [{ key: 'group-outside', by, values: { name: change.name ?? (change.jid && local(change.jid)) ?? '' } }]
    case 'community': return [{ key: change.jid ? 'group-community' : 'group-alone', by }]
    case 'nick': return change.who.map((one) => ({ key: 'group-nick', who: [one], values: { was: change.was ?? '', nick: one.nick ?? '' } }))
    case 'settings': return fresh ? settingLines(chat, change) : []
  }
  const came = change.who.filter((w) => !isIn(w.was) && isIn(w.affiliation))
  const went = change.who.filter((w) => isIn(w.was) && w.affiliation === 'none')
  const stay = change.who.filter((w) => isIn(w.was) && isIn(w.affiliation) && w.was !== w.affiliation)
  const as = (affiliation: Stands['affiliation']) => [...stay, ...came.filter(() => affiliation !== 'member')].filter((w) => w.affiliation === affiliation)
  return [
    ...who('group-joined', came.filter((w) => w.jid === by)), ...who('group-added', came.filter((w) => w.jid !== by)),
    ...who('group-left', went.filter((w) => w.jid === by)), ...who('group-removed', went.filter((w) => w.jid !== by)),
    ...who('group-invites', change.who.filter((w) => w.invited)),
    ...who('group-banned', change.who.filter((w) => w.affiliation === 'outcast')), ...who('group-unbanned', change.who.filter((w) => w.was === 'outcast' && w.affiliation === 'none')),
    ...who('group-owner', as('owner')), ...who('group-admin', as('admin')), ...who('group-member', as('member')),
  ]
}

/** One line for each setting that is not as it was. */
function settingLines(chat: Chat & { group: Group }, { by, name, description, settings }: GroupChange): Line[] {
  const { group } = chat
  const lines: Line[] = []
  const say = (changed: boolean, key: GroupLine, values?: Record<string, string>) => { if (changed) lines.push({ key, by, ...(values ? { values } : {}) }) }
  if (name) say(name !== chat.name && group.version > 0, 'group-name', { name })
  say((description ?? '') !== (group.description ?? '') && group.version > 0, 'group-description')
  if (!settings) return lines
  const before = group.settings
  say(settings.writes !== before.writes, `group-writes-${settings.writes}`)
  if (!group.version) return lines
  say(settings.adds !== before.adds, `group-adds-${settings.adds}`)
  say(settings.edits !== before.edits, `group-edits-${settings.edits}`)
  say(settings.approval !== before.approval, settings.approval ? 'group-approval-on' : 'group-approval-off')
  say(settings.history !== before.history, settings.history ? 'group-history-on' : 'group-history-off')
  if (settings.slow !== before.slow) lines.push(settings.slow ? { key: 'group-slow', by, values: { seconds: String(settings.slow) } } : { key: 'group-slow-off', by })
  say(settings.listed !== before.listed, settings.listed ? 'group-listed' : 'group-unlisted')
  say(settings.anonymous !== before.anonymous, settings.anonymous ? 'group-veiled' : 'group-unveiled')
  say(protectionOf(settings) !== protectionOf(before), protectionOf(settings) === 'omemo' ? 'group-private' : 'group-open')
  return lines
}

/** Puts a line where its entry stands in the log; of several the others come right behind it. Gives its id, undefined if it stands there already. */
export async function putLine(step: Step, chat: Chat, line: Line, letter: Letter, id: Micros, nth: number): Promise<string | undefined> {
  const { tx } = step
  const name = nth ? `${archiveName(String(id))} ${nth}` : archiveName(String(id))
  if (await byNames(tx, [name]) || await isGone(tx, chat.jid, id, [name])) return undefined
  const who = (line.who ?? []).slice(0, MAX_NAMED)
  const names = await Promise.all(who.map((one) => nameIn(step, chat.jid, one.jid, one.nick)))
  const values = {
    ...line.values, ...(line.by ? { by: await nameIn(step, chat.jid, line.by) } : {}),
    ...(line.who ? { who: names.join(', '), more: String(line.who.length - who.length || '') } : {}),
  }
  const message: KeptMessage = {
    id: freshId(), chat: chat.jid, order: await freePlace(tx, chat.jid, id + nth), time: letter.time, from: line.by ?? chat.jid, own: false,
    content: { type: 'system', key: line.key, values, ...(line.by ? { by: line.by } : {}), ...(who.length ? { who: who.map((one) => one.jid) } : {}) },
    names: [name], shelves: [], protection: chat.protection, ...(nth || !letter.group ? {} : { stanzaId: String(id), archiveId: id }),
  }
  await put(tx, message, false)
  step.changes.message(chat.jid, message.id)
  if (message.time < chat.time) return message.id
  chat.last = previewOf(message)
  chat.time = message.time
  return message.id
}

/** What to call somebody in a line: as we call them, else as the group does. */
export async function nameIn(step: Pick<Step, 'tx'>, group: JID, jid: JID, nick?: string): Promise<string> {
  const contact = await step.tx.objectStore('contacts').get(jid)
  return contact?.name || nick || (await memberOf(step.tx, group, jid))?.nick || nameFor(jid, contact)
}
