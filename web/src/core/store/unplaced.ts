// From where on messages of ours may be in the archive at places that are not known; the encrypted history asks for them before it is written.

import type { Micros } from '../model.ts'
import type { Change } from './database.ts'
import { get } from './kv.ts'

/** Notes in a step that messages of ours may be in the archive at places that are not known, from here on. */
export async function noteUnplaced(tx: Change, since: Micros): Promise<void> {
  const before = await get(tx, 'unplaced')
  if (before === undefined || since < before) await tx.objectStore('kv').put(since, 'unplaced')
}
