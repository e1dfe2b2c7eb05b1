// The database of one account on this device: what the screens show and what still has to leave. IndexedDB, one database for each account. The
// schema only grows: a version adds, and never changes what an older tab may still read.

import { openDB, type DBSchema, type IDBPDatabase, type IDBPObjectStore, type IDBPTransaction, type StoreNames } from 'idb'
import { databaseName } from './called.ts'
import type { Chat, Contact, EventFacts, JID, Message, Micros } from '../model.ts'
import type { KeptAct, Stay } from './acts.ts'
import type { Errand } from './outbox.ts'
import type { KeptFile } from './files.ts'
import type { KeptMember } from './members.ts'
import type { KeptPay } from './pay.ts'
import { marked } from './pay-open.ts'
import type { KeptStatus, KeptView } from './statuses.ts'
import type { KeptChannel, KeptPost, Publishing } from './channels.ts'

/** A message as it is kept: with the names that lead to it and the shelves that it stands on. */
export interface KeptMessage extends Message {
  /** See names.ts. At most 8. */
  names: string[]
  /** [chat, shelf, order]: media, files, links, voice, starred. */
  shelves: [JID, string, Micros][]
  /** It names us, or answers us. */
  calls?: boolean
  /** Its sender wants to be told that it was read here (XEP-0333), with this id. */
  markable?: string
  /** It came of what was written to a broadcast list: the id of that message. */
  listed?: string
  /** When each person's reactions were said last, `vote` before the address for votes: older ones change nothing. */
  marks?: Record<string, Micros>
  /** Of a poll or an event: what was said about it is kept one by one (acts.ts), and what it shows is counted from that. */
  counted?: true
  /** Of an event: how it was made. */
  first?: EventFacts
}

/** What came before the message that it is about; see later.ts. */
export interface Later {
  id?: number
  /** The name of the message that it waits for. */
  target: string
  time: Micros
  what: unknown
}

/** The words of a message; the index of words is what a search reads. */
export interface Words {
  id: string
  chat: JID
  words: string[]
}

/** The stores of an account's database. */
export interface Schema extends DBSchema {
  kv: { key: string; value: unknown }
  chats: { key: JID; value: Chat }
  messages: {
    key: string
    value: KeptMessage
    indexes: { place: [JID, Micros]; names: string; shelves: [JID, string, Micros]; expires: Micros; order: Micros; kinds: [string, Micros] }
  }
  words: { key: string; value: Words; indexes: { words: string; chat: JID } }
  outbox: { key: number; value: Errand; indexes: { message: string } }
  later: { key: number; value: Later; indexes: { target: string; time: Micros } }
  files: { key: string; value: KeptFile; indexes: { used: Micros; chat: JID } }
  blobs: { key: string; value: Blob }
  contacts: { key: JID; value: Contact }
  /** Members of groups. */
  members: { key: [JID, JID]; value: KeptMember; indexes: { rank: [JID, number, string, JID]; nick: [JID, string] } }
  /** Channels that the account follows, or that were looked at. */
  channels: { key: string; value: KeptChannel }
  /** What stands in their logs, as far as it is kept here. */
  posts: { key: [string, Micros]; value: KeptPost; indexes: { item: [string, string] } }
  /** Posts of ours that wait to leave. */
  publishing: { key: string; value: Publishing }
  /** What people tell for a day, and who has looked at it. */
  statuses: { key: string; value: KeptStatus; indexes: { expires: Micros } }
  statusViews: { key: [string, JID]; value: KeptView; indexes: { time: Micros } }
  /** What was said about polls and events. */
  acts: { key: string; value: KeptAct; indexes: { who: [string, JID]; names: string; chat: [JID, JID] } }
  /** How people stood with groups. */
  stays: { key: [JID, JID, Micros]; value: Stay }
  /** Payments, requests, splits, disputes as they are known; what waits to leave of them; keys that pay from this device. */
  pay: { key: string; value: KeptPay; indexes: { what: [string, Micros]; open: [string, Micros] } }
  /** Names of messages that a person deleted here: they do not come back from the archive. */
  gone: { key: string; value: Micros }
}

/** An open database of an account. */
export type Database = IDBPDatabase<Schema>
/** A store's name. */
export type Store = StoreNames<Schema>
/** All that one step may touch. */
export type Change<S extends Store = Store> = IDBPTransaction<Schema, S[], 'readwrite'>
/** A step of which only reading is asked: one that look() began, or one that writes as well. The types of idb let neither stand for the other. */
export type Look = Change

/** All stores, for a step that may touch any. */
export const everything: Store[] = ['kv', 'chats', 'messages', 'words', 'outbox', 'later', 'files', 'blobs', 'contacts', 'gone', 'members', 'statuses', 'statusViews', 'acts', 'stays', 'pay']

const VERSION = 6

export { databaseName } from './called.ts'

/** The device has no room left. Nothing of the step was kept, and nothing that was kept before is gone. */
export class StorageFull extends Error {
  override readonly name = 'StorageFull'
}

/** The database cannot be used at all: it is closed, broken, or a newer version of the client has it. */
export class StorageBroken extends Error {
  override readonly name = 'StorageBroken'
}

