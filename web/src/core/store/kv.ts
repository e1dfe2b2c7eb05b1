// Small values under names: cursors, settings, the snapshot of the list of chats.

import type { Micros } from '../model.ts'
import type { Snapshot } from './chats.ts'
import type { Database, Look } from './database.ts'

/** What is kept under which name. */
export interface Values {
  /** Everything in the archive up to here is kept (the archive's id). */
  cursor: Micros
  /** The newest id of the archive that was ever seen: how late it is on the server. */
  newest: Micros
  /** How many microseconds the server's clock is ahead of ours, as last seen. */
  skew: Micros
  /** The first rows of the list, for the first picture. */
  top: Snapshot
  /** The version of the roster that is kept (RFC 6121 §2.6). */
  roster: string
  /** Addresses that are blocked. */
  blocked: string[]
  profile: { name?: string; avatar?: string }
  settings: Settings
  /** When expired messages were last looked for, and the like. */
  maintained: Micros
  /** How far each chat was read from the archive backwards: the oldest id, '' when nothing is older. */
  [older: `older ${string}`]: string
  /** A chat was cleared up to this place. */
  [cleared: `cleared ${string}`]: Micros
  /** How far the archive was read backwards for all chats: the oldest id, '' when nothing is older. */
  floor: string
}

/** What a person chose for this account on this device. */
export interface Settings {
  /** Tell others that we have read, and that we type. */
  receipts: boolean
  typing: boolean
  /** What is fetched by itself: largest size in bytes, by kind, on a free and on a metered network. */
  fetch: { free: FetchRule; metered: FetchRule }
  /** Save data: nothing is fetched by itself. `auto` follows the browser. */
  lowData: 'auto' | 'on' | 'off'
  /** Bytes that fetched media may take. */
  mediaBound: number
}

/** The largest file of each kind that is fetched by itself, in bytes. */
export type FetchRule = Record<'image' | 'voice' | 'video' | 'file', number>

/** What holds until somebody chooses otherwise. */
export const defaults: Settings = {
  receipts: true,
  typing: true,
  fetch: {
    free: { image: 4 << 20, voice: 8 << 20, video: 8 << 20, file: 2 << 20 },
    metered: { image: 512 << 10, voice: 2 << 20, video: 0, file: 0 },
  },
  lowData: 'auto',
  mediaBound: 512 << 20,
}

/** Reads a value. */
export async function get<K extends keyof Values>(from: Database | Look, name: K): Promise<Values[K] | undefined> {
  const found = 'close' in from ? await from.get('kv', name) : await from.objectStore('kv').get(name)
  return found as Values[K] | undefined
}

/** What a person chose, with the defaults for the rest. */
export async function settingsOf(from: Database | Look): Promise<Settings> {
  return { ...defaults, ...(await get(from, 'settings')) }
}
