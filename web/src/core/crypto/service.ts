// Everything that is asked of the crypto worker about one account. The methods throw a Refused; the worker makes Results of them.

import { sha256 } from '@noble/hashes/sha2.js'
import { fingerprintOf, type Account } from './account.ts'
import { hex, join, text, utf8 } from './bytes.ts'
import {
  accountName, bundle, maintainDevice, openDevice, signLabel, Step, type Device, type Surroundings,
} from './device.ts'
import { answer, refuse, refusalOf } from './failure.ts'
import { Lists, type Recipients } from './lists.ts'
import type { EnvelopeRequest, InEnvelope } from './port.ts'
import type { Asking } from './sender-receive.ts'
import { profiles } from './profile.ts'
import { Fields } from './protobuf.ts'
import { kinds, readSaved } from './saved.ts'
import { decryptAll, stored, unstored, type Decrypted } from './receive.ts'
import { encrypt, encryptEmpty } from './send.ts'
import type {
  Address, Asked, Bundle, Bytes, ChainName, DecryptRequest, Due, Encrypted, Notice, Own, Publication, RefusalCode, Result, Sealed, Skipped, Version,
} from './types.ts'

const healPause = 3600 // seconds between two attempts to mend a session with one device
const maxOwed = 1000
const maxNotices = 500
const maxUnstored = 500
const maxDecided = 50

/** Reasons for which a device cannot be written to in one version, and perhaps in the other. */
const keyless: readonly RefusalCode[] = ['no-bundle', 'malformed']
const broken: readonly RefusalCode[] = ['no-session', 'no-prekey', 'decrypt', 'too-far']

// What devices say among themselves is seldom: a chunk of its own.
const among = () => import('./among.ts')
const chains = () => import('./sender-keys.ts')
const chainSpace = 'urn:palabre:sender-keys:0'
/** Devices of a group up to which each has a key of its own in every message. */
const largeGroup = 32
const ownSpaces = ['urn:palabre:history:0', 'urn:xmpp:tm:1']

/** Tells what happened without being asked: there are new notices, something is due, or keys of the history came. */
export type Happened = (what: 'notices' | 'due' | 'keys') => void

/** Service is one account's end of encrypted conversations. */
export class Service {
  private readonly lists: Lists
  /** Devices that wait for a message of ours, or whose session is broken, by version, device and account. */
  private readonly owed = new Map<string, { version: Version; to: Address; mend: boolean }>()

  private askingOf: Asking | undefined
  /** The day on which old chains were forgotten last. */
  private forgot = 0
  private isNamed = false
  /** Archives that are being read. */
  private catching = 0

  private constructor(readonly device: Device, private readonly fresh: boolean, asked: Asked, private readonly happened: Happened) {
    this.lists = new Lists(device, asked)
    device.onNews = () => happened('notices')
    device.onDecided = () => happened('due')
    device.onKeys = () => happened('keys')
  }

  /** Opens or makes the account's device. `taken` are the ids on its device lists, if they are known. */
  static async open(
    jid: string, taken: number[], around: Surroundings, asked: Asked, happened: Happened, only?: number,
  ): Promise<Service> {
    const { device, fresh } = await openDevice(jid, taken, around, only)
    return new Service(device, fresh, asked, happened)
  }

  /** Our own device. */
  own(): Own {
    return { device: this.device.id, fingerprint: hex(this.device.identity.curve), fresh: this.fresh }
  }

  /** A new session with the server began, which was not the old one resumed: lists are to be trusted only when they are told again. */
  newSession(): void {
    this.lists.newSession()
  }

  /** A device list that the server told or that was fetched. If it is our own account's and our device is missing from it, the list to publish
   * comes back, after the bundle that is then due (XEP-0384 §5.3). */
  async listed(jid: string, version: Version, ids: number[]): Promise<number[] | null> {
    await this.lists.told(jid, version, ids)
    if (jid === this.device.jid && version === '2') this.named(ids.includes(this.device.id))
    if (jid !== this.device.jid || ids.includes(this.device.id)) return null
    await this.published(version, '')
    return [...new Set([...ids, this.device.id])]
  }

  /** When our device is on the list, the others count with it, so that they can be told what it is; and what waits for others to be on it can go. */
  private named(here: boolean): void {
    this.isNamed ||= here
    if (this.isNamed) this.happened('due')
  }

