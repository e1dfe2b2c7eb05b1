// What a person does, put into the database: it needs no connection, and works in every tab. A fulfilled promise means that it is kept, and that
// the sender will take care of the rest.

import type { Outgoing } from '../engine.ts'
import type { Chat, Content, Draft, Failure, JID, LinkPreview, Media, Message, Micros } from '../model.ts'
import { MAX_LIVE } from '../model.ts'
import { noteChanged, noteGone } from '../store/changed.ts'
import { clearingPlace, clearUpTo } from '../store/clear.ts'
import { chatFor, countUnread, previewOf, refreshLast } from '../store/chats.ts'
import { change, everything, type Change, type Database, type KeptMessage } from '../store/database.ts'
import { dropFile, keepFile } from '../store/files.ts'
import { choicesOf, get } from '../store/kv.ts'
import { drop, mediaOf, newestPlace, put } from '../store/messages.ts'
import { senderName } from '../store/names.ts'
import { isRequest } from '../store/requests.ts'
import { noteDecided } from '../store/settings.ts'
import { add, addIfRoom, errandsOf, type Task } from '../store/outbox.ts'
import { textOf } from '../store/preview.ts'
import { dropPieces } from '../store/voice.ts'
import { listNames } from '../xmpp/settings.ts'
import { freshId, type Step } from './apply.ts'
import { Collector, type News } from './changes.ts'
import { readPoster, textWith } from './content.ts'
import { about, readUpTo } from './effects.ts'
import { keptMentions } from './points.ts'
import type { Letter, Said } from './said.ts'
import { decideTimer, setTimer, startTimers } from './timer.ts'
import { giveUp, sendAgain, undoOf } from './untold.ts'
import { isToldApart } from './write.ts'

/** Text of a message, in characters: what fits into a stanza even when it is encrypted for many devices. */
export const MAX_TEXT = 60_000
/** The largest file that is sent, in bytes. */
export const MAX_FILE = 2 ** 31

/** It cannot be kept or sent as it is: too long, empty, or about something that is not there. */
export class Unusable extends Error {
  override readonly name = 'Unusable'
}

/** What somebody saw in notifications: after a place, up to a place. */
interface Seen { from: Micros; upTo: Micros }

/** What a person does in one account. */
export class Desk {
  constructor(private readonly db: Database, private readonly account: JID, private readonly news: News) {}

  /** Now, by the server's clock as far as it is known: a wrong clock of the device must not mix the order up. */
  private async now(tx: Change): Promise<Micros> {
    return Date.now() * 1000 + (await get(tx, 'skew') ?? 0)
  }

  private step<T>(work: (step: Step) => Promise<T>, durability: 'strict' | 'relaxed' = 'strict'): Promise<T> {
    return this.stepWith(() => Promise.resolve(undefined), work, durability)
  }

  /** A step that begins with reading: all that is read is asked for at the same time. */
  private async stepWith<R, T>(read: (tx: Change) => Promise<R>, work: (step: Step, found: R) => Promise<T>, durability: 'strict' | 'relaxed' = 'strict'): Promise<T> {
    const changes = new Collector()
    const result = await change(this.db, everything, async (tx) => {
      const [now, found] = await Promise.all([this.now(tx), read(tx)])
      return work({ tx, account: this.account, now, changes }, found)
    }, durability)
    this.news.tellSoon(changes.all) // who asked for it goes on first, and shows what it knows; the others read it again
    return result
  }

