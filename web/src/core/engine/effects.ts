// What a message does to another one: corrections, retractions, reactions, receipts, markers. Each says under which name it looks for its
// message, and that name contains who may do it: only the author corrects and retracts, only the other side receives and reads.

import type { Content, Micros } from '../model.ts'
import { noteChanged } from '../store/changed.ts'
import { countUnread, refreshLast } from '../store/chats.ts'
import type { KeptMessage } from '../store/database.ts'
import { dropFile } from '../store/files.ts'
import { byNames, mediaOf, put } from '../store/messages.ts'
import { memberCalled } from '../store/members.ts'
import { archiveName, senderName, waitName } from '../store/names.ts'
import { add, errandsOf } from '../store/outbox.ts'
import { isMoney } from '../store/preview.ts'
import { noteDecided } from '../store/settings.ts'
import { arrivedAtServer, isFurther, noteCopy, type Step } from './apply.ts'
import { changeEvent, isCounted, takeBack } from './acts.ts'
import type { Letter, Said } from './said.ts'
import { startTimers } from './timer.ts'
import { captionId, isToldApart } from './write.ts'

/** Reactions of different people that one message shows; of one person at most 8. */
const MAX_REACTING = 1000
/** Messages that one marker makes read. */
const MAX_READ = 1000

/** What somebody shall see who reads the message in the history later. */
const LASTING = new Set<Said['what']>(['edit', 'retract', 'react'])

type Effect = Exclude<Said, { what: 'content' | 'tombstone' | 'typing' | 'timer' | 'change' | 'invite' | 'seen' | 'vote' | 'answer' | 'close' | 'unread' | 'numbered' }>

/** Does it, or gives the name of the message that has to come first. */
export async function about(step: Step, letter: Letter, said: Effect): Promise<string | undefined> {
  const names = targets(step, letter, said)
  const message = await byNames(step.tx, names)
  if (!message && (said.what === 'retract' || said.what === 'moderate') && await takeBack(step, letter, said.target, said.what === 'moderate')) return undefined
  if (!message) return said.what === 'error' ? undefined : waitName(letter.chat, said.target)
  if (message.chat !== letter.chat) return undefined
  const changed = await effect(step, letter, said, message)
  if (!changed) return undefined
  await put(step.tx, message, said.what === 'edit' || said.what === 'retract')
  if (LASTING.has(said.what)) await noteChanged(step.tx, message)
  step.changes.message(message.chat, message.id)
  await row(step, message)
  return undefined
}

/** In a group a message is known by its number in the log (XEP-0444 §3.2, XEP-0461 §3.1, XEP-0424 §5); one of ours has none before it is there. */
export const groupNames = (account: string, id: string): string[] => [archiveName(id), senderName(account, id)]

function targets(step: Step, letter: Letter, said: Effect): string[] {
  const { account } = step
  const other = letter.chat
  if (letter.group && said.what !== 'error' && said.what !== 'edit' && said.what !== 'apart') return groupNames(account, said.target)
  switch (said.what) {
    case 'edit': case 'retract': case 'apart': return [senderName(letter.from, said.target)]
    case 'receipt': case 'played': case 'opened': return [senderName(letter.own ? other : account, said.target)]
    case 'error': return [senderName(account, said.target)]
    // Others mark what we said; some apps mark the newest message of all, which may be their own.
    case 'displayed': return letter.own ? [senderName(other, said.target), senderName(account, said.target)] : [senderName(account, said.target), senderName(other, said.target)]
    default: return [senderName(account, said.target), senderName(other, said.target)]
  }
}

/** What is never said in clear about a message that was encrypted: only a server could have written it. */
const ENCRYPTED = new Set<Said['what']>(['pin', 'opened', 'apart'])

