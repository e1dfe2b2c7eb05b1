// The texts of payments and their signatures, against those of the service (payments/intent/testdata/vectors.json).
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makePinKey, openPinKey, verifierOf } from '../../../src/core/pay/pin.ts'
import { keyId, toBytes, toText } from '../../../src/core/pay/bytes.ts'
import { agreedTo, isFor, promiseCode, readPromise, readReceipt, signed, signText } from '../../../src/core/pay/sign.ts'
import { readIntent, readText, textTime, writeText, type Fields } from '../../../src/core/pay/text.ts'

interface Vector { fields: Record<string, string>; text: string; sha256: string; key: string; signature: string }
const vectors = JSON.parse(readFileSync(new URL('../../../../payments/intent/testdata/vectors.json', import.meta.url), 'utf8')) as {
  keys: { public: string; id: string }[]; service: { public: string }; intents: Vector[]; orders: Vector[]; receipts: Vector[]
  [other: string]: unknown
}
const points = new Map(vectors.keys.map((k) => [k.id, toBytes(k.public) ?? new Uint8Array()]))

test('texts are written and read as the service does, and signed by whom they say', async () => {
  for (const [kind, all] of [['intent', vectors.intents], ['order', vectors.orders], ['receipt', vectors.receipts]] as const) for (const v of all) {
    expect(writeText(kind, v.fields as Fields<typeof kind>)).toBe(v.text)
    expect(readText(kind, v.text)).toEqual(v.fields)
    if (kind === 'receipt') {
      expect(readReceipt(vectors.service.public, v.fields['service'] ?? '', v)).toEqual(v.fields)
      expect(readReceipt(vectors.service.public, 'pay.elsewhere', v)).toBeUndefined()
      expect(readReceipt(vectors.service.public, v.fields['service'] ?? '', { ...v, text: v.text.replace(/amount=\d/, 'amount=9') })).toBeUndefined()
    } else expect(await signed(points.get(v.key) ?? new Uint8Array(), v.text, v.signature)).toBe(true)
    if (kind === 'intent') expect(readIntent(v.text).id).toBe(v.fields['id'])
  }
  for (const [id, point] of points) expect(await keyId(point)).toBe(id)
  const [receipt] = vectors.receipts, [intent] = vectors.intents
  expect(receipt && intent && await isFor(receipt.fields as Fields<'receipt'>, intent.text)).toBe(true)
  expect(receipt && await isFor(receipt.fields as Fields<'receipt'>, 'another')).toBe(false)
})

test('what is agreed to in a group is written as the service reads it, in any order', async () => {
  const about = vectors.orders.find((v) => v.fields['kind'] === 'agree')?.fields['about']
  const debts = [{ id: 'debt-bbbbbbbbbbbbbbbb', agree: 300 }, { id: 'N3vT0aPq9ZxKf81bYw-_Lg', agree: 12500 }, { id: 'owed-to-us-aaaaaaaaaa' }]
  expect(`friends@groups.example MAD ${await agreedTo(debts)}`).toBe(about)
  expect(await agreedTo(debts.reverse())).toBe(about?.split(' ')[2])
})

test('a text that is written another way is refused', () => {
  const text = vectors.intents[0]?.text ?? ''
  for (const bad of [text + '\n', text.slice(0, -1), text.replace('pay 0', 'pay 1'), text.replace('fee=0\n', ''), text.replace('for=', 'for=%41'), text.replace('for=', 'for=%0a'), text.replace('for=', 'for=\r'),
    text.replace('for=', 'for=' + 'x'.repeat(2048))]) {
    expect(() => readText('intent', bad)).toThrow()
  }
  for (const bad of [text.replace('amount=12500', 'amount=0'), text.replace('amount=12500', 'amount=012500'), text.replace('amount=12500', 'amount=-1'), text.replace('amount=12500', 'amount=9007199254740993'), text.replace('fee=0', 'fee='),
    text.replace('kind=send', 'kind=tip'), text.replace('kind=send', 'kind=toString'), text.replace('until=', 'until=2026-11-22T12:05:00Z'), text.replace('period=', 'period=day'), text.replace('for=Sardines', 'for=' + 'é'.repeat(129)),
    text.replace('12:05:00Z', '12:05:60Z'), text.replace('id=send-a', 'id=send a')]) expect(() => readIntent(bad)).toThrow()
  expect(textTime(1_795_435_500_123_456)).toBe('2026-11-23T12:05:00Z')
})

test('a PIN opens its key with the share, and no other PIN does', async () => {
  const { key, parts } = await makePinKey('271828', 1000)
  expect(key.device.extractable).toBe(false)
  const right = await verifierOf('271828', key, 1000)
  expect(right.verifier).toBe(parts.verifier)
  const open = await openPinKey(key, right.half, parts.share)
  expect(open && await signed(key.point, 'a text', await signText(open, 'a text'))).toBe(true)
  const wrong = await verifierOf('271829', key, 1000)
  expect(wrong.verifier).not.toBe(parts.verifier)
  expect(await openPinKey(key, wrong.half, parts.share)).toBeUndefined()
  expect(await openPinKey(key, right.half, toText(new Uint8Array(32)))).toBeUndefined()
})

test('a promise is read back, and one that was changed is not', async () => {
  const offline = vectors.intents.find((v) => v.fields['kind'] === 'offline')
  if (!offline) throw new Error('no vector')
  const code = promiseCode(offline.text, offline.signature, points.get(offline.key) ?? new Uint8Array())
  expect((await readPromise(code)).fields).toEqual(offline.fields)
  const other = promiseCode(offline.text.replace(/amount=\d/, 'amount=9'), offline.signature, points.get(offline.key) ?? new Uint8Array())
  await expect(readPromise(other)).rejects.toThrow('bad-signature')
  for (const bad of [code.slice(1), code + '.x', code.replace('.', '..'), 'PALABREPAY0:']) await expect(readPromise(bad)).rejects.toThrow('bad-text')
})
