// What a customer's phone shows without network (docs/protocol/payments.md, "Without network"): an intent's text, its signature, and the public point of the key that signed.
import { CodeError, need } from './wrong.ts'

/** A promise: the canonical text, its signature (ES256, 64 bytes), and the key's uncompressed point on P-256 (65 bytes). */
export interface Promised { text: string; signature: Uint8Array<ArrayBuffer>; point: Uint8Array<ArrayBuffer> }

const head = 'PALABREPAY0:'
/** A text has at most 2 KiB; a code that is longer than this is read by no phone. */
const maxText = 2048

/** isPromise tells whether a code begins as a promise. */
export const isPromise = (code: string): boolean => code.startsWith(head)

/** readPromise reads a code. Nothing of it is proven: see proves. */
export function readPromise(code: string): Promised {
  need(isPromise(code), 'unknown')
  need(code.length <= head.length + maxText * 2, 'long')
  const parts = code.slice(head.length).split('.')
  need(parts.length >= 3, 'short')
  need(parts.length === 3, 'form')
  const [text, signature, point] = parts.map(fromBase64url)
  need(text !== undefined && text.length > 0, 'short', 'text')
  need(text.length <= maxText, 'long', 'text')
  need(signature?.length === 64, 'form', 'signature')
  need(point?.length === 65 && point[0] === 4, 'form', 'point')
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text), signature, point }
  } catch { throw new CodeError('form', 'text') }
}

/** writePromise writes a code. */
export function writePromise({ text, signature, point }: Promised): string {
  const bytes = new TextEncoder().encode(text)
  need(bytes.length > 0 && bytes.length <= maxText, 'long', 'text')
  need(signature.length === 64, 'form', 'signature')
  need(point.length === 65 && point[0] === 4, 'form', 'point')
  return head + [bytes, signature, point].map(toBase64url).join('.')
}

/** proves tells whether the signature is that of the key over the text. That the key belongs to the payer, the service alone knows. */
export async function proves({ text, signature, point }: Promised): Promise<boolean> {
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
  need(/^[\w-]*$/.test(text), 'form')
  try {
    const bytes = Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))
    need(toBase64url(bytes) === text, 'form')
    return bytes
  } catch { throw new CodeError('form') }
}
