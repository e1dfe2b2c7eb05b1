// The chats of an account, and the first picture of their list.

import type { Chat, Contact, JID, Preview } from '../model.ts'
import type { Change, Database, KeptMessage, Look } from './database.ts'
import { isMoney, sayShortly } from './preview.ts'
import { decisionsOf, withDecided } from './settings.ts'

/** Chats that a list may have. */
export const MAX_CHATS = 10_000
/** Rows of the snapshot. */
const TOP = 30

/** What the list showed last: drawn before anything else is read. */
export interface Snapshot { chats: Chat[] }

/** The order of the list: pinned first, by when they were pinned; then by time. */
export const inOrder = (a: Chat, b: Chat): number => (b.pinned ?? 0) - (a.pinned ?? 0) || b.time - a.time

/** All chats, in order. */
export async function allChats(db: Database): Promise<Chat[]> {
  return (await db.getAll('chats', null, MAX_CHATS)).sort(inOrder)
}

/** A chat, made in memory if there is none yet. */
export async function chatFor(tx: Look, jid: JID, account: JID, time = 0): Promise<Chat> {
  const known = await tx.objectStore('chats').get(jid)
  if (known) return known
  const contact = await tx.objectStore('contacts').get(jid)
  const chat: Chat = { jid, kind: jid === account ? 'self' : 'person', name: nameFor(jid, contact), time, unread: 0, protection: 'omemo', ...(contact?.avatar ? { avatar: contact.avatar } : {}) }
  // Decided on another device, before there was anything of it here.
  return tx.objectStoreNames.contains('kv') ? withDecided(chat, await decisionsOf(tx, jid)) : chat
}

/** What to call an address. */
export const nameFor = (jid: JID, contact?: Contact): string => contact?.name || contact?.nick || jid.split('@')[0] || jid

/** What the list shows of a message. */
export function previewOf(message: KeptMessage): Preview {
  const { id, from, own, content, retracted, author } = message
  const state = isMoney(content) ? undefined : message.state // how far a payment has come, is no state of a message
  return { id, from, own, text: retracted ? '' : sayShortly(content), content: retracted ? 'system' : content.type, ...(state ? { state } : {}), ...(author ? { author } : {}), ...lineOf(message) }
}

/** What a line of a group says. */
function lineOf({ content, retracted }: KeptMessage): Pick<Preview, 'line'> {
  if (retracted || content.type !== 'system' || !content.key.startsWith('group-')) return {}
  const { type: _, ...line } = content
  return { line }
}

/** Puts the newest message of a chat into its row; without any, the row stays with its time. */
export async function refreshLast(tx: Change, chat: Chat): Promise<void> {
  const range = IDBKeyRange.bound([chat.jid, -Infinity], [chat.jid, Infinity])
  const newest = await tx.objectStore('messages').index('place').openCursor(range, 'prev')
  if (newest) {
    chat.last = previewOf(newest.value)
    chat.time = Math.max(newest.value.time, chat.draft?.time ?? 0)
  } else delete chat.last
}

/** Counts what others said after a place, at most 1000, and says what of it mentions us. */
export async function countUnread(tx: Look, chat: Chat): Promise<Pick<Chat, 'unread' | 'mentioned' | 'calls'>> {
  const range = IDBKeyRange.bound([chat.jid, chat.readUpTo ?? -Infinity], [chat.jid, Infinity], true)
  let unread = 0
  let calls: Chat['calls']
  let cursor = await tx.objectStore('messages').index('place').openCursor(range, 'prev')
  for (let looked = 0; cursor && unread < 1000 && looked < 5000; looked++, cursor = await cursor.continue()) {
    if (!counts(cursor.value)) continue
    unread++
    if (cursor.value.calls) calls = { count: (calls?.count ?? 0) + 1, first: cursor.value.id }
  }
  return { unread, mentioned: !!calls, calls }
}

/** Says whether a message is something new to read. */
export const counts = (m: KeptMessage): boolean => !m.own && !m.retracted && m.content.type !== 'system'

/** Keeps the first rows of the list for the next start. */
export async function snapshot(db: Database, chats: Chat[]): Promise<void> {
  const top: Snapshot = { chats: chats.filter((c) => !c.archived).slice(0, TOP) }
  await db.put('kv', top, 'top')
}
