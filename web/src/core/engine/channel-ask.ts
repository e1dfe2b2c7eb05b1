// What screens ask of channels and only the server can do (core/channels.ts).

import type { ChannelAsks, ChannelSettings } from '../channels.ts'
import { prepareAvatar } from '../media/image.ts'
import type { JID } from '../model.ts'
import { change } from '../store/database.ts'
import * as ask from '../xmpp/channels-ask.ts'
import { bare } from '../xmpp/jid.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import { alter, forget, tally } from './channel-keep.ts'
import type { ChannelLead } from './channel-lead.ts'
import { putFile } from './channel-publish.ts'

/** Channels as they are asked of the server. */
export function asksOf(lead: ChannelLead): ChannelAsks {
  const { db, account, now, session } = lead.around
  const at = () => lead.service()
  const about = async (name: string) => { await lead.about(name) }
  return {
    begin: () => lead.attend(),
    find: async (after) => ask.findChannels(session(), await at(), after),
    open: (name) => open(lead, name),
    follow: async (name, segments) => {
      const before = (await db.get('channels', name))?.following
      await ask.subscribe(session(), await at(), name, segments)
      await alter(db, name, async (channel, tx) => {
        Object.assign(channel, { following: true, ...(segments ? { chosen: segments } : {}) })
        if (!before) channel.readUpTo = Math.max(channel.readUpTo, channel.kept?.to ?? 0)
        await tally(tx, channel, account)
      }, now())
      if (segments && before) await reread(lead, name)
      await lead.here()
    },
    unfollow: async (name) => {
      if (!(await db.get('channels', name))?.ended) await ask.unsubscribe(session(), await at(), name)
      await forget(db, name)
      lead.tell([name])
      await lead.here()
    },
    older: (name) => lead.logs.older(name),
    shown: (name, items) => shown(lead, name, items),
    react: async (name, item, emoji) => {
      await ask.react(session(), await at(), name, item, emoji)
      await sums(lead, name, [item])
    },
    believe: async (publisher) => {
      await lead.keys.believe(session(), publisher)
      for (const { name } of await db.getAll('channels')) await lead.logs.checkSignatures(name, true)
    },
    create: (name, settings, readers, picture) => create(lead, name, settings, readers, picture),
    configure: async (name, fields, picture) => {
      await ask.configure(session(), await at(), name, { ...fields, ...(picture ? { picture: await upload(lead, picture) } : {}) })
      await about(name)
    },
    remove: async (name) => {
      await ask.remove(session(), await at(), name)
      await forget(db, name)
      lead.tell([name])
    },
    people: async (name) => ask.affiliations(session(), await at(), name),
    setPerson: async (name, jid, standing) => {
      await ask.setAffiliations(session(), await at(), name, [{ jid: bare(jid), standing }])
      await about(name)
    },
    retract: async (name, item) => {
      await ask.retract(session(), await at(), name, item)
      await lead.logs.read(name, '')
    },
    scheduled: async (name) => ask.scheduled(session(), await at(), name),
    cancel: async (name, id) => { await ask.cancel(session(), await at(), name, id) },
  }
}

async function open(lead: ChannelLead, name: string): Promise<void> {
  const { db, now } = lead.around
  try {
    const newest = await lead.about(name)
    await alter(db, name, (channel) => { channel.looked = now() })
    await lead.logs.upTo(name, newest)
    await lead.logs.checkSignatures(name, true)
  } catch (error) {
    if (!(error instanceof StanzaError) || !/^(item-not-found|gone)$/.test(error.condition)) throw error
    if (!await alter(db, name, (channel) => { Object.assign(channel, { ended: true, following: false, unread: 0 }) })) throw error
    lead.tell([name])
  }
}

/** Other segments were chosen: what is kept has other places empty than the log has now. */
async function reread(lead: ChannelLead, name: string): Promise<void> {
  await change(lead.around.db, ['channels', 'posts'], async (tx) => {
    const channel = await tx.objectStore('channels').get(name)
    if (!channel) return
    delete channel.kept
    delete channel.old
    await tx.objectStore('channels').put(channel)
    for (const key of await tx.objectStore('posts').getAllKeys(IDBKeyRange.bound([name, 0], [name, Infinity]))) await tx.objectStore('posts').delete(key)
  })
  await lead.logs.read(name, '')
}

/** A picture is put where everybody can load it; gives its address. */
async function upload(lead: ChannelLead, picture: Blob): Promise<string> {
  const made = await prepareAvatar(picture)
  if (!made) throw new StanzaError('not-acceptable')
  return putFile(lead.around, made.blob, 'picture.jpg')
}

async function create(lead: ChannelLead, name: string, settings: ChannelSettings, readers: JID[], picture?: Blob): Promise<void> {
  const { session } = lead.around
  const to = await lead.service()
  const address = picture && await upload(lead, picture)
  await ask.create(session(), to, name, { ...settings, ...(address ? { picture: address } : {}) })
  const people = [...new Set(readers.map(bare))].filter((jid) => jid !== lead.around.account)
  if (people.length) await ask.setAffiliations(session(), to, name, people.map((jid) => ({ jid, standing: 'member' })))
  await ask.subscribe(session(), to, name)
  await lead.here()
  await open(lead, name)
}

async function sums(lead: ChannelLead, name: string, items: string[]): Promise<void> {
  const { db, session } = lead.around
  const found = await ask.fetchSums(session(), await lead.service(), name, items)
  const changed = await change(db, ['posts'], async (tx) => {
    let changed = false
    for (const [item, sum] of found) for (const key of await tx.objectStore('posts').index('item').getAllKeys([name, item])) {
      const post = await tx.objectStore('posts').get(key)
      if (post?.kind !== 'post' || JSON.stringify([post.sums, post.mine, post.views]) === JSON.stringify([sum.sums, sum.mine, sum.views])) continue
      await tx.objectStore('posts').put({ ...post, ...sum })
      changed = true
    }
    return changed
  }, 'relaxed')
  if (changed) lead.tell([name])
}

/** Posts were shown: their sums are read, and those that this device did not count yet are. They are noted first, so that none is counted twice. */
async function shown(lead: ChannelLead, name: string, all: string[]): Promise<void> {
  const items = all.slice(0, 100)
  if (!items.length) return
  const { db, session } = lead.around
  const live = session()
  const to = await lead.service()
  const fresh = await change(db, ['posts'], async (tx) => {
    const fresh: string[] = []
    for (const item of items) for (const key of await tx.objectStore('posts').index('item').getAllKeys([name, item])) {
      const post = await tx.objectStore('posts').get(key)
      if (!post || post.counted) continue
      await tx.objectStore('posts').put({ ...post, counted: true })
      fresh.push(item)
    }
    return fresh
  }, 'relaxed')
  if (fresh.length) await ask.tellViewed(live, to, name, fresh)
  await sums(lead, name, items)
}
