// Bytes: joining, comparing, hex, base64, UTF-8.

import { refuse } from './failure.ts'
import type { Bytes } from './types.ts'

/** Joins parts into new bytes. */
export function join(...parts: Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Compares in a time that depends on the lengths only. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}

/** A copy with a buffer of its own. */
export function copy(b: Uint8Array): Bytes {
  return new Uint8Array(b)
}

/** Tells whether all bytes are zero. */
export function isZero(b: Uint8Array): boolean {
  return b.every((byte) => byte === 0)
}

/** Lower-case hex. */
export function hex(b: Uint8Array): string {
  let out = ''
  for (const byte of b) out += byte.toString(16).padStart(2, '0')
  return out
}

/** Bytes of hex of either case; refuses anything else as malformed. */
export function unhex(digits: string): Bytes {
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) refuse('malformed', 'hex')
  const out = new Uint8Array(digits.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16)
  return out
}

/** UTF-8 of a text. */
export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text)
}

/** Text of UTF-8; refuses anything else as malformed. */
export function text(b: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(b)
  } catch {
    return refuse('malformed', 'text is not UTF-8')
  }
}

/** Base64 for URLs, without padding. */
export function base64url(b: Uint8Array): string {
  let binary = ''
  for (const byte of b) binary += String.fromCharCode(byte)
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}

/** The reverse of base64url; refuses anything else as malformed. */
export function unbase64url(digits: string): Bytes {
  if (/[^A-Za-z0-9_-]/.test(digits) || digits.length % 4 === 1) refuse('malformed', 'base64url')
  const binary = atob(digits.replace(/-/g, '+').replace(/_/g, '/'))
  return Uint8Array.from(binary, (c) => c.charCodeAt(0))
}
