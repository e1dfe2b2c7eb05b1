// What came before the message that it is about: a correction, a retraction, a reaction or a receipt may overtake its message, or be read from
// the archive before it. It waits here, bounded in number and in time, under the name of that message.

import type { Micros } from '../model.ts'
import type { Change } from './database.ts'

/** How many wait at most in all, and for one message. The oldest make room. */
const MAX = 5000
const MAX_EACH = 50

/** Lets something wait for a message. */
export async function wait(tx: Change, target: string, what: unknown, time: Micros): Promise<void> {
  const store = tx.objectStore('later')
  if (await store.index('target').count(target) >= MAX_EACH) return
  if (await store.count() >= MAX) await (await store.index('time').openCursor())?.delete()
  await store.add({ target, what, time })
}

/** Takes what waited for a message, in the order in which it was said. */
export async function take(tx: Change, names: string[]): Promise<unknown[]> {
  const store = tx.objectStore('later')
  const found = []
  for (const name of names) found.push(...await store.index('target').getAll(name))
  for (const one of found) if (one.id !== undefined) await store.delete(one.id)
  return found.sort((a, b) => a.time - b.time).map((one) => one.what)
}
