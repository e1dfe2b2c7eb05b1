// Where the engine comes from. The screens know only core/engine.ts; this is the one place that knows who keeps that promise.
import { Trouble, type Accounts } from '../core/accounts.ts'
import type { Engine } from '../core/engine.ts'

/** open starts the engine of the account in use; undefined when nobody is signed in on this device. */
export async function open(): Promise<Engine | undefined> {
  return undefined
}

/** accounts gives what screens ask before somebody is signed in; loaded when it is first needed. */
export async function accounts(): Promise<Accounts> {
  throw new Trouble('server', 'not joined yet')
}
