// The Double Ratchet with one device.

import { isZero, same } from './bytes.ts'
import { agree, newKeyPair, type KeyPair, type PublicIdentity, type Random } from './curve.ts'
import { refuse } from './failure.ts'
import { associatedData } from './identity.ts'
import { advance, decryptCBC, derive, deriveSealKeys, encryptCBC, mac, sameMAC } from './kdf.ts'
import { heartbeatAfter, maxChains, maxCounter, maxSkip } from './limits.ts'
import type { Profile } from './profile.ts'
import type { Bytes } from './types.ts'
import { appendMAC, encodeExchange, encodeMessage, type RatchetMessage } from './wire.ts'

/** One Double Ratchet: what a single key exchange began. Bytes in it are never changed in place. */
export interface State {
  remote: PublicIdentity
  /** The initiator's ephemeral key: tells a repeated key exchange from a new one. */
  base: Bytes
  /** By us. */
  initiated: boolean
  /** Repeated with every message until the first reply is decrypted. */
  pending?: { preKey: number; signedPreKey: number }
  root: Bytes
  send: { pair: KeyPair; chain: Bytes; next: number }
  /** Oldest first, at most 16. */
  receive: ReceiveChain[]
  /** Oldest first. */
  skipped: SkippedKey[]
  /** Messages in our sending chain before this one. */
  previous: number
}

/** The messages that came under one ratchet key of the other side. */
export interface ReceiveChain {
  ratchetKey: Bytes
  /** Zero once closed. */
  chain: Bytes
  next: number
  /** The peer said how many messages it held, and the keys of the missing ones are kept. */
  closed: boolean
  /** We have sent something since: no heartbeat is owed. */
  answered: boolean
}

/** The key of a message that others overtook. */
export interface SkippedKey { ratchetKey: Bytes; counter: number; seed: Bytes }

/** Copies everything that encrypt and decrypt change. */
export function cloneState(s: State): State {
  return { ...s, send: { ...s.send }, receive: s.receive.map((c) => ({ ...c })), skipped: [...s.skipped] }
}

// Mixes a new agreement into the root key and returns the chain that springs from it.
function rootStep(p: Profile, s: State, privateKey: Bytes, publicKey: Bytes): Bytes {
  const out = derive(agree(privateKey, publicKey), s.root, p.infoRoot, 64)
  s.root = out.slice(0, 32)
  return out.slice(32)
}

/** Draws a new ratchet key pair and opens the sending chain towards the remote ratchet key. */
export function turnSending(p: Profile, s: State, remote: Bytes, random: Random): void {
  const pair = newKeyPair(random)
  const chain = rootStep(p, s, pair.private, remote)
  s.previous = s.send.next
  s.send = { pair, chain, next: 0 }
}

/** Makes the next message of s: a ratchet message, or a key exchange around it while no reply was seen. It changes s. */
export function encryptWith(p: Profile, s: State, local: PublicIdentity, device: number, plaintext: Bytes): { data: Bytes; exchange: boolean } {
  if (s.send.next >= maxCounter) refuse('too-large', 'sending chain is exhausted')
  const { seed, next } = advance(s.send.chain)
  const keys = deriveSealKeys(seed, p.infoMessage)
  const ciphertext = encryptCBC(keys, plaintext)
  const signed = encodeMessage(p, { ratchetKey: s.send.pair.public, counter: s.send.next, previous: s.previous, ciphertext })
  const tag = mac(keys.mac, associatedData(p, local, s.remote, true, s.initiated), signed).slice(0, p.macSize)
  const message = appendMAC(p, signed, tag)
  s.send.chain = next
  s.send.next++
  for (const c of s.receive) c.answered = true
  if (!s.pending) return { data: message, exchange: false }
  return { data: encodeExchange(p, { registration: device, ...s.pending, baseKey: s.base, identity: local, message }), exchange: true }
}

/** Opens a message. It changes s as it goes, so it is given a copy, which the caller keeps only if nothing was refused. */
export function decryptWith(p: Profile, s: State, local: PublicIdentity, m: RatchetMessage, random: Random): Bytes {
  const { seed, turning } = findSeed(p, s, m)
  const plaintext = open(p, s, local, m, seed)
  s.pending = undefined
  if (turning) turnSending(p, s, m.ratchetKey, random)
  return plaintext
}

