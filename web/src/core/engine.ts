// What the screens may ask for. One engine runs in the tab that holds the connection; other tabs reach it through the same interface
// (core/net/remote.ts). Everything that changes what is kept goes to the database first, so that a promise which is fulfilled means: kept
// here, and it leaves by itself. What the screens show they read with the watch functions, which call back at once and on every change,
// and return how to stop.

import type { Admin } from './admin.ts'
import type { Channels } from './channels.ts'
import type { Communities } from './communities.ts'
import type { Groups, MemberPage, MemberQuery } from './groups.ts'
import type { Pay } from './pay.ts'
import type { Status, Statuses } from './status.ts'
import type {
  AccountSummary, Chat, Choices, Comparison, Connection, Contact, Content, Device, Going, DeviceNotice, Draft, JID, LinkPreview, LinkState, Message, Micros, Place, SearchHit, SignedIn, PackPlace, Space, Sticker, StickerPack, Storage,
  Waiting, Waking,
} from './model.ts'

export type * from './admin.ts'
export type * from './channels.ts'
export type * from './communities.ts'
export type * from './groups.ts'
export type * from './status.ts'

export type Stop = () => void

/** What can be said with a new message. */
export interface Outgoing {
  text?: string
  content?: Content
  /** Bytes to send as media: compressed, encrypted and uploaded by the engine. */
  file?: { blob: Blob; name: string; mime: string; as: 'image' | 'video' | 'file' | 'voice' | 'sticker'; caption?: string
    width?: number; height?: number; seconds?: number; waveform?: number[]; hd?: boolean; poster?: string; thumbhash?: string; pack?: PackPlace
    /** Can be opened once: a picture, video or voice message of at most MAX_ONCE, in a chat that is encrypted. */
    once?: boolean }
  reply?: string
  /** It answers a status: at most 300 characters of it. */
  about?: Message['about']
  /** The file is this voice draft of the chat, which goes in the same step; if it is gone already, nothing is sent. */
  voice?: string
  forwardOf?: string
  /** The content is a place that is followed for so many seconds, at most MAX_LIVE; see move. */
  live?: number
  mentions?: { from: number; to: number; jid: JID }[]
}

/** A voice message that was recorded and not sent: its sound, and how loud it was, 0–1, ten for each second. */
export interface VoiceDraft { id: string; blob: Blob; seconds: number; levels: number[] }

export interface Window {
  messages: Message[]
  /** There are older (newer) ones; `here` false: not on this device yet, asking loads them from the archive. */
  older: boolean
  newer: boolean
  /** The place that was asked for is not on this device and could not be had from the archive; the window is the one that a chat opens with. */
  missing?: boolean
}

export interface Engine {
  // Chats
  watchChats(show: (chats: Chat[]) => void): Stop
  watchChat(jid: JID, show: (chat: Chat | undefined) => void): Stop
  setChat(jid: JID, change: Partial<Pick<Chat, 'pinned' | 'archived' | 'muted' | 'favourite' | 'accepted' | 'markedUnread' | 'expires' | 'protection' | 'lists' | 'title' | 'to'>>): Promise<void>
  setDraft(jid: JID, draft: Draft | undefined): Promise<void>
  /** Keeps a piece of what is being recorded, in order from 0; the first makes it the chat's voice draft. Fails with OtherVoice when the chat has another
   * one, or this one is gone, and with StorageFull: the pieces before stay. */
  keepVoice(jid: JID, id: string, piece: { n: number; mime: string; sound: ArrayBuffer; seconds: number; levels: number[] }): Promise<void>
  /** What was recorded in a chat and not sent, as far as it was kept. */
  voiceDraft(jid: JID): Promise<VoiceDraft | undefined>
  dropVoice(jid: JID, id: string): Promise<void>
  clearChat(jid: JID): Promise<void>
  exportChat(jid: JID): Promise<Blob>

