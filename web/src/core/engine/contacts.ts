// What a person decides about contacts: kept with its errand before anything is asked of the server, so that it leaves by itself, in order, also
// when it was decided offline or the tab is gone. Until the server has it, it is laid over what the server says: see overlay(). It works in every
// tab; ContactSender (contact-sender.ts) does what is left to do.

import type { Contact, ContactStep, JID } from '../model.ts'
import { nameFor } from '../store/chats.ts'
import { change, type Change, type Database, type Store } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { isKnown, withRequest } from '../store/requests.ts'
import { add, errandsOf, type ContactAct, type Errand } from '../store/outbox.ts'
import { freshId } from './apply.ts'
import type { News } from './changes.ts'
import { MAX_CONTACTS, TooManyContacts } from './people-limits.ts'

/** The stores that a step about contacts touches. */
export const contactStores: Store[] = ['contacts', 'chats', 'kv', 'outbox']

/** The name under which the errands about a contact are found. */
export const aboutContact = (jid: JID): string => 'contact ' + jid

/** An errand about a contact. */
export type ContactErrand = Errand & { task: { what: 'contact'; act: ContactAct } }

/** Says whether an errand is about a contact, not about messages. */
export const isContactErrand = (errand: Errand): errand is ContactErrand => errand.task.what === 'contact'

/** What a person has decided about a contact and the server has not taken yet, the oldest first. */
export const undecided = async (tx: Change, jid: JID): Promise<ContactErrand[]> => (await errandsOf(tx, aboutContact(jid))).filter(isContactErrand)

/** A later decision takes the place of earlier ones that it makes void: what waits for one contact stays short. A report is never void. */
const replaces: Record<ContactStep, ContactStep[]> = {
  add: ['add'], rename: ['rename'], remove: ['add', 'rename', 'remove', 'accept'], accept: ['accept', 'refuse'], refuse: ['accept', 'refuse'], block: ['block', 'unblock'], unblock: ['unblock', 'block'],
}

/** A contact as it will be; undefined if it will be none. */
function after(contact: Contact | undefined, jid: JID, act: ContactAct): Contact | undefined {
  switch (act.do) {
    case 'remove': return undefined
    case 'rename': return { subscription: 'none', ...contact, jid, name: act.name }
    case 'accept': case 'refuse': return contact && { ...contact, asks: contact.asks === 'in' ? undefined : contact.asks }
    case 'add': {
      const sees = contact?.subscription === 'to' || contact?.subscription === 'both'
      return { subscription: 'none', ...contact, jid, ...(act.name ? { name: act.name } : {}), asks: sees ? undefined : 'out' }
    }
    default: return contact
  }
}

/** Keeps a contact as it will be when all that waits has left, and says what waits. `contact` is what the server says, undefined for nothing. */
export async function overlay(tx: Change, jid: JID, contact: Contact | undefined): Promise<Contact | undefined> {
  const waiting = await undecided(tx, jid)
  const now = waiting.reduce((so, { task }) => after(so, jid, task.act), contact)
  const store = tx.objectStore('contacts')
  const last = waiting.at(-1)?.task.act.do
  if (!now) {
    await store.delete(jid)
    return undefined
  }
  const row = { ...now, waits: last }
  if (!last) delete row.waits
  await store.put(row)
  await nameChat(tx, row)
  return row
}

/** The chat is called as its contact, and is no request any more when it is one. */
async function nameChat(tx: Change, contact: Contact): Promise<void> {
  const chat = await tx.objectStore('chats').get(contact.jid)
  const name = nameFor(contact.jid, contact)
  const request = !!chat?.request && !isKnown(contact)
  if (!chat || chat.kind === 'self' || (chat.name === name && chat.avatar === contact.avatar && !!chat.request === request)) return
  await tx.objectStore('chats').put(withRequest({ ...chat, name, avatar: contact.avatar }, request))
}

/** Keeps whether an address is blocked, as far as no decision that waits says otherwise. */
export async function keepBlocked(tx: Change, jids: JID[], blocked: boolean): Promise<void> {
  const list = new Set(await get(tx, 'blocked') ?? [])
  for (const jid of jids) {
    const decided = (await undecided(tx, jid)).findLast(({ task: { act } }) => act.do === 'block' || act.do === 'unblock')
    const so = decided ? decided.task.act.do === 'block' : blocked
    if (so) list.add(jid)
    else list.delete(jid)
    const chat = await tx.objectStore('chats').get(jid)
    if (chat && !!chat.blocked !== so) await tx.objectStore('chats').put({ ...chat, blocked: so })
  }
  await tx.objectStore('kv').put([...list], 'blocked')
}

/** Decides about contacts of one account. */
export class ContactDesk {
  constructor(private readonly db: Database, private readonly news: News) {}

  /** Keeps a decision and its errand in one step. Throws OutboxFull, TooManyContacts, or what change() throws; then nothing was decided. */
  async decide(jid: JID, act: ContactAct): Promise<void> {
    await change(this.db, contactStores, async (tx) => {
      const known = await tx.objectStore('contacts').get(jid)
      const makes = !known && (act.do === 'add' || act.do === 'rename')
      if (makes && await tx.objectStore('contacts').count() >= MAX_CONTACTS) throw new TooManyContacts()
      for (const old of await undecided(tx, jid)) if (replaces[act.do].includes(old.task.act.do) && !('report' in old.task.act)) await tx.objectStore('outbox').delete(old.seq)
      await add(tx, { chat: jid, id: freshId(), message: aboutContact(jid), task: { what: 'contact', act }, since: Date.now() * 1000 })
      await overlay(tx, jid, known && { ...known, refused: undefined })
      if (act.do === 'block' || act.do === 'unblock') await keepBlocked(tx, [jid], act.do === 'block')
    })
    this.news.tell({ contacts: true, chats: [jid], outbox: true })
  }

  /** The ids by which our archive knows messages, to be reported; those that it does not know are left out. */
  async reportable(messages: string[]): Promise<string[]> {
    const found = await Promise.all(messages.slice(0, 50).map((id) => this.db.get('messages', id)))
    return found.flatMap((m) => m?.stanzaId ?? [])
  }
}
