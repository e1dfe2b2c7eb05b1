// What was paid, counted and as a table.
import { expect, test } from 'vitest'
import { newPayId, type Payment } from '../../../src/core/pay.ts'
import { payTime } from '../../../src/core/xmpp/pay.ts'
import { csv, dayBounds, gather, months, most, otherOf, totals } from '../../../src/features/pay/book.ts'
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
