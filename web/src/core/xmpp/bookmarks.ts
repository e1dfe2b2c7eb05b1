// The rooms that an account is in, the same on all its devices (XEP-0402).

import { bare, parseJID } from './jid.ts'
import { BOOKMARKS } from './ns.ts'
import { getItems, OWN, publish, retractItem, type Item, type NodeEvent } from './pubsub.ts'
import type { Session } from './session.ts'
import { el, type Element } from './xml.ts'

/** A room that is kept. */
export interface Bookmark {
  room: string
  name?: string
  /** Enter it on every device. */
  autojoin: boolean
  nick?: string
  password?: string
  /** What other apps keep with it: goes along when it is published again. */
  extensions?: Element
}

function parseItem({ id, payload }: Item): Bookmark | undefined {
  const room = parseJID(id)
  if (!room || !payload?.is('conference', BOOKMARKS)) return undefined
  const text = (value: string | undefined) => value?.slice(0, 1000) || undefined
  return {
    room: bare(room), name: text(payload.attr('name')), autojoin: /^(true|1)$/.test(payload.attr('autojoin') ?? ''),
    nick: text(payload.textOf('nick')), password: text(payload.textOf('password')), extensions: payload.child('extensions'),
  }
}

/** Asks for all bookmarks. */
export const fetchBookmarks = async (session: Session): Promise<Bookmark[]> => (await getItems(session, BOOKMARKS)).flatMap((item) => parseItem(item) ?? [])

/** Keeps a room. */
export const setBookmark = (session: Session, { room, name, autojoin, nick, password, extensions }: Bookmark): Promise<void> => publish(session, BOOKMARKS,
  el(BOOKMARKS, 'conference', { name, autojoin: String(autojoin) }, nick && el(BOOKMARKS, 'nick', {}, nick), password && el(BOOKMARKS, 'password', {}, password), extensions), OWN, room)

/** Forgets a room. */
export const removeBookmark = (session: Session, room: string): Promise<void> => retractItem(session, BOOKMARKS, room)

/** What an event changes; undefined for other events, and for those that are not our account's own. */
export const bookmarkEvent = (event: NodeEvent, account: string): { set: Bookmark[]; removed: string[] } | undefined =>
  event.node !== BOOKMARKS || event.from !== account ? undefined
    : { set: event.items.flatMap((item) => parseItem(item) ?? []), removed: event.retracted.flatMap((id) => parseJID(id) ?? []) }
