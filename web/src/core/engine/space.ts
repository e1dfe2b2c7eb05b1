// What is kept on this device, by chat, by kind and file by file, and how it is given back. What exists nowhere else (not sent yet, or a sticker that
// somebody keeps) is never taken by this; messages stay whatever goes.

import type { FileKind, JID, LargeFile, Space, Storage } from '../model.ts'
import { change, look, type Database, type KeptMessage } from '../store/database.ts'
import { dropFile, measure, type KeptFile } from '../store/files.ts'
import { mediaOf } from '../store/messages.ts'

/** Files that are named one by one. */
const LARGEST = 30
/** Messages of one chat that are looked through for the name of a file. */
const LOOKED = 5000

/** What a file is, as people sort them. */
export function kindOf({ key, mime }: Pick<KeptFile, 'key' | 'mime'>): FileKind {
  if (key.startsWith('sticker ')) return 'sticker'
  if (/^(avatar|part) /.test(key)) return 'other'
  if (mime.startsWith('image/')) return 'image'
  if (mime.startsWith('video/')) return 'video'
  return mime.startsWith('audio/') ? 'voice' : 'file'
}

/** What is kept on this device: the chat and the kind with the most bytes first, and the largest files. */
export async function storageOf(db: Database): Promise<Storage> {
  const { chats, used, quota, persistent, bytes, messages } = await measure(db, globalThis.navigator?.storage)
  const rows: Storage['chats'] = []
  for (const { jid } of await db.getAll('chats')) {
    const count = await db.countFromIndex('messages', 'place', IDBKeyRange.bound([jid, -Infinity], [jid, Infinity]))
    const of = chats[jid]
    if (count || of) rows.push({ jid, messages: count, media: of?.files ?? 0, bytes: of?.bytes ?? 0 })
  }
  rows.sort((a, b) => b.bytes - a.bytes || b.messages - a.messages)
  const { kinds, large } = await sorted(db)
  return { used: used ?? bytes, quota: quota ?? 0, persistent: persistent ?? false, chats: rows, messages, kinds, largest: await named(db, large) }
}

async function sorted(db: Database): Promise<{ kinds: Storage['kinds']; large: KeptFile[] }> {
  const kinds = new Map<FileKind, Storage['kinds'][number]>()
  let large: KeptFile[] = []
  for (let c = await db.transaction('files').store.openCursor(); c; c = await c.continue()) {
    const { value: file } = c
    const kind = kindOf(file)
    const of = kinds.get(kind) ?? { kind, files: 0, bytes: 0, stays: 0 }
    kinds.set(kind, { kind, files: of.files + 1, bytes: of.bytes + file.size, stays: of.stays + (file.only ? file.size : 0) })
    if (kind === 'sticker' || kind === 'other') continue
    large.push(file)
    if (large.length > 4 * LARGEST) large = largest(large)
  }
  return { kinds: [...kinds.values()].sort((a, b) => b.bytes - a.bytes), large: largest(large) }
}

const largest = (files: KeptFile[]): KeptFile[] => files.sort((a, b) => b.size - a.size).slice(0, LARGEST)

/** The files with the messages that they are of, as far as these are found. */
async function named(db: Database, files: KeptFile[]): Promise<LargeFile[]> {
  const found = new Map<string, Pick<LargeFile, 'name' | 'message' | 'time'>>()
  const chats = new Map<JID, Set<string>>()
  for (const { key, chat } of files) if (chat) chats.set(chat, (chats.get(chat) ?? new Set()).add(key))
  const note = ({ id, time, content }: KeptMessage) => {
    const media = mediaOf(content)
    if (media) found.set(media.key, { name: media.name, message: id, time })
  }
  for (const { key, chat } of files) { // of our own messages the key says which
    const message = key.startsWith('m ') ? await db.get('messages', key.slice(2)) : undefined
    if (message && chat && chats.get(chat)?.delete(key)) note(message)
  }
  for (const [chat, wanted] of chats) {
    const range = IDBKeyRange.bound([chat], [chat, []])
    let cursor = await look(db, ['messages']).objectStore('messages').index('shelves').openCursor(range, 'prev')
    for (let looked = 0; cursor && wanted.size && looked < LOOKED; looked++, cursor = await cursor.continue()) {
      if (wanted.delete(mediaOf(cursor.value.content)?.key ?? '')) note(cursor.value)
    }
  }
  return files.map((file) => ({ key: file.key, kind: kindOf(file), bytes: file.size, only: file.only, ...(file.chat ? { chat: file.chat } : {}), ...found.get(file.key) }))
}

/** Gives space back: the files of a chat, of a kind, or those named, as far as they can be fetched again. Gives how many bytes went. */
export function free(db: Database, { chat, kind, keys }: Space): Promise<number> {
  return change(db, ['files', 'blobs'], async (tx) => {
    let freed = 0
    const store = tx.objectStore('files')
    const drop = async (file: KeptFile | undefined) => {
      if (!file || file.only || (kind && kindOf(file) !== kind)) return
      freed += file.size
      await dropFile(tx, file.key)
    }
    if (keys) for (const key of keys.slice(0, LARGEST)) await drop(await store.get(key))
    else if (chat) for (const file of await store.index('chat').getAll(chat)) await drop(file)
    else if (kind) for (let c = await store.openCursor(); c; c = await c.continue()) await drop(c.value)
    return freed
  })
}
