// The first picture: what the list of chats showed last, read with nothing but IndexedDB itself, so that it is there before the engine is
// loaded (WEB.md §2.4). It never makes or changes a database.

import type { Chat } from '../model.ts'
import type { Account } from './accounts.ts'
import { databaseName, registryName } from './called.ts'
import type { Snapshot } from './chats.ts'

/** Opens a database that is there; undefined when it is not, or cannot be read. */
function openExisting(name: string): Promise<IDBDatabase | undefined> {
  return new Promise((done) => {
    const request = indexedDB.open(name)
    request.onupgradeneeded = () => request.transaction?.abort()
    request.onsuccess = () => done(request.result)
    request.onerror = (event) => { event.preventDefault(); done(undefined) }
    request.onblocked = () => done(undefined)
  })
}

async function read<T>(name: string, store: string, ask: (store: IDBObjectStore) => IDBRequest): Promise<T | undefined> {
  const db = await openExisting(name)
  if (!db) return undefined
  try {
    if (!db.objectStoreNames.contains(store)) return undefined
    return await new Promise((done) => {
      const request = ask(db.transaction(store).objectStore(store))
      request.onsuccess = () => done(request.result as T)
      request.onerror = () => done(undefined)
    })
  } finally { db.close() }
}

/** firstChats are the chats that the list of the account in use showed last; undefined when nobody is signed in, or nothing was kept. */
export async function firstChats(): Promise<Chat[] | undefined> {
  try {
    const accounts = await read<Account[]>(registryName, 'accounts', (store) => store.getAll())
    const account = accounts?.filter((a) => !a.signedOut).sort((a, b) => b.used - a.used)[0]
    return account && (await read<Snapshot>(databaseName(account.jid), 'kv', (store) => store.get('top')))?.chats
  } catch { return undefined }
}
