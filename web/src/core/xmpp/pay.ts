// Payments on the wire (docs/protocol/payments.md): what the service says, read as strictly as what a stranger sends.

import { isId, textTime, wholeOf } from '../pay/text.ts'
import { visible } from '../pay.ts'
import type { Again, Balance, Debt, Dispute, Limit, Mandate, NextStep, PayAbout, Payment, PayKey, PayReason, PayRequest, PayState, Period, Quote, RailOffer, RequestState, Split, SplitShare, Terms, Trouble, Wallet } from '../pay.ts'
import type { Micros } from '../model.ts'
import { PAY } from '../engine/own-ns.ts'
import { bare, parseJID } from './jid.ts'
import { StanzaError } from './stanza.ts'
import { parseTime } from './time.ts'
import type { Element } from './xml.ts'

const MAX_ROWS = 500
const MAX_WORDS = 2048

/** How many digits of a unit stand behind the point. */
export type Exponents = (unit: string) => number

/** Those that the service has told; of other currencies as the browser knows them. */
export const exponentsOf = (about: PayAbout | undefined): Exponents => (unit) => about?.units.find((u) => u.code === unit)?.exponent ?? known(unit)

function known(unit: string): number {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency: unit }).resolvedOptions().maximumFractionDigits ?? 2
  } catch {
    return 0 // no currency
  }
}

const rows = (e: Element | undefined, name: string): Element[] => e?.children(name, PAY).slice(0, MAX_ROWS) ?? []
const words = (text: string | undefined, most = MAX_WORDS): string => (text ?? '').slice(0, most)
const amount = (e: Element, name = 'amount'): number => wholeOf(e.attr(name)) ?? 0
const whole = (e: Element, name: string): Record<string, number> => {
  const found = wholeOf(e.attr(name))
  return found === undefined ? {} : { [name]: found }
}
const time = (e: Element, name: string): Record<string, Micros> => {
  const found = parseTime(e.attr(name))
  return found === undefined ? {} : { [name]: found }
}
const word = (e: Element, name: string, most?: number): Record<string, string> => e.attr(name) ? { [name]: words(e.attr(name), most) } : {}
const yes = (e: Element, name: string): boolean => /^(true|1)$/.test(e.attr(name) ?? '')
const address = (text: string | undefined): string | undefined => {
  const jid = parseJID(text ?? '')
  return jid && bare(jid)
}
const chat = (e: Element): { chat?: string } => {
  const jid = address(e.attr('chat'))
  return jid ? { chat: jid } : {}
}

/** What the service says of itself. */
export function readAbout(service: string, e: Element): PayAbout {
  return {
    service, key: words(e.textOf('key', PAY), 64).trim(),
    units: rows(e, 'unit').flatMap((u) => {
      const [code = '', exponent = -1] = [u.attr('code'), wholeOf(u.attr('exponent'))]
      return /^[A-Z\d]{3,12}$/.test(code) && exponent >= 0 && exponent <= 8 ? [{ code, exponent, name: words(u.attr('name'), 100) || code, closed: yes(u, 'closed') }] : []
    }),
    rails: rows(e, 'rail').flatMap((r): RailOffer[] => {
      const [name, kind] = [words(r.attr('name'), 60), (['momo', 'stripe', 'pix', 'sandbox'] as const).find((k) => k === r.attr('kind'))]
      return /^[\w-]+$/.test(name) ? [{ name, title: words(r.attr('title'), 60) || name, kind: kind ?? 'other', unit: words(r.attr('unit'), 12), in: yes(r, 'in'), out: yes(r, 'out') }] : []
    }),
    levels: rows(e, 'level').map((l) => ({ name: words(l.attr('name'), 60), limits: rows(l, 'limit').map((m) => ({ unit: words(m.attr('unit'), 12), ...whole(m, 'transaction'), ...whole(m, 'day') })) })),
  }
}

