// Keys that are passkeys (WebAuthn): the platform keeps them, and asks for a finger, a face or a code for each signature.

import { keyId, toBytes, toText } from './bytes.ts'
import { textHash } from './sign.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** A passkey as the device knows it. */
export interface Passkey { id: string; kind: 'passkey'; point: Bytes; credential: string }

/** A signature as WebAuthn gives it (DER, §6.5.6), with what a passkey says beside it, in base64url. */
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
  if (!response) return undefined
  return { signature: toText(new Uint8Array(response.signature)), authenticator: toText(new Uint8Array(response.authenticatorData)), client: toText(new Uint8Array(response.clientDataJSON)) }
}
