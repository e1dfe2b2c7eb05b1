// Amounts in fields: what is written there for somebody means the same when it is read.
import { afterEach, expect, test } from 'vitest'
import { moneyText } from '../../../src/core/model.ts'
import type { Payment } from '../../../src/core/pay.ts'
import { addressOf, needOf } from '../../../src/features/pay/rails.ts'
import { amountText, fieldText, money, plainDigits, point, readAmount } from '../../../src/i18n/money.ts'
import { region } from '../../../src/i18n/t.ts'

afterEach(() => { region.value = 'en' })

test.each(['en', 'fr', 'pt-BR', 'es', 'hi', 'ar', 'ar-EG', 'ar-MA', 'it', 'sw', 'de-CH', 'fr-CH'])('an amount in a field is read back in %s', (language) => {
  region.value = language
  for (const exponent of [0, 2, 3]) for (const short of [false, true]) for (const amount of [1, 99, 100, 1_000, 12_500, 100_000, 123_456, 1_000_000, 1_250_000, 1_234_567_890, Number.MAX_SAFE_INTEGER]) {
    expect(readAmount(fieldText(amount, exponent, short), exponent)).toBe(amount)
  }
})

test.each(['en', 'fr', 'pt-BR', 'es', 'hi', 'ar', 'it', 'sw'])('an amount is shown to its smallest part in %s', (language) => {
  region.value = language
  for (const exponent of [0, 2, 3, 8]) for (const amount of [1, 12_500, 7_100_000_000_000_001, 8_007_199_254_740_993, Number.MAX_SAFE_INTEGER - 2, Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER]) {
    expect(Number(amountText(amount, exponent).replace(/\D/g, ''))).toBe(amount)
    expect(Number(moneyText({ type: 'payment', payment: { amount, exponent, unit: 'MAD', for: '' } as Payment }).replace(/\D/g, ''))).toBe(amount)
  }
})

test('an amount is grouped, has all its parts, and none where short', () => {
  expect([money(125_000, { unit: 'MAD', exponent: 2 }), amountText(125_000, 2, true), amountText(125_050, 2, true), amountText(5, 2), amountText(0, 2), amountText(-1_250, 2), amountText(700, 0)])
    .toEqual(['1,250.00\u00a0MAD', '1,250', '1,250.50', '0.05', '0.00', '-12.50', '700'])
})

test.each(['en', 'fr', 'pt-BR', 'es', 'hi', 'ar', 'ar-EG', 'ar-MA', 'it', 'sw', 'de-CH'])('what the till writes between digits is read in %s', (language) => {
  region.value = language
  expect(readAmount(`45${point()}50`, 2)).toBe(4_550)
})

test('what groups digits in Arabic is no point', () => {
  expect(readAmount('١٬٢٥٠٫٠٠', 2)).toBe(125_000)
})

test.each(['0123456789', '٠١٢٣٤٥٦٧٨٩', '۰۱۲۳۴۵۶۷۸۹', '०१२३४५६७८९'])('%s are the same digits', (typed) => {
  expect(plainDigits(typed)).toBe('0123456789')
})

test('everything else stays as it was typed', () => {
  for (const typed of ['', 'PIN 1٪', '٫٬', 'ـ', '॰', '۽', '🐟']) expect(plainDigits(typed)).toBe(typed)
  expect(plainDigits('٢۷1८')).toBe('2718')
})

test('a phone number is the same with each of them', () => {
  const need = needOf({ kind: 'momo' }, 'out')
  for (const typed of ['+212 600-000123', '+٢١٢ ٦٠٠-٠٠٠١٢٣', '+२१२ ६००-०००१२३']) {
    expect(addressOf(typed, need)).toBe('+212600000123')
    expect(addressOf(typed, need)).toMatch(need?.fits ?? /^$/)
  }
})
