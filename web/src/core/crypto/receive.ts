// Decrypting: every key that may be ours is tried on a copy; what opened is kept together with the plaintext, and only then returned.

import { hex, text, utf8 } from './bytes.ts'
import { accept } from './bundle.ts'
import { accountName, sessionName, Step, type Device } from './device.ts'
import { answer, refuse, refusalOf } from './failure.ts'
import { maxTries } from './limits.ts'
import { unseal } from './payload.ts'
import { consume, poolOf } from './prekeys.ts'
import { profileOf, profiles, type Profile } from './profile.ts'
import { owesReply } from './ratchet.ts'
import { kinds, newSaved, readSaved } from './saved.ts'
import { fieldOf, readOnce } from './protobuf.ts'
import { checkAddress, decryptMessage, decryptRepeated, withState, type OpenedKey, type Session } from './session.ts'
import type { Address, Bytes, ChainName, Encrypted, EncryptedKey, RefusalCode, Result, Trust } from './types.ts'
import { decodeExchange, decodeMessage } from './wire.ts'

/** A decrypted message. */
export interface Decrypted {
  /** Nothing if the message had no payload. */
  plaintext?: Bytes
  sender: Address
  version: Encrypted['version']
  /** The key that proved itself, in hex: what a person may compare. */
  fingerprint: string
  trust: Trust
  /** The sender waits for any message of ours: send an empty one unless another goes to it at once. */
  owesReply: boolean
  /** A prekey was used up and replaced: publish the bundle of this version again. */
  bundleChanged: boolean
  /** The device is on no list that is known here: the account has a new one, and was not heard to say so. */
  unlisted?: true
  /** Through which room it came, as the caller said. */
  room?: string
  /** It brought a chain. */
  chain?: ChainName
}

// One key of a message, opened and not kept.
interface Try { opened: OpenedKey; payload?: Bytes; bundleChanged: boolean }

/** A message to decrypt: `from` is the bare address of its sender, for which the server vouched, `key` a name that no other message has. */
export interface Received { from: string; message: Encrypted; key?: string; room?: string }

/** Decrypts one message. It tries every key for our device id (at most 8), since OMEMO 0.3 does not say whose device is meant, and stops at the
 * first that opens. The advanced ratchet is kept before it is fulfilled, in one step with the plaintext under key, which a repeated call then
 * gives again until `stored` removes it. Refused with `not-for-us` and `duplicate` (ignore both), `no-session`, `no-prekey`, `too-far`,
 * `decrypt`, `malformed`, nothing has changed. */
export async function decrypt(d: Device, from: string, message: Encrypted, key?: string, room?: string): Promise<Decrypted> {
  const [one] = await decryptAll(d, [{ from, message, ...(key === undefined ? {} : { key }), ...(room === undefined ? {} : { room }) }])
  if (!one) return refuse('fault', 'nothing decrypted')
  return one.ok ? one.value : refuse(one.error.code, one.error.detail)
}

/** Decrypts messages in their order, and keeps what came of all of them in one step: what cannot be kept has not happened to any. At most 200. */
export function decryptAll(d: Device, list: Received[]): Promise<Result<Decrypted>[]> {
  if (list.length > maxAtOnce) refuse('too-large', `${list.length} messages`)
  return d.turn(async () => {
    const step = new Step(d)
    await step.preload(list.flatMap(({ from, message, key }) => {
      const p = profiles.find(({ version }) => version === message.version)
      const names = p ? [sessionName(p, { jid: from, device: message.sid }), accountName(from)] : []
      return key ? [...names, openedName(key)] : names
    }))
    const out: Result<Decrypted>[] = []
    for (const received of list) out.push(await answer(() => decryptOne(step, received)))
    await step.commit()
    return out
  })
}

const maxAtOnce = 200

// It notes nothing in the step unless the message opened.
async function decryptOne(step: Step, { from, message, key, room }: Received): Promise<Decrypted> {
  const p = profileOf(message.version)
  const sender = { jid: from, device: message.sid }
  checkAddress(sender)
  if (key !== undefined && (key === '' || key.length > maxKey)) refuse('malformed', 'key of a message')
  const again = key ? await step.read(openedName(key)) : undefined
  if (again) return loadOpened(again)
  const tried = await answer(() => tryKeys(step, p, sender, message, room))
  if (tried.ok) return noteOpened(step, p, sender, tried.value, key, room)
  if (message.all && room !== undefined && p.version === '2' && tried.error.code !== 'duplicate') {
    const heard = await answer(async () => (await chains()).hear(step, sender, room, message, key))
    if (heard.ok) return heard.value
    // That a session is broken says more than that its chain did not come.
    if (tried.error.code === 'not-for-us') refuse(heard.error.code, heard.error.detail)
  }
  return refuse(tried.error.code, tried.error.detail)
}

// What only large groups have is a chunk of its own.
const chains = () => import('./sender-keys.ts')
const senderKeys = utf8('urn:palabre:sender-keys:0')

function mentions(plaintext: Bytes, words: Bytes): boolean {
  for (let at = plaintext.indexOf(words[0] ?? 0); at >= 0; at = plaintext.indexOf(words[0] ?? 0, at + 1)) {
    if (words.every((byte, i) => plaintext[at + i] === byte)) return true
  }
  return false
}

const maxKey = 1024

function openedName(key: string): string {
  return `opened/${key}`
}

/** Removes plaintexts that are now kept elsewhere. */
export function stored(d: Device, keys: string[]): Promise<void> {
  return d.turn(() => d.store.save(new Map(keys.map((key) => [openedName(key), null]))))
}

