// What the client is about, in the words of docs/words.md. No DOM and no XML here: the engine fills these, the store keeps them, the
// screens show them. Times are microseconds since 1970 (UTC), as archive ids are; sizes are bytes; addresses are bare JIDs unless said.

import type { Group } from './groups.ts'
import type { Payment, PayRequest, Split } from './pay.ts'

export type Micros = number
export type JID = string

/** How far a message of one's own has come. `failed` needs a person; everything before `sent` leaves by itself. */
export type State = 'waiting' | 'sent' | 'delivered' | 'read' | 'failed'

/** Why a message failed, a key of the texts: what happened, what is kept, what to do. */
export type Failure =
  | 'refused' | 'unknown-contact' | 'blocked' | 'too-large' | 'no-devices' | 'untrusted-devices' | 'upload' | 'quota' | 'server'
  /** In a group: we may not write there, or not any more. */
  | 'no-voice'
  /** In a group: its log cannot be read, so that nobody knows for whom to encrypt. */
  | 'group-log'

/** `broadcast` is a list of people: what is written to it goes to each of them, in their own chat (core/engine/broadcast.ts). */
export type Kind = 'person' | 'group' | 'self' | 'business' | 'broadcast'

/** People that a broadcast list may have. */
export const MAX_BROADCAST = 256

/** Says whether an address is that of a broadcast list. Nobody can have one (RFC 6761 §6.4): nothing is ever sent to it. */
export const isBroadcast = (jid: JID): boolean => jid.endsWith('@broadcast.invalid')

/** How a chat's messages are protected. `omemo` is the default; `none` is shown as a warning in the chat. */
export type Protection = 'omemo' | 'none'

export interface Chat {
  jid: JID
  kind: Kind
  /** What to call it here: the contact's own name, the roster's name, the nickname, or the address. */
  name: string
  /** Key of the picture in `media`, if there is one. */
  avatar?: string
  time: Micros
  /** Message that the list shows, already put into words that need no lookup. */
  last?: Preview
  unread: number
  /** Somebody named us, or answered us, since we last looked. */
  mentioned?: boolean
  /** How often that was, and where for the first time: the id of a message. */
  calls?: { count: number; first: string }
  markedUnread?: boolean
  /** Everything up to this place was cleared, here or on another device of ours. */
  cleared?: Micros
  pinned?: Micros
  archived?: boolean
  favourite?: boolean
  /** Names of the lists that a person put it on, in order: at most 20 of at most 40 characters, without commas. */
  lists?: string[]
  /** Of a broadcast list: what it is called, and who is on it, at most MAX_BROADCAST. */
  title?: string
  to?: JID[]
  /** Muted until then; Infinity for always. */
  muted?: Micros
  draft?: Draft
  /** Something was recorded here and not sent; its sound is in the store. */
  voice?: { id: string; time: Micros }
  protection: Protection
  /** Last message of others that was read here (its id), and that our other devices told. */
  readUpTo?: Micros
  /** Seconds after which messages disappear, 0 or none: never (XEP-0466). */
  expires?: number
  /** When that was decided. */
  expiresSince?: Micros
  pinnedMessage?: string
  blocked?: boolean
  /** A stranger's, while only contacts may write: it stands apart, makes no notification, and they learn nothing, until a person decides. */
  request?: boolean
  /** A person let this stranger write. */
  accepted?: boolean
  /** Their statuses stand apart, and nothing is told of them. */
  statusMuted?: boolean
  /** Of a group: what it is. */
  group?: Group
}

export interface Draft {
  text: string
  reply?: string
  edit?: string
  time: Micros
}

export interface Preview {
  id: string
  from: JID
  own: boolean
  text: string
  /** What it is when it is no text; the list shows its icon. */
  content: Content['type']
  state?: State
  /** In a group: what its author was called there. */
  author?: string
  /** Of a line of a group: what it says. */
  line?: Omit<Extract<Content, { type: 'system' }>, 'type'>
}

