// The chain with which a device speaks in a large group (docs/protocol/group-keys.md): its steps, the one key of a message that it leads to, and the
// signature without which everybody who has the chain could speak for its owner.

import { sha256 } from '@noble/hashes/sha2.js'
import { copy, hex, join, utf8 } from './bytes.ts'
import { edKey, newKeyPair, sign, verify, type Random } from './curve.ts'
import { refuse } from './failure.ts'
import { advance, derive } from './kdf.ts'
import { openGCM, sealGCM } from './payload.ts'
import { profiles } from './profile.ts'
import type { Bytes, ForAll } from './types.ts'

/** The namespace of all of it. */
export const senderKeys = 'urn:palabre:sender-keys:0'
/** Messages of one epoch: no message has a greater number. */
export const maxMessages = 1000
/** Seconds for which an epoch is spoken with. */
export const maxAge = 7 * 86_400

const info = 'Palabre Sender Key'
const keySize = 48
const tagSize = 16

/** Who speaks where, and with which chain. */
export interface Speaker { room: string; jid: string; device: number; epoch: string }

/** An epoch of ours. */
export interface OwnEpoch {
  /** 8 random bytes in hex. */
  id: string
  /** Curve25519; its Ed25519 form signs. */
  private: Bytes
  public: Bytes
  /** The chain at 0, for who has missed it. */
  start: Bytes
  /** The chain at `n`, with which the next message is encrypted. */
  chain: Bytes
  n: number
  /** Seconds since 1970. */
  made: number
  /** Drawn with each change of who holds it: who remembers them by it knows whether they are still the same. */
  held: Bytes
}

/** Draws an epoch. */
export function newEpoch(random: Random, now: number): OwnEpoch {
  const pair = newKeyPair(random)
  const start = random(32)
  return { id: hex(random(8)), private: pair.private, public: edKey(pair.private).public, start, chain: start, n: 0, made: now, held: new Uint8Array(0) }
}

/** The chain so many steps further; at most as many as an epoch has messages. */
export function walk(chain: Bytes, steps: number): Bytes {
  if (steps < 0 || steps > maxMessages) refuse('malformed', `${steps} steps`)
  let at = chain
  for (let i = 0; i < steps; i++) at = advance(at).next
  return at
}

/** Encrypts the key of a payload for all who have the chain, under the seed of the message's place. */
export async function sealForAll(by: Speaker & { n: number; private: Bytes; random: Random }, seed: Bytes, keyPart: Bytes, payload: Bytes): Promise<ForAll> {
  const context = contextOf(by, by.n)
  const hash = sha256(payload)
  const { key, iv } = keysOf(seed, hash)
  const data = await sealGCM(key, iv, keyPart, context)
  return { epoch: by.epoch, n: by.n, data, sign: sign(by.private, join(context, data, hash), by.random) }
}

/** Refuses what its speaker has not signed. */
export async function checkSign(by: Speaker, all: ForAll, payload: Bytes, publicKey: Bytes): Promise<void> {
  if (all.sign.length !== 64 || all.data.length !== keySize + tagSize) refuse('malformed', 'key for all')
  const message = join(contextOf(by, all.n), all.data, sha256(payload))
  const known = await natively(publicKey, all.sign, message)
  if (known === undefined) verify(profiles[1], { curve: publicKey, ed: publicKey }, message, all.sign)
  else if (!known) refuse('malformed', 'signature of a key for all')
}

/** The key of the payload; refused as malformed where seed and payload do not belong to it. */
export async function openForAll(by: Speaker, all: ForAll, seed: Bytes, payload: Bytes): Promise<Bytes> {
  const { key, iv } = keysOf(seed, sha256(payload))
  try {
    return await openGCM(key, iv, all.data, contextOf(by, all.n))
  } catch {
    return refuse('malformed', 'key for all')
  }
}

// The payload is the salt: a place that was used twice, by a copy of this device, would still not use one key for two messages.
function keysOf(seed: Bytes, hash: Uint8Array): { key: Bytes; iv: Bytes } {
  const out = derive(seed, hash, info, 44)
  return { key: out.slice(0, 32), iv: out.slice(32) }
}

/** What is authenticated beside the key. No part of it can hold a line break. */
export function contextOf({ room, jid, device, epoch }: Speaker, n: number): Bytes {
  return utf8([senderKeys, room, jid, device, epoch, n].join('\n'))
}

// Signatures are read by the platform where it can: many times as fast. Nothing where it cannot.
async function natively(publicKey: Bytes, signature: Bytes, message: Bytes): Promise<boolean | undefined> {
  try {
    const key = await crypto.subtle.importKey('raw', copy(publicKey), 'Ed25519', false, ['verify'])
    return await crypto.subtle.verify('Ed25519', key, signature, message)
  } catch {
    return undefined
  }
}
