// What travels between tab and worker.

import type { Crypto } from './api.ts'
import type { Result } from './types.ts'

/** A call, or the answer to what the worker asked. */
export type ToWorker =
  | { id: number; call: keyof Crypto; args: unknown[] }
  | { answer: number; found: boolean; value?: unknown }

/** The result of a call, a question, or something that happened. */
export type FromWorker =
  | { id: number; result: Result<unknown> }
  | { ask: number; what: 'devices' | 'bundle'; args: unknown[] }
  | { happened: 'notices' | 'due' }
