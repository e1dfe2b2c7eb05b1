// Messages that disappear (XEP-0466). A message has its timer for ever. It runs from when it was read here, for our own from when the server had it; until
// then it stands at Infinity, in the same index as those that run. What others send tells how long messages stay in the chat from now on.

import type { Chat, JID, Micros } from '../model.ts'
import { chatFor } from '../store/chats.ts'
import type { Change, KeptMessage } from '../store/database.ts'
import { freePlace, newestPlace, put } from '../store/messages.ts'
import { add } from '../store/outbox.ts'
import { isRequest } from '../store/requests.ts'
import type { Step } from './apply.ts'
import type { Letter } from './said.ts'

/** Timers that one step starts. */
const MAX_STARTED = 5000
/** The shortest time that is taken over from somebody for what we write, in seconds. */
const SHORTEST = 60

/** Gives a message its timer, which does not run yet. */
export function setTimer(message: KeptMessage, seconds: number | undefined): void {
  if (seconds) Object.assign(message, { expires: seconds, expiresAt: Infinity })
}

/** Its time begins. */
export function startTimer(message: KeptMessage, from: Micros): void {
  if (message.expires && message.expiresAt === Infinity) message.expiresAt = from + message.expires * 1e6
}

/** Everything of others up to a place was read: their time begins. */
export async function startTimers(step: Step, jid: JID, upTo: Micros): Promise<void> {
  let cursor = await step.tx.objectStore('messages').index('expires').openCursor(IDBKeyRange.only(Infinity))
  for (let n = 0; cursor && n < MAX_STARTED; n++, cursor = await cursor.continue()) {
    const message = cursor.value
    if (message.chat !== jid || message.own || message.order > upTo) continue
    startTimer(message, step.now)
    await put(step.tx, message, false)
    step.changes.message(jid, message.id)
  }
}

/** What a message that came says about its own time; false if that is over, and nobody has to see it any more. */
export function timeOf(message: KeptMessage, letter: Letter, seconds: number | undefined, chat: Chat | undefined, now: Micros): boolean {
  setTimer(message, seconds)
  if (!seconds) return true
  // From another device of ours, or from before this one was there: what is kept of it is as if it had been here then.
  if (letter.own || letter.old) startTimer(message, letter.time)
  else if (message.order <= (chat?.readUpTo ?? 0)) startTimer(message, now)
  return (message.expiresAt ?? Infinity) > now
}

/** Takes over how long messages stay, as somebody said, and tells it in the chat. What is older than what we know changes nothing. */
export async function adoptTimer(step: Step, letter: Letter, told: number): Promise<void> {
  const seconds = told > 0 ? Math.max(told, SHORTEST) : 0
  const { tx } = step
  const chat = letter.old ? undefined : await chatFor(tx, letter.chat, step.account)
  if (!chat || (chat.protection === 'omemo' && letter.protection === 'none')) return
  if (!letter.own && !chat.last && await isRequest(tx, letter.chat, step.account)) return // who may not write yet makes no chat without a word
  if ((chat.expires ?? 0) === seconds || letter.time <= (chat.expiresSince ?? 0)) return
  await changeTimer(step, chat, seconds, letter.time, { id: `timer ${letter.from} ${letter.ids[0] ?? letter.time}`, own: letter.own, time: letter.time })
  await tx.objectStore('chats').put(chat)
  step.changes.chat(chat.jid)
}

/** We decided it here: the others are told at once, and again with each message. */
export async function decideTimer(step: Step, chat: Chat, seconds: number, id: string): Promise<void> {
  const { tx, now } = step
  for (let c = await tx.objectStore('outbox').openCursor(); c; c = await c.continue()) {
    if (c.value.chat === chat.jid && c.value.task.what === 'timer' && c.value.state === 'new') await c.delete()
  }
  await add(tx, { chat: chat.jid, id, message: '', task: { what: 'timer', seconds }, since: now })
  step.changes.mark('outbox')
  await changeTimer(step, chat, seconds, now, { id: `timer ${id}`, own: true, time: now })
}

async function changeTimer(step: Step, chat: Chat, seconds: number, since: Micros, line: { id: string; own: boolean; time: Micros }): Promise<void> {
  if (seconds) chat.expires = seconds
  else delete chat.expires
  chat.expiresSince = since
  await tell(step.tx, step, chat, line)
}

/** A line in the chat, once. */
async function tell(tx: Change, step: Step, chat: Chat, { id, own, time }: { id: string; own: boolean; time: Micros }): Promise<void> {
  if (await tx.objectStore('messages').getKey(id) || await tx.objectStore('gone').getKey(id)) return
  const order = await freePlace(tx, chat.jid, Math.max(time, (await newestPlace(tx, chat.jid) ?? 0) + 1))
  await put(tx, {
    id, chat: chat.jid, order, time, from: own ? step.account : chat.jid, own, content: { type: 'system', key: own ? 'expires-own' : 'expires', values: { name: chat.name } },
    names: [id], shelves: [], protection: chat.protection,
  }, false)
  step.changes.message(chat.jid, id)
}
