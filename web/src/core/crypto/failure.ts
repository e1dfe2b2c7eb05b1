// How things are refused inside the worker: thrown as a Refused, and turned into a Result at the door, where nothing may throw.

import type { Refusal, RefusalCode, Result } from './types.ts'

/** Refused is the only thing that the code of this folder throws on purpose. */
export class Refused extends Error {
  constructor(readonly code: RefusalCode, detail: string) {
    super(detail)
  }
}

/** Throws a Refused. */
export function refuse(code: RefusalCode, detail: string): never {
  throw new Refused(code, detail)
}

/** What was thrown, as it is told: anything but a Refused is a mistake of ours. */
export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refused) return { code: thrown.code, detail: thrown.message }
  return { code: 'fault', detail: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : 'unknown' }
}

/** Runs work and never throws. */
export async function answer<T>(work: () => T | Promise<T>): Promise<Result<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (thrown) {
    return { ok: false, error: refusalOf(thrown) }
  }
}

/** Runs work of others that throws on bad input, such as a curve library, and refuses as malformed instead. */
export function strictly<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    if (thrown instanceof Refused) throw thrown
    return refuse('malformed', what)
  }
}
