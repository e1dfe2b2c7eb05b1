// Handing the keys of the history over to a new device: one shows a QR code, the other scans it, both show six digits, a person compares.
// docs/protocol/encrypted-history.md §5 has the reasons.

import { sha256 } from '@noble/hashes/sha2.js'
import { base64url, hex, join, same, text, unbase64url, utf8 } from './bytes.ts'
import { agree, newKeyPair, type KeyPair } from './curve.ts'
import type { Device } from './device.ts'
import { refuse } from './failure.ts'
import { adoptKept, loadKept, readKept, writeKept, type Kept } from './history.ts'
import { derive, mac, sameMAC } from './kdf.ts'
import { openGCM, sealGCM } from './payload.ts'
import { vouch } from './trust.ts'
import type { Bytes, LinkLogin, LinkMessage, LinkRole, LinkStep } from './types.ts'

const domain = 'urn:palabre:history:0 link'
const lifetime = 300 // seconds
const maxSessions = 8
const maxOffer = 16384

interface Session {
  id: string
  role: LinkRole
  shows: boolean
  began: number
  pair: KeyPair
  secret: Bytes
  shown: Bytes
  keys?: { show: Bytes; scan: Bytes; code: string }
  /** The hello that was accepted; another one means that somebody else has the code. */
  hello?: Bytes
  /** Device id and identity of the other side. */
  other?: Bytes
  ready: boolean
  confirmed: boolean
  answer?: LinkStep
  offer?: { kept: Kept; login?: LinkLogin }
}

/** Links are the hand-overs under way on this device. They are not kept: whoever reloads begins again. */
export class Links {
  private readonly sessions = new Map<string, Session>()

  constructor(private readonly d: Device) {}

  /** Begins a hand-over and gives what the QR code holds. `address` is our full address, where the other device sends to. */
  show(role: LinkRole, address: string): { id: string; uri: string } {
    const pair = newKeyPair(this.d.random)
    const secret = this.d.random(16)
    const s = this.add({ role, shows: true, pair, secret, shown: pair.public })
    return { id: s.id, uri: `xmpp:${encodeURI(address)}?link;v=0;role=${role};k=${base64url(pair.public)};s=${base64url(secret)}` }
  }

