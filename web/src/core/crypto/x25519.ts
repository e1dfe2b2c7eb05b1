// X25519 (RFC 7748 §5), beside the library for Edwards points, which has the other half of the curve. Numbers of JavaScript take a time that depends
// on their values, here as in any library; an attacker who could measure that would have to run beside the worker.

import { Point } from '@noble/ed25519'
import type { Bytes } from './types.ts'

/** The field's prime and the order of the base point. */
export const { p: P, n: L } = Point.CURVE()

/** Little-endian bytes as a number. */
export function toNumber(b: Uint8Array): bigint {
  let digits = ''
  for (const byte of b) digits = byte.toString(16).padStart(2, '0') + digits
  return BigInt('0x' + digits)
}

/** A number below 2^256 as 32 little-endian bytes. */
export function toBytes(n: bigint): Bytes {
  const out = new Uint8Array(32)
  for (let i = 0; i < 32; i++, n >>= 8n) out[i] = Number(n & 255n)
  return out
}

/** The least number that is not negative and congruent. */
export function modulo(n: bigint, m: bigint): bigint {
  const rest = n % m
  return rest < 0n ? rest + m : rest
}

/** The inverse in the field, 0 for 0: n^(P-2), always the same steps. */
export function invert(n: bigint): bigint {
  const x3 = (((n * n) % P) * n) % P
  const b4 = times(squared(x3, 2), x3)
  const b5 = times(squared(b4, 1), n)
  const b10 = times(squared(b5, 5), b5)
  const b20 = times(squared(b10, 10), b10)
  const b40 = times(squared(b20, 20), b20)
  const b80 = times(squared(b40, 40), b40)
  const b160 = times(squared(b80, 80), b80)
  const b240 = times(squared(b160, 80), b80)
  const b250 = times(squared(b240, 10), b10)
  return times(squared(times(squared(b250, 2), n), 3), x3)
}

function times(a: bigint, b: bigint): bigint {
  return (a * b) % P
}

function squared(x: bigint, count: number): bigint {
  for (; count > 0; count--) x = (x * x) % P
  return x
}

/** A private key as the number that it stands for (RFC 7748 §5: clamped). */
export function scalarOf(privateKey: Bytes): bigint {
  const clamped = new Uint8Array(privateKey)
  clamped[0] = (clamped[0] ?? 0) & 248
  clamped[31] = ((clamped[31] ?? 0) & 127) | 64
  return toNumber(clamped)
}

/** The u-coordinate of a point: (1+y)/(1-y) (RFC 7748 §4.1). */
export function montgomery(point: Point): Bytes {
  const { y } = point
  return toBytes(times(1n + y, invert(modulo(1n - y, P))))
}

/** The public half of a private key. */
export function publicOf(privateKey: Bytes): Bytes {
  return montgomery(Point.BASE.multiply(scalarOf(privateKey) % L))
}

/** The agreement of a private key with a public one: zero if that has low order. */
export function agreement(privateKey: Bytes, publicKey: Bytes): Bytes {
  const k = scalarOf(privateKey)
  const x1 = modulo(toNumber(publicKey) & ((1n << 255n) - 1n), P)
  let [x2, z2, x3, z3, swap] = [1n, 0n, x1, 1n, 0n]
  for (let t = 254n; t >= 0n; t--) {
    const bit = (k >> t) & 1n
    ;[x2, x3, z2, z3] = swap === bit ? [x2, x3, z2, z3] : [x3, x2, z3, z2]
    swap = bit
    const a = x2 + z2
    const b = x2 - z2
    const aa = (a * a) % P
    const bb = (b * b) % P
    const e = aa - bb
    const da = ((x3 - z3) * a) % P
    const cb = ((x3 + z3) * b) % P
    const sum = da + cb
    const difference = da - cb
    x3 = (sum * sum) % P
    z3 = (x1 * ((difference * difference) % P)) % P
    x2 = (aa * bb) % P
    z2 = (e * (aa + 121665n * e)) % P
  }
  if (swap === 1n) [x2, z2] = [x3, z3]
  return toBytes(times(modulo(x2, P), invert(modulo(z2, P))))
}
