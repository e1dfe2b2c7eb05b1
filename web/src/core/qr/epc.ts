// The European code for a transfer (EPC069-12): twelve lines that begin with BCD; for SEPA, in euros. What a scanner gives is text already, whatever the code's character set.
import { isDecimal, isZero } from './currency.ts'
import { need, plain } from './wrong.ts'

/** Epc is what a code says. A reference is structured (ISO 11649) or plain words, never both. */
export interface Epc { bic?: string; name: string; iban: string; amount?: string; purpose?: string; reference?: string; text?: string; info?: string }

const maxBytes = 331
const bytesOf = (text: string): number => new TextEncoder().encode(text).length
const lengthOf = (text: string): number => [...text].length

/** readEpc reads a code of version 1 or 2. */
export function readEpc(code: string): Epc {
  const lines = code.split(code.startsWith('BCD\r\n') ? '\r\n' : '\n')
  need(lines[0] === 'BCD', 'unknown')
  need(lines.length <= 12 || (lines.length === 13 && lines[12] === ''), 'too-long')
  lines.forEach((line, i) => need(plain(line), 'broken', String(i + 1)))
  const [, version, characters = '', kind, bic = '', name = '', iban = '', amount = '', purpose = '', reference = '', text = '', info = ''] = lines
  need(version === '001' || version === '002', 'value', 'version')
  need(/^[1-8]$/.test(characters), 'value', 'charset')
  need(kind === 'SCT', 'value', 'kind')
  need(version === '002' || bic !== '', 'missing', 'bic')
  need(/^(?:[A-Z\d]{4}[A-Z]{2}[A-Z\d]{2}(?:[A-Z\d]{3})?)?$/.test(bic), 'value', 'bic')
  need(name !== '', 'missing', 'name')
  need(iban !== '', 'missing', 'iban')
  need(isIban(iban), 'checksum', 'iban')
  need(lengthOf(name) <= 70 && lengthOf(purpose) <= 4 && lengthOf(reference) <= 35 && lengthOf(text) <= 140 && lengthOf(info) <= 70, 'too-long')
  need(!amount || (/^EUR\d{1,9}(?:\.\d{1,2})?$/.test(amount) && isDecimal(amount.slice(3), 2) && !isZero(amount.slice(3))), 'value', 'amount')
  need(/^[A-Z\d]*$/.test(purpose), 'value', 'purpose')
  need(!(reference && text), 'twice', 'reference')
  need(!reference.startsWith('RF') || mod97(reference.replace(/ /g, '')), 'checksum', 'reference')
  need(characters !== '1' || bytesOf(code) <= maxBytes, 'too-long')
  return {
    ...(bic ? { bic } : {}), name, iban, ...(amount ? { amount: amount.slice(3) } : {}), ...(purpose ? { purpose } : {}), ...(reference ? { reference } : {}), ...(text ? { text } : {}), ...(info ? { info } : {}),
  }
}

/** isIban tells whether the check digits of an account's number fit (ISO 13616). */
export const isIban = (iban: string): boolean => /^[A-Z]{2}\d{2}[A-Z\d]{11,30}$/.test(iban) && mod97(iban)

/** Modulo 97 of ISO 7064, over digits and capitals. */
function mod97(text: string): boolean {
  if (!/^[A-Z\d]{5,}$/.test(text)) return false
  const digits = (text.slice(4) + text.slice(0, 4)).replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55))
  let rest = 0
  for (const digit of digits) rest = (rest * 10 + Number(digit)) % 97
  return rest === 1
}

/** writeEpc writes a code of version 2; empty lines at its end are left out. */
export function writeEpc(e: Epc): string {
  const lines = ['BCD', '002', '1', 'SCT', e.bic ?? '', e.name, e.iban, e.amount ? `EUR${e.amount}` : '', e.purpose ?? '', e.reference ?? '', e.text ?? '', e.info ?? '']
  need(lines.every(plain), 'broken')
  while (lines[lines.length - 1] === '') lines.pop()
  const code = lines.join('\n')
  readEpc(code)
  return code
}
