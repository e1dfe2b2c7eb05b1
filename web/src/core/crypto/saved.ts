// Saved states: one byte of format, one of kind, then protobuf fields. A field number is never reused; an unknown field is refused, because
// a state written by a newer program must not be half understood. Owner and session are as the Go implementation keeps them.

import { isZero } from './bytes.ts'
import { pairOf, type KeyPair } from './curve.ts'
import { Refused, refuse } from './failure.ts'
import { maxArchived, maxChains, maxHeld, maxSkip, preKeyTarget } from './limits.ts'
import type { HeldPair, NumberedPair, Owner, Pool, SignedPair } from './prekeys.ts'
import { Fields, readFields, type Entry } from './protobuf.ts'
import type { ReceiveChain, SkippedKey, State } from './ratchet.ts'
import type { Session } from './session.ts'
import type { Bytes } from './types.ts'

const stateFormat = 1

/** What a saved state is, so that one is never read as another. */
export const kinds = { owner: 1, session: 2, account: 4, opened: 5, notice: 6, archive: 7, claims: 8, decision: 9, proof: 10, keys: 11, epoch: 12, holders: 13, chains: 14, knowing: 15, wanted: 16, seen: 17 } as const

/** Starts a saved state. */
export function newSaved(kind: number): Fields {
  return new Fields(Uint8Array.of(stateFormat, kind))
}

/** Reads a saved state of a kind; whatever is wrong is refused as `state`. */
export function readSaved<T>(input: Bytes, kind: number, read: (fields: Entry[]) => T): T {
  if (input[0] !== stateFormat || input[1] !== kind) refuse('state', `saved state of kind ${kind}: format`)
  try {
    return read(readFields(input.subarray(2)))
  } catch (thrown) {
    if (thrown instanceof Refused) refuse('state', `saved state of kind ${kind}: ${thrown.message}`)
    throw thrown
  }
}

/** Refuses a field that this program does not know. */
export function unknownField(f: Entry): never {
  return refuse('state', `field ${f.field}`)
}

/** Adds to a list with a limit. */
export function append<T>(list: T[], limit: number, element: T): void {
  if (list.length >= limit) refuse('state', `more than ${limit}`)
  list.push(element)
}

/** The owner as it is kept. */
export function saveOwner(o: Owner): Bytes {
  const f = newSaved(kinds.owner).number(1, o.device).bytes(2, o.identity.private)
  for (const pool of o.pools) f.bytes(3, savePool(pool))
  return f.done()
}

/** The reverse of saveOwner. */
export function loadOwner(input: Bytes): Owner {
  return readSaved(input, kinds.owner, (fields) => {
    let device = 0
    let identity: KeyPair | undefined
    const pools: Pool[] = []
    for (const f of fields) {
      if (f.field === 1) device = f.uint32()
      else if (f.field === 2) identity = pairOf(f.key())
      else if (f.field === 3) pools.push(loadPool(f.bytes()))
      else unknownField(f)
    }
    const [first, second] = pools
    if (device < 1 || device > 0x7fffffff || !identity || !first || !second || pools.length !== 2) refuse('state', 'a field is missing')
    return { device, identity, pools: [first, second] }
  })
}

function savePool(p: Pool): Bytes {
  const f = new Fields().number(1, p.nextSigned).number(2, p.next)
  for (const k of p.signed) f.bytes(3, numbered(k).bytes(4, k.signature).number(5, k.made).done())
  for (const k of p.oneTime) f.bytes(4, numbered(k).done())
  for (const k of p.held) f.bytes(5, numbered(k).number(6, k.beside).done())
  return f.done()
}

function numbered(k: NumberedPair): Fields {
  return new Fields().number(1, k.id).bytes(2, k.private).bytes(3, k.public)
}

function loadPool(input: Bytes): Pool {
  const p: Pool = { signed: [], oneTime: [], held: [], nextSigned: 0, next: 0 }
  for (const f of readFields(input)) {
    if (f.field === 1) p.nextSigned = f.uint32()
    else if (f.field === 2) p.next = f.uint32()
    else if (f.field === 3) append(p.signed, 2, loadPair(f.bytes()))
    else if (f.field === 4) append(p.oneTime, preKeyTarget, loadPair(f.bytes()))
    else if (f.field === 5) append(p.held, maxHeld, loadPair(f.bytes()))
    else unknownField(f)
  }
  if (p.signed.length === 0) refuse('state', 'no signed prekey')
  return p
}