  // Messages
  /** A window of at most `limit` messages around, before or after a place; without one, at the first unread or the end. What is older than what is on this
   * device is read from the archive, unless `here`. */
  page(jid: JID, at: { around?: string | Micros; before?: Micros; after?: Micros; limit: number; here?: boolean }): Promise<Window>
  watchMessages(jid: JID, show: (changed: Message[], removed: string[]) => void): Stop
  send(jid: JID, message: Outgoing): Promise<Message>
  /** Sends again what failed: the message, or changes of it that the others did not get. */
  retry(id: string): Promise<void>
  /** Gives up changes of a message that the others did not get: here it is as before. */
  undo(id: string): Promise<void>
  /** Corrects a text; the card of a link that it had goes, unless it is given again. */
  edit(id: string, text: string, preview?: LinkPreview, mentions?: Outgoing['mentions']): Promise<void>
  remove(ids: string[], forAll: boolean): Promise<void>
  react(id: string, emoji: string | null): Promise<void>
  vote(id: string, options: number[]): Promise<void>
  /** Closes a poll for all; it is not opened again. */
  closePoll(id: string): Promise<void>
  /** Answers an event, with so many guests; null takes the answer back. */
  answer(id: string, going: Going | null, guests?: number): Promise<void>
  /** Changes an event of ours, for all. */
  changeEvent(id: string, event: Extract<Content, { type: 'event' }>): Promise<void>
  star(ids: string[], on: boolean): Promise<void>
  /** Says where we are now, in a place of ours that is followed; without a place that ends. What still waits of it is replaced. False when its time is over. */
  move(id: string, place?: Place): Promise<boolean>
  pin(id: string, on: boolean): Promise<void>
  /** All up to a place was read; Infinity: all that is here. */
  read(jid: JID, upTo: Micros): Promise<void>
  played(id: string): Promise<void>
  typing(jid: JID, what: 'composing' | 'recording' | 'paused'): void
  watchTyping(show: (who: Record<JID, { jid: JID; what: 'composing' | 'recording' }[]>) => void): Stop
  /** Messages in which all the words stand, the newest first, at most 100; without words, the newest of a kind. */
  search(words: string, within?: { chat?: JID; kind?: Content['type'] | 'link' }): Promise<SearchHit[]>
  gallery(jid: JID, kind: 'media' | 'files' | 'links' | 'voice' | 'starred', before?: Micros): Promise<Message[]>

  /** Whether the account's server makes cards of links. Fails without connection. */
  makesCards(): Promise<boolean>
  /** Has the server read the page of a link, which tells it the address: for a person who wants that (Choices.linkCards). undefined: it gives no card. */
  card(url: string): Promise<LinkPreview | undefined>

  // Media
  bytes(key: string): Promise<Blob | undefined>
  /** Fetches the file of a message; `most`: of a file whose size nobody told, no more than so many bytes. Goes on with what was stopped. */
  fetch(id: string, most?: number): Promise<void>
  pause(id: string): Promise<void>
  /** Opens what can be opened once, for the only time: that it was is kept, and on its way to our other devices and its sender, before these bytes are given.
   * They are kept nowhere. Fails with the names NotHere (it was opened, or is gone) and Offline, or as a fetch does: then it was not opened. */
  openOnce(id: string): Promise<Blob>
  cancel(id: string): Promise<void>

  // Stickers
  /** Those that are kept, the newest first. */
  watchStickers(show: (stickers: Sticker[]) => void): Stop
  /** Keeps the sticker of a message whose picture is here, or a picture as it is; `make` makes one of any picture. Fails with Unusable. */
  keepSticker(from: { message: string } | { blob: Blob; text?: string; pack?: PackPlace; make?: boolean }): Promise<void>
  dropSticker(key: string): Promise<void>
  sendSticker(jid: JID, key: string, reply?: string): Promise<Message>
  /** Reads a pack with its pictures; needs the connection. Undefined when there is none. */
  stickerPack(place: PackPlace & { jid: JID }): Promise<StickerPack | undefined>

  // People
  watchContacts(show: (contacts: Contact[]) => void): Stop
  addContact(jid: JID, name?: string): Promise<void>
  renameContact(jid: JID, name: string): Promise<void>
  removeContact(jid: JID): Promise<void>
  answerContact(jid: JID, accept: boolean): Promise<void>
  block(jid: JID, report?: { reason: 'spam' | 'abuse'; text?: string; messages?: string[] }): Promise<void>
  unblock(jid: JID): Promise<void>
  devices(jid: JID): Promise<Device[]>
  trust(device: Pick<Device, 'jid' | 'id'>, trust: Device['trust']): Promise<void>

  // Statuses (core/status.ts)
  /** All that are not over, those that wait to leave among them, in the order in which they were told. */
  watchStatuses(show: (statuses: Status[]) => void): Stop
  status<K extends keyof Statuses>(what: K, ...args: Parameters<Statuses[K]>): ReturnType<Statuses[K]>
  /** Whether something new stands among the updates: what the dot at their tab says. */
  watchUpdates(show: (something: boolean) => void): Stop

