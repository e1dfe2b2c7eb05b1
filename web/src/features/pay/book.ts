// What was paid, counted: by unit for a day, by month for a chart, and as a file for a table. Amounts are whole numbers of the smallest part of a unit.
import type { Payment } from '../../core/pay.ts'
import { decimal } from '../../core/qr/currency.ts'

/** The sums of one unit. `refunded` is what we gave back, `returned` what we got back; `fees` what we paid for it. */
export interface Totals { unit: string; exponent: number; received: number; receivedCount: number; sent: number; sentCount: number; refunded: number; refundCount: number; returned: number; fees: number }

/** Whether money has moved, for good. What waits or was refused counts for nothing. */
const counts = ({ state, kind }: Payment): boolean => state === 'done' && kind !== 'reserve' && kind !== 'release' && kind !== 'mandate' && kind !== 'revoke' && kind !== 'void'

/** otherOf is with whom a payment is, for one of its two. */
export const otherOf = ({ payer, payee }: Pick<Payment, 'payer' | 'payee'>, me: string): string => payee === me ? payer : payee

/** totals counts by unit, in the order of their codes. */
export function totals(payments: readonly Payment[], me: string): Totals[] {
  const all = new Map<string, Totals>()
  for (const p of payments) {
    if (!counts(p)) continue
    const of = all.get(p.unit) ?? { unit: p.unit, exponent: p.exponent, received: 0, receivedCount: 0, sent: 0, sentCount: 0, refunded: 0, refundCount: 0, returned: 0, fees: 0 }
    all.set(p.unit, of)
    if (p.payer === me) {
      of.fees += p.fee
      if (p.kind === 'refund') { of.refunded += p.amount; of.refundCount++ } else { of.sent += p.amount; of.sentCount++ }
    }
    if (p.payee === me) { if (p.kind === 'refund') of.returned += p.amount; else { of.received += p.amount; of.receivedCount++ } }
  }
  return [...all.values()].sort((a, b) => (a.unit < b.unit ? -1 : 1))
}

/** No question brings more payments than these. */
export const most = 2000

/** gather asks for page after page, the newest first; `more` is that there are older ones, beyond what is asked for. */
export async function gather(page: (before: string | undefined) => Promise<{ payments: Payment[]; before?: string }>): Promise<{ payments: Payment[]; more: boolean }> {
  const payments: Payment[] = []
  let before: string | undefined
  do {
    const next = await page(before)
    payments.push(...next.payments)
    before = next.payments.length ? next.before : undefined
  } while (before && payments.length < most)
  return { payments, more: before !== undefined }
}

/** dayOf is the day of this device's calendar at a time (milliseconds), written 2026-11-22. */
export const dayOf = (time: number): string => { const d = new Date(time); return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}` }

/** dayBounds is a day of this device's calendar, written 2026-11-22, in microseconds: up to the beginning of the next one, which is not in it. */
export function dayBounds(day: string): { since: number; until: number } | undefined {
  const start = new Date(`${day}T00:00:00`)
  return Number.isNaN(start.getTime()) ? undefined : { since: start.getTime() * 1000, until: new Date(start.getFullYear(), start.getMonth(), start.getDate() + 1).getTime() * 1000 }
}

/** Times of which something is asked, in microseconds: `until` is not in it. What is not there is not limited. */
export interface Period { since?: number; until?: number }

/** periodOf is from one day to another one, both in it, in either order; a day that is none limits nothing. */
export function periodOf(from: string, to: string): Period {
  const [one, other] = [dayBounds(from), dayBounds(to)]
  const [first, last] = one && other && one.since > other.since ? [other, one] : [one, other]
  return { ...(first && { since: first.since }), ...(last && { until: last.until }) }
}

/** monthPeriod is a month of this device's calendar, written 2026-11. */
export function monthPeriod(month: string): Period {
  const start = dayBounds(`${month}-01`)
  const first = new Date((start?.since ?? 0) / 1000)
  return start ? { since: start.since, until: new Date(first.getFullYear(), first.getMonth() + 1, 1).getTime() * 1000 } : {}
}

/** lastMonths are so many months, written 2026-11, that of `now` (milliseconds) first. */
export function lastMonths(now: number, count = 12): string[] {
  const today = new Date(now)
  return Array.from({ length: count }, (_, i) => dayOf(new Date(today.getFullYear(), today.getMonth() - i, 1).getTime()).slice(0, 7))
}

/** No chart has more months than these. */
const mostMonths = 12

/** charted is what of a period a chart shows: so many months up to the one of `last` (milliseconds), and the times to ask for. Where nothing says when it begins, they are six. */
export function charted({ since, until }: Period, now: number): { last: number; count: number; asks: Period } {
  const end = new Date(until === undefined ? now : until / 1000 - 1)
  const begin = since === undefined ? new Date(end.getFullYear(), end.getMonth() - 5, 1) : new Date(since / 1000)
  const count = Math.min(mostMonths, Math.max(1, (end.getFullYear() - begin.getFullYear()) * 12 + end.getMonth() - begin.getMonth() + 1))
  const first = new Date(end.getFullYear(), end.getMonth() - count + 1, 1).getTime() * 1000
  return { last: end.getTime(), count, asks: { since: Math.max(since ?? first, first), ...(until === undefined ? {} : { until }) } }
}

/** What came and went in a month, by this device's calendar; `start` in milliseconds. */
export interface Month { start: number; in: number; out: number }

/** months counts one unit over the last `count` months, the oldest first, up to that of `now` (milliseconds). */
export function months(payments: readonly Payment[], me: string, unit: string, now: number, count = 6): Month[] {
  const today = new Date(now)
  const all: Month[] = Array.from({ length: count }, (_, i) => ({ start: new Date(today.getFullYear(), today.getMonth() - count + 1 + i, 1).getTime(), in: 0, out: 0 }))
  for (const p of payments) {
    if (!counts(p) || p.unit !== unit) continue
    const month = all.findLast(({ start }) => p.time / 1000 >= start)
    if (!month) continue
    if (p.payee === me) month.in += p.amount
    if (p.payer === me) month.out += p.amount + p.fee
  }
  return all
}

/** A table for other programs (RFC 4180), in UTF-8 with a mark, so that spreadsheets read it as such. No cell is taken for a formula. */
export function csv(payments: readonly Payment[], me: string): string {
  const head = ['time', 'id', 'number', 'kind', 'state', 'direction', 'payer', 'payee', 'amount', 'unit', 'fee', 'refunded', 'of', 'for']
  const rows = payments.map((p) => [
    new Date(p.time / 1000).toISOString(), p.id, p.number ?? '', p.kind, p.state, p.payee === me ? 'in' : 'out', p.payer, p.payee, whole(p.amount, p.exponent), p.unit, whole(p.fee, p.exponent), whole(p.refunded ?? 0, p.exponent), p.of ?? '', p.for,
  ])
  return `\ufeff${[head, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`
}

const whole = (amount: number, exponent: number): string => (amount === 0 ? '0' : decimal(amount, exponent))

function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
