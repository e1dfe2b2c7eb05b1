// Between the crypto worker, which cannot reach the server, and the connection, which knows no keys: device lists and bundles, messages made
// unreadable and readable again.

import type { Crypto } from '../crypto/api.ts'
import type { Surroundings } from '../crypto/client.ts'
import type { ChainName, Due, Encrypted, Opened, RefusalCode, Result, Version } from '../crypto/types.ts'
import type { JID, Micros } from '../model.ts'
import { StorageFull } from '../store/database.ts'
import {
  deviceListEvent, encryptedElement, encryptionElement, fetchBundle, fetchDevices, fetchKnowing, forAllElement, parseEncrypted, publishBundle, publishDevices, publishKnowing, removeBundle,
  removeKnowing, type Listed,
} from '../xmpp/omemo.ts'
import { hint } from '../xmpp/ids.ts'
import { CORRECT, EME, EPHEMERAL, FALLBACK, REACTIONS, REFERENCE, REPLY } from '../xmpp/ns.ts'
import { FORWARDED, QUIET } from './own-ns.ts'
import type { NodeEvent } from '../xmpp/pubsub.ts'
import type { Session } from '../xmpp/session.ts'
import { message, newID, StanzaError } from '../xmpp/stanza.ts'
import { el, parse, type Element } from '../xmpp/xml.ts'
import { CANNOT_READ, clearBody, envelope, type Outbound } from './write.ts'
import { bodyElement } from './content.ts'

/** What came out of an encrypted stanza. `nothing`: there is nothing to show. */
export type Reading =
  | { what: 'text'; key: string; body?: string; content?: Element; device: { id: number; trusted: boolean } }
  | { what: 'nothing'; key?: string }
  | { what: 'unreadable'; reason: 'no-key' | 'late-key' | 'broken' | 'old-device'; /** It can be read when its sender's chain comes. */ chain?: Missing }

/** A chain that is not here, and the place in it that is needed. */
export interface Missing { device: number; epoch: string; n: number }

/** The parts of a stanza, and whether some of those who can read it have OMEMO 0.3 alone: they got the text of it and nothing else. */
export interface SealedParts { parts: Element[]; older: boolean; /** Members of the group who have no device that can read it. */ unreached?: JID[] }

/** It could not be done now, and may be done later: nothing was decided about the message. */
export class NotNow extends Error {
  override readonly name = 'NotNow'
}

/** It cannot be encrypted for whom it is for; a person has to decide. */
export class CannotEncrypt extends Error {
  override readonly name = 'CannotEncrypt'
  constructor(readonly code: RefusalCode) {
    super(code)
  }
}

/** How often a message waits for keys of which a server does not tell, while there is a connection. */
const MAX_WAITS = 3
/** What may stand in clear beside a text that is encrypted with OMEMO 0.3, as all its apps have it: ids and numbers. Never what a message says: the address
 * of a file has its key. */
const HARMLESS = new Set([REPLY, FALLBACK, REFERENCE, CORRECT, EPHEMERAL, FORWARDED])
/** What such apps know that has no text: it is said to them in clear or not at all. */
const SILENT = new Set([REACTIONS])
const VERSIONS: Version[] = ['2', '0.3']
const TEMPORARY: RefusalCode[] = ['gone', 'storage', 'fault', 'no-bundle']

/** One account's end-to-end encryption, as the engine uses it. */
export class Secure {
  readonly crypto: Crypto & { end(): void }
  private session: Session | undefined
  private sending: Promise<void> | undefined
  private again = false
  private device = 0
  /** How often an answer did not come. */
  private missed = 0
  /** How often a message to somebody waited for answers. */
  private readonly waits = new Map<JID, number>()
  /** Told when another device of our own account is there that was not. */
  onOwnDevice: () => void = () => undefined
  /** Says whether somebody shall not learn that we are there: their sessions get no answers before ours is a message. */
  hides: (jid: JID) => Promise<boolean> = () => Promise.resolve(false)
  /** Says whether somebody is in a group. */
  isMember: (room: JID, jid: JID) => Promise<boolean> = () => Promise.resolve(true)
  /** Told when the chain came with which somebody speaks in a group. */
  onChain: (chain: ChainName) => void = () => undefined
  /** Told when another device of ours gave us keys of the history. */
  onKeys: () => void = () => undefined
  /** Labels of our other devices' lists, as they were told: they are published again with the list. */
  private own = new Map<Version, Listed[]>()

