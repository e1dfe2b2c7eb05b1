// What is read with nothing but IndexedDB itself: the first picture, which is there before the engine is loaded (WEB.md §2.4), and what the
// service worker must know when it is woken. It never makes a database.

import type { Chat, Choices, Contact, JID, Micros } from '../model.ts'
import type { Account } from './accounts.ts'
import { databaseName, registryName } from './called.ts'
import type { KeptChannel } from './channels.ts'
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

async function ask<T>(name: string, store: string, mode: IDBTransactionMode, question: (store: IDBObjectStore) => IDBRequest): Promise<T | undefined> {
  const db = await openExisting(name)
  if (!db) return undefined
  try {
    if (!db.objectStoreNames.contains(store)) return undefined
    return await new Promise((done) => {
      const request = question(db.transaction(store, mode).objectStore(store))
      request.onsuccess = () => done(request.result as T)
      request.onerror = () => done(undefined)
    })
  } finally { db.close() }
}

/** accountsHere are the accounts that are signed in on this device, the one used last first; none when that cannot be read. */
export async function accountsHere(): Promise<Account[]> {
  const all = await ask<Account[]>(registryName, 'accounts', 'readonly', (store) => store.getAll()).catch(() => undefined)
  return (all ?? []).filter((a) => !a.signedOut).sort((a, b) => b.used - a.used)
}

/** firstChats are the chats that the list of the account in use showed last; undefined when nobody is signed in, or nothing was kept. */
export async function firstChats(): Promise<Chat[] | undefined> {
  try {
    const [account] = await accountsHere()
    return account && (await ask<Snapshot>(databaseName(account.jid), 'kv', 'readonly', (store) => store.get('top')))?.chats
  } catch { return undefined }
}

/** chatsHere are all chats of an account; none when they cannot be read. */
export async function chatsHere(account: JID): Promise<Chat[]> {
  return await ask<Chat[]>(databaseName(account), 'chats', 'readonly', (store) => store.getAll()).catch(() => undefined) ?? []
}

/** contactsHere are the contacts of an account; none when they cannot be read. */
export async function contactsHere(account: JID): Promise<Contact[]> {
  const all = await ask<Contact[]>(databaseName(account), 'contacts', 'readonly', (store) => store.getAll()).catch(() => undefined)
  return (all ?? []).filter((c) => c.subscription !== 'none')
}

/** A channel that an account follows, as a notification shows it. */
export interface ChannelHere { address: JID; name: string; title: string; unread: number; text: string }

/** channelsHere are the channels that an account follows; none when they cannot be read. */
export async function channelsHere(account: JID): Promise<ChannelHere[]> {
  const all = await ask<KeptChannel[]>(databaseName(account), 'channels', 'readonly', (store) => store.getAll()).catch(() => undefined)
  return (all ?? []).filter((c) => c.following).map(({ name, title, unread, last }) => ({ address: `${name}@channels.${account.split('@')[1] ?? ''}`, name, title, unread, text: last?.text ?? '' }))
}

/** choicesHere is what a person chose on this device, without the defaults. */
export async function choicesHere(account: JID): Promise<Partial<Choices>> {
  return await ask<Partial<Choices>>(databaseName(account), 'kv', 'readonly', (store) => store.get('choices')).catch(() => undefined) ?? {}
}

/** noteWoken keeps when this browser was woken last. */
export async function noteWoken(account: JID, time: Micros): Promise<void> {
  await ask(databaseName(account), 'kv', 'readwrite', (store) => store.put(time, 'woken')).catch(() => undefined)
}

/** wakingHere is whether an account wants to wake this browser: true, false after it was turned off, undefined when nobody has said. */
export async function wakingHere(account: JID): Promise<boolean | undefined> {
  return await ask<boolean>(databaseName(account), 'kv', 'readonly', (store) => store.get('waking')).catch(() => undefined)
}
