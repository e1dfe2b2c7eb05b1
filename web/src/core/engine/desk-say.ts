// What a person says about messages that are there: corrections, reactions, votes, pins, taking back. It is here at once, and leaves by an errand.

import { MAX_GUESTS, type Content, type Going, type LinkPreview, type Message } from '../model.ts'
import { noteChanged, noteGone } from '../store/changed.ts'
import type { KeptMessage } from '../store/database.ts'
import { dropFile } from '../store/files.ts'
import { drop, mediaOf, put } from '../store/messages.ts'
import { isMoney } from '../store/preview.ts'
import { add, addIfRoom, errandsOf, type Task } from '../store/outbox.ts'
import { isRequest } from '../store/requests.ts'
import { act, giveUpActs } from './acts.ts'
import { freshId, type Step } from './apply.ts'
import { textWith } from './content.ts'
import { DeskSteps, MAX_TEXT, Unusable } from './desk-steps.ts'
import { about } from './effects.ts'
import { keptMentions } from './points.ts'
import type { Letter, Said } from './said.ts'
import { setTimer } from './timer.ts'
import { giveUp, sendAgain, undoOf } from './untold.ts'
import { isToldApart } from './write.ts'

type Telling = Exclude<Said, { what: 'content' | 'tombstone' | 'typing' | 'timer' | 'error' | 'change' | 'moderate' | 'invite' | 'seen' | 'unread' | 'numbered' }>
type Mentions = NonNullable<Message['mentions']>

/** In a group what others said is known by its number in the log. */
const wire = (m: KeptMessage): string => (!m.own && m.author && m.stanzaId) || (m.originId ?? m.id)

/** It never left this device, and nobody else knows of it. */
const isLocal = (m: KeptMessage): boolean => m.content.type === 'system'

/** What was written to a broadcast list is taken away from all who got it. */
async function withCopies(step: Step, ids: string[], forAll: boolean): Promise<string[]> {
  if (!forAll) return ids
  const found = await Promise.all(ids.map((id) => step.tx.objectStore('messages').get(id)))
  return [...found.flatMap((m) => Object.values(m?.copies ?? {})), ...ids]
}

/** What a person does to messages. */
export abstract class DeskSay extends DeskSteps {
  /** Says something about a message: here at once, to the others by an errand. */
  private async tellAbout(step: Step, message: KeptMessage, said: Telling, task: Task): Promise<void> {
    const { account, now, changes } = step
    const undo = undoOf(message, task.what, account)
    const id = freshId()
    await this.sayHere(step, message, said, id)
    if (isLocal(message)) return
    await add(step.tx, { chat: message.chat, id, message: message.id, task, since: now, ...(undo ? { undo } : {}) })
    changes.mark('outbox')
  }

  private async sayHere(step: Step, message: KeptMessage, said: Telling, id = freshId()): Promise<void> {
    const isGroup = (await step.tx.objectStore('chats').get(message.chat))?.kind === 'group'
    const letter: Letter = {
      ...(isGroup ? { group: { nick: '' } } : {}), chat: message.chat, from: step.account, own: true, ids: [id], time: step.now, live: false, wantsReceipt: false, wantsMarker: false, protection: message.protection, says: [],
    }
    await (said.what === 'vote' || said.what === 'answer' || said.what === 'close' ? act(step, letter, said) : about(step, letter, said))
  }