  // Groups (core/groups.ts)
  /** A page of the members of a group, as far as they are known here: without a connection too. */
  members(jid: JID, query?: MemberQuery): Promise<MemberPage>
  /** Asks or does one thing about groups; needs the connection. */
  group<K extends keyof Groups>(what: K, ...args: Parameters<Groups[K]>): ReturnType<Groups[K]>

  /** Channels (core/channels.ts): their part of the engine, which is loaded when it is first asked for. */
  channels(): Promise<Channels>

  /** Whether the account's server has a service of payments, as far as is known here. */
  pays(): Promise<boolean>
  /** Payments (core/pay.ts): their part of the engine, which is loaded when it is first asked for. */
  pay(): Promise<Pay>
  /** Hands in the payments that wait, as far as that can be done shortly: how many are on this device alone then, and lost with it. */
  unsettled(): Promise<number>

  /** Asks or does one thing about communities (core/communities.ts); needs the connection. */
  community<K extends keyof Communities>(what: K, ...args: Parameters<Communities[K]>): ReturnType<Communities[K]>

  // Connection and account
  watchConnection(show: (connection: Connection) => void): Stop
  reconnect(): void
  account(): AccountSummary
  /** Calls back at once and whenever what account() gives has changed. */
  watchAccount(show: (account: AccountSummary) => void): Stop
  invite(): Promise<{ link: string; expires?: Micros }>
  setProfile(change: { name?: string; avatar?: Blob | null }): Promise<void>
  /** Changes the password; the old one is asked of the server first. Fails with Trouble (core/accounts.ts): `password`, `unreachable`. */
  changePassword(old: string, fresh: string): Promise<void>
  deleteAccount(password: string): Promise<void>
  signOut(wipe: boolean): Promise<void>
  exportData(): Promise<Blob>

  // Verifying keys (XEP-0384; the number and the code: core/crypto/trust.ts)
  /** Twelve groups of five digits. Fails when keys of a device cannot be had. */
  safetyNumber(jid: JID): Promise<string>
  /** Two people found the number equal. */
  verifyNumber(jid: JID, number: string): Promise<void>
  /** The xmpp: address with `omemo-sid` keys of this account's devices. */
  trustURI(): Promise<string>
  /** Compares a scanned address with keys and decides. Fails with `malformed` for anything else. */
  compare(uri: string): Promise<Comparison>
  /** New devices and keys that nobody has looked at. */
  watchNotices(show: (notices: DeviceNotice[]) => void): Stop
  noticed(ids: string[]): Promise<void>

  // Where this account is signed in
  sessions(): Promise<SignedIn[]>
  /** Signs an app out; it needs the password to come back. */
  revoke(id: string): Promise<void>
  /** Takes a device of ours out of the account by the id of its keys. True: it is signed out. False: nobody knows where it is signed in yet, and only its
   * keys were taken away: nothing is encrypted for it here any more. */
  removeDevice(id: number): Promise<boolean>
  /** Links a new device: shows a code for it, or takes the one that it shows (docs/protocol/device-link.md). One at a time; to stop is to cancel. */
  link(scanned: string | undefined, show: (state: LinkState) => void): Stop
  /** A person has compared these six digits with those of the new device; `same` lets it in. */
  linkCompared(code: string, same: boolean): Promise<void>
  /** The code that opens the encrypted history when every device is lost. It is made here and never leaves. */
  recoveryCode(): Promise<string>

  // What a person chose
  watchChoices(show: (choices: Choices) => void): Stop
  choose(change: Partial<Choices>): Promise<void>
  blocked(): Promise<JID[]>

  // Waking, keeping
  waking(): Promise<Waking>
  /** Subscribes or unsubscribes this browser; the permission has been asked for already. */
  setWaking(on: boolean): Promise<Waking>
  /** Has the server wake this browser once; fulfils when the request was taken. */
  testWaking(): Promise<void>
  storage(): Promise<Storage>
  /** Deletes files from this device that can be loaded again as long as the server has them; messages stay. Gives how many bytes went. */
  freeSpace(what: Space): Promise<number>
  /** What waits to leave, the oldest first; at most 200. */
  waiting(): Promise<Waiting[]>
  /** Addresses of the servers in the order in which they are tried. */
  servers(): Promise<string[]>

  /** Asks or does one thing of administration (core/admin.ts); needs the connection. Fails with `forbidden` for who is no administrator. */
  admin<K extends keyof Admin>(what: K, ...args: Parameters<Admin[K]>): ReturnType<Admin[K]>
}
