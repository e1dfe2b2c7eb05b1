// Why a code was refused. Screens have a sentence for each reason.

/** What may be wrong with a code: its checksum, it ends too early, it is too long, its form, or nobody knows it. */
export type Reason = 'crc' | 'short' | 'long' | 'form' | 'unknown'

/** CodeError says why a code cannot be read or written, and in which field. */
export class CodeError extends Error {
  constructor(readonly reason: Reason, readonly field = '') {
    super(`the code cannot be read: ${reason}${field && ` (${field})`}`)
    this.name = 'CodeError'
  }
}

/** need throws a CodeError unless something holds. */
export function need(holds: boolean, reason: Reason, field = ''): asserts holds {
  if (!holds) throw new CodeError(reason, field)
}
