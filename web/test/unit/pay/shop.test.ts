// What a shop's code asks for, in the units that are paid here.
import { expect, test } from 'vitest'
import { RemoteError } from '../../../src/core/net/remote.ts'
import { PayTrouble } from '../../../src/core/pay.ts'
import { accountOf, readMerchant } from '../../../src/core/qr/merchant.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { askedBy, codeOf, idsFor } from '../../../src/features/pay/shop.ts'

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