  /** Keeps a new message and its errand. `aside`: it was not written in the chat, and what is being written there stays. */
  send(jid: JID, out: Outgoing, aside = false): Promise<Message> {
    const { file } = out
    if (file && file.blob.size > MAX_FILE) return Promise.reject(new Unusable('too large'))
    const read = (tx: Change) => {
      const find = (id: string | undefined) => id ? tx.objectStore('messages').get(id) : undefined
      return Promise.all([chatFor(tx, jid, this.account), newestPlace(tx, jid), find(out.forwardOf), find(out.reply)])
    }
    return this.stepWith(read, async (step, [chat, newest, original, answered]) => {
      const { tx, now } = step
      const id = freshId()
      const content = contentOf(out, original, id, now)
      const order = Math.max(now, (newest ?? 0) + 1)
      const message: KeptMessage = {
        id, chat: jid, order, time: now, from: this.account, own: true, originId: id, content, state: 'waiting', names: [senderName(this.account, id)], shelves: [],
        protection: chat.protection, ...(out.mentions?.length ? { mentions: out.mentions } : {}), ...(original ? { forwarded: (original.forwarded ?? 0) + 1 } : {}),
      }
      setTimer(message, chat.expires)
      await startTimers(step, jid, order)
      if (answered?.chat === jid) message.reply = { id: answered.id, to: answered.from, text: (textOf(answered.content) ?? '').slice(0, 300) }
      if (out.voice) {
        if (!await dropPieces(tx, jid, out.voice)) throw new Unusable('the voice draft is gone')
        delete chat.voice
      }
      const media = mediaOf(content)
      if (file && media) await keepFile(tx, { key: media.key, chat: jid, only: true, used: now }, file.blob)
      else if (original && media) await copyFile(tx, media, { key: 'm ' + id, chat: jid, only: true, used: now })
      const { draft } = chat
      if (await noteDecided(tx, chat, { archived: false, markedUnread: false }, now)) step.changes.mark('settings')
      this.intoChat(chat, message)
      if (aside && draft) chat.draft = draft
      await Promise.all([put(tx, message, true), add(tx, { chat: jid, id, message: id, task: { what: 'message' }, since: now }), tx.objectStore('chats').put(chat)])
      step.changes.chat(jid)
      step.changes.message(jid, id)
      step.changes.mark('outbox')
      return message
    })
  }

  private intoChat(chat: Chat, message: KeptMessage): void {
    Object.assign(chat, { last: previewOf(message), time: message.time, readUpTo: message.order, unread: 0, mentioned: false, markedUnread: false, archived: false })
    delete chat.draft
    delete chat.request // who answers lets them in
  }

  /** Says something about a message: here at once, to the others by an errand. */
  private async tellAbout(step: Step, message: KeptMessage, said: Telling, task: Task): Promise<void> {
    const { account, now, changes } = step
    const undo = undoOf(message, task.what, account)
    await this.sayHere(step, message, said)
    if (isLocal(message)) return
    await add(step.tx, { chat: message.chat, id: freshId(), message: message.id, task, since: now, ...(undo ? { undo } : {}) })
    changes.mark('outbox')
  }

  private async sayHere(step: Step, message: KeptMessage, said: Telling): Promise<void> {
    const isGroup = (await step.tx.objectStore('chats').get(message.chat))?.kind === 'group'
    const letter: Letter = {
      ...(isGroup ? { group: { nick: '' } } : {}), chat: message.chat, from: step.account, own: true, ids: [], time: step.now, live: false, wantsReceipt: false, wantsMarker: false, protection: message.protection, says: [],
    }
    await about(step, letter, said)
  }

  private async find(step: Step, id: string): Promise<KeptMessage> {
    const message = await step.tx.objectStore('messages').get(id)
    if (!message) throw new Unusable('no such message')
    return message
  }

