// Small values under names: cursors, settings, the snapshot of the list of chats.

import type { HistoryIndex } from '../crypto/types.ts'
import type { Choices, Micros, Sticker } from '../model.ts'
import type { PayAbout, Wallet } from '../pay.ts'
import type { Audience } from '../status.ts'
import type { Snapshot } from './chats.ts'
import type { Database, Look } from './database.ts'
import type { Errand } from './outbox.ts'

/** How far this device has written the encrypted history: the number of its index, its chunks, and those that others replaced and that are to be removed. */
export interface Written { index: number; chunks: HistoryIndex['chunks']; complete: [Micros, Micros][]; old?: number[] }

/** A message that was deleted for us alone: by what its copies elsewhere are found. */
export interface Gone { chat: string; from: string; id?: Micros; origin?: string }

/** An app that is being signed out, and the OMEMO devices that go with it. */
export interface Revoking { access: string; devices: number[] }

/** What is kept under which name. */
export interface Values {
  /** Everything in the archive up to here is kept (the archive's id). */
  cursor: Micros
  /** The newest id of the archive that was ever seen: how late it is on the server. */
  newest: Micros
  /** How far this device has written the encrypted history, and the hashes of the chunks of others that were read. */
  history: Written
  'history read': string[]
  /** Messages (archive ids) that changed and whose chunks are to be written anew; [0]: all. */
  'history changed': Micros[]
  /** Messages (archive ids) in the chunks of other devices that changed, and stand in a chunk of ours as they are now. */
  'history over': Micros[]
  /** Messages that were deleted for us alone, the newest last, and whether our other devices can read so in the history. */
  'history gone': { list: Gone[]; told: boolean }
  /** A device was removed: a new key of the history is to be drawn, or was drawn and is to be told. */
  'history renew': 'draw' | 'tell'
  /** An app is being signed out, and its keys are to be removed. */
  revoking: Revoking
  /** Changes of messages that the server took last: they may still come back. */
  told: Errand[]
  /** Our other devices know that this one's keys belong to this sign-in. */
  'told device': number
  /** From here on messages of ours may be in the archive at places that are not known. */
  unplaced: Micros
  /** When this device began to read the account's archive. */
  since: Micros
  /** How many microseconds the server's clock is ahead of ours, as last seen. */
  skew: Micros
  /** The first rows of the list, for the first picture. */
  top: Snapshot
  /** The version of the roster that is kept (RFC 6121 §2.6). */
  roster: string
  /** Addresses that are blocked. */
  blocked: string[]
  profile: { name?: string; avatar?: string }
  /** Something that was not looked at stands among the updates: a status until then, a channel. */
  updates: { status?: Micros; channels?: boolean }
  /** Whom statuses were for last, and whether the account's node does not know it yet. */
  statusAudience: Audience
  'statusAudience untold': true
  /** The service of payments of our server, when it was looked for last, and what it told last. */
  pay: { looked: Micros; service?: string; about?: PayAbout; wallet?: Wallet }
  choices: Partial<Choices>
  /** Stickers that a person kept, the newest first. */
  stickers: Sticker[]
  /** This browser is to be woken when it is closed. */
  waking: boolean
  /** When it was woken last; the service worker writes it. */
  woken: Micros
  /** When expired messages were last looked for, and the like. */
  maintained: Micros
  /** How far each chat was read from the archive backwards: the oldest id, '' when nothing is older. */
  [older: `older ${string}`]: string
  /** The newest entry of a group's log up to which everything is kept. */
  [log: `log ${string}`]: Micros
  /** Members of a group who had no keys when something was encrypted last. */
  [keyless: `keyless ${string}`]: string[]
  /** All members of a group are known here. */
  [members: `members ${string}`]: true
  /** Addresses under which those are known whose own addresses a group does not show, by their ids in it (XEP-0421); the oldest first. */
  [occupants: `occupants ${string}`]: [string, string][]
  /** How a group is called and set is known here. */
  [settings: `settings ${string}`]: true
  /** A chat was cleared up to this place. */
  [cleared: `cleared ${string}`]: Micros
  /** The file of this message is on its way, or waits to be. */
  [transfer: `transfer ${string}`]: true
  /** How far the archive was read backwards for all chats: the oldest id, '' when nothing is older. */
  floor: string
}

/** What holds until somebody chooses otherwise. */
export const defaults: Choices = {
  lastSeen: true, readReceipts: true, typing: true, strangers: true, linkCards: 'ask', preview: true, sound: true,
  notify: { people: true, groups: true, mentions: true, reactions: true, calls: true },
  autoLoad: { wifi: ['image', 'voice', 'video', 'file'], mobile: ['image', 'voice'] },
}

/** Bytes that media may take on this device; what can be fetched again makes room. */
export const MEDIA_BOUND = 512 << 20

/** Reads a value. */
export async function get<K extends keyof Values>(from: Database | Look, name: K): Promise<Values[K] | undefined> {
  const found = 'close' in from ? await from.get('kv', name) : await from.objectStore('kv').get(name)
  return found as Values[K] | undefined
}

/** What a person chose, with what holds until they choose for the rest. */
export const withDefaults = (chosen?: Partial<Choices>): Choices => ({ ...defaults, ...chosen, notify: { ...defaults.notify, ...chosen?.notify } })

/** What a person chose, with the defaults for the rest. */
export async function choicesOf(from: Database | Look): Promise<Choices> {
  return withDefaults(await get(from, 'choices'))
}
