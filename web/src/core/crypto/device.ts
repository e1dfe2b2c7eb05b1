// Our own end of every conversation: one device of one account, its prekeys and its sessions, kept in a Store. Nothing leaves encrypt and no
// plaintext leaves decrypt before the ratchet state behind it is kept, so a crash costs at most a message that was never sent or shown.
// The functions of this folder that take a Device throw a Refused and then have changed nothing; each takes its turn by itself.

import { hex, utf8 } from './bytes.ts'
import { Account, fingerprintOf, loadAccount } from './account.ts'
import { sign, systemRandom, type KeyPair, type PublicIdentity, type Random } from './curve.ts'
import { refuse } from './failure.ts'
import { bundleOf, maintain, newOwner, publicIdentity, type Owner } from './prekeys.ts'
import { profileOf, profiles, type Profile } from './profile.ts'
import { kinds, loadOwner, loadSession, newSaved, saveOwner, saveSession } from './saved.ts'
import { checkAddress, checkJID, type Session } from './session.ts'
import { changesName, loadChanges, Memory, noteChanges, saveChanges, type Seen } from './seen.ts'
import type { Store, Turn } from './store.ts'
import type { Address, Bundle, Bytes } from './types.ts'

/** One end. Its identity never changes; everything else is in the store. */
export interface Device {
  readonly jid: string
  readonly id: number
  readonly identity: PublicIdentity
  readonly secret: KeyPair
  readonly store: Store
  readonly turn: Turn
  readonly random: Random
  /** Seconds since 1970. */
  readonly now: () => number
  /** What this program remembers of accounts. */
  readonly memory: Memory
  /** The archive is being read: nothing is answered. */
  catchingUp: boolean
  /** Called when there are new notices, after they are kept. */
  onNews?: () => void
  /** Called when a person decided about keys, after it is kept. */
  onDecided?: () => void
  /** Called when another device gave us keys of the history, after they are kept. */
  onKeys?: () => void
}

/** What a device is made of besides its state. */
export interface Surroundings { store: Store; turn: Turn; random?: Random; now?: () => number }

const ownerName = 'device'

/** The name of a session in a Store. An address comes last, so that it may hold any character. */
export function sessionName(p: Profile, a: Address): string {
  return `session/${p.number}/${a.device}/${a.jid}`
}

/** The name of an account's record in a Store. */
export function accountName(jid: string): string {
  return `account/${jid}`
}

/** Opens the device that a store holds, or draws a new one, whose id is none of taken, and keeps it. With `only` it is that device or none: refused
 * as `gone`. */
export async function openDevice(jid: string, taken: number[], around: Surroundings, only?: number): Promise<{ device: Device; fresh: boolean }> {
  checkJID(jid)
  const { store, turn, random = systemRandom, now = () => Math.floor(Date.now() / 1000) } = around
  return turn(async () => {
    const saved = (await store.load([ownerName])).get(ownerName)
    if (!saved && only !== undefined) refuse('gone', 'the device was removed')
    const owner = saved ? loadOwner(saved) : newOwner(now(), taken, random)
    if (only !== undefined && owner.device !== only) refuse('gone', 'there is another device now')
    if (!saved) await store.save(new Map([[ownerName, saveOwner(owner)]]))
    const device: Device = {
      jid, id: owner.device, identity: publicIdentity(owner), secret: owner.identity, store, turn, random, now, memory: new Memory(), catchingUp: false,
    }
    return { device, fresh: !saved }
  })
}

/** Our own address. */
export function ownAddress(d: Device): Address {
  return { jid: d.jid, device: d.id }
}

/** What to publish for a version: the newest signed prekey and 100 one-time prekeys. */
export function bundle(d: Device, version: Bundle['version']): Promise<Bundle> {
  return d.turn(async () => bundleOf(await new Step(d).owner(), profileOf(version)))
}

/** Signs the label that people see for this device in an OMEMO 2 device list, at most 53 characters by advice (XEP-0384 §5.3). */
export function signLabel(d: Device, label: string): Bytes {
  return sign(d.secret.private, utf8(label), d.random)
}

/** Rotates signed prekeys that are a week old and fills the prekeys up. It tells whether the bundles changed. Do it once a day, and after
 * the archive was caught up with rather than before. */
export function maintainDevice(d: Device): Promise<boolean> {
  return changeOwner(d, (owner) => maintain(owner, d.now(), d.random))
}

function changeOwner(d: Device, change: (owner: Owner) => boolean): Promise<boolean> {
  return d.turn(async () => {
    const step = new Step(d)
    const changed = change(await step.owner())
    if (changed) step.keepOwner()
    await step.commit()
    return changed
  })
}

