// Statuses as they are kept: for a day, and then gone with their files and with who has looked at them.

import type { JID, Micros } from '../model.ts'
import type { Audience, Status } from '../status.ts'
import type { Change, Look } from './database.ts'
import { dropFile } from './files.ts'
import { get } from './kv.ts'
import { decisionsOf } from './settings.ts'

/** A status with what only the engine needs. */
export interface KeptStatus extends Omit<Status, 'views' | 'muted'> {
  /** See keyOf. */
  key: string
  /** Its author was told that we have looked, or is not to be told. */
  told?: boolean
  /** Of one that waits: whom it is for. */
  audience?: Audience
  /** Of ours: for whom it was encrypted; unknown on our other devices. */
  readers?: JID[]
  /** It is to be taken back: nobody is shown it. */
  gone?: true
}

/** Who looked at which status; our own account for what we have looked at elsewhere. */
export interface KeptView { id: string; jid: JID; time: Micros }

/** Under what a status is kept. */
export const keyOf = (author: JID, id: string): string => `${author} ${id}`

/** Views are kept for so long: twice as long as a status lives. */
const VIEWS_LIFE = 2 * 24 * 3600e6
/** Statuses that are kept; beyond, none come in. */
export const MAX_STATUSES = 5000

/** Says whether somebody's statuses are muted. */
export const isStatusMuted = async (from: Look, jid: JID): Promise<boolean> => (await decisionsOf(from, jid)).statusMuted?.value === true

/** Removes what is over by now. Gives whether there was something. */
export async function dropOver(tx: Change, now: Micros): Promise<boolean> {
  const over = await tx.objectStore('statuses').index('expires').getAll(IDBKeyRange.upperBound(now))
  for (const status of over) await dropStatus(tx, status)
  for (let c = await tx.objectStore('statusViews').index('time').openCursor(IDBKeyRange.upperBound(now - VIEWS_LIFE)); c; c = await c.continue()) await c.delete()
  return over.length > 0
}

/** Removes one. */
export async function dropStatus(tx: Change, { key, content }: KeptStatus): Promise<void> {
  if (content && 'media' in content) await dropFile(tx, content.media.key)
  await tx.objectStore('statuses').delete(key)
}

/** Notes until when something new stands among the statuses: what the dot at the tab says. */
export async function noteNew(tx: Change, now: Micros): Promise<void> {
  let status = 0
  const blocked = new Set(await get(tx, 'blocked') ?? [])
  for (const one of await tx.objectStore('statuses').getAll()) {
    if (one.own || one.seen || one.unreadable || one.expires <= Math.max(now, status) || blocked.has(one.author) || await isStatusMuted(tx, one.author)) continue
    status = one.expires
  }
  await tx.objectStore('kv').put({ ...await get(tx, 'updates'), status }, 'updates')
}
