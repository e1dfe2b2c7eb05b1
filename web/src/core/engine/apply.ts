// Keeps what came: each letter is put into the database in one step, together with the cursor and with what it sets going (receipts, the end of
// an errand). The same letter may come again by any way and at any time; the second time changes nothing.

import type { Chat, JID, Message, Micros } from '../model.ts'
import { noteChanged } from '../store/changed.ts'
import { chatFor, counts, countUnread, previewOf, refreshLast } from '../store/chats.ts'
import type { Change, KeptMessage } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { take, wait } from '../store/later.ts'
import { byNames, freePlace, isGone, newestPlace, put } from '../store/messages.ts'
import { archiveName, idOf, isUnique, senderName, waitName } from '../store/names.ts'
import { addIfRoom, errandsOf } from '../store/outbox.ts'
import { noteDecided } from '../store/settings.ts'
import { isRequest } from '../store/requests.ts'
import { textOf } from '../store/preview.ts'
import { act, number, recount } from './acts.ts'
import type { Collector } from './changes.ts'
import { about, groupNames, reasonIn, row, shut } from './effects.ts'
import { changeGroup, invited, spoke } from './group-change.ts'
import { isWhisper, whisper } from './group-whisper.ts'
import type { Letter, Said } from './said.ts'
import { looked } from './status-looked.ts'
import { adoptTimer, startTimer, startTimers, timeOf } from './timer.ts'
import { cameBack } from './untold.ts'
import { captionId } from './write.ts'

/** Receipts are sent for messages that are at most a week old. */
const RECEIPT_AGE = 7 * 86_400e6
const MAX_NAMES = 8
/** Messages that one that is placed may have overtaken. */
const MAX_BEHIND = 1000

/** What a step knows and tells. */
export interface Step {
  tx: Change
  account: JID
  /** Ours, by the server's clock as far as it is known. */
  now: Micros
  changes: Collector
}

/** An id for something new: 128 random bits. */
export const freshId = (): string => crypto.randomUUID()

/** A letter's place in the archive as a number, if the archive numbers by time as Palabre does. */
export function archivePlace(id: string | undefined): Micros | undefined {
  const n = id !== undefined && /^\d{15,16}$/.test(id) ? Number(id) : undefined
  return n !== undefined && Number.isSafeInteger(n) ? n : undefined
}

/** Keeps a letter. */
export async function apply(step: Step, letter: Letter): Promise<void> {
  const whispered = await isWhisper(step, letter)
  for (const said of letter.says) if (!whispered || said.what === 'invite' || said.what === 'error') await applyOne(step, letter, said)
  if (whispered) await whisper(step, letter)
}

async function applyOne(step: Step, letter: Letter, said: Said): Promise<void> {
  if (said.what === 'content' || said.what === 'tombstone') return keep(step, letter, said)
  if (said.what === 'typing') return undefined
  if (said.what === 'change') return changeGroup(step, letter, said.change)
  if (said.what === 'vote' || said.what === 'answer' || said.what === 'close' || said.what === 'unread') return act(step, letter, said)
  if (said.what === 'numbered') return number(step, letter)
  if (said.what === 'invite') return invited(step, letter, said)
  if (said.what === 'seen') return looked(step, letter, said.items)
  if (said.what === 'timer') return adoptTimer(step, letter, said.seconds)
  if (said.what === 'error' && await cameBack(step.tx, step.changes, letter.chat, said.target, await reasonIn(step, letter.chat, said.condition, said.kind))) return
  const waits = await about(step, letter, said)
  // What waits keeps only what its effect needs.
  if (waits) await wait(step.tx, waits, { letter: { ...letter, says: [] }, said }, letter.time)
}

/** The names of the message in a letter. */
export const namesOf = (letter: Letter): string[] =>
  [...(letter.archived ? [archiveName(letter.archived)] : []), ...letter.ids.map((id) => senderName(letter.from, id))]

/** Finds the message that a letter brings, if it came before. Short ids are no proof: some apps count from 1 at each start. What somebody says in one chat
 * under the id of something in another is another message. */
export async function known(tx: Change, letter: Letter): Promise<KeptMessage | undefined> {
  const found = await byNames(tx, [...(letter.archived ? [archiveName(letter.archived)] : []), ...letter.ids.filter(isUnique).map((id) => senderName(letter.from, id))])
  return found?.chat === letter.chat ? found : undefined
}

