// Messages that changed after they may have been written into the encrypted history, noted in the step that changes them, so that nothing is left out
// when the tab ends before they are written anew.

import type { Change, KeptMessage } from './database.ts'
import { get } from './kv.ts'

/** Changed messages that are remembered one by one; with more, everything is written anew. */
export const MAX_CHANGED = 2000
/** Stands for every message. */
export const ALL = 0

/** Notes in a step that a message is not any more as the history may have it, or came to a place that the history has passed. */
export async function noteChanged(tx: Change, message: Pick<KeptMessage, 'archiveId' | 'protection' | 'expiresAt'>): Promise<void> {
  if (!message.archiveId || message.protection !== 'omemo' || message.expiresAt) return
  const before = await get(tx, 'history changed') ?? []
  if (before.includes(message.archiveId) || before.includes(ALL)) return
  await tx.objectStore('kv').put(before.length < MAX_CHANGED ? [...before, message.archiveId] : [ALL], 'history changed')
}
