// The sound of the counter: once for what pays for the sale, however often it is told, and never for anything else.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Payment } from '../../../src/core/pay.ts'
import { chime } from '../../../src/features/pay/chime.ts'
import { bell, type Sale } from '../../../src/features/pay/sale.ts'

const me = 'atlas@example'
const began = Date.parse('2026-11-22T12:00:00Z') * 1000
const sale: Sale = { id: 's'.repeat(22), amount: 12_500, unit: { code: 'MAD', exponent: 2, name: 'MAD', closed: false }, for: '', began }
const receipt = (time: string): NonNullable<Payment['receipt']> => ({ text: `palabre pay 0 receipt\nnumber=7\ntime=${time}\nhash=\n`, signature: 'A' })
const paid = (part: Partial<Payment>): Payment => ({ id: sale.id, kind: 'send', state: 'done', payer: 'karim@example', payee: me, amount: 12_500, unit: 'MAD', exponent: 2, fee: 0, for: '', time: began, receipt: receipt('2026-11-22T12:00:09Z'), ...part })
const { receipt: _, ...unsigned } = paid({})

/** How many notes began, and how many sounds are over. */
let notes = 0, closed = 0

class Sound {
  currentTime = 0
  destination = {}
  createOscillator(): object { const tone = { frequency: { value: 0 }, connect: <T>(to: T): T => to, start: () => { notes++ }, stop: () => setTimeout(() => tone.onended?.()), onended: undefined as (() => void) | undefined }; return tone }
  createGain(): object { return { gain: { setValueAtTime: () => undefined, exponentialRampToValueAtTime: () => undefined }, connect: <T>(to: T): T => to } }
  close(): Promise<void> { closed++; return Promise.resolve() }
}

beforeEach(() => { notes = closed = 0; vi.stubGlobal('AudioContext', Sound) })
afterEach(() => void vi.unstubAllGlobals())

/** What the counter of the sale is told, one after the other. */
const tell = (...told: (Payment | undefined)[]): void => { const hear = bell(sale, me, chime); for (const one of told) hear(one, 0) }

test('a payment that arrives at the counter sounds once, in two notes', async () => {
  tell(undefined, paid({ state: 'waiting' }), unsigned, paid({}), paid({}), undefined, paid({ refunded: 100 }))
  expect(notes).toBe(2)
  await vi.waitFor(() => { expect(closed).toBe(1) }) // and its sound is let go
})

test('a promise that is paid while the sale waits for it sounds too', () => {
  const promise = { id: 'p'.repeat(22), kind: 'offline' } as const
  tell(paid({ ...promise, state: 'promised' }), paid(promise))
  expect(notes).toBe(2)
})

test('what was paid before the sale began does not sound', () => {
  tell(paid({ id: 'p'.repeat(22), kind: 'offline', receipt: receipt('2026-11-22T11:59:00Z') }))
  expect(notes).toBe(0)
})

test('nor does anything that does not pay for it', () => {
  tell(paid({ amount: 12_499 }), paid({ unit: 'EUR' }), paid({ payee: 'nadia@example' }), paid({ state: 'refused' }), paid({ state: 'promised' }), unsigned)
  expect(notes).toBe(0)
})

test('where there is no sound, nothing fails', () => {
  vi.stubGlobal('AudioContext', undefined)
  expect(() => { tell(paid({})) }).not.toThrow()
})