  /** Corrects a text of ours. One that no server has seen yet is simply changed. */
  edit(id: string, text: string, preview?: LinkPreview, named: Mentions = []): Promise<void> {
    if (!text.trim() || text.length > MAX_TEXT) return Promise.reject(new Unusable('text'))
    return this.step(async (step) => {
      const message = await this.find(step, id)
      const media = mediaOf(message.content)
      if (!message.own || message.retracted || (message.content.type !== 'text' && !media)) throw new Unusable('not a text of ours')
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
      for (const id of ids.slice(0, 500)) {
        const message = await step.tx.objectStore('messages').get(id)
        if (message) await (forAll && message.own ? this.retract(step, message) : this.forget(step, message))
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

  private async refresh(step: Step, jid: JID): Promise<void> {
    const chat = await step.tx.objectStore('chats').get(jid)
    if (!chat) return
    await refreshLast(step.tx, chat)
    Object.assign(chat, await countUnread(step.tx, chat))
    await step.tx.objectStore('chats').put(chat)
    step.changes.chat(jid)
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

  /** We have read a chat up to a place, at most up to its newest message. The contact is told with `tell`, our other devices always; older marks that
   * still wait are replaced. */
  read(jid: JID, upTo: Micros, tell: boolean): Promise<void> {
    return this.step(async (step) => {
      const place = Math.min(upTo, await newestPlace(step.tx, jid) ?? -Infinity)
      if (await readUpTo(step, jid, place)) await this.tellRead(step, jid, -Infinity, place, tell && !await isRequest(step.tx, jid, this.account))
    })
  }

  /** Tells the newest of what others said between two places, the first not among them. Gives its place, undefined when there is nothing to tell. */
  private async tellRead(step: Step, jid: JID, after: Micros, upTo: Micros, tell: boolean): Promise<Micros | undefined> {
    const { tx } = step
    if (after >= upTo) return undefined
    let newest: KeptMessage | undefined
    let marker: string | undefined
    const range = IDBKeyRange.bound([jid, after], [jid, upTo], true)
    let cursor = await tx.objectStore('messages').index('place').openCursor(range, 'prev')
    for (let looked = 0; cursor && looked < 200 && !(newest && marker); looked++, cursor = await cursor.continue()) {
      if (cursor.value.own) continue
      newest ??= cursor.value.stanzaId ? cursor.value : undefined
      marker ??= cursor.value.markable
    }
    const stanzaId = newest?.stanzaId
    if (!stanzaId && !(tell && marker)) return undefined
    for (let c = await tx.objectStore('outbox').openCursor(); c; c = await c.continue()) {
      if (c.value.chat === jid && c.value.task.what === 'displayed' && c.value.state === 'new') await c.delete()
    }
    await addIfRoom(tx, { chat: jid, id: freshId(), message: '', task: { what: 'displayed', ...(tell && marker ? { marker } : {}), ...(stanzaId ? { stanzaId } : {}) }, since: step.now })
    step.changes.mark('outbox')
    return newest?.order ?? upTo
  }

  /** Notes that somebody saw in a notification that a chat has messages up to a place; they need not be here yet. */
  noteSeen(jid: JID, upTo: Micros): Promise<void> {
    return this.step(async (step) => {
      const before = await step.tx.objectStore('kv').get(`seen ${jid}`) as Seen | undefined
      const from = before?.from ?? (await step.tx.objectStore('chats').get(jid))?.readUpTo ?? 0
      await step.tx.objectStore('kv').put({ from, upTo: Math.max(upTo, before?.upTo ?? 0) } satisfies Seen, `seen ${jid}`)
    })
  }

  /** What was seen in notifications counts as read, and is told as far as it is here; with `complete` all of it is, and the note has served. */
  seen(jid: JID, tell: boolean, complete: boolean): Promise<void> {
    return this.step(async (step) => {
      const kv = step.tx.objectStore('kv')
      const seen = await kv.get(`seen ${jid}`) as Seen | undefined
      if (!seen) return
      await readUpTo(step, jid, seen.upTo)
      // Who answers has read all before: what is told is never less than what was told before.
      const upTo = Math.max(seen.upTo, (await step.tx.objectStore('chats').get(jid))?.readUpTo ?? 0)
      const told = await this.tellRead(step, jid, seen.from, upTo, tell)
      if (complete) await kv.delete(`seen ${jid}`)
      else if (told) await kv.put({ ...seen, from: told } satisfies Seen, `seen ${jid}`)
    })
  }

  /** Gives up a change that the others did not get: here it is as it was before. */
  undo(id: string): Promise<void> {
    return this.step(async (step) => {
      const { content, edited, mentions, emoji, votes, pinned } = await giveUp(step.tx, step.changes, await this.find(step, id))
      const message = await this.find(step, id)
      const target = wire(message)
      if (emoji) await this.sayHere(step, message, { what: 'react', target, emoji })
      if (votes) await this.sayHere(step, message, { what: 'vote', target, options: votes })
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

  /** Changes what a person decides about a chat. */
  setChat(jid: JID, change: Partial<Chat>): Promise<void> {
    const lists = change.lists && listNames(change.lists)
    const fields = lists ? { ...change, lists: lists.length ? lists : undefined } : change
    return this.step(async (step) => {
      const before = await chatFor(step.tx, jid, this.account, step.now)
      if (await noteDecided(step.tx, before, fields, step.now)) step.changes.mark('settings')
      const chat = { ...before, ...fields }
      for (const key of Object.keys(fields) as (keyof Chat)[]) if (chat[key] === undefined) delete chat[key]
      if ('expires' in fields && (fields.expires ?? 0) !== (before.expires ?? 0)) await decideTimer(step, chat, fields.expires ?? 0, freshId())
      if (chat.accepted && chat.request) await this.letIn(step, chat)
      await step.tx.objectStore('chats').put(chat)
      step.changes.chat(jid)
    })
  }

  /** A stranger may write from now on: what was read meanwhile is told, if we tell such things. */
  private async letIn(step: Step, chat: Chat): Promise<void> {
    delete chat.request
    if (chat.readUpTo) await this.tellRead(step, chat.jid, -Infinity, chat.readUpTo, (await choicesOf(step.tx)).readReceipts)
  }

  /** Keeps or forgets what is being written. */
  setDraft(jid: JID, draft: Draft | undefined): Promise<void> {
    return this.setChat(jid, { draft: draft && { ...draft, text: draft.text.slice(0, MAX_TEXT) } })
  }

  /** Removes all messages of a chat from this device and all our others, for ever. What still waits to leave here goes with it. */
  clear(jid: JID): Promise<void> {
    return this.step(async (step) => {
      const { tx, changes, now } = step
      const chat = await chatFor(tx, jid, this.account, now)
      const place = Math.max(await clearingPlace(tx, jid, now), chat.cleared ?? 0)
      const ids = await clearUpTo(tx, jid, place, now)
      for (let c = await tx.objectStore('outbox').openCursor(); c; c = await c.continue()) if (c.value.chat === jid && c.value.state !== 'tried' && c.value.task.what !== 'contact') await c.delete()
      if (place && await noteDecided(tx, chat, { cleared: place }, now)) {
        changes.mark('settings')
        const row = await tx.objectStore('chats').get(jid)
        if (row) await tx.objectStore('chats').put({ ...row, cleared: place })
      }
      changes.remove(jid, ids)
      changes.mark('outbox')
      await this.refresh(step, jid)
    })
  }

  /** The file of a message is on the server: the message can leave, and the bytes here can be fetched again. */
  uploaded(id: string, url: string): Promise<void> {
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
    })
  }

  /** Another file takes the place of a message's file: a picture that was made smaller. */
  replaceFile(id: string, blob: Blob, facts: Partial<Media>): Promise<void> {
    return this.step(async (step) => {
      const message = await step.tx.objectStore('messages').get(id)
      const media = message && mediaOf(message.content)
      if (!message || !media || media.url) return
      Object.assign(media, facts)
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

type Telling = Exclude<Said, { what: 'content' | 'tombstone' | 'typing' | 'timer' | 'error' | 'change' | 'moderate' }>
type Mentions = NonNullable<Message['mentions']>

/** In a group what others said is known by its number in the log. */
const wire = (m: KeptMessage): string => (!m.own && m.author && m.stanzaId) || (m.originId ?? m.id)

/** A file that is passed on before it is on the server becomes one of its own: what happens to the first does not concern it. */
async function copyFile(tx: Change, media: Media, own: Parameters<typeof keepFile>[1]): Promise<void> {
  delete media.transfer
  delete media.played
  if (media.url) return
  const blob = await tx.objectStore('blobs').get(media.key)
  if (!blob) throw new Unusable('the file is not here')
  media.key = own.key
  await keepFile(tx, own, blob)
}

/** It never left this device, and nobody else knows of it. */
const isLocal = (m: KeptMessage): boolean => m.content.type === 'system'

function contentOf(out: Outgoing, original: KeptMessage | undefined, id: string, now: Micros): Content {
  const { file } = out
  if (file) {
    const { name, mime, as, caption, width, height, seconds, waveform, hd, poster, thumbhash, pack } = file
    const facts = Object.fromEntries(Object.entries({ width, height, seconds, waveform, hd: hd || undefined, poster: readPoster(poster), thumbhash, pack }).filter(([, v]) => v !== undefined))
    return { type: as, media: { key: 'm ' + id, name: name.slice(0, 255), mime, size: file.blob.size, ...facts }, ...(caption ? { caption: caption.slice(0, 5000) } : {}) }
  }
  const content = out.content ?? original?.content ?? { type: 'text' as const, text: out.text ?? '' }
  if (content.type === 'text' && (!content.text.trim() || content.text.length > MAX_TEXT)) throw new Unusable('text')
  if (content.type === 'system' || content.type === 'undecryptable' || original?.retracted) throw new Unusable('content')
  if (content.type === 'location') { // passed on it stays where it is
    const { liveUntil: _, ...place } = content
    return out.live ? { ...place, liveUntil: now + Math.min(out.live, MAX_LIVE) * 1e6 } : place
  }
  if (content.type === 'poll') return { ...content, votes: {} }
  if (content.type === 'text') return structuredClone(textWith(content.text, content.preview))
  return structuredClone(content)
}

