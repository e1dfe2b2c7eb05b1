// What a shop's code asks for on top of its amount (EMV QRCPS MPM, objects 55 to 57): a fee of the shop's, which is part of what is owed, or a tip, which is the customer's to give.
import { minor } from '../../core/qr/currency.ts'
import type { Tip } from '../../core/qr/merchant.ts'

/** What is offered as a tip, in parts of a hundred. */
export const customary = [5, 10, 15] as const

/** partOf is so many hundredths of an amount, to the nearest of its smallest parts, half up; `percent` may have two digits behind the point. */
export function partOf(amount: number, percent: string): number {
  const [whole = '0', parts = ''] = percent.split('.')
  return Number((BigInt(amount) * BigInt(whole + parts.padEnd(2, '0')) * 2n + 10_000n) / 20_000n)
}

/** feeOn is the fee of a code on an amount, 0 where it asks for none. It throws a CodeError for a fixed one that the unit cannot have. */
export function feeOn(amount: number, tip: Tip | undefined, exponent: number): number {
  if (!tip || 'ask' in tip) return 0
  return 'fixed' in tip ? minor(tip.fixed, exponent) : partOf(amount, tip.percent)
}
