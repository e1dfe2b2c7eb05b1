// What is said of a payment is what is certain of it, and no more.
import { beforeAll, expect, test, vi } from 'vitest'
import type { PayState } from '../../../src/core/pay.ts'

vi.mock('../../../src/ui/toast.tsx', () => ({ toast: vi.fn() }))
vi.mock('../../../src/i18n/t.ts', async () => {
  const { default: pay } = await import('../../../src/i18n/en/pay.json')
  const { default: cards } = await import('../../../src/i18n/en/paycards.json')
  const texts = { ...pay, ...cards } as unknown as Record<string, string>
  return { t: (key: string) => texts[key] ?? `missing ${key}`, has: (key: string) => key in texts, loadPart: () => Promise.resolve() }
})
let note: (state: PayState, back?: true) => string | undefined
beforeAll(async () => {
  const { noteOf } = await import('../../../src/app/pay.ts')
  note = (state, back) => noteOf({ state, ...(back ? { back } : {}) })
})

test('signed: it has not left, and nothing was taken', () => {
  expect(note('signed')).toMatch(/not sent yet/)
  expect(note('signed')).toMatch(/nothing was taken/)
})

test('sent: it may be paid already, so nothing is said to be taken or not', () => {
  expect(note('sent')).toMatch(/no answer yet/)
  expect(note('sent')).toMatch(/once or not at all/)
  expect(note('sent')).not.toMatch(/nothing (is|was) taken/i)
})

test('a promise that is not paid now: whose fault it is, and that it is tried again', async () => {
  const { noteOf, whyRefused } = await import('../../../src/app/pay.ts')
  expect(noteOf({ state: 'promised', why: 'frozen' })).toMatch(/not paid yet.*tried again.*wallet it was promised from is frozen/)
  expect(noteOf({ state: 'promised', why: 'no-payee' })).toMatch(/tried again until it expires\.$/)
  expect(noteOf({ state: 'promised', why: 'frozen', back: true })).toMatch(/may still be paid/)
  expect(whyRefused({ kind: 'offline', why: 'no-key' })).toMatch(/key that promised it was removed/) // and not: this device has no key
  expect(whyRefused({ kind: 'send', why: 'no-key' })).toMatch(/This device/)
  expect(whyRefused({ kind: 'offline', why: 'taken-back' })).toMatch(/taken back/)
})

test('promised and taken back are not done; what has an end says it by its state', () => {
  expect(note('promised')).toMatch(/not paid yet/)
  expect(note('promised', true)).toMatch(/may still be paid/)
  expect(note('waiting')).toMatch(/not answered yet/)
  for (const state of ['held', 'done', 'ended', 'refused'] as const) expect(note(state)).toBeUndefined()
  expect(note('refused', true)).toBeUndefined()
})
