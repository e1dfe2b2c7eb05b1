// The secret half of a device: its identity and the prekeys of both versions.

import { newKeyPair, edKey, sign, type KeyPair, type PublicIdentity, type Random } from './curve.ts'
import { refuse } from './failure.ts'
import { identityToWire, keyToWire } from './identity.ts'
import { maxHeld, maxID, preKeyTarget } from './limits.ts'
import { profiles, type Profile } from './profile.ts'
import type { Bundle, Bytes } from './types.ts'

// The age in seconds at which a signed prekey is replaced (XEP-0384 §4.2: once a week to once a month). The one before it stays readable
// until the next replacement.
const rotateAfter = 7 * 24 * 3600

/** What is kept for a device besides its sessions. */
export interface Owner { device: number; identity: KeyPair; pools: [Pool, Pool] }

/** The prekeys of one version. The versions share none, so that each can be claimed and used up by itself. */
export interface Pool {
  /** Newest first, at most two. */
  signed: SignedPair[]
  oneTime: NumberedPair[]
  /** Used and not published any more, oldest first. */
  held: HeldPair[]
  nextSigned: number
  next: number
}

export interface NumberedPair extends KeyPair { id: number }

/** A used prekey stays readable as long as the signed prekey beside which it was published last: somebody else may have taken both out of a bundle before it
 * was used, and the message made with them comes later. An exchange is as secret as both. */
export interface HeldPair extends NumberedPair {
  /** Id of that signed prekey. */
  beside: number
}

export interface SignedPair extends NumberedPair {
  signature: Bytes
  /** Seconds since 1970. */
  made: number
}

/** Draws a device that is none of taken; now is in seconds since 1970. */
export function newOwner(now: number, taken: number[], random: Random): Owner {
  const empty = (): Pool => ({ signed: [], oneTime: [], held: [], nextSigned: 0, next: 0 })
  const device = drawDevice(taken, random)
  const owner: Owner = { device, identity: newKeyPair(random), pools: [empty(), empty()] }
  maintain(owner, now, random)
  return owner
}

/** Draws 1 … 2^31-1. With at most 4096 ids taken, 64 draws fail once in 2^1000 times. */
export function drawDevice(taken: number[], random: Random): number {
  for (let i = 0; i < 64; i++) {
    const draw = random(4)
    const id = new DataView(draw.buffer, draw.byteOffset).getUint32(0, true) % (maxID + 1)
    if (id !== 0 && !taken.includes(id)) return id
  }
  return refuse('too-large', 'draw a device id that is not taken')
}

/** The prekeys of a version. */
export function poolOf(owner: Owner, p: Profile): Pool {
  return owner.pools[p.number - 1] ?? refuse('state', 'no prekeys')
}

/** The identity in both forms, with Ed25519 sign bit 0. */
export function publicIdentity(owner: Owner): PublicIdentity {
  return { curve: owner.identity.public, ed: edKey(owner.identity.private).public }
}

/** Replaces signed prekeys that are due and fills the pools. It tells whether the bundles changed. */
export function maintain(owner: Owner, now: number, random: Random): boolean {
  let changed = false
  for (const p of profiles) {
    const pool = poolOf(owner, p)
    const rotated = rotate(p, pool, owner.identity.private, now, random)
    changed = fill(pool, random) || rotated || changed
  }
  return changed
}

// Makes a new signed prekey if the newest is too old, or from the future, as after a clock was set right.
function rotate(p: Profile, pool: Pool, identity: Bytes, now: number, random: Random): boolean {
  const newest = pool.signed[0]
  if (newest && now >= newest.made && now - newest.made < rotateAfter) return false
  const pair = newKeyPair(random)
  const signature = sign(identity, keyToWire(p, pair.public), random)
  pool.nextSigned = following(pool.nextSigned)
  pool.signed = [{ id: pool.nextSigned, ...pair, signature, made: now }, ...pool.signed.slice(0, 1)]
  pool.held = pool.held.filter((k) => pool.signed.some((s) => s.id === k.beside))
  return true
}

// Brings the published prekeys up to their number.
function fill(pool: Pool, random: Random): boolean {
  const before = pool.oneTime.length
  while (pool.oneTime.length < preKeyTarget) {
    const pair = newKeyPair(random)
    pool.next = following(pool.next)
    pool.oneTime.push({ id: pool.next, ...pair })
  }
  return pool.oneTime.length !== before
}

/** Counts 1 … 2^31-1 and round again: 0 is no id. */
export function following(id: number): number {
  return (id % maxID) + 1
}

/** The key pair of a signed prekey that is not forgotten yet. */
export function findSignedPreKey(pool: Pool, id: number): KeyPair {
  return pool.signed.find((k) => k.id === id) ?? refuse('no-prekey', `signed prekey ${id}`)
}

/** The key pair of a one-time prekey that is published or held. */
export function findPreKey(pool: Pool, id: number): KeyPair {
  return [...pool.oneTime, ...pool.held].find((k) => k.id === id) ?? refuse('no-prekey', `prekey ${id}`)
}

/** Takes a used prekey out of the published ones, holds it and replaces it. */
export function consume(pool: Pool, id: number, random: Random): void {
  const at = pool.oneTime.findIndex((k) => k.id === id)
  if (at < 0) return // held already
  const [used] = pool.oneTime.splice(at, 1)
  if (used) pool.held = [...pool.held, { ...used, beside: pool.signed[0]?.id ?? 0 }].slice(-maxHeld)
  fill(pool, random)
}

/** The public half of a pool. */
export function bundleOf(owner: Owner, p: Profile): Bundle {
  const pool = poolOf(owner, p)
  const newest = pool.signed[0] ?? refuse('state', 'no signed prekey')
  return {
    version: p.version,
    identity: identityToWire(p, publicIdentity(owner)),
    signedPreKey: { id: newest.id, key: keyToWire(p, newest.public) },
    signature: newest.signature,
    preKeys: pool.oneTime.map((k) => ({ id: k.id, key: keyToWire(p, k.public) })),
  }
}
