// What travels between tab and worker.

import type { Crypto } from './api.ts'
import type { Asked, Bytes, EncryptRequest, Opened, Result } from './types.ts'

/** A call, or the answer to what the worker asked. */
export type ToWorker =
  | { id: number; call: keyof Crypto; args: unknown[] }
  | { answer: number; found: boolean; value?: unknown }

/** The result of a call, a question, or something that happened. */
export type FromWorker =
  | { id: number; result: Result<unknown> }
  | { ask: number; what: keyof Asked; args: unknown[] }
  | { happened: 'notices' | 'due' | 'keys' }

/** A request to encrypt as the worker gets it: with the envelope that OMEMO 2 encrypts. */
export interface EnvelopeRequest extends Omit<EncryptRequest, 'content'> { envelope: Bytes }

/** A decrypted message as the worker gives it: OMEMO 2 still in its envelope. */
export interface InEnvelope extends Omit<Opened, 'content' | 'time'> {
  envelope?: string
  /** Through which room it came. */
  room?: string
}