  /** `open` begins the worker; `notices` is told when a person has to see something about devices. */
  constructor(private readonly account: JID, open: (around: Surroundings) => Crypto & { end(): void }, notices: () => void) {
    this.crypto = open({
      devices: (jid, version) => this.ask(async (session) => (await fetchDevices(session, jid, version)).map((d) => d.id)),
      bundle: (jid, device, version) => this.ask((session) => fetchBundle(session, jid, device, version)),
      knowing: (jid) => this.session ? fetchKnowing(this.session, jid) : Promise.reject(new NotNow('not connected')),
      onNotices: notices,
      onDue: () => { void this.sendDue() },
      onKeys: () => this.onKeys(),
    })
  }

  /** Asks the server for the worker, and notes when no answer came: then it is not known who can read what. */
  private async ask<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      if (!this.session) throw new NotNow('not connected')
      return await work(this.session)
    } catch (error) {
      if (!(error instanceof StanzaError) || error.temporary) this.missed++
      throw error
    }
  }

  /** Opens the keys of this device, without which nothing can be read. */
  async begin(): Promise<void> {
    const own = value(await this.crypto.init(this.account, []))
    this.device = own.device
  }

  /** The id of this device among the account's. */
  get deviceID(): number {
    return this.device
  }

  /** A session with the server is there. For a new one our device is put on the lists, and what is due is sent. */
  async connected(session: Session, resumed: boolean): Promise<void> {
    this.session = session
    if (resumed) return this.sendDue()
    value(await this.crypto.newSession())
    for (const version of VERSIONS) await this.told(this.account, version, await fetchDevices(session, this.account, version))
    await this.sendDue()
  }

  /** No session can be used any more. */
  disconnected(): void {
    this.session = undefined
  }

  /** Takes news of device lists; false for any other. */
  async event(event: NodeEvent): Promise<boolean> {
    const list = deviceListEvent(event)
    if (!list) return false
    await this.told(list.jid, list.version, list.devices)
    return true
  }

  private async told(jid: JID, version: Version, devices: Listed[]): Promise<void> {
    const before = jid === this.account ? this.own.get(version) : undefined
    if (jid === this.account) this.own.set(version, devices)
    if (before && devices.some((d) => d.id !== this.device && !before.some((b) => b.id === d.id))) this.onOwnDevice()
    const missing = value(await this.crypto.listed(jid, version, devices.map((d) => d.id)))
    for (const d of devices) if (d.label && d.signature) await this.crypto.setLabel({ jid, device: d.id }, d.label, d.signature)
    if (!missing || !this.session) return
    await this.sendDue() // our keys before our name
    const labels = new Map(this.own.get(version)?.map((d) => [d.id, d]))
    await publishDevices(this.session, version, missing.map((id) => labels.get(id) ?? { id }))
    value(await this.crypto.listed(jid, version, missing)) // whether the server tells it to us, too, or not
  }

  /** Takes another device of ours off the lists, and its keys away: nobody encrypts for it any more. */
  async remove(session: Session, device: number): Promise<void> {
    for (const version of VERSIONS) {
      const listed = await fetchDevices(session, this.account, version)
      const left = listed.filter((d) => d.id !== device)
      if (left.length < listed.length) await publishDevices(session, version, left)
      this.own.set(version, left)
      value(await this.crypto.listed(this.account, version, left.map((d) => d.id)))
      await removeBundle(session, version, device)
    }
    await removeKnowing(session, device)
  }

  /** Sends what the sessions need: one run at a time, again if something came up meanwhile. */
  async sendDue(): Promise<void> {
    this.again = true
    this.sending ??= (async () => {
      try {
        while (this.again && this.session) {
          this.again = false
          const due = await this.crypto.due()
          if (due.ok) await this.sendOne(this.session, due.value)
        }
      } catch {
        // The connection broke: it is still due, and asked for at the next one.
      } finally {
        this.sending = undefined
      }
    })()
    await this.sending
  }

  private async sendOne(session: Session, due: Due): Promise<void> {
    for (const p of due.publications) {
      await publishBundle(session, p.version, p.device, p.bundle)
      if (p.version === '2') await publishKnowing(session, p.device)
      value(await this.crypto.published(p.version, p.mark))
    }
    for (const { to, message: said, room } of due.answers) {
      // Who is in a group with us knows of us.
      const may = room === undefined ? !await this.hides(to) : await this.isMember(room, to)
      if (may) session.send(message({ to, id: newID() }, encryptedElement(said), ...(said.payload ? [el(QUIET, 'quiet')] : []), hint('store')))
    }
  }

  /** Makes the parts of a stanza of what has to be said, to somebody, or to a group with these `members`. Throws NotNow or CannotEncrypt. No parts if there
   * is nobody to say it to. */
  async seal(to: JID, outbound: Outbound, members?: JID[]): Promise<SealedParts> {
    const missed = this.missed
    const content = envelope(outbound)
    const result = await this.crypto.encrypt(members ? { to: members, room: to, body: outbound.body, content } : { to: to === this.account ? [] : [to], body: outbound.body, content })
    if (missed !== this.missed) await this.mayWait(to)
    else this.waits.delete(to)
    // Nobody in the group has keys yet: what is said has its place all the same.
    if (members && !result.ok && result.error.code === 'no-devices') return { parts: outbound.placed ? partsOf(outbound, [this.unreadable()], true) : [], older: false, unreached: members }
    if (!result.ok) throw TEMPORARY.includes(result.error.code) || !this.session ? new NotNow(result.error.detail) : new CannotEncrypt(result.error.code)
    const { messages, whole, unreached } = result.value
    // A note to ourselves, and no other device yet: the archive gives it a place, by which the history brings it to those that come.
    if (!messages.length && whole && outbound.placed) return { parts: partsOf(outbound, [this.unreadable()], true), older: false }
    return { parts: whole && outbound.again ? [] : partsOf(outbound, messages, whole), older: !whole, ...(members ? { unreached } : {}) }
  }

  /** Encrypts for accounts, in OMEMO 2 alone, and for our other devices; no message when nobody can read it. Throws NotNow or CannotEncrypt. */
  async sealFor(to: JID[], content: string): Promise<Encrypted | undefined> {
    const missed = this.missed
    const result = await this.crypto.encrypt({ to, body: '', content })
    if (missed !== this.missed) await this.mayWait('')
    else this.waits.delete('')
    if (result.ok) return result.value.messages.find((m) => m.version === '2')
    if (/^(no-devices|undecided|distrusted)$/.test(result.error.code) && this.session) return undefined
    throw TEMPORARY.includes(result.error.code) || !this.session ? new NotNow(result.error.detail) : new CannotEncrypt(result.error.code)
  }

  /** What nobody can read: there is no key to it. */
  private unreadable(): Encrypted {
    return { version: '2', sid: this.device, keys: [], payload: crypto.getRandomValues(new Uint8Array(32)) }
  }

  /** Some keys could not be had because no answer came: better to wait than to leave devices out, but not for ever for one that never answers. */
  private async mayWait(to: JID): Promise<void> {
    const tries = (this.waits.get(to) ?? 0) + 1
    if (this.session?.live && tries > MAX_WAITS) return
    this.waits.set(to, tries)
    await this.crypto.newSession() // what it remembers of failures is not true
    throw new NotNow('keys could not be had')
  }

  /** Reads a stanza; undefined if it is not encrypted. Throws NotNow, StorageFull. `key` names the message, the same whichever way it comes; `room` is the group in
   * which it was said: what was encrypted for another one is not taken. `time` is when the server took it. */
  async open(stanza: Element, from: JID, key: string, room?: JID, time?: Micros): Promise<Reading | undefined> {
    const found = parseEncrypted(stanza)
    if (!found.length) return undefined
    // Our own, which we cannot read: what it says we knew when we sent it.
    if (from === this.account && found.some((m) => m.sid === this.device)) return { what: 'nothing' }
    let worst: RefusalCode = 'not-for-us'
    for (const one of found) {
      const result = await this.crypto.decrypt({ key, from, message: one, ...(room === undefined ? {} : { room }), ...(time === undefined ? {} : { time }) })
      if (result.ok) {
        if (result.value.chain) this.onChain(result.value.chain)
        return readingOf(result.value)
      }
      const { code, detail } = result.error
      if (code === 'storage' && detail.includes('QuotaExceeded')) throw new StorageFull(detail)
      if (TEMPORARY.includes(code)) throw new NotNow(`${code}: ${detail}`)
      if (code === 'duplicate') return { what: 'nothing' }
      if (code !== 'not-for-us') worst = code
    }
    // What devices say among themselves has no word for who cannot read it: it is for the others.
    if (worst === 'not-for-us' && !stanza.child('body') && !stanza.child('encryption', EME)) return { what: 'nothing' }
    return unreadable(worst, found)
  }

  /** A message of ours came back from a group: what it brought to others has arrived. */
  async reflected(stanza: Element, room: JID): Promise<void> {
    for (const { sid, all } of parseEncrypted(stanza)) if (all && sid === this.device) await this.crypto.reflected(room, all.epoch, all.n)
  }

  /** Asks for a chain that is missing here. */
  async missing(chain: ChainName): Promise<void> {
    await this.crypto.want(chain)
  }

  /** The engine keeps these now. */
  async stored(keys: string[]): Promise<void> {
    if (keys.length) await this.crypto.stored(keys) // if not, they are told again at the next start
  }

  end(): void {
    this.session = undefined
    this.crypto.end()
  }
}

