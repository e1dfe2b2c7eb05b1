// Where the engine comes from. The screens know only core/engine.ts; this is the one place that knows who keeps that promise.
import type { Accounts } from '../core/accounts.ts'
import type { Engine } from '../core/engine.ts'

declare const __VERSION__: string | undefined
const version = typeof __VERSION__ === 'string' ? __VERSION__ : 'dev'

/** open starts the engine of the account in use; undefined when nobody is signed in on this device. */
export async function open(): Promise<Engine | undefined> {
  const { openEngine } = await import('../core/engine/open.ts')
  return openEngine(version, () => location.assign('/'))
}

/** accounts gives what screens ask before somebody is signed in; loaded when it is first needed. */
export async function accounts(): Promise<Accounts> {
  const { openDoor } = await import('../core/engine/door-open.ts')
  return openDoor()
}
