// Bytes as payments write them, the ids of keys, and the parts of a promise: what signing and the codes that are scanned have in common.

type Bytes = Uint8Array<ArrayBuffer>

/** Writes bytes as the contract does: base64url without padding. */
export function toText(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Reads them; undefined for anything else, as there is one way to write bytes. */
export function toBytes(text: string | undefined): Bytes | undefined {
  if (text === undefined || !/^[\w-]*$/.test(text) || text.length % 4 === 1) return undefined
  const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
  return toText(bytes) === text ? bytes : undefined
}

/** The SHA-256 of bytes. */
export const sha256 = async (bytes: Bytes): Promise<Bytes> => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))

/** The id of a public key (65 bytes). */
export const keyId = async (point: Bytes): Promise<string> => toText(await sha256(point)).slice(0, 22)

const head = 'PALABREPAY0:'

/** Says whether a code begins as a payment without network does. */
export const isPromise = (code: string): boolean => code.startsWith(head)

/** What such a code is made of: the intent's text, its signature, and the public point of the key; each in base64url, and none of it looked at. */
export const promiseParts = (code: string): string[] => isPromise(code) ? code.slice(head.length).split('.') : []

/** Writes such a code. */
export const promiseOf = (...parts: string[]): string => head + parts.join('.')