/** Opens the database of an account, or makes it. `ended` is told when it can be used no longer: another tab has a newer version, or wipes it. */
export async function openAccount(account: JID, ended: () => void = () => undefined): Promise<Database> {
  try {
    const db = await openDB<Schema>(databaseName(account), VERSION, {
      upgrade: (db, from, _, tx) => {
        if (from < 1) first(db)
        if (from < 2) second(tx.objectStore('messages'))
        if (from < 3) third(db)
        if (from < 4) fourth(db)
        if (from < 5) db.createObjectStore('pay', { keyPath: 'key' }).createIndex('what', ['what', 'time'])
        if (from < 6) return sixth(tx.objectStore('pay'))
        return undefined
      },
      blocking: () => {
        db.close()
        ended()
      },
      terminated: ended,
    })
    return db
  } catch (error) {
    throw storageError(error)
  }
}

function first(db: Database): void {
  db.createObjectStore('kv')
  db.createObjectStore('chats', { keyPath: 'jid' })
  const messages = db.createObjectStore('messages', { keyPath: 'id' })
  messages.createIndex('place', ['chat', 'order'])
  messages.createIndex('names', 'names', { multiEntry: true })
  messages.createIndex('shelves', 'shelves', { multiEntry: true })
  messages.createIndex('expires', 'expiresAt')
  const words = db.createObjectStore('words', { keyPath: 'id' })
  words.createIndex('words', 'words', { multiEntry: true })
  words.createIndex('chat', 'chat')
  db.createObjectStore('outbox', { keyPath: 'seq', autoIncrement: true }).createIndex('message', 'message')
  const later = db.createObjectStore('later', { keyPath: 'id', autoIncrement: true })
  later.createIndex('target', 'target')
  later.createIndex('time', 'time')
  const files = db.createObjectStore('files', { keyPath: 'key' })
  files.createIndex('used', 'used')
  files.createIndex('chat', 'chat')
  db.createObjectStore('blobs')
  db.createObjectStore('contacts', { keyPath: 'jid' })
  db.createObjectStore('gone')
}

/** All chats together in the order of time, whole and for each kind of content: what a search goes through. */
function second(messages: IDBPObjectStore<Schema, Store[], 'messages', 'versionchange'>): void {
  messages.createIndex('order', 'order')
  messages.createIndex('kinds', ['content.type', 'order'])
}

function third(db: Database): void {
  const members = db.createObjectStore('members', { keyPath: ['group', 'jid'] })
  members.createIndex('rank', ['group', 'rank', 'sort', 'jid'])
  members.createIndex('nick', ['group', 'nick'])
}

/** What came with channels, status and events. */
function fourth(db: Database): void {
  db.createObjectStore('statuses', { keyPath: 'key' }).createIndex('expires', 'expires')
  db.createObjectStore('statusViews', { keyPath: ['id', 'jid'] }).createIndex('time', 'time')
  db.createObjectStore('channels', { keyPath: 'name' })
  db.createObjectStore('posts', { keyPath: ['channel', 'entry'] }).createIndex('item', ['channel', 'item'])
  db.createObjectStore('publishing', { keyPath: 'item' })
  const acts = db.createObjectStore('acts', { keyPath: 'id' })
  acts.createIndex('who', ['about', 'from'])
  acts.createIndex('names', 'names', { multiEntry: true })
  acts.createIndex('chat', ['chat', 'from'])
  db.createObjectStore('stays', { keyPath: ['group', 'jid', 'place'] })
}

/** What has no end yet is found however old it is. */
async function sixth(pay: IDBPObjectStore<Schema, Store[], 'pay', 'versionchange'>): Promise<void> {
  pay.createIndex('open', ['open', 'time'])
  for (let cursor = await pay.openCursor(); cursor; cursor = await cursor.continue()) await cursor.update(marked(cursor.value))
}

/**
 * Does one step: all of it is on the disk when the promise is fulfilled, or nothing is kept and it fails with StorageFull or StorageBroken. `work`
 * may wait for nothing but the transaction's own requests; what it throws undoes the step. `relaxed` is for what is no loss: presence, progress.
 */
export async function change<T>(db: Database, stores: Store[], work: (tx: Change) => Promise<T>, durability: 'strict' | 'relaxed' = 'strict'): Promise<T> {
  let tx: Change
  try {
    tx = db.transaction(stores, 'readwrite', { durability })
  } catch (error) {
    throw storageError(error)
  }
  tx.done.catch(() => undefined) // told below
  try {
    const result = await work(tx)
    await tx.done
    return result
  } catch (error) {
    try {
      tx.abort()
    } catch {
      // it has ended by itself
    }
    throw storageError(tx.error ?? error)
  }
}

/** Begins a step that reads; it sees one state of the database. */
export function look(db: Database, stores: Store[] = everything): Look {
  return db.transaction(stores, 'readonly') as unknown as Look
}

function storageError(error: unknown): unknown {
  if (!(error instanceof DOMException)) return error
  if (error.name === 'QuotaExceededError') return new StorageFull(error.message)
  return /^(InvalidState|Abort|Unknown|Version|NotFound)Error$/.test(error.name) ? new StorageBroken(`${error.name}: ${error.message}`) : error
}
