// Pix BR Code (Banco Central do Brasil, Manual de Padrões para Iniciação do Pix): EMVCo's code with a template br.gov.bcb.pix, which has a key, or the address of
// a charge.
import { pixName, readMerchant, writeMerchant, type Merchant } from './merchant.ts'
import { need } from './wrong.ts'

/** Pix is what a BR Code says. It has `key` (static) or `url` (a charge at the receiver's bank, without https://). */
export interface Pix { key?: string; url?: string; info?: string; amount?: string; name: string; city: string; txid?: string; postal?: string }

const none = '***'

/** pixOf finds Pix in a merchant's code; undefined when it has none. */
export function pixOf(m: Merchant): Pix | undefined {
  const fields = m.accounts.find(({ name }) => name.toLowerCase() === pixName)?.fields
  if (!fields) return undefined
  const { '01': key, '02': info, '25': url } = fields
  need(key !== undefined || url !== undefined, 'missing', '26.01')
  need(key === undefined || url === undefined, 'twice', '26.25')
  need(m.currency === 'BRL', 'value', '53')
  need(m.country === 'BR', 'value', '58')
  need([...key ?? ''].length <= 77, 'too-long', '26.01')
  need(url === undefined || ([...url].length <= 77 && !/:\/\/|[ \\@]/.test(url)), 'value', '26.25')
  const txid = m.additional['05']
  need(txid !== undefined, 'missing', '62.05')
  need(txid === none || /^[A-Za-z\d]+$/.test(txid), 'value', '62.05')
  return {
    ...(key ? { key } : {}), ...(url ? { url } : {}), ...(info ? { info } : {}), ...(m.amount ? { amount: m.amount } : {}), name: m.name, city: m.city,
    ...(txid === none ? {} : { txid }), ...(m.postal ? { postal: m.postal } : {}),
  }
}

/** readPix reads a BR Code. */
export function readPix(code: string): Pix {
  const found = pixOf(readMerchant(code))
  need(found !== undefined, 'unknown', '26')
  return found
}

/** writePix writes a BR Code: a static one for a key, a dynamic one for the address of a charge. */
export function writePix(p: Pix): string {
  const code = writeMerchant({
    ...(p.url === undefined ? {} : { dynamic: true }), accounts: [{ name: pixName, fields: { ...(p.key ? { '01': p.key } : {}), ...(p.info ? { '02': p.info } : {}), ...(p.url ? { '25': p.url } : {}) } }],
    category: '0000', currency: 'BRL', ...(p.amount ? { amount: p.amount } : {}), country: 'BR', name: p.name, city: p.city, ...(p.postal ? { postal: p.postal } : {}), additional: { '05': p.txid ?? none },
  })
  readPix(code)
  return code
}