  /** Corrects a text of ours. One that no server has seen yet is simply changed. */
  edit(id: string, text: string, preview?: LinkPreview, named: Mentions = []): Promise<void> {
    if (!text.trim() || text.length > MAX_TEXT) return Promise.reject(new Unusable('text'))
    return this.step(async (step) => {
      const message = await this.find(step, id)
      const media = mediaOf(message.content)
      if (!message.own || message.retracted || (message.content.type !== 'text' && !media) || message.content.type === 'once') throw new Unusable('not a text of ours')
      const content = textWith(text, media ? undefined : preview)
      const still = message.content.type === 'text' ? keptMentions(message.content.text, message.mentions ?? [], text, named) : []
      const mentions = still.length ? { mentions: still } : {}
      const errand = (await errandsOf(step.tx, id)).find((e) => e.task.what === 'message')
      if (errand && errand.state !== 'tried') {
        if (media) Object.assign(message.content, { caption: text })
        else message.content = content
        delete message.mentions
        Object.assign(message, mentions)
        await put(step.tx, message, true)
        step.changes.message(message.chat, id)
        await this.refresh(step, message.chat)
        return
      }
      await this.tellAbout(step, message, { what: 'edit', target: wire(message), content, ...mentions }, { what: 'edit', text, ...mentions, ...(content.preview ? { preview: content.preview } : {}) })
    })
  }

  /** Takes messages away: here, and with `forAll` from the others as well, as far as they are ours. */
  remove(ids: string[], forAll: boolean): Promise<void> {
    return this.step(async (step) => {
      for (const id of await withCopies(step, ids.slice(0, 500), forAll)) {
        const message = await step.tx.objectStore('messages').get(id)
        if (message) await (forAll && message.own && !isMoney(message.content) ? this.retract(step, message) : this.forget(step, message))
      }
    })
  }

  private async retract(step: Step, message: KeptMessage): Promise<void> {
    const errands = await errandsOf(step.tx, message.id)
    const unseen = errands.some((e) => e.task.what === 'message' && e.state === 'new')
    for (const e of errands) if (e.state === 'new') await step.tx.objectStore('outbox').delete(e.seq)
    step.changes.mark('outbox')
    if (unseen) return this.forget(step, message)
    await this.tellAbout(step, message, { what: 'retract', target: wire(message) }, { what: 'retract' })
    if (isToldApart(message)) await add(step.tx, { chat: message.chat, id: freshId(), message: message.id, task: { what: 'retract', caption: true }, since: step.now })
  }

  private async forget(step: Step, message: KeptMessage): Promise<void> {
    const { tx, changes, now } = step
    const media = mediaOf(message.content)
    if (media) await dropFile(tx, media.key)
    await drop(tx, [message.id])
    await noteChanged(tx, message)
    if (!isLocal(message) && message.state !== 'waiting' && message.state !== 'failed') await noteGone(tx, message)
    for (const e of await errandsOf(tx, message.id)) if (e.state !== 'tried') await tx.objectStore('outbox').delete(e.seq)
    for (const name of message.names) await tx.objectStore('gone').put(now, name)
    changes.remove(message.chat, [message.id])
    await this.refresh(step, message.chat)
  }

  /** Reacts with an emoji, with none for null: one for each person, as people know it. */
  react(id: string, emoji: string | null): Promise<void> {
    const chosen = emoji && emoji.length <= 64 ? [emoji] : []
    return this.about(id, (m) => ({ said: { what: 'react', target: wire(m), emoji: chosen }, task: { what: 'react', emoji: chosen } }))
  }

  /** Votes in a poll. */
  vote(id: string, options: number[]): Promise<void> {
    return this.about(id, (m) => ({ said: { what: 'vote', target: wire(m), options }, task: { what: 'vote', options } }))
  }

  /** Answers an event; null takes the answer back. */
  answer(id: string, going: Going | null, guests: number): Promise<void> {
    const said = { guests: going === 'yes' ? Math.max(0, Math.min(guests, MAX_GUESTS)) : 0, ...(going ? { going } : {}) }
    return this.about(id, (m) => ({ said: { what: 'answer', target: wire(m), ...said }, task: { what: 'answer', ...said } }))
  }

  /** Closes a poll. */
  close(id: string): Promise<void> {
    return this.about(id, (m) => ({ said: { what: 'close', target: wire(m) }, task: { what: 'close' } }))
  }

  /** Changes an event of ours. */
  change(id: string, event: Extract<Content, { type: 'event' }>): Promise<void> {
    return this.about(id, (m) => {
      if (!m.own || m.content.type !== 'event') throw new Unusable('no event of ours')
      return { said: { what: 'edit', target: wire(m), content: event }, task: { what: 'event', event: { ...event, answers: {} } } }
    })
  }

