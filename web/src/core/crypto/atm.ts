// Automatic trust (XEP-0450, with the messages of XEP-0434): who compares keys by hand once tells the other devices, so that n devices need n-1
// comparisons. Told are verified devices only, in OMEMO 2; believed are verified devices only: our own about anybody, a contact's about their own account.
// What an unverified device says waits until it is verified. What was decided later counts, whenever it is told; a person's own decisions are never announced back.

import { el, parse, serialise } from '../xmpp/xml.ts'
import type { Account, DeviceRecord, Known } from './account.ts'
import { hex, same, text, unhex, utf8 } from './bytes.ts'
import { curveOf, edwardsOf } from './curve.ts'
import { Step, type Device } from './device.ts'
import { profiles } from './profile.ts'
import { kinds, newSaved, readSaved } from './saved.ts'
import type { Address, Bytes, Trust } from './types.ts'

const tm = 'urn:xmpp:tm:1'
const usage = 'urn:xmpp:atm:1'
const encryption = 'urn:xmpp:omemo:2'
const maxAccounts = 2000
const maxKeys = 200
const maxWaiting = 500
/** Messages about what was decided before. */
const maxTold = 30

/** Trust messages to send: the same content to some devices of an account. `time`: since when it holds, in seconds since 1970, where that is not when it was
 * decided whom to tell. */
export interface Telling { jid: string; to: Address[]; content: string; time?: number }

/** What one device says about one key. The time is in seconds since 1970. */
interface Claim { by: string; owner: string; key: string; trust: 'verified' | 'distrusted'; time: number }

/** Who is to be told of a decision that a person made about a key (XEP-0450 §4). */
export async function tellingsOf(d: Device, owner: string, identity: Bytes, trust: Trust): Promise<Telling[]> {
  if (trust !== 'verified' && trust !== 'distrusted') return []
  const accounts = await d.turn(() => everybody(new Step(d)))
  const decision = messageOf([{ owner, keys: [identity], trust }])
  const told = accounts.filter((a) => a.jid === d.jid || owner === d.jid)
  const out: Telling[] = told.map((a) => ({ jid: a.jid, to: verified(a, (r) => !isKey(r, identity)), content: decision }))
  const subject = accounts.find((a) => a.jid === owner)
  if (trust === 'verified' && subject) {
    const known = accounts.filter((a) => a.jid === d.jid || owner === d.jid)
      .flatMap((a) => verifiedKeys(a).filter((k) => !same(k.identity, identity)).map((k) => ({ owner: a.jid, key: k.identity, time: Math.max(1, k.decided) })))
    const to = verified(subject, (r) => isKey(r, identity))
    for (const { time, keys } of byTime(known)) out.push({ jid: owner, to, content: messageOf(byOwner(keys).map((one) => ({ ...one, trust }))), time })
  }
  return out.filter(({ to }) => to.length > 0)
}

async function everybody(step: Step): Promise<Account[]> {
  const names = await step.d.store.names('account/', maxAccounts)
  await step.preload(names)
  return Promise.all(names.map((name) => step.account(name.slice('account/'.length))))
}

function isKey(r: DeviceRecord, identity: Bytes): boolean {
  return r.identity !== undefined && same(r.identity, identity)
}

function verified(a: Account, which: (r: DeviceRecord) => boolean): Address[] {
  const listed = a.listed(profiles[1])
  return a.devices.filter((r) => listed.includes(r.id) && a.trustOf(r) === 'verified' && which(r)).map((r) => ({ jid: a.jid, device: r.id }))
}

function verifiedKeys(a: Account): Known[] {
  return a.known.filter((k) => k.trust === 'verified').slice(0, maxKeys)
}

interface Decided { owner: string; key: Bytes; time: number }

function byOwner(keys: Decided[]): { owner: string; keys: Bytes[] }[] {
  const out = new Map<string, Bytes[]>()
  for (const { owner, key } of keys) out.set(owner, [...out.get(owner) ?? [], key])
  return [...out].map(([owner, keys]) => ({ owner, keys }))
}

// A message has one time for all of its keys, so that what was decided at different times goes in messages of its own. Where these are too many, the oldest go
// together, as the oldest of them: what was decided later by others holds.
function byTime(keys: Decided[]): { time: number; keys: Decided[] }[] {
  const sorted = [...keys].sort((a, b) => b.time - a.time)
  const out: { time: number; keys: Decided[] }[] = []
  for (const key of sorted) {
    const last = out.at(-1)
    if (last && (last.time === key.time || out.length >= maxTold)) {
      last.keys.push(key)
      last.time = key.time
    } else out.push({ time: key.time, keys: [key] })
  }
  return out
}

