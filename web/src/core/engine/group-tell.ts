// Lines that this device puts into a group's chat when it sends: that some cannot read it, that it cannot be encrypted for so many. Loaded when there is something to say.

import type { Chat, Content, JID, Micros } from '../model.ts'
import { change, everything, type Change, type Database } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { memberOf } from '../store/members.ts'
import { freePlace, newestPlace, put } from '../store/messages.ts'
import { previewOf } from '../store/chats.ts'
import { freshId } from './apply.ts'
import { Collector, type News } from './changes.ts'
import { nameIn } from './group-change.ts'

type SystemLine = Omit<Extract<Content, { type: 'system' }>, 'type'>

/** People that the line about those without keys names. */
const MAX_NAMED = 10

/** These members have no device that reads what is encrypted. Each is told of once; who gets keys, and loses them again, once more. */
export async function tellKeyless(db: Database, news: News, now: Micros, room: JID, who: JID[]): Promise<void> {
  const changes = new Collector()
  await change(db, everything, async (tx) => {
    const before = await get(tx, `keyless ${room}`) ?? []
    await tx.objectStore('kv').put(who, `keyless ${room}`)
    for (const jid of new Set([...before, ...who])) {
      const member = await memberOf(tx, room, jid)
      if (!member) continue
      const { keyless: _, ...rest } = member
      await tx.objectStore('members').put(who.includes(jid) ? { ...rest, keyless: true } : rest)
    }
    const fresh = who.filter((jid) => !before.includes(jid))
    const chat = await tx.objectStore('chats').get(room)
    if (!chat || !fresh.length) return
    const named = fresh.slice(0, MAX_NAMED)
    const names = await Promise.all(named.map((jid) => nameIn({ tx }, room, jid)))
    const values = { who: names.join(', '), more: String(fresh.length - named.length || '') }
    await putLine(tx, changes, chat, now, { key: 'group-keyless', values, who: named })
  }, 'relaxed')
  news.tell(changes.all)
}

/** A community has more devices than can be encrypted for: from now on its announcements are not encrypted. */
export async function tellLarge(db: Database, news: News, now: Micros, room: JID): Promise<void> {
  const changes = new Collector()
  await change(db, everything, async (tx) => {
    const chat = await tx.objectStore('chats').get(room)
    if (!chat?.group || chat.group.large) return
    await putLine(tx, changes, { ...chat, protection: 'none', group: { ...chat.group, large: true } }, now, { key: 'group-large' })
  })
  news.tell(changes.all)
}

/** Puts a line at the end of a chat. */
async function putLine(tx: Change, changes: Collector, chat: Chat, time: Micros, line: SystemLine): Promise<void> {
  const id = freshId()
  const order = await freePlace(tx, chat.jid, Math.max(time, (await newestPlace(tx, chat.jid) ?? 0) + 1))
  const message = { id, chat: chat.jid, order, time, from: chat.jid, own: false, content: { type: 'system' as const, ...line }, names: [id], shelves: [], protection: chat.protection }
  await put(tx, message, false)
  await tx.objectStore('chats').put({ ...chat, last: previewOf(message), time })
  changes.message(chat.jid, id)
  changes.chat(chat.jid)
}
