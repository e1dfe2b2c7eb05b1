// Passwords that are made for people: strong, and typed on any keyboard without looking twice.

const consonants = 'bdfghjkmnprstvz'
const vowels = 'aeiou'
const groups = 5

/** A letter of a set, each equally likely. */
function pick(set: string): string {
  const limit = 256 - (256 % set.length)
  const one = new Uint8Array(1)
  do crypto.getRandomValues(one); while ((one[0] ?? 255) >= limit)
  return set.charAt((one[0] ?? 0) % set.length)
}

/** makePassword gives five groups of two syllables and two digits, such as "kavu-rime-toba-fesi-dano-47": 68 random bits. */
export function makePassword(): string {
  const syllable = (): string => pick(consonants) + pick(vowels)
  const words = Array.from({ length: groups }, () => syllable() + syllable())
  return [...words, pick('23456789') + pick('23456789')].join('-')
}

/** shortest is how many characters a password has at least. */
export const shortest = 10

interface Keeping { PasswordCredential?: new (data: { id: string; password: string; name?: string }) => Credential }

/** offerToBrowser has the browser ask whether to keep the password, where it can be asked; elsewhere it asks by itself when the form is sent. */
export async function offerToBrowser(address: string, password: string): Promise<void> {
  const Kept = (globalThis as Keeping).PasswordCredential
  if (!Kept) return
  try { await navigator.credentials.store(new Kept({ id: address, password, name: address })) } catch { /* the person declined, or the browser will not */ }
}
