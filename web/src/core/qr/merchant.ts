// EMVCo merchant-presented mode (EMV QRCPS MPM 1.1): the code that hangs in a shop, or that a counter shows for one purchase. What belongs to one network stands in a
// template of its own (26 to 51); ours has the name dev.palabre.pay. What only card networks use (02 to 25) is kept as it came.
import { digitsOf, exponentOf, isDecimal, isZero, lettersOf, ownUnit } from './currency.ts'
import { open, readFields, seal, writeFields, type Field } from './tlv.ts'
import { need } from './wrong.ts'

/** The name of our template, and of Pix's. */
export const palabre = 'dev.palabre.pay'
export const pixName = 'br.gov.bcb.pix'

/** Whom a code of ours pays: an address, the unit where it is no ISO currency, and an id: of the request that it pays, or that the payment shall have. */
export interface PalabreAccount { jid: string; unit?: string; id?: string }

/** What is asked for on top of an amount. */
export type Tip = { ask: true } | { fixed: string } | { percent: string }

/** Merchant is what a code says. */
export interface Merchant {
  /** The same code for every purchase, or one for this; undefined: it does not say. */
  dynamic?: boolean
  /** Templates of networks, by the name in their field 00, with their other fields; those of card networks (02 to 25) by their number, with the field ''. */
  accounts: { name: string; fields: Record<string, string> }[]
  /** ISO 18245, four digits. */
  category: string
  /** Letters of ISO 4217; three digits where the letters are not known; XXX for the operator's own units. */
  currency: string
  /** "125.00"; undefined when whoever pays says it. */
  amount?: string
  tip?: Tip
  country: string
  name: string
  city: string
  postal?: string
  /** Bill (01), store (03), reference (05), terminal (07), purpose (08) …: field 62. */
  additional: Record<string, string>
  /** The name in another language: field 64. */
  local?: { language: string; name: string; city?: string }
}

/** readMerchant reads a code. It throws a CodeError for a wrong checksum, one that is cut or too long, and what is needed and not there. */
export function readMerchant(code: string): Merchant {
  const all = open(code)
  const must = (id: string, form: RegExp): string => { const value = all.get(id); need(value !== undefined, 'missing', id); need(form.test(value), 'value', id); return value }
  const has = (id: string, form: RegExp): string | undefined => (all.has(id) ? must(id, form) : undefined)
  const begun = has('01', /^1[12]$/)
  const accounts = accountsOf(all)
  const category = must('52', /^\d{4}$/)
  const digits = must('53', /^\d{3}$/)
  const currency = digits === ownUnit ? 'XXX' : lettersOf(digits) ?? digits
  const amount = amountIn(all.get('54'), currency, accounts.some(({ name }) => name.toLowerCase() === pixName))
  const tip = tipOf(all, currency)
  const postal = has('61', /^.{1,10}$/u)
  return {
    ...(begun ? { dynamic: begun === '12' } : {}), accounts, category, currency, ...(amount ? { amount } : {}), ...(tip ? { tip } : {}), country: must('58', /^[A-Z]{2}$/), name: must('59', /^.{1,25}$/u),
    city: must('60', /^.{1,15}$/u), ...(postal ? { postal } : {}), additional: moreOf(all.get('62') ?? ''), ...localOf(all.get('64')),
  }
}

function amountIn(amount: string | undefined, currency: string, pix: boolean): string | undefined {
  if (amount === undefined) return undefined
  need(amount.length <= 13 && isDecimal(amount, exponentOf(currency)), 'value', '54')
  if (!isZero(amount)) return amount
  need(pix, 'value', '54')
  return undefined
}

function tipOf(all: Map<string, string>, currency: string): Tip | undefined {
  const [how, fixed, percent] = [all.get('55'), all.get('56'), all.get('57')]
  need(how === undefined || /^0[123]$/.test(how), 'value', '55')
  need(how !== '02' || fixed !== undefined, 'missing', '56')
  need(how !== '03' || percent !== undefined, 'missing', '57')
  need(fixed === undefined || (how === '02' && fixed.length <= 13 && isDecimal(fixed, exponentOf(currency))), 'value', '56')
  need(percent === undefined || (how === '03' && /^\d{1,2}(?:\.\d{1,2})?$/.test(percent) && !isZero(percent)), 'value', '57')
  if (how === undefined) return undefined
  return fixed !== undefined ? { fixed } : percent !== undefined ? { percent } : { ask: true }
}

