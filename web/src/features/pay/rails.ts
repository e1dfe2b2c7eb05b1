// Networks outside, by which money comes in and leaves: what they are called, and what they need to know of a person.
import { signal } from '@preact/signals'
import type { JID } from '../../core/model.ts'
import type { Payment, RailOffer, Wallet } from '../../core/pay.ts'
import { plainDigits } from '../../i18n/money.ts'
import { t, type Key } from '../../i18n/t.ts'

/** In which direction money goes. */
export type Way = 'in' | 'out'

/** A network with the units that it moves in one direction. */
export interface Rail extends Pick<RailOffer, 'name' | 'title' | 'kind'> { units: string[] }

/** railsOf are the networks that move something in a direction. A unit that can be spent here alone does not leave. */
export function railsOf({ about }: Wallet, way: Way): Rail[] {
  const all = new Map<string, Rail>()
  for (const { name, title, kind, unit, in: comes, out } of about.rails) {
    const known = about.units.find((u) => u.code === unit)
    if (!known || !(way === 'in' ? comes : out && !known.closed)) continue
    const rail = all.get(name) ?? { name, title, kind, units: [] }
    rail.units.push(unit)
    all.set(name, rail)
  }
  return [...all.values()]
}

/** railParty reads `rail:NAME` and `rail:NAME:ADDRESS`, which stand where a person would; undefined for a person. */
export function railParty(party: JID): { name: string; address: string } | undefined {
  const [, name, address = ''] = /^rail:([^:]+)(?::(.*))?$/s.exec(party) ?? []
  return name === undefined ? undefined : { name, address }
}

/** railTitle is what people call a network. */
export const railTitle = (wallet: Wallet | null | undefined, name: string): string => wallet?.about.rails.find((r) => r.name === name)?.title ?? name

const titles = signal<Record<string, string>>({})

/** keepTitles keeps what the networks of a wallet are called, for lists that have no wallet at hand. */
export function keepTitles({ about }: Wallet): void {
  const now = Object.fromEntries(about.rails.map((r) => [r.name, r.title]))
  if (JSON.stringify(now) !== JSON.stringify(titles.value)) titles.value = now
}

/** titleOf is what a network is called, as far as that is known here. */
export const titleOf = (name: string): string => titles.value[name] ?? name

/** movedBy is the network that a payment goes by, and the address there, as far as it is known; undefined: it goes by none, as what the operator has issued. */
export function movedBy({ kind, payer, payee }: Pick<Payment, 'kind' | 'payer' | 'payee'>): { name: string; address: string; way: Way } | undefined {
  const party = kind === 'cashin' ? railParty(payer) : kind === 'cashout' || kind === 'cashrefund' ? railParty(payee) : undefined
  return party && party.name !== 'operator' ? { ...party, way: kind === 'cashin' ? 'in' : 'out' } : undefined
}

/** What is asked for so that a network finds the other end: its name, a hint, and what it must look like. */
export interface Need { label: Key; hint?: Key; wrong: Key; fits: RegExp; optional?: boolean }

const account: Need = { label: 'pr.account', wrong: 'pr.accountWrong', fits: /^.{1,200}$/su }
const phone: Need = { label: 'pr.phone', hint: 'pr.phoneHint', wrong: 'pr.phoneWrong', fits: /^\+?\d{6,15}$/ }
const needs: Record<Way, Partial<Record<Rail['kind'], Need>>> = {
  in: { momo: phone, sandbox: { ...account, optional: true }, other: { ...account, optional: true } },
  out: { momo: phone, pix: { label: 'pr.pixKey', hint: 'pr.pixHint', wrong: 'pr.accountWrong', fits: /^\S{1,77}$/u }, stripe: { label: 'pr.acct', wrong: 'pr.acctWrong', fits: /^acct_\w{1,60}$/ }, sandbox: account, other: account },
}

/** needOf is what a network needs to know; undefined: nothing. */
export const needOf = ({ kind }: Pick<Rail, 'kind'>, way: Way): Need | undefined => needs[way][kind]

/** addressOf is what was typed as the network writes it. */
export const addressOf = (typed: string, need: Need | undefined): string => need === phone ? plainDigits(typed).replace(/[\s().-]/g, '') : typed.trim()

/** howWords say how a network works and how long it takes. */
export const howWords = (rail: Rail, way: Way): string => t(`pr.${way}-${rail.kind}`, { name: rail.title })
