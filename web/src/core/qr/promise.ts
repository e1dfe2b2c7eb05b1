// What a customer's phone shows without network (docs/protocol/payments.md, "Without network"): an intent's text, its signature, and the public point of the key that signed.
import { CodeError, need } from './wrong.ts'

/** A promise: the canonical text, its signature (ES256, 64 bytes), and the key's uncompressed point on P-256 (65 bytes), without which nobody but the service can check it. */
export interface Signed { text: string; signature: Uint8Array<ArrayBuffer>; point?: Uint8Array<ArrayBuffer> }

const head = 'PALABREPAY0:'
const maxText = 2048

/** isPromise tells whether a code begins as a promise. */
export const isPromise = (code: string): boolean => code.startsWith(head)

/** readPromise reads a code. Nothing of it is proven: see proves. */
export function readPromise(code: string): Signed {
  need(isPromise(code), 'unknown')
  const parts = code.slice(head.length).split('.')
  need(parts.length === 2 || parts.length === 3, 'broken')
  const [text, signature, point] = parts.map(fromBase64url)
  need(text !== undefined && text.length > 0, 'missing', 'text')
  need(text.length <= maxText, 'too-long', 'text')
  need(signature?.length === 64, 'value', 'signature')
  need(point === undefined || (point.length === 65 && point[0] === 4), 'value', 'key')
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text), signature, ...(point ? { point } : {}) }
  } catch { throw new CodeError('broken', 'text') }
}

/** writePromise writes a code. */
export function writePromise({ text, signature, point }: Signed): string {
  const code = head + [new TextEncoder().encode(text), signature, ...(point ? [point] : [])].map(toBase64url).join('.')
  readPromise(code)
  return code
}

/** proves tells whether the signature is that of the key over the text. That the key belongs to the payer, the service alone knows. */
export async function proves({ text, signature, point }: Signed): Promise<boolean> {
  if (!point) return false
  try {
    const key = await crypto.subtle.importKey('raw', point, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
    return await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, new TextEncoder().encode(text))
  } catch { return false } // no point of the curve
}

/** keyId is the id of a payment key: the first 22 characters of the base64url of the SHA-256 of its point. */
export async function keyId(point: Uint8Array<ArrayBuffer>): Promise<string> {
  return toBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', point))).slice(0, 22)
}

function toBase64url(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}

/** There is one way to write bytes: what does not give the same text again is refused. */
function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  need(/^[\w-]*$/.test(text) && text.length % 4 !== 1, 'broken')
  const bytes = Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))
  need(toBase64url(bytes) === text, 'broken')
  return bytes
}
