// Codes of payments: what the formats' own documents give as examples is read and written, and what is wrong is refused for the right reason.
import { expect, test } from 'vitest'
import { amountOf, readCode } from '../../../src/core/qr/code.ts'
import { decimal, exponentOf, minor } from '../../../src/core/qr/currency.ts'
import { readCustomer, writeCustomer } from '../../../src/core/qr/customer.ts'
import { isIban, readEpc, writeEpc } from '../../../src/core/qr/epc.ts'
import { accountOf, palabre, readMerchant, writeMerchant, type Merchant } from '../../../src/core/qr/merchant.ts'
import { readPix, writePix } from '../../../src/core/qr/pix.ts'
import { keyId, promiseOf, toText } from '../../../src/core/pay/bytes.ts'
import { signed } from '../../../src/core/pay/sign.ts'
import { readPromise } from '../../../src/core/qr/promise.ts'
import { crc16 } from '../../../src/core/qr/tlv.ts'
import { readUpi, writeUpi } from '../../../src/core/qr/upi.ts'
import { CodeError, type Reason } from '../../../src/core/qr/wrong.ts'

const refused = (reason: Reason): Error => expect.objectContaining({ name: 'CodeError', reason }) as Error
const shop: Merchant = {
  dynamic: false, accounts: [{ name: palabre, fields: { '01': 'atlas@example.org' } }], category: '5422', currency: 'MAD', country: 'MA', name: 'Poissonnerie Atlas', city: 'Marrakech', additional: {},
}

test('the checksum is that of the standard', () => {
  expect(crc16('123456789')).toBe('29B1')
})

// EMV QRCPS Merchant-Presented Mode, annex A: the example of the specification.
const emvco = '00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***0708A60086670902ME91320016A0112233449988770708123456786304A13A'

test('the example of EMVCo is read', () => {
  const m = readMerchant(emvco)
  expect(m).toMatchObject({ dynamic: true, category: '4111', currency: 'CNY', amount: '23.72', country: 'CN', name: 'BEST TRANSPORT', city: 'BEIJING', local: { language: 'ZH', name: '最佳运输', city: '北京' } })
  expect(m.accounts.map((a) => a.name)).toEqual(['D15600000000', 'D15600000001'])
  expect(m.additional).toMatchObject({ '03': '1234', '07': 'A6008667' })
  expect(readCode(emvco).kind).toBe('merchant')
  expect(amountOf(m)).toBe(2372)
})

test('a code of ours is written and read, static and with an amount', () => {
  const hanging = writeMerchant(shop)
  expect(hanging.startsWith('00020101021126')).toBe(true)
  expect(readMerchant(hanging)).toEqual(shop)
  const once: Merchant = { ...shop, dynamic: true, amount: '125.00', accounts: [{ name: palabre, fields: { '01': 'atlas@example.org', '03': 'q'.repeat(22) } }] }
  const code = readCode(writeMerchant(once))
  expect(code).toMatchObject({ kind: 'shop', account: { jid: 'atlas@example.org', id: 'q'.repeat(22) } })
  expect(accountOf(readMerchant(emvco))).toBeUndefined()
})

test('a changed, cut or long code is refused, each with its reason', () => {
  const good = writeMerchant(shop)
  for (let i = 14; i < good.length - 4; i++) {
    const other = good.slice(0, i) + (good[i] === '7' ? '8' : '7') + good.slice(i + 1)
    expect(() => readMerchant(other), `changed at ${i}`).toThrow(CodeError)
  }
  expect(() => readMerchant(`${good.slice(0, -4)}0000`)).toThrow(refused('checksum'))
  for (let n = 0; n < good.length; n++) expect(() => readMerchant(good.slice(0, n)), `cut at ${n}`).toThrow(CodeError)
  expect(() => readMerchant(good + 'x'.repeat(600))).toThrow(refused('too-long'))
  expect(() => readCode('https://example.org/')).toThrow(refused('unknown'))
  expect(() => writeMerchant({ ...shop, name: 'x'.repeat(26) })).toThrow(refused('value'))
})

// Manual de Padrões para Iniciação do Pix: the example of a static code.
const pix = '00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR5913Fulano de Tal6008BRASILIA62070503***63041D3D'

test('the example of Pix is read and written as it is', () => {
  expect(readPix(pix)).toEqual({ key: '123e4567-e12b-12d1-a456-426655440000', name: 'Fulano de Tal', city: 'BRASILIA' })
  expect(readCode(pix).kind).toBe('pix')
  const charge = writePix({ url: 'pix.example.com/qr/v2/9d36b84f', name: 'Peixaria', city: 'SALVADOR', amount: '12.50', txid: 'A1' })
  expect(readPix(charge)).toMatchObject({ url: 'pix.example.com/qr/v2/9d36b84f', amount: '12.50', txid: 'A1' })
  expect(() => writePix({ name: 'x', city: 'y' })).toThrow(refused('missing'))
})