async function keep(step: Step, letter: Letter, said: Said & { what: 'content' | 'tombstone' }): Promise<void> {
  if (letter.own && said.what === 'content' && said.content.type === 'once') delete said.content.file // it is for the others
  const before = await known(step.tx, letter)
  if (before) return merge(step, before, letter, said)
  if (await isGone(step.tx, letter.chat, archivePlace(letter.archived), namesOf(letter))) return
  const message = await make(step, letter, said)
  const chat = await chatFor(step.tx, message.chat, step.account)
  const expires = said.what === 'content' ? said.expires : undefined
  if (!timeOf(message, letter, expires, chat, step.now)) return
  await put(step.tx, message, true)
  // What a group has numbered may come later than what has been written into the history, which knows one order for all chats.
  if (message.archiveId && ((letter.group && !letter.live) || message.archiveId <= (await get(step.tx, 'newest') ?? 0))) await noteChanged(step.tx, message)
  step.changes.message(message.chat, message.id)
  await intoChat(step, chat, message, letter)
  if (letter.wantsReceipt && await mayAnswer(step, letter)) {
    const target = letter.ids[0]
    if (target) await addIfRoom(step.tx, { chat: letter.chat, id: freshId(), message: message.id, task: { what: 'receipt', target }, since: step.now })
    step.changes.mark('outbox')
  }
  if (expires) await adoptTimer(step, letter, expires)
  await afterwards(step, message)
}

/** Who may know that we are here: those who may see our presence anyhow (XEP-0184 §8). */
async function mayAnswer(step: Step, letter: Letter): Promise<boolean> {
  if (letter.own || letter.old || letter.time < step.now - RECEIPT_AGE) return false
  const contact = await step.tx.objectStore('contacts').get(letter.chat)
  return contact?.subscription === 'from' || contact?.subscription === 'both'
}

async function make(step: Step, letter: Letter, said: Said & { what: 'content' | 'tombstone' }): Promise<KeptMessage> {
  const { tx } = step
  const at = archivePlace(letter.archived), id = freshId()
  const order = at ? await place(step, { chat: letter.chat, id }, at, at)
    : await freePlace(tx, letter.chat, letter.live ? Math.max(letter.time, (await newestPlace(tx, letter.chat) ?? 0) + 1) : letter.time)
  const message: KeptMessage = {
    id, chat: letter.chat, order, time: letter.time, from: letter.from, own: letter.own, content: said.what === 'content' ? said.content : { type: 'text', text: '' },
    names: namesOf(letter).slice(0, MAX_NAMES), shelves: [], protection: letter.protection,
    ...(letter.ids[0] ? { originId: letter.ids[0] } : {}), ...(at ? { archiveId: at } : {}), ...(letter.archived ? { stanzaId: letter.archived } : {}),
    ...(letter.own ? { state: 'sent' as const } : {}), ...(letter.device ? { device: letter.device } : {}),
    ...(letter.wantsMarker && letter.ids[0] && !letter.own ? { markable: letter.ids[0] } : {}), ...(letter.group?.nick ? { author: letter.group.nick } : {}),
  }
  if (said.what === 'tombstone') message.retracted = { by: letter.from, time: said.time, ...(said.reason ? { reason: said.reason } : {}) }
  else await say(step, message, letter, said)
  return message
}

/** Puts what was said with a content into its message. */
async function say(step: Step, message: KeptMessage, letter: Letter, said: Said & { what: 'content' }): Promise<void> {
  if (said.mentions) message.mentions = said.mentions
  if (said.forwarded) message.forwarded = said.forwarded
  if (said.about) message.about = said.about
  let answersUs = false
  if (said.reply) {
    const { id, to, text } = said.reply
    const answered = await byNames(step.tx, letter.group ? groupNames(step.account, id) : [senderName(to ?? letter.chat, id), senderName(letter.chat, id), senderName(step.account, id)])
    answersUs = !!answered?.own
    message.reply = answered && answered.chat === letter.chat
      ? { id: answered.id, to: answered.from, text: (textOf(answered.content) ?? '').slice(0, 300) } : { id, to: to ?? letter.chat, text: text ?? '' }
  }
  if (!letter.own && (answersUs || said.mentions?.some((m) => m.jid === step.account))) message.calls = true
}

/** What came before comes again: by another way, with another name. */
async function merge(step: Step, message: KeptMessage, letter: Letter, said: Said & { what: 'content' | 'tombstone' }): Promise<void> {
  if (letter.ids.includes(captionId(message))) return captionArrived(step, message)
  const before = JSON.stringify([message.names, message.order, message.state, message.content.type, !!message.retracted])
  message.names = [...new Set([...message.names, ...namesOf(letter)])].slice(0, MAX_NAMES)
  const at = archivePlace(letter.archived)
  if (at && !message.archiveId) {
    message.order = await place(step, message, message.own ? message.order : at, at)
    message.archiveId = at
    message.time = message.own ? letter.time : message.time
    await noteChanged(step.tx, message)
  }
  message.stanzaId ??= letter.archived
  if (letter.own) await arrivedAtServer(step, message)
  const unread = message.content.type === 'undecryptable' && said.what === 'content' && said.content.type !== 'undecryptable'
  if (unread) {
    message.content = said.content
    await say(step, message, letter, said)
    timeOf(message, letter, said.expires, await step.tx.objectStore('chats').get(message.chat), step.now)
  }
  if (said.what === 'tombstone' && !message.retracted && letter.archived && !letter.live) message.retracted = { by: letter.from, time: said.time }
  if (JSON.stringify([message.names, message.order, message.state, message.content.type, !!message.retracted]) === before) return
  await put(step.tx, message, unread || !!message.retracted)
  step.changes.message(message.chat, message.id)
  const chat = await step.tx.objectStore('chats').get(message.chat)
  if (!chat) return
  if (at && message.own && chat.group) spoke(step, chat.group, at)
  await refreshLast(step.tx, chat)
  await step.tx.objectStore('chats').put(chat)
  step.changes.chat(chat.jid)
}