function accountsOf(all: Map<string, string>): Merchant['accounts'] {
  const found: Merchant['accounts'] = []
  for (const [id, value] of all) {
    const n = Number(id)
    if (n >= 2 && n < 26) found.push({ name: id, fields: { '': value } })
    if (n < 26 || n > 51) continue
    const { '00': name, ...fields } = Object.fromEntries(readFields(value))
    need(name !== undefined, 'missing', `${id}.00`)
    found.push({ name, fields })
  }
  need(found.length > 0, 'missing', '26')
  return found
}

function moreOf(text: string): Record<string, string> {
  const fields = readFields(text)
  for (const [id, value] of fields) if (id <= '08') need([...value].length <= 25, 'value', `62.${id}`)
  need(/^[AME]{0,3}$/.test(fields.get('09') ?? ''), 'value', '62.09')
  return Object.fromEntries(fields)
}

function localOf(text: string | undefined): Pick<Merchant, 'local'> {
  if (text === undefined) return {}
  const fields = readFields(text)
  const [language, name, city] = [fields.get('00'), fields.get('01'), fields.get('02')]
  need(language !== undefined && name !== undefined, 'missing', '64')
  need(language.length === 2 && [...name].length <= 25 && [...city ?? ''].length <= 15, 'value', '64')
  return { local: { language, name, ...(city ? { city } : {}) } }
}

/** writeMerchant writes a code, with the templates from 26 on. What it writes, readMerchant reads. */
export function writeMerchant(m: Merchant): string {
  let next = 26
  const { tip } = m
  const code = seal([
    ['00', '01'], ['01', m.dynamic === undefined ? '' : m.dynamic ? '12' : '11'],
    ...m.accounts.map(({ name, fields }): Field => (fields[''] !== undefined ? [name, fields['']] : [String(next++), writeFields([['00', name], ...sorted(fields)])])),
    ['52', m.category], ['53', m.currency === 'XXX' ? ownUnit : /^\d/.test(m.currency) ? m.currency : digitsOf(m.currency)], ['54', m.amount ?? ''],
    ...(!tip ? [] : 'fixed' in tip ? [['55', '02'], ['56', tip.fixed]] as Field[] : 'percent' in tip ? [['55', '03'], ['57', tip.percent]] as Field[] : [['55', '01']] as Field[]),
    ['58', m.country], ['59', m.name], ['60', m.city], ['61', m.postal ?? ''],
    ['62', writeFields(sorted(m.additional))], ['64', m.local ? writeFields([['00', m.local.language], ['01', m.local.name], ['02', m.local.city ?? '']]) : ''],
  ])
  readMerchant(code)
  return code
}

const sorted = (fields: Record<string, string>): Field[] => Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))

/** accountOf finds whom a code pays in Palabre; undefined when it is for other networks alone. */
export function accountOf(m: Merchant): PalabreAccount | undefined {
  const fields = m.accounts.find(({ name }) => name.toLowerCase() === palabre)?.fields
  if (!fields) return undefined
  const { '01': jid, '02': unit, '03': id } = fields
  need(jid !== undefined, 'missing', '26.01')
  need(/^[^\s@/"&'<>]+@[^\s@/"&'<>]+$/u.test(jid), 'value', '26.01')
  need(unit !== undefined || lettersOf(digitsOf(m.currency)) !== undefined, 'missing', '26.02')
  need(unit === undefined || (m.currency === 'XXX' && /^[A-Z\d]{4,12}$/.test(unit)), 'value', '26.02')
  need(id === undefined || /^[\w-]{16,40}$/.test(id), 'value', '26.03')
  need(id === undefined || m.dynamic === true, 'value', '01')
  return { jid, ...(unit ? { unit } : {}), ...(id ? { id } : {}) }
}