// It trusts the public key beside the private one: deriving hundreds at every change would take a tenth of a second.
function loadPair(input: Bytes): SignedPair & HeldPair {
  const k = { id: 0, private: noKey, public: noKey, signature: noKey, made: 0, beside: 0 }
  for (const f of readFields(input)) {
    if (f.field === 1) k.id = f.uint32()
    else if (f.field === 2) k.private = f.key()
    else if (f.field === 3) k.public = f.key()
    else if (f.field === 4) k.signature = f.bytes().slice()
    else if (f.field === 5) k.made = f.uint53()
    else if (f.field === 6) k.beside = f.uint32()
    else unknownField(f)
  }
  return k
}

const noKey: Bytes = new Uint8Array(32)

/** A session as it is kept. */
export function saveSession(s: Session): Bytes {
  const f = newSaved(kinds.session)
  for (const st of s) f.bytes(1, saveState(st))
  return f.done()
}

/** The reverse of saveSession. */
export function loadSession(input: Bytes): Session {
  return readSaved(input, kinds.session, (fields) => {
    const out: Session = []
    for (const f of fields) append(out, 1 + maxArchived, f.field === 1 ? loadState(f.bytes()) : unknownField(f))
    if (out.length === 0) refuse('state', 'no state')
    return out
  })
}

function saveState(s: State): Bytes {
  const f = new Fields().bytes(1, s.remote.curve).bytes(2, s.remote.ed).bytes(3, s.base).flag(4, s.initiated)
  if (s.pending) f.number(5, s.pending.preKey).number(6, s.pending.signedPreKey)
  f.bytes(7, s.root).bytes(8, s.send.pair.private).bytes(9, s.send.pair.public).bytes(10, s.send.chain)
  f.number(11, s.send.next).number(12, s.previous)
  for (const c of s.receive) {
    f.bytes(13, new Fields().bytes(1, c.ratchetKey).bytes(2, c.chain).number(3, c.next).flag(4, c.closed).flag(5, c.answered).done())
  }
  for (const k of s.skipped) f.bytes(14, new Fields().bytes(1, k.ratchetKey).number(2, k.counter).bytes(3, k.seed).done())
  return f.done()
}

function loadState(input: Bytes): State {
  const s: State = {
    remote: { curve: noKey, ed: noKey }, base: noKey, initiated: false, root: noKey,
    send: { pair: { private: noKey, public: noKey }, chain: noKey, next: 0 }, receive: [], skipped: [], previous: 0,
  }
  for (const f of readFields(input)) (stateFields[f.field] ?? unknownField)(f, s)
  if (isZero(s.send.pair.private) || isZero(s.remote.curve)) refuse('state', 'a field is missing')
  return s
}

const stateFields: Record<number, (f: Entry, s: State) => void> = {
  1: (f, s) => { s.remote.curve = f.key() },
  2: (f, s) => { s.remote.ed = f.key() },
  3: (f, s) => { s.base = f.key() },
  4: (f, s) => { s.initiated = f.uint32() !== 0 },
  5: (f, s) => { s.pending = { signedPreKey: 0, ...s.pending, preKey: f.uint32() } },
  6: (f, s) => { s.pending = { preKey: 0, ...s.pending, signedPreKey: f.uint32() } },
  7: (f, s) => { s.root = f.key() },
  8: (f, s) => { s.send.pair.private = f.key() },
  9: (f, s) => { s.send.pair.public = f.key() },
  10: (f, s) => { s.send.chain = f.key() },
  11: (f, s) => { s.send.next = f.uint32() },
  12: (f, s) => { s.previous = f.uint32() },
  13: (f, s) => append(s.receive, maxChains, loadChain(f.bytes())),
  14: (f, s) => append(s.skipped, maxSkip, loadSkipped(f.bytes())),
}

function loadChain(input: Bytes): ReceiveChain {
  const c: ReceiveChain = { ratchetKey: noKey, chain: noKey, next: 0, closed: false, answered: false }
  for (const f of readFields(input)) {
    if (f.field === 1) c.ratchetKey = f.key()
    else if (f.field === 2) c.chain = f.key()
    else if (f.field === 3) c.next = f.uint32()
    else if (f.field === 4) c.closed = f.uint32() !== 0
    else if (f.field === 5) c.answered = f.uint32() !== 0
    else unknownField(f)
  }
  return c
}

function loadSkipped(input: Bytes): SkippedKey {
  const k: SkippedKey = { ratchetKey: noKey, counter: 0, seed: noKey }
  for (const f of readFields(input)) {
    if (f.field === 1) k.ratchetKey = f.key()
    else if (f.field === 2) k.counter = f.uint32()
    else if (f.field === 3) k.seed = f.key()
    else unknownField(f)
  }
  return k
}
