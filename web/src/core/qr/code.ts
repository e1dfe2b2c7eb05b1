// What a scanned code is. Each format has a file of its own; nothing of a code is done without a person's word.
import { exponentOf, minor } from './currency.ts'
import { isCustomer, readCustomer, type Customer } from './customer.ts'
import { readEpc, type Epc } from './epc.ts'
import { accountOf, readMerchant, type Merchant, type PalabreAccount } from './merchant.ts'
import { pixOf, type Pix } from './pix.ts'
import { isPromise, readPromise, type Signed } from './promise.ts'
import { readUpi, type Upi } from './upi.ts'
import { CodeError, need } from './wrong.ts'

/** Code is what was read, by its kind. `shop` is a merchant's code with an account of ours; `merchant` one that only other networks can pay. */
export type Code =
  | { kind: 'shop'; account: PalabreAccount; merchant: Merchant }
  | { kind: 'merchant'; merchant: Merchant }
  | { kind: 'pix'; pix: Pix }
  | { kind: 'upi'; upi: Upi }
  | { kind: 'epc'; epc: Epc }
  | { kind: 'promise'; promise: Signed }
  | { kind: 'customer'; customer: Customer }

/** What the largest QR code holds (version 40, level L). */
const maxCode = 2953

/** readCode finds out what a code is and reads it. It throws a CodeError that says why it cannot be read. */
export function readCode(code: string): Code {
  need(new TextEncoder().encode(code).length <= maxCode, 'too-long')
  if (isPromise(code)) return { kind: 'promise', promise: readPromise(code) }
  if (/^upi:\/\/pay\?/i.test(code)) return { kind: 'upi', upi: readUpi(code) }
  if (/^BCD\r?\n/.test(code)) return { kind: 'epc', epc: readEpc(code) }
  if (isCustomer(code)) return { kind: 'customer', customer: readCustomer(code) }
  if (!code.startsWith('000201')) throw new CodeError('unknown')
  const merchant = readMerchant(code)
  const account = accountOf(merchant)
  if (account) return { kind: 'shop', account, merchant }
  const pix = pixOf(merchant)
  return pix ? { kind: 'pix', pix } : { kind: 'merchant', merchant }
}

/** amountOf is how much a merchant's code asks, in the smallest parts of a unit with that exponent; undefined when whoever pays says it. */
export function amountOf({ amount, currency }: Merchant, exponent = exponentOf(currency) ?? 2): number | undefined {
  return amount === undefined ? undefined : minor(amount, exponent)
}
