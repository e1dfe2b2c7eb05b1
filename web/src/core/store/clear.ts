// Clearing a chat: what stands in it up to a place goes, here and on the account's other devices (docs/protocol/chat-settings.md), and out of the encrypted
// history, and does not come again from the archive. What comes later stays.

import type { JID, Micros } from '../model.ts'
import { dropActs } from './acts.ts'
import { noteAllChanged, noteGone } from './changed.ts'
import { countUnread, refreshLast } from './chats.ts'
import type { Change, KeptMessage } from './database.ts'
import { dropFile } from './files.ts'
import { get } from './kv.ts'
import { mediaOf, waits } from './messages.ts'

/** How much later than here the archive may number what we have sent, in microseconds. */
const LATER = 2e6

/** Up to which place a chat is cleared when all that is here goes: what the archive has not numbered yet is counted in, what comes after now is not. Lines
 * of this device's own stand where its clock said, which may be a time to come. */
export async function clearingPlace(tx: Change, chat: JID, now: Micros): Promise<Micros> {
  let place = 0
  for (let c = await tx.objectStore('messages').index('place').openCursor(whole(chat)); c; c = await c.continue()) {
    const { archiveId, order, content } = c.value
    if (archiveId) place = Math.max(place, archiveId)
    else if (content.type !== 'system' && !waits(c.value)) place = Math.max(place, Math.min(order + LATER, now))
  }
  return place
}

/** Removes what stands up to a place, or with `all`, the time now, everything that is here; what waits to leave stays otherwise. Of ours that the archive has
 * not numbered here, and may number after the place, the other devices are told one by one. Gives the ids of what went. */
export async function clearUpTo(tx: Change, chat: JID, place: Micros, all?: Micros): Promise<string[]> {
  const gone: KeptMessage[] = []
  for (let c = await tx.objectStore('messages').index('place').openCursor(whole(chat)); c; c = await c.continue()) {
    if (!all && ((c.value.archiveId ?? c.value.order) > place || waits(c.value))) continue
    gone.push(c.value)
    await c.delete()
  }
  if (all !== undefined) await dropActs(tx, chat)
  for (const m of gone) {
    const media = mediaOf(m.content)
    if (media) await dropFile(tx, media.key)
    await tx.objectStore('words').delete(m.id)
    if (all === undefined || !m.own || m.archiveId || waits(m)) continue
    await noteGone(tx, m)
    for (const name of m.names) await tx.objectStore('gone').put(all, name)
  }
  await noteAllChanged(tx, gone)
  if (place > (await get(tx, `cleared ${chat}`) ?? 0)) await tx.objectStore('kv').put(place, `cleared ${chat}`)
  const row = await tx.objectStore('chats').get(chat)
  if (row && gone.length) {
    await refreshLast(tx, row)
    Object.assign(row, await countUnread(tx, row))
    await tx.objectStore('chats').put(row)
  }
  return gone.map((m) => m.id)
}

const whole = (chat: JID) => IDBKeyRange.bound([chat, -Infinity], [chat, Infinity])
