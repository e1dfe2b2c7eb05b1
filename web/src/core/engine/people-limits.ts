// How many people an account may know here.

/** Contacts that an account may have here; further ones are left out. */
export const MAX_CONTACTS = 20_000

/** The account has as many contacts as it may have. */
export class TooManyContacts extends Error {
  override readonly name = 'TooManyContacts'
}
