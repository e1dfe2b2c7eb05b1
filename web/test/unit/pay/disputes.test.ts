// What is known of a dispute only goes forward, in whatever order it is told.
import { expect, test } from 'vitest'
import type { Dispute } from '../../../src/core/pay.ts'
import { furtherDispute } from '../../../src/core/store/pay.ts'

const said = { by: 'karim@example', time: 1, text: 'the ticket' }
const dispute = (state: string, more: Partial<Dispute> = {}): Dispute =>
  ({ id: 'd', of: 'p', by: 'karim@example', why: 'twice', amount: 5000, unit: 'MAD', exponent: 2, text: 'One fish', state, evidence: [], ...more })

test('an older notice does not open again what was decided or has ended', () => {
  const orders = [['open', 'upheld', 'refunded'], ['refunded', 'upheld', 'open'], ['upheld', 'refunded', 'open'], ['refunded', 'open', 'upheld']]
  for (const order of orders) expect(order.map((state) => dispute(state)).reduce<Dispute | undefined>(furtherDispute, undefined)?.state, order.join(' ')).toBe('refunded')
  expect(furtherDispute(dispute('upheld'), dispute('open')).state).toBe('upheld')
  expect(furtherDispute(dispute('upheld'), dispute('withdrawn')).state).toBe('withdrawn')
})

test('evidence that was told stays, and so does the newest state', () => {
  expect(furtherDispute(dispute('open', { evidence: [said] }), dispute('rejected', { decided: 'Two were sold' }))).toEqual(dispute('rejected', { decided: 'Two were sold', evidence: [said] }))
  expect(furtherDispute(dispute('rejected'), dispute('open', { evidence: [said] }))).toEqual(dispute('rejected', { evidence: [said] }))
})