/** What we have. `here`: the ids of this device's keys. */
export function readWallet(about: PayAbout, e: Element, here: string[], now: Micros): Wallet {
  return {
    about, frozen: yes(e, 'frozen'), ...(yes(e, 'frozen') ? time(e, 'since') : {}), level: words(e.attr('level'), 60), time: now,
    balances: rows(e, 'balance').map((b): Balance => ({ unit: words(b.attr('unit'), 12), amount: Math.max(0, amount(b) - amount(b, 'held')), held: amount(b, 'held'), pocket: amount(b, 'pocket') })),
    limits: rows(e, 'limit').map((l): Limit => ({ unit: words(l.attr('unit'), 12), ...whole(l, 'transaction'), ...whole(l, 'day'), ...whole(l, 'left'), ...whole(l, 'stepup') })),
    keys: rows(e, 'key').flatMap((k): PayKey[] => {
      const [id = '', cap] = [k.attr('id'), /^([A-Z\d]{3,12}) (\d{1,16})$/.exec(k.attr('cap') ?? '')]
      if (!/^[\w-]{22}$/.test(id)) return []
      const limit = cap ? { cap: Number(cap[2]), capUnit: cap[1] ?? '' } : { ...whole(k, 'cap'), ...(k.attr('unit') ? { capUnit: words(k.attr('unit'), 12) } : {}) }
      return [{ id, kind: k.attr('kind') === 'passkey' ? 'passkey' : 'pin', name: words(k.attr('name'), 100), ...time(k, 'added'), ...time(k, 'ready'), offline: yes(k, 'offline') || !!cap, ...limit, here: here.includes(id) }]
    }),
  }
}

const KINDS: readonly string[] = ['send', 'tip', 'hold', 'mandate', 'capture', 'void', 'revoke', 'refund', 'reserve', 'release', 'offline', 'cashout', 'cashin', 'cashrefund'] satisfies Payment['kind'][]
const STATES: readonly string[] = ['done', 'held', 'ended', 'waiting', 'refused'] satisfies PayState[]

/** A payment as the service tells it; its receipt was not checked. undefined: it makes no sense. */
export function readPayment(e: Element, digits: Exponents): Payment | undefined {
  const [id = '', kind = '', state = ''] = [e.attr('id'), e.attr('kind'), e.attr('state')]
  const payer = kind === 'cashin' ? words(e.attr('payer'), 1023) : address(e.attr('payer'))
  const payee = kind === 'cashout' || kind === 'cashrefund' ? words(e.attr('payee'), 1023) : address(e.attr('payee'))
  if (!isId(id) || !payer || !payee || !KINDS.includes(kind) || !STATES.includes(state)) return undefined
  const unit = words(e.attr('unit'), 12)
  const receipt = readSigned(e.child('receipt', PAY))
  return {
    id, kind: kind as Payment['kind'], state: state as PayState, payer, payee, amount: amount(e), unit, exponent: digits(unit), fee: amount(e, 'fee'), for: words(e.attr('for'), 256),
    time: parseTime(e.attr('time')) ?? 0, ...(isId(e.attr('of') ?? '') ? { of: e.attr('of') } : {}), ...word(e, 'number', 40), ...whole(e, 'refunded'), ...time(e, 'until'),
    ...(state === 'refused' ? { why: reasonOf(e.attr('why')) } : {}), ...(receipt ? { receipt } : {}), ...chat(e), ...(state === 'waiting' ? readWay(e) : {}),
  }
}

/** How a payment stands with a network outside. */
function readWay(e: Element): Pick<Payment, 'way' | 'since' | 'next'> {
  const way = (['created', 'submitted', 'accepted', 'unknown'] as const).find((w) => w === e.attr('way'))
  const next = readNext(e)
  return { ...(way ? { way, ...time(e, 'since') } : {}), ...(next ? { next } : {}) }
}

/** What to do so that money comes in, where that is said: in a payment, or in the answer itself. Only https is opened. */
export function readNext(e: Element): NextStep | undefined {
  const of = (name: string): Element | undefined => e.name === name ? e : e.child(name, PAY)
  const [go, show] = [of('go')?.attr('address') ?? '', of('show')?.attr('code')]
  if (/^https:\/\/\S{1,4080}$/.test(go)) return { go }
  return show ? { show: words(show, 4096) } : of('wait') ? { wait: true } : undefined
}

