// The texts that are signed (docs/protocol/payments.md, "Texts"): there is one way to write each, and what is written otherwise is refused.

import type { IntentKind } from '../pay.ts'

/** The most bytes of a text. */
const MAX_TEXT = 2048
/** The most bytes of what a payment is for. */
export const MAX_FOR = 256

const encoder = new TextEncoder()

const intentFields = ['service', 'id', 'kind', 'payer', 'payee', 'amount', 'unit', 'fee', 'expires', 'of', 'until', 'total', 'period', 'for', 'key'] as const
const orderFields = ['service', 'id', 'kind', 'account', 'about', 'expires', 'key'] as const
const receiptFields = ['service', 'id', 'kind', 'state', 'payer', 'payee', 'amount', 'unit', 'fee', 'of', 'for', 'number', 'time', 'hash', 'intent'] as const

const forms = { intent: intentFields, order: orderFields, receipt: receiptFields }

/** The fields of a text, as they are written: numbers and times as words. */
export type Fields<K extends keyof typeof forms> = Record<(typeof forms)[K][number], string>

/** A text that is not written as the contract says. */
export class BadText extends Error {
  override readonly name = 'BadText'
}

/** Writes a text. It fails with BadText for one that is too long. */
export function writeText<K extends keyof typeof forms>(kind: K, fields: Fields<K>): string {
  const lines = forms[kind].map((name) => `${name}=${escape((fields as Record<string, string>)[name] ?? '')}\n`)
  const text = `palabre pay 0 ${kind}\n${lines.join('')}`
  if (encoder.encode(text).length > MAX_TEXT) throw new BadText('too long')
  return text
}

/** Reads a text. It fails with BadText for what writeText would write otherwise. */
export function readText<K extends keyof typeof forms>(kind: K, text: string): Fields<K> {
  const lines = text.split('\n')
  const names = forms[kind]
  if (encoder.encode(text).length > MAX_TEXT || lines[0] !== `palabre pay 0 ${kind}` || lines.length !== names.length + 2 || lines.at(-1) !== '') throw new BadText(kind)
  const fields = Object.fromEntries(names.map((name, i) => {
    const line = lines[i + 1] ?? ''
    if (!line.startsWith(name + '=')) throw new BadText(name)
    return [name, unescape(line.slice(name.length + 1))]
  })) as Fields<K>
  if (writeText(kind, fields) !== text) throw new BadText(kind)
  return fields
}

const escape = (value: string): string => value.replace(/[%\x00-\x1f\x7f]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0'))
const unescape = (value: string): string => value.replace(/%([\dA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))

const ids = /^[\w-]{16,40}$/
const keys = /^[\w-]{22}$/
const units = /^[A-Z\d]{3,12}$/
const times = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

/** Says whether an id may be that of a payment, a request, a split or a dispute. */
export const isId = (id: string): boolean => ids.test(id)

/** The most that an amount may be. */
const MAX_AMOUNT = 2 ** 53

/** Reads a whole number as texts have it, 0 to 2^53; undefined for anything else. */
export function wholeOf(text: string | undefined): number | undefined {
  if (!text || !/^(0|[1-9]\d{0,15})$/.test(text)) return undefined
  const n = Number(text)
  return n <= MAX_AMOUNT && BigInt(text) <= BigInt(MAX_AMOUNT) ? n : undefined
}

interface Shape { amount?: false; of?: 'may' | 'must'; until?: true; total?: true; own?: true }

const shapes: Record<IntentKind, Shape> = {
  send: { of: 'may' }, tip: { of: 'must' }, hold: { of: 'may', until: true }, mandate: { of: 'may', until: true, total: true }, capture: { of: 'must' }, void: { amount: false, of: 'must' },
  revoke: { amount: false, of: 'must' }, refund: { of: 'must' }, reserve: { own: true }, release: { own: true }, offline: { of: 'may' }, cashout: {},
}

/** Reads an intent and checks that its kind has what it needs and nothing else. */
export function readIntent(text: string): Fields<'intent'> & { kind: IntentKind } {
  const f = readText('intent', text)
  const shape = Object.hasOwn(shapes, f.kind) ? shapes[f.kind as IntentKind] : undefined
  const amount = wholeOf(f.amount)
  const fine = shape && f.service && ids.test(f.id) && keys.test(f.key) && isTime(f.expires) && f.payer && f.payee && wholeOf(f.fee) !== undefined
    && encoder.encode(f.for).length <= MAX_FOR
    && (shape.amount === false ? amount === 0 && f.unit === '' && f.fee === '0' : !!amount && units.test(f.unit))
    && (shape.of ? (f.of === '' ? shape.of === 'may' : ids.test(f.of)) : f.of === '')
    && (shape.until ? isTime(f.until) : f.until === '')
    && (shape.total ? !!wholeOf(f.total) && /^(once|day|week|month)$/.test(f.period) : f.total === '' && f.period === '')
    && (!shape.own || f.payer === f.payee)
  if (!fine) throw new BadText('intent')
  return f as Fields<'intent'> & { kind: IntentKind }
}

const isTime = (text: string): boolean => times.test(text) && new Date(text).toISOString() === text.replace('Z', '.000Z')

/** Writes a time as texts have it. */
export const textTime = (micros: number): string => new Date(Math.floor(micros / 1e6) * 1000).toISOString().replace('.000Z', 'Z')
