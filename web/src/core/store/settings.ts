// What a person decided about chats, with when: what is shown stands in the chats, and this is what other devices are told and what is compared with
// what they tell. Chats that are not told yet are on a list, which is written in the same step as the decision.

import { isBroadcast, type Chat, type JID, type Micros } from '../model.ts'
import { decide, fieldsOf, isSame, merge, SHARED, type Decisions } from '../xmpp/settings.ts'
import type { Change, Database, Look } from './database.ts'

/** Chats whose decisions are kept; beyond, a decision holds on this device alone. */
export const MAX_DECIDED = 10_000
const UNTOLD = 'settings untold'
const nameOf = (jid: JID) => `settings ${jid}` as const

/** The decisions about a chat. */
export const decisionsOf = async (from: Look | Database, jid: JID): Promise<Decisions> =>
  (('close' in from ? await from.get('kv', nameOf(jid)) : await from.objectStore('kv').get(nameOf(jid))) as Decisions | undefined) ?? {}

/** Chats about which something was decided that the server does not know yet. */
export const untold = async (from: Look | Database): Promise<JID[]> =>
  (('close' in from ? await from.get('kv', UNTOLD) : await from.objectStore('kv').get(UNTOLD)) as JID[] | undefined) ?? []

async function mark(tx: Change, jid: JID, is: boolean): Promise<boolean> {
  const list = await untold(tx)
  if (list.includes(jid) === is) return is
  if (is && list.length >= MAX_DECIDED) return false
  await tx.objectStore('kv').put(is ? [...list, jid] : list.filter((one) => one !== jid), UNTOLD)
  return is
}

/** Notes what a person decided, in the step that changes the chat. Gives whether there is something to tell. */
export async function noteDecided(tx: Change, before: Chat, fields: Partial<Chat>, now: Micros): Promise<boolean> {
  const changed = Object.fromEntries(SHARED.filter((name) => name in fields && !isSame(fields[name], before[name])).map((name) => [name, fields[name]]))
  if (!Object.keys(changed).length) return false
  const known = await decisionsOf(tx, before.jid)
  // A decision comes after the one that it changes, also where the clock says otherwise.
  const at = Math.max(now, ...SHARED.map((name) => name in changed ? (known[name]?.at ?? 0) + 1 : 0))
  await tx.objectStore('kv').put({ ...known, ...decide(changed as Partial<Chat>, at) }, nameOf(before.jid))
  return mark(tx, before.jid, true)
}

/** Takes what another device or app decided. Gives whether the chat changed, whether something of ours is newer and
 * has to be told, and up to where the chat is to be cleared, if that is further than it was. */
export async function takeDecided(tx: Change, jid: JID, told: Decisions): Promise<{ changed: boolean; newer: boolean; cleared?: Micros }> {
  const before = await decisionsOf(tx, jid)
  const { all, newer } = merge(before, told)
  const cleared = Number(all.cleared?.value ?? 0)
  await tx.objectStore('kv').put(all, nameOf(jid))
  await mark(tx, jid, newer)
  const fields = fieldsOf(all)
  const known = await tx.objectStore('chats').get(jid)
  const chat = known ?? (isBroadcast(jid) && fields.to ? blank(jid, all) : undefined)
  const changed = !!chat && (!known || SHARED.some((name) => name in fields && !isSame(fields[name], chat[name])))
  if (chat && changed) await (isBroadcast(jid) && !fields.to ? tx.objectStore('chats').delete(jid) : tx.objectStore('chats').put(withDecided(chat, all)))
  return { changed, newer, ...(cleared > Number(before.cleared?.value ?? 0) ? { cleared } : {}) }
}

/** A broadcast list that was made on another device. */
const blank = (jid: JID, { to }: Decisions): Chat => ({ jid, kind: 'broadcast', name: jid, time: to?.at ?? 0, unread: 0, protection: 'omemo' })

/** A chat with what was decided about it. */
export function withDecided(chat: Chat, decisions: Decisions): Chat {
  const out = { ...chat, ...fieldsOf(decisions) }
  for (const name of SHARED) if (!out[name]) delete out[name]
  if (out.accepted) delete out.request
  return isBroadcast(chat.jid) ? { ...out, kind: 'broadcast', name: out.title ?? chat.name } : out
}

/** The server knows these decisions; what was decided meanwhile is still to be told. */
export async function wasTold(tx: Change, jid: JID, told: Decisions): Promise<void> {
  if (JSON.stringify(await decisionsOf(tx, jid), readable) === JSON.stringify(told, readable)) await mark(tx, jid, false)
}

/** JSON has no Infinity. */
const readable = (_: string, value: unknown): unknown => value === Infinity ? 'always' : value
