// Keys that a PIN opens (docs/protocol/payments.md, "Keys and the PIN"). To open one it takes the PIN, a key of this device that never leaves it, and, unless it is for
// payments without network, a share that the service gives for the right PIN alone.

import { keyId, toBytes, toText } from './bytes.ts'

type Bytes = Uint8Array<ArrayBuffer>
const ROUNDS = 600_000
/** The fewest digits of a PIN. */
export const MIN_PIN = 6
/** Wrong PINs after which a key for payments without network is gone. */
export const MAX_WRONG = 5

const encoder = new TextEncoder()
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' }

/** A key as the device keeps it. */
export interface PinKey {
  id: string
  kind: 'pin'
  /** Its public point. */
  point: Bytes
  salt: Bytes
  /** HMAC, not extractable. */
  device: CryptoKey
  /** The private key, encrypted. */
  wrapped: Bytes
  nonce: Bytes
}

/** What the service gets of a new key, in base64url. */
export interface PinParts { salt: string; verifier: string; share: string }

/** Makes a key. Without a share it is one for payments without network. */
export async function makePinKey(pin: string, rounds = ROUNDS): Promise<{ key: PinKey; parts: PinParts }> {
  const pair = await crypto.subtle.generateKey(CURVE, true, ['sign'])
  const [point, secret] = await Promise.all([crypto.subtle.exportKey('raw', pair.publicKey), crypto.subtle.exportKey('pkcs8', pair.privateKey)])
  const device = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign'])
  const [salt, nonce, share] = [random(16), random(12), random(32)]
  const { verifier, half } = await halves(pin, { salt, device }, rounds)
  const wrapped = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, await wrapping(half, share), secret))
  const public_ = new Uint8Array(point)
  return { key: { id: await keyId(public_), kind: 'pin', point: public_, salt, device, wrapped, nonce }, parts: { salt: toText(salt), verifier: toText(verifier), share: toText(share) } }
}

/** What the service is shown for its share: that the PIN is right, and nothing of it. */
export const verifierOf = async (pin: string, key: Pick<PinKey, 'salt' | 'device'>, rounds = ROUNDS): Promise<{ verifier: string; half: Bytes }> => {
  const { verifier, half } = await halves(pin, key, rounds)
  return { verifier: toText(verifier), half }
}

/** Opens a key with its half and the share; undefined: the PIN was another one. */
export async function openPinKey(key: PinKey, half: Bytes, share: string): Promise<CryptoKey | undefined> {
  const other = toBytes(share)
  if (!other) return undefined
  let secret: ArrayBuffer
  try {
    secret = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: key.nonce }, await wrapping(half, other), key.wrapped)
  } catch {
    return undefined
  }
  return crypto.subtle.importKey('pkcs8', secret, CURVE, false, ['sign'])
}

const random = (n: number): Bytes => crypto.getRandomValues(new Uint8Array(n))

async function halves(pin: string, { salt, device }: Pick<PinKey, 'salt' | 'device'>, rounds: number): Promise<{ verifier: Bytes; half: Bytes }> {
  const words = await crypto.subtle.importKey('raw', encoder.encode(pin), 'PBKDF2', false, ['deriveBits'])
  const stretched = new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: rounds }, words, 256))
  const part = async (what: string) => new Uint8Array(await crypto.subtle.sign('HMAC', device, new Uint8Array([...encoder.encode(`palabre pay ${what} `), ...stretched])))
  return { verifier: await part('verifier'), half: await part('half') }
}

async function wrapping(half: Bytes, share: Bytes): Promise<CryptoKey> {
  const mix = await crypto.subtle.importKey('raw', half, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return crypto.subtle.importKey('raw', await crypto.subtle.sign('HMAC', mix, share), 'AES-GCM', false, ['encrypt', 'decrypt'])
}