  /** Encrypts for every device of the accounts and our other devices: in OMEMO 2 for those that have it, else in 0.3, in which what has no body is said to
   * nobody. Refused with `no-devices`, `undecided` or `distrusted` if nobody of `to` can read it; a note to ourselves needs nobody. */
  async encrypt(request: EnvelopeRequest): Promise<Sealed> {
    const { newer, older, both } = await this.lists.recipients(request.to)
    const sealed: Sealed = { messages: [], whole: true, skipped: [], unreached: [] }
    const read = request.room !== undefined && request.to.length > 1 && newer.length > largeGroup ? await this.encryptForAll(request, newer, sealed) : undefined
    if (!read) await this.encryptPart(request, { version: '2', to: newer }, sealed)
    // One whose keys of OMEMO 2 cannot be used may have those of 0.3.
    const back = sealed.skipped.filter((s) => keyless.includes(s.reason) && both.some((a) => isSame(a, s)))
    sealed.skipped = sealed.skipped.filter((s) => !back.includes(s))
    await this.encryptPart(request, { version: '0.3', to: [...older, ...back.map(({ jid, device }) => ({ jid, device }))] }, sealed)
    const reached = new Set([...sealed.messages.flatMap((m) => m.keys.map((k) => k.jid)), ...(read ?? [])])
    const others = [...new Set(request.to)].filter((jid) => jid !== this.device.jid)
    sealed.unreached = others.filter((jid) => !reached.has(jid))
    const silent = request.body === '' && !sealed.whole
    if (others.length > 0 && sealed.unreached.length === others.length && !silent) refuse(reasonOf(sealed.skipped, others), 'nobody can read it')
    for (const m of sealed.messages) for (const k of m.keys) this.owed.delete(owedKey(m.version, { jid: k.jid ?? '', device: k.rid }))
    return sealed
  }

  /** With one key for all who have our chain. Gives the accounts of those; nothing if what does it cannot be loaded now: then each has a key, as ever. */
  private async encryptForAll(request: EnvelopeRequest, to: Address[], sealed: Sealed): Promise<string[] | undefined> {
    const keys = await chains().catch(() => undefined)
    if (!keys || request.room === undefined) return undefined
    const { message, skipped, reached } = await keys.encryptForGroup(this.device, this.lists, request.room, to, request.envelope)
    sealed.skipped.push(...skipped)
    if (message) sealed.messages.push(message)
    return reached
  }

  /** What this device said in a group stands in its log. */
  async reflected(room: string, epoch: string, n: number): Promise<void> {
    await (await chains()).reflected(this.device, room, epoch, n)
  }

  /** Asks a device for a chain that is missing. */
  async want(chain: ChainName): Promise<void> {
    (await this.asking()).want(chain)
    this.happened('due')
  }

  private async asking(): Promise<Asking> {
    const { Asking } = await chains()
    return this.askingOf ??= new Asking(this.device, this.lists)
  }

  private async encryptPart(request: EnvelopeRequest, part: Recipients, sealed: Sealed): Promise<void> {
    const unmet = await this.lists.meet(part)
    const to = part.to.filter((a) => !unmet.some((u) => isSame(u, a)))
    sealed.skipped.push(...unmet)
    if (part.version === '0.3' && request.body === '') {
      sealed.whole = (await this.lists.trusted(to)).length === 0
      return
    }
    const { message, skipped } = await encrypt(this.device, part.version, part.version === '2' ? request.envelope : utf8(request.body), to)
    sealed.skipped.push(...skipped)
    if (!message) return
    sealed.messages.unshift(message)
    sealed.whole = part.version === '2'
  }

  /** Decrypts messages in their order. The same key gives the same again until `stored`. */
  async decryptMany(requests: DecryptRequest[]): Promise<Result<InEnvelope>[]> {
    const opened = await decryptAll(this.device, requests)
    const out: Result<InEnvelope>[] = []
    for (const [i, { from, message, key, time }] of requests.entries()) {
      const one = opened[i]
      if (!one) continue
      if (one.ok) {
        if (one.value.owesReply || one.value.bundleChanged) this.owe(one.value)
        if (one.value.unlisted) this.lists.doubt(one.value.sender)
        out.push(await answer(() => this.read(key, one.value, time)))
        continue
      }
      if (broken.includes(one.error.code)) this.note(message.version, { jid: from, device: message.sid }, true)
      out.push(one)
    }
    return out
  }

