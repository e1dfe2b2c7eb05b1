// Curve25519 keys, their Ed25519 form, and signatures that convert between the two (RFC 7748, XEdDSA).

import { Point } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { copy, isZero, join, same, unhex } from './bytes.ts'
import { refuse, strictly } from './failure.ts'
import type { Profile } from './profile.ts'
import type { Bytes } from './types.ts'
import { agreement, invert, L, modulo, montgomery, P, publicOf, scalarOf, toBytes, toNumber } from './x25519.ts'

/** Draws random bytes. */
export type Random = (size: number) => Bytes

/** Randomness of the platform. */
export const systemRandom: Random = (size) => crypto.getRandomValues(new Uint8Array(size))

/** A Curve25519 key pair; both halves are 32 bytes. */
export interface KeyPair { private: Bytes; public: Bytes }

/** An identity key in both forms. In OMEMO 2 the Ed25519 form is the one that was received: its sign bit counts. */
export interface PublicIdentity { curve: Bytes; ed: Bytes }

/** Draws a key pair from 32 random bytes. */
export function newKeyPair(random: Random): KeyPair {
  return pairOf(random(32))
}

/** Derives the public half. */
export function pairOf(privateKey: Bytes): KeyPair {
  return { private: privateKey, public: publicOf(privateKey) }
}

/** X25519. It refuses points of low order, whose shared secret an attacker would know (RFC 7748 §6.1). */
export function agree(privateKey: Bytes, publicKey: Bytes): Bytes {
  if (publicKey.length !== 32 || isLowOrder(publicKey)) refuse('malformed', 'public key of low order')
  const secret = agreement(privateKey, publicKey)
  return isZero(secret) ? refuse('malformed', 'public key of low order') : secret
}

// The u-coordinates of order 1, 2, 4 and 8 on the curve and its twist, and their unreduced forms.
const lowOrder = [
  '00'.repeat(32), '01' + '00'.repeat(31),
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  ...['ec', 'ed', 'ee'].map((low) => low + 'ff'.repeat(30) + '7f'),
].map(unhex)

/** Tells whether every agreement with a key gives zero. X25519 ignores the top bit, and so does this. */
export function isLowOrder(key: Bytes): boolean {
  const k = copy(key)
  k[31] = (k[31] ?? 0) & 0x7f
  return lowOrder.some((low) => same(low, k))
}

/** Tells whether a key is below the field's prime 2^255 - 19. */
export function isReduced(key: Bytes): boolean {
  const top = key[31] ?? 0
  if (top !== 0x7f || (key[0] ?? 0) < 0xed) return top < 0x80
  return !key.subarray(1, 31).every((byte) => byte === 0xff)
}

/** Maps a u-coordinate to the Ed25519 point with the given sign bit: y = (u-1)/(u+1) (RFC 7748 §4.1). */
export function edwardsOf(curve: Bytes, sign: number): Bytes {
  if (isLowOrder(curve) || !isReduced(curve)) refuse('malformed', 'identity of low order or not reduced')
  const u = toNumber(curve)
  const ed = toBytes(((u - 1n) * invert(u + 1n)) % P)
  ed[31] = (ed[31] ?? 0) | (sign & 0x80)
  strictly('identity is not on the curve', () => Point.fromBytes(ed))
  return ed
}

/** Maps an Ed25519 point to its u-coordinate. It accepts both sign bits and refuses low order and unreduced encodings. */
export function curveOf(ed: Bytes): Bytes {
  const u = montgomery(strictly('identity is not on the curve', () => Point.fromBytes(ed)))
  if (isLowOrder(u)) refuse('malformed', 'identity of low order')
  return u
}

// Starts the nonce hash of XEdDSA: 2^256 - 2, little endian, so that it never collides with a point.
const hashPrefix = new Uint8Array(32).fill(0xff)
hashPrefix[0] = 0xfe

/** Makes an Ed25519 signature with a Curve25519 private key and 64 random bytes (XEdDSA §3). */
export function sign(privateKey: Bytes, message: Uint8Array, random: Random): Bytes {
  const { scalar, public: ed } = edKey(privateKey)
  const nonce = hashScalar(hashPrefix, toBytes(scalar), message, random(64))
  const commitment = Point.BASE.multiply(nonce).toBytes()
  const challenge = hashScalar(commitment, ed, message)
  return join(commitment, toBytes((challenge * scalar + nonce) % L))
}

/** The Ed25519 scalar and public key with sign bit 0 of a Curve25519 private key (XEdDSA §2.3). */
export function edKey(privateKey: Bytes): { scalar: bigint; public: Bytes } {
  const scalar = scalarOf(privateKey) % L
  const ed = copy(Point.BASE.multiply(scalar).toBytes())
  if (((ed[31] ?? 0) & 0x80) === 0) return { scalar, public: ed }
  ed[31] = (ed[31] ?? 0) & 0x7f
  return { scalar: L - scalar, public: ed }
}

/** Checks a signature by an identity, given in the form in which the version carries it; refuses one that does not hold. */
export function verify(p: Profile, identity: PublicIdentity, message: Uint8Array, signature: Bytes): void {
  if (signature.length !== 64) refuse('malformed', `signature of ${signature.length} bytes`)
  const plain = copy(signature)
  let signer = identity.ed
  if (p.signInSignature) {
    signer = edwardsOf(identity.curve, signature[63] ?? 0)
    plain[63] = (plain[63] ?? 0) & 0x7f
  }
  if (!strictly('signature', () => holds(signer, message, plain))) refuse('malformed', 'signature does not verify')
}

// Ed25519 (RFC 8032 §5.1.7): [S]B = R + [k]A, compared as bytes.
function holds(signer: Bytes, message: Uint8Array, signature: Bytes): boolean {
  const commitment = signature.subarray(0, 32)
  const s = toNumber(signature.subarray(32))
  if (s >= L) return false
  const k = hashScalar(commitment, signer, message)
  const point = Point.BASE.multiplyUnsafe(s).subtract(Point.fromBytes(signer).multiplyUnsafe(k))
  return same(point.toBytes(), commitment)
}

function hashScalar(...parts: Uint8Array[]): bigint {
  return modulo(toNumber(sha512(join(...parts))), L) || 1n // 0 never happens; multiply would throw
}
