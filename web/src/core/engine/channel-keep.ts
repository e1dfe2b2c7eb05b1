// What came of a channel's log is put into the database: what is kept is one stretch without a gap, up to the newest entry that was heard; behind a gap
// stands an older stretch, until the log was read back to it (docs/protocol/channels.md, "The log").

import type { Channel } from '../channels.ts'
import type { JID, Micros } from '../model.ts'
import type { KeptChannel, KeptPost, Stretch } from '../store/channels.ts'
import { change, type Change, type Database } from '../store/database.ts'
import { readPost, signatureOf, type LogEntry } from '../xmpp/channels.ts'
import { serialise } from '../xmpp/xml.ts'
import type { News } from './changes.ts'

/** Entries of one channel that are kept on this device. */
export const MAX_KEPT = 500
const MAX_UNREAD = 100

/** A channel of which nothing is known yet. */
export const unknown = (name: string, now: Micros): KeptChannel => ({
  name, title: name, description: '', language: '', private: false, picture: '', segments: [], comments: '', reactions: true, following: false, standing: 'none', followers: 0, mark: '', owners: [],
  publishers: [], chosen: [], unread: 0, readUpTo: 0, looked: now,
})

/** A channel as screens get it: without what only the store needs. */
export function shownChannel({ kept: _, old: __, readUpTo: ___, looked: ____, told: _____, ...channel }: KeptChannel): Channel {
  return channel
}

const touch = (a: Stretch, b: Stretch): boolean => a.before <= b.to && b.before <= a.to
const union = (a: Stretch, b: Stretch): Stretch => ({ from: Math.min(a.from, b.from), before: a.from <= b.from ? a.before : b.before, to: Math.max(a.to, b.to) })

/** Joins a stretch that was read to what is kept; gives the stretch that is dropped for it, if there is one. One that touches nothing and is older is not kept. */
export function join(channel: Pick<KeptChannel, 'kept' | 'old'>, read: Stretch): { keep: boolean; drop?: Stretch } {
  const { kept, old } = channel
  let drop: Stretch | undefined
  if (!kept) channel.kept = read
  else if (touch(kept, read)) channel.kept = union(kept, read)
  else if (read.to > kept.to) {
    drop = old
    channel.old = kept
    channel.kept = read
  } else if (old && touch(old, read)) channel.old = union(old, read)
  else return { keep: false }
  if (channel.kept && channel.old && touch(channel.kept, channel.old)) {
    channel.kept = union(channel.kept, channel.old)
    delete channel.old
  }
  return { keep: true, ...(drop ? { drop } : {}) }
}

/** What is shown of an entry; undefined for a place that holds nothing to show. */
export function postOf(e: LogEntry): KeptPost | undefined {
  const place = { channel: e.name, entry: e.id }
  if (e.what === 'made' || e.what === 'settings' || e.what === 'mark') return { ...place, kind: 'line', what: e.what, text: e.text, item: '' }
  if (e.what !== 'post') return undefined
  const { title, text, ...rest } = readPost(e.element)
  if (!text && !rest.media.length) return undefined
  const signed = signatureOf(e.element)
  return {
    ...place, kind: 'post', item: e.item, by: e.by, title, text, ...rest, sums: [], mine: '', views: 0,
    ...(signed ? { signature: 'unchecked', signedBy: signed.by, xml: serialise(e.element) } : { signature: 'none' }),
  }
}

/** All entries of a channel from one place to another. */
export const range = (name: string, from: Micros, to: Micros = Infinity): IDBKeyRange => IDBKeyRange.bound([name, from], [name, to])

/** Keeps entries that stand one behind the other in a log, oldest first. `trim`: older ones may go for them. False: nothing is known of the channel. */
export function keepEntries(db: Database, account: JID, entries: LogEntry[], trim: boolean): Promise<boolean> {
  return change(db, ['channels', 'posts'], async (tx) => {
    const [first, last] = [entries[0], entries.at(-1)]
    const channel = first && await tx.objectStore('channels').get(first.name)
    if (!channel || !first || !last) return false
    const { keep, drop } = join(channel, { from: first.id, before: first.after, to: last.id })
    if (drop) await tx.objectStore('posts').delete(range(channel.name, drop.from, drop.to))
    if (keep) for (const one of entries) await put(tx, one)
    if (keep && trim) await trimPosts(tx, channel)
    await tally(tx, channel, account)
    await tx.objectStore('channels').put(channel)
    return true
  }, 'relaxed') // what is lost is read again: the log has it
}