  /** Decrypts one message. */
  async decrypt(request: DecryptRequest): Promise<InEnvelope> {
    const [one] = await this.decryptMany([request])
    return one?.ok ? one.value : refuse(one?.error.code ?? 'fault', one?.error.detail ?? 'nothing decrypted')
  }

  private owe(opened: Decrypted): void {
    if (opened.owesReply) this.note(opened.version, opened.sender, false)
    else this.happened('due')
  }

  private note(version: Version, to: Address, mend: boolean): void {
    if (this.owed.size >= maxOwed) return
    const key = owedKey(version, to)
    this.owed.set(key, { version, to, mend: mend || (this.owed.get(key)?.mend ?? false) })
    this.happened('due')
  }

  // Makes text of a plaintext. One that is no text is not kept either. `time` is when the server took it, in microseconds.
  private async read(key: string, m: Decrypted, time?: number): Promise<InEnvelope> {
    const { sender, fingerprint, trust, version, plaintext, room, chain } = m
    const out: InEnvelope = { key, version, empty: plaintext === undefined, sender, fingerprint, trust, ...(chain ? { chain } : {}) }
    if (!plaintext) return out
    try {
      if (version === '0.3') return { ...out, body: text(plaintext) }
      const opened = { ...out, envelope: text(plaintext), ...(room === undefined ? {} : { room }) }
      if (room === undefined && opened.envelope.includes(chainSpace) && (await this.asking().catch(() => undefined))?.heard(opened)) {
        this.happened('due')
        return { ...opened, envelope: undefined, empty: true }
      }
      return ownSpaces.some((space) => opened.envelope.includes(space)) ? await (await among()).takeOwn(this.device, opened, time) : opened
    } catch (thrown) {
      if (['malformed', 'too-large'].includes(refusalOf(thrown).code)) await stored(this.device, [key]) // it will never be readable
      throw thrown
    }
  }

  /** The keys of the history, encrypted for our own other devices that were verified; null if there are none. */
  shareHistory(): Promise<Encrypted | null> {
    return among().then(({ shareHistory }) => shareHistory(this.device, this.lists))
  }

  /** The engine has these messages in its own store. */
  async stored(keys: string[]): Promise<void> {
    await stored(this.device, keys)
  }

  /** Messages that were decrypted but not stored, at most 500: what a tab that died left behind. */
  async unstored(): Promise<InEnvelope[]> {
    const out: InEnvelope[] = []
    for (const { key, message } of await unstored(this.device, maxUnstored)) {
      const read = await answer(() => this.read(key, message))
      if (read.ok) out.push(read.value)
    }
    return out
  }

  beginCatchUp(): void {
    this.catching++
    this.device.catchingUp = true
  }

  async endCatchUp(): Promise<void> {
    this.catching = Math.max(0, this.catching - 1)
    this.device.catchingUp = this.catching > 0
    await this.maintain()
    this.happened('due')
  }

  /** Rotates signed prekeys when they are due, and forgets what is of no use. Once a day. */
  async maintain(): Promise<void> {
    if (await maintainDevice(this.device)) this.happened('due')
    const day = Math.floor(this.device.now() / 86_400)
    const { store } = this.device
    if (day === this.forgot || (await store.names('chain/', 1)).length + (await store.names('sender/', 1)).length === 0) return
    this.forgot = day
    await chains().then((keys) => keys.forgetOld(this.device), () => undefined) // with the next day
  }

  /** What is to be sent: answers that sessions need, mended sessions (at most once an hour each), and bundles that changed. During a
   * catch-up no answers. */
  async due(): Promise<Due> {
    const out: Due = { answers: [], publications: await this.publications() }
    if (this.device.catchingUp) return out
    for (const [key, { version, to, mend }] of [...this.owed]) {
      this.owed.delete(key)
      if (mend && !(await this.mend(version, to))) continue
      const message = await answer(() => encryptEmpty(this.device, version, to))
      if (message.ok) out.answers.push({ to: to.jid, message: message.value })
    }
    if (this.askingOf) out.answers.push(...await this.askingOf.due())
    const decided = await this.device.store.names('decided/', maxDecided)
    if (decided.length > 0) out.answers.push(...await (await among()).trustMessages(this.device, this.lists, decided))
    if (this.isNamed && (await this.device.store.names('recovered/', 1)).length > 0) out.answers.push(...await (await among()).recoveryMessages(this.device, this.lists))
    return out
  }

