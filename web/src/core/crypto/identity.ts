// Keys on the wire, what binds a message to both identities, and how people compare them.

import { join, hex, same, unhex } from './bytes.ts'
import { curveOf, edwardsOf, isLowOrder, isReduced, type PublicIdentity } from './curve.ts'
import { refuse } from './failure.ts'
import { maxID } from './limits.ts'
import type { Profile } from './profile.ts'
import type { Bytes, ScannedKey } from './types.ts'

/** Reads the identity of a bundle or key exchange, in the form of the version. */
export function identityFromWire(p: Profile, wire: Bytes): PublicIdentity {
  if (!p.edIdentity) {
    const curve = keyFromWire(p, wire)
    return { curve, ed: edwardsOf(curve, 0) }
  }
  if (wire.length !== 32) refuse('malformed', `identity of ${wire.length} bytes`)
  const ed = wire.slice()
  return { curve: curveOf(ed), ed }
}

/** The reverse of identityFromWire. */
export function identityToWire(p: Profile, id: PublicIdentity): Bytes {
  return p.edIdentity ? id.ed : keyToWire(p, id.curve)
}

/** Reads a Curve25519 public key. It refuses points of low order, and encodings that X25519 would reduce: two spellings of one key would
 * make one key exchange look like two. */
export function keyFromWire(p: Profile, wire: Bytes): Bytes {
  const n = p.keyPrefix.length
  if (wire.length !== n + 32 || !same(wire.subarray(0, n), p.keyPrefix)) refuse('malformed', 'public key')
  const key = wire.slice(n)
  if (isLowOrder(key) || !isReduced(key)) refuse('malformed', 'public key of low order or not reduced')
  return key
}

/** The reverse of keyFromWire. */
export function keyToWire(p: Profile, key: Bytes): Bytes {
  return join(p.keyPrefix, key)
}

/** What binds a message to both identities (XEP-0384 §4.2). OMEMO 0.3 orders them by sender, OMEMO 2 by initiator. */
export function associatedData(p: Profile, local: PublicIdentity, remote: PublicIdentity, sending: boolean, initiated: boolean): Bytes {
  const localFirst = p.adByRole ? initiated : sending
  const [first, second] = localFirst ? [local, remote] : [remote, local]
  return join(identityToWire(p, first), identityToWire(p, second))
}

/** A key as eight groups of eight lower-case hex digits (XEP-0384 §8). */
export function fingerprint(identity: string): string {
  return identity.match(/.{8}/g)?.join(' ') ?? ''
}

const trustPrefix = 'omemo-sid-'

/** The part of an xmpp: URI that states the identity of a device, as apps put it in QR codes: omemo-sid-<device id>=<64 hex digits>. */
export function trustParam(device: number, identity: Uint8Array): string {
  return `${trustPrefix}${device}=${hex(identity)}`
}

/** Reads what trustParam writes; hex digits may be of either case. It refuses anything else as malformed. */
export function parseTrustParam(param: string): ScannedKey {
  const found = /^omemo-sid-(\d{1,10})=([0-9a-f]{64})$/i.exec(param)
  const device = Number(found?.[1])
  if (!found?.[2] || !param.startsWith(trustPrefix) || device < 1 || device > maxID) refuse('malformed', 'trust parameter')
  return { device, fingerprint: hex(unhex(found[2])) }
}
