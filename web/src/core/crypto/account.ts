// What is remembered of an account: its devices, their keys, and what is thought of them. The policy is blind trust before verification, as in
// Conversations: as long as no identity of an account is verified, new ones are trusted; from then on they wait for a decision.

import { hex, same, text, utf8 } from './bytes.ts'
import { maxIdentities } from './limits.ts'
import type { Profile } from './profile.ts'
import { Fields, readFields, type Entry } from './protobuf.ts'
import { append, kinds, newSaved, readSaved, unknownField } from './saved.ts'
import type { Bytes, Notice, RefusalCode, Trust } from './types.ts'

// The order is what is saved: never change it.
const trusts: readonly Trust[] = ['undecided', 'trusted', 'verified', 'distrusted']

/** Seconds within which the lists of both versions are one first picture of an account: what stands on them is no news. */
const firstPicture = 60

/** An identity seen at an account, or scanned, and what is thought of it. */
export interface Known {
  identity: Bytes
  trust: Trust
  /** When it was decided, in seconds since 1970; 0 if nobody did. */
  decided: number
}

/** A device of an account. Bit 0 of `listed` and `sessions` is OMEMO 0.3, bit 1 is OMEMO 2. Times are seconds since 1970. */
export interface DeviceRecord {
  id: number
  /** As far as it has been seen. */
  identity?: Bytes
  firstSeen: number
  lastUsed: number
  listed: number
  sessions: number
  /** When a broken session with it was last begun anew. */
  healed: number
  label: string
}

/** Account is one account's record, and what changed in it since it was loaded. */
export class Account {
  known: Known[] = []
  devices: DeviceRecord[] = []
  /** When the device list of each version was last told, 0 if never. */
  heard: [number, number] = [0, 0]
  /** When the first list of all was told, 0 if none was. */
  since = 0
  changed = false
  /** What a person has to see of the change; whoever saves the record saves them too. */
  news: { type: Notice['type']; device: DeviceRecord; trust: Trust }[] = []
  /** What was decided about keys in this step, `hand` by a person who looked at them: others are to be told. */
  decisions: { identity: Bytes; trust: Trust; hand: boolean; time: number }[] = []
  /** Devices that made room: their sessions are to be forgotten. */
  evicted: DeviceRecord[] = []

  constructor(readonly jid: string) {}

  find(identity: Bytes): Known | undefined {
    return this.known.find((k) => same(k.identity, identity))
  }

  device(id: number): DeviceRecord | undefined {
    return this.devices.find((d) => d.id === id)
  }

  /** What is thought of an identity, remembering it if it is new. When the list is full, the oldest that no person decided about makes room;
   * if there is none, the new one stays undecided and is not remembered. */
  observe(identity: Bytes): Trust {
    const seen = this.find(identity)
    if (seen) return seen.trust
    const trust = this.trustInNew()
    if (this.known.length >= maxIdentities) {
      const at = this.known.findIndex((k) => k.trust === 'trusted' || k.trust === 'undecided')
      if (at < 0) return 'undecided'
      this.known.splice(at, 1)
    }
    this.known.push({ identity, trust, decided: 0 })
    this.changed = true
    return trust
  }

  private trustInNew(): Trust {
    return this.known.some((k) => k.trust === 'verified') ? 'undecided' : 'trusted'
  }

  /** Notes the identity with which a device proved itself or was published, and tells a new device or a new key. */
  meet(id: number, identity: Bytes, now: number): Trust {
    const trust = this.observe(identity)
    const old = this.device(id)
    const d = old ?? this.add(id, now)
    if (!d.identity || !same(d.identity, identity)) {
      if (d.identity) this.news.push({ type: 'new-key', device: d, trust })
      d.identity = identity
      this.changed = true
    }
    if (!old && this.devices.length > 1) this.news.push({ type: 'new-device', device: d, trust })
    return trust
  }

  /** Notes a device that was let in by a person and is about to come: it is no news then. */
  expect(id: number, identity: Bytes, now: number): void {
    const d = this.device(id) ?? this.add(id, now)
    d.identity ??= identity
    this.changed = true
  }

  /** Takes over a device list. What the first lists of an account name is no news; devices that join later are. */
  list(p: Profile, ids: number[], now: number): void {
    const bit = 1 << (p.number - 1)
    this.since ||= Math.max(1, now)
    const first = (this.heard[p.number - 1] ?? 0) === 0 && Math.abs(now - this.since) <= firstPicture
    for (const d of this.devices) if ((d.listed & bit) !== 0 && !ids.includes(d.id)) this.unlist(d, bit)
    for (const id of ids) {
      const old = this.device(id)
      const d = old ?? this.add(id, now)
      if (!old && !first) this.news.push({ type: 'new-device', device: d, trust: this.trustInNew() })
      if ((d.listed & bit) === 0) this.changed = true
      d.listed |= bit
    }
    if (Math.abs(now - (this.heard[p.number - 1] ?? 0)) > 3600) this.changed = true
    this.heard[p.number - 1] = Math.max(1, now)
  }

