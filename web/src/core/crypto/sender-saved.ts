// What is kept of chains: our own, who holds it, those of others, and who knows such chains at all. Like all that is kept it is a saved state (saved.ts), each
// under a name of its own, and changes in one step with the ratchets.

import { hex, same, text, unhex, utf8 } from './bytes.ts'
import { systemRandom } from './curve.ts'
import { Fields, readFields, type Entry } from './protobuf.ts'
import { append, kinds, newSaved, readSaved, unknownField } from './saved.ts'
import { maxMessages, type OwnEpoch } from './sender-chain.ts'
import type { Step } from './device.ts'
import type { Address, Bytes } from './types.ts'

/** Chains kept of one device in one group. */
export const maxChains = 5
const maxHolders = 4096
const maxRemembered = 8
const maxIDs = 1000

/** A device that has got our chain: when it is to read no more, the epoch ends. */
export interface Holder extends Address {
  /** The first 16 bytes of the identity for which it was encrypted. */
  identity: Bytes
  /** The first message of the epoch that was meant for it. */
  first: number
  /** The message that brought it the chain last, -1 for none that it could use. */
  at: number
  /** That message stands in the group's log: it needs no key of its own. */
  reads: boolean
}

/** A chain of somebody else. */
export interface Chain {
  epoch: string
  /** Ed25519. */
  public: Bytes
  /** The identity, in Curve25519 form, of the device whose session brought it. */
  identity: Bytes
  /** The first place that it opens here. */
  start: number
  /** The place of `chain`. */
  next: number
  chain: Bytes
  /** When it came, in seconds since 1970. */
  got: number
  skipped: { n: number; seed: Bytes }[]
}

const noKey: Bytes = new Uint8Array(32)

/** Addresses come last, so that they may hold any character. */
const place = (room: string, a: Address): string => `${a.device}/${room.length}/${room}/${a.jid}`

export const epochName = (room: string): string => `sender/epoch/${room}`
export const holdersName = (room: string): string => `sender/holders/${room}`
/** The epoch before, for who asks late. */
export const beforeName = (room: string): string => `sender/before/${room}`
export const chainName = (room: string, a: Address): string => `chain/${place(room, a)}`
export const wantName = (room: string, a: Address): string => `want/${place(room, a)}`
export const knowsName = (jid: string): string => `knows/${jid}`

/** Reads a value; one that cannot be read is as none: chains are begun anew. */
export async function readOr<T>(step: Step, name: string, read: (saved: Bytes) => T, none: T): Promise<T> {
  const saved = await step.read(name)
  try {
    return saved ? read(saved) : none
  } catch {
    return none
  }
}

/** The reverse of loadEpoch. */
export function saveEpoch(e: OwnEpoch): Bytes {
  return newSaved(kinds.epoch).bytes(1, unhex(e.id)).bytes(2, e.private).bytes(3, e.public).bytes(4, e.start).bytes(5, e.chain).number(6, e.n).number(7, e.made).bytes(8, e.held).done()
}

/** An epoch of ours as it is kept. */
export function loadEpoch(saved: Bytes): OwnEpoch {
  return readSaved(saved, kinds.epoch, (fields) => {
    const e: OwnEpoch = { id: '', private: noKey, public: noKey, start: noKey, chain: noKey, n: 0, made: 0, held: noKey }
    for (const f of fields) {
      if (f.field === 1) e.id = hex(f.bytes())
      else if (f.field === 2) e.private = f.key()
      else if (f.field === 3) e.public = f.key()
      else if (f.field === 4) e.start = f.key()
      else if (f.field === 5) e.chain = f.key()
      else if (f.field === 6) e.n = f.uint32()
      else if (f.field === 7) e.made = f.uint53()
      else if (f.field === 8) e.held = f.bytes().slice()
      else unknownField(f)
    }
    return e
  })
}

/** The reverse of loadHolders: devices stand after their account. */
export function saveHolders(holders: Holder[]): Bytes {
  const f = newSaved(kinds.holders)
  let last = ''
  for (const h of holders) {
    if (h.jid !== last) f.bytes(1, utf8((last = h.jid)))
    f.bytes(2, new Fields().number(1, h.device).bytes(2, h.identity).number(3, h.first).number(4, h.at + 1).flag(5, h.reads).done())
  }
  return f.done()
}

/** Who holds a chain of ours. */
export function loadHolders(saved: Bytes): Holder[] {
  return readSaved(saved, kinds.holders, (fields) => {
    const out: Holder[] = []
    let jid = ''
    for (const f of fields) {
      if (f.field === 1) jid = text(f.bytes())
      else append(out, maxHolders, f.field === 2 ? loadHolder(jid, f.bytes()) : unknownField(f))
    }
    return out
  })
}

function loadHolder(jid: string, input: Bytes): Holder {
  const h: Holder = { jid, device: 0, identity: noKey, first: 0, at: -1, reads: false }
  for (const f of readFields(input)) {
    if (f.field === 1) h.device = f.uint32()
    else if (f.field === 2) h.identity = f.bytes().slice()
    else if (f.field === 3) h.first = f.uint32()
    else if (f.field === 4) h.at = f.uint32() - 1
    else if (f.field === 5) h.reads = f.uint32() !== 0
    else unknownField(f)
  }
  return h
}

