// Amounts in fields: what is written there for somebody means the same when it is read.
import { afterEach, expect, test } from 'vitest'
import { addressOf, needOf } from '../../../src/features/pay/rails.ts'
import { fieldText, plainDigits, point, readAmount } from '../../../src/i18n/money.ts'
import { region } from '../../../src/i18n/t.ts'

afterEach(() => { region.value = 'en' })

test.each(['en', 'fr', 'pt-BR', 'es', 'hi', 'ar', 'ar-EG', 'ar-MA', 'it', 'sw', 'de-CH', 'fr-CH'])('an amount in a field is read back in %s', (language) => {
  region.value = language
  for (const exponent of [0, 2, 3]) for (const short of [false, true]) for (const amount of [1, 99, 100, 1_000, 12_500, 100_000, 123_456, 1_000_000, 1_250_000, 1_234_567_890, Number.MAX_SAFE_INTEGER]) {
    expect(readAmount(fieldText(amount, exponent, short), exponent)).toBe(amount)
  }
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
