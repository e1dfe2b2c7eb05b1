// What accounts publish of themselves (XEP-0060 as XEP-0163 narrows it): keys for encryption, pictures, bookmarks, what was read.

import { form, type Value } from './form.ts'
import { bare, parseJID } from './jid.ts'
import { PUBSUB } from './ns.ts'
import type { Session } from './session.ts'
import { StanzaError } from './stanza.ts'
import { el, Element } from './xml.ts'

/** Items that are read of one answer or event. */
const MAX_ITEMS = 1000
const EVENT = PUBSUB + '#event'
const OWNER = PUBSUB + '#owner'
const ERRORS = PUBSUB + '#errors'

/** One published item; without a payload in events of nodes that do not tell it. */
export interface Item { id: string; payload?: Element }

/** Who may read a node and how much it keeps; names are those of XEP-0060 §16.4.3 without `pubsub#`. */
export type NodeOptions = Record<string, Value>

/** For what everybody may read. */
export const OPEN: NodeOptions = { persist_items: true, access_model: 'open' }
/** For what only one's own devices may read (XEP-0223), any number of items. */
export const OWN: NodeOptions = { persist_items: true, access_model: 'whitelist', max_items: 'max', send_last_published_item: 'never' }

const readItems = (items: Element | undefined): Item[] => (items?.children('item') ?? []).slice(0, MAX_ITEMS)
  .map((item) => ({ id: item.attr('id') ?? '', payload: item.children()[0] }))

/** Reads items of somebody's node, our own without `to`; [] if there is no such node or item. Other errors are thrown, as `forbidden`. */
export async function getItems(session: Session, node: string, { to, ids = [], max }: { to?: string; ids?: string[]; max?: number } = {}): Promise<Item[]> {
  try {
    const items = el(PUBSUB, 'items', { node, max_items: max }, ...ids.map((id) => el(PUBSUB, 'item', { id })))
    const answer = await session.request('get', el(PUBSUB, 'pubsub', {}, items), { to: to && bare(to) })
    return readItems(answer.child('pubsub', PUBSUB)?.child('items'))
  } catch (error) {
    if (error instanceof StanzaError && error.condition === 'item-not-found') return []
    throw error
  }
}

const submit = (type: string, options: NodeOptions) =>
  form(PUBSUB + type, Object.fromEntries(Object.keys(options).map((name) => ['pubsub#' + name, options[name]])))

/**
 * Publishes an item at our own node, which is made if it is not there. A node with other options is given these first. Errors: `resource-constraint`
 * when the account's space is used up, `not-acceptable` when the item is too large.
 */
export async function publish(session: Session, node: string, payload: Element, options: NodeOptions, id = 'current'): Promise<void> {
  const request = () => session.request('set', el(PUBSUB, 'pubsub', {},
    el(PUBSUB, 'publish', { node }, el(PUBSUB, 'item', { id }, payload)), el(PUBSUB, 'publish-options', {}, submit('#publish-options', options))))
  try {
    await request()
  } catch (error) {
    if (!(error instanceof StanzaError) || !error.detail?.is('precondition-not-met', ERRORS)) throw error
    await session.request('set', el(OWNER, 'pubsub', {}, el(OWNER, 'configure', { node }, submit('#node_config', options))))
    await request()
  }
}

/** Takes an item of ours back, and tells those who were told of it. One that is not there is no error. */
export async function retractItem(session: Session, node: string, id: string): Promise<void> {
  await gone(session.request('set', el(PUBSUB, 'pubsub', {}, el(PUBSUB, 'retract', { node, notify: 'true' }, el(PUBSUB, 'item', { id })))))
}

/** Deletes a node of ours with all items. One that is not there is no error. */
export async function deleteNode(session: Session, node: string): Promise<void> {
  await gone(session.request('set', el(OWNER, 'pubsub', {}, el(OWNER, 'delete', { node }))))
}

async function gone(request: Promise<Element>): Promise<void> {
  try {
    await request
  } catch (error) {
    if (!(error instanceof StanzaError) || error.condition !== 'item-not-found') throw error
  }
}

/** News of a node. */
export interface NodeEvent {
  /** Bare address of whose node it is; the server vouches for it. */
  from: string
  node: string
  items: Item[]
  /** Ids of items that were taken back. */
  retracted: string[]
  /** The node was emptied or deleted. */
  gone: boolean
}

/** Reads the news that a message brings, undefined for any other message. */
export function parseEvent(stanza: Element): NodeEvent | undefined {
  const event = stanza.attr('type') === 'error' ? undefined : stanza.child('event', EVENT)
  const what = event?.children().find((c) => c.ns === EVENT && /^(items|delete|purge)$/.test(c.name))
  const from = parseJID(stanza.attr('from') ?? '')
  const node = what?.attr('node')
  if (!from || !what || !node) return undefined
  return {
    from: bare(from), node, items: readItems(what), gone: what.name !== 'items',
    retracted: what.children('retract').slice(0, MAX_ITEMS).map((r) => r.attr('id') ?? ''),
  }
}
