// What a customer's phone shows without network (docs/protocol/payments.md, "Without network"), as a code among others. Nothing of it is proven here: see pay/sign.ts.
import { promiseParts, toBytes } from '../pay/bytes.ts'
import { CodeError, need } from './wrong.ts'

export { isPromise } from '../pay/bytes.ts'

/** A promise: the canonical text, its signature (ES256, 64 bytes), and the key's uncompressed point on P-256 (65 bytes), without which nobody but the service can check it. */
export interface Signed { text: string; signature: Uint8Array<ArrayBuffer>; point?: Uint8Array<ArrayBuffer> }

const maxText = 2048

/** readPromise reads a code that isPromise. */
export function readPromise(code: string): Signed {
  const parts = promiseParts(code)
  need(parts.length === 2 || parts.length === 3, 'broken')
  const [text, signature, point] = parts.map((part) => { const bytes = toBytes(part); need(bytes !== undefined, 'broken'); return bytes })
  need(text !== undefined && text.length > 0, 'missing', 'text')
  need(text.length <= maxText, 'too-long', 'text')
  need(signature?.length === 64, 'value', 'signature')
  need(point === undefined || (point.length === 65 && point[0] === 4), 'value', 'key')
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text), signature, ...(point ? { point } : {}) }
  } catch { throw new CodeError('broken', 'text') }
}
