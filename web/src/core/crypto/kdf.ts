// Keys from keys: HKDF and HMAC with SHA-256, and AES-256-CBC with HMAC as both versions seal with it.

import { cbc } from '@noble/ciphers/aes.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { join, same, utf8 } from './bytes.ts'
import { refuse, strictly } from './failure.ts'
import type { Bytes } from './types.ts'

/** The salt of every HKDF but the root step's. */
export const zeroSalt: Bytes = new Uint8Array(32)

const infos = new Map<string, Bytes>()

/** HKDF-SHA-256. */
export function derive(secret: Uint8Array, salt: Uint8Array, info: string, size: number): Bytes {
  let label = infos.get(info)
  if (!label) infos.set(info, (label = utf8(info)))
  return hkdf(sha256, secret, salt, label, size)
}

/** HMAC-SHA-256. */
export function mac(secret: Uint8Array, ...parts: Uint8Array[]): Bytes {
  return hmac(sha256, secret, join(...parts))
}

const seedStep = Uint8Array.of(1)
const chainStep = Uint8Array.of(2)

/** One step on a chain: the seed of the message keys, and the chain key after it. */
export function advance(chain: Bytes): { seed: Bytes; next: Bytes } {
  return { seed: hmac(sha256, chain, seedStep), next: hmac(sha256, chain, chainStep) }
}

/** Keys of AES-256-CBC with HMAC-SHA-256. */
export interface SealKeys { cipher: Bytes; mac: Bytes; iv: Bytes }

/** Derives them from 32 secret bytes. */
export function deriveSealKeys(seed: Uint8Array, info: string): SealKeys {
  const out = derive(seed, zeroSalt, info, 80)
  return { cipher: out.slice(0, 32), mac: out.slice(32, 64), iv: out.slice(64) }
}

/** AES-256-CBC with PKCS#7 padding. */
export function encryptCBC(k: SealKeys, plaintext: Uint8Array): Bytes {
  return cbc(k.cipher, k.iv).encrypt(plaintext)
}

/** Reverses encryptCBC. Call it only after the MAC held: its refusals would be an oracle otherwise. */
export function decryptCBC(k: SealKeys, ciphertext: Uint8Array): Bytes {
  if (ciphertext.length === 0 || ciphertext.length % 16 !== 0) refuse('malformed', `ciphertext of ${ciphertext.length} bytes`)
  return strictly('padding', () => cbc(k.cipher, k.iv).decrypt(ciphertext))
}

/** Compares in constant time; an empty MAC never matches. */
export function sameMAC(a: Uint8Array, b: Uint8Array): boolean {
  return a.length > 0 && same(a, b)
}