/** A text with its signature. */
export function readSigned(e: Element | undefined): { text: string; signature: string } | undefined {
  const [text, signature] = [e?.textOf('text', PAY), e?.textOf('signature', PAY)?.trim()]
  return text && signature && text.length <= MAX_WORDS && signature.length <= 200 ? { text, signature } : undefined
}

const REQUEST_STATES: readonly string[] = ['open', 'part', 'paid', 'declined', 'cancelled', 'expired'] satisfies RequestState[]
const stateOf = (e: Element): RequestState | undefined => REQUEST_STATES.includes(e.attr('state') ?? '') ? e.attr('state') as RequestState : undefined

/** A request. */
export function readRequest(e: Element, digits: Exponents): PayRequest | undefined {
  const [id = '', payee, payer, state] = [e.attr('id'), address(e.attr('payee')), address(e.attr('payer')), stateOf(e)]
  if (!isId(id) || !payee || !payer || !state) return undefined
  const unit = words(e.attr('unit'), 12)
  const [terms, again] = [readTerms(e), readAgain(e)]
  if (!terms && e.attr('kind')) return undefined // it asks for something that is not known here: no money, in any case
  return {
    id, payee, payer, state, ...(terms ? { terms } : {}), ...(again ? { again } : {}), amount: amount(e), paid: amount(e, 'paid'), unit, exponent: digits(unit), for: words(e.attr('for'), 256), partial: yes(e, 'partial'), ...time(e, 'expires'), ...chat(e),
    ...(isId(e.attr('split') ?? '') ? { split: e.attr('split') } : {}),
  }
}

const PERIODS: readonly Period[] = ['once', 'day', 'week', 'month']

/** What a request asks for instead of money. */
function readTerms(e: Element): Terms | undefined {
  const [kind, total, until] = [e.attr('kind'), wholeOf(e.attr('total')), parseTime(e.attr('until'))]
  const period = PERIODS.find((p) => p === e.attr('period'))
  if (until === undefined) return undefined
  return kind === 'hold' ? { kind, until } : kind === 'mandate' && total && period ? { kind, total, period, until } : undefined
}

/** How a request comes again. */
function readAgain(e: Element): Again | undefined {
  const [every, turn, times, last] = [(['day', 'week', 'month'] as const).find((p) => p === e.attr('every')), wholeOf(e.attr('turn')), wholeOf(e.attr('times')), parseTime(e.attr('last'))]
  return every && turn !== undefined && times !== undefined && turn < times && last !== undefined ? { every, turn: turn + 1, times, last } : undefined
}

/** A split. */
export function readSplit(e: Element, digits: Exponents): Split | undefined {
  const [id = '', group, payee] = [e.attr('id'), address(e.attr('group')), address(e.attr('payee'))]
  if (!isId(id) || !group || !payee) return undefined
  const unit = words(e.attr('unit'), 12)
  const by = (['equal', 'shares', 'exact', 'items'] as const).find((b) => b === e.attr('by')) ?? 'exact'
  return { id, group, payee, total: amount(e, 'total'), unit, exponent: digits(unit), for: words(e.attr('for'), 256), by, ...whole(e, 'paid'), ...(address(e.attr('organiser')) ? { organiser: address(e.attr('organiser')) } : {}), shares: rows(e, 'share').flatMap((s) => readShare(s) ?? []) }
}

function readShare(e: Element): SplitShare | undefined {
  const [jid, state] = [address(e.attr('jid')), stateOf(e)]
  return jid ? {
    jid, amount: amount(e), ...whole(e, 'parts'), ...whole(e, 'paid'), items: rows(e, 'item').map((i) => ({ name: words(i.attr('name'), 100), amount: amount(i) })),
    ...(isId(e.attr('request') ?? '') ? { request: e.attr('request') } : {}), ...(state ? { state } : {}),
  } : undefined
}

/** Who owes whom. */
export const readDebts = (e: Element | undefined): Debt[] => rows(e, 'debt').flatMap((d) => {
  const [from, to] = [address(d.attr('from')), address(d.attr('to'))]
  return from && to ? [{ from, to, amount: amount(d), ...whole(d, 'once'), ...(isId(d.attr('id') ?? '') ? { id: d.attr('id') } : {}), ...whole(d, 'agree') }] : []
})

