// What is asked of the service of channels (docs/protocol/channels.md, XEP-0060).

import type { ChannelSettings, Found, Standing, Sum } from '../channels.ts'
import type { JID, Micros } from '../model.ts'
import { ATOM, isName, readInfo, readListed, readPost, readSums, standingOf, type ChannelInfo, type Listed } from './channels.ts'
import { discover, discoverItems } from './disco.ts'
import { form, readForm, type Value } from './form.ts'
import { entryID } from './groups.ts'
import { bare, domain, parseJID } from './jid.ts'
import { CHANNEL, DISCO, DISCO_ITEMS, PUBSUB, RSM } from './ns.ts'
import type { Session } from './session.ts'
import { StanzaError } from './stanza.ts'
import { formatTime, parseTime } from './time.ts'
import { el, type Element } from './xml.ts'

const OWNER = PUBSUB + '#owner'
const MAX_PAGES = 10

/** The service of our server, undefined if it has none: at the usual address, or looked for. */
export async function findService(session: Session): Promise<string | undefined> {
  const home = domain(session.account)
  for (const jid of ['channels.' + home, ...await discoverItems(session, home).catch(() => [])]) {
    const about = await discover(session, jid).catch((error: unknown) => {
      if (error instanceof StanzaError && error.temporary) throw error
      return undefined
    })
    if (about?.features.has(CHANNEL)) return jid
  }
  return undefined
}

const page = (after: string | undefined) => el(RSM, 'set', {}, el(RSM, 'max', {}, 100), after !== undefined && el(RSM, 'after', {}, after))
const pubsub = (...children: (Element | undefined)[]) => el(PUBSUB, 'pubsub', {}, ...children)

/** Has this session hear what the account follows, and lists it. */
export async function attend(session: Session, to: string): Promise<Listed[]> {
  const all: Listed[] = []
  let after: string | undefined
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const channels = (await session.request('set', el(CHANNEL, 'attend', {}, page(after)), { to })).child('channels', CHANNEL)
    all.push(...readListed(channels))
    const last = channels?.child('set', RSM)?.textOf('last')
    if (channels?.attr('complete') === 'true' || !last || last === after) break
    after = last
  }
  return all
}

/** Channels that can be found, by name, a page at a time. */
export async function findChannels(session: Session, to: string, after?: string): Promise<{ channels: Found[]; next?: string }> {
  const query = (await session.request('get', el(DISCO_ITEMS, 'query', {}, page(after)), { to })).child('query', DISCO_ITEMS)
  const items = (query?.children('item') ?? []).slice(0, 1000)
  const channels = items.flatMap((i): Found[] => {
    const name = i.attr('node')
    return isName(name) ? [{ name, title: (i.attr('name') ?? '').trim().slice(0, 100) || name }] : []
  })
  const last = query?.child('set', RSM)?.textOf('last')
  return { channels, ...(last && last !== after && items.length >= 100 ? { next: last } : {}) }
}

/** What a channel says of itself; fails with `item-not-found`, `gone`, `forbidden` or `not-allowed`. */
export async function fetchInfo(session: Session, to: string, name: string): Promise<ChannelInfo> {
  const query = (await session.request('get', el(DISCO, 'query', { node: name }), { to })).child('query', DISCO)
  return readInfo(name, readForm(query) ?? new Map<string, string[]>())
}

/** Follows a channel; `segments` are chosen with it, [] for all. */
export async function subscribe(session: Session, to: string, name: string, segments?: string[]): Promise<void> {
  const jid = session.account
  const options = segments && el(PUBSUB, 'options', {}, form(PUBSUB + '#subscribe_options', { [CHANNEL + '#segments']: segments }))
  await session.request('set', pubsub(el(PUBSUB, 'subscribe', { node: name, jid }), options), { to })
}

/** Follows it no more. One that was not followed is no error. */
export async function unsubscribe(session: Session, to: string, name: string): Promise<void> {
  try {
    await session.request('set', pubsub(el(PUBSUB, 'unsubscribe', { node: name, jid: session.account })), { to })
  } catch (error) {
    if (!(error instanceof StanzaError) || !/^(unexpected-request|item-not-found|gone)$/.test(error.condition)) throw error
  }
}

const fields = (s: Partial<ChannelSettings>): Record<string, Value> => ({
  'pubsub#title': s.title?.trim().slice(0, 100), 'pubsub#description': s.description?.trim().slice(0, 2048), 'pubsub#language': s.language?.trim(),
  'pubsub#access_model': s.private === undefined ? undefined : s.private ? 'whitelist' : 'open', [CHANNEL + '#picture']: s.picture, [CHANNEL + '#comments']: s.comments?.trim(),
  [CHANNEL + '#reactions']: s.reactions, [CHANNEL + '#segments']: s.segments?.map(({ name, label }) => `${name} ${label.replace(/\s+/g, ' ').trim()}`.trim()),
})