  /** Reads the QR code of another device of this account, and gives the first message to it. */
  scan(uri: string): LinkStep & { id: string; to: string } {
    const found = /^xmpp:([^?#]{1,3100})\?link;v=0;role=(new|old);k=([\w-]{43});s=([\w-]{22})$/.exec(uri.trim())
    if (!found?.[1] || !found[3] || !found[4]) refuse('malformed', 'code of a device')
    const to = decodeURI(found[1])
    if (to.split('/')[0] !== this.d.jid) refuse('not-for-us', 'code of another account')
    const s = this.add({
      role: found[2] === 'new' ? 'old' : 'new', shows: false, pair: newKeyPair(this.d.random), secret: unbase64url(found[4]), shown: unbase64url(found[3]),
    })
    const hello = join(s.pair.public, this.self())
    s.keys = this.agreed(s, s.pair.public, s.shown)
    return { id: s.id, to, send: { step: 1, data: base64url(join(hello, this.helloMAC(s, hello))) } }
  }

  /** Takes a message of the other device. What comes back is to be done: send it, show the code, or it is finished. */
  async hear(id: string, message: LinkMessage): Promise<LinkStep> {
    const s = this.sessions.get(id)
    if (!s || this.isOver(s)) refuse('no-session', 'no such hand-over')
    const data = unbase64url(message.data)
    if (data.length > maxOffer) refuse('too-large', 'hand-over')
    if (message.step === 1 && s.shows) return this.hearHello(s, data)
    if (message.step === 2 && !s.shows) return this.hearReady(s, data)
    if (message.step === 3 && s.role === 'new') return this.hearOffer(s, data)
    if (message.step === 4 && s.role === 'old' && s.confirmed) return this.hearDone(s, data)
    return refuse('malformed', 'hand-over out of order')
  }

  /** A person found the same six digits on both devices. The older device then gives its keys away, and `login` if it lets the new one in; the new one
   * takes them. */
  async confirm(id: string, login?: LinkLogin): Promise<LinkStep> {
    const s = this.sessions.get(id)
    if (!s?.ready || this.isOver(s)) refuse('no-session', 'no such hand-over')
    if (s.answer) return s.answer // a step is sealed once
    s.confirmed = true
    if (s.role === 'new') return this.finish(s)
    s.answer = { send: { step: 3, data: base64url(await this.seal(s, 3, utf8(JSON.stringify({ ...JSON.parse(writeKept(await loadKept(this.d))) as object, login })))) } }
    return s.answer
  }

  /** The older device heard in another way that the new one is in: its last letter did not come through. */
  async arrived(id: string): Promise<void> {
    const s = this.sessions.get(id)
    if (s?.role !== 'old' || !s.answer) refuse('no-session', 'no such hand-over')
    await this.vouchForOther(s)
    this.cancel(id)
  }

  // The other device's key for conversations is verified with the same comparison, when it is in: nothing is left of a hand-over that failed.
  private vouchForOther(s: Session): Promise<void> {
    const { other } = s
    if (!other) return refuse('no-session', 'no such hand-over')
    return vouch(this.d, { jid: this.d.jid, device: new DataView(other.buffer, other.byteOffset).getUint32(0) }, other.slice(4))
  }

  private self(): Bytes {
    const id = new Uint8Array(4)
    new DataView(id.buffer).setUint32(0, this.d.id)
    return join(id, this.d.identity.curve)
  }

  /** Ends a hand-over, or one that failed. */
  cancel(id: string): void {
    this.sessions.delete(id)
  }

  private add(s: Pick<Session, 'role' | 'shows' | 'pair' | 'secret' | 'shown'>): Session {
    for (const [id, old] of this.sessions) if (this.isOver(old)) this.sessions.delete(id)
    if (this.sessions.size >= maxSessions) refuse('too-large', 'too many hand-overs')
    const id = hex(sha256(join(utf8(domain), s.shown, s.secret)).subarray(0, 8))
    const out: Session = { ...s, id, began: this.d.now(), ready: false, confirmed: false }
    this.sessions.set(id, out)
    return out
  }

  // Also when the clock was set back meanwhile.
  private isOver(s: Session): boolean {
    return Math.abs(this.d.now() - s.began) > lifetime
  }

  // Who knows the secret has seen the QR code.
  private helloMAC(s: Session, hello: Bytes): Bytes {
    return mac(s.secret, utf8(`${domain} hello ${this.d.jid}\0`), s.shown, hello)
  }

  private async hearHello(s: Session, data: Bytes): Promise<LinkStep> {
    const hello = data.slice(0, 68)
    if (data.length !== 100 || !sameMAC(this.helloMAC(s, hello), data.subarray(68))) refuse('decrypt', 'hello')
    if (s.hello && !same(s.hello, hello)) {
      this.cancel(s.id)
      refuse('distrusted', 'another device has seen the code')
    }
    s.hello = hello
    const theirs = hello.slice(0, 32)
    s.keys ??= this.agreed(s, theirs, theirs)
    s.other = hello.slice(32)
    s.ready = true
    return { code: s.keys.code, send: { step: 2, data: base64url(await this.seal(s, 2, this.self())) } }
  }

  private async hearReady(s: Session, data: Bytes): Promise<LinkStep> {
    const other = await this.open(s, 2, data)
    if (other.length !== 36) refuse('malformed', 'hand-over')
    s.other = other
    s.ready = true
    return { code: s.keys?.code ?? '' }
  }

  private async hearOffer(s: Session, data: Bytes): Promise<LinkStep> {
    const json = text(await this.open(s, 3, data))
    s.offer = { kept: readKept(json), login: readLogin(json) }
    return this.finish(s)
  }

  private async hearDone(s: Session, data: Bytes): Promise<LinkStep> {
    if (text(await this.open(s, 4, data)) !== 'done') refuse('malformed', 'hand-over')
    await this.vouchForOther(s)
    this.cancel(s.id)
    return { finished: true }
  }

  // The new device keeps the keys once it has them and a person agreed, whichever is later.
  private async finish(s: Session): Promise<LinkStep> {
    if (!s.offer || !s.confirmed) return {}
    await this.vouchForOther(s)
    await adoptKept(this.d, s.offer.kept, true)
    const send = { step: 4 as const, data: base64url(await this.seal(s, 4, utf8('done'))) }
    this.cancel(s.id)
    return { finished: true, send, login: s.offer.login }
  }

  // The keys of both directions and the code, from the agreement of the shown key with the scanner's.
  private agreed(s: Session, scanner: Bytes, theirs: Bytes): { show: Bytes; scan: Bytes; code: string } {
    const transcript = sha256(join(utf8(`${this.d.jid}\0${s.shows ? s.role : otherRole(s.role)}\0`), s.shown, scanner))
    const out = derive(agree(s.pair.private, theirs), s.secret, `${domain} ${hex(transcript)}`, 68)
    const number = new DataView(out.buffer, out.byteOffset).getUint32(64)
    return { show: out.slice(0, 32), scan: out.slice(32, 64), code: String(number % 1_000_000).padStart(6, '0') }
  }

  private async seal(s: Session, step: number, plain: Bytes): Promise<Bytes> {
    const keys = s.keys ?? refuse('no-session', 'no such hand-over')
    return sealGCM(s.shows ? keys.show : keys.scan, stepIV(step), plain, utf8(`${domain} ${step}`))
  }

  private async open(s: Session, step: number, data: Bytes): Promise<Bytes> {
    const keys = s.keys ?? refuse('no-session', 'no such hand-over')
    return openGCM(s.shows ? keys.scan : keys.show, stepIV(step), data, utf8(`${domain} ${step}`))
  }
}

// What readKept found to be JSON. Anything but three short texts is no way in.
function readLogin(json: string): LinkLogin | undefined {
  const { login } = JSON.parse(json) as { login?: Partial<Record<keyof LinkLogin, unknown>> | null }
  const { agent, mechanism, token } = login ?? {}
  if (typeof agent !== 'string' || typeof mechanism !== 'string' || typeof token !== 'string') return undefined
  if (!/^[\da-f-]{36}$/.test(agent) || mechanism.length > 40 || token.length > 1000) return undefined
  return { agent, mechanism, token }
}

function otherRole(role: LinkRole): LinkRole {
  return role === 'new' ? 'old' : 'new'
}

// Each step is sealed once with the key of its direction, except a repeated one, which is the same bytes.
function stepIV(step: number): Bytes {
  const iv = new Uint8Array(12)
  iv[11] = step
  return iv
}