// Finds the key of a message: kept from when it was skipped, on a chain we know, or on a new one, which turns the ratchet.
function findSeed(p: Profile, s: State, m: RatchetMessage): { seed: Bytes; turning: boolean } {
  const kept = takeSkipped(s, m)
  if (kept) return { seed: kept, turning: false }
  const turning = !chainOf(s, m.ratchetKey)
  if (turning) turnReceiving(p, s, m)
  return { seed: seedOf(s, m), turning }
}

// Verifies the MAC over the received bytes, then decrypts.
function open(p: Profile, s: State, local: PublicIdentity, m: RatchetMessage, seed: Bytes): Bytes {
  const keys = deriveSealKeys(seed, p.infoMessage)
  const ad = associatedData(p, local, s.remote, false, s.initiated)
  if (!sameMAC(mac(keys.mac, ad, m.signed).subarray(0, p.macSize), m.mac)) refuse('decrypt', `mac of message ${m.counter}`)
  return decryptCBC(keys, m.ciphertext)
}

// Opens the chain of a ratchet key not seen before.
function turnReceiving(p: Profile, s: State, m: RatchetMessage): void {
  if (m.counter > maxSkip) refuse('too-far', `message ${m.counter} of a new chain`) // before anything expensive
  const chain = rootStep(p, s, s.send.pair.private, m.ratchetKey)
  const last = s.receive.at(-1)
  if (last && p.countsChain) close(s, last, m.previous)
  s.receive.push({ ratchetKey: m.ratchetKey, chain, next: 0, closed: false, answered: false })
  if (s.receive.length > maxChains) s.receive.splice(0, s.receive.length - maxChains)
}

// Keeps the keys of the messages that the peer sent before it turned and that are still on their way. If it claims more than maxSkip of
// them the chain stays open instead: a long silence must not end the conversation.
function close(s: State, c: ReceiveChain, length: number): void {
  if (c.closed || length - c.next > maxSkip) return
  while (c.next < length) skip(s, c)
  c.closed = true
  c.chain = new Uint8Array(32)
}

// Takes one step on a chain and keeps the key of the message that was not seen. The session trims the list before it is kept.
function skip(s: State, c: ReceiveChain): void {
  const { seed, next } = advance(c.chain)
  s.skipped.push({ ratchetKey: c.ratchetKey, counter: c.next, seed })
  c.chain = next
  c.next++
}

function takeSkipped(s: State, m: RatchetMessage): Bytes | undefined {
  const at = s.skipped.findIndex((k) => k.counter === m.counter && same(k.ratchetKey, m.ratchetKey))
  return at < 0 ? undefined : s.skipped.splice(at, 1)[0]?.seed
}

// Steps along the chain of m to its key.
function seedOf(s: State, m: RatchetMessage): Bytes {
  const c = chainOf(s, m.ratchetKey) ?? refuse('decrypt', 'unknown chain')
  if (m.counter < c.next) refuse('duplicate', `message ${m.counter} of ${c.next}`)
  if (c.closed || isZero(c.chain)) refuse('decrypt', `message ${m.counter} after the end of its chain`)
  if (m.counter - c.next > maxSkip) refuse('too-far', `message ${m.counter} after ${c.next}`)
  if (m.counter >= maxCounter) refuse('too-large', 'receiving chain is exhausted')
  while (c.next < m.counter) skip(s, c)
  const { seed, next } = advance(c.chain)
  c.chain = next
  c.next++
  return seed
}

function chainOf(s: State, ratchetKey: Bytes): ReceiveChain | undefined {
  return s.receive.find((c) => same(c.ratchetKey, ratchetKey))
}

/** Tells whether the peer waits for any message of ours: to learn that its key exchange arrived, or because its chain grew long. It says so
 * until something is sent (XEP-0384 §6). */
export function owesReply(s: State, m: RatchetMessage, exchange: boolean): boolean {
  const c = chainOf(s, m.ratchetKey)
  return c !== undefined && !c.answered && (exchange || m.counter >= heartbeatAfter)
}
