// What the sender keeps at each of its steps (sender.ts): that an errand was tried, that it is done, that a person has to decide.

import type { Chat, Failure, JID, Micros } from '../model.ts'
import { change, everything, type Database, type KeptMessage } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { put } from '../store/messages.ts'
import { senderName } from '../store/names.ts'
import { addAlso, type Errand } from '../store/outbox.ts'
import { noteUnplaced } from '../store/unplaced.ts'
import { arrivedAtServer } from './apply.ts'
import { Collector, type News } from './changes.ts'
import { noteTold, noteUntold } from './untold.ts'
import { captionId, isToldApart, type About } from './write.ts'

/** The steps that are kept. */
export abstract class SenderSteps {
  constructor(protected readonly db: Database, protected readonly account: JID, protected readonly news: News, protected readonly now: () => Micros) {}

  /** What waits in a chat is to be looked at once more. */
  protected abstract anew(chat: JID): void

  protected async aboutOf(errand: Errand): Promise<About & { plain: boolean; chat: Chat | undefined }> {
    const message = errand.message ? await this.db.get('messages', errand.message) : undefined
    const answered = message?.reply ? await this.db.get('messages', message.reply.id) : undefined
    const chat = await this.db.get('chats', errand.chat)
    return { id: errand.id, message, answered, account: this.account, plain: chat?.protection === 'none', chat, group: chat?.kind === 'group' }
  }

  /** Step 2. Nothing if the errand is gone meanwhile: retracted, or sent by another way. In the same step the words of a file get an errand of their own,
   * where some would read nothing but its address. */
  protected async mark(errand: Errand, older: boolean, sealed: KeptMessage | undefined): Promise<{ caption?: Errand } | undefined> {
    return change(this.db, ['outbox', 'kv', 'messages'], async (tx) => {
      const now = await tx.objectStore('outbox').get(errand.seq)
      if (!now || now.state !== 'new') return undefined
      if (errand.task.what === 'message' && JSON.stringify((await tx.objectStore('messages').get(errand.message))?.content) !== JSON.stringify(sealed?.content)) {
        this.anew(errand.chat) // it was corrected while it was encrypted: what is kept now leaves
        return undefined
      }
      await tx.objectStore('outbox').put({ ...now, state: 'tried', tried: now.tried ?? await get(tx, 'newest') ?? 0 })
      const message = older && errand.task.what === 'message' ? await tx.objectStore('messages').get(errand.message) : undefined
      if (!message || isToldApart(message) || !('media' in message.content) || !message.content.caption) return {}
      const id = captionId(message)
      message.names.push(senderName(this.account, id))
      await put(tx, message, false)
      return { caption: await addAlso(tx, { chat: errand.chat, id, message: message.id, task: { what: 'caption' }, since: errand.since }) }
    })
  }

  /** Step 5. */
  protected async done(errand: Errand, kept: boolean): Promise<boolean> {
    const changes = new Collector()
    await change(this.db, everything, async (tx) => {
      const now = await tx.objectStore('outbox').get(errand.seq)
      if (kept && now && now.state !== 'tried') return // it was refused before it was acknowledged
      await tx.objectStore('outbox').delete(errand.seq)
      changes.mark('outbox')
      const message = errand.task.what === 'message' ? await tx.objectStore('messages').get(errand.message) : undefined
      if (!message) return noteTold(tx, changes, errand, kept)
      if (kept && (await tx.objectStore('chats').get(errand.chat))?.kind !== 'group') await noteUnplaced(tx, errand.tried ?? await get(tx, 'newest') ?? 0)
      if (kept) await arrivedAtServer({ tx, account: this.account, now: this.now(), changes }, message)
      else delete message.state
      await this.putMessage(tx, changes, message)
    }, 'relaxed') // if the machine loses it, the archive tells it again; what is written meanwhile need not wait for the disk
    this.news.tell(changes.all)
    return true
  }

  private async putMessage(tx: Parameters<typeof put>[0], changes: Collector, message: KeptMessage): Promise<void> {
    await put(tx, message, false)
    changes.message(message.chat, message.id)
    const chat = await tx.objectStore('chats').get(message.chat)
    if (chat?.last?.id !== message.id) return
    chat.last = { ...chat.last, state: message.state }
    await tx.objectStore('chats').put(chat)
    changes.chat(chat.jid)
  }

  protected async drop(errand: Errand): Promise<boolean> {
    await change(this.db, ['outbox'], (tx) => tx.objectStore('outbox').delete(errand.seq))
    this.news.tell({ outbox: true })
    return true
  }

  /** A person has to decide. What the others of the chat say goes on. */
  protected async fail(errand: Errand, failure: Failure): Promise<boolean> {
    const changes = new Collector()
    await change(this.db, everything, async (tx) => {
      const now = await tx.objectStore('outbox').get(errand.seq)
      if (!now) return
      await tx.objectStore('outbox').put({ ...now, state: 'failed', failure })
      changes.mark('outbox')
      const message = errand.task.what === 'message' ? await tx.objectStore('messages').get(errand.message) : undefined
      if (!message) return void await noteUntold(tx, changes, now, failure)
      Object.assign(message, { state: 'failed', failure })
      await this.putMessage(tx, changes, message)
    })
    this.news.tell(changes.all)
    return true
  }
}
