// What becomes of the files of messages that wait to leave.

import type { Failure, Media } from '../model.ts'
import { previewOf } from '../store/chats.ts'
import type { Change, KeptMessage } from '../store/database.ts'
import { keepFile } from '../store/files.ts'
import { mediaOf, put } from '../store/messages.ts'
import { errandsOf } from '../store/outbox.ts'
import type { Step } from './apply.ts'
import { DeskChats } from './desk-chats.ts'

/** Has what was written to a broadcast list leave to each of its people, in this step (broadcast.ts). */
export type FanOut = (step: Step, message: KeptMessage) => Promise<void>

/** What transfers do to messages. */
export abstract class DeskFiles extends DeskChats {
  /** The file of a message is on the server: the message can leave, and the bytes here can be fetched again. What was written to a broadcast list
   * leaves in the same step: the file was put there once, and each gets its key. */
  uploaded(id: string, url: string, fanOut?: FanOut): Promise<void> {
    return this.step(async (step) => {
      const { tx, changes } = step
      const message = await tx.objectStore('messages').get(id)
      const media = message && mediaOf(message.content)
      if (!message || !media) return
      media.url = url
      delete media.transfer
      await tx.objectStore('kv').delete(`transfer ${id}`)
      const file = await tx.objectStore('files').get(media.key)
      if (file) await tx.objectStore('files').put({ ...file, only: false, upload: undefined })
      await put(tx, message, false)
      changes.message(message.chat, id)
      changes.mark('outbox')
      if (!fanOut) return
      for (const e of await errandsOf(tx, id)) await tx.objectStore('outbox').delete(e.seq)
      await fanOut(step, message)
    })
  }

  /** Another file takes the place of a message's file: a picture that was made smaller, or a moving one `as` a video. */
  replaceFile(id: string, blob: Blob, facts: Partial<Media>, as?: 'video'): Promise<void> {
    return this.step(async (step) => {
      const message = await step.tx.objectStore('messages').get(id)
      const media = message && mediaOf(message.content)
      if (!message || !media || media.url) return
      Object.assign(media, facts)
      if (as && 'media' in message.content) message.content = { ...message.content, type: as }
      await keepFile(step.tx, { key: media.key, chat: message.chat, only: true, used: step.now }, blob)
      await put(step.tx, message, false)
      step.changes.message(message.chat, id)
    })
  }

  /** A message cannot leave; a person has to decide. */
  fail(id: string, failure: Failure): Promise<void> {
    return this.step(async (step) => {
      const message = await step.tx.objectStore('messages').get(id)
      if (!message || message.state !== 'waiting') return
      Object.assign(message, { state: 'failed', failure })
      const media = mediaOf(message.content)
      if (media?.transfer) media.transfer = { ...media.transfer, state: 'failed', failure }
      await step.tx.objectStore('kv').delete(`transfer ${id}`)
      await put(step.tx, message, false)
      for (const e of await errandsOf(step.tx, id)) await step.tx.objectStore('outbox').put({ ...e, state: 'failed', failure })
      step.changes.message(message.chat, id)
      step.changes.mark('outbox')
      await this.refresh(step, message.chat)
    })
  }

  /** Changes a message by hand: what transfers do. */
  alter(id: string, work: (message: KeptMessage, tx: Change) => boolean | Promise<boolean>): Promise<void> {
    return this.step(async (step) => {
      const message = await step.tx.objectStore('messages').get(id)
      if (!message || !await work(message, step.tx)) return
      await put(step.tx, message, false)
      step.changes.message(message.chat, id)
      const chat = await step.tx.objectStore('chats').get(message.chat)
      if (chat?.last?.id !== id) return
      chat.last = previewOf(message)
      await step.tx.objectStore('chats').put(chat)
      step.changes.chat(chat.jid)
    }, 'relaxed')
  }
}