/**
 * Gives a message the place that the archive has numbered it with. What was written after it stays behind it: the archive may have numbered it later than
 * that was written, which has its number from this device until the archive's is known. Nothing keeps an archive's number but what the archive gave it to:
 * numbers may be a microsecond apart, and who stands there without one goes on.
 */
async function place(step: Step, { chat, id }: Pick<KeptMessage, 'chat' | 'id'>, from: Micros, at: Micros): Promise<Micros> {
  const range = IDBKeyRange.bound([chat, Math.min(from, at)], [chat, at], from < at, false)
  const there = (await step.tx.objectStore('messages').index('place').getAll(range, MAX_BEHIND)).filter((m) => m.id !== id)
  const order = there.some((m) => m.order === at && m.archiveId) ? await freePlace(step.tx, chat, at) : at
  let next = order
  for (const message of there) {
    if (message.archiveId || (!message.own && message.order !== at)) continue
    next = message.order = await freePlace(step.tx, chat, next + 1)
    await put(step.tx, message, false)
    step.changes.message(chat, message.id)
  }
  return order
}

/** The server has a message of ours: its errand is done. */
export async function arrivedAtServer(step: Step, message: KeptMessage): Promise<void> {
  if (message.state === 'waiting' || message.state === 'failed') {
    message.state = 'sent'
    delete message.failure
    startTimer(message, step.now)
    if (message.content.type === 'once') await shut(step, message.content)
    await noteCopy(step, message)
  }
  for (const errand of await errandsOf(step.tx, message.id)) {
    if (errand.task.what !== 'message') continue
    await step.tx.objectStore('outbox').delete(errand.seq)
    step.changes.mark('outbox')
  }
}

/** What became of a message that came of a broadcast list is told at what was written to the list, too. */
export async function noteCopy(step: Step, copy: KeptMessage): Promise<void> {
  const list = copy.listed ? await step.tx.objectStore('messages').get(copy.listed) : undefined
  if (!list?.copies) return
  list.receipts = { ...list.receipts, [copy.chat]: { ...copy.receipts?.[copy.chat] } }
  const [marks, all] = [Object.values(list.receipts), Object.keys(list.copies).length]
  list.state = marks.length < all ? 'waiting' : marks.every((m) => m.read) ? 'read' : marks.every((m) => m.delivered) ? 'delivered' : 'sent'
  await put(step.tx, list, false)
  step.changes.message(list.chat, list.id)
  await row(step, list)
}

/** The server has the words of our file: they are not sent again. */
async function captionArrived(step: Step, message: KeptMessage): Promise<void> {
  for (const errand of await errandsOf(step.tx, message.id)) {
    if (errand.task.what !== 'caption') continue
    await step.tx.objectStore('outbox').delete(errand.seq)
    step.changes.mark('outbox')
  }
}

async function intoChat(step: Step, chat: Chat, message: KeptMessage, letter: Letter): Promise<void> {
  const first = !chat.last
  const newest = first || message.time >= chat.time
  if (newest) {
    chat.last = previewOf(message)
    chat.time = message.time
  }
  if (letter.own && !letter.old && message.order > (chat.readUpTo ?? 0)) {
    // Who answers has read.
    chat.readUpTo = message.order
    await startTimers(step, chat.jid, message.order)
    if (chat.markedUnread && await noteDecided(step.tx, chat, { markedUnread: false }, step.now)) step.changes.mark('settings')
    Object.assign(chat, await countUnread(step.tx, chat), { markedUnread: false })
  } else if (!letter.old && counts(message) && message.order > (chat.readUpTo ?? 0)) {
    chat.unread++
    if (message.calls) Object.assign(chat, { mentioned: true, calls: { count: (chat.calls?.count ?? 0) + 1, first: chat.calls?.first ?? message.id } })
  }
  if (letter.own) delete chat.request
  else if (first && chat.kind === 'person' && await isRequest(step.tx, chat.jid, step.account)) chat.request = true
  await step.tx.objectStore('chats').put(chat)
  step.changes.chat(chat.jid)
}

/** Applies what came before its message. */
export async function afterwards(step: Step, message: KeptMessage): Promise<void> {
  const ids = [...message.names.flatMap((name) => idOf(message.from, name) ?? []), ...(message.author && message.stanzaId ? [message.stanzaId] : [])]
  for (const one of await take(step.tx, ids.map((id) => waitName(message.chat, id)))) {
    const { letter, said } = one as { letter: Letter; said: Said }
    await applyOne(step, letter, said)
  }
  await recount(step, message)
}

/** How far a state is. */
const STATES: Message['state'][] = ['failed', 'waiting', 'sent', 'delivered', 'read']
/** Says whether a message has come further than a state. */
export const isFurther = (a: Message['state'], b: Message['state']): boolean => STATES.indexOf(a) > STATES.indexOf(b)
