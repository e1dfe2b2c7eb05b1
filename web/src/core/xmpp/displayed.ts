// How far each conversation was read, told to one's other devices (XEP-0490).

import { bare, parseJID } from './jid.ts'
import { DISPLAYED, IDS } from './ns.ts'
import { getItems, OWN, publish, type Item, type NodeEvent } from './pubsub.ts'
import type { Session } from './session.ts'
import { el } from './xml.ts'

/** The last message that was read of a conversation: the id that the archive of `by` gave it. */
export interface Displayed { chat: string; id: string; by: string }

function parseItem(item: Item): Displayed | undefined {
  const chat = parseJID(item.id)
  const e = item.payload?.is('displayed', DISPLAYED) ? item.payload.child('stanza-id', IDS) : undefined
  const [id, by] = [e?.attr('id'), parseJID(e?.attr('by') ?? '')]
  return chat && id && by && id.length <= 256 ? { chat: bare(chat), id, by } : undefined
}

/** Tells how far a conversation was read. */
export const publishDisplayed = (session: Session, { chat, id, by }: Displayed): Promise<void> =>
  publish(session, DISPLAYED, el(DISPLAYED, 'displayed', {}, el(IDS, 'stanza-id', { id, by })), OWN, chat)

/** Asks how far all conversations were read. */
export const fetchDisplayed = async (session: Session): Promise<Displayed[]> =>
  (await getItems(session, DISPLAYED)).flatMap((item) => parseItem(item) ?? [])

/** What an event tells of it; [] for other events, and for those that are not our account's own. */
export const displayedEvent = (event: NodeEvent, account: string): Displayed[] =>
  event.node === DISPLAYED && event.from === account ? event.items.flatMap((item) => parseItem(item) ?? []) : []
