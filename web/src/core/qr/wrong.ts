// Why a code was refused, in words that all readers share (payments/qr/testdata/vectors.json). Screens have a sentence for each.

/** It is none of the formats · it or a part of it is longer than may be · it has not the form of its format · its check digits are wrong · something is not there that must
 * be, or twice · a value may not stand there. */
export type Reason = 'unknown' | 'too-long' | 'broken' | 'checksum' | 'missing' | 'twice' | 'value'

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

/** plain is whether a text has no control characters. */
export const plain = (text: string): boolean => !/[\u0000-\u001f\u007f]/.test(text)