function partsOf(outbound: Outbound, messages: Encrypted[], whole: boolean): Element[] {
  const { body, inner, outer } = outbound
  const allowed = body ? HARMLESS : SILENT
  const beside = whole ? [] : outbound.beside ?? inner.filter((e) => allowed.has(e.ns) && !outer.some((o) => o.ns === e.ns))
  const [first] = messages
  if (!first) return beside.length ? [...beside, ...outer] : []
  if (outbound.among) return [...messages.map(encryptedElement), ...outer]
  // What has no text is nothing to apps that cannot read it.
  const fallback = whole || body ? [bodyElement(CANNOT_READ)] : []
  return [...messages.map(encryptedElement), ...messages.flatMap((m) => m.all ? forAllElement(m.all) : []), encryptionElement(first.version), ...beside, ...outer, ...fallback]
}

function unreadable(code: RefusalCode, found: Encrypted[]): Reading {
  if (!found.some((m) => m.payload)) return { what: 'nothing' }
  if (code === 'not-for-us') return { what: 'unreadable', reason: 'old-device' }
  const one = found.find((m) => m.all)
  const chain = one?.all && code !== 'malformed' ? { chain: { device: one.sid, epoch: one.all.epoch, n: one.all.n } } : {}
  return { what: 'unreadable', reason: code === 'no-chain' ? 'late-key' : code === 'no-session' || code === 'no-prekey' ? 'no-key' : 'broken', ...chain }
}

function readingOf(opened: Opened): Reading {
  const { key, empty, body, content, sender, trust } = opened
  if (empty) return { what: 'nothing', key }
  return { what: 'text', key, body, content: content === undefined ? undefined : parse(content), device: { id: sender.device, trusted: trust === 'verified' } }
}

/** The value of a result, or NotNow thrown. */
export function value<T>(result: Result<T>): T {
  if (!result.ok) throw new NotNow(`${result.error.code}: ${result.error.detail}`)
  return result.value
}

/** The parts of a stanza that is not encrypted. */
export const inClear = (outbound: Outbound): Element[] => [...clearBody(outbound), ...outbound.inner.filter((e) => !outbound.outer.includes(e)), ...outbound.outer]
