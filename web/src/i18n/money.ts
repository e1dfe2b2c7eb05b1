// Amounts as people of a language write them. They are whole numbers of the smallest part of a unit (core/pay.ts).
import { region } from './t.ts'

/** amountText is an amount without its unit; `short` leaves out what is after the point when it is nothing. */
export const amountText = (amount: number, exponent: number, short = false): string => exactText(amount, exponent, short, true)

/** fieldText is an amount as it stands in a field that was filled for somebody: readAmount reads it back, in every language. */
export const fieldText = (amount: number, exponent: number, short = false): string => exactText(amount, exponent, short, false)

/** exactText writes an amount to its smallest part, also where a fraction of it would have no room in a number. */
function exactText(amount: number, exponent: number, short: boolean, useGrouping: boolean): string {
  const digits = short && amount % 10 ** exponent === 0 ? 0 : exponent
  return new Intl.NumberFormat(region.value, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping }).format(`${amount}E-${exponent}` as `${number}`)
}

/** money is an amount with its unit: 125,00 MAD. */
export const money = (amount: number, { unit, exponent }: { unit: string; exponent: number }): string => `${amountText(amount, exponent)}\u00a0${unit}`

/** point is what stands before the parts of a whole, as people of the language write it; readAmount reads it. */
export const point = (): string => new Intl.NumberFormat(region.value).formatToParts(.5).find((part) => part.type === 'decimal')?.value ?? '.'

/** plainDigits is what was typed, with the digits 0 to 9 for those of other keyboards: Arabic, Persian, Devanagari. */
export const plainDigits = (typed: string): string => typed.replace(/[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]/g, (c) => String((c.charCodeAt(0) & 15) - (c < '\u0900' ? 0 : 6)))

/** readAmount reads what somebody typed, with a point or a comma; undefined: no amount, one with too small parts, or beyond what an account can have. */
export function readAmount(typed: string, exponent: number): number | undefined {
  const plain = plainDigits(typed).replace(/[\s\u00a0\u202f\u066c']/g, '').replace(/[٫,]/g, '.')
  const [, whole, parts = ''] = /^(\d{1,16})(?:\.(\d*))?$/.exec(plain) ?? []
  if (whole === undefined || parts.length > exponent) return undefined
  const amount = Number(whole + parts.padEnd(exponent, '0'))
  return amount >= 1 && Number.isSafeInteger(amount) ? amount : undefined
}
