// Files, encrypted with AES-256-GCM, the tag appended (XEP-0454). Small ones in one piece by the platform; large ones in pieces.

import { same } from './bytes.ts'
import { refuse } from './failure.ts'
import { openGCM, sealGCM } from './payload.ts'
import type { Bytes, MediaKey } from './types.ts'

const tagSize = 16
/** Largest file, in bytes. */
export const maxMedia = 2 ** 31
/** Files up to here are done by the platform in one piece, in bytes. */
const wholeSize = 16 << 20
/** Larger ones in pieces of this size, a multiple of the block. */
const pieceSize = 4 << 20

/** Draws a key for one file. Never use one twice. */
export function newMediaKey(): MediaKey {
  return { key: crypto.getRandomValues(new Uint8Array(32)), iv: crypto.getRandomValues(new Uint8Array(12)) }
}

/** Encrypts a file; other sizes are for tests. */
export async function encryptMedia(file: Blob, key: MediaKey, piece = pieceSize, whole = wholeSize): Promise<Blob> {
  check(file.size, key)
  if (file.size <= whole) return new Blob([await sealGCM(key.key, key.iv, await bytesOf(file))])
  const pieces = await (await import('./pieces.ts')).Pieces.begin(key, file.size)
  const out: Blob[] = []
  for (let at = 0; at < file.size; at += piece) {
    const encrypted = await pieces.crypt(await bytesOf(file.slice(at, at + piece)))
    pieces.see(encrypted)
    out.push(new Blob([encrypted]))
  }
  return new Blob([...out, await pieces.tag(file.size)])
}

/** Decrypts a file; refuses what was tampered with. */
export async function decryptMedia(file: Blob, key: MediaKey, mime: string, piece = pieceSize, whole = wholeSize): Promise<Blob> {
  const size = file.size - tagSize
  check(size, key)
  if (size <= whole) return new Blob([await openGCM(key.key, key.iv, await bytesOf(file))], { type: mime })
  const pieces = await (await import('./pieces.ts')).Pieces.begin(key, size)
  const out: Blob[] = []
  for (let at = 0; at < size; at += piece) {
    const encrypted = await bytesOf(file.slice(at, Math.min(size, at + piece)))
    pieces.see(encrypted)
    out.push(new Blob([await pieces.crypt(encrypted)]))
  }
  if (!same(await pieces.tag(size), await bytesOf(file.slice(size)))) refuse('decrypt', 'authentication tag')
  return new Blob(out, { type: mime })
}

function check(size: number, key: MediaKey): void {
  if (key.key.length !== 32 || (key.iv.length !== 12 && key.iv.length !== 16)) refuse('malformed', 'media key')
  if (size < 0) refuse('malformed', 'media without a tag')
  if (size > maxMedia) refuse('too-large', `media of ${size} bytes`)
}

async function bytesOf(blob: Blob): Promise<Bytes> {
  return new Uint8Array(await blob.arrayBuffer())
}
