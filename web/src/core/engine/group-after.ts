// What is done for groups when all that was said in them is here: it needs the connection, and nobody waits for it.

import type { Micros } from '../model.ts'
import type { Database } from '../store/database.ts'
import type { Session } from '../xmpp/session.ts'
import type { News } from './changes.ts'
import { keepMarks } from './group-marks.ts'
import { fetchPictures } from './group-picture.ts'

/** Fetches pictures, and brings the bookmarks into step. */
export async function caughtUp(session: Session, db: Database, news: News, service: string, now: Micros): Promise<void> {
  await fetchPictures(session, db, news, now)
  await keepMarks(session, db, service)
}

export { fetchPictures } from './group-picture.ts'
