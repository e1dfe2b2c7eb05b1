// What a shop's code fills into a promise: all of it or nothing.
import { expect, test } from 'vitest'
import { fillFrom, unitIn } from '../../../src/features/pay/fill.ts'

const account = { jid: 'nadia@example', id: 'r'.repeat(22) }

test('a code in the unit of the pocket fills in everything anew', () => {
  expect(fillFrom({ account, merchant: { currency: 'MAD', amount: '125.00', additional: { '08': 'Sardines' } } }, 'MAD')).toEqual({ id: account.id, to: 'nadia@example', amount: '125.00', for: 'Sardines' })
  const bare = { account: { jid: 'souk@example' }, merchant: { currency: 'MAD', additional: {} } }
  const [one, other] = [fillFrom(bare, 'MAD'), fillFrom(bare, 'MAD')]
  expect(one).toMatchObject({ to: 'souk@example', amount: '', for: '' })
  expect(one?.id).toMatch(/^[\w-]{22}$/)
  expect(one?.id).not.toBe(other?.id) // two codes without an id are two purchases
})

test('what the shop adds to the amount is known as well', () => {
  expect(fillFrom({ account, merchant: { currency: 'MAD', amount: '125.00', additional: {}, tip: { percent: '10' } } }, 'MAD')).toMatchObject({ amount: '125.00', tip: { percent: '10' } })
})

test('a code in another unit fills in nothing', () => {
  expect(fillFrom({ account, merchant: { currency: 'EUR', amount: '125.00', additional: {} } }, 'MAD')).toBeUndefined()
  const own = { account: { ...account, unit: 'SOUK' }, merchant: { currency: 'XXX', amount: '7', additional: {} } }
  expect([unitIn(own), fillFrom(own, 'MAD'), fillFrom(own, 'SOUK')?.amount]).toEqual(['SOUK', undefined, '7'])
})
