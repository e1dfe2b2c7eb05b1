// Message requests: what people say who are no contacts, when only contacts may write. It is kept, and stands apart until a person lets them write.

import type { Chat, Contact, JID } from '../model.ts'
import { domain } from '../xmpp/jid.ts'
import type { Change, Look } from './database.ts'
import { choicesOf } from './kv.ts'
import { decisionsOf } from './settings.ts'

/** Messages of a chat in which one of ours is looked for. */
const MAX_LOOKED = 1000

/** Says whether somebody is a contact, or is about to be one by our wish. */
export const isKnown = (contact: Contact | undefined): boolean => !!contact && (contact.subscription !== 'none' || contact.asks === 'out')

/** Says whether what somebody writes is a request: then they learn of nothing that is done here. A chat that is there is what it is. */
export async function isRequest(from: Look, jid: JID, account: JID): Promise<boolean> {
  const chat = await from.objectStore('chats').get(jid)
  if (chat) return !!chat.request
  if (jid === account || jid === domain(account) || (await choicesOf(from)).strangers) return false
  return !(await decisionsOf(from, jid)).accepted?.value && !isKnown(await from.objectStore('contacts').get(jid))
}

/** Puts the chats that are there where they belong when a person decides whether strangers may write. Gives those that changed. */
export async function sortRequests(tx: Change, account: JID, strangers: boolean): Promise<JID[]> {
  const changed: JID[] = []
  for (let c = await tx.objectStore('chats').openCursor(); c; c = await c.continue()) {
    const chat = c.value
    const request = !strangers && await isStranger(tx, chat, account)
    if (!!chat.request === request) continue
    await c.update(withRequest(chat, request))
    changed.push(chat.jid)
  }
  return changed
}

/** A chat that is a request, or none. */
export function withRequest(chat: Chat, request: boolean): Chat {
  const { request: _, ...rest } = chat
  return request ? { ...rest, request } : rest
}

/** Nobody who is a contact, was let in, or was ever written to. */
async function isStranger(tx: Change, chat: Chat, account: JID): Promise<boolean> {
  if (chat.kind !== 'person' || chat.accepted || chat.draft || chat.voice || chat.jid === domain(account) || !chat.last) return false
  if (isKnown(await tx.objectStore('contacts').get(chat.jid))) return false
  let c = await tx.objectStore('messages').index('place').openCursor(IDBKeyRange.bound([chat.jid, -Infinity], [chat.jid, Infinity]), 'prev')
  for (let looked = 0; c && looked < MAX_LOOKED; looked++, c = await c.continue()) if (c.value.own) return false
  return true
}
