// When an administrator may let a wallet go on, and what that does.
import type { Facts } from '../../core/engine.ts'

/**
 * openingOf is whether a wallet can be let go on: one that the operator has stopped, or that its owner has frozen and no key of theirs can open (`shut`). `says` are the texts of what comes of it;
 * `ownerOpens`: only its owner can.
 */
export function openingOf(facts: Facts): { mayGoOn: boolean; ownerOpens: boolean; says: ('adm.goOnText' | 'adm.goOnShut' | 'adm.goOnFrozen')[] } {
  const [stopped, frozen, shut] = [facts['stopped'] === 'true', !!facts['frozen'], facts['shut'] === 'true']
  return { mayGoOn: stopped || shut, ownerOpens: frozen && !stopped && !shut, says: [...(stopped ? ['adm.goOnText' as const] : []), ...(frozen ? [shut ? 'adm.goOnShut' as const : 'adm.goOnFrozen' as const] : [])] }
}
