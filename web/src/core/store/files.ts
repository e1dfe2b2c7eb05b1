// The bytes of pictures, voice notes and files. What could not be fetched again (because it has not been uploaded yet) stays; of the rest,
// what was used longest ago makes room when there is too much.

import type { MediaKey } from '../crypto/types.ts'
import type { JID, Micros } from '../model.ts'
import { change, type Change, type Database } from './database.ts'

/**
 * Where the bytes under a key are going, noted before the first of them leaves: with it an upload goes on after a restart. It is a part of the file's
 * row, so it goes when the file goes, and never belongs to other bytes than those that it was made for.
 */
export interface Destination {
  /** Where to put them, and where others get them (XEP-0363). */
  slot: { put: string; get: string; headers: Record<string, string> }
  /** With what they are encrypted: the same bytes and the same key give the same encrypted bytes. */
  secret?: MediaKey
}

/** What is known of the bytes under a key. */
export interface KeptFile {
  key: string
  size: number
  mime: string
  chat?: JID
  /** They are nowhere else: never removed by themselves. */
  only: boolean
  /** When they were last looked at. */
  used: Micros
  upload?: Destination
}

/** Keeps bytes in this step. */
export async function keepFile(tx: Change, file: Omit<KeptFile, 'size' | 'mime'>, blob: Blob): Promise<void> {
  await tx.objectStore('files').put({ ...file, size: blob.size, mime: blob.type })
  await tx.objectStore('blobs').put(blob, file.key)
}

/** The bytes, undefined if they are not here. */
export const readFile = (db: Database, key: string): Promise<Blob | undefined> => db.get('blobs', key)

/** Notes that bytes were looked at: they make room later. At most once an hour for each. */
export async function useFile(db: Database, key: string, now: Micros): Promise<void> {
  const before = await db.get('files', key)
  if (before && now - before.used > 3600e6) await alterFile(db, key, (file) => ({ ...file, used: now }), 'relaxed')
}

/** Changes what is known of the bytes under a key, if there are any. */
export async function alterFile(db: Database, key: string, work: (file: KeptFile) => KeptFile, durability: 'strict' | 'relaxed' = 'strict'): Promise<void> {
  await change(db, ['files'], async (tx) => {
    const file = await tx.objectStore('files').get(key)
    if (file) await tx.objectStore('files').put(work(file))
  }, durability)
}

/** Removes bytes in this step. */
export async function dropFile(tx: Change, key: string): Promise<void> {
  await tx.objectStore('files').delete(key)
  await tx.objectStore('blobs').delete(key)
}

/** Removes what was used longest ago, of what can be fetched again, until at most `bound` bytes are left. Gives how many bytes went. */
export async function makeRoom(tx: Change, bound: number): Promise<number> {
  const store = tx.objectStore('files')
  let total = 0
  for (let c = await store.openCursor(); c; c = await c.continue()) total += c.value.size
  let freed = 0
  for (let c = await store.index('used').openCursor(); c && total - freed > bound; c = await c.continue()) {
    if (c.value.only) continue
    freed += c.value.size
    await tx.objectStore('blobs').delete(c.value.key)
    await c.delete()
  }
  return freed
}

/** What an account's data takes on this device. */
export interface Sizes {
  /** By chat, '' for what belongs to none: bytes of media and how many files. */
  chats: Record<JID, { files: number; bytes: number }>
  files: number
  bytes: number
  messages: number
  waiting: number
  /** What the browser says of the whole site: used, allowed; undefined where it does not tell. */
  used?: number
  quota?: number
  /** The browser promises not to remove it by itself. */
  persistent?: boolean
}

/** Measures it. */
export async function measure(db: Database, storage: StorageManager | undefined): Promise<Sizes> {
  const sizes: Sizes = { chats: {}, files: 0, bytes: 0, messages: await db.count('messages'), waiting: await db.count('outbox') }
  for (let c = await db.transaction('files').store.openCursor(); c; c = await c.continue()) {
    const of = sizes.chats[c.value.chat ?? ''] ??= { files: 0, bytes: 0 }
    of.files++
    of.bytes += c.value.size
    sizes.files++
    sizes.bytes += c.value.size
  }
  const estimate = await storage?.estimate?.().catch(() => undefined)
  const persistent = await storage?.persisted?.().catch(() => undefined)
  return { ...sizes, used: estimate?.usage, quota: estimate?.quota, persistent }
}
