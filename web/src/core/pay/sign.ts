// Signatures of payments: those of devices (ES256, over texts), and those of the service (Ed25519, over receipts).

import { hashes, verify as verifyEd } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { keyId, promiseOf, promiseParts, sha256, toBytes, toText } from './bytes.ts'
import { BadText, readIntent, readText, type Fields } from './text.ts'

hashes.sha512 = sha512

type Bytes = Uint8Array<ArrayBuffer>
const encoder = new TextEncoder()
const ES256 = { name: 'ECDSA', hash: 'SHA-256' }
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' }

/** The SHA-256 of a text: what a passkey signs, and, in hexadecimal, how a receipt names its intent. */
export const textHash = (text: string): Promise<Bytes> => sha256(encoder.encode(text))
const hex = (bytes: Uint8Array): string => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')

/** Signs a text with a private key. */
export const signText = async (key: CryptoKey, text: string): Promise<string> => toText(new Uint8Array(await crypto.subtle.sign(ES256, key, encoder.encode(text))))

/** Says whether a public key has signed a text. */
export async function signed(point: Bytes, text: string, signature: string): Promise<boolean> {
  const bytes = toBytes(signature)
  if (bytes?.length !== 64 || point.length !== 65 || point[0] !== 4) return false
  try {
    return await crypto.subtle.verify(ES256, await crypto.subtle.importKey('raw', point, CURVE, false, ['verify']), bytes, encoder.encode(text))
  } catch {
    return false // no point of the curve
  }
}

/** What a receipt says, if the service with this key has signed it; undefined if not. */
export function readReceipt(key: string, service: string, { text, signature }: { text: string; signature: string }): Fields<'receipt'> | undefined {
  const [sig, point] = [toBytes(signature), toBytes(key)]
  try {
    const fields = readText('receipt', text)
    return sig?.length === 64 && point?.length === 32 && fields.service === service && verifyEd(sig, encoder.encode(text), point) ? fields : undefined
  } catch (error) {
    if (error instanceof BadText) return undefined
    return undefined // noble refuses what is no point
  }
}

/** Says whether a receipt is for this intent. */
export const isFor = async (receipt: Fields<'receipt'>, intent: string): Promise<boolean> => receipt.intent === hex(await textHash(intent))

/** What somebody agrees to by an order `agree`: how much they owe to whom, as they have seen it. */
export const agreedTo = async (debts: readonly { id?: string; agree?: number }[]): Promise<string> => hex(await textHash(
  debts.flatMap(({ id, agree }) => (id && agree ? [`${id} ${agree}\n`] : [])).sort().join('')))

/** A payment without network as it stands in a code. */
export const promiseCode = (text: string, signature: string, point: Bytes): string => promiseOf(toText(encoder.encode(text)), signature, toText(point))

/** Reads such a code and checks its signature: what it says. Fails with `bad-text` or `bad-signature` as message. */
export async function readPromise(code: string): Promise<{ text: string; signature: string; point: string; fields: Fields<'intent'> }> {
  const [text, signature = '', point = '', more] = code.length <= 4096 ? promiseParts(code) : []
  const [bytes, key] = [toBytes(text), toBytes(point)]
  if (!bytes || !key || more !== undefined) throw new BadText('bad-text')
  let read: string
  let fields: Fields<'intent'>
  try {
    read = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    fields = readIntent(read)
  } catch {
    throw new BadText('bad-text')
  }
  if (fields.kind !== 'offline') throw new BadText('bad-text')
  if (await keyId(key) !== fields.key || !await signed(key, read, signature)) throw new BadText('bad-signature')
  return { text: read, signature, point, fields }
}
