// The address of an encrypted file (XEP-0454): aesgcm://host/path#, then the initialisation vector and the key in hex.

import type { MediaKey } from '../crypto/types.ts'

const hex = (bytes: Uint8Array): string => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')
const unhex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16))

/** Writes the address of an encrypted file that is at an https address. */
export const secretAddress = (url: string, { key, iv }: MediaKey): string => url.replace(/^https:/, 'aesgcm:').replace(/#.*$/, '') + '#' + hex(iv) + hex(key)

/** Reads an address: where the bytes are, and the key if they are encrypted. Undefined for what is none, or has a key of another length. */
export function readAddress(address: string): { url: string; key?: MediaKey } | undefined {
  const [, scheme, rest, secret] = /^(aesgcm|https):(\/\/[^\s/?#]+\/[^\s#]*)(?:#(\S*))?$/.exec(address) ?? []
  if (!scheme || !rest) return undefined
  const url = 'https:' + rest
  if (scheme === 'https') return { url }
  if (!secret || !/^([\da-f]{88}|[\da-f]{96})$/i.test(secret)) return undefined // 12 or, from old apps, 16 bytes of IV
  return { url, key: { iv: unhex(secret.slice(0, -64)), key: unhex(secret.slice(-64)) } }
}
