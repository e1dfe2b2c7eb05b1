// Everything in which the two versions of OMEMO differ; the machine is the same.

import { refuse } from './failure.ts'
import type { Bytes, Version } from './types.ts'

/** Field numbers of a ratchet message. */
export interface MessageFields { ratchetKey: number; counter: number; previous: number; ciphertext: number }

/** Field numbers of a key exchange; `registration` is 0 where there is none. */
export interface ExchangeFields { registration: number; preKey: number; signedPreKey: number; baseKey: number; identity: number; message: number }

/** The constants of one version. */
export interface Profile {
  version: Version
  /** The version in names of what is kept: never renumber. */
  number: 1 | 2
  /** HKDF info of X3DH, of a ratchet step, of message keys. */
  infoAgreement: string
  infoRoot: string
  infoMessage: string
  /** Before an encoded Curve25519 key. */
  keyPrefix: Bytes
  /** Before an encoded message or key exchange: the version byte of 0.3. */
  wirePrefix: Bytes
  /** Bytes left of the HMAC-SHA-256 of a message. */
  macSize: number
  /** Identity keys travel in Ed25519 form. */
  edIdentity: boolean
  /** The sign bit of the Ed25519 identity travels in bit 7 of byte 63 of a signature. */
  signInSignature: boolean
  /** The MAC follows the message; otherwise both are fields of an envelope. */
  macOutside: boolean
  /** Associated data is initiator then responder; otherwise sender then receiver. */
  adByRole: boolean
  /** previousCounter is exact, so the chain before can be closed. */
  countsChain: boolean
  message: MessageFields
  exchange: ExchangeFields
}

const profile03: Profile = {
  version: '0.3', number: 1,
  infoAgreement: 'WhisperText', infoRoot: 'WhisperRatchet', infoMessage: 'WhisperMessageKeys',
  keyPrefix: Uint8Array.of(0x05), wirePrefix: Uint8Array.of(0x33), macSize: 8,
  edIdentity: false, signInSignature: true, macOutside: true, adByRole: false, countsChain: false,
  message: { ratchetKey: 1, counter: 2, previous: 3, ciphertext: 4 },
  exchange: { registration: 5, preKey: 1, signedPreKey: 6, baseKey: 2, identity: 3, message: 4 },
}

const profile2: Profile = {
  version: '2', number: 2,
  infoAgreement: 'OMEMO X3DH', infoRoot: 'OMEMO Root Chain', infoMessage: 'OMEMO Message Key Material',
  keyPrefix: new Uint8Array(0), wirePrefix: new Uint8Array(0), macSize: 16,
  edIdentity: true, signInSignature: false, macOutside: false, adByRole: true, countsChain: true,
  message: { ratchetKey: 3, counter: 1, previous: 2, ciphertext: 4 },
  exchange: { registration: 0, preKey: 1, signedPreKey: 2, identity: 3, baseKey: 4, message: 5 },
}

/** Both, in the order of their numbers. */
export const profiles = [profile03, profile2] as const

/** The profile of a version; refuses what is neither of the two as malformed. */
export function profileOf(version: Version): Profile {
  return profiles.find((p) => p.version === version) ?? refuse('malformed', 'version of OMEMO')
}