/** Step is one change of the kept state, within a turn: what was loaded for it, and what is saved at its end, all or nothing. */
export class Step {
  private readonly loaded = new Map<string, Bytes>()
  private readonly asked = new Set<string>()
  private readonly accounts = new Map<string, Account>()
  private readonly changes = new Map<string, Bytes | null>()
  private ownerLoaded?: Owner
  ownerChanged = false

  constructor(readonly d: Device) {}

  /** Loads several values in one go; later reads of them do not wait. */
  async preload(names: string[]): Promise<void> {
    const fresh = names.filter((name) => !this.asked.has(name))
    if (fresh.length === 0) return
    for (const name of fresh) this.asked.add(name)
    for (const [name, value] of await this.d.store.load(fresh)) this.loaded.set(name, value)
  }

  /** A value as it will be after this step. */
  async read(name: string): Promise<Bytes | undefined> {
    const changed = this.changes.get(name)
    if (changed !== undefined) return changed ?? undefined
    await this.preload([name])
    return this.loaded.get(name)
  }

  async owner(): Promise<Owner> {
    const saved = await this.read(ownerName)
    this.ownerLoaded ??= loadOwner(saved ?? refuse('gone', 'the device was removed'))
    return this.ownerLoaded
  }

  keepOwner(): void {
    this.ownerChanged = true
  }

  async account(jid: string): Promise<Account> {
    checkJID(jid)
    const known = this.accounts.get(jid)
    if (known) return known
    const account = loadAccount(jid, await this.read(accountName(jid)))
    this.accounts.set(jid, account)
    return account
  }

  /** What is thought of accounts, for who changes nothing of it; at the beginning of a step. */
  async seen(jids: string[]): Promise<Map<string, Seen>> {
    const { memory } = this.d
    memory.catchUp(loadChanges(await this.read(changesName)))
    await this.preload(jids.filter((jid) => !memory.get(jid)).map(accountName))
    const out = new Map<string, Seen>()
    for (const jid of jids) out.set(jid, memory.get(jid) ?? memory.put(loadAccount(jid, await this.read(accountName(jid)))))
    return out
  }

  /** The session with a device; undefined if there is none, or one that cannot be read, which is dropped: it is begun anew then. */
  async session(p: Profile, a: Address): Promise<Session | undefined> {
    checkAddress(a)
    const saved = await this.read(sessionName(p, a))
    try {
      return saved && loadSession(saved)
    } catch {
      this.keep(sessionName(p, a), null)
      return undefined
    }
  }

  /** Notes a session to be kept, which may be the first with its device. */
  async keepSession(p: Profile, a: Address, s: Session): Promise<void> {
    const account = await this.account(a.jid)
    const device = account.device(a.device)
    const bit = 1 << (p.number - 1)
    if (device && (device.sessions & bit) === 0) {
      device.sessions |= bit
      account.changed = true
    }
    this.changes.set(sessionName(p, a), saveSession(s))
  }

  /** Notes any other value to be kept, or removed. */
  keep(name: string, value: Bytes | null): void {
    this.changes.set(name, value)
  }

  /** Keeps everything that was noted, durably; whatever leaves this program leaves after it. */
  async commit(): Promise<void> {
    for (const account of this.accounts.values()) this.noteAccount(account)
    const changed = [...this.accounts.values()].filter((account) => account.changed).map((account) => account.jid)
    if (changed.length > 0) this.changes.set(changesName, saveChanges(noteChanges(loadChanges(await this.read(changesName)), changed, systemRandom)))
    if (this.ownerChanged && this.ownerLoaded) this.changes.set(ownerName, saveOwner(this.ownerLoaded))
    if (this.changes.size > 0) await this.d.store.save(this.changes)
    if ([...this.accounts.values()].some((account) => account.news.length > 0)) this.d.onNews?.()
  }

  private noteAccount(account: Account): void {
    if (!account.changed) return
    this.changes.set(accountName(account.jid), account.save())
    for (const gone of account.evicted) {
      for (const p of profiles) this.changes.set(sessionName(p, { jid: account.jid, device: gone.id }), null)
    }
    for (const [i, { type, device, trust }] of account.news.entries()) {
      const id = `${this.d.now().toString(36).padStart(8, '0')}-${hex(systemRandom(4))}-${i}`
      const notice = {
        id, type, jid: account.jid, device: device.id, fingerprint: fingerprintOf(device), trust,
        own: account.jid === this.d.jid, time: this.d.now() * 1e6,
      }
      this.changes.set(`notice/${id}`, newSaved(kinds.notice).bytes(1, utf8(JSON.stringify(notice))).done())
    }
  }
}