/** Who holds an epoch of ours. Not to be changed: they are remembered. */
export async function holdersOf(step: Step, room: string, epoch: OwnEpoch | undefined): Promise<Holder[]> {
  if (!epoch) return []
  const known = step.d.memory.holders.get(room)
  if (known && epoch.held.length > 0 && same(known.mark, epoch.held)) return known.holders
  const holders = await readOr(step, holdersName(room), loadHolders, [])
  remember(step, room, epoch, holders)
  return holders
}

/** Keeps an epoch of ours, and who holds it where that has changed. */
export function keepEpoch(step: Step, room: string, epoch: OwnEpoch, holders?: Holder[]): void {
  const now = holders ? { ...epoch, held: systemRandom(8) } : epoch
  step.keep(epochName(room), saveEpoch(now))
  if (!holders) return
  step.keep(holdersName(room), saveHolders(holders))
  remember(step, room, now, holders)
}

function remember({ d: { memory } }: Step, room: string, { held }: OwnEpoch, holders: Holder[]): void {
  if (memory.holders.size >= maxRemembered) memory.holders.clear()
  memory.holders.set(room, { mark: held, holders })
}

/** The reverse of loadChains. */
export function saveChains(chains: Chain[]): Bytes {
  const f = newSaved(kinds.chains)
  for (const c of chains) {
    const one = new Fields().bytes(1, unhex(c.epoch)).bytes(2, c.public).bytes(3, c.identity).number(4, c.start).number(5, c.next).bytes(6, c.chain).number(7, c.got)
    for (const k of c.skipped) one.bytes(8, new Fields().number(1, k.n).bytes(2, k.seed).done())
    f.bytes(1, one.done())
  }
  return f.done()
}

/** The chains of one device in one group, newest first. */
export function loadChains(saved: Bytes): Chain[] {
  return readSaved(saved, kinds.chains, (fields) => {
    const out: Chain[] = []
    for (const f of fields) append(out, maxChains, f.field === 1 ? loadChain(f.bytes()) : unknownField(f))
    return out
  })
}

function loadChain(input: Bytes): Chain {
  const c: Chain = { epoch: '', public: noKey, identity: noKey, start: 0, next: 0, chain: noKey, got: 0, skipped: [] }
  for (const f of readFields(input)) (chainFields[f.field] ?? unknownField)(f, c)
  return c
}

const chainFields: Record<number, (f: Entry, c: Chain) => void> = {
  1: (f, c) => { c.epoch = hex(f.bytes()) },
  2: (f, c) => { c.public = f.key() },
  3: (f, c) => { c.identity = f.key() },
  4: (f, c) => { c.start = f.uint32() },
  5: (f, c) => { c.next = f.uint32() },
  6: (f, c) => { c.chain = f.key() },
  7: (f, c) => { c.got = f.uint53() },
  8: (f, c) => append(c.skipped, maxMessages, loadSkipped(f.bytes())),
}

function loadSkipped(input: Bytes): { n: number; seed: Bytes } {
  const k = { n: 0, seed: noKey }
  for (const f of readFields(input)) {
    if (f.field === 1) k.n = f.uint32()
    else if (f.field === 2) k.seed = f.key()
    else unknownField(f)
  }
  return k
}

/** Which devices of an account know chains, when it was asked, and which do not. */
export interface Knowing { asked: number; know: number[]; not: number[] }

/** The reverse of loadKnowing. */
export function saveKnowing(k: Knowing): Bytes {
  const f = newSaved(kinds.knowing).number(1, k.asked)
  for (const id of k.know) f.number(2, id)
  for (const id of k.not) f.number(3, id)
  return f.done()
}

/** What is known of an account. */
export function loadKnowing(saved: Bytes): Knowing {
  return readSaved(saved, kinds.knowing, (fields) => {
    const k: Knowing = { asked: 0, know: [], not: [] }
    for (const f of fields) {
      if (f.field === 1) k.asked = f.uint53()
      else if (f.field === 2) append(k.know, maxIDs, f.uint32())
      else if (f.field === 3) append(k.not, maxIDs, f.uint32())
      else unknownField(f)
    }
    return k
  })
}

/** When a device was asked for which of its epochs, newest last. */
export type Wanted = { epoch: string; asked: number }[]

/** The reverse of loadWanted. */
export function saveWanted(wanted: Wanted): Bytes {
  const f = newSaved(kinds.wanted)
  for (const w of wanted) f.bytes(1, new Fields().bytes(1, unhex(w.epoch)).number(2, w.asked).done())
  return f.done()
}

/** What a device was asked for. */
export function loadWanted(saved: Bytes): Wanted {
  return readSaved(saved, kinds.wanted, (fields) => {
    const out: Wanted = []
    for (const f of fields) {
      const one = { epoch: '', asked: 0 }
      for (const part of f.field === 1 ? readFields(f.bytes()) : unknownField(f)) {
        if (part.field === 1) one.epoch = hex(part.bytes())
        else if (part.field === 2) one.asked = part.uint53()
        else unknownField(part)
      }
      append(out, maxChains, one)
    }
    return out
  })
}
