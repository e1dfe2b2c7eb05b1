// The bytes of pictures, voice notes and files. What could not be fetched again (because it has not been uploaded yet) stays; of the rest,
// what was used longest ago makes room when there is too much.

import type { JID, Micros } from '../model.ts'
import type { Change, Database } from './database.ts'

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
  const file = await db.get('files', key)
  if (file && now - file.used > 3600e6) await db.put('files', { ...file, used: now })
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
