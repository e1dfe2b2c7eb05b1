// What somebody does with a notification, kept from the service worker: it has the database and no keys. An answer is written as the chat itself would write
// it, message and errand in one step, so that it is sent once by whichever tab leads, now or at the next start (sender.ts). What was told of and is
// not here yet is noted as seen, and told to the contact and to our other devices when it has come.

import type { JID, Message, Micros } from '../model.ts'
import { openAccount, type Database } from '../store/database.ts'
import { choicesOf, get } from '../store/kv.ts'
import { News } from './changes.ts'
import { Desk } from './desk.ts'

/** Does something with the database of an account, and tells the tabs. */
async function within<T>(account: JID, work: (db: Database, desk: Desk, news: News) => Promise<T>): Promise<T> {
  const db = await openAccount(account)
  const news = new News(account)
  try {
    return await work(db, new Desk(db, account, news), news)
  } finally {
    news.close()
    db.close()
  }
}

/**
 * Keeps an answer, and that what was told of up to a time (microseconds, the device's clock) was seen. Fulfilled with the id of the message when
 * it is on the disk; otherwise nothing was kept: StorageFull, StorageBroken, OutboxFull, Unusable. What is being written in the chat stays.
 */
export function answer(account: JID, chat: JID, text: string, upTo: Micros): Promise<string> {
  return within(account, async (db, desk) => {
    if (upTo) await see(db, desk, chat, upTo).catch(() => undefined) // less than the answer, which must not fail with it
    return (await desk.send(chat, { text }, true)).id
  })
}

/** Marks a chat as read up to a time (microseconds, the device's clock). */
export function markRead(account: JID, chat: JID, upTo: Micros): Promise<void> {
  return within(account, (db, desk) => see(db, desk, chat, upTo))
}

async function see(db: Database, desk: Desk, chat: JID, time: Micros): Promise<void> {
  const upTo = time + (await get(db, 'skew') ?? 0)
  await desk.noteSeen(chat, upTo)
  await desk.seen(chat, (await choicesOf(db)).readReceipts, false)
}

/** Waits until a message has left, at most so many milliseconds; gives how it stands then. One that is gone was taken back, and waits no more. */
export function left(account: JID, id: string, within_: number): Promise<NonNullable<Message['state']>> {
  return within(account, (db, _, news) => new Promise((resolve) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = async (last: boolean): Promise<void> => {
      const message = await db.get('messages', id).catch(() => undefined)
      const state = message ? message.state ?? 'sent' : 'sent'
      if (state === 'waiting' && !last) return
      clearTimeout(timer)
      stop()
      resolve(state)
    }
    const stop = news.listen((c) => { if (c.outbox || c.messages) void look(false) })
    timer = setTimeout(() => void look(true), within_)
    void look(false)
  }))
}

/** All that is kept has come: what was seen in notifications is told, chat by chat. */
export async function tellSeen(db: Database, desk: Desk): Promise<void> {
  const tells = (await choicesOf(db)).readReceipts
  for (const key of await db.getAllKeys('kv', IDBKeyRange.bound('seen ', 'seen!'), 1000)) await desk.seen(key.slice('seen '.length), tells, true)
}
