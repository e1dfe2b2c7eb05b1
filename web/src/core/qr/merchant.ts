// EMVCo merchant-presented mode (EMV QRCPS MPM 1.1): the code that hangs in a shop, or that a counter shows for one purchase. What belongs to one network stands in a
// template of its own (26 to 51); ours has the name dev.palabre.pay. Left out: tips as percentage, and what only card networks use (02 to 25), which is kept as it came.
import { digitsOf, lettersOf, ownUnit } from './currency.ts'
import { open, readFields, seal, writeFields, type Field } from './tlv.ts'
import { need } from './wrong.ts'

/** The name of our template. */
export const palabre = 'dev.palabre.pay'

/** Whom a code of ours pays: an address, the unit where it is no ISO currency, and the request that it pays. */
export interface PalabreAccount { jid: string; unit?: string; request?: string }

/** Merchant is what a code says. */
export interface Merchant {
  /** The same code for every purchase, or one for this. */
  dynamic: boolean
  /** Templates of networks, by the name in their field 00, with their fields; those without a name by their number. */
  accounts: { name: string; fields: Record<string, string> }[]
  /** ISO 18245, four digits. */
  category: string
  /** Letters of ISO 4217; three digits where the letters are not known; XXX for the operator's own units. */
  currency: string
  /** "125.00"; undefined when whoever pays says it. */
  amount?: string
  country: string
  name: string
  city: string
  postal?: string
  /** Bill (01), store (03), reference (05), terminal (07), purpose (08) …: field 62. */
  additional: Record<string, string>
  /** The name in another language: field 64. */
  local?: { language: string; name: string; city?: string }
}

const amountForm = /^\d{1,10}(?:\.\d{0,3})?$/

/** readMerchant reads a code. It throws a CodeError for a wrong checksum, one that is cut or too long, and what is needed and not there. */
export function readMerchant(code: string): Merchant {
  const all = open(code)
  const must = (id: string, form: RegExp): string => { const value = all.get(id) ?? ''; need(form.test(value), 'form', id); return value }
  const digits = must('53', /^\d{3}$/)
  const amount = all.get('54')
  need(amount === undefined || (amountForm.test(amount) && amount.length <= 13), 'form', '54')
  const begun = all.get('01') ?? '11'
  need(begun === '11' || begun === '12', 'form', '01')
  const postal = all.get('61')
  const local = all.get('64')
  return {
    dynamic: begun === '12', accounts: accountsOf(all), category: must('52', /^\d{4}$/), currency: digits === ownUnit ? 'XXX' : lettersOf(digits) ?? digits,
    ...(amount === undefined ? {} : { amount }), country: must('58', /^[A-Za-z]{2}$/), name: must('59', /^.{1,25}$/u), city: must('60', /^.{1,15}$/u), ...(postal ? { postal } : {}),
    additional: Object.fromEntries(readFields(all.get('62') ?? '')), ...(local ? { local: localOf(local) } : {}),
  }
}

function accountsOf(all: Map<string, string>): Merchant['accounts'] {
  const found: Merchant['accounts'] = []
  for (const [id, value] of all) {
    const n = Number(id)
    if (n >= 2 && n < 26) found.push({ name: id, fields: { '': value } })
    if (n < 26 || n > 51) continue
    const { '00': name = id, ...fields } = Object.fromEntries(readFields(value))
    found.push({ name, fields })
  }
  need(found.length > 0, 'form', '26')
  return found
}

function localOf(text: string): NonNullable<Merchant['local']> {
  const fields = readFields(text)
  const city = fields.get('02')
  return { language: fields.get('00') ?? '', name: fields.get('01') ?? '', ...(city ? { city } : {}) }
}

/** writeMerchant writes a code, with the templates from 26 on. */
export function writeMerchant(m: Merchant): string {
  need(m.accounts.length > 0 && m.accounts.length <= 26, 'form', '26')
  need(m.amount === undefined || (amountForm.test(m.amount) && m.amount.length <= 13), 'form', '54')
  need(/^.{1,25}$/u.test(m.name), 'form', '59')
  need(/^.{1,15}$/u.test(m.city), 'form', '60')
  let next = 26
  return seal([
    ['00', '01'], ['01', m.dynamic ? '12' : '11'],
    ...m.accounts.map(({ name, fields }): Field => (fields[''] !== undefined ? [name, fields['']] : [String(next++), writeFields([['00', name], ...sorted(fields)])])),
    ['52', m.category], ['53', m.currency === 'XXX' ? ownUnit : /^\d/.test(m.currency) ? m.currency : digitsOf(m.currency)], ['54', m.amount ?? ''], ['58', m.country], ['59', m.name], ['60', m.city], ['61', m.postal ?? ''],
    ['62', writeFields(sorted(m.additional))], ['64', m.local ? writeFields([['00', m.local.language], ['01', m.local.name], ['02', m.local.city ?? '']]) : ''],
  ])
}

const sorted = (fields: Record<string, string>): Field[] => Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))

/** accountOf finds whom a code pays in Palabre; undefined when it is for other networks alone. */
export function accountOf(m: Merchant): PalabreAccount | undefined {
  const fields = m.accounts.find(({ name }) => name.toLowerCase() === palabre)?.fields
  const { '01': jid, '02': unit, '03': request } = fields ?? {}
  if (!jid) return undefined
  need(/^[^\s@/]{1,64}@[^\s@/]{1,253}$/u.test(jid), 'form', '26')
  need(request === undefined || /^[\w-]{16,40}$/.test(request), 'form', '26')
  return { jid, ...(unit ? { unit } : {}), ...(request ? { request } : {}) }
}
