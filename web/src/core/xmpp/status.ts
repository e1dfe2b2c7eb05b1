// Statuses on the wire (docs/protocol/status.md): items of a node of the account, encrypted for those who may see them.

import type { Encrypted } from '../crypto/types.ts'
import { readContent, writeContent } from '../engine/content.ts'
import { STATUS } from '../engine/own-ns.ts'
import type { JID, Micros } from '../model.ts'
import { STATUS_COLOURS, type Audience, type StatusContent } from '../status.ts'
import { bare, parseJID } from './jid.ts'
import { PUBSUB, STORIES } from './ns.ts'
import { encryptedElement } from './omemo.ts'
import { getItems, OWN, publish } from './pubsub.ts'
import type { Session } from './session.ts'
import { formatTime, parseTime } from './time.ts'
import { el, type Element } from './xml.ts'

/** Encrypted items of publish-subscribe (XEP-0477). */
export const PTE = 'urn:xmpp:pte:0'
const MAX_ID = 256
const MAX_LISTED = 1000
const MAX_PEOPLE = 2000

/** One that may be seen, as the account's server lists it. */
export interface Listed { author: JID; id: string; posted: Micros; expires: Micros }

/** Asks the account's server which statuses may be seen. */
export async function listStatuses(session: Session): Promise<{ all: Listed[]; complete: boolean }> {
  const answer = (await session.request('get', el(STATUS, 'statuses'))).child('statuses', STATUS)
  const all = (answer?.children('status') ?? []).slice(0, MAX_LISTED).flatMap((s): Listed[] => {
    const [author, id, posted, expires] = [parseJID(s.attr('jid') ?? ''), s.attr('id'), parseTime(s.attr('posted')), parseTime(s.attr('expires'))]
    return author && id && id.length <= MAX_ID && posted !== undefined && expires !== undefined ? [{ author: bare(author), id, posted, expires }] : []
  })
  return { all, complete: answer?.attr('complete') === 'true' }
}

/** Publishes one. Errors: `conflict` when the id was used already, `resource-constraint`, `not-acceptable`. */
export async function publishStatus(session: Session, id: string, by: JID, message: Encrypted): Promise<void> {
  const item = el(PUBSUB, 'item', { id }, el(PTE, 'encrypted', { by, type: 'urn:xmpp:omemo:2' }, encryptedElement(message)))
  await session.request('set', el(PUBSUB, 'pubsub', {}, el(PUBSUB, 'publish', { node: STORIES }, item)))
}

/** What of an item is encrypted; undefined when it is not, or was encrypted by somebody else. */
export const sealedOf = (payload: Element | undefined, author: JID): Element | undefined =>
  payload?.is('encrypted', PTE) && payload.attr('by') === author ? payload : undefined

/** Writes what is encrypted. */
export function writeStatus(content: StatusContent, colour: number, posted: Micros): string {
  const { body, elements } = writeContent(content)
  return [el('jabber:client', 'body', {}, body), ...elements, el(STATUS, 'status', { posted: formatTime(posted), ...(content.type === 'text' ? { colour } : {}) })].map(String).join('')
}

/** Reads what was encrypted; undefined for what is no status. */
export function readStatus(e: Element, body: string | undefined): { content: StatusContent; colour: number; posted?: Micros } | undefined {
  const facts = e.child('status', STATUS)
  const content = readContent(body ?? e.textOf('body', 'jabber:client'), e)
  if (!facts || !content || !isStatusContent(content)) return undefined
  const colour = Number(facts.attr('colour'))
  const posted = parseTime(facts.attr('posted'))
  return { content, colour: Number.isInteger(colour) && colour >= 0 && colour < STATUS_COLOURS ? colour : 0, ...(posted === undefined ? {} : { posted }) }
}

const isStatusContent = (content: { type: string }): content is StatusContent => /^(text|image|video|voice|audio|location)$/.test(content.type)

/** Reads whom statuses were for last; undefined when that was never said. */
export async function fetchAudience(session: Session): Promise<Audience | undefined> {
  const found = (await getItems(session, STATUS, { ids: ['audience'] }))[0]?.payload
  const kind = (['contacts', 'except', 'only'] as const).find((k) => k === found?.attr('kind'))
  if (!found?.is('audience', STATUS) || !kind) return undefined
  const people = (name: string) => [...new Set(found.children(name).slice(0, MAX_PEOPLE).flatMap((p) => {
    const jid = parseJID(p.attr('jid') ?? '')
    return jid ? [bare(jid)] : []
  }))]
  return { kind, except: people('except'), only: people('only') }
}

/** Keeps whom statuses are for, for all devices of the account (XEP-0223). */
export function publishAudience(session: Session, { kind, except, only }: Audience): Promise<void> {
  const people = (name: string, list: JID[]) => list.slice(0, MAX_PEOPLE).map((jid) => el(STATUS, name, { jid }))
  return publish(session, STATUS, el(STATUS, 'audience', { kind }, ...people('except', except), ...people('only', only)), OWN, 'audience')
}
