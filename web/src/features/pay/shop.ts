// What a shop's codes say of it: kept in this browser alone.
import type { Unit } from '../../core/pay.ts'
import { amountOf, type Code } from '../../core/qr/code.ts'
import { exponentOf, decimal } from '../../core/qr/currency.ts'
import { palabre, writeMerchant } from '../../core/qr/merchant.ts'

/** Shop is how a shop calls itself on its codes, and what they ask for on top of an amount: a tip that the customer chooses, or a percentage. */
export interface Shop { name: string; city: string; country: string; tip?: { ask: true } | { percent: string } | undefined }

const kept = 'pay.shop'
/** What EMVCo's codes have room for. */
export const limits = { name: 25, city: 15 }

const cut = (text: string, characters: number): string => [...text.trim()].slice(0, characters).join('').trim()

/** shopOf is what was kept; before that, the account's name, its server, and the country of the browser's language. */
export function shopOf(account: { jid: string; name: string }): Shop {
  try {
    const found = JSON.parse(localStorage.getItem(kept) ?? 'null') as Partial<Shop> | null
    if (found?.name && found.city && found.country) return { name: cut(found.name, limits.name), city: cut(found.city, limits.city), country: found.country, ...(found.tip && canAsk(found.tip) ? { tip: found.tip } : {}) }
  } catch { /* nothing that was kept here */ }
  const country = new Intl.Locale(navigator.language).maximize().region ?? 'ZZ'
  return { name: cut(account.name || account.jid, limits.name), city: cut(account.jid.split('@')[1] ?? '', limits.city) || '-', country: /^[A-Z]{2}$/.test(country) ? country : 'ZZ' }
}

/** canAsk is whether a code can ask for that: a percentage is above 0 and below 100, with two digits behind the point at most. */
export const canAsk = (tip: Shop['tip']): boolean => !tip || ('percent' in tip ? /^\d{1,2}(?:\.\d{1,2})?$/.test(tip.percent) && Number(tip.percent) > 0 : tip.ask === true)

/** keepShop keeps it. */
export function keepShop(shop: Shop): void {
  try { localStorage.setItem(kept, JSON.stringify(shop)) } catch { /* then it is asked for again */ }
}

/** What a shop's code asks for: the unit, one of those that are paid here, and how much of it; '' for a code whose amount the unit cannot have. */
export function askedBy({ account, merchant }: Pick<Extract<Code, { kind: 'shop' }>, 'account' | 'merchant'>, units: readonly Unit[]): { unit: Unit; amount: number | undefined } | { other: string } {
  const code = account.unit ?? merchant.currency
  const unit = units.find((u) => u.code === code)
  if (!unit) return { other: code }
  try { return { unit, amount: amountOf(merchant, unit.exponent) } } catch { return { other: '' } }
}

interface Asking { unit: Unit; amount?: number | undefined; /** That the payment shall have, so that one code is one payment at most. */ id?: string; for?: string }

/** codeOf is the code of a shop: the one that hangs there, or one for a purchase. It throws a CodeError for an address that is too long for one, and a percentage that is none. */
export function codeOf(jid: string, shop: Shop, { unit, amount, id, for: what }: Asking): string {
  const known = exponentOf(unit.code) !== undefined
  const purpose = cut(what ?? '', 25)
  return writeMerchant({
    dynamic: id !== undefined, accounts: [{ name: palabre, fields: { '01': jid, ...(known ? {} : { '02': unit.code }), ...(id ? { '03': id } : {}) } }], category: '0000', currency: known ? unit.code : 'XXX',
    ...(amount ? { amount: decimal(amount, unit.exponent) } : {}), ...(shop.tip ? { tip: shop.tip } : {}), country: shop.country, name: cut(shop.name, limits.name) || jid.slice(0, limits.name), city: cut(shop.city, limits.city) || '-', additional: purpose ? { '08': purpose } : {},
  })
}

/**
 * idsFor is what a code's id means: that of a request, which is paid by a payment with an id of its own (`own`), or the id that the payment itself takes, so that the code is paid once. Only a service
 * that says that it has no such request makes it the second; it fails where nobody could say that.
 */
export async function idsFor(id: string | undefined, own: string, look: (id: string) => Promise<unknown>): Promise<{ id: string; of?: string }> {
  if (!id) return { id: own }
  try {
    await look(id)
    return { id: own, of: id }
  } catch (error) {
    if ((error as { condition?: string } | undefined)?.condition !== 'item-not-found') throw error
    return { id }
  }
}
