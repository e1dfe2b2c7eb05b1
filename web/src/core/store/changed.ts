// Messages that changed after they may have been written into the encrypted history, noted in the step that changes them, so that nothing is left out
// when the tab ends before they are written anew.

import type { Change, KeptMessage } from './database.ts'
import { get, type Gone } from './kv.ts'

/** Changed messages that are remembered one by one; with more, everything is written anew. */
export const MAX_CHANGED = 2000
/** Stands for every message. */
export const ALL = 0

/** Messages that were deleted for us alone, of which our other devices are told in the history. */
const MAX_GONE = 2000

/** Notes in a step that a message was deleted for us alone, so that it goes from our other devices, too. */
export async function noteGone(tx: Change, message: KeptMessage): Promise<void> {
  const { chat, from, archiveId, originId } = message
  if (message.protection !== 'omemo' || message.content.type === 'system' || (!archiveId && !originId)) return
  const { list } = await get(tx, 'history gone') ?? { list: [] }
  const one: Gone = { chat, from, ...(archiveId ? { id: archiveId } : {}), ...(originId ? { origin: originId } : {}) }
  await tx.objectStore('kv').put({ list: [...list, one].slice(-MAX_GONE), told: false }, 'history gone')
}

type Written = Pick<KeptMessage, 'archiveId' | 'protection' | 'expiresAt'>
const isWritten = (m: Written): m is Written & { archiveId: number } => !!m.archiveId && m.protection === 'omemo' && !m.expiresAt

/** The same of many at once. */
export async function noteAllChanged(tx: Change, messages: Written[]): Promise<void> {
  const before = await get(tx, 'history changed') ?? []
  const ids = messages.filter(isWritten).map((m) => m.archiveId)
  if (!ids.length || before.includes(ALL)) return
  const now = [...new Set([...before, ...ids])]
  await tx.objectStore('kv').put(now.length <= MAX_CHANGED ? now : [ALL], 'history changed')
}

/** Notes in a step that a message is not any more as the history may have it, or came to a place that the history has passed. */
export async function noteChanged(tx: Change, message: Written): Promise<void> {
  if (!isWritten(message)) return
  const before = await get(tx, 'history changed') ?? []
  if (before.includes(message.archiveId) || before.includes(ALL)) return
  await tx.objectStore('kv').put(before.length < MAX_CHANGED ? [...before, message.archiveId] : [ALL], 'history changed')
}
