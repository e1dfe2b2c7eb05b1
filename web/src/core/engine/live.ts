// A place that is followed: one message, whose place is corrected while its sender moves, until its time is over or they end it. What is kept here at
// once leaves by an errand; of several that wait the last is enough.

import type { JID, Micros, Place } from '../model.ts'
import { noteChanged } from '../store/changed.ts'
import { change, everything, type Database } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { put } from '../store/messages.ts'
import { add, errandsOf } from '../store/outbox.ts'
import { freshId } from './apply.ts'
import { Collector, type News } from './changes.ts'

/** It is no place of ours that is followed. */
export class NotFollowed extends Error {
  override readonly name = 'NotFollowed'
}

/** Says where we are now; without a place it ends. False when its time was over before. */
export async function move(db: Database, news: News, id: string, place?: Place): Promise<boolean> {
  const changes = new Collector()
  const moved = await change(db, everything, async (tx) => {
    const now: Micros = Date.now() * 1000 + (await get(tx, 'skew') ?? 0)
    const message = await tx.objectStore('messages').get(id)
    if (!message?.own || message.retracted || message.content.type !== 'location' || message.content.liveUntil === undefined) throw new NotFollowed()
    const { content } = message
    const until = message.content.liveUntil
    if (until <= now) return false
    const next = { latitude: content.latitude, longitude: content.longitude, accuracy: content.accuracy, ...place, liveUntil: place ? until : now, ...(content.label ? { label: content.label } : {}) }
    message.content = { type: 'location', ...next }
    message.edited = now
    await put(tx, message, false)
    await noteChanged(tx, message)
    for (const e of await errandsOf(tx, id)) if (e.task.what === 'place' && e.state !== 'tried') await tx.objectStore('outbox').delete(e.seq)
    await add(tx, { chat: message.chat as JID, id: freshId(), message: id, task: { what: 'place', place: next }, since: now })
    changes.message(message.chat, id)
    changes.mark('outbox')
    return true
  })
  news.tell(changes.all)
  return moved
}