async function effect(step: Step, letter: Letter, said: Effect, message: KeptMessage): Promise<boolean> {
  if (ENCRYPTED.has(said.what) && letter.protection === 'none' && message.protection === 'omemo') return false
  switch (said.what) {
    case 'edit': return said.content.type === 'event' ? change(step, message, letter, said.content) : edit(message, letter, said)
    case 'retract': return message.from === letter.from && !isMoney(message.content) && retract(step, message, letter, said.reason)
    case 'moderate': return retract(step, message, { from: await whoTook(step, letter, said.by), time: letter.time }, said.reason)
    case 'react': return react(message, letter, said.emoji)
    case 'pin': return pin(step, message, said.on)
    case 'apart': return apart(message)
    case 'receipt': return letter.own ? false : received(step, message, letter, 'delivered')
    case 'displayed': return letter.own ? readHere(step, message) : letter.group ? received(step, message, letter, 'read') : readThere(step, message, letter)
    case 'played': return played(message, letter)
    case 'opened': return opened(step, message, letter)
    case 'error': return said.target !== captionId(message) && failed(step, message, letter, said.condition, said.kind)
  }
}

/** Who took a message away, by what they are called in the group. */
async function whoTook(step: Step, { chat }: Letter, nick: string | undefined): Promise<string> {
  return (nick && (await memberCalled(step.tx, chat, nick))?.jid) || chat
}

/** Whoever answers, or marks, the words of a file means the file. */
function apart(message: KeptMessage): boolean {
  if (isToldApart(message)) return false
  message.names.push(senderName(message.from, captionId(message)))
  return true
}

/** Shows in the list of chats what its newest message is now. */
export async function row(step: Step, message: KeptMessage): Promise<void> {
  const chat = await step.tx.objectStore('chats').get(message.chat)
  if (!chat || chat.last?.id !== message.id) return
  await refreshLast(step.tx, chat)
  await step.tx.objectStore('chats').put(chat)
  step.changes.chat(chat.jid)
}

function edit(message: KeptMessage, { time, protection }: Letter, said: Effect & { what: 'edit' }): boolean {
  // What was encrypted is corrected by nothing that a server could have written.
  if (message.protection === 'omemo' && protection === 'none') return false
  if (message.retracted || (message.edited ?? 0) >= time || isMoney(message.content) || message.content.type === 'system' || message.content.type === 'once' || isCounted(message) || isCounted(said)) return false
  // A file stays the file that it was: what is corrected is its caption.
  const media = mediaOf(message.content)
  if (media && said.content.type === 'text') Object.assign(message.content, { caption: said.content.text })
  else message.content = said.content
  message.edited = time
  if (said.mentions) message.mentions = said.mentions
  else delete message.mentions
  return true
}

/** Takes the content of a message away: the place stays. */
export async function retract(step: Step, message: KeptMessage, letter: Pick<Letter, 'from' | 'time'>, reason?: string): Promise<boolean> {
  if (message.retracted) return false
  const media = mediaOf(message.content)
  if (media) await dropFile(step.tx, media.key)
  message.content = { type: 'text', text: '' }
  message.retracted = { by: letter.from, time: letter.time, ...(reason ? { reason } : {}) }
  for (const field of ['reactions', 'mentions', 'starred', 'pinned', 'reply', 'calls'] as const) delete message[field]
  const chat = await step.tx.objectStore('chats').get(message.chat)
  if (!chat || message.own) return true
  await put(step.tx, message, true)
  Object.assign(chat, await countUnread(step.tx, chat))
  await step.tx.objectStore('chats').put(chat)
  step.changes.chat(chat.jid)
  return true
}

function react(message: KeptMessage, letter: Letter, emoji: string[]): boolean {
  const since = message.marks?.[letter.from] ?? 0
  if (message.retracted || since > letter.time) return false
  const all: Record<string, string[]> = {}
  for (const [one, who] of Object.entries(message.reactions ?? {})) {
    const others = who.filter((jid) => jid !== letter.from)
    if (others.length) all[one] = others
  }
  if (Object.keys(message.marks ?? {}).length >= MAX_REACTING) return false
  for (const one of emoji) all[one] = [...(all[one] ?? []), letter.from]
  message.marks = { ...message.marks, [letter.from]: letter.time }
  message.reactions = all
  return true
}

