// The groups of the account as bookmarks (XEP-0402), so that other apps of the same person are in them, too. The service of groups is the truth: what it
// lists is bookmarked, and what it lists no more is not. Bookmarks of rooms elsewhere are nobody's business here.

import type { Database } from '../store/database.ts'
import { fetchBookmarks, removeBookmark, setBookmark } from '../xmpp/bookmarks.ts'
import { domain } from '../xmpp/jid.ts'
import type { Session } from '../xmpp/session.ts'
import { isIn } from './group-change.ts'

/** Brings the bookmarks into step with the groups that are in the list of chats. */
export async function keepMarks(session: Session, db: Database, service: string): Promise<void> {
  const marks = new Map((await fetchBookmarks(session)).map((one) => [one.room, one]))
  for (const { jid, name, group } of await db.getAll('chats')) {
    if (!group || domain(jid) !== service || group.ended || !isIn(group.affiliation)) continue
    const before = marks.get(jid)
    marks.delete(jid)
    if (before?.name === name && before.nick === group.nick) continue
    await setBookmark(session, { autojoin: true, ...before, room: jid, name, nick: group.nick })
  }
  for (const room of marks.keys()) if (domain(room) === service) await removeBookmark(session, room)
}
