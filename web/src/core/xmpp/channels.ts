// What the service of channels tells (docs/protocol/channels.md, XEP-0060, RFC 4287): entries of logs, posts, what a channel is.

import type { Channel, ChannelSettings, Enclosure, Segment, Standing, Sum } from '../channels.ts'
import type { JID, Micros } from '../model.ts'
import { entryID } from './groups.ts'
import { bare, parseJID } from './jid.ts'
import { CHANNEL, PUBSUB } from './ns.ts'
import { parseTime } from './time.ts'
import type { Element } from './xml.ts'

/** Entries of feeds (RFC 4287). */
export const ATOM = 'http://www.w3.org/2005/Atom'
/** Hashes (XEP-0300). */
export const HASHES = 'urn:xmpp:hashes:2'
/** Categories with this scheme say whom a post is for. */
export const SEGMENT = CHANNEL + '#segment'
const EVENT = PUBSUB + '#event'

const MAX_TITLE = 300
/** The longest text of a post that is shown, in characters. */
export const MAX_TEXT = 20_000
const MAX_MEDIA = 20
const MAX_SEGMENTS = 50
const MAX_ITEM = 128
const MAX_PEOPLE = 200

/** isName is whether a channel may be called so. */
export const isName = (name: string | undefined): name is string => !!name && /^[a-z\d](?:[a-z\d._-]{0,62}[a-z\d])?$/.test(name)

const cut = (text: string | undefined, most: number): string => (text ?? '').trim().slice(0, most)
const jidOf = (text: string | undefined): JID | undefined => {
  const jid = text ? parseJID(text) : undefined
  return jid && bare(jid)
}
const count = (text: string | undefined): number => /^\d{1,12}$/.test(text ?? '') ? Number(text) : 0

/** An entry of a channel's log. `place`: it holds nothing for us. */
export type LogEntry = { name: string; id: Micros; after: Micros } & (
  | { what: 'post'; item: string; by: JID; element: Element }
  | { what: 'retract'; item: string }
  | { what: 'made' | 'settings' | 'mark'; text: string }
  | { what: 'place' }
)

/** Reads an entry, live or from the log; undefined for a message that is none. Only what the service itself sends may be given to it. */
export function parseEntry(stanza: Element): LogEntry | undefined {
  const e = stanza.child('entry', CHANNEL)
  const [name, id] = [e?.attr('node'), entryID(e?.attr('id'))]
  if (!e || !isName(name) || !id) return undefined
  const place = { name, id, after: entryID(e.attr('after')) }
  return { ...place, ...saysOf(stanza, name) }
}

type Says = Partial<Record<'name' | 'id' | 'after', never>> & ({ what: 'post'; item: string; by: JID; element: Element } | { what: 'retract'; item: string } | { what: 'made' | 'settings' | 'mark'; text: string } | { what: 'place' })

function saysOf(stanza: Element, name: string): Says {
  const event = stanza.child('event', EVENT)
  const items = event?.child('items')
  if (items?.attr('node') === name) {
    const [item, retract] = [items.child('item'), items.child('retract')]
    const id = (item ?? retract)?.attr('id') ?? ''
    const by = jidOf(item?.attr('publisher'))
    const element = item?.child('entry', ATOM)
    if (!id || id.length > MAX_ITEM) return { what: 'place' }
    if (retract && !item) return { what: 'retract', item: id }
    if (element && by) return { what: 'post', item: id, by, element }
  }
  const change = event?.child('configuration')?.attr('node') === name ? stanza.child('change', CHANNEL) : undefined
  const what = change?.attr('what')
  if (what === 'made' || what === 'settings') return { what, text: cut(change?.attr('title'), MAX_TITLE) }
  return what === 'mark' ? { what, text: cut(change?.attr('reason'), MAX_TITLE) } : { what: 'place' }
}

