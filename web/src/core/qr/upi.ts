// UPI links (NPCI, UPI Linking Specification 1.6): upi://pay with whom, how much and what for.
import { isDecimal, isZero } from './currency.ts'
import { CodeError, need, plain } from './wrong.ts'

/** Upi is what a link says; the names are those of the specification in words. */
export interface Upi { address: string; name?: string; amount?: string; note?: string; reference?: string; category?: string; url?: string }

const head = 'upi://pay?'
const maxLink = 2048
const maxParams = 40
const keys = { pa: 'address', pn: 'name', mc: 'category', tr: 'reference', tn: 'note', am: 'amount', url: 'url' } as const
const addressForm = /^[\w.-]{2,256}@[A-Za-z\d.]{2,64}$/

/** readUpi reads a link; what it says besides is passed over. */
export function readUpi(link: string): Upi {
  need(link.toLowerCase().startsWith(head), 'unknown')
  need(link.length <= maxLink, 'too-long')
  const said = paramsOf(link.slice(head.length))
  const limit = (key: string, most: number): void => need([...said.get(key) ?? ''].length <= most, 'too-long', key)
  need(said.get('pa') !== undefined, 'missing', 'pa')
  need(addressForm.test(said.get('pa') ?? ''), 'value', 'pa')
  limit('pn', 99)
  need((said.get('cu') ?? 'INR') === 'INR', 'value', 'cu')
  limit('tn', 80)
  limit('tr', 35)
  need(/^(?:\d{4})?$/.test(said.get('mc') ?? ''), 'value', 'mc')
  for (const key of ['am', 'mam']) { const value = said.get(key); need(value === undefined || (key === 'mam' && value === 'null') || isDecimal(value, 2), 'value', key) }
  const found: Upi = { address: said.get('pa') ?? '' }
  for (const [key, name] of Object.entries(keys)) { const value = said.get(key); if (value && !(key === 'am' && isZero(value))) found[name] = value }
  return found
}

/** What a link says, by its names; what is empty is left out. */
function paramsOf(text: string): Map<string, string> {
  const parts = text.split('&')
  need(parts.length <= maxParams, 'too-long')
  const found = new Map<string, string>()
  const seen = new Set<string>()
  for (const part of parts) {
    const [, name = '', raw = ''] = /^([A-Za-z]{1,20})=([^#]*)$/.exec(part) ?? []
    need(name !== '' && plain(raw), 'broken', name)
    need(!seen.has(name), 'twice', name)
    seen.add(name)
    let value: string
    try { value = decodeURIComponent(raw.replace(/\+/g, ' ')) } catch { throw new CodeError('broken', name) }
    need(plain(value), 'broken', name)
    if (value) found.set(name, value)
  }
  return found
}

/** writeUpi writes a link, in the order of the specification. */
export function writeUpi(u: Upi): string {
  const order = ['pa', 'pn', 'mc', 'tr', 'tn', 'am'] as const
  const said = order.flatMap((key) => (u[keys[key]] ? [`${key}=${encode(u[keys[key]] ?? '')}`] : []))
  const link = head + [...said, 'cu=INR', ...(u.url ? [`url=${encode(u.url)}`] : [])].join('&')
  readUpi(link)
  return link
}

/** An address keeps its @, as apps expect it. */
const encode = (text: string): string => encodeURIComponent(text).replace(/%40/g, '@')
