// What a person may be called: the local part of an address.
import type { Accounts } from '../../core/accounts.ts'

const usable = /^[\p{L}\p{N}](?:[\p{L}\p{N}._-]{0,62}[\p{L}\p{N}])?$/u

/** tidy makes a name of what was typed: small letters, no spaces around, dots for the spaces within. */
export const tidy = (typed: string): string => typed.normalize('NFC').trim().toLowerCase().replace(/\s+/g, '.').slice(0, 64)

/** wellFormed is whether a name can be part of an address as everybody can type it. */
export const wellFormed = (name: string): boolean => usable.test(name)

const wanted = 3

/** suggest finds up to three free names like one that is taken. */
export async function suggest(accounts: Accounts, token: string, name: string): Promise<string[]> {
  const base = name.replace(/[\d._-]+$/, '') || name
  const year = String(new Date().getFullYear() % 100)
  const any = (): string => String(10 + (crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) % 90)
  const tries = [`${base}.${year}`, `${base}${any()}`, `${base}-${any()}`, `${base}.${any()}`]
  const answers = await Promise.all(tries.map((one) => accounts.free(token, one).then((a) => a === 'free', () => false)))
  return tries.filter((_, i) => answers[i]).slice(0, wanted)
}
