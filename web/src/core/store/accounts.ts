// Which accounts are on this device: one small database beside those of the accounts.

import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { JID, Micros } from '../model.ts'
import { databaseName, registryName } from './called.ts'

/** An account of this device. */
export interface Account {
  jid: JID
  /** This installation, as servers know it: made once, a UUID. */
  agent: string
  /** What the next login uses instead of the password (XEP-0484). */
  token?: { mechanism: string; secret: string; expires?: Micros }
  name?: string
  avatar?: string
  /** Where the client of this account connects first, '' for what its domain says. */
  server?: string
  added: Micros
  /** When it was in use last: the newest is opened first. */
  used: Micros
  /** It administers its server, as that said last. */
  admin?: boolean
  /** It was signed out, and what it has here was kept. */
  signedOut?: boolean
}

/** Accounts that one device may have. */
export const MAX_ACCOUNTS = 20

interface Schema extends DBSchema {
  accounts: { key: JID; value: Account }
  kv: { key: string; value: unknown }
}

/** The accounts of this device. */
export class Accounts {
  private constructor(private readonly db: IDBPDatabase<Schema>) {}

  /** Opens the registry, or makes it. */
  static async open(): Promise<Accounts> {
    return new Accounts(await openDB<Schema>(registryName, 1, {
      upgrade: (db) => {
        db.createObjectStore('accounts', { keyPath: 'jid' })
        db.createObjectStore('kv')
      },
      blocking: (_, __, event) => { (event.target as IDBDatabase).close() },
    }))
  }

  /** All accounts, the one used last first. */
  async all(): Promise<Account[]> {
    return (await this.db.getAll('accounts')).sort((a, b) => b.used - a.used)
  }

  /** One account. */
  get(jid: JID): Promise<Account | undefined> {
    return this.db.get('accounts', jid)
  }

  /** Adds an account, or finds it again with what it has kept. Fails with RangeError beyond 20. */
  async add(jid: JID, now: Micros): Promise<Account> {
    const tx = this.db.transaction('accounts', 'readwrite', { durability: 'strict' })
    const known = await tx.store.get(jid)
    if (!known && await tx.store.count() >= MAX_ACCOUNTS) throw new RangeError('too many accounts')
    const account: Account = { agent: crypto.randomUUID(), added: now, ...known, jid, used: now, signedOut: false }
    await tx.store.put(account)
    await tx.done
    return account
  }

  /** Changes what is known of an account; one that is not there stays away. */
  async change(jid: JID, change: Partial<Omit<Account, 'jid'>>): Promise<void> {
    const tx = this.db.transaction('accounts', 'readwrite', { durability: 'strict' })
    const known = await tx.store.get(jid)
    if (known) await tx.store.put({ ...known, ...change })
    await tx.done
  }

  /** Forgets an account and removes its database. */
  async remove(jid: JID): Promise<void> {
    await this.db.delete('accounts', jid)
    await removeDatabase(databaseName(jid))
  }

  /** A value that belongs to the device and not to an account. */
  value(key: string): Promise<unknown> {
    return this.db.get('kv', key)
  }

  /** Keeps one. */
  async setValue(key: string, value: unknown): Promise<void> {
    await this.db.put('kv', value, key)
  }

  close(): void {
    this.db.close()
  }
}

/** Removes a database. One that another tab still holds goes when that tab lets go; the promise does not wait for that. */
export function removeDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    request.onsuccess = request.onblocked = () => resolve()
    request.onerror = () => reject(request.error ?? new Error('delete database'))
  })
}