test('UPI links', () => {
  const link = 'upi://pay?pa=atlas@bank&pn=Fish%20%26%20Co&tr=A-1043&tn=Sardines%20%E0%A4%AE%E0%A4%9B%E0%A4%B2%E0%A5%80&am=125.00&cu=INR'
  const said = readUpi(link)
  expect(said).toEqual({ address: 'atlas@bank', name: 'Fish & Co', amount: '125.00', note: 'Sardines मछली', reference: 'A-1043' })
  expect(writeUpi(said)).toBe(link)
  expect(() => readUpi('upi://pay?pn=nobody')).toThrow(refused('missing'))
  expect(() => readUpi('upi://pay?pa=ab@bank&am=1.005')).toThrow(refused('value'))
  expect(() => readUpi('upi://pay?pa=ab@bank&am=1&am=2')).toThrow(refused('twice'))
  expect(() => readUpi(`upi://pay?pa=ab@bank&tn=${'x'.repeat(600)}`)).toThrow(refused('too-long'))
})

// EPC069-12, annex: a donation to the Red Cross of Belgium.
const epc = 'BCD\n002\n1\nSCT\nBPOTBEB1\nRed Cross of Belgium\nBE72000000001616\nEUR1\nCHAR\n\nUrgency fund\nSample QR code'

test('the European code', () => {
  expect(readEpc(epc)).toEqual({ bic: 'BPOTBEB1', name: 'Red Cross of Belgium', iban: 'BE72000000001616', amount: '1', purpose: 'CHAR', text: 'Urgency fund', info: 'Sample QR code' })
  expect(writeEpc(readEpc(epc))).toBe(epc)
  expect(readCode(epc).kind).toBe('epc')
  expect(isIban('BE72000000001617')).toBe(false)
  expect(() => readEpc(epc.replace('1616', '1617'))).toThrow(refused('checksum'))
  expect(() => readEpc('BCD\n002\n1')).toThrow(refused('value'))
  expect(() => readEpc(epc + 'x'.repeat(400))).toThrow(refused('too-long'))
})

test('a promise carries its proof, and shows when it was changed', async () => {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const text = 'palabre pay 0 intent\nservice=pay.example\n'
  const signature = new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, new TextEncoder().encode(text)))
  const code = promiseOf(...[new TextEncoder().encode(text), signature, point].map(toText))
  const read = readPromise(code)
  expect(read.text).toBe(text)
  expect(read.point).toEqual(point)
  expect(await signed(point, read.text, toText(read.signature))).toBe(true)
  expect(await signed(point, text.replace('example', 'exbmple'), toText(read.signature))).toBe(false)
  expect(await keyId(point)).toMatch(/^[\w-]{22}$/)
  expect(() => readPromise(code.slice(0, -20))).toThrow(CodeError)
  expect(() => readPromise(code.split('.')[0] ?? '')).toThrow(refused('broken'))
  expect(readPromise(code.split('.').slice(0, 2).join('.')).point).toBeUndefined()
  expect(() => readPromise(`PALABREPAY0:${'A'.repeat(4000)}.AA`)).toThrow(refused('too-long'))
})

test('who a customer is', () => {
  const code = writeCustomer({ jid: 'karim@example.org', name: 'Karim Möller-Østergård من مراكش' })
  expect(code.startsWith('hQVDUFYwM')).toBe(true)
  const { jid, name } = readCustomer(code)
  expect(jid).toBe('karim@example.org')
  expect('Karim Möller-Østergård من مراكش'.startsWith(name)).toBe(true)
  expect(readCode(code).kind).toBe('customer')
  for (let n = 10; n < code.length; n++) expect(() => readCustomer(code.slice(0, n))).toThrow(CodeError)
  expect(() => readCustomer('A'.repeat(600))).toThrow(refused('too-long'))
})

test('amounts are whole numbers, without rounding', () => {
  expect(minor('125', 2)).toBe(12500)
  expect(minor('0.10', 2)).toBe(10)
  expect(minor('1.005', 3)).toBe(1005)
  expect(minor('9007199254740992', 0)).toBe(2 ** 53)
  for (const wrong of ['-1', '1.005', '1e3', '', '.5', '9007199254740993', ' 1']) expect(() => minor(wrong, 2), wrong).toThrow(CodeError)
  expect(decimal(5, 2)).toBe('0.05')
  expect(decimal(125, 0)).toBe('125')
  expect(exponentOf('TND')).toBe(3)
})