async function put(tx: Change, e: LogEntry): Promise<void> {
  const posts = tx.objectStore('posts')
  if (e.what === 'place' || await posts.getKey([e.name, e.id])) return
  let fresh = postOf(e)
  if (e.what === 'post' || e.what === 'retract') {
    for (const key of await posts.index('item').getAllKeys([e.name, e.item])) {
      const before = await posts.get(key)
      if (!before || before.kind !== 'post') continue
      if (before.entry > e.id) fresh = undefined
      else await posts.delete(key)
      if (fresh?.kind === 'post') fresh = { ...fresh, sums: before.sums, mine: before.mine, views: before.views, ...(before.counted ? { counted: true } : {}) }
    }
  }
  if (fresh) await posts.put(fresh)
}

async function trimPosts(tx: Change, channel: KeptChannel): Promise<void> {
  const posts = tx.objectStore('posts')
  let over = await posts.count(range(channel.name, 0)) - MAX_KEPT
  let gone: Micros | undefined
  for (let c = over > 0 ? await posts.openCursor(range(channel.name, 0)) : null; c && over > 0; c = await c.continue(), over--) {
    gone = c.value.entry
    await c.delete()
  }
  if (gone === undefined || !channel.kept) return
  if (channel.old && gone >= channel.old.to) delete channel.old
  else if (channel.old && gone >= channel.old.from) channel.old = { ...channel.old, from: gone + 1, before: gone }
  if (gone >= channel.kept.from) channel.kept = { ...channel.kept, from: gone + 1, before: gone }
}

/** Counts what was not read, and finds the newest post. */
export async function tally(tx: Change, channel: KeptChannel, account: JID): Promise<void> {
  let unread = 0
  let last: KeptChannel['last']
  let looked = 0
  const from = channel.kept?.from ?? 0
  for (let c = await tx.objectStore('posts').openCursor(range(channel.name, from), 'prev'); c && looked++ < 2 * MAX_UNREAD; c = await c.continue()) {
    const post = c.value
    if (post.kind === 'post') {
      const media = post.media[0] && { media: post.media[0].type.startsWith('image/') ? 'image' as const : 'file' as const }
      last ??= { text: (post.title || post.text).replace(/\s+/g, ' ').slice(0, 200) || (post.media[0]?.name ?? ''), time: post.entry, ...media }
      if (post.entry > channel.readUpTo && post.by !== account && unread < MAX_UNREAD) unread++
    }
    if (post.entry <= channel.readUpTo && last) break
  }
  channel.unread = channel.following ? unread : 0
  if (last) channel.last = last
  else delete channel.last
}

/** Changes a channel's row, if there is one, or makes it with `make`. */
export function alter(db: Database, name: string, work: (channel: KeptChannel, tx: Change) => void | Promise<void>, make?: Micros): Promise<boolean> {
  return change(db, ['channels', 'posts'], async (tx) => {
    const channel = await tx.objectStore('channels').get(name) ?? (make === undefined ? undefined : unknown(name, make))
    if (!channel) return false
    await work(channel, tx)
    await tx.objectStore('channels').put(channel)
    return true
  })
}

/** Notes whether something that was not read stands among the channels, and tells it: the dot at the updates. */
export async function noteUnread(db: Database, news: News): Promise<void> {
  const changed = await change(db, ['channels', 'kv'], async (tx) => {
    const before = await tx.objectStore('kv').get('updates') as { status?: Micros; channels?: boolean } | undefined
    const channels = (await tx.objectStore('channels').getAll()).some((c) => c.unread > 0)
    if (channels === (before?.channels ?? false)) return false
    await tx.objectStore('kv').put({ ...before, channels }, 'updates')
    return true
  }, 'relaxed')
  if (changed) news.tell({ updates: true })
}

/** All of a channel goes from this device. */
export const forget = (db: Database, name: string): Promise<void> => change(db, ['channels', 'posts'], async (tx) => {
  await tx.objectStore('channels').delete(name)
  await tx.objectStore('posts').delete(range(name, 0))
})
