// Ratchet messages and key exchanges in bytes.

import { join, same } from './bytes.ts'
import type { PublicIdentity } from './curve.ts'
import { refuse } from './failure.ts'
import { identityFromWire, identityToWire, keyFromWire, keyToWire } from './identity.ts'
import { maxKeyBytes } from './limits.ts'
import type { Profile } from './profile.ts'
import { Fields, fieldOf, readOnce } from './protobuf.ts'
import type { Bytes } from './types.ts'

/** A SignalMessage (0.3) or OMEMOAuthenticatedMessage (2). */
export interface RatchetMessage {
  ratchetKey: Bytes
  counter: number
  previous: number
  ciphertext: Bytes
  /** The received bytes under the MAC: never a re-serialisation. */
  signed: Bytes
  mac: Bytes
}

/** A PreKeySignalMessage (0.3) or OMEMOKeyExchange (2). */
export interface KeyExchange {
  /** 0.3 only: the sender's device id, informational. */
  registration: number
  preKey: number
  signedPreKey: number
  baseKey: Bytes
  identity: PublicIdentity
  /** An encoded RatchetMessage. */
  message: Bytes
}

/** Lays out header and ciphertext in the order of the field numbers; these bytes are to be signed. */
export function encodeMessage(p: Profile, m: Omit<RatchetMessage, 'signed' | 'mac'>): Bytes {
  const out = new Fields(p.wirePrefix)
  for (let n = 1; n <= 4; n++) {
    if (n === p.message.ratchetKey) out.bytes(n, keyToWire(p, m.ratchetKey))
    if (n === p.message.counter) out.number(n, m.counter)
    if (n === p.message.previous) out.number(n, m.previous)
    if (n === p.message.ciphertext) out.bytes(n, m.ciphertext)
  }
  return out.done()
}

/** Completes what encodeMessage began. */
export function appendMAC(p: Profile, signed: Bytes, mac: Bytes): Bytes {
  return p.macOutside ? join(signed, mac) : new Fields().bytes(1, mac).bytes(2, signed).done()
}

/** Reads a ratchet message strictly. Nothing in it is to be believed before its MAC held. */
export function decodeMessage(p: Profile, input: Bytes): RatchetMessage {
  if (input.length > maxKeyBytes) refuse('too-large', `ratchet message of ${input.length} bytes`)
  const { signed, mac } = splitMAC(p, input)
  const f = p.message
  const fields = readOnce(afterPrefix(p, signed), [f.ratchetKey, f.counter, f.previous, f.ciphertext])
  return {
    signed, mac,
    ratchetKey: keyFromWire(p, fieldOf(fields, f.ratchetKey).bytes()),
    counter: fieldOf(fields, f.counter).uint32(),
    previous: fieldOf(fields, f.previous).uint32(),
    ciphertext: fieldOf(fields, f.ciphertext).bytes(),
  }
}

function splitMAC(p: Profile, input: Bytes): { signed: Bytes; mac: Bytes } {
  if (p.macOutside) {
    const cut = input.length - p.macSize
    if (cut <= 0) refuse('malformed', `ratchet message of ${input.length} bytes`)
    return { signed: input.subarray(0, cut), mac: input.subarray(cut) }
  }
  const fields = readOnce(input, [1, 2])
  const mac = fieldOf(fields, 1).bytes()
  const signed = fieldOf(fields, 2).bytes()
  if (mac.length !== p.macSize || signed.length === 0) refuse('malformed', `mac of ${mac.length} bytes over ${signed.length}`)
  return { signed, mac }
}

function afterPrefix(p: Profile, input: Bytes): Bytes {
  const n = p.wirePrefix.length
  if (!same(input.subarray(0, n), p.wirePrefix)) refuse('malformed', 'message of an unknown version')
  return input.subarray(n)
}

/** Writes the fields in the order that existing apps use; readers accept any. */
export function encodeExchange(p: Profile, x: KeyExchange): Bytes {
  const f = p.exchange
  const out = new Fields(p.wirePrefix)
  if (f.registration !== 0) out.number(f.registration, x.registration)
  return out.number(f.preKey, x.preKey).number(f.signedPreKey, x.signedPreKey)
    .bytes(f.identity, identityToWire(p, x.identity)).bytes(f.baseKey, keyToWire(p, x.baseKey)).bytes(f.message, x.message).done()
}

/** Reads a key exchange strictly. A one-time prekey is mandatory in both versions: without one, a replay would build a session again
 * (XEP-0384 §4.2). */
export function decodeExchange(p: Profile, input: Bytes): KeyExchange {
  if (input.length > maxKeyBytes) refuse('too-large', `key exchange of ${input.length} bytes`)
  const f = p.exchange
  const fields = readOnce(afterPrefix(p, input), [f.preKey, f.signedPreKey, f.baseKey, f.identity, f.message])
  return {
    registration: f.registration ? (fields.get(f.registration)?.uint32() ?? 0) : 0,
    preKey: fieldOf(fields, f.preKey).uint32(),
    signedPreKey: fieldOf(fields, f.signedPreKey).uint32(),
    baseKey: keyFromWire(p, fieldOf(fields, f.baseKey).bytes()),
    identity: identityFromWire(p, fieldOf(fields, f.identity).bytes()),
    message: fieldOf(fields, f.message).bytes(),
  }
}