const config = (s: Partial<ChannelSettings>) => form(PUBSUB + '#node_config', fields(s))

/** Makes a channel. */
export const create = (session: Session, to: string, name: string, settings: Partial<ChannelSettings>): Promise<unknown> =>
  session.request('set', pubsub(el(PUBSUB, 'create', { node: name }), el(PUBSUB, 'configure', {}, config(settings))), { to })

/** Changes what its owners decide. */
export const configure = (session: Session, to: string, name: string, settings: Partial<ChannelSettings>): Promise<unknown> =>
  session.request('set', el(OWNER, 'pubsub', {}, el(OWNER, 'configure', { node: name }, config(settings))), { to })

/** Deletes a channel with all that was published. */
export const remove = (session: Session, to: string, name: string): Promise<unknown> =>
  session.request('set', el(OWNER, 'pubsub', {}, el(OWNER, 'delete', { node: name })), { to })

/** Who publishes and who is named to read; for owners. */
export async function affiliations(session: Session, to: string, name: string): Promise<{ jid: JID; standing: Standing }[]> {
  const answer = await session.request('get', el(OWNER, 'pubsub', {}, el(OWNER, 'affiliations', { node: name })), { to })
  return (answer.child('pubsub', OWNER)?.child('affiliations')?.children('affiliation') ?? []).slice(0, 1000).flatMap((a) => {
    const jid = parseJID(a.attr('jid') ?? '')
    return jid ? [{ jid: bare(jid), standing: standingOf(a.attr('affiliation')) }] : []
  })
}

/** Names people, at most 1,000 at once. */
export const setAffiliations = (session: Session, to: string, name: string, people: { jid: JID; standing: Standing }[]): Promise<unknown> => session.request('set',
  el(OWNER, 'pubsub', {}, el(OWNER, 'affiliations', { node: name }, ...people.map(({ jid, standing }) => el(OWNER, 'affiliation', { jid: bare(jid), affiliation: standing })))), { to })

/** Publishes a post, or has it wait for its time. The same id and the same bytes again are the same post. */
export const publish = (session: Session, to: string, name: string, item: string, entry: Element, at?: Micros): Promise<unknown> => session.request('set', pubsub(
  el(PUBSUB, 'publish', { node: name }, el(PUBSUB, 'item', { id: item }, entry)), at === undefined ? undefined : el(CHANNEL, 'schedule', { at: formatTime(at) })), { to, seconds: 60 })

/** Takes a post back. One that is not there is no error. */
export async function retract(session: Session, to: string, name: string, item: string): Promise<void> {
  try {
    await session.request('set', pubsub(el(PUBSUB, 'retract', { node: name, notify: 'true' }, el(PUBSUB, 'item', { id: item }))), { to })
  } catch (error) {
    if (!(error instanceof StanzaError) || error.condition !== 'item-not-found') throw error
  }
}

/** Posts that wait for their time, the next first. */
export async function scheduled(session: Session, to: string, name: string): Promise<{ id: string; item: string; at: Micros; by: JID; text: string; media: number }[]> {
  const list = (await session.request('get', el(CHANNEL, 'scheduled', { node: name }), { to })).child('scheduled', CHANNEL)
  return (list?.children('post') ?? []).slice(0, 200).flatMap((p) => {
    const [id, at, by] = [entryID(p.attr('id')), parseTime(p.attr('at')), parseJID(p.attr('by') ?? '')]
    const entry = p.child('entry', ATOM)
    const post = entry && readPost(entry)
    return id && at && by ? [{ id: String(id), item: (p.attr('item') ?? '').slice(0, 128), at, by: bare(by), text: post?.text ?? '', media: post?.media.length ?? 0 }] : []
  })
}

/** Has a post that waits not be published. */
export const cancel = (session: Session, to: string, name: string, id: string): Promise<unknown> =>
  session.request('set', el(CHANNEL, 'cancel', { node: name, id }), { to })

/** Reacts to a post; '' takes it away. */
export const react = (session: Session, to: string, name: string, item: string, emoji: string): Promise<unknown> =>
  session.request('set', el(CHANNEL, 'react', { node: name, item }, emoji || undefined), { to })

const posts = (what: string, name: string, items: string[]) => el(CHANNEL, what, { node: name }, ...items.slice(0, 100).map((item) => el(CHANNEL, 'post', { item })))

/** Reactions and views of at most 100 posts. */
export const fetchSums = async (session: Session, to: string, name: string, items: string[]): Promise<Map<string, { sums: Sum[]; mine: string; views: number }>> =>
  readSums((await session.request('get', posts('sums', name, items), { to })).child('sums', CHANNEL))

/** Says that posts were shown. */
export const tellViewed = (session: Session, to: string, name: string, items: string[]): Promise<unknown> => session.request('set', posts('viewed', name, items), { to })
