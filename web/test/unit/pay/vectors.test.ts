// The codes that the service's own reader is tested with (payments/qr/testdata/vectors.json): what it reads is read here as the same, what it refuses is refused here for the
// same reason, and what is written again is the same text.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { amountOf, readCode, type Code } from '../../../src/core/qr/code.ts'
import { exponentOf, minor } from '../../../src/core/qr/currency.ts'
import { writeCustomer } from '../../../src/core/qr/customer.ts'
import { readMerchant } from '../../../src/core/qr/merchant.ts'
import { promiseOf, toText } from '../../../src/core/pay/bytes.ts'

interface Order { address?: string; name?: string; city?: string; amount?: string; unit?: string; reference?: string; about?: string; once?: boolean; tip?: object }
interface Vector { name: string; text: string; error?: string; format?: string; order?: Order; minor?: number; networks?: string[]; intent?: string; key?: string; customer?: { address: string; name?: string }; beside?: boolean }

const vectors = JSON.parse(readFileSync(new URL('../../../../payments/qr/testdata/vectors.json', import.meta.url), 'utf8')) as Vector[]
const formats: Record<Code['kind'], string> = { shop: 'palabre', merchant: 'emvco', pix: 'pix', upi: 'upi', epc: 'epc', promise: 'promise', customer: 'customer' }

/** What a code asks for, as the vectors say it. */
function orderOf(code: Code, text: string): Order {
  if (code.kind === 'promise' || code.kind === 'customer') return {}
  if (code.kind === 'upi') {
    const { address, name, amount, reference, note } = code.upi
    return { address, ...(name ? { name } : {}), ...(amount ? { amount } : {}), unit: 'INR', ...(reference ? { reference, once: true } : {}), ...(note ? { about: note } : {}) }
  }
  if (code.kind === 'epc') {
    const { iban, name, amount, reference, text: words, info } = code.epc
    const about = words ?? info
    return { address: iban, name, ...(amount ? { amount } : {}), unit: 'EUR', ...(reference ? { reference } : {}), ...(about ? { about } : {}) }
  }
  const m = readMerchant(text)
  const shop = code.kind === 'shop' ? code.account : undefined
  const pix = code.kind === 'pix' ? code.pix : undefined
  const reference = shop?.id ?? (pix ? pix.txid : m.additional['05'] ?? m.additional['01'])
  const address = shop?.jid ?? pix?.key ?? (pix?.url && `https://${pix.url}`)
  const unit = shop?.unit ?? (/^[A-W]/.test(m.currency) || (m.currency.startsWith('X') && m.currency !== 'XXX') || /^[YZ]/.test(m.currency) ? m.currency : undefined)
  const about = pix?.info ?? m.additional['08']
  return {
    ...(address ? { address } : {}), name: m.name, city: m.city, ...(m.amount ? { amount: m.amount } : {}), ...(unit ? { unit } : {}), ...(reference ? { reference } : {}), ...(about ? { about } : {}),
    ...(m.dynamic || pix?.url ? { once: true } : {}), ...(m.tip ? { tip: m.tip } : {}),
  }
}

test('there are enough of them', () => { expect(vectors.length).toBeGreaterThan(100) })

for (const v of vectors) test(v.name, () => {
  if (v.error) { expect(() => readCode(v.text)).toThrow(expect.objectContaining({ name: 'CodeError', reason: v.error }) as Error); return }
  const code = readCode(v.text)
  expect(formats[code.kind]).toBe(v.format)
  expect(orderOf(code, v.text)).toEqual(v.order ?? {})
  if (v.networks) expect(readMerchant(v.text).accounts.map((a) => a.name)).toEqual(v.networks)
  if (v.minor !== undefined) {
    const order = orderOf(code, v.text)
    expect(code.kind === 'shop' || code.kind === 'merchant' ? amountOf(readMerchant(v.text)) : minor(order.amount ?? '', exponentOf(order.unit ?? '') ?? 2)).toBe(v.minor)
  }
  if (code.kind === 'customer') {
    expect(code.customer).toEqual({ jid: v.customer?.address, name: v.customer?.name ?? '' })
    expect(writeCustomer(code.customer) === v.text).toBe(!v.beside)
  }
  if (code.kind === 'promise') {
    expect(code.promise.text).toBe(v.intent)
    const { text, signature, point } = code.promise
    expect(promiseOf(...[new TextEncoder().encode(text), signature, ...(point ? [point] : [])].map(toText))).toBe(v.text)
  }
})
