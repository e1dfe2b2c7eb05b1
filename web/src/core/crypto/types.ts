// What the engine, core/xmpp and the crypto worker say to each other: plain objects that structured clone can carry. No XML, no DOM, no keys
// of ours. Bytes are Uint8Array, addresses are prepared bare JIDs (lower case), ids are 1 … 2^31-1, times are microseconds since 1970 (UTC).

import type { JID, Micros } from '../model.ts'

/** Bytes with a buffer of their own, as WebCrypto and transfers want them. */
export type Bytes = Uint8Array<ArrayBuffer>

/** OMEMO 0.3 is `eu.siacs.conversations.axolotl` (XEP-0384 v0.3.0), 2 is `urn:xmpp:omemo:2` (XEP-0384 v0.9.1). */
export type Version = '0.3' | '2'

/** Why something was not done. `detail` is for the log, in English; it never holds keys or plaintext.
 * - `malformed`: a length, field, point or signature is wrong · `too-large`: over a stated limit
 * - `not-for-us`, `duplicate`: ignore the message silently (XEP-0384 §6)
 * - `no-session`, `no-prekey`, `too-far`, `decrypt`: cannot be read; the worker mends the session by itself, see `settle`
 * - `no-chain`: it was encrypted for all of a group at once, and the chain of its sender is not here, see `want`
 * - `distrusted`, `undecided`: a person rejected the identity, or has to decide first
 * - `no-bundle`: the device's keys could not be fetched · `no-devices`: nobody could be encrypted for
 * - `state`: what is kept cannot be read · `storage`: could not be kept, nothing changed · `gone`: the worker ended, or was never begun
 * - `fault`: a mistake in this program; nothing changed */
export type RefusalCode =
  | 'malformed' | 'too-large' | 'not-for-us' | 'duplicate' | 'no-session' | 'no-prekey' | 'too-far' | 'decrypt'
  | 'no-chain' | 'distrusted' | 'undecided' | 'no-bundle' | 'no-devices' | 'state' | 'storage' | 'gone' | 'fault'

export interface Refusal {
  code: RefusalCode
  detail: string
}

/** Every call of the crypto client gives one; none throws. */
export type Result<T> = { ok: true; value: T } | { ok: false; error: Refusal }

/** One device of an account. */
export interface Address {
  jid: JID
  device: number
}

// On the wire

/** An `<encrypted/>` element. */
export interface Encrypted {
  version: Version
  /** Device id of the sender. */
  sid: number
  /** At most 4096. */
  keys: EncryptedKey[]
  /** OMEMO 0.3 only: `<iv/>`. */
  iv?: Bytes
  /** Missing if there is no `<payload/>`: the message only serves the sessions. An empty element is an empty array. */
  payload?: Bytes
  /** OMEMO 2 in a large group: the `<for-all/>` beside it. */
  all?: ForAll
}

/** One key for all in a group who have the chain of its sender (docs/protocol/group-keys.md). */
export interface ForAll {
  /** 8 bytes in hex. */
  epoch: string
  /** Its place in the chain, from 0. */
  n: number
  /** 64 bytes: the 48 of a `<key/>`, encrypted. */
  data: Bytes
  /** Ed25519, 64 bytes. */
  sign: Bytes
}

/** A chain that somebody speaks with in a group: whose device, and which. */
export interface ChainName {
  room: JID
  sender: Address
  epoch: string
}

/** A `<key/>` of it. */
export interface EncryptedKey {
  /** OMEMO 2: the `jid` of the `<keys/>` around it. What is received in OMEMO 0.3 has none. */
  jid?: JID
  rid: number
  /** `prekey` in OMEMO 0.3, `kex` in OMEMO 2; "true" and "1" are true. */
  exchange: boolean
  data: Bytes
}

/** A `<bundle/>`. Keys are as on the wire: 33 bytes in OMEMO 0.3, 32 in OMEMO 2. */
export interface Bundle {
  version: Version
  identity: Bytes
  signedPreKey: PreKey
  signature: Bytes
  /** At most 1000. */
  preKeys: PreKey[]
}

export interface PreKey {
  id: number
  key: Bytes
}

// What the worker asks for: it cannot reach the server itself

/** Fetches for the worker. Each promise is given 30 s; a rejection counts as "not to be had now". */
export interface Asked {
  /** Ids on the account's device list, each once; none if it publishes no list. */
  devices(jid: JID, version: Version): Promise<number[]>
  bundle(jid: JID, device: number, version: Version): Promise<Bundle | null>
  /** Ids of the account's devices that say they know keys of senders. Without it nobody does. */
  knowing?(jid: JID): Promise<number[]>
}

// Own device

export interface Own {
  device: number
  /** 32 bytes in hex, Curve25519 form. */
  fingerprint: string
  /** It was made by this very call: history before now is not readable by it. */
  fresh: boolean
}

/** A bundle to publish; say `published` with its mark when the server has it. Put the device on the list of that version after it. */
export interface Publication {
  version: Version
  device: number
  bundle: Bundle
  mark: string
}

// Sending

