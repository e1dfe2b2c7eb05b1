// The door in a browser.

import { Accounts } from '../store/accounts.ts'
import { current } from './current.ts'
import { Door } from './door.ts'
import { deviceName } from './summary.ts'

/** What somebody may do who is not in yet. */
export async function openDoor(): Promise<Door> {
  return new Door(await Accounts.open(), { origin: location.origin, fetch: (...args) => fetch(...args), device: deviceName(navigator.userAgent) },
    (code) => current()?.recover(code) ?? Promise.reject(new Error('no account is open')))
}