/** One message of a chat, as it is shown: corrections, reactions and retractions are already applied. */
export interface Message {
  /** Made here, for ever; other ids lead to it by indexes. */
  id: string
  chat: JID
  /** Place in the chat: the archive's id once known, the time here until then. */
  order: Micros
  time: Micros
  from: JID
  own: boolean
  /** In a group: what its author was called there. `from` is their bare address; where the group does not show it, their address in the group. */
  author?: string
  originId?: string
  stanzaId?: string
  archiveId?: Micros
  content: Content
  state?: State
  failure?: Failure
  /** The last change of it (on a message of others: a reaction, a vote, a pin) that the others did not get, as a person has to decide; `undo`: it can be undone. */
  untold?: { what: 'edit' | 'react' | 'vote' | 'pin' | 'retract' | 'caption' | 'place' | 'answer' | 'close' | 'event'; failure: Failure; undo?: true }
  reply?: { id: string; to: JID; text: string }
  /** It answers somebody's status: its words, or the kind of its file (docs/protocol/status.md). */
  about?: { author: JID; id: string; text: string }
  forwarded?: number
  /** Written to a broadcast list: the messages that came of it, by who got them. */
  copies?: Record<JID, string>
  edited?: Micros
  /** Retracted by its author (or moderated): the content is gone, the place stays. */
  retracted?: { by: JID; time: Micros; reason?: string }
  /** Emoji → who. */
  reactions?: Record<string, JID[]>
  starred?: boolean
  pinned?: boolean
  /** Who has it, who has read it: per contact in groups. */
  receipts?: Record<JID, { delivered?: Micros; read?: Micros; played?: Micros }>
  /** Seconds after which it disappears (XEP-0466). */
  expires?: number
  /** When it disappears; Infinity: its time has not begun, it was not read or did not leave yet. */
  expiresAt?: Micros
  mentions?: { from: number; to: number; jid: JID }[]
  protection: Protection
  /** Device that encrypted it and whether a person has verified that device's key. */
  device?: { id: number; trusted: boolean }
}

export type Content =
  | { type: 'text'; text: string; preview?: LinkPreview }
  | { type: 'image' | 'video' | 'file' | 'voice' | 'audio' | 'sticker'; media: Media; caption?: string }
  /** Can be opened once: `file` is there until then, and of ours until it has left. */
  | { type: 'once'; as: OnceKind; file?: Media; opened?: Micros }
  | { type: 'location'; latitude: number; longitude: number; accuracy?: number; label?: string; /** It is corrected while its sender moves, until then at most. */ liveUntil?: Micros }
  | { type: 'contact'; jid: JID; name: string }
  | ({ type: 'poll' } & Poll)
  | ({ type: 'event'; /** What it says in words, in the language of who made it. */ body: string; /** Who has answered; who comes, in the order of their places. */ answers: Record<JID, Answer>; /** At most so many answers stand there that this device cannot read. */ unread?: number } & EventFacts)
  /** What is known now of a payment, a request, a split: each has one message, whoever tells of it (core/pay.ts). */
  | { type: 'payment'; payment: Payment }
  | { type: 'request'; request: PayRequest }
  | { type: 'split'; id: string; group: JID; /** Not known before the service was asked. */ split?: Split }
  | { type: 'call'; video: boolean; outcome: 'missed' | 'declined' | 'ended'; seconds?: number }
  | { type: 'system'; key: string; values?: Record<string, string>; /** In a group: who did it, and to whom; at most 10 are named. */ by?: JID; who?: JID[] }
  | { type: 'undecryptable'; reason: 'no-key' | 'late-key' | 'broken' | 'old-device' }

/** An amount with its unit, and what it is for, in one line; it needs no texts. */
export function moneyText(content: Extract<Content, { type: 'payment' | 'request' | 'split' }>): string {
  const facts = content.type === 'payment' ? content.payment : content.type === 'request' ? content.request : content.split
  if (!facts) return ''
  const digits = { minimumFractionDigits: facts.exponent, maximumFractionDigits: facts.exponent }
  const amount = `${'total' in facts ? facts.total : facts.amount}E-${facts.exponent}` as `${number}` // exact, where a fraction may have no room in a number
  return `${new Intl.NumberFormat(undefined, digits).format(amount)} ${facts.unit}${facts.for ? ' · ' + facts.for : ''}`
}