  /** Pins a message for all of the chat, or takes the pin away. */
  pin(id: string, on: boolean): Promise<void> {
    return this.about(id, (m) => ({ said: { what: 'pin', target: wire(m), on }, task: { what: 'pin', on } }))
  }

  private about(id: string, make: (message: KeptMessage) => { said: Telling; task: Task }): Promise<void> {
    return this.step(async (step) => {
      const message = await this.find(step, id)
      const { said, task } = make(message)
      await this.tellAbout(step, message, said, task)
    })
  }

  /** We listened to a voice message: its sender is told, if we tell such things. */
  played(id: string, tell: boolean): Promise<void> {
    return this.step(async (step) => {
      const message = await this.find(step, id)
      const media = mediaOf(message.content)
      if (!media || media.played || message.own) return
      media.played = true
      await put(step.tx, message, false)
      step.changes.message(message.chat, id)
      if (tell && !await isRequest(step.tx, message.chat, this.account)) await addIfRoom(step.tx, { chat: message.chat, id: freshId(), message: id, task: { what: 'played', target: wire(message) }, since: step.now })
      step.changes.mark('outbox')
    })
  }

  /** Stars messages, here only. */
  star(ids: string[], on: boolean): Promise<void> {
    return this.step(async (step) => {
      for (const id of ids.slice(0, 500)) {
        const message = await step.tx.objectStore('messages').get(id)
        if (!message) continue
        message.starred = on
        await noteChanged(step.tx, message)
        await put(step.tx, message, false)
        step.changes.message(message.chat, id)
      }
    })
  }

  /** Gives up a change that the others did not get: here it is as it was before. */
  undo(id: string): Promise<void> {
    return this.step(async (step) => {
      const { content, edited, mentions, emoji, acts, pinned } = await giveUp(step.tx, step.changes, await this.find(step, id))
      const message = await this.find(step, id)
      const target = wire(message)
      if (emoji) await this.sayHere(step, message, { what: 'react', target, emoji })
      if (acts) await giveUpActs(step, message, acts)
      if (pinned !== undefined) await this.sayHere(step, message, { what: 'pin', target, on: pinned })
      if (!content || message.retracted) return
      const now = await this.find(step, id)
      if ('media' in now.content && 'media' in content) now.content = { ...now.content, caption: content.caption }
      else now.content = content
      Object.assign(now, { edited, mentions })
      for (const name of ['edited', 'mentions'] as const) if (now[name] === undefined) delete now[name]
      await put(step.tx, now, true)
      await noteChanged(step.tx, now)
      step.changes.message(now.chat, id)
      await this.refresh(step, now.chat)
    })
  }

  /** Sends again what failed. */
  retry(id: string): Promise<void> {
    return this.step(async (step) => {
      const { tx, now, changes } = step
      await sendAgain(tx, changes, await this.find(step, id))
      const message = await this.find(step, id)
      if (!message.own || message.state !== 'failed') return
      if (message.content.type === 'once' && !message.content.file) throw new Unusable('it has left once, and is not here any more')
      // Too large to be encrypted for all of a community, as the chat says.
      if (message.failure === 'too-large' && message.content.type !== 'once' && (await tx.objectStore('chats').get(message.chat))?.group?.large) message.protection = 'none'
      message.state = 'waiting'
      delete message.failure
      setTimer(message, message.expires)
      const media = mediaOf(message.content)
      if (media?.transfer) media.transfer = { ...media.transfer, state: 'waiting', failure: undefined }
      await put(tx, message, false)
      const errand = (await errandsOf(tx, id)).find((e) => e.task.what === 'message')
      if (errand) await tx.objectStore('outbox').put({ ...errand, state: 'new', failure: undefined })
      else await add(tx, { chat: message.chat, id: message.originId ?? id, message: id, task: { what: 'message' }, since: now })
      changes.message(message.chat, id)
      changes.mark('outbox')
      await this.refresh(step, message.chat)
    })
  }
}
