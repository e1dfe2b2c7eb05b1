// A service of payments in memory, whose answers get lost when a test wants that.
import { getPublicKey, hashes, sign } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { readIntent, readText, writeText, type Fields } from '../../../src/core/pay/text.ts'
import { signed, textHash, toBytes, toText } from '../../../src/core/pay/sign.ts'
import type { Session } from '../../../src/core/xmpp/session.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { el, parse, type Element } from '../../../src/core/xmpp/xml.ts'

export const NS = 'urn:palabre:pay:0'
hashes.sha512 = sha512
const DISCO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const lost = () => new StanzaError('timeout', 'wait')
const refuse = (detail: string, attrs: Record<string, string> = {}) => new StanzaError('not-acceptable', 'cancel', '', el(NS, detail, attrs))

/** The service. */
export class FakePay {
  readonly seed = crypto.getRandomValues(new Uint8Array(32))
  readonly key = toText(getPublicKey(this.seed))
  readonly keys = new Map<string, { point: string; verifier?: string; share?: string; wrong: number; cap?: string }>()
  /** What is in the pocket. */
  pocket = 50_000
  readonly done = new Map<string, { intent: Fields<'intent'>; receipt: Element; state: string }>()
  /** What is handed in next: done and not answered, not even arrived, refused. */
  next: ('lost answer' | 'lost' | { refuse: string })[] = []
  handed = 0
  lookups = 0
  /** The whole service is away. */
  away = false

  session(account: string): Session {
    return {
      account, jid: account + '/tab', live: true, send: () => undefined, on: () => () => undefined, answer: () => () => undefined,
      request: async (_, payload, { to } = {}) => {
        const asked = parse(String(payload))
        if (!asked) throw new Error('not well-formed')
        const answer = await this.answer(account, asked, to ?? '')
        return el('jabber:client', 'iq', { type: 'result' }, answer)
      },
    }
  }

  private async answer(account: string, e: Element, to: string): Promise<Element | undefined> {
    if (e.ns === ITEMS) return el(ITEMS, 'query', {}, el(ITEMS, 'item', { jid: 'pay.example' }))
    if (this.away) throw new StanzaError('service-unavailable')
    if (e.ns === DISCO) return el(DISCO, 'query', {}, to === 'pay.example' && el(DISCO, 'feature', { var: NS }))
    switch (e.name) {
      case 'about': return el(NS, 'about', {}, el(NS, 'unit', { code: 'MAD', exponent: 2, name: 'Dirham' }), el(NS, 'key', {}, this.key))
      case 'wallet': return this.wallet()
      case 'key': {
        const point = e.textOf('public') ?? ''
        this.keys.set(toText(new Uint8Array(await crypto.subtle.digest('SHA-256', toBytes(point) ?? new Uint8Array()))).slice(0, 22), { point, verifier: e.textOf('verifier'), share: e.textOf('share'), wrong: 0 })
        return this.wallet()
      }
      case 'unlock': return this.unlock(e)
      case 'order': return this.order(readText('order', e.textOf('text') ?? ''))
      case 'pay': return this.pay(account, e)
      case 'lookup': return this.lookup(e.attr('id') ?? '')
      default: throw new StanzaError('feature-not-implemented')
    }
  }

  private wallet(): Element {
    return el(NS, 'wallet', { level: 'basic' }, el(NS, 'balance', { unit: 'MAD', amount: 50_000, held: 0, pocket: this.pocket }), ...[...this.keys].map(([id, { cap }]) => el(NS, 'key', { id, kind: 'pin', name: 'phone', ...(cap ? { offline: 'true', cap } : {}) })))
  }

  private order({ kind, about }: Fields<'order'>): Element {
    const [, id = '', cap = ''] = /^(\S+) (\S+ \d+)$/.exec(about) ?? []
    const key = this.keys.get(id)
    if (kind !== 'offline' || !key) throw refuse('bad-text')
    key.cap = cap
    return this.wallet()
  }

  private unlock(e: Element): Element {
    const key = this.keys.get(e.attr('key') ?? '')
    if (key?.share && key.verifier === e.attr('verifier')) return el(NS, 'share', {}, key.share)
    throw new StanzaError('not-authorized', 'auth', '', el(NS, 'wrong-pin', { left: 5 - ++(key ?? { wrong: 0 }).wrong }))
  }

  private async pay(account: string, e: Element): Promise<Element> {
    const how = this.next.shift()
    if (how === 'lost') throw lost()
    this.handed++
    const text = e.textOf('intent') ?? ''
    const intent = readIntent(text)
    const key = this.keys.get(intent.key)
    if (intent.payer !== account || !key || !await signed(toBytes(key.point) ?? new Uint8Array(), text, e.textOf('signature') ?? '')) throw refuse('bad-signature')
    if (typeof how === 'object') throw refuse(how.refuse, { left: '700' })
    const before = this.done.get(intent.id)
    if (!before) this.done.set(intent.id, { intent, state: 'done', receipt: await this.receipt(intent, text) })
    if (how === 'lost answer') throw lost()
    return this.done.get(intent.id)?.receipt ?? el(NS, 'none')
  }

  /** What the service signs of an intent. */
  async receipt(intent: Fields<'intent'>, text: string, state = 'done'): Promise<Element> {
    const { service, id, kind, payer, payee, amount, unit, fee, of } = intent
    const hash = [...await textHash(text)].map((b) => b.toString(16).padStart(2, '0')).join('')
    const says = writeText('receipt', { service, id, kind, state, payer, payee, amount, unit, fee, of, for: intent.for, number: String(this.done.size + 1), time: '2026-11-22T12:00:00Z', hash: '0'.repeat(64), intent: hash })
    return el(NS, 'receipt', {}, el(NS, 'text', {}, says), el(NS, 'signature', {}, toText(sign(new TextEncoder().encode(says), this.seed))))
  }

  /** A payment as it stands in answers and notices. */
  payment(id: string): Element | undefined {
    const found = this.done.get(id)
    if (!found) return undefined
    const { kind, payer, payee, amount, unit, fee, of } = found.intent
    return el(NS, 'payment', { id, kind, state: found.state, payer, payee, amount, unit, fee, of: of || undefined, for: found.intent.for, time: '2026-11-22T12:00:00Z', number: '1' }, found.receipt)
  }

  private lookup(id: string): Element {
    this.lookups++
    const found = this.payment(id)
    if (!found) throw new StanzaError('item-not-found')
    return found
  }
}
