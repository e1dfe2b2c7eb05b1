// What a person does, put into the database: it needs no connection, and works in every tab. A fulfilled promise means that it is kept, and that
// the sender will take care of the rest. Here new messages; what is done to those that are there, to chats and files is in the files beside this one.

import type { Outgoing } from '../engine.ts'
import type { Chat, Content, JID, Media, Message, Micros } from '../model.ts'
import { isBroadcast, MAX_LIVE, MAX_ONCE, moneyText } from '../model.ts'
import { chatFor, previewOf } from '../store/chats.ts'
import type { Change, KeptMessage } from '../store/database.ts'
import { keepFile } from '../store/files.ts'
import { mediaOf, newestPlace, put } from '../store/messages.ts'
import { senderName } from '../store/names.ts'
import { noteDecided } from '../store/settings.ts'
import { add } from '../store/outbox.ts'
import { textOf } from '../store/preview.ts'
import { dropPieces } from '../store/voice.ts'
import { freshId } from './apply.ts'
import { readPoster, textWith } from './content.ts'
import { DeskFiles, type FanOut } from './desk-files.ts'
import { MAX_TEXT, Unusable } from './desk-steps.ts'
import { setTimer, startTimers } from './timer.ts'

export { MAX_TEXT, Unusable } from './desk-steps.ts'

/** The largest file that is sent, in bytes. */
export const MAX_FILE = 2 ** 31

/** What a person does in one account. */
export class Desk extends DeskFiles {
  /** Keeps a new message and its errand. `aside`: it was not written in the chat, and what is being written there stays. `fanOut`: for a
   * broadcast list alone, which needs it. */
  send(jid: JID, out: Outgoing, aside = false, fanOut?: FanOut): Promise<Message> {
    if (isBroadcast(jid) && !fanOut) return Promise.reject(new Unusable('a list'))
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
        ...(chat.group?.nick ? { author: chat.group.nick } : {}),
      }
      if (content.type === 'once' && chat.protection !== 'omemo') throw new Unusable('once, in clear')
      setTimer(message, chat.expires)
      await startTimers(step, jid, order)
      if (out.about) message.about = { ...out.about, text: out.about.text.slice(0, 300) }
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
      // What is written to a list leaves from its people's chats: at once, or when its file is on the server (desk-files.ts).
      const leaves = !fanOut || (mediaOf(content) && !mediaOf(content)?.url)
      await Promise.all([put(tx, message, true), leaves && add(tx, { chat: jid, id, message: id, task: { what: 'message' }, since: now }), tx.objectStore('chats').put(chat)])
      if (fanOut && !leaves) await fanOut(step, message)
      step.changes.chat(jid)
      step.changes.message(jid, id)
      step.changes.mark('outbox')
      return message
    })
  }

  private intoChat(chat: Chat, message: KeptMessage): void {
    Object.assign(chat, { last: previewOf(message), time: message.time, readUpTo: message.order, unread: 0, mentioned: false, calls: undefined, markedUnread: false, archived: false })
    delete chat.draft
    delete chat.request // who answers lets them in
    if (chat.group) delete chat.group.invited
  }
}

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

/** What can be opened once: nothing of it is shown before. */
function onceOf(as: Content['type'], media: Media): Content {
  if ((as !== 'image' && as !== 'video' && as !== 'voice') || media.size > MAX_ONCE) throw new Unusable('once')
  const { poster: _, thumbhash: __, ...file } = media
  return { type: 'once', as, file }
}

function contentOf(out: Outgoing, original: KeptMessage | undefined, id: string, now: Micros): Content {
  const { file } = out
  if (file) {
    const { name, mime, as, caption, width, height, seconds, waveform, hd, poster, thumbhash, pack } = file
    const facts = Object.fromEntries(Object.entries({ width, height, seconds, waveform, hd: hd || undefined, poster: readPoster(poster), thumbhash, pack }).filter(([, v]) => v !== undefined))
    const media = { key: 'm ' + id, name: name.slice(0, 255), mime, size: file.blob.size, ...facts }
    if (file.once) return onceOf(as, media)
    return { type: as, media, ...(caption ? { caption: caption.slice(0, 5000) } : {}) }
  }
  const content = out.content ?? original?.content ?? { type: 'text' as const, text: out.text ?? '' }
  if (content.type === 'text' && (!content.text.trim() || content.text.length > MAX_TEXT)) throw new Unusable('text')
  if (content.type === 'system' || content.type === 'undecryptable' || content.type === 'once' || original?.retracted) throw new Unusable('content')
  if (content.type === 'payment' || content.type === 'request' || (content.type === 'split' && original)) return { type: 'text', text: moneyText(content) } // passed on, it is words
  if (content.type === 'location') { // passed on it stays where it is
    const { liveUntil: _, ...place } = content
    return out.live ? { ...place, liveUntil: now + Math.min(out.live, MAX_LIVE) * 1e6 } : place
  }
  if (content.type === 'poll') {
    const { closed: _, unread: __, ...poll } = content
    return { ...poll, votes: {} }
  }
  if (content.type === 'event') {
    const { unread: _, ...event } = content
    return { ...event, answers: {} }
  }
  if (content.type === 'text') return structuredClone(textWith(content.text, content.preview))
  return structuredClone(content)
}
