// What a shop's code asks for, in the units that are paid here.
import { readFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { RemoteError } from '../../../src/core/net/remote.ts'
import { PayTrouble } from '../../../src/core/pay.ts'
import { accountOf, readMerchant } from '../../../src/core/qr/merchant.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { askedBy, canAsk, codeOf, idsFor, keepShop, shopOf, type Shop } from '../../../src/features/pay/shop.ts'

const unit = (code: string, exponent: number) => ({ code, exponent, name: code, closed: false })
const shop = (code: string, exponent: number, amount: number) => {
  const merchant = readMerchant(codeOf('atlas@example', { name: 'Atlas', city: 'Fes', country: 'MA' }, { unit: unit(code, exponent), amount }))
  return { merchant, account: accountOf(merchant) ?? { jid: '' } }
}

test('an amount is read with the digits of its unit, and means nothing in a unit that is not known', () => {
  const units = [unit('MAD', 2), unit('TND', 3), unit('BEAN', 0)]
  expect(askedBy(shop('MAD', 2, 12_500), units)).toEqual({ unit: units[0], amount: 12_500 })
  expect(askedBy(shop('TND', 3, 1_250), units)).toEqual({ unit: units[1], amount: 1_250 })
  expect(askedBy(shop('BEAN', 0, 7), units)).toEqual({ unit: units[2], amount: 7 })
  expect(askedBy(shop('JPY', 0, 700), units)).toEqual({ other: 'JPY' })
  expect(askedBy(shop('TND', 3, 1_255), [])).toEqual({ other: 'TND' })
})

test('an amount with more digits than the unit has here is no amount, and throws nothing', () => {
  expect(askedBy(shop('BEAN', 2, 755), [unit('BEAN', 0)])).toEqual({ other: '' })
})

test('only a service that knows no request of a code\'s id makes it the payment\'s own', async () => {
  expect(await idsFor(undefined, 'own', () => Promise.reject(new Error('asked')))).toEqual({ id: 'own' })
  expect(await idsFor('code', 'own', () => Promise.resolve({}))).toEqual({ id: 'own', of: 'code' })
  expect(await idsFor('code', 'own', () => Promise.reject(new StanzaError('item-not-found')))).toEqual({ id: 'code' })
  expect(await idsFor('code', 'own', () => Promise.reject(new RemoteError({ name: 'StanzaError', message: '', condition: 'item-not-found' })))).toEqual({ id: 'code' }) // another tab has asked
  for (const error of [new StanzaError('timeout', 'wait'), new StanzaError('forbidden', 'auth'), new PayTrouble({ why: 'offline' }), Object.assign(new Error(), { name: 'Offline' })])
    expect(await idsFor('code', 'own', () => Promise.reject(error)).catch((e: unknown) => e)).toBe(error)
})

afterEach(() => { vi.unstubAllGlobals() })

const chez = (tip?: Shop['tip']): Shop => ({ name: 'Chez Nadia', city: 'Tanger', country: 'MA', tip })
const vectors = JSON.parse(readFileSync(new URL('../../../../payments/qr/testdata/vectors.json', import.meta.url), 'utf8')) as { name: string; text: string }[]

test.each<[string, number | undefined, Shop['tip']]>([
  ['a wallet, static', undefined, undefined],
  ['a wallet that asks for a tip', 40, { ask: true }],
  ['a wallet with a fee in percent', 40, { percent: '2.5' }],
])('%s is written as every reader is tested with it', (name, amount, tip) => {
  expect(codeOf('nadia@example.org', chez(tip), { unit: unit('MAD', 0), amount })).toBe(vectors.find((v) => v.name === name)?.text)
})

test('the code for one purchase asks for a tip as well', () => {
  const code = (tip: Shop['tip']) => readMerchant(codeOf('nadia@example.org', chez(tip), { unit: unit('MAD', 2), amount: 4000, id: 'q'.repeat(22) }))
  expect(code({ ask: true })).toMatchObject({ dynamic: true, amount: '40.00', tip: { ask: true } })
  expect(code({ percent: '12.5' }).tip).toEqual({ percent: '12.5' })
  expect(code(undefined)).not.toHaveProperty('tip')
})

test('what a shop asks for is kept on the device, and what is no percentage asks for nothing', () => {
  const kept = new Map<string, string>()
  vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) })
  const account = { jid: 'nadia@example.org', name: 'Nadia' }
  const read = (tip: unknown) => { keepShop(chez(tip as Shop['tip'])); return shopOf(account) }
  for (const tip of [{ ask: true }, { percent: '10' }, { percent: '0.25' }, { percent: '99.99' }]) expect(read(tip)).toEqual(chez(tip as Shop['tip']))
  expect(read(undefined)).toEqual({ name: 'Chez Nadia', city: 'Tanger', country: 'MA' })
  for (const wrong of [{ percent: '0' }, { percent: '100' }, { percent: '1.005' }, { percent: 'ten' }, { percent: '' }] as Shop['tip'][]) {
    expect(canAsk(wrong)).toBe(false)
    expect(read(wrong)).not.toHaveProperty('tip')
    expect(() => codeOf('nadia@example.org', chez(wrong), { unit: unit('MAD', 2), amount: 4000 })).toThrow(expect.objectContaining({ name: 'CodeError' }) as Error)
  }
})