/** The channel that was deleted, as an event tells it (XEP-0060 §8.4.2). */
export function parseDeleted(stanza: Element): string | undefined {
  const name = stanza.child('event', EVENT)?.child('delete')?.attr('node')
  return isName(name) ? name : undefined
}

/** What a post says. */
export interface PostText { title: string; text: string; updated?: Micros; edited?: true; segments: string[]; media: Enclosure[] }

/** Reads an Atom entry. What makes no sense is left out; the title is left out when the text begins with it. */
export function readPost(entry: Element): PostText {
  const title = plain(entry.child('title')).replace(/\s+/g, ' ').trim().slice(0, MAX_TITLE)
  const text = (plain(entry.child('content')) || plain(entry.child('summary'))).trim().slice(0, MAX_TEXT)
  const [published, updated] = [parseTime(entry.textOf('published')), parseTime(entry.textOf('updated'))]
  const segments = entry.children('category').filter((c) => c.attr('scheme') === SEGMENT).flatMap((c) => cut(c.attr('term'), 32) || []).slice(0, MAX_SEGMENTS)
  const media = entry.children('link').filter((l) => l.attr('rel') === 'enclosure').slice(0, MAX_MEDIA).flatMap((l) => enclosure(l) ?? [])
  const begins = text.replace(/\s+/g, ' ').startsWith(title.replace(/…$/, ''))
  return {
    title: text && begins ? '' : title, text: text || title, segments, media, ...(updated ? { updated } : {}), ...(published && updated && updated > published ? { edited: true } : {}),
  }
}

