// What every screen looks at: the engine and the few signals that mirror what it tells (WEB.md §6.2). Features read these; they are filled once.
import { computed, signal } from '@preact/signals'
import type { Engine } from '../core/engine.ts'
import type { Chat, Choices, Connection, Contact, JID } from '../core/model.ts'
import { avatarsFrom } from '../ui/Avatar.tsx'

type Typing = Record<JID, { jid: JID; what: 'composing' | 'recording' }[]>

const current = signal<Engine | undefined>(undefined)

/** Chats in the order of the list; undefined until the first were read. */
export const chats = signal<Chat[] | undefined>(undefined)
export const connection = signal<Connection>({ state: 'connecting', since: Date.now() * 1000, waiting: 0 })
export const contacts = signal<Contact[]>([])
export const typing = signal<Typing>({})
/** What the person chose; undefined until it was read. */
export const choices = signal<Choices | undefined>(undefined)
/** somethingNew is whether something that was not looked at stands among the updates. */
export const somethingNew = signal(false)
/** nobody is whether it is known that no one is signed in here. */
export const nobody = signal(false)
/** ready is whether somebody is signed in here and the engine runs. */
export const ready = computed(() => current.value !== undefined)

const byAddress = computed(() => new Map(contacts.value.map((c) => [c.jid, c])))
const chatByAddress = computed(() => new Map((chats.value ?? []).map((c) => [c.jid, c])))

/** Chats with something new that is not muted: what the tab, the title and the badge count. */
export const unreadChats = computed(() => (chats.value ?? []).filter((c) => !c.archived && !c.blocked && !c.request && (c.unread > 0 || c.markedUnread) && !isMuted(c)).length)

/** isMuted is whether a chat makes no sound now. */
export const isMuted = (chat: Chat): boolean => (chat.muted ?? 0) > Date.now() * 1000

/** engine is what the screens ask; it throws before somebody is signed in. */
export function engine(): Engine {
  if (!current.value) throw new Error('the engine is not open')
  return current.value
}

/** contactOf finds what is known of an address. */
export const contactOf = (jid: JID): Contact | undefined => byAddress.value.get(jid)
/** chatOf finds the chat of an address. */
export const chatOf = (jid: JID): Chat | undefined => chatByAddress.value.get(jid)

/** nameOf is what to call an address: the contact's name, the chat's, or its local part; in a group that shows no addresses, the nick. */
export function nameOf(jid: JID): string {
  const nick = jid.indexOf('/')
  if (nick > 0) return jid.slice(nick + 1)
  const contact = contactOf(jid)
  return contact?.name ?? contact?.nick ?? chatOf(jid)?.name ?? jid.split('@')[0] ?? jid
}

/** calledOf is what a contact is called. */
export const calledOf = (c: Contact): string => c.name ?? c.nick ?? nameOf(c.jid)

/** begin takes an engine and keeps the signals filled from it. */
export function begin(engine: Engine): void {
  current.value = engine
  avatarsFrom((key) => engine.bytes(key))
  engine.watchChats((all) => { chats.value = all })
  engine.watchConnection((now) => { connection.value = now })
  engine.watchContacts((all) => { contacts.value = all })
  engine.watchUpdates((now) => { somethingNew.value = now })
  engine.watchTyping((who) => { typing.value = who })
  engine.watchChoices((now) => { choices.value = now })
}