/** A question, and what was answered as the rules count it (docs/protocol/polls-and-events.md). */
export interface Poll {
  question: string
  options: string[]
  many: boolean
  /** What is said later does not count. */
  closes?: Micros
  /** It was closed at this place of the chat. */
  closed?: Micros
  /** Numbers of options by who has voted; [] for a vote that was taken back. */
  votes: Record<JID, number[]>
  /** At most so many votes stand there that this device cannot read. */
  unread?: number
}

/** What somebody invites to. It has `starts`, or `day` if it lasts whole days. */
export interface EventFacts {
  name: string
  description?: string
  place?: string
  latitude?: number
  longitude?: number
  starts?: Micros
  ends?: Micros
  /** YYYY-MM-DD, wherever one is; `until` is the last day of several. */
  day?: string
  until?: string
  /** The place's time zone, an IANA name. */
  zone?: string
  /** People may bring others. */
  guests: boolean
  /** As many may come. */
  places?: number
  cancelled?: true
}

export type Going = 'yes' | 'maybe' | 'no'

/** What somebody has answered. `row`: their places in the row of those who come, [place in the chat, people]; `waits`: so many of these people have no place. `stale`: it was said of
 * another time or place. */
export interface Answer { going: Going; guests: number; row?: [Micros, number][]; waits?: number; stale?: true }

/** People that somebody may bring. */
export const MAX_GUESTS = 20

/** What can be sent to be opened once. */
export type OnceKind = 'image' | 'video' | 'voice'

/** The largest file that is sent, or fetched, to be opened once, in bytes: it is in memory alone while it is shown. */
export const MAX_ONCE = 100 << 20

/** Where somebody is. */
export type Place = Pick<Extract<Content, { type: 'location' }>, 'latitude' | 'longitude' | 'accuracy'>

/** A place is followed for at most so many seconds. */
export const MAX_LIVE = 8 * 3600

export interface LinkPreview {
  url: string
  title: string
  description?: string
  /** What the site calls itself. Where it leads is told by its address, not by this. */
  site?: string
  /** A small picture inside the message: nothing is fetched by whoever reads (XEP-0511). */
  image?: string
}

export interface Media {
  /** Key in the `media` store; bytes may not be there yet. */
  key: string
  name: string
  mime: string
  size: number
  width?: number
  height?: number
  seconds?: number
  /** 40 heights of 0–15 for voice. */
  waveform?: number[]
  /** A blurred picture of at most 30 bytes, base64. */
  thumbhash?: string
  /** A small picture of a video, as a `data:` address of at most MAX_POSTER characters. */
  poster?: string
  /** The pack that a sticker is from. */
  pack?: PackPlace
  /** Where the (encrypted) bytes are; aesgcm:// when end-to-end encrypted (XEP-0454). */
  url?: string
  played?: boolean
  /** A silent video that begins anew when it ends: a moving picture. */
  loop?: boolean
  /** To be sent as large as it is useful, not as small. */
  hd?: boolean
  transfer?: Transfer
}

/** Where a pack of stickers is published (XEP-0449); without `jid` at the account that sent the sticker, without `node` at the usual one. */
export interface PackPlace { id: string; jid?: JID; node?: string }

/** A sticker that a person kept on this device. */
export interface Sticker {
  /** Key of its picture in `media`. */
  key: string
  name: string
  mime: string
  size: number
  width?: number
  height?: number
  thumbhash?: string
  /** What it says: an emoji or a few words. */
  text?: string
  pack?: PackPlace
}

/** A pack of stickers as somebody published it: what could be had of its pictures. */
export interface StickerPack {
  name: string
  summary?: string
  /** Who made it does not want it to be added elsewhere. */
  restricted: boolean
  stickers: { blob: Blob; text: string }[]
  /** Pictures that could not be had, or are not what the pack says. */
  missing: number
}

