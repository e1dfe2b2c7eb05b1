// What people decide about devices, and how they compare keys.

import { sha512 } from '@noble/hashes/sha2.js'
import { hex, join, unhex, utf8 } from './bytes.ts'
import { fingerprintOf, type Account, type DeviceRecord } from './account.ts'
import { edwardsOf, verify, type PublicIdentity } from './curve.ts'
import { Step, type Device } from './device.ts'
import { refuse } from './failure.ts'
import { parseTrustParam, trustParam } from './identity.ts'
import { profileOf } from './profile.ts'
import { kinds, newSaved } from './saved.ts'
import type { Device as DeviceRow } from '../model.ts'
import type { Address, Bytes, Comparison, Trust } from './types.ts'

/** The devices of an account, oldest first, our own one among them. Those whose key has not been seen have an empty fingerprint. */
export function devicesOf(d: Device, jid: string): Promise<DeviceRow[]> {
  return d.turn(async () => {
    const account = await new Step(d).account(jid)
    const rows = account.devices.map((record) => rowOf(d, account, record))
    if (jid === d.jid) rows.unshift(ownRow(d))
    return rows
  })
}

function rowOf(d: Device, account: Account, record: DeviceRecord): DeviceRow {
  const row: DeviceRow = {
    jid: account.jid, id: record.id, fingerprint: fingerprintOf(record), trust: account.trustOf(record), active: record.listed !== 0,
    own: account.jid === d.jid, firstSeen: record.firstSeen * 1e6,
  }
  if (record.lastUsed) row.lastUsed = record.lastUsed * 1e6
  if (record.label) row.label = record.label
  return row
}

function ownRow(d: Device): DeviceRow {
  return { jid: d.jid, id: d.id, fingerprint: hex(d.identity.curve), trust: 'verified', active: true, own: true, firstSeen: 0 }
}

/** Keeps a person's decision about a device whose key they saw as `fingerprint`; refused as `undecided` if it has another key by now. */
export function setTrust(d: Device, a: Address, fingerprint: string, trust: Trust): Promise<void> {
  return change(d, a.jid, (account) => {
    const record = account.device(a.device)
    if (!record?.identity || hex(record.identity) !== fingerprint) refuse('undecided', 'the device has another key now')
    decide(d, account, record.identity, trust)
  })
}

/** Verifies the key of a device that proved itself in another way, whether it has been seen before or not. `proved`: by itself, which changes nothing about one
 * that a person rejected; it counts from when it said so, in seconds since 1970, so that what another device decided since then holds whichever comes first. */
export function vouch(d: Device, a: Address, identity: Bytes, proved?: number): Promise<void> {
  return change(d, a.jid, (account) => {
    const known = account.find(identity)
    if (proved !== undefined && known && (known.trust === 'distrusted' || known.decided > proved)) return
    decide(d, account, identity, 'verified', false, proved)
    account.expect(a.device, identity, d.now())
    const record = account.device(a.device)
    if (record?.identity && hex(record.identity) !== hex(identity)) decide(d, account, record.identity, 'distrusted', false)
  })
}

/** Keeps the label of a device, signed by its identity (XEP-0384 §5.3.1). Its Ed25519 sign bit is not kept, so both are tried. */
export function setLabel(d: Device, a: Address, label: string, signature: Bytes): Promise<void> {
  return change(d, a.jid, (account) => {
    const record = account.device(a.device)
    if (!record?.identity) refuse('no-session', 'the key of the device is not known')
    if (record.label === label) return
    const curve = record.identity
    const holds = [0, 0x80].some((sign) => verifies({ curve, ed: edwardsOf(curve, sign) }, utf8(label), signature))
    if (!holds) refuse('malformed', 'label of a device')
    record.label = label.slice(0, maxLabel)
    account.changed = true
  })
}

const maxLabel = 128

function verifies(identity: PublicIdentity, message: Bytes, signature: Bytes): boolean {
  try {
    verify(profileOf('2'), identity, message, signature)
    return true
  } catch {
    return false
  }
}

function change(d: Device, jid: string, work: (account: Account) => void): Promise<void> {
  return d.turn(async () => {
    const step = new Step(d)
    const account = await step.account(jid)
    work(account)
    for (const { identity, trust, hand, time } of account.decisions) {
      const decision = { jid, identity: hex(identity), trust, hand, time }
      step.keep(`decided/${hex(d.random(8))}`, newSaved(kinds.decision).bytes(1, utf8(JSON.stringify(decision))).done())
    }
    await step.commit()
    if (account.decisions.length > 0) d.onDecided?.()
  })
}

function decide(d: Device, account: Account, identity: Bytes, trust: Trust, hand = true, time = d.now()): void {
  account.observe(identity)
  const known = account.find(identity) ?? refuse('too-large', 'remember another identity')
  if (known.trust !== trust) account.decisions.push({ identity, trust, hand, time })
  known.trust = trust
  known.decided = time
  account.changed = true
}