// Keys are named in the form in which OMEMO 2 publishes them.
function messageOf(owners: { owner: string; keys: Bytes[]; trust: Trust }[]): string {
  const children = owners.map(({ owner, keys, trust }) =>
    el(tm, 'key-owner', { jid: owner }, ...keys.map((key) => el(tm, trust === 'verified' ? 'trust' : 'distrust', {}, base64(edwardsOf(key, 0))))))
  return serialise(el(tm, 'trust-message', { usage, encryption }, ...children))
}

/** Takes a trust message out of a content that was decrypted; tells whether there was one. Time is in seconds since 1970. */
export async function takeTrust(d: Device, from: { jid: string; fingerprint: string; trust: Trust }, content: string, time: number): Promise<boolean> {
  const message = parse(content)?.child('trust-message', tm)
  if (!message) return false
  if (message.attr('usage') !== usage || message.attr('encryption') !== encryption) return true
  const claims = message.children('key-owner').slice(0, maxKeys).flatMap((owner) => {
    const jid = owner.attr('jid')?.split('/')[0]?.toLowerCase() ?? ''
    if (from.jid !== d.jid && jid !== from.jid) return [] // a contact speaks for itself only
    return owner.children().slice(0, maxKeys).flatMap((e) => claimOf(e.name, e.text, { by: from.fingerprint, owner: jid, time }))
  })
  await d.turn(async () => {
    const step = new Step(d)
    if (from.trust === 'verified') await believe(step, from.jid, claims)
    else await postpone(step, from.jid, claims)
    await step.commit()
  })
  return true
}

function claimOf(name: string, key: string, facts: Pick<Claim, 'by' | 'owner' | 'time'>): Claim[] {
  const trust = name === 'trust' ? 'verified' : name === 'distrust' ? 'distrusted' : undefined
  const bytes = unbase64(key)
  if (!trust || bytes?.length !== 32 || facts.owner === '') return []
  return [{ ...facts, key: hex(bytes), trust }]
}

/** Believes what devices had said that are verified only now. */
export function takeWaiting(d: Device, jid: string): Promise<void> {
  return d.turn(async () => {
    const step = new Step(d)
    await believe(step, jid, [])
    await step.commit()
  })
}

// Applies claims of verified devices of an account, then those that waited for a device which is verified by them, and so on.
async function believe(step: Step, by: string, claims: Claim[]): Promise<void> {
  let now = claims
  const speakers = new Set([by])
  for (let round = 0; round < 10; round++) {
    for (const claim of now) {
      if (await apply(step, claim)) speakers.add(claim.owner)
    }
    now = (await Promise.all([...speakers].map((jid) => dueClaims(step, jid)))).flat()
    if (now.length === 0) return
  }
}

async function apply(step: Step, { owner, key, trust, time }: Claim): Promise<boolean> {
  const account = await step.account(owner)
  const identity = keyIn(account, unhex(key))
  if (!identity || (owner === step.d.jid && same(identity, step.d.identity.curve))) return false
  account.observe(identity)
  const known = account.find(identity)
  if (!known || known.trust === trust || known.decided > time) return false
  if (known.decided === time && trust !== 'distrusted') return false // within a second nobody knows which came first: rather not
  known.trust = trust
  known.decided = time
  account.changed = true
  return true
}

// Other programs may name a key in Curve25519 form: if it is known as such, it is that one.
function keyIn(account: Account, key: Bytes): Bytes | undefined {
  if (account.find(key)) return key
  try {
    return curveOf(key)
  } catch {
    return undefined
  }
}

function waitingName(jid: string): string {
  return `trust-waits/${jid}`
}

async function waiting(step: Step, jid: string): Promise<Claim[]> {
  const saved = await step.read(waitingName(jid))
  return saved ? readSaved(saved, kinds.claims, ([first]) => JSON.parse(text(first?.bytes() ?? utf8('[]'))) as Claim[]) : []
}

function keepWaiting(step: Step, jid: string, claims: Claim[]): void {
  step.keep(waitingName(jid), claims.length === 0 ? null : newSaved(kinds.claims).bytes(1, utf8(JSON.stringify(claims))).done())
}

async function postpone(step: Step, jid: string, claims: Claim[]): Promise<void> {
  if (claims.length > 0) keepWaiting(step, jid, [...await waiting(step, jid), ...claims].slice(-maxWaiting))
}

// Takes out the claims of those devices of an account that are verified by now.
async function dueClaims(step: Step, jid: string): Promise<Claim[]> {
  const all = await waiting(step, jid)
  if (all.length === 0) return []
  const account = await step.account(jid)
  const good = (claim: Claim) => account.find(unhex(claim.by))?.trust === 'verified'
  const due = all.filter(good)
  if (due.length > 0) keepWaiting(step, jid, all.filter((claim) => !good(claim)))
  return due
}

function base64(b: Bytes): string {
  return btoa(String.fromCharCode(...b))
}

function unbase64(digits: string): Bytes | undefined {
  try {
    return Uint8Array.from(atob(digits.replace(/\s/g, '')), (c) => c.charCodeAt(0))
  } catch {
    return undefined
  }
}
