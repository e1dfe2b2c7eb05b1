// The page behind links (app/payment): what it takes for a payment that was done, and what it says of a device that did not confirm.
import 'fake-indexeddb/auto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readIntent, type Fields } from '../../../src/core/pay/text.ts'
import { FakePay } from './service.ts'

interface Page {
  provesDone: (service: string, intent: string, text: string, signature: string) => Promise<boolean | undefined>
  intentText: (fields: Record<string, unknown>) => string
  plainPin: (typed: string) => string
  signWithPasskey: (key: object, text: string) => Promise<unknown>
  NotConfirmed: new () => Error
}
const code = readFileSync(new URL('../../../../app/payment/keys.js', import.meta.url), 'utf8')
const closed = { credentials: { get: () => Promise.reject(new DOMException('closed', 'NotAllowedError')) } }
// eslint-disable-next-line @typescript-eslint/no-implied-eval -- it is a script of a page, and no module
const page = new Function('navigator', `${code}; return { plainPin, provesDone, intentText, signWithPasskey, NotConfirmed }`)(closed) as Page

const intentOf = (change: object = {}): string => page.intentText({ service: 'pay.example', id: 'a'.repeat(24), kind: 'send', payer: 'karim@example', payee: 'nadia@example', amount: 12_500, unit: 'MAD', fee: 0, expires: '2026-11-22T12:05:00Z', of: '', for: 'Sardines', key: 'k'.repeat(22), ...change })

test('a payment is done with a receipt of the service for that very payment', async () => {
  const service = new FakePay(), other = new FakePay(), intent = intentOf()
  const told = async (from: FakePay, fields: Fields<'intent'>, text = intent, state = 'done') => {
    const receipt = await from.receipt(fields, text, state)
    return page.provesDone(service.key, intent, receipt.textOf('text') ?? '', receipt.textOf('signature') ?? '')
  }
  const fields = readIntent(intent)
  expect(await told(service, fields)).toBe(true)
  expect(await told(other, fields)).toBe(false)
  expect(await told(service, fields, intent, 'held')).toBe(false)
  expect(await told(service, fields, intentOf({ amount: 1 }))).toBe(false) // of another intent
  expect(await told(service, readIntent(intentOf({ id: 'b'.repeat(24) })))).toBe(false)
  expect(await page.provesDone(service.key, intent, '', '%')).toBe(false)
})

test.each(['271828', '٢٧١٨٢٨', '۲۷۱۸۲۸', '२७१८२८', '27१८۲٨'])('a PIN that is typed as %s is the same PIN', (typed) => {
  expect(page.plainPin(typed)).toBe('271828')
})

test('a sheet of the device that was closed is no server that cannot be reached', async () => {
  await expect(page.signWithPasskey({ credential: new Uint8Array(1) }, 'a text')).rejects.toBeInstanceOf(page.NotConfirmed)
})