/** Who made an event changes it; what has come of it is counted from all its changes. */
async function change(step: Step, message: KeptMessage, letter: Letter, event: Extract<Content, { type: 'event' }>): Promise<boolean> {
  if (message.content.type !== 'event' || message.retracted || (message.protection === 'omemo' && letter.protection === 'none')) return false
  message.content = { ...message.content, body: event.body }
  await changeEvent(step, letter, message, event)
  await row(step, message)
  return false
}

async function pin(step: Step, message: KeptMessage, on: boolean): Promise<boolean> {
  if (message.retracted || !!message.pinned === on) return false
  const chat = await step.tx.objectStore('chats').get(message.chat)
  if (chat) {
    if (on) chat.pinnedMessage = message.id
    else if (chat.pinnedMessage === message.id) delete chat.pinnedMessage
    await step.tx.objectStore('chats').put(chat)
    step.changes.chat(chat.jid)
  }
  message.pinned = on
  return true
}

/** The other side has a message of ours, or has read it. */
async function received(step: Step, message: KeptMessage, letter: Letter, how: 'delivered' | 'read'): Promise<boolean> {
  if (!message.own) return false
  await arrivedAtServer(step, message)
  const mark = message.receipts?.[letter.from] ?? {}
  if (mark[how] !== undefined && (letter.group || !isFurther(how, message.state))) return false
  message.receipts = { ...message.receipts, [letter.from]: { delivered: letter.time, ...mark, [how]: mark[how] ?? letter.time } }
  await noteCopy(step, message)
  if (!letter.group && isFurther(how, message.state)) message.state = how // in a group one of many is not the other side
  return true
}

/** They have read up to here: this message, and all of ours before it that were not read yet. */
async function readThere(step: Step, message: KeptMessage, letter: Letter): Promise<boolean> {
  const range = IDBKeyRange.bound([message.chat, -Infinity], [message.chat, message.order], false, true)
  let cursor = await step.tx.objectStore('messages').index('place').openCursor(range, 'prev')
  for (let looked = 0; cursor && looked < MAX_READ; looked++, cursor = await cursor.continue()) {
    const m = cursor.value
    if (!m.own) continue
    if (m.state === 'read') break
    // One that waits to leave was not there to be read.
    if (m.state === 'waiting' || m.state === 'failed' || !await received(step, m, letter, 'read')) continue
    await put(step.tx, m, false)
    step.changes.message(m.chat, m.id)
    await row(step, m)
  }
  return received(step, message, letter, 'read')
}

/** We have read up to here on another device. */
async function readHere(step: Step, message: KeptMessage): Promise<boolean> {
  await readUpTo(step, message.chat, message.order)
  return false
}

/** Counts anew what is unread after a place; a place before the known one changes nothing. */
export async function readUpTo(step: Step, jid: string, place: Micros): Promise<boolean> {
  const chat = await step.tx.objectStore('chats').get(jid)
  if (!chat || (chat.readUpTo ?? 0) >= place) return false
  chat.readUpTo = place
  await startTimers(step, jid, place)
  if (chat.markedUnread && await noteDecided(step.tx, chat, { markedUnread: false }, step.now)) step.changes.mark('settings')
  Object.assign(chat, await countUnread(step.tx, chat), { markedUnread: false })
  await step.tx.objectStore('chats').put(chat)
  step.changes.chat(jid)
  return true
}

function played(message: KeptMessage, letter: Letter): boolean {
  const media = mediaOf(message.content)
  if (!media) return false
  if (letter.own) { // on another device of ours
    if (media.played) return false
    media.played = true
    return true
  }
  const mark = message.receipts?.[letter.from]
  if (!message.own || mark?.played !== undefined) return false
  message.receipts = { ...message.receipts, [letter.from]: { ...mark, played: letter.time } }
  return true
}

