// A chat, or all that is kept here, as a file that people and programs can read without this client.

import type { JID } from '../model.ts'
import { everything, look, type Database } from '../store/database.ts'
import { after } from '../store/messages.ts'
import { shown } from './views.ts'

const PAGE = 500

/** All messages of a chat, oldest first, as lines of JSON within one array. Media are named, not contained. */
export async function exportChat(db: Database, jid: JID): Promise<Blob> {
  return new Blob(['{"chat":', JSON.stringify(jid), ',"messages":[\n', ...await lines(db, jid), '\n]}\n'], { type: 'application/json' })
}

async function lines(db: Database, jid: JID): Promise<Blob[]> {
  const out: Blob[] = []
  for (let place = -Infinity; ;) {
    const page = await after(look(db, everything), jid, place, PAGE)
    const last = page.at(-1)
    if (!last) return out
    out.push(new Blob([(out.length ? ',\n' : '') + page.map((m) => JSON.stringify(shown(m))).join(',\n')]))
    place = last.order
  }
}

/** What is kept here of an account: chats, contacts, choices, and every message. */
export async function exportAll(db: Database, account: JID): Promise<Blob> {
  const chats = await db.getAll('chats')
  const parts: BlobPart[] = ['{"account":', JSON.stringify(account), ',"made":', JSON.stringify(new Date().toISOString()), ',"contacts":', JSON.stringify(await db.getAll('contacts')),
    ',"chats":[\n']
  for (const [i, chat] of chats.entries()) parts.push(i ? ',\n' : '', '{"chat":', JSON.stringify(chat), ',"messages":[\n', ...await lines(db, chat.jid), '\n]}')
  return new Blob([...parts, '\n]}\n'], { type: 'application/json' })
}
