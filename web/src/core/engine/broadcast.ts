// What is written to a broadcast list: a message to each of its people, in their own chat, encrypted for them alone. All of these and their errands are kept in
// one step, together with what the list shows, so that a tab which is killed has kept all or none of it; from there on each leaves as any message does, once.
// What becomes of them is told at the list's own message (noteCopy of apply.ts). It is loaded with the first message to a list.

import type { Content, JID } from '../model.ts'
import { chatFor, previewOf } from '../store/chats.ts'
import type { KeptMessage } from '../store/database.ts'
import { newestPlace, put } from '../store/messages.ts'
import { senderName } from '../store/names.ts'
import { add } from '../store/outbox.ts'
import { isKnown } from '../store/requests.ts'
import { freshId, type Step } from './apply.ts'
import { Unusable } from './desk-steps.ts'
import { row, shut } from './effects.ts'
import { setTimer } from './timer.ts'

/** Has a list's message leave to each of its people, in this step. Who is no contact any more, or blocked, gets nothing. Throws Unusable when nobody is left,
 * and OutboxFull: both undo the step. */
export async function fanOut(step: Step, list: KeptMessage): Promise<void> {
  const { to = [] } = await step.tx.objectStore('chats').get(list.chat) ?? {}
  const copies: Record<JID, string> = {}
  for (const jid of to) {
    const id = await copyTo(step, list, jid)
    if (id) copies[jid] = id
  }
  if (!Object.keys(copies).length) throw new Unusable('nobody is on the list')
  list.copies = copies
  list.time++ // so that the list stands before its people
  if (list.content.type === 'once') await shut(step, list.content)
  await put(step.tx, list, false)
  await row(step, list)
}

async function copyTo(step: Step, list: KeptMessage, jid: JID): Promise<string | undefined> {
  const { tx, account, now, changes } = step
  const [contact, chat, newest] = await Promise.all([tx.objectStore('contacts').get(jid), chatFor(tx, jid, account), newestPlace(tx, jid)])
  if (!isKnown(contact) || chat.blocked || chat.kind !== 'person') return undefined
  if (chat.protection !== list.protection && list.content.type !== 'text') return undefined // a file's key does not leave in clear
  const id = freshId()
  const message: KeptMessage = {
    id, chat: jid, order: Math.max(now, (newest ?? 0) + 1), time: now, from: account, own: true, originId: id, content: contentFor(list.content), state: 'waiting',
    names: [senderName(account, id)], shelves: [], protection: chat.protection, listed: list.id, ...(list.forwarded ? { forwarded: list.forwarded } : {}),
  }
  setTimer(message, chat.expires)
  Object.assign(chat, { last: previewOf(message), time: message.time }) // nobody has looked at the chat: what is unread, and what is being written there, stays
  delete chat.request
  await Promise.all([put(tx, message, true), add(tx, { chat: jid, id, message: id, task: { what: 'message' }, since: now }), tx.objectStore('chats').put(chat)])
  changes.chat(jid)
  changes.message(jid, id)
  changes.mark('outbox')
  return id
}

/** A poll's votes are counted for each by itself. */
function contentFor(content: Content): Content {
  const copy = structuredClone(content)
  return copy.type === 'poll' ? { ...copy, votes: {} } : copy
}
