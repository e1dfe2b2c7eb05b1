// The Store of a browser: IndexedDB, every value encrypted with AES-256-GCM under a key that cannot be taken out of the browser, bound to its
// name. This protects a copied database and a careless export; it does not protect from code that runs as this page, nor a copied browser
// profile. One key encrypts at most 2^32 values with random IVs: ten million messages to two hundred devices.

import { copy, utf8 } from './bytes.ts'
import { refuse, Refused } from './failure.ts'
import type { Store, Turn } from './store.ts'
import type { Bytes } from './types.ts'

const values = 'values'
const keys = 'keys'
const label = 'palabre keys 1\0'

interface Sealed { iv: Bytes; data: ArrayBuffer }

/** The database of an account. */
export function vaultName(jid: string): string {
  return `palabre-keys:${jid}`
}

/** Vault is the store of one account on this device. Everything it throws is a Refused: `storage`, `state` or `gone`. */
export class Vault implements Store {
  private constructor(private readonly db: IDBDatabase, private readonly key: CryptoKey) {}

  /** Opens the database, or makes it with a new key. */
  static async open(jid: string): Promise<Vault> {
    const db = await openDatabase(vaultName(jid))
    db.onversionchange = () => db.close()
    const kept = await inTransaction<CryptoKey | undefined>(db, keys, 'readonly', (store) => store.get('kek') as IDBRequest<CryptoKey | undefined>)
    if (kept) return new Vault(db, kept)
    const fresh = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
    await inTransaction(db, keys, 'readwrite', (store) => store.add(fresh, 'kek'))
    return new Vault(db, fresh)
  }

  async load(names: string[]): Promise<Map<string, Bytes>> {
    const found = await this.read(names)
    const out = new Map<string, Bytes>()
    await Promise.all(names.map(async (name, i) => {
      const sealed = found[i]
      const value = sealed && (await this.open(name, sealed))
      if (value) out.set(name, value)
    }))
    return out
  }

  async save(changes: Map<string, Bytes | null>): Promise<void> {
    const sealed = await Promise.all([...changes].map(async ([name, value]) => ({ name, value: value && (await this.seal(name, value)) })))
    await inTransaction(this.db, values, 'readwrite', (store) => {
      for (const { name, value } of sealed) value ? store.put(value, name) : store.delete(name)
    })
  }

  async names(prefix: string, limit: number): Promise<string[]> {
    const range = IDBKeyRange.bound(prefix, prefix + '\uffff')
    return inTransaction(this.db, values, 'readonly', (store) => store.getAllKeys(range, limit) as IDBRequest<string[]>)
  }

  /** Removes every key and value, then the database, which other tabs let go of. */
  async wipe(): Promise<void> {
    await inTransaction(this.db, values, 'readwrite', (store) => store.clear())
    await inTransaction(this.db, keys, 'readwrite', (store) => store.clear())
    this.close()
    await new Promise<void>((resolve) => {
      const request = indexedDB.deleteDatabase(this.db.name)
      // Emptied it is already: a tab that is frozen and holds it does not hinder anybody.
      request.onsuccess = request.onerror = request.onblocked = () => resolve()
    })
  }

  close(): void {
    this.db.close()
  }

  private async read(names: string[]): Promise<(Sealed | undefined)[]> {
    const requests: IDBRequest<Sealed | undefined>[] = []
    await inTransaction(this.db, values, 'readonly', (store) => {
      for (const name of names) requests.push(store.get(name) as IDBRequest<Sealed | undefined>)
    })
    return requests.map((request) => request.result)
  }

  private async seal(name: string, value: Bytes): Promise<Sealed> {
    const iv = crypto.getRandomValues(new Uint8Array(12))
    return { iv, data: await crypto.subtle.encrypt(this.how(name, iv), this.key, value) }
  }

  // A session, a message, a notice or a chain that was damaged is as one that was lost: sessions and chains are begun anew. Anything else is refused: without what was
  // thought of an identity it would be trusted blindly, and without the device's keys another would be made.
  private async open(name: string, sealed: Sealed): Promise<Bytes | undefined> {
    try {
      return new Uint8Array(await crypto.subtle.decrypt(this.how(name, copy(sealed.iv)), this.key, sealed.data))
    } catch {
      return /^(session|opened|notice|sender|chain|want|knows|seen)\//.test(name) ? undefined : refuse('state', `what is kept as ${name.split('/')[0]} was changed`)
    }
  }

  private how(name: string, iv: Bytes): AesGcmParams {
    return { name: 'AES-GCM', iv, additionalData: utf8(label + name) }
  }
}

/** The Turn of an account: one writer among all tabs. Without Web Locks (there are some wherever there is WebCrypto) everything is refused. */
export function vaultTurn(jid: string): Turn {
  const locks = (globalThis.navigator as { locks?: LockManager } | undefined)?.locks
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (!locks) refuse('storage', 'this browser has no locks')
    return await (locks.request(vaultName(jid), work) as Promise<T>)
  }
}

function openDatabase(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Refused('storage', `open the keys: ${why}`))
    try {
      const request = indexedDB.open(name, 1)
      request.onupgradeneeded = () => {
        request.result.createObjectStore(values)
        request.result.createObjectStore(keys)
      }
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => fail(request.error?.name ?? 'unknown')
      request.onblocked = () => fail('another tab holds an older version')
    } catch (thrown) {
      fail(thrown instanceof Error ? thrown.name : 'unknown')
    }
  })
}

// Runs requests in one transaction and is fulfilled when it is durable, with what the last request gave.
function inTransaction<T>(
  db: IDBDatabase, name: string, mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T> | void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    try {
      const tx = db.transaction(name, mode, { durability: 'strict' })
      const request = work(tx.objectStore(name))
      tx.oncomplete = () => resolve(request?.result as T)
      tx.onabort = () => reject(new Refused('storage', `keep keys: ${tx.error?.name ?? 'aborted'}`))
    } catch (thrown) {
      const name = thrown instanceof Error ? thrown.name : 'unknown'
      reject(new Refused(name === 'InvalidStateError' ? 'gone' : 'storage', `keys: ${name}`))
    }
  })
}
