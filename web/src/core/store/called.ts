// The names by which databases are found; apart, so that the first picture can be read without the rest of the store.

import type { JID } from '../model.ts'

/** The database that says which accounts are here. */
export const registryName = 'palabre'

/** The name of an account's database. */
export const databaseName = (account: JID): string => 'palabre:' + account