  // Begins a broken session anew; seldom, so that nobody can make us do it again and again.
  private async mend(version: Version, to: Address): Promise<boolean> {
    const { device } = this
    await this.lists.recipients([to.jid]) // a device on no list is not begun with
    const may = await device.turn(async () => {
      const step = new Step(device)
      const account = await step.account(to.jid)
      const record = account.device(to.device)
      if (!record || Math.abs(device.now() - record.healed) < healPause) return false
      record.healed = device.now()
      account.changed = true
      await step.commit()
      return true
    })
    return may && this.lists.mend(version, to)
  }

  private async publications(): Promise<Publication[]> {
    const out: Publication[] = []
    for (const p of profiles) {
      const own = await bundle(this.device, p.version)
      const mark = markOf(own)
      const done = (await this.device.store.load([publishedName(p.number)])).get(publishedName(p.number))
      if (!done || text(done) !== mark) out.push({ version: p.version, device: this.device.id, bundle: own, mark })
    }
    return out
  }

  /** The server has the bundle with this mark; '' says that it has none. */
  async published(version: Version, mark: string): Promise<void> {
    const number = profiles.find((p) => p.version === version)?.number ?? refuse('malformed', 'version of OMEMO')
    await this.device.turn(() => this.device.store.save(new Map([[publishedName(number), utf8(mark)]])))
  }

  /** The signature over a label for the OMEMO 2 device list. */
  signLabel(label: string): Bytes {
    return signLabel(this.device, label)
  }

  /** What people have to see and have not, oldest first, at most 500, with the key and the trust of now. One about our own devices is settled when
   * a person has decided about the key, here or on another device that told us. */
  notices(): Promise<Notice[]> {
    return this.device.turn(async () => {
      const { store } = this.device
      const found = await store.load(await store.names('notice/', maxNotices))
      const all = [...found.values()].map(readNotice)
      const step = new Step(this.device)
      await step.preload([...new Set(all.map((n) => accountName(n.jid)))])
      const now = await Promise.all(all.map(async (n) => asItIs(n, await step.account(n.jid))))
      const settled = all.filter((_, i) => !now[i])
      if (settled.length > 0) await store.save(new Map(settled.map((n) => [`notice/${n.id}`, null])))
      return now.flatMap((n) => n ?? [])
    })
  }

  /** These were shown, in a way that stays: a line in the chat. */
  async noticed(ids: string[]): Promise<void> {
    await this.device.turn(() => this.device.store.save(new Map(ids.map((id) => [`notice/${id}`, null]))))
  }

  /** Fetches the keys of an account's devices, so that they can be shown and compared. */
  learn(jid: string): Promise<void> {
    return this.lists.learn(jid)
  }
}

function readNotice(saved: Bytes): Notice {
  return readSaved(saved, kinds.notice, ([first]) => JSON.parse(text(first?.bytes() ?? new Uint8Array(0))) as Notice)
}

/** A notice with what is known of its device now; undefined when it is settled. */
function asItIs(notice: Notice, account: Account): Notice | undefined {
  const record = account.device(notice.device)
  const known = record?.identity && account.find(record.identity)
  if (notice.own && known && known.decided > 0) return undefined
  return known ? { ...notice, fingerprint: fingerprintOf(record), trust: known.trust } : notice
}

const isSame = (a: Address, b: Address): boolean => a.device === b.device && a.jid === b.jid

function publishedName(version: number): string {
  return `published/${version}`
}

function owedKey(version: Version, to: Address): string {
  return `${version} ${to.device} ${to.jid}`
}

function reasonOf(skipped: Skipped[], accounts: string[]): RefusalCode {
  const reasons = skipped.filter((s) => accounts.includes(s.jid)).map((s) => s.reason)
  return (['undecided', 'distrusted'] as const).find((code) => reasons.includes(code)) ?? 'no-devices'
}

function markOf(b: Bundle): string {
  const parts = new Fields().bytes(1, b.identity).number(2, b.signedPreKey.id).bytes(3, join(b.signedPreKey.key, b.signature))
  for (const k of b.preKeys) parts.number(4, k.id).bytes(5, k.key)
  if (b.version === '2') parts.flag(6, true) // beside it stands that this device knows keys of senders
  return hex(sha256(parts.done()))
}
