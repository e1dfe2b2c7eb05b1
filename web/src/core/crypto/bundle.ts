// What a device publishes, checked, and the states that grow out of it.

import { newKeyPair, verify, type KeyPair, type PublicIdentity, type Random } from './curve.ts'
import { initiatorSecret, responderSecret } from './agreement.ts'
import { refuse } from './failure.ts'
import { identityFromWire, keyFromWire } from './identity.ts'
import { maxID, maxPreKeys } from './limits.ts'
import { findPreKey, findSignedPreKey, poolOf, publicIdentity, type Owner } from './prekeys.ts'
import { profileOf, type Profile } from './profile.ts'
import { decryptWith, turnSending, type State } from './ratchet.ts'
import type { Bundle, Bytes, PreKey } from './types.ts'
import type { KeyExchange, RatchetMessage } from './wire.ts'

interface NumberedKey { id: number; key: Bytes }

/** A bundle whose every key and whose signature were found good. */
export interface CheckedBundle { identity: PublicIdentity; signedPreKey: NumberedKey; preKeys: NumberedKey[] }

/** Refuses a bundle whose signature, lengths or points are not all good. It needs one usable prekey; an id of 0 is passed over, since some
 * apps publish it and others cannot read it. */
export function checkBundle(b: Bundle): CheckedBundle {
  const p = profileOf(b.version)
  const identity = identityFromWire(p, b.identity)
  const signedPreKey = { id: b.signedPreKey.id, key: keyFromWire(p, b.signedPreKey.key) }
  verify(p, identity, b.signedPreKey.key, b.signature)
  return { identity, signedPreKey, preKeys: checkPreKeys(p, b.preKeys) }
}

function checkPreKeys(p: Profile, published: PreKey[]): NumberedKey[] {
  if (published.length > maxPreKeys) refuse('too-large', `${published.length} prekeys`)
  const good = published.map((k) => ({ id: k.id, key: keyFromWire(p, k.key) })).filter((k) => k.id > 0 && k.id <= maxID)
  if (good.length === 0) refuse('malformed', 'no prekey')
  return good
}

// Chooses a prekey at random, so that two who begin at once seldom meet (XEP-0384 §5.4). One alone costs no randomness.
function pick(b: CheckedBundle, random: Random): NumberedKey {
  let at = 0
  if (b.preKeys.length > 1) {
    const draw = random(8)
    at = new DataView(draw.buffer, draw.byteOffset).getUint32(0, true) % b.preKeys.length
  }
  return b.preKeys[at] ?? refuse('malformed', 'no prekey')
}

/** Begins a state with the device that published the bundle. */
export function initiate(p: Profile, local: KeyPair, b: CheckedBundle, random: Random): State {
  const preKey = pick(b, random)
  const ephemeral = newKeyPair(random)
  const root = initiatorSecret(p, local, ephemeral, b.identity, b.signedPreKey.key, preKey.key)
  const s: State = {
    remote: b.identity, base: ephemeral.public, initiated: true, pending: { preKey: preKey.id, signedPreKey: b.signedPreKey.id },
    root, send: { pair: ephemeral, chain: new Uint8Array(32), next: 0 }, receive: [], skipped: [], previous: 0,
  }
  turnSending(p, s, b.signedPreKey.key, random)
  return s
}

/** Builds the state that a key exchange asks for, and opens the message in it: only that proves that the exchange is real. */
export function accept(p: Profile, local: Owner, x: KeyExchange, m: RatchetMessage, random: Random): { state: State; plaintext: Bytes } {
  const pool = poolOf(local, p)
  const signed = findSignedPreKey(pool, x.signedPreKey)
  const preKey = findPreKey(pool, x.preKey)
  const root = responderSecret(p, local.identity, signed.private, preKey.private, x.identity, x.baseKey)
  const state: State = {
    remote: x.identity, base: x.baseKey, initiated: false, root,
    send: { pair: { private: signed.private, public: signed.public }, chain: new Uint8Array(32), next: 0 },
    receive: [], skipped: [], previous: 0,
  }
  return { plaintext: decryptWith(p, state, publicIdentity(local), m, random), state }
}