/** What can be opened once was: on another device of ours, or by somebody to whom we sent it. */
async function opened(step: Step, message: KeptMessage, letter: Letter): Promise<boolean> {
  const { content } = message
  if (content.type !== 'once' || letter.own === message.own) return false
  if (letter.own) {
    if (content.opened !== undefined) return false
    content.opened = letter.time
    await shut(step, content)
    return true
  }
  const mark = message.receipts?.[letter.from]
  if (mark?.played !== undefined) return false
  message.receipts = { ...message.receipts, [letter.from]: { ...mark, played: letter.time } }
  await noteCopy(step, message)
  return true
}

/** Takes away what can be opened once, with its key: nothing on this device opens it any more. */
export async function shut(step: Pick<Step, 'tx'>, content: Extract<Content, { type: 'once' }>): Promise<void> {
  if (content.file) for (const key of [content.file.key, 'part ' + content.file.key]) await dropFile(step.tx, key)
  delete content.file
}

/** Somebody refuses a message of ours. The other side may have got it on one device and lost it on another: what was delivered stays so. */
async function failed(step: Step, message: KeptMessage, letter: Letter, condition: string, kind: string): Promise<boolean> {
  if (!message.own || letter.own || isFurther(message.state, 'sent') || message.state === 'failed' || message.retracted) return false
  if (condition === 'policy-violation' && await isSlow(step, message)) return true
  message.state = 'failed'
  message.failure = await reasonIn(step, message.chat, condition, kind)
  for (let c = await step.tx.objectStore('outbox').index('message').openCursor(message.id); c; c = await c.continue()) {
    await c.update({ ...c.value, state: 'failed', failure: message.failure })
    step.changes.mark('outbox')
  }
  return true
}

/** In a slow group what came too soon waits, and leaves by itself. */
async function isSlow(step: Step, message: KeptMessage): Promise<boolean> {
  const chat = await step.tx.objectStore('chats').get(message.chat)
  if (!chat?.group?.settings.slow) return false
  chat.group.nextAt = Math.max(chat.group.nextAt ?? 0, step.now + chat.group.settings.slow * 1e6)
  await step.tx.objectStore('chats').put(chat)
  step.changes.chat(chat.jid)
  message.state = 'waiting'
  const errand = (await errandsOf(step.tx, message.id)).find((e) => e.task.what === 'message')
  if (errand) await step.tx.objectStore('outbox').put({ ...errand, state: 'new' })
  else await add(step.tx, { chat: message.chat, id: message.originId ?? message.id, message: message.id, task: { what: 'message' }, since: message.time })
  step.changes.mark('outbox')
  return true
}

/** What a person is told in a chat for a condition: in a group a refusal means that we may not write there. */
export async function reasonIn(step: Pick<Step, 'tx'>, chat: string, condition: string, kind: string): Promise<NonNullable<KeptMessage['failure']>> {
  const group = (await step.tx.objectStore('chats').get(chat))?.kind === 'group'
  return group && /^(forbidden|not-acceptable|not-allowed|item-not-found|gone|registration-required)$/.test(condition) ? 'no-voice' : reasonFor(condition, kind)
}

/** What a person is told for a condition (RFC 6120 §8.3.3). */
export function reasonFor(condition: string, kind: string): NonNullable<KeptMessage['failure']> {
  switch (condition) {
    case 'item-not-found': case 'remote-server-not-found': case 'jid-malformed': case 'gone': return 'unknown-contact'
    case 'forbidden': case 'not-acceptable': case 'policy-violation': return condition === 'policy-violation' ? 'too-large' : 'blocked'
    case 'resource-constraint': return 'quota'
    case 'service-unavailable': return 'unknown-contact'
    default: return kind === 'wait' ? 'server' : 'refused'
  }
}
