// What was said about polls and events: each vote, answer and closing as it stands in the log, so that it can be counted anew when something between comes or
// is taken back (engine/count.ts). It is kept under the name of its message, also before that is here.

import type { Affiliation } from '../groups.ts'
import type { JID, Micros } from '../model.ts'
import type { Act } from '../engine/count.ts'
import type { Change, Look } from './database.ts'

/** What is kept of what one person said about one message: the newest. */
const MAX_EACH = 20
/** What is kept about one message. */
const MAX_ABOUT = 20_000

/** One of them as it is kept. */
export interface KeptAct extends Act {
  id: string
  chat: JID
  /** The name under which it waits for its message; see waitName. */
  about: string
  names: string[]
  /** The place is the number that the archive or the log gave it. */
  numbered?: true
}

/** How somebody stood with a group from an entry of its log on, and before it. */
export interface Stay { group: JID; jid: JID; place: Micros; now: Affiliation; was: Affiliation }

/** Finds what was said under one of these names. */
export async function actNamed(tx: Look, chat: JID, names: string[]): Promise<KeptAct | undefined> {
  for (const name of names) {
    const found = await tx.objectStore('acts').index('names').get(name)
    if (found?.chat === chat) return found
  }
  return undefined
}

/** Keeps what another device counted, unless it is here; where this device could not read what stands there, it stands for that. */
export async function adoptAct(tx: Change, act: KeptAct): Promise<void> {
  const known = await actNamed(tx, act.chat, act.names)
  if (known && known.deed.what !== 'unread') return
  if (known) await tx.objectStore('acts').delete(known.id)
  await putAct(tx, act)
}

/** Keeps one; of what a person said too often about a message the oldest goes. */
export async function putAct(tx: Change, act: KeptAct): Promise<void> {
  const store = tx.objectStore('acts')
  const before = await store.index('who').getAll([act.about, act.from])
  if (before.length >= MAX_EACH && !before.some((one) => one.id === act.id)) {
    const oldest = [...before, act].sort((a, b) => a.place - b.place)[0]
    if (!oldest || oldest === act) return
    await store.delete(oldest.id)
  } else if (await store.index('who').count(IDBKeyRange.bound([act.about], [act.about, []])) >= MAX_ABOUT) return
  await store.put(act)
}

/** All that was said about a message under one of these names. */
export async function actsAbout(tx: Look, names: string[]): Promise<KeptAct[]> {
  const found = await Promise.all(names.map((name) => tx.objectStore('acts').index('who').getAll(IDBKeyRange.bound([name], [name, []]))))
  return found.flat()
}

/** What somebody said about anything in a chat; without `from`, everybody. */
export const actsOf = (tx: Look, chat: JID, from?: JID): Promise<KeptAct[]> =>
  tx.objectStore('acts').index('chat').getAll(from === undefined ? IDBKeyRange.bound([chat], [chat, []]) : [chat, from])

/** Notes how somebody stands with a group from a place on. */
export const putStay = (tx: Change, stay: Stay): Promise<unknown> => tx.objectStore('stays').put(stay)

/** How somebody stood with a group at a place of its log, as far as its changes are here; undefined if none of them tells. */
export async function stoodAt(tx: Look, group: JID, jid: JID, place: Micros): Promise<Affiliation | undefined> {
  const all = await tx.objectStore('stays').getAll(IDBKeyRange.bound([group, jid], [group, jid, []]))
  const before = all.filter((s) => s.place <= place).at(-1)
  return before?.now ?? all[0]?.was
}

/** Forgets what was said in a chat. */
export async function dropActs(tx: Change, chat: JID): Promise<void> {
  for (const act of await actsOf(tx, chat)) await tx.objectStore('acts').delete(act.id)
}
