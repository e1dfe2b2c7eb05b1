// Channels in each tab: what is kept of them is read and watched here, what is published is kept here first; the rest is asked of the tab that leads.
// Loaded when it is first needed.

import type { Channel, ChannelAsks, Channels, Draft, Post } from '../channels.ts'
import type { Stop } from '../engine.ts'
import { prepareImage } from '../media/image.ts'
import type { JID } from '../model.ts'
import type { KeptChannel, KeptPost, Publishing } from '../store/channels.ts'
import { change, look, type Database } from '../store/database.ts'
import { domain } from '../xmpp/jid.ts'
import { newID } from '../xmpp/stanza.ts'
import type { Changes, News } from './changes.ts'
import { alter, noteUnread, range, shownChannel, tally } from './channel-keep.ts'
import { soon } from './views.ts'

const MAX_TEXT = 10_000
const MAX_FILES = 10
/** Posts that may wait to leave. */
const MAX_WAITING = 50

/** A post cannot be kept: it is empty, too long, or too many wait. */
export class Unpublishable extends Error {
  override readonly name = 'Unpublishable'
}

type Asks = <K extends keyof ChannelAsks>(what: K, ...args: Parameters<ChannelAsks[K]>) => ReturnType<ChannelAsks[K]>

/** A post as screens get it. */
function shownPost({ xml: _, counted: __, ...post }: KeptPost): Post {
  return post as Post
}

/** Channels as one tab has them. `ask` reaches the tab that leads. */
export function channelDesk(db: Database, news: News, account: JID, ask: Asks): Channels {
  const watch = (concerns: (c: Changes) => boolean, work: () => Promise<void>): Stop => {
    let stopped = false
    const update = soon(async () => { if (!stopped) await work() })
    update()
    const stop = news.listen((c) => { if (concerns(c)) update() })
    return () => {
      stopped = true
      stop()
    }
  }
  const service = `channels.${domain(account)}`
  const address = (name: string) => `${name}@${service}`
  const of = (name: string) => (c: Changes) => !!c.channels?.includes(name)
  const shown = async (channel: KeptChannel): Promise<Channel> => {
    const { muted = 0 } = await db.get('chats', address(channel.name)) ?? {}
    return { ...shownChannel(channel), ...(muted > Date.now() * 1000 ? { muted: true } : {}) }
  }
  return {
    address,
    watch: (show) => watch((c) => !!c.channels || !!c.chats?.some((jid) => domain(jid) === service), async () => {
      const all = (await db.getAll('channels')).filter((c) => c.following || c.standing === 'owner' || c.standing === 'publisher')
      show(await Promise.all(all.sort((a, b) => (b.last?.time ?? b.looked) - (a.last?.time ?? a.looked)).map(shown)))
    }),
    watchOne: (name, show) => watch((c) => of(name)(c) || !!c.chats?.includes(address(name)), async () => {
      const found = await db.get('channels', name)
      show(found && await shown(found))
    }),
    watchPosts: (name, limit, show) => watch(of(name), async () => {
      const tx = look(db, ['channels', 'posts'])
      const kept = (await tx.objectStore('channels').get(name))?.kept
      const posts: Post[] = []
      let more = false
      for (let c = kept ? await tx.objectStore('posts').openCursor(range(name, kept.from), 'prev') : null; c; c = await c.continue()) {
        if (posts.length >= limit()) { more = true; break }
        posts.unshift(shownPost(c.value))
      }
      show(posts, more || !!kept?.before)
    }),
    watchWaiting: (name, show) => watch(of(name), async () => {
      const all = (await db.getAll('publishing')).filter((p) => p.channel === name).sort((a, b) => a.since - b.since)
      show(all.map(({ xml: _, published: __, media, ...rest }) => ({ ...rest, media: media.map((m) => ({ name: m.name, type: m.type, size: m.size })) })))
    }),
    read: (name) => read(db, news, account, name),
    publish: (name, draft) => publish(db, news, name, draft),
    retry: (item) => again(db, news, item),
    discard: async (item) => {
      const post = await db.get('publishing', item)
      await db.delete('publishing', item)
      news.tell({ channels: [post?.channel ?? ''] })
    },
    ask,
  }
}

/** All that is here was read; our other devices are told by the tab that leads. */
async function read(db: Database, news: News, account: JID, name: string): Promise<void> {
  const before = await db.get('channels', name)
  if (!before?.kept || before.kept.to <= before.readUpTo) return
  const changed = await alter(db, name, async (channel, tx) => {
    channel.readUpTo = Math.max(channel.readUpTo, channel.kept?.to ?? 0)
    await tally(tx, channel, account)
  })
  if (!changed) return
  news.tell({ channels: [name, ''] })
  await noteUnread(db, news)
}

async function publish(db: Database, news: News, name: string, draft: Draft): Promise<void> {
  const text = draft.text.trim()
  if ((!text && !draft.files.length && !draft.item) || text.length > MAX_TEXT || draft.files.length > MAX_FILES) throw new Unpublishable('text')
  const media = await Promise.all(draft.files.map(async ({ blob, name }) => {
    const made = blob.type.startsWith('image/') ? await prepareImage(blob).catch(() => undefined) : undefined
    const ready = made?.blob ?? blob
    const ending = made && ready.type !== blob.type ? name.replace(/\.\w{1,5}$/, '') + '.' + (ready.type.split('/')[1] ?? 'jpg') : name
    return { name: ending.slice(0, 255), type: ready.type || 'application/octet-stream', size: ready.size, blob: ready }
  }))
  await change(db, ['publishing', 'posts', 'kv'], async (tx) => {
    const others = await tx.objectStore('publishing').getAll()
    if (others.length >= MAX_WAITING) throw new Unpublishable('full')
    // They leave in this order, also those that were written in the same millisecond.
    const since = Math.max(Date.now() * 1000 + (await tx.objectStore('kv').get('skew') as number | undefined ?? 0), ...others.map((one) => one.since + 1))
    const [before] = draft.item ? await tx.objectStore('posts').index('item').getAll([name, draft.item]) : []
    const stay = before?.kind === 'post' ? before.media.map(({ url, type, size = 0, hash, name }) => ({ url, type, size, name, ...(hash ? { hash } : {}) })) : []
    const post: Publishing = {
      item: draft.item ?? newID(), channel: name, text, segments: draft.segments, media: [...stay, ...media], edits: !!before, state: 'waiting', since,
      ...(draft.at === undefined ? {} : { at: draft.at }), ...(before ? { published: Math.min(before.entry, since - 1) } : {}),
    }
    await tx.objectStore('publishing').put(post)
  })
  news.tell({ channels: [name, ''] })
}

async function again(db: Database, news: News, item: string): Promise<void> {
  const channel = await change(db, ['publishing'], async (tx) => {
    const post = await tx.objectStore('publishing').get(item)
    if (!post) return undefined
    const { failure: _, ...rest } = post
    await tx.objectStore('publishing').put({ ...rest, state: 'waiting' })
    return post.channel
  })
  if (channel !== undefined) news.tell({ channels: [channel, ''] })
}