/** The xmpp: URI that states the keys of our own account: of this device, and of those of our others that were verified here. Conversations, Dino,
 * Gajim and Profanity make and read the same. */
export function trustURI(d: Device): Promise<string> {
  return d.turn(async () => {
    const account = await new Step(d).account(d.jid)
    const others = account.devices.filter((r) => r.identity && r.listed !== 0 && account.trustOf(r) === 'verified')
    const params = [trustParam(d.id, d.identity.curve), ...others.map((r) => trustParam(r.id, r.identity ?? new Uint8Array(0)))]
    return `xmpp:${encodeURI(d.jid)}?${params.join(';')}`
  })
}

const maxScanned = 100

/** Reads such a URI; refuses anything else as malformed, and more than 100 keys as too large. Parts that state no key are passed over. */
export function parseTrustURI(uri: string): { jid: string; keys: { device: number; fingerprint: string }[] } {
  const found = /^xmpp:([^?#]+)\?([^#]*)$/i.exec(uri.trim())
  if (!found?.[1] || found[2] === undefined || uri.length > 16384) refuse('malformed', 'address with keys')
  const params = found[2].split(/[;&]/).filter((param) => param.startsWith('omemo-sid-'))
  if (params.length > maxScanned) refuse('too-large', `${params.length} keys`)
  if (params.length === 0) refuse('malformed', 'address without keys')
  return { jid: decodeJID(found[1]), keys: params.map(parseTrustParam) }
}

function decodeJID(escaped: string): string {
  try {
    return decodeURIComponent(escaped).toLowerCase()
  } catch {
    return refuse('malformed', 'address with keys')
  }
}

/** Compares a scanned URI of an account, which a person vouches for, with what is known. Keys that match are verified; a device that has another
 * key here is distrusted; keys not seen yet are verified in advance. Our own account may be scanned from our other device. */
export function compare(d: Device, uri: string): Promise<Comparison & { jid: string }> {
  const { jid, keys } = parseTrustURI(uri)
  const out = { jid, matching: [] as number[], differing: [] as number[], unknown: [] as number[] }
  return change(d, jid, (account) => {
    for (const { device, fingerprint } of keys) {
      if (jid === d.jid && device === d.id) continue
      const record = account.device(device)
      const differs = record?.identity !== undefined && hex(record.identity) !== fingerprint
      if (differs && record.identity) decide(d, account, record.identity, 'distrusted')
      decide(d, account, unhex(fingerprint), 'verified')
      out[differs ? 'differing' : record?.identity ? 'matching' : 'unknown'].push(device)
    }
  }).then(() => out)
}

const rounds = 5200

/** The safety number of two people: 60 digits in 12 groups of five, the same at both ends as long as both see the same keys.
 *
 * For each of the two accounts: the Curve25519 identity keys (32 bytes) of all devices on its device lists, sorted as bytes; h0 = SHA-512(0x00 0x00 ‖
 * keys ‖ address in UTF-8); h(n+1) = SHA-512(h(n) ‖ keys), 5200 rounds; of the last, six times five bytes, each as big-endian number
 * modulo 100000, five digits. The two halves of 30 digits are sorted and joined. A new device or key of either changes it; a half costs an
 * attacker 2^99 tries of 5200 hashes to meet. It needs the keys of all listed devices, so ask for their bundles first. */
export function safetyNumber(d: Device, jid: string): Promise<string> {
  return d.turn(async () => {
    const step = new Step(d)
    const own = await step.account(d.jid)
    const theirs = keysOf(await step.account(jid))
    if (!theirs.length) refuse('no-bundle', 'no key of theirs has been seen')
    const halves = [half(d.jid, [...keysOf(own), d.identity.curve]), half(jid, theirs)]
    return halves.sort().join('').match(/.{5}/g)?.join(' ') ?? ''
  })
}

function keysOf(account: Account): Bytes[] {
  return account.devices.flatMap((r) => (r.identity && r.listed !== 0 ? [r.identity] : []))
}

function half(jid: string, identities: Bytes[]): string {
  const keys = join(...identities.map(hex).sort().map(unhex))
  let h = sha512(join(new Uint8Array(2), keys, utf8(jid)))
  for (let i = 0; i < rounds; i++) h = sha512(join(h, keys))
  let digits = ''
  for (let at = 0; at < 30; at += 5) {
    const n = h.subarray(at, at + 5).reduce((sum, byte) => sum * 256 + byte, 0)
    digits += String(n % 100000).padStart(5, '0')
  }
  return digits
}

/** Verifies all listed devices of an account at once, after two people compared the number; refused as `undecided` if it is another by now. */
export async function verifyNumber(d: Device, jid: string, number: string): Promise<void> {
  if ((await safetyNumber(d, jid)) !== number) refuse('undecided', 'the keys have changed since')
  await change(d, jid, (account) => {
    for (const identity of keysOf(account)) decide(d, account, identity, 'verified')
  })
}