/** The longest address of a poster, in characters. */
export const MAX_POSTER = 24_000

/** An upload or download under way. */
export interface Transfer {
  direction: 'up' | 'down'
  done: number
  total: number
  state: 'waiting' | 'running' | 'paused' | 'failed' | 'done'
  /** The file is being made smaller, and nothing has left: `done` of `total` tells how far that is. */
  making?: boolean
  failure?: Failure
}

export interface Contact {
  jid: JID
  name?: string
  nick?: string
  avatar?: string
  subscription: 'none' | 'to' | 'from' | 'both'
  /** They asked to see our presence, or we asked theirs. */
  asks?: 'in' | 'out'
  presence?: Presence
  lastSeen?: Micros
  /** Groups of the list, as other apps made them. */
  groups?: string[]
  /** What was decided last and has not left yet; the contact is shown as it will be. */
  waits?: ContactStep
  /** The server refused this; the contact is as it was. */
  refused?: ContactStep
}

/** What can be decided about a contact. */
export type ContactStep = 'add' | 'rename' | 'remove' | 'accept' | 'refuse' | 'block' | 'unblock'

export interface Presence {
  show: 'online' | 'away' | 'offline'
  status?: string
}

/** A device of somebody's that can read encrypted messages. */
export interface Device {
  jid: JID
  id: number
  /** 32 bytes in hex, Curve25519 form: what people compare. */
  fingerprint: string
  label?: string
  trust: 'verified' | 'trusted' | 'undecided' | 'distrusted'
  active: boolean
  own: boolean
  lastUsed?: Micros
  firstSeen: Micros
}

/** The connection, in one word for the pill, and what "What is happening" says in sentences. */
export interface Connection {
  state: 'live' | 'fallback' | 'connecting' | 'offline' | 'refused'
  server?: string
  /** Since when it is so. */
  since: Micros
  lastHeard?: Micros
  nextTry?: Micros
  /** What waits to leave, and since when. */
  waiting: number
  oldestWaiting?: Micros
  /** What came last could not be kept because this device has no room left; it stays on the server and is fetched again. */
  full?: boolean
  /** Text key of what a person can do, when the state is `refused`. */
  reason?: 'password' | 'account-removed' | 'account-disabled' | 'replaced' | 'certificate' | 'version'
}

export interface AccountSummary {
  jid: JID
  name: string
  avatar?: string
  active: boolean
  /** It administers its server, as that said last. */
  admin?: boolean
}

export interface SearchHit {
  message: Message
  chat: Chat
  /** Parts of the text that match: pairs of offsets. */
  marks: [number, number][]
}

/** One place where the account is signed in: an app on a device that has a token or a password (XEP-0494). */
export interface SignedIn {
  id: string
  /** What the app calls itself, and where it runs. */
  app: string
  platform?: string
  since: Micros
  lastUsed?: Micros
  /** It is connected now. */
  online: boolean
  /** It is this one. */
  here: boolean
  /** It knows the password: only a new password signs it out. */
  password?: boolean
}

/** What comparing a scanned code with what is known here gave, as ids of devices. */
export interface Comparison {
  jid: JID
  matching: number[]
  /** Have another key here than in the code. */
  differing: number[]
  unknown: number[]
}

/** Something about devices that a person has to see. */
export interface DeviceNotice {
  id: string
  type: 'new-device' | 'new-key'
  jid: JID
  device: number
  fingerprint: string
  /** What holds now: nothing is encrypted here for a device that is `undecided` or `distrusted`. */
  trust: Device['trust']
  own: boolean
  time: Micros
  /** Of our own: what the app calls itself and where it runs, as the server tells. */
  app?: string
  platform?: string
}

/** Which media load by themselves. */
export type AutoLoad = ('image' | 'voice' | 'video' | 'file')[]

