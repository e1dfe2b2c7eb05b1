// The payload: encrypted once for all recipients, whose ratchets carry its key (XEP-0384 §4.4).

import { join } from './bytes.ts'
import type { Random } from './curve.ts'
import { refuse } from './failure.ts'
import { decryptCBC, deriveSealKeys, encryptCBC, mac, sameMAC } from './kdf.ts'
import { maxPayload } from './limits.ts'
import type { Profile } from './profile.ts'
import type { Bytes } from './types.ts'

const tagSize = 16 // AES-GCM tag, and truncated HMAC of OMEMO 2
const payloadKey03 = 16
const payloadKey2 = 32
const payloadIV = 12 // what we send; 16 from old apps is read too
const maxIV = 64
const infoPayload2 = 'OMEMO Payload'

/** An encrypted payload and the key part that every recipient's ratchet carries. */
export interface SealedPayload { keyPart: Bytes; iv?: Bytes; payload?: Bytes }

/** Encrypts a payload. */
export async function seal(p: Profile, plaintext: Bytes, random: Random): Promise<SealedPayload> {
  if (plaintext.length > maxPayload - 16) refuse('too-large', `plaintext of ${plaintext.length} bytes`)
  return p.version === '2' ? seal2(plaintext, random) : seal03(plaintext, random)
}

/** Makes the key part of a message that carries no payload. OMEMO 2 says 32 zero bytes. In OMEMO 0.3 it is a key and a tag, since some apps
 * refuse a key part below 32 bytes; neither opens anything. */
export async function sealEmpty(p: Profile, random: Random): Promise<SealedPayload> {
  if (p.version === '2') return { keyPart: new Uint8Array(32) }
  const { keyPart, iv } = await seal03(new Uint8Array(0), random)
  return { keyPart, iv }
}

// AES-128-GCM. The tag travels with the key, not with the payload.
async function seal03(plaintext: Bytes, random: Random): Promise<SealedPayload> {
  const draw = random(payloadKey03 + payloadIV)
  const secret = draw.slice(0, payloadKey03)
  const iv = draw.slice(payloadKey03)
  const out = await sealGCM(secret, iv, plaintext)
  const cut = out.length - tagSize
  return { keyPart: join(secret, out.subarray(cut)), iv, payload: out.slice(0, cut) }
}

// AES-256-CBC with HMAC-SHA-256, whose keys come from 32 random bytes.
function seal2(plaintext: Bytes, random: Random): SealedPayload {
  const secret = random(payloadKey2)
  const keys = deriveSealKeys(secret, infoPayload2)
  const payload = encryptCBC(keys, plaintext)
  return { keyPart: join(secret, mac(keys.mac, payload).subarray(0, tagSize)), payload }
}

/** Reverses seal. */
export async function unseal(p: Profile, s: Required<Pick<SealedPayload, 'keyPart' | 'payload'>> & { iv?: Bytes }): Promise<Bytes> {
  if (s.payload.length > maxPayload) refuse('too-large', `payload of ${s.payload.length} bytes`)
  return p.version === '2' ? unseal2(s.keyPart, s.payload) : unseal03(s.keyPart, s.iv, s.payload)
}

// It accepts the tag with the key, as now, or at the end of the payload, as long ago.
async function unseal03(keyPart: Bytes, iv: Bytes | undefined, payload: Bytes): Promise<Bytes> {
  if (keyPart.length !== payloadKey03 && keyPart.length !== payloadKey03 + tagSize) refuse('malformed', `payload key of ${keyPart.length} bytes`)
  if (!iv || iv.length === 0 || iv.length > maxIV) refuse('malformed', 'iv')
  const whole = join(payload, keyPart.subarray(payloadKey03))
  return openGCM(keyPart.slice(0, payloadKey03), iv, whole)
}

function unseal2(keyPart: Bytes, payload: Bytes): Bytes {
  if (keyPart.length !== payloadKey2 + tagSize) refuse('malformed', `payload key of ${keyPart.length} bytes`)
  const keys = deriveSealKeys(keyPart.subarray(0, payloadKey2), infoPayload2)
  if (!sameMAC(mac(keys.mac, payload).subarray(0, tagSize), keyPart.subarray(payloadKey2))) refuse('decrypt', 'mac of the payload')
  return decryptCBC(keys, payload)
}

/** AES-GCM with a key of 16 or 32 bytes, the tag of 16 bytes appended. */
export async function sealGCM(secret: Bytes, iv: Bytes, plaintext: Bytes, additionalData?: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt'])
  return new Uint8Array(await crypto.subtle.encrypt(gcm(iv, additionalData), key, plaintext))
}

/** Reverses sealGCM; refuses what was tampered with. */
export async function openGCM(secret: Bytes, iv: Bytes, ciphertext: Bytes, additionalData?: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['decrypt'])
  try {
    return new Uint8Array(await crypto.subtle.decrypt(gcm(iv, additionalData), key, ciphertext))
  } catch {
    return refuse('decrypt', 'authentication tag')
  }
}

function gcm(iv: Bytes, additionalData?: Bytes): AesGcmParams {
  return additionalData ? { name: 'AES-GCM', iv, additionalData } : { name: 'AES-GCM', iv }
}