/** A mandate. */
export function readMandate(e: Element, digits: Exponents): Mandate | undefined {
  const [id = '', payer, payee] = [e.attr('id'), address(e.attr('payer')), address(e.attr('payee'))]
  if (!isId(id) || !payer || !payee) return undefined
  const unit = words(e.attr('unit'), 12)
  const period = PERIODS.find((p) => p === e.attr('period')) ?? 'once'
  const state = (['open', 'revoked', 'expired'] as const).find((s) => s === e.attr('state'))
  if (!state) return undefined
  return {
    id, payer, payee, amount: amount(e), unit, exponent: digits(unit), period, state, for: words(e.attr('for'), 256), ...whole(e, 'total'), ...time(e, 'until'), ...whole(e, 'left'), ...whole(e, 'taken'),
    ...(isId(e.attr('request') ?? '') ? { request: e.attr('request') } : {}),
  }
}

const named = (text = ''): { name?: string } => { const name = visible(words(text, 200)); return name ? { name } : {} }

/** A dispute. */
export function readDispute(e: Element, digits: Exponents): Dispute | undefined {
  const [id = '', of = ''] = [e.attr('id'), e.attr('of')]
  if (!isId(id)) return undefined
  const unit = words(e.attr('unit'), 12)
  return {
    id, of, by: address(e.attr('by')) ?? '', why: words(e.attr('why'), 60), amount: amount(e), unit, exponent: digits(unit), text: words(e.textOf('text', PAY) ?? e.text), state: words(e.attr('state'), 20) || 'open', ...word(e, 'decided', 400),
    evidence: rows(e, 'evidence').map((v) => ({ by: address(v.attr('by')) ?? '', time: parseTime(v.attr('time')) ?? 0, text: words(v.textOf('text', PAY) ?? v.text), ...word(v, 'hash', 100), ...word(v, 'address'), ...named(v.attr('name')), ...whole(v, 'size') })),
  }
}

/** What a payment would cost. */
export function readQuote(e: Element | undefined): Quote {
  return {
    fee: e ? amount(e, 'fee') : 0, name: words(e?.attr('name'), 100), stepup: !!e && yes(e, 'stepup'), short: !!e && yes(e, 'short'),
    warnings: rows(e, 'warning').flatMap((w) => {
      const kind = (['look-alike', 'new-payee', 'unusual', 'late'] as const).find((k) => k === w.attr('kind'))
      return kind ? [{ kind, ...word(w, 'of', 200) }] : []
    }),
  }
}

const REASONS: readonly string[] = [
  'insufficient', 'over-limit', 'frozen', 'step-up', 'fee-changed', 'no-key', 'not-ready', 'bad-signature', 'bad-text', 'expired', 'id-taken', 'no-payee', 'no-mandate', 'exceeds', 'over', 'taken-back', 'closed', 'rail', 'debts-changed', 'wrong-pin', 'wait',
] satisfies PayReason[]

/** A reason that the service named. */
export const reasonOf = (word: string | undefined): PayReason => REASONS.includes(word ?? '') ? word as PayReason : 'refused'

/** What an error of the service says. `final`: it has decided; otherwise nobody knows, and the same may be asked again. */
export function readTrouble(error: StanzaError): Trouble & { final: boolean } {
  const { detail } = error
  const said = detail?.ns === PAY ? detail : undefined
  const why = error.condition === 'conflict' && !said ? 'id-taken' : reasonOf(said?.name)
  const final = error.type !== 'wait' && (!!said || /^(bad-request|conflict|forbidden|not-acceptable|not-allowed|not-authorized|policy-violation|payment-required)$/.test(error.condition))
  const kind = said && (['transaction', 'day', 'level', 'offline'] as const).find((k) => k === said.attr('kind'))
  return { why, final, ...(said ? { ...whole(said, 'left'), ...time(said, 'until'), ...whole(said, 'fee') } : {}), ...(kind ? { kind } : {}) }
}

/** Writes a time as the contract does, to the second. */
export const payTime = (micros: Micros | undefined): string | undefined => micros === undefined ? undefined : textTime(micros)
