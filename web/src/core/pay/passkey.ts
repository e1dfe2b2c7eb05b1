// Keys that are passkeys (WebAuthn): the platform keeps them, and asks for a finger, a face or a code for each signature.

import { keyId, textHash, toBytes, toText } from './sign.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** A passkey as the device knows it. */
export interface Passkey { id: string; kind: 'passkey'; point: Bytes; credential: string }

/** A signature with what a passkey says beside it, in base64url. */
export interface Assertion { signature: string; authenticator: string; client: string }

/** Says whether this device can make passkeys of its own. */
export async function canPasskey(): Promise<boolean> {
  if (typeof PublicKeyCredential === 'undefined' || !window.isSecureContext) return false
  return PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().catch(() => false)
}

/** Makes a passkey for an account; undefined when the person or the platform does not want it. */
export async function makePasskey(account: string): Promise<Passkey | undefined> {
  const made = await navigator.credentials.create({
    publicKey: {
      rp: { name: 'Palabre', id: location.hostname }, user: { id: crypto.getRandomValues(new Uint8Array(16)), name: account, displayName: account },
      challenge: crypto.getRandomValues(new Uint8Array(32)), pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
      authenticatorSelection: { authenticatorAttachment: 'platform', userVerification: 'required', residentKey: 'preferred' }, attestation: 'none', timeout: 120_000,
    },
  }).catch(() => null)
  const response = (made as PublicKeyCredential | null)?.response as AuthenticatorAttestationResponse | undefined
  const spki = response?.getPublicKey()
  if (!made || !spki || response?.getPublicKeyAlgorithm() !== -7) return undefined
  const point = new Uint8Array(spki).slice(-65) // the point ends the SubjectPublicKeyInfo of P-256 (RFC 5480)
  return { id: await keyId(point), kind: 'passkey', point, credential: toText(new Uint8Array((made as PublicKeyCredential).rawId)) }
}

/** Has a passkey sign a text; undefined when the person does not want it. */
export async function signWithPasskey(key: Passkey, text: string): Promise<Assertion | undefined> {
  const id = toBytes(key.credential)
  if (!id) return undefined
  const got = await navigator.credentials.get({
    publicKey: { challenge: await textHash(text), rpId: location.hostname, allowCredentials: [{ type: 'public-key', id }], userVerification: 'required', timeout: 120_000 },
  }).catch(() => null)
  const response = (got as PublicKeyCredential | null)?.response as AuthenticatorAssertionResponse | undefined
  const signature = response && rawSignature(new Uint8Array(response.signature))
  if (!response || !signature) return undefined
  return { signature: toText(signature), authenticator: toText(new Uint8Array(response.authenticatorData)), client: toText(new Uint8Array(response.clientDataJSON)) }
}

/** r and s in 32 bytes each of a signature in DER, as WebAuthn gives it (§6.5.6); undefined for anything else. */
export function rawSignature(der: Bytes): Bytes | undefined {
  const out = new Uint8Array(64)
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return undefined
  let at = 2
  for (const place of [0, 32]) {
    const length = der[at + 1] ?? 0
    const number = der.slice(at + 2, at + 2 + length)
    if (der[at] !== 2 || !length || number.length !== length) return undefined
    const digits = number[0] === 0 ? number.slice(1) : number
    if (digits.length > 32) return undefined
    out.set(digits, place + 32 - digits.length)
    at += 2 + length
  }
  return at === der.length ? out : undefined
}