/** What a person chose and the engine or the service worker must know. What only the looks depend on is in ui/prefs.ts. */
export interface Choices {
  /** Contacts may see when we were last there (XEP-0012, docs/protocol/last-privacy.md). Of the account, kept by the server. */
  lastSeen: boolean
  /** Others are told that their messages were read, and that we write. */
  readReceipts: boolean
  typing: boolean
  /** Who may write: everybody, or contacts alone; others come as requests. */
  strangers: boolean
  /** Cards of links that are sent, for which the server reads the page and so learns the address: nobody has decided, for each link, when asked to, for none. */
  linkCards: 'ask' | 'always' | 'each' | 'never'
  /** Notifications: what they show, and for which kinds. */
  preview: boolean
  sound: boolean
  notify: { people: boolean; groups: boolean; /** Who is named in a group is told also where it is muted. */ mentions: boolean; reactions: boolean; calls: boolean }
  autoLoad: { wifi: AutoLoad; mobile: AutoLoad }
}

/** How this browser is woken when it is closed (docs/protocol/web-push.md). */
export interface Waking {
  /** `unsupported`: this browser cannot; `denied`: the person or the browser forbids it; `failed`: the server or the vendor's service refused. */
  state: 'on' | 'off' | 'unsupported' | 'denied' | 'failed'
  /** The service that wakes, such as fcm.googleapis.com. */
  service?: string
  /** When it last woke this browser. */
  last?: Micros
}

/** What takes space: `sticker` are those that a person keeps, `other` are pictures of people and what was begun to be fetched. */
export type FileKind = 'image' | 'video' | 'voice' | 'file' | 'sticker' | 'other'

/** A file that takes space. */
export interface LargeFile {
  key: string
  kind: FileKind
  bytes: number
  /** It exists nowhere else: it was not sent yet. */
  only: boolean
  chat?: JID
  /** The message that it is of. */
  message?: string
  name?: string
  time?: Micros
}

/** What is to be given back: all of a chat, all of a kind, or some files. */
export interface Space { chat?: JID; kind?: FileKind; keys?: string[] }

/** What is kept on this device. */
export interface Storage {
  used: number
  /** What the browser gives at most; 0: unknown. */
  quota: number
  /** The browser promised not to delete it by itself. */
  persistent: boolean
  /** The largest first. */
  chats: { jid: JID; messages: number; media: number; bytes: number }[]
  /** Messages of all chats. */
  messages: number
  /** The largest first; `stays` are the bytes that exist nowhere else, and are not given back. */
  kinds: { kind: FileKind; files: number; bytes: number; stays: number }[]
  /** The largest files, at most 30. */
  largest: LargeFile[]
}

/** What waits to leave. */
export interface Waiting {
  id: string
  chat: JID
  text: string
  since: Micros
  /** How far an upload is. */
  transfer?: Transfer
  /** It is about the contact `chat`, not a message. */
  step?: ContactStep
  /** It does not leave by itself: a person has to decide. */
  failure?: Failure
}

/** Why a device was not linked.
 * - `malformed`: what was scanned or typed is no code for this · `own`: it is a code for the other side, such as that of a new device on a new one
 * - `account`: the code is of another account · `elsewhere`: of another server
 * - `over`: the code is too old, or the other device has gone · `cancelled`: it was ended on the other device
 * - `differing`: a person saw other digits · `contested`: a third device used the same code
 * - `offline`: the server does not answer · `busy`: too many are being linked from here · `storage`: this browser keeps nothing · `server`: anything else */
export type LinkFailure = 'malformed' | 'own' | 'account' | 'elsewhere' | 'over' | 'cancelled' | 'differing' | 'contested' | 'offline' | 'busy' | 'storage' | 'server'

/** How far linking a device is (docs/protocol/device-link.md). */
export type LinkState =
  | { step: 'starting' }
  /** The other device scans `text`, or a person pastes it there. */
  | { step: 'showing'; text: string; expires: Micros }
  /** A person compares six digits. `agreed`: they have, on this device; the other one is waited for. */
  | { step: 'comparing'; code: string; agreed: boolean; expires: Micros }
  | { step: 'done' }
  /** `at` is where the code can be used, when that is another server. */
  | { step: 'failed'; why: LinkFailure; at?: string }
