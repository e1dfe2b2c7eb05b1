// Stands in for src/app/open.ts when the demo is built.
import type { Engine } from '../../src/core/engine.ts'
import type { Accounts } from '../../src/core/accounts.ts'
import { demoAccounts } from './accounts.ts'
import { DemoEngine } from './engine.ts'

/** open makes an engine that lives in memory; ?many=10000 makes a long chat, ?net=offline cuts the line, ?empty has no chats. */
export async function open(): Promise<Engine | undefined> {
  const query = new URLSearchParams(location.search)
  const demo = new DemoEngine({ many: Number(query.get('many') ?? 0), offline: query.get('net') === 'offline', empty: query.has('empty') })
  Object.assign(globalThis, { demo })
  return demo
}

/** accounts gives what screens ask before somebody is signed in. */
export async function accounts(): Promise<Accounts> {
  return demoAccounts
}
