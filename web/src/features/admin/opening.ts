// When an administrator may let a wallet go on, and what that does.
import type { Facts } from '../../core/engine.ts'

type Says = 'adm.goOnText' | 'adm.goOnShut' | 'adm.goOnFrozen' | 'adm.keysShut'

/**
 * openingOf is whether a wallet can be let go on: one that the operator has stopped, or that is frozen and whose owner has no key left. `shut` ones whose owner has keys (`keyed`, undefined while
 * nobody knows) stay frozen until two administrators have said which of them stay: `byKeys`. `says` are the texts of what comes of going on; `ownerOpens`: only its owner can open it.
 */
export function openingOf(facts: Facts, keyed: boolean | undefined): { mayGoOn: boolean; ownerOpens: boolean; byKeys: boolean; says: Says[] } {
  const [stopped, frozen, shut] = [facts['stopped'] === 'true', !!facts['frozen'], facts['shut'] === 'true']
  const none = shut && keyed === false
  const still: Says = none ? 'adm.goOnShut' : shut ? 'adm.keysShut' : 'adm.goOnFrozen'
  return { mayGoOn: stopped || none, ownerOpens: frozen && !stopped && !shut, byKeys: shut && !stopped && keyed === true, says: [...(stopped ? ['adm.goOnText' as const] : []), ...(frozen ? [still] : [])] }
}
