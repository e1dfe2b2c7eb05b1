// The recovery code: 32 characters on paper that give the history back when every device is lost. docs/protocol/encrypted-history.md §6.

import { scryptAsync } from '@noble/hashes/scrypt.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { hex, join, same, utf8 } from './bytes.ts'
import type { Device } from './device.ts'
import { refuse } from './failure.ts'
import { adoptKept, boxes, changeKept, idOf, loadKept, newHistoryKey } from './history.ts'
import { openGCM, sealGCM } from './payload.ts'
import type { Bytes, HistoryState } from './types.ts'

// Crockford's alphabet: no I, L, O, U.
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const secretChars = 28 // 140 bits
const checkChars = 4
const codeVersion = 1
const logN = 15
const headerSize = 4 + 8 + 1 + 16 + 12

/** Eight groups of four: 5 bits of version, 135 random ones, 20 of checksum. */
export function newCode(d: Pick<Device, 'random'>): string {
  const secret = (alphabet[codeVersion] ?? '') + Array.from(d.random(secretChars - 1), (byte) => alphabet[byte % 32]).join('')
  return grouped(secret + checkOf(secret))
}

function grouped(code: string): string {
  return code.match(/.{4}/g)?.join(' ') ?? ''
}

function checkOf(secret: string): string {
  const [a = 0, b = 0, c = 0] = sha256(utf8(`urn:palabre:history:0 code ${secret}`))
  const bits = (a << 16) | (b << 8) | c
  return [19, 14, 9, 4].map((at) => alphabet[(bits >> at) & 31]).join('')
}

/** Reads a code as people type it: any case, spaces and dashes anywhere, O for 0, I and L for 1. Refused as `malformed` if it is mistyped. */
export function readCode(typed: string): string {
  const code = typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
  const secret = code.slice(0, secretChars)
  if (code.length !== secretChars + checkChars || [...code].some((c) => !alphabet.includes(c))) refuse('malformed', 'recovery code')
  if (secret[0] !== alphabet[codeVersion] || checkOf(secret) !== code.slice(secretChars)) refuse('malformed', 'recovery code: mistyped')
  return secret
}

/** Makes a code and the newest key wrapped under it, which the account publishes for itself. The code before it is worthless from then on. */
export async function newRecovery(d: Device): Promise<{ code: string; wrapped: Bytes }> {
  if ((await loadKept(d)).keys.length === 0) await newHistoryKey(d)
  const code = newCode(d)
  const salt = d.random(16)
  const key = await wrappingKey(readCode(code), salt)
  await changeKept(d, (kept) => ({ ...kept, recovery: { salt, key } }))
  return { code, wrapped: await wrap(d) }
}

/** Wraps the newest key again, for the code that is on paper already; refused as `no-session` if there is none. */
export async function wrap(d: Device): Promise<Bytes> {
  const { keys: [newest], recovery } = await loadKept(d)
  if (!newest || !recovery) refuse('no-session', 'no recovery code')
  const head = join(Uint8Array.of(0x50, 0x48, 1, boxes.recovery), idOf(newest.key), Uint8Array.of(logN), recovery.salt, d.random(12))
  return join(head, await sealGCM(recovery.key, ivOf(head), newest.key, join(head, utf8(d.jid))))
}

/** Unwraps a key with a code and keeps it. Refused as `malformed` if the code is mistyped, as `decrypt` if it is another account's or an old one. */
export async function recover(d: Device, typed: string, wrapped: Bytes): Promise<HistoryState> {
  const secret = readCode(typed)
  const head = wrapped.slice(0, headerSize)
  if (wrapped.length !== headerSize + 32 + 16 || !same(head.subarray(0, 4), Uint8Array.of(0x50, 0x48, 1, boxes.recovery)) || head[12] !== logN) {
    refuse('malformed', 'wrapped key')
  }
  const salt = head.slice(13, 29)
  const wrapping = await wrappingKey(secret, salt)
  const key = await openGCM(wrapping, ivOf(head), wrapped.slice(headerSize), join(head, utf8(d.jid)))
  if (!same(idOf(key), head.subarray(4, 12))) refuse('decrypt', 'wrapped key')
  return adoptKept(d, { keys: [{ id: hex(idOf(key)), key, made: d.now() }], recovery: { salt, key: wrapping } }, true)
}

function ivOf(head: Bytes): Bytes {
  return head.slice(29, 41)
}

function wrappingKey(secret: string, salt: Bytes): Promise<Bytes> {
  return scryptAsync(utf8(secret), salt, { N: 2 ** logN, r: 8, p: 1, dkLen: 32 }) as Promise<Bytes>
}
