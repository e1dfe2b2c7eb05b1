// The recovery code: 32 characters on paper that give the history back when every device is lost. docs/protocol/encrypted-history.md §6.

import { scryptAsync } from '@noble/hashes/scrypt.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { hex, join, same, utf8 } from './bytes.ts'
import { agree, edwardsOf, newKeyPair, pairOf, sign, verify, type KeyPair } from './curve.ts'
import type { Device } from './device.ts'
import { refuse } from './failure.ts'
import { adoptKept, boxes, changeKept, idOf, loadKept, newHistoryKey, type Kept } from './history.ts'
import { derive } from './kdf.ts'
import { openGCM, sealGCM } from './payload.ts'
import { profileOf } from './profile.ts'
import { kinds, newSaved } from './saved.ts'
import type { Bytes, HistoryState } from './types.ts'

// Crockford's alphabet: no I, L, O, U.
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const secretChars = 28 // 140 bits
const checkChars = 4
const codeVersion = 1
const logN = 15
const headerSize = 4 + 8 + 1 + 16 + 32
const format = [0x50, 0x48, 2, boxes.recovery]

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

/** Makes a code and the newest key wrapped for it, which the account publishes for itself. The code before it is worthless from then on. */
export async function newRecovery(d: Device): Promise<{ code: string; wrapped: Bytes }> {
  if ((await loadKept(d)).keys.length === 0) await newHistoryKey(d)
  const code = newCode(d)
  const salt = d.random(16)
  const pair = await pairFrom(readCode(code), salt)
  await changeKept(d, (kept) => ({ ...kept, recovery: { salt, public: pair.public } }))
  return { code, wrapped: await wrap(d) }
}

/** Wraps the newest key again, for the code that is on paper already; refused as `no-session` if there is none. Only the code opens it: a device that
 * could wrap once, and was removed, cannot read what is wrapped later. */
export async function wrap(d: Device): Promise<Bytes> {
  const { keys: [newest], recovery } = await loadKept(d)
  if (!newest || !recovery) refuse('no-session', 'no recovery code')
  const once = newKeyPair(d.random)
  const head = join(Uint8Array.of(...format), idOf(newest.key), Uint8Array.of(logN), recovery.salt, once.public)
  const { key, iv } = wrapping(agree(once.private, recovery.public), once.public, recovery.public)
  return join(head, await sealGCM(key, iv, newest.key, join(head, utf8(d.jid))))
}

/** Unwraps a key with a code and keeps it. Refused as `malformed` if the code is mistyped, as `decrypt` if it is another account's or an old one. What
 * proves to our other devices that this one had the code is kept until it is sent. */
export async function recover(d: Device, typed: string, wrapped: Bytes): Promise<HistoryState> {
  const secret = readCode(typed)
  const head = wrapped.slice(0, headerSize)
  if (wrapped.length !== headerSize + 32 + 16 || !same(head.subarray(0, 4), Uint8Array.of(...format)) || head[12] !== logN) refuse('malformed', 'wrapped key')
  const [salt, once] = [head.slice(13, 29), head.slice(29)]
  const pair = await pairFrom(secret, salt)
  const { key: wrappingKey, iv } = wrapping(agree(pair.private, once), once, pair.public)
  const key = await openGCM(wrappingKey, iv, wrapped.slice(headerSize), join(head, utf8(d.jid)))
  if (!same(idOf(key), head.subarray(4, 12))) refuse('decrypt', 'wrapped key')
  const proof = sign(pair.private, claimOf(d.jid, d.id, d.identity.curve), d.random)
  await d.turn(() => d.store.save(new Map([[claimName, newSaved(kinds.proof).bytes(1, proof).done()]])))
  const state = await adoptKept(d, { keys: [{ id: hex(idOf(key)), key, made: d.now() }], recovery: { salt, public: pair.public } }, true)
  d.onDecided?.()
  return state
}

/** Under which name the proof is kept that is to be sent. */
export const claimName = 'recovered/claim'

/** What a device signs with the recovery code: which device of the account it is. */
export function claimOf(jid: string, device: number, identity: Bytes): Bytes {
  return join(utf8(`urn:palabre:history:0 claim ${jid} ${device} `), identity)
}

/** Checks such a proof with what is kept of the code here; refuses one that does not hold. */
export function checkClaim({ recovery }: Kept, jid: string, device: number, identity: Bytes, proof: Bytes): void {
  if (!recovery) refuse('no-session', 'no recovery code')
  verify(profileOf('2'), { curve: recovery.public, ed: edwardsOf(recovery.public, 0) }, claimOf(jid, device, identity), proof)
}

function wrapping(shared: Bytes, once: Bytes, code: Bytes): { key: Bytes; iv: Bytes } {
  const out = derive(shared, join(once, code), 'urn:palabre:history:0 recovery', 44)
  return { key: out.slice(0, 32), iv: out.slice(32) }
}

/** The key pair that a code stands for. */
async function pairFrom(secret: string, salt: Bytes): Promise<KeyPair> {
  return pairOf(await scryptAsync(utf8(secret), salt, { N: 2 ** logN, r: 8, p: 1, dkLen: 32 }) as Bytes)
}
