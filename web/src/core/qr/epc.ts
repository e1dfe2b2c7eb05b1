// The European code for a transfer (EPC069-12): twelve lines that begin with BCD; for SEPA, in euros.
import { need } from './wrong.ts'

/** Epc is what a code says. A reference is structured (ISO 11649) or plain words, never both. */
export interface Epc { bic?: string; name: string; iban: string; amount?: string; purpose?: string; reference?: string; text?: string; info?: string }

const maxBytes = 331
const bytesOf = (text: string): number => new TextEncoder().encode(text).length

/** readEpc reads a code of version 1 or 2 in UTF-8. */
export function readEpc(code: string): Epc {
  need(bytesOf(code) <= maxBytes, 'long')
  const lines = code.split(/\r?\n/)
  need(lines[0] === 'BCD', 'unknown')
  need(lines.length >= 7, 'short')
  need(lines.length <= 13 && (lines.length < 13 || lines[12] === ''), 'form')
  const [, version, characters, kind, bic = '', name = '', iban = '', amount = '', purpose = '', reference = '', text = '', info = ''] = lines
  need(version === '001' || version === '002', 'form', 'version')
  need(characters === '1', 'form', 'characters')
  need(kind === 'SCT', 'form', 'kind')
  need(version === '002' || bic !== '', 'form', 'bic')
  need(!amount || /^EUR\d{1,9}(?:\.\d{1,2})?$/.test(amount), 'form', 'amount')
  return checked({
    ...(bic ? { bic } : {}), name, iban: iban.replace(/ /g, ''), ...(amount ? { amount: amount.slice(3) } : {}), ...(purpose ? { purpose } : {}), ...(reference ? { reference } : {}), ...(text ? { text } : {}), ...(info ? { info } : {}),
  })
}

function checked(e: Epc): Epc {
  need(isIban(e.iban), 'form', 'iban')
  need(e.name.length > 0 && e.name.length <= 70, 'form', 'name')
  need(!e.bic || /^[A-Z]{6}[A-Z\d]{2}(?:[A-Z\d]{3})?$/.test(e.bic), 'form', 'bic')
  need(e.amount === undefined || (/^\d{1,9}(?:\.\d{1,2})?$/.test(e.amount) && Number(e.amount) > 0), 'form', 'amount')
  need(!e.purpose || e.purpose.length <= 4, 'form', 'purpose')
  need(!(e.reference && e.text), 'form', 'reference')
  need((e.reference ?? '').length <= 35 && (e.text ?? '').length <= 140 && (e.info ?? '').length <= 70, 'long')
  return e
}

/** isIban tells whether the check digits of an account's number fit (ISO 13616, modulo 97). */
export function isIban(iban: string): boolean {
  if (!/^[A-Z]{2}\d{2}[A-Z\d]{10,30}$/.test(iban)) return false
  const digits = (iban.slice(4) + iban.slice(0, 4)).replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55))
  let rest = 0
  for (const digit of digits) rest = (rest * 10 + Number(digit)) % 97
  return rest === 1
}

/** writeEpc writes a code of version 2; empty lines at its end are left out. */
export function writeEpc(e: Epc): string {
  checked(e)
  const lines = ['BCD', '002', '1', 'SCT', e.bic ?? '', e.name, e.iban, e.amount ? `EUR${e.amount}` : '', e.purpose ?? '', e.reference ?? '', e.text ?? '', e.info ?? '']
  need(lines.every((line) => !/[\r\n]/.test(line)), 'form')
  while (lines[lines.length - 1] === '') lines.pop()
  const code = lines.join('\n')
  need(bytesOf(code) <= maxBytes, 'long')
  return code
}