/** The plain text of a text construct (RFC 4287 §3.1). */
function plain(e: Element | undefined): string {
  if (!e) return ''
  const type = e.attr('type') ?? 'text'
  if (type === 'xhtml') return deepText(e)
  if (type !== 'html') return type === 'text' ? e.text : ''
  const text = e.text.slice(0, 4 * MAX_TEXT).replace(/<(?:br|\/p|\/div|\/li|\/h\d)\b[^<>]{0,200}>/gi, '\n').replace(/<[^<>]{0,500}>/g, '')
  return text.replace(/&(lt|gt|quot|apos|nbsp|amp);/g, (_, name: string) => ({ lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' })[name] ?? '&')
}

const deepText = (e: Element): string => e.nodes.map((n) => typeof n === 'string' ? n : deepText(n) + (/^(p|div|br|li)$/.test(n.name) ? '\n' : '')).join('')

function enclosure(link: Element): Enclosure | undefined {
  const url = link.attr('href') ?? ''
  if (url.length > 2000 || !/^https:\/\//i.test(url) || !URL.canParse(url)) return undefined
  const hash = link.children('hash', HASHES).find((h) => h.attr('algo') === 'sha-256')?.text.trim()
  const type = /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(link.attr('type') ?? '') ? link.attr('type') ?? '' : 'application/octet-stream'
  const size = count(link.attr('length'))
  let name = cut(link.attr('title'), 255)
  try { name ||= decodeURIComponent(new URL(url).pathname.split('/').pop() ?? '').slice(0, 255) } catch { name = '' }
  return { url, type, name: name.replace(/[/\\\p{Cc}]/gu, '_'), ...(size ? { size } : {}), ...(hash && /^[A-Za-z\d+/]{43}=$/.test(hash) ? { hash } : {}) }
}

/** The signature of a post, as it stands there. */
export interface Signature { by: JID; key: string; value: string }

/** Reads it; undefined when there is none. `value` is '' when it makes no sense. */
export function signatureOf(entry: Element): Signature | undefined {
  const [e, more] = entry.children('signature', CHANNEL)
  if (!e) return undefined
  const [by, key, value] = [jidOf(e.attr('by')), e.attr('key') ?? '', e.text.trim()]
  const sound = !more && by && /^[\w-]{43}$/.test(key) && /^[A-Za-z\d+/]{86}==$/.test(value)
  return { by: by ?? '', key: sound ? key : '', value: sound ? value : '' }
}

const standings = new Set<string | undefined>(['owner', 'publisher', 'member', 'none', 'outcast'])
/** How somebody stands with a channel; 'none' for words that are not known. */
export const standingOf = (word: string | undefined): Standing => standings.has(word) ? word as Standing : 'none'

/** A channel that the account follows, as the service lists it. */
export interface Listed extends Pick<Channel, 'name' | 'title' | 'standing' | 'followers' | 'picture' | 'mark' | 'chosen'> { newest: Micros }

/** Reads the list that answers who attends. */
export const readListed = (channels: Element | undefined): Listed[] => (channels?.children('channel') ?? []).slice(0, 100).flatMap((e): Listed[] => {
  const name = e.attr('node')
  if (!isName(name)) return []
  return [{
    name, title: cut(e.attr('title'), 100) || name, newest: entryID(e.attr('newest')), standing: standingOf(e.attr('affiliation')), followers: count(e.attr('followers')), picture: web(e.attr('picture')),
    mark: cut(e.attr('mark'), MAX_TITLE), chosen: e.children('segment').slice(0, MAX_SEGMENTS).flatMap((s) => cut(s.attr('name'), 32) || []),
  }]
})

const web = (text: string | undefined): string => text && text.length < 1024 && /^https:\/\//i.test(text) && URL.canParse(text) ? text : ''

/** What a channel says of itself. */
export interface ChannelInfo extends ChannelSettings { followers: number; mark: string; marked?: Micros; owners: JID[]; publishers: JID[]; newest: Micros }

/** Reads the fields of its form. */
export function readInfo(name: string, fields: Map<string, string[]>): ChannelInfo {
  const one = (field: string) => fields.get(field)?.[0]
  const people = (field: string) => (fields.get(field) ?? []).slice(0, MAX_PEOPLE).flatMap((text) => jidOf(text) ?? [])
  const comments = one(CHANNEL + '#comments') ?? ''
  const marked = parseTime(one(CHANNEL + '#marked'))
  return {
    title: cut(one('pubsub#title'), 100) || name, description: cut(one('pubsub#description'), 2048), language: cut(one('pubsub#language'), 32), private: one('pubsub#access_model') === 'whitelist',
    picture: web(one(CHANNEL + '#picture')), segments: readSegments(fields.get(CHANNEL + '#segments') ?? []), comments: /^xmpp:[^\s<>"]{1,1000}$/.test(comments) ? comments : '',
    reactions: /^(1|true)$/.test(one(CHANNEL + '#reactions') ?? ''), followers: count(one('pubsub#num_subscribers')), mark: cut(one(CHANNEL + '#mark'), MAX_TITLE), ...(marked ? { marked } : {}),
    owners: people('pubsub#owner'), publishers: people('pubsub#publisher'), newest: entryID(one(CHANNEL + '#newest')),
  }
}

function readSegments(lines: string[]): Segment[] {
  return lines.slice(0, MAX_SEGMENTS).flatMap((line): Segment[] => {
    const [, name = '', label = ''] = /^([a-z\d][a-z\d._-]{0,31})(?:\s+(.*))?$/s.exec(line.trim()) ?? []
    return name ? [{ name, label: label.trim().slice(0, 100) || name }] : []
  })
}

/** Reactions and views of posts, by their ids. */
export const readSums = (sums: Element | undefined): Map<string, { sums: Sum[]; mine: string; views: number }> => new Map((sums?.children('post') ?? []).slice(0, 100).map((p) => [p.attr('item') ?? '', {
  views: count(p.attr('views')), mine: (p.attr('mine') ?? '').slice(0, 48),
  sums: p.children('reaction').slice(0, 30).flatMap((r): Sum[] => r.attr('emoji') ? [{ emoji: (r.attr('emoji') ?? '').slice(0, 48), count: count(r.attr('count')) }] : []),
}]))