/** Messages that were decrypted and not stored yet, at most limit. */
export function unstored(d: Device, limit: number): Promise<{ key: string; message: Decrypted }[]> {
  return d.turn(async () => {
    const names = await d.store.names('opened/', limit)
    const found = await d.store.load(names)
    return [...found].map(([name, saved]) => ({ key: name.slice('opened/'.length), message: loadOpened(saved) }))
  })
}

async function tryKeys(step: Step, p: Profile, sender: Address, m: Encrypted, room?: string): Promise<Try> {
  const { d } = step
  const session = (await step.session(p, sender)) ?? []
  const ours = m.keys.filter((k) => k.rid === d.id && (p.version === '0.3' || k.jid === d.jid)).slice(0, maxTries)
  let verdict: { code: RefusalCode; detail: string } | undefined
  for (const k of ours) {
    try {
      return await tryKey(step, p, session, k, m, room)
    } catch (thrown) {
      const error = refusalOf(thrown)
      // What was ours and is used up says more than what never was.
      if (!verdict || error.code === 'duplicate') verdict = error
    }
  }
  return verdict ? refuse(verdict.code, verdict.detail) : refuse('not-for-us', 'no key for this device')
}

// Opens one key and the payload with it. The payload is part of the proof: if it does not open, the ratchet has not moved, and the real
// message can still come.
async function tryKey(step: Step, p: Profile, session: Session, k: EncryptedKey, m: Encrypted, room?: string): Promise<Try> {
  const found = k.exchange ? await openExchange(step, p, session, k.data) : { opened: openPlain(step.d, p, session, k.data) }
  const out: Try = { opened: found.opened, bundleChanged: 'use' in found }
  if (m.payload) out.payload = await unseal(p, { keyPart: out.opened.plaintext, iv: m.iv, payload: m.payload })
  // What keeps a chain is loaded before anything is noted: where it cannot be had now, nothing has happened, and the message is read later. What is said to us
  // alone waits for nothing: anybody can write such words, and a chain that was asked for is asked for again.
  if (room !== undefined && p.version === '2' && out.payload && mentions(out.payload, senderKeys)) await chains()
  if ('use' in found) found.use()
  return out
}

function openPlain(d: Device, p: Profile, session: Session, data: Bytes): OpenedKey {
  const message = decodeMessage(p, data)
  if (session.length === 0) refuse('no-session', 'no session with this device')
  return decryptMessage(p, session, d.identity, message, d.random)
}

// Opens a message with a key exchange around it: with the state that the exchange built before, or a new one, in which case the prekey is
// used up in the same step.
async function openExchange(step: Step, p: Profile, session: Session, data: Bytes): Promise<{ opened: OpenedKey; use: () => void } | { opened: OpenedKey }> {
  const { d } = step
  const x = decodeExchange(p, data)
  const message = decodeMessage(p, x.message)
  const known = decryptRepeated(p, session, d.identity, x, message, d.random)
  if (known) return { opened: known }
  const owner = await step.owner()
  const { state, plaintext } = accept(p, owner, x, message, d.random)
  const opened = { plaintext, identity: state.remote, owesReply: owesReply(state, message, true), session: withState(session, state) }
  return {
    opened,
    use: () => {
      consume(poolOf(owner, p), x.preKey, d.random)
      step.keepOwner()
    },
  }
}

// Notes what was opened; the plaintext may be seen once the step is kept.
async function noteOpened(step: Step, p: Profile, sender: Address, t: Try, key?: string, room?: string): Promise<Decrypted> {
  const { d } = step
  const { curve } = t.opened.identity
  const account = await step.account(sender.jid)
  const trust = account.meet(sender.device, curve, d.now())
  const device = account.device(sender.device)
  if (device && Math.abs(d.now() - device.lastUsed) >= 3600) {
    device.lastUsed = d.now()
    account.changed = true
  }
  await step.keepSession(p, sender, t.opened.session)
  const out: Decrypted = {
    sender, version: p.version, fingerprint: hex(curve), trust, owesReply: t.opened.owesReply, bundleChanged: t.bundleChanged,
  }
  if (room) out.room = room
  if (!account.listed(p).includes(sender.device)) out.unlisted = true
  if (t.payload) {
    out.plaintext = t.payload
    if (p.version === '2' && mentions(t.payload, senderKeys)) {
      const chain = await (await chains().catch(() => undefined))?.adopt(step, sender, curve, t.payload, room)
      if (chain) out.chain = chain
    }
    if (key) keepOpened(step, key, out, t.payload)
  }
  return out
}

/** Keeps a plaintext until it is safe elsewhere. */
export function keepOpened(step: Step, key: string, m: Decrypted, plaintext: Bytes): void {
  step.keep(openedName(key), saveOpened(m, plaintext))
}

function saveOpened(m: Decrypted, plaintext: Bytes): Bytes {
  const { plaintext: _, ...facts } = m
  return newSaved(kinds.opened).bytes(1, utf8(JSON.stringify(facts))).bytes(2, plaintext).done()
}

function loadOpened(saved: Bytes): Decrypted {
  return readSaved(saved, kinds.opened, () => {
    const fields = readOnce(saved.subarray(2), [1, 2])
    const facts = JSON.parse(text(fieldOf(fields, 1).bytes())) as Decrypted
    return { ...facts, plaintext: fieldOf(fields, 2).bytes().slice() }
  })
}
