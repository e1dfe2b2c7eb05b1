// What a person does is put into the database in one step, with what has to leave because of it; and everybody who shows it is told.

import type { JID, Micros } from '../model.ts'
import { countUnread, refreshLast } from '../store/chats.ts'
import { change, everything, type Change, type Database, type KeptMessage } from '../store/database.ts'
import { get } from '../store/kv.ts'
import type { Step } from './apply.ts'
import { Collector, type News } from './changes.ts'

/** Text of a message, in characters: what fits into a stanza even when it is encrypted for many devices. */
export const MAX_TEXT = 60_000

/** It cannot be kept or sent as it is: too long, empty, or about something that is not there. */
export class Unusable extends Error {
  override readonly name = 'Unusable'
}

/** The steps of one account. */
export abstract class DeskSteps {
  constructor(private readonly db: Database, protected readonly account: JID, private readonly news: News) {}

  /** Now, by the server's clock as far as it is known: a wrong clock of the device must not mix the order up. */
  private async now(tx: Change): Promise<Micros> {
    return Date.now() * 1000 + (await get(tx, 'skew') ?? 0)
  }

  protected step<T>(work: (step: Step) => Promise<T>, durability: 'strict' | 'relaxed' = 'strict'): Promise<T> {
    return this.stepWith(() => Promise.resolve(undefined), work, durability)
  }

  /** A step that begins with reading: all that is read is asked for at the same time. */
  protected async stepWith<R, T>(read: (tx: Change) => Promise<R>, work: (step: Step, found: R) => Promise<T>, durability: 'strict' | 'relaxed' = 'strict'): Promise<T> {
    const changes = new Collector()
    const result = await change(this.db, everything, async (tx) => {
      const [now, found] = await Promise.all([this.now(tx), read(tx)])
      return work({ tx, account: this.account, now, changes }, found)
    }, durability)
    this.news.tellSoon(changes.all) // who asked for it goes on first, and shows what it knows; the others read it again
    return result
  }

  protected async find(step: Step, id: string): Promise<KeptMessage> {
    const message = await step.tx.objectStore('messages').get(id)
    if (!message) throw new Unusable('no such message')
    return message
  }

  protected async refresh(step: Step, jid: JID): Promise<void> {
    const chat = await step.tx.objectStore('chats').get(jid)
    if (!chat) return
    await refreshLast(step.tx, chat)
    Object.assign(chat, await countUnread(step.tx, chat))
    await step.tx.objectStore('chats').put(chat)
    step.changes.chat(jid)
  }
}
