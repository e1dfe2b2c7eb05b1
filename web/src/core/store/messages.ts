// The messages of an account: found by any of their names, read in the order of their chat.

import type { Content, JID, Micros } from '../model.ts'
import type { Change, KeptMessage, Look } from './database.ts'
import { get } from './kv.ts'
import { index } from './words.ts'

/** Messages that one page may have. */
export const MAX_PAGE = 500

/** Where a gallery finds a message. */
export type Shelf = 'media' | 'files' | 'links' | 'voice' | 'starred'

const LINK = /\bhttps?:\/\/[^\s<>"]{3,}/i

/** The shelves that a message stands on. */
export function shelvesOf(m: Pick<KeptMessage, 'content' | 'starred' | 'retracted' | 'chat' | 'order'>): KeptMessage['shelves'] {
  const shelves: Shelf[] = []
  const { content } = m
  if (!m.retracted) {
    if (content.type === 'image' || content.type === 'video') shelves.push('media')
    if (content.type === 'file' || content.type === 'audio') shelves.push('files')
    if (content.type === 'voice') shelves.push('voice')
    if (content.type === 'text' && LINK.test(content.text)) shelves.push('links')
    if (m.starred) shelves.push('starred')
  }
  return shelves.map((shelf) => [m.chat, shelf, m.order])
}

/** Keeps a message. `words` says that its text is new or changed. */
export async function put(tx: Change, message: KeptMessage, words: boolean): Promise<void> {
  message.shelves = shelvesOf(message)
  await Promise.all([tx.objectStore('messages').put(message), words && index(tx, message)])
}

/** Takes messages away, with their words. */
export async function drop(tx: Change, ids: string[]): Promise<void> {
  for (const id of ids) {
    await tx.objectStore('messages').delete(id)
    await tx.objectStore('words').delete(id)
  }
}

/** Says whether a person deleted a message with one of these names here, or cleared its chat after it. */
export async function isGone(tx: Look, chat: JID, place: Micros | undefined, names: string[]): Promise<boolean> {
  const cleared = await get(tx, `cleared ${chat}`)
  if (cleared !== undefined && place !== undefined && place <= cleared) return true
  for (const name of names) if (await tx.objectStore('gone').getKey(name) !== undefined) return true
  return false
}

/** The first message with one of these names. */
export async function byNames(tx: Look, names: string[]): Promise<KeptMessage | undefined> {
  const store = tx.objectStore('messages').index('names')
  for (const name of names) {
    const found = await store.get(name)
    if (found) return found
  }
  return undefined
}

/** IndexedDB 3.0: getAll() takes a direction where there is getAllRecords(). */
type Backward = (options: { query: IDBKeyRange; count: number; direction: 'prev' }) => Promise<KeptMessage[]>

/** The nearest `limit` messages of a chat before a place (not including it), oldest first. One request, or three in browsers that read only forward. */
export async function before(tx: Look, chat: JID, place: Micros, limit: number): Promise<KeptMessage[]> {
  if (place === -Infinity || limit < 1) return []
  const index = tx.objectStore('messages').index('place')
  const query = IDBKeyRange.bound([chat, -Infinity], [chat, place], false, true)
  const count = Math.min(limit, MAX_PAGE + 1)
  if ('getAllRecords' in IDBIndex.prototype) return (await (index.getAll as unknown as Backward)({ query, count, direction: 'prev' })).reverse()
  const cursor = await index.openKeyCursor(query, 'prev')
  if (!cursor) return []
  const skip = count - 1
  const first = skip ? await cursor.advance(skip) : cursor
  return index.getAll(IDBKeyRange.bound(first?.key ?? [chat, -Infinity], [chat, place], false, true))
}

/** The nearest `limit` messages of a chat after a place, oldest first; `including` the place itself. */
export async function after(tx: Look, chat: JID, place: Micros, limit: number, including = false): Promise<KeptMessage[]> {
  if (place === Infinity) return []
  const range = IDBKeyRange.bound([chat, place], [chat, Infinity], !including)
  return tx.objectStore('messages').index('place').getAll(range, Math.min(limit, MAX_PAGE))
}

/** Says whether there is a message of a chat before or after a place. */
export async function beyond(tx: Look, chat: JID, place: Micros, side: 'before' | 'after'): Promise<boolean> {
  if (place === (side === 'before' ? -Infinity : Infinity)) return false
  const range = side === 'before' ? IDBKeyRange.bound([chat, -Infinity], [chat, place], false, true) : IDBKeyRange.bound([chat, place], [chat, Infinity], true)
  return await tx.objectStore('messages').index('place').getKey(range) !== undefined
}

/** What stands on a shelf of a chat before a place, newest first. */
export async function onShelf(tx: Look, chat: JID, shelf: Shelf, place: Micros, limit: number): Promise<KeptMessage[]> {
  const range = IDBKeyRange.bound([chat, shelf, -Infinity], [chat, shelf, place], false, true)
  const out: KeptMessage[] = []
  let cursor = await tx.objectStore('messages').index('shelves').openCursor(range, 'prev')
  for (; cursor && out.length < limit; cursor = await cursor.continue()) out.push(cursor.value)
  return out
}

/** A place in a chat that no other message has: at `wanted`, or right after what stands there. */
export async function freePlace(tx: Look, chat: JID, wanted: Micros): Promise<Micros> {
  let place = wanted
  for (let tries = 0; tries < 1000; tries++, place++) {
    if (await tx.objectStore('messages').index('place').getKey([chat, place]) === undefined) return place
  }
  return place
}

/** The place of the newest message of a chat, undefined if there is none. */
export async function newestPlace(tx: Look, chat: JID): Promise<Micros | undefined> {
  const cursor = await tx.objectStore('messages').index('place').openKeyCursor(IDBKeyRange.bound([chat, -Infinity], [chat, Infinity]), 'prev')
  return (cursor?.key as [JID, Micros] | undefined)?.[1]
}

/** Says whether a message of ours has not left: it waits, or a person has to decide. */
export const waits = (m: Pick<KeptMessage, 'own' | 'state'>): boolean => m.own && (m.state === 'waiting' || m.state === 'failed')

/** The media of a content. */
export const mediaOf = (content: Content) => 'media' in content ? content.media : content.type === 'once' ? content.file : undefined
