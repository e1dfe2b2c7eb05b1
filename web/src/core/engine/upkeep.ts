// What an account's data needs from time to time: messages that have to disappear go, lines about new devices come, room is made.

import type { DeviceNotice, JID, Micros } from '../model.ts'
import { countUnread, refreshLast } from '../store/chats.ts'
import { change, everything, type Change, type Database, type KeptMessage } from '../store/database.ts'
import { dropFile, makeRoom } from '../store/files.ts'
import { drop, freePlace, mediaOf, newestPlace, put, waits } from '../store/messages.ts'
import { Collector, type News } from './changes.ts'

/** Messages that one step takes away. */
const AT_ONCE = 200
/** Longest wait for the next look, in milliseconds; timers of browsers end at 2^31. */
const LONGEST = 3600_000

/** Removes messages whose time is over (XEP-0466), now and whenever the next one's is. */
export class Vanishing {
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly stop: () => void
  private ended = false

  constructor(private readonly db: Database, private readonly news: News, private readonly now: () => Micros) {
    this.stop = news.listen((c) => { if (c.messages) this.look(1000) })
    this.look(0)
  }

  private look(wait: number): void {
    clearTimeout(this.timer)
    if (!this.ended) this.timer = setTimeout(() => void this.sweep().catch(() => this.look(LONGEST)), wait)
  }

  private async sweep(): Promise<void> {
    const over = IDBKeyRange.upperBound(this.now())
    if (await this.db.getKeyFromIndex('messages', 'expires', over) !== undefined) {
      const changes = new Collector()
      await change(this.db, everything, async (tx) => vanish(tx, await tx.objectStore('messages').index('expires').getAll(over, AT_ONCE), changes))
      this.news.tell(changes.all)
    }
    const cursor = await this.db.transaction('messages').store.index('expires').openKeyCursor()
    const next = cursor?.key
    if (typeof next === 'number') this.look(Math.max(0, Math.min(LONGEST, (next - this.now()) / 1000)))
  }

  end(): void {
    this.ended = true
    clearTimeout(this.timer)
    this.stop()
  }
}

async function vanish(tx: Change, over: KeptMessage[], changes: Collector): Promise<void> {
  // What did not leave stays until it does, or a person takes it away.
  const messages = over.filter((m) => !waits(m))
  for (const m of over.filter(waits)) await put(tx, { ...m, expiresAt: Infinity }, false)
  for (const m of messages) {
    const media = mediaOf(m.content)
    if (media) await dropFile(tx, media.key)
    for (const name of m.names) await tx.objectStore('gone').put(m.time, name)
    changes.remove(m.chat, [m.id])
  }
  await drop(tx, messages.map((m) => m.id))
  for (const jid of new Set(messages.map((m) => m.chat))) {
    const chat = await tx.objectStore('chats').get(jid)
    if (!chat) continue
    await refreshLast(tx, chat)
    Object.assign(chat, await countUnread(tx, chat))
    await tx.objectStore('chats').put(chat)
    changes.chat(jid)
  }
}

/** Puts a line into the chat for each new device or key of its contact, once: such a thing is never silent. */
export async function showNotices(db: Database, news: News, account: JID, notices: DeviceNotice[]): Promise<void> {
  const changes = new Collector()
  await change(db, everything, async (tx) => {
    for (const notice of notices) {
      const chat = await tx.objectStore('chats').get(notice.jid)
      const id = 'notice ' + notice.id
      if (!chat || notice.jid === account || await tx.objectStore('messages').getKey(id) || await tx.objectStore('gone').getKey(id)) continue
      const order = await freePlace(tx, chat.jid, Math.max(notice.time, (await newestPlace(tx, chat.jid) ?? 0) + 1))
      const key = (notice.type === 'new-key' ? 'key-changed' : 'new-device') + (notice.trust === 'undecided' || notice.trust === 'distrusted' ? '-waits' : '')
      await put(tx, {
        id, chat: chat.jid, order, time: notice.time, from: notice.jid, own: false, content: { type: 'system', key, values: { name: chat.name } }, names: [id], shelves: [], protection: 'omemo',
      }, false)
      changes.message(chat.jid, id)
    }
  })
  news.tell(changes.all)
}

/** The device is full: what can be fetched again goes, down to half. Gives whether there is more room now. */
export async function freeRoom(db: Database): Promise<boolean> {
  let total = 0
  for (const file of await db.getAll('files')) if (!file.only) total += file.size
  if (!total) return false
  return await change(db, ['files', 'blobs'], (tx) => makeRoom(tx, Math.floor(total / 2))) > 0
}