export interface EncryptRequest {
  /** Accounts that shall read it: the contact, or every owner, admin and member of a room. Own other devices are added. At most 2000. */
  to: JID[]
  /** What OMEMO 0.3 encrypts; '' for what is not said in it. */
  body: string
  /** What OMEMO 2 encrypts: serialised elements, `<body xmlns='jabber:client'>` among them, each with its own xmlns. */
  content: string
  /** Bare address of the room, for groupchat (XEP-0420 §4.2: MUST). */
  room?: JID
}

export interface Sealed {
  /** One for those who have OMEMO 2, one for those who have 0.3 alone, the latter first; both go into one stanza. */
  messages: Encrypted[]
  /** If false, there are readers who have OMEMO 0.3 alone: for them nothing but the body was encrypted. */
  whole: boolean
  skipped: Skipped[]
  /** Accounts of `to` of which no device can read it. */
  unreached: JID[]
}

export interface Skipped extends Address {
  reason: RefusalCode
}

// Receiving

export interface DecryptRequest {
  /** A name that no other message has (archive id, or stanza id). The plaintext is kept under it until `stored` says it is safe elsewhere. */
  key: string
  /** Bare address that the server vouched for: of the account, in rooms the real one. */
  from: JID
  /** Bare address of the room, if it came through one. */
  room?: JID
  message: Encrypted
  /** When the server took it. */
  time?: Micros
}

export interface Opened {
  key: string
  version: Version
  /** The message only served the sessions, or trust: show nothing. */
  empty: boolean
  /** OMEMO 0.3: the body. */
  body?: string
  /** OMEMO 2: one serialised `<content xmlns='urn:xmpp:sce:1'>` element, well-formed, with every namespace it needs. */
  content?: string
  /** OMEMO 2: when the sender wrote it, if said. */
  time?: Micros
  sender: Address
  fingerprint: string
  trust: Trust
  /** It brought the chain with which its sender speaks in a group: what could not be read for lack of it may be tried again. */
  chain?: ChainName
}

/** What the sessions need sent. Ask after decrypting (at once, or at the end of a catch-up), before payloads are sent. */
export interface Due {
  /** Messages without payload or with trust messages, each as `<message type='chat'>` with `<store xmlns='urn:xmpp:hints'/>` to the account. */
  answers: { to: JID; message: Encrypted; /** It is about a group, and only for who is a member of it. */ room?: JID }[]
  publications: Publication[]
}

// Trust

export type Trust = 'verified' | 'trusted' | 'undecided' | 'distrusted'

/** Something a person has to see. It is kept until `noticed`. */
export interface Notice {
  id: string
  /** `new-device`: an account has one more device. `new-key`: a device has another key than before. */
  type: 'new-device' | 'new-key'
  jid: JID
  device: number
  /** As it is known now, '' if it has not been seen. */
  fingerprint: string
  /** What holds now: whether what is written here is encrypted for the device. */
  trust: Trust
  own: boolean
  time: Micros
}

/** An `omemo-sid-` part of an xmpp: URI. */
export interface ScannedKey {
  device: number
  fingerprint: string
}

/** What comparing a scanned code gave, by device id. */
export interface Comparison {
  /** Match, and are verified now. */
  matching: number[]
  /** Have another key here than in the code: distrusted now; warn. */
  differing: number[]
  /** Not seen yet; verified in advance. */
  unknown: number[]
}

// Media

export interface MediaKey {
  /** 32 bytes. */
  key: Bytes
  /** 12 bytes; 16 from old apps. */
  iv: Bytes
}

// Encrypted history (docs/protocol/encrypted-history.md)

/** A key of the history. It never leaves the worker but sealed. */
export interface ArchiveKey {
  /** 8 bytes in hex. */
  id: string
  key: Bytes
  /** Seconds since 1970. */
  made: number
}

export interface HistoryState {
  /** Ids of the keys that this device has, newest first; none: it can neither write nor read the history. */
  keys: string[]
  /** There is a recovery code, and this device can wrap new keys under it. */
  recovery: boolean
}

export interface HistoryChunk {
  /** At most 128 KiB; what the item holds. */
  data: Bytes
  /** Device that wrote it. */
  writer: number
  /** Counts from 1 for each writer. */
  number: number
  /** SHA-256 of data, in hex. */
  hash: string
  /** Hash of the chunk before, '' for the first. */
  previous: string
}

/** What a device has written, at most 2048 chunks. */
export interface HistoryIndex {
  /** Greater than that of the index before. */
  number: number
  chunks: { number: number; hash: string; from: Micros; to: Micros; count: number }[]
  /** Spans of archive ids of which everything that could be read is in the chunks. */
  complete: [Micros, Micros][]
}

/** Which side of a hand-over a device is. */
export type LinkRole = 'new' | 'old'

/** What one device sends to the other, over the server. */
export interface LinkMessage {
  step: 1 | 2 | 3 | 4
  /** Base64url. */
  data: string
}

/** With what a new device logs in, as an older one of the account gives it (docs/protocol/device-link.md §4). */
export interface LinkLogin {
  /** The id of the installation, a UUID. */
  agent: string
  mechanism: string
  token: string
}

/** What to do next. */
export interface LinkStep {
  send?: LinkMessage
  /** Six digits to show; a person compares them with the other device's, then `linkConfirm`. */
  code?: string
  finished?: true
  /** On the new device, with `finished`: how it gets in, if the older one let it in. */
  login?: LinkLogin
}
