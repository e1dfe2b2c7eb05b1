// Files, encrypted with AES-256-GCM, the tag appended (XEP-0454). Small ones in one piece by the platform; large ones in pieces, since WebCrypto
// wants a whole message in memory: AES-CTR by the platform, and GHASH beside it (NIST SP 800-38D).

import { GHASH } from '@noble/ciphers/_polyval.js'
import { join, same } from './bytes.ts'
import { refuse } from './failure.ts'
import { openGCM, sealGCM } from './payload.ts'
import type { Bytes, MediaKey } from './types.ts'

const tagSize = 16
/** Largest file, in bytes. */
export const maxMedia = 2 ** 31
/** Files up to here are done in one piece; beyond, in pieces of this size, which is a multiple of the block. */
export const pieceSize = 4 << 20

/** Draws a key for one file. Never use one twice. */
export function newMediaKey(): MediaKey {
  return { key: crypto.getRandomValues(new Uint8Array(32)), iv: crypto.getRandomValues(new Uint8Array(12)) }
}

/** Encrypts a file; a piece smaller than pieceSize is for tests. */
export async function encryptMedia(file: Blob, key: MediaKey, piece = pieceSize): Promise<Blob> {
  check(file.size, key)
  if (file.size <= piece) return new Blob([await sealGCM(key.key, key.iv, await bytesOf(file))])
  const pieces = await Pieces.begin(key, file.size)
  const out: Blob[] = []
  for (let at = 0; at < file.size; at += piece) {
    const encrypted = await pieces.crypt(await bytesOf(file.slice(at, at + piece)))
    pieces.see(encrypted)
    out.push(new Blob([encrypted]))
  }
  return new Blob([...out, await pieces.tag(file.size)])
}

/** Decrypts a file; refuses what was tampered with. */
export async function decryptMedia(file: Blob, key: MediaKey, mime: string, piece = pieceSize): Promise<Blob> {
  const size = file.size - tagSize
  check(size, key)
  if (size <= piece) return new Blob([await openGCM(key.key, key.iv, await bytesOf(file))], { type: mime })
  const pieces = await Pieces.begin(key, size)
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

/** GCM in pieces: each but the last is whole blocks. */
class Pieces {
  private block = 1 // J0 is for the tag

  private constructor(
    private readonly key: CryptoKey, private readonly hash: GHASH, private readonly first: Bytes,
  ) {}

  static async begin(media: MediaKey, size: number): Promise<Pieces> {
    const key = await crypto.subtle.importKey('raw', media.key, 'AES-CTR', false, ['encrypt'])
    const h = await ctr(key, new Uint8Array(16), new Uint8Array(16)) // AES of a zero block
    let first = join(media.iv, Uint8Array.of(0, 0, 0, 1))
    if (media.iv.length !== 12) first = new GHASH(h.slice(), 32).update(media.iv).update(lengths(0, media.iv.length)).digest()
    return new Pieces(key, new GHASH(h, size), first)
  }

  async crypt(piece: Bytes): Promise<Bytes> {
    const out = await ctr(this.key, this.counter(this.block), piece)
    this.block += Math.ceil(piece.length / 16)
    return out
  }

  see(encrypted: Bytes): void {
    this.hash.update(encrypted)
  }

  async tag(size: number): Promise<Bytes> {
    return ctr(this.key, this.first, this.hash.update(lengths(0, size)).digest())
  }

  // Only the last 32 bits count, modulo 2^32.
  private counter(add: number): Bytes {
    const out = this.first.slice()
    const view = new DataView(out.buffer)
    view.setUint32(12, (view.getUint32(12) + add) % 2 ** 32)
    return out
  }
}

// The counter of 32 bits does not overflow within one piece unless a random 16-byte IV is near its end: then the platform refuses, and the
// whole operation fails rather than wrap.
async function ctr(key: CryptoKey, counter: Bytes, data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-CTR', counter, length: 32 }, key, data))
}

function lengths(additional: number, size: number): Bytes {
  const out = new Uint8Array(16)
  const view = new DataView(out.buffer)
  view.setBigUint64(0, BigInt(additional) * 8n)
  view.setBigUint64(8, BigInt(size) * 8n)
  return out
}
