// What was paid, counted and as a table.
import { expect, test } from 'vitest'
import { newPayId, type Payment } from '../../../src/core/pay.ts'
import { payTime } from '../../../src/core/xmpp/pay.ts'
import { charted, csv, dayBounds, gather, lastMonths, monthPeriod, months, most, otherOf, periodOf, totals } from '../../../src/features/pay/book.ts'
import { utcDay } from '../../../src/i18n/when.ts'

const me = 'atlas@example'
const at = (month: number, day: number): number => new Date(2026, month - 1, day, 12).getTime() * 1000
const paid = (part: Partial<Payment>): Payment => ({ id: 'p'.repeat(20), kind: 'send', state: 'done', payer: 'karim@example', payee: me, amount: 12500, unit: 'MAD', exponent: 2, fee: 0, for: '', time: at(11, 22), ...part })

test('a day in sums: what came, what was given back, fees', () => {
  const all = [paid({}), paid({ amount: 500, kind: 'tip' }), paid({ kind: 'refund', payer: me, payee: 'karim@example', amount: 2500, fee: 10 }), paid({ state: 'refused' }), paid({ state: 'promised' }), paid({ payer: me, payee: 'x@example', amount: 300, fee: 5 }),
    paid({ unit: 'JETON', exponent: 0, amount: 3 }), paid({ kind: 'reserve', payer: me, payee: me, amount: 900 })]
  expect(totals(all, me)).toEqual([
    { unit: 'JETON', exponent: 0, received: 3, receivedCount: 1, sent: 0, sentCount: 0, refunded: 0, refundCount: 0, returned: 0, fees: 0 },
    { unit: 'MAD', exponent: 2, received: 13000, receivedCount: 2, sent: 300, sentCount: 1, refunded: 2500, refundCount: 1, returned: 0, fees: 15 },
  ])
})

test('months, the oldest first, with those in which nothing was', () => {
  const now = new Date(2026, 10, 22).getTime()
  const all = months([paid({}), paid({ time: at(9, 30) }), paid({ time: at(11, 1), payer: me, payee: 'x@example', amount: 100, fee: 1 }), paid({ time: at(1, 1) }), paid({ unit: 'EUR' })], me, 'MAD', now, 3)
  expect(all.map((m) => [new Date(m.start).getMonth() + 1, m.in, m.out])).toEqual([[9, 12500, 0], [10, 0, 0], [11, 12500, 101]])
})

test('a table that no program takes for a formula', () => {
  const [head, row] = csv([paid({ for: '=HYPERLINK("http://evil")', number: '42', refunded: 5 })], me).split('\r\n')
  expect(head?.startsWith('\ufefftime,id,number')).toBe(true)
  expect(row).toContain(`,42,send,done,in,karim@example,${me},125.00,MAD,0,0.05,,"'=HYPERLINK(""http://evil"")"`)
})

test('an id of ours is the same in the table', () => {
  for (let i = 0; i < 2000; i++) expect(newPayId()).toMatch(/^\w[\w-]{21}$/)
})

test('a day has its last second, as it is written on the wire', () => {
  const day = dayBounds('2026-11-22')
  expect(new Date((day?.until ?? 0) / 1000)).toEqual(new Date(2026, 10, 23))
  expect(Date.parse(payTime(day?.until) ?? '') * 1000).toBe(day?.until) // the service takes what is before
  expect(dayBounds('today')).toBeUndefined()
})

const micros = (...day: [number, number, number]): number => new Date(...day).getTime() * 1000

test('a period has both its days, in either order, and is open where there is no day', () => {
  const both = { since: micros(2026, 9, 30), until: micros(2026, 10, 3) }
  expect(periodOf('2026-10-30', '2026-11-02')).toEqual(both)
  expect(periodOf('2026-11-02', '2026-10-30')).toEqual(both)
  expect(periodOf('', '2026-11-02')).toEqual({ until: both.until })
  expect(periodOf('2026-10-30', '')).toEqual({ since: both.since })
  expect(periodOf('', '12345-01-01')).toEqual({})
})

test('a month has its last day, and those that can be chosen go back over the year', () => {
  expect(monthPeriod('2026-12')).toEqual({ since: micros(2026, 11, 1), until: micros(2027, 0, 1) })
  expect(monthPeriod('days')).toEqual({})
  expect(lastMonths(new Date(2026, 0, 31).getTime(), 3)).toEqual(['2026-01', '2025-12', '2025-11'])
})

test('the chart has the months of the period', () => {
  const now = new Date(2026, 10, 22, 9).getTime()
  const of = (period: object): unknown => { const { last, count, asks } = charted(period, now); return [new Date(last).getMonth() + 1, count, asks] }
  expect(of({})).toEqual([11, 6, { since: micros(2026, 5, 1) }])
  expect(of(monthPeriod('2025-02'))).toEqual([2, 1, monthPeriod('2025-02')])
  expect(of(periodOf('2025-12-24', '2026-01-06'))).toEqual([1, 2, periodOf('2025-12-24', '2026-01-06')])
  expect(of(periodOf('', '2026-03-31'))).toEqual([3, 6, { since: micros(2025, 9, 1), until: micros(2026, 3, 1) }])
  expect(of(periodOf('2020-01-01', ''))).toEqual([11, 12, { since: micros(2025, 11, 1) }]) // the newest twelve
  expect(of(periodOf('2027-01-01', ''))).toEqual([11, 1, { since: micros(2027, 0, 1) }])
})

test('what is left out is said', async () => {
  const page = Array.from({ length: 100 }, (_, i) => paid({ id: String(i) }))
  const found = await gather(() => Promise.resolve({ payments: page, before: '99' }))
  expect([found.payments.length, found.more]).toEqual([most, true])
  expect(await gather((before) => Promise.resolve({ payments: page, ...(before ? {} : { before: '99' }) }))).toMatchObject({ more: false })
})

test('a day that was typed is one of the calendar', () => {
  expect(utcDay(' 2026-11-22 ')).toBe('2026-11-22T00:00:00Z')
  for (const no of ['', '22.11.2026', '2026-11-31', '2026-13-01', '2026-11-22T10:00:00Z']) expect(utcDay(no), no).toBeUndefined()
})

test('a promise that we took is one of who made it', () => {
  expect(otherOf(paid({}), me)).toBe('karim@example')
  expect(otherOf(paid({ payer: me, payee: 'x@example' }), me)).toBe('x@example')
})
