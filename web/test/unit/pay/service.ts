// A service of payments in memory, whose answers get lost when a test wants that.
import { getPublicKey, hashes, sign } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { readIntent, readText, writeText, type Fields } from '../../../src/core/pay/text.ts'
import { toBytes, toText } from '../../../src/core/pay/bytes.ts'
import { signed, textHash } from '../../../src/core/pay/sign.ts'
import type { Session } from '../../../src/core/xmpp/session.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { el, parse, type Element } from '../../../src/core/xmpp/xml.ts'

export const NS = 'urn:palabre:pay:0'
hashes.sha512 = sha512
const DISCO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const lost = () => new StanzaError('timeout', 'wait')
const refuse = (detail: string, attrs: Record<string, string> = {}, type = 'cancel') => new StanzaError('not-acceptable', type, '', el(NS, detail, attrs))

/** The service. */
export class FakePay {
  readonly seed = crypto.getRandomValues(new Uint8Array(32))
  readonly key = toText(getPublicKey(this.seed))
  readonly keys = new Map<string, { point: string; verifier?: string; share?: string; wrong: number; cap?: string }>()
  /** What is in the pocket. */
  pocket = 50_000
  readonly done = new Map<string, { intent: Fields<'intent'>; receipt: Element; state: string }>()
  /** What is handed in next: done and not answered, not even arrived, refused, or not decided. */
  next: ('lost answer' | 'lost' | { refuse: string; type?: string })[] = []
  handed = 0
  /** What was asked of a rail, as it stands there. */
  readonly ins = new Map<string, { rail: string; address: string; amount: string; state: string; way?: string; go?: string }>()
  lookups = 0
  /** What is owed, of which two are told at once. */
  debts: string[] = []
  /** The language of what was asked last. */
  language: string | undefined
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
    if (e.ns === NS) this.language = e.attr('xml:lang')
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
      case 'cashin': return this.cashin(e)
      case 'history': return el(NS, 'history', {}, ...[...this.ins].flatMap(([id, { state }]) => state === e.attr('state') ? [this.in(account, id)] : []))
      case 'debts': return this.owed(e.attr('before'))
      default: throw new StanzaError('feature-not-implemented')
    }
  }

  private owed(before?: string): Element {
    const from = before ? this.debts.indexOf(before) + 1 : 0
    const page = this.debts.slice(from, from + 2)
    return el(NS, 'debts', { more: from + 2 < this.debts.length ? page.at(-1) : undefined }, ...page.map((id) => el(NS, 'debt', { id, from: 'karim@example', to: 'nadia@example', amount: 100 })))
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
    const signer = intent.kind === 'capture' || intent.kind === 'void' ? intent.payee : intent.payer
    if (signer !== account && (intent.kind !== 'offline' || intent.payee !== account) || !key || !await signed(toBytes(key.point) ?? new Uint8Array(), text, e.textOf('signature') ?? '')) throw refuse('bad-signature')
    if (typeof how === 'object') throw refuse(how.refuse, { left: '700' }, how.type)
    const before = this.done.get(intent.id)
    const back = intent.kind === 'revoke' && intent.payer === intent.payee
    if (before && writeText('intent', before.intent) !== text) throw refuse('id-taken')
    if (!before && back && this.done.has(intent.of)) throw refuse('over')
    if (!before && intent.kind === 'offline' && [...this.done.values()].some((one) => one.state === 'ended' && one.intent.of === intent.id)) throw refuse('taken-back')
    if (!before) this.done.set(intent.id, { intent, state: back ? 'ended' : 'done', receipt: await this.receipt(intent, text, back ? 'ended' : 'done') })
    if (how === 'lost answer') throw lost()
    return this.done.get(intent.id)?.receipt ?? el(NS, 'none')
  }

  /** Something else was paid under an id, from another device. */
  async elsewhere(change: Partial<Fields<'intent'>> & Pick<Fields<'intent'>, 'id' | 'payer' | 'payee'>): Promise<void> {
    const text = writeText('intent', { service: 'pay.example', kind: 'send', amount: '12500', unit: 'MAD', fee: '0', expires: '2026-11-22T12:10:00Z', of: '', until: '', total: '', period: '', for: '', key: 'k'.repeat(22), ...change })
    const intent = readIntent(text)
    this.done.set(intent.id, { intent, state: 'done', receipt: await this.receipt(intent, text) })
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

  private cashin(e: Element): Element {
    const how = this.next.shift()
    if (how === 'lost') throw lost()
    this.handed++
    if (typeof how === 'object') throw refuse(how.refuse)
    const [id, rail, address, amount] = ['id', 'rail', 'address', 'amount'].map((name) => e.attr(name) ?? '') as [string, string, string, string]
    if (!this.ins.has(id)) this.ins.set(id, { rail, address, amount, state: 'waiting', way: 'submitted', go: 'https://network.example/pay' })
    if (how === 'lost answer') throw lost()
    return el(NS, 'go', { address: 'https://network.example/pay' })
  }

  /** A payment that comes in, as it stands. */
  in(account: string, id: string, whole = false): Element | undefined {
    const found = this.ins.get(id)
    return found && el(NS, 'payment', { id, kind: 'cashin', state: found.state, payer: `rail:${found.rail}`, payee: account, amount: found.amount, unit: 'MAD', fee: 0, for: '', time: '2026-11-22T12:00:00Z', ...(whole ? { way: found.way } : {}) },
      whole && found.go !== undefined && el(NS, 'go', { address: found.go }))
  }

  private lookup(id: string): Element {
    this.lookups++
    const found = this.payment(id) ?? this.in('karim@example', id, true)
    if (!found) throw new StanzaError('item-not-found')
    return found
  }
}
