// Pictures of groups (XEP-0486), fetched when there is a connection and kept like those of people.

import { change, type Database } from '../store/database.ts'
import { keepFile } from '../store/files.ts'
import { fromBase64 } from '../xmpp/stanza.ts'
import type { Session } from '../xmpp/session.ts'
import { el } from '../xmpp/xml.ts'
import type { JID, Micros } from '../model.ts'
import { Collector, type News } from './changes.ts'

const VCARD = 'vcard-temp'
/** The largest picture, in bytes. */
const MAX = 128 << 10

/** Fetches the pictures of groups that have another one than is shown here. */
export async function fetchPictures(session: Session, db: Database, news: News, now: Micros): Promise<void> {
  for (const { jid, avatar, group } of await db.getAll('chats')) {
    const key = group?.picture && `avatar ${group.picture}`
    if (!key || avatar === key) continue
    const blob = await db.getKey('files', key) ? undefined : await fetchPicture(session, jid, group.picture ?? '')
    const changes = new Collector()
    await change(db, ['chats', 'files', 'blobs'], async (tx) => {
      if (blob) await keepFile(tx, { key, only: false, used: now }, blob)
      const chat = await tx.objectStore('chats').get(jid)
      if (!chat || chat.group?.picture !== group.picture || !await tx.objectStore('files').getKey(key)) return
      await tx.objectStore('chats').put({ ...chat, avatar: key })
      changes.chat(jid)
    })
    news.tell(changes.all)
  }
}

/** The picture of a group; undefined when it is none that is shown, or another one than was told. */
async function fetchPicture(session: Session, jid: JID, hash: string): Promise<Blob | undefined> {
  const photo = (await session.request('get', el(VCARD, 'vCard'), { to: jid })).child('vCard', VCARD)?.child('PHOTO')
  const [mime, text] = [photo?.textOf('TYPE')?.trim() ?? '', photo?.textOf('BINVAL') ?? '']
  const bytes = /^image\/(png|jpeg|webp|gif|avif)$/.test(mime) && text.length < MAX * 1.5 ? fromBase64(text) : undefined
  if (!bytes || bytes.length > MAX) return undefined
  const sum = [...new Uint8Array(await crypto.subtle.digest('SHA-1', bytes))].map((b) => b.toString(16).padStart(2, '0')).join('')
  return sum === hash ? new Blob([bytes], { type: mime }) : undefined
}
