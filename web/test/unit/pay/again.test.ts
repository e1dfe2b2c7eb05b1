// A request that comes again says how often and until when; one of which that cannot be read is a request as ever.
import { expect, test } from 'vitest'
import { exponentsOf, readRequest } from '../../../src/core/xmpp/pay.ts'
import { el } from '../../../src/core/xmpp/xml.ts'

const digits = exponentsOf(undefined)
const again = { series: 's'.repeat(22), turn: '1', every: 'week', times: '12', last: '2027-02-14T09:30:00Z' }
const read = (change: Record<string, string | undefined> = {}) =>
  readRequest(el('urn:palabre:pay:0', 'request', { id: 'r'.repeat(22), payee: 'fish@example', payer: 'karim@example', amount: '1200', paid: '0', unit: 'MAD', state: 'open', ...change }), digits)

test('whoever is asked again and again knows how often, and until when', () => {
  expect(read(again)?.again).toEqual({ every: 'week', turn: 2, times: 12, last: Date.parse(again.last) * 1000 })
  expect(read()?.again).toBeUndefined()
})

test.each([{ every: 'hour' }, { every: undefined }, { turn: undefined }, { turn: '12' }, { turn: '-1' }, { times: 'many' }, { last: 'soon' }, { last: undefined }])('what cannot be read of it is left out, and the request stays one: %o', (wrong) => {
  const found = read({ ...again, ...wrong })
  expect(found).toMatchObject({ amount: 1200, state: 'open' })
  expect(found?.again).toBeUndefined()
})
