// UPI links (NPCI, UPI Linking Specification 1.6): upi://pay with whom, how much and what for.
import { need } from './wrong.ts'

/** Upi is what a link says; the names are those of the specification in words. */
export interface Upi { address: string; name: string; amount?: string; currency: string; note?: string; reference?: string; category?: string; url?: string }

const maxLink = 512
const keys = { pa: 'address', pn: 'name', am: 'amount', cu: 'currency', tn: 'note', tr: 'reference', mc: 'category', url: 'url' } as const
const addressForm = /^[\w.-]{1,255}@[A-Za-z][\w.-]{1,63}$/
const amountForm = /^\d{1,10}(?:\.\d{1,2})?$/

/** readUpi reads a link; what it says besides is passed over. */
export function readUpi(link: string): Upi {
  need(link.length <= maxLink, 'long')
  need(/^upi:\/\/pay\?/i.test(link), 'unknown')
  const said = new URLSearchParams(link.slice(link.indexOf('?') + 1))
  const found: Partial<Record<keyof Upi, string>> = {}
  for (const [key, name] of Object.entries(keys)) {
    need(said.getAll(key).length <= 1, 'form', key)
    const value = said.get(key)
    if (value) found[name] = value
  }
  return checked({ currency: 'INR', address: '', name: '', ...found })
}

function checked(u: Upi): Upi {
  need(addressForm.test(u.address), u.address ? 'form' : 'short', 'pa')
  need(u.currency === 'INR', 'form', 'cu')
  need(u.amount === undefined || amountForm.test(u.amount), 'form', 'am')
  return u
}

/** writeUpi writes a link, in the order of the specification. */
export function writeUpi(u: Upi): string {
  checked(u)
  const order = ['pa', 'pn', 'mc', 'tr', 'tn', 'am', 'cu', 'url'] as const
  const link = `upi://pay?${order.flatMap((key) => (u[keys[key]] ? [`${key}=${encode(u[keys[key]] ?? '')}`] : [])).join('&')}`
  need(link.length <= maxLink, 'long')
  return link
}

/** An address keeps its @ , as apps expect it. */
const encode = (text: string): string => encodeURIComponent(text).replace(/%40/g, '@')
