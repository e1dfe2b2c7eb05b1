// Asking for money once more after a lost answer: the same is sent again, to the second, so that nobody is asked twice.
import { expect, test } from 'vitest'
import type { RequestDraft } from '../../../src/core/pay.ts'
import { asked } from '../../../src/features/pay/ask.ts'

const day = 86_400e6
const began = Date.parse('2026-11-22T12:00:00Z') * 1000
const rent = (change: Partial<RequestDraft> = {}, days = 7) => (at: number): Omit<RequestDraft, 'id'> => ({ payer: 'karim@example', amount: 12_500, unit: 'MAD', for: 'Rent', partial: false, expires: at + days * day, ...change })
const hold = (days: number) => (at: number) => rent({ terms: { kind: 'hold', until: at + days * day } }, 30)(at)

test('what was sent is sent again as it was', () => {
  const first = asked(undefined, rent(), began)
  expect(first.draft).toEqual({ id: first.draft.id, ...rent()(began) })
  expect(asked(first, rent(), began + 90e6)).toBe(first)
  const held = asked(undefined, hold(1), began)
  expect(asked(held, hold(1), began + 90e6).draft).toEqual({ id: held.draft.id, ...hold(1)(began) })
})

test.each([[rent({ amount: 12_501 })], [rent({ unit: 'EUR' })], [rent({ for: 'Rent, November' })], [rent({ partial: true })], [rent({ every: 'month', times: 12 })], [rent({}, 30)], [hold(1)]])('anything else is asked for under another id', (other) => {
  const first = asked(undefined, rent(), began)
  const next = asked(first, other, began + 90e6)
  expect(next.draft).toEqual({ id: next.draft.id, ...other(began + 90e6) })
  expect(next.draft.id).not.toBe(first.draft.id)
})

test('and so is the same when its time is over', () => {
  for (const make of [rent({}, 1), hold(1)]) {
    const first = asked(undefined, make, began)
    expect(asked(first, make, began + day).draft.id).not.toBe(first.draft.id)
  }
})
