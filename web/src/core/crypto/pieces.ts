// AES-GCM in pieces, for files that should not be in memory as a whole, as WebCrypto wants them: AES-CTR by the platform, and GHASH beside it
// (NIST SP 800-38D).

import { GHASH } from '@noble/ciphers/_polyval.js'
import { join } from './bytes.ts'
import type { Bytes, MediaKey } from './types.ts'

/** Pieces encrypts or decrypts one file: each piece but the last is whole blocks. */
export class Pieces {
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