  private unlist(d: DeviceRecord, bit: number): void {
    d.listed &= ~bit
    this.changed = true
  }

  private add(id: number, now: number): DeviceRecord {
    if (this.devices.length >= maxIdentities) {
      const unlisted = this.devices.findIndex((d) => d.listed === 0)
      this.evicted.push(...this.devices.splice(Math.max(0, unlisted), 1))
    }
    const d: DeviceRecord = { id, firstSeen: now, lastUsed: 0, listed: 0, sessions: 0, healed: 0, label: '' }
    this.devices.push(d)
    this.changed = true
    return d
  }

  trustOf(d: DeviceRecord): Trust {
    return (d.identity && this.find(d.identity)?.trust) ?? 'undecided'
  }

  /** Says whether something may be encrypted for a device, whose key may not have been seen yet. */
  accepts(id: number): boolean {
    const { identity } = this.device(id) ?? {}
    return !refusalOfTrust((identity && this.find(identity)?.trust) ?? this.trustInNew())
  }

  /** Ids of the devices on the list of a version. */
  listed(p: Profile): number[] {
    return this.devices.filter((d) => (d.listed & (1 << (p.number - 1))) !== 0).map((d) => d.id)
  }

  save(): Bytes {
    const f = newSaved(kinds.account).bytes(1, utf8(this.jid)).number(2, this.heard[0]).number(3, this.heard[1]).number(6, this.since)
    for (const k of this.known) f.bytes(4, new Fields().bytes(1, k.identity).number(2, trusts.indexOf(k.trust)).number(3, k.decided).done())
    for (const d of this.devices) f.bytes(5, saveDevice(d))
    return f.done()
  }
}

/** Why nothing may be encrypted for an identity, if so. */
export function refusalOfTrust(trust: Trust): RefusalCode | undefined {
  if (trust === 'distrusted') return 'distrusted'
  return trust === 'undecided' ? 'undecided' : undefined
}

/** The 32 bytes of a device's identity in hex; nothing if it has not been seen. */
export function fingerprintOf(d: DeviceRecord): string {
  return d.identity ? hex(d.identity) : ''
}

/** Reads what Account.save wrote; an account that nothing is kept of has an empty record. */
export function loadAccount(jid: string, saved: Bytes | undefined): Account {
  const out = new Account(jid)
  if (!saved) return out
  readSaved(saved, kinds.account, (fields) => {
    for (const f of fields) {
      if (f.field === 1) f.bytes()
      else if (f.field === 2) out.heard[0] = f.uint53()
      else if (f.field === 3) out.heard[1] = f.uint53()
      else if (f.field === 4) append(out.known, maxIdentities, loadKnown(f))
      else if (f.field === 5) append(out.devices, maxIdentities, loadDevice(f))
      else if (f.field === 6) out.since = f.uint53()
      else unknownField(f)
    }
  })
  if (out.since === 0 && (out.heard[0] || out.heard[1])) out.since = 1 // kept by a program before this field
  return out
}

function loadKnown(entry: Entry): Known {
  let identity: Bytes = new Uint8Array(32)
  let trust: Trust = 'undecided'
  let decided = 0
  for (const f of readFields(entry.bytes())) {
    if (f.field === 1) identity = f.key()
    else if (f.field === 2) trust = trusts[f.uint32()] ?? unknownField(f)
    else if (f.field === 3) decided = f.uint53()
    else unknownField(f)
  }
  return { identity, trust, decided }
}

function saveDevice(d: DeviceRecord): Bytes {
  const f = new Fields().number(1, d.id).number(2, d.firstSeen).number(3, d.lastUsed).number(4, d.listed).number(5, d.sessions).number(6, d.healed)
  if (d.identity) f.bytes(7, d.identity)
  if (d.label) f.bytes(8, utf8(d.label))
  return f.done()
}

function loadDevice(entry: Entry): DeviceRecord {
  const d: DeviceRecord = { id: 0, firstSeen: 0, lastUsed: 0, listed: 0, sessions: 0, healed: 0, label: '' }
  for (const f of readFields(entry.bytes())) {
    if (f.field === 1) d.id = f.uint32()
    else if (f.field === 2) d.firstSeen = f.uint53()
    else if (f.field === 3) d.lastUsed = f.uint53()
    else if (f.field === 4) d.listed = f.uint32()
    else if (f.field === 5) d.sessions = f.uint32()
    else if (f.field === 6) d.healed = f.uint53()
    else if (f.field === 7) d.identity = f.key()
    else if (f.field === 8) d.label = text(f.bytes())
    else unknownField(f)
  }
  return d
}
