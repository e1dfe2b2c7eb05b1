// Opens what can be opened once. The bytes are fetched and decrypted in memory; that it was opened is kept, and its key is gone from this device, before
// anybody sees them. So whoever ends the tab in the middle has opened it. Its sender and our other devices learn it by an errand
// (docs/protocol/web-messages.md).

import type { Crypto } from '../crypto/api.ts'
import { readAddress } from '../media/address.ts'
import { HttpBroken, HttpRefused, type Http } from '../media/http.ts'
import { MAX_ONCE, type Micros } from '../model.ts'
import { change, everything, type Database, type KeptMessage } from '../store/database.ts'
import { put } from '../store/messages.ts'
import { addAlso } from '../store/outbox.ts'
import { freshId } from './apply.ts'
import { Collector, type News } from './changes.ts'
import { shut } from './effects.ts'

/** It was opened, here or on another device of ours, or is gone; a stranger's is opened when they were let in. */
export class NotHere extends Error {
  override readonly name = 'NotHere'
}

/** What opening needs. */
export interface Opening {
  db: Database
  news: News
  http: Http
  crypto: Pick<Crypto, 'decryptMedia'>
  now(): Micros
}

const fileOf = (message: KeptMessage | undefined) => message && !message.own && !message.retracted && message.content.type === 'once' ? message.content.file : undefined

/** Fetches it, notes that it was opened, and gives its bytes. What fails before the note has opened nothing. */
export async function openOnce(with_: Opening, id: string): Promise<Blob> {
  const { db, http } = with_
  const message = await db.get('messages', id)
  const file = fileOf(message)
  const address = file?.url === undefined ? undefined : readAddress(file.url)
  if (!message || !file || !address?.key || (await db.get('chats', message.chat))?.request) throw new NotHere()
  const got = await http.get(address.url, undefined, file.size ? Math.min(MAX_ONCE, file.size) + 1024 : MAX_ONCE, () => undefined, new AbortController().signal, () => undefined)
  const opened = await with_.crypto.decryptMedia(got, address.key, file.mime)
  if (!opened.ok) throw /^(decrypt|malformed|too-large)$/.test(opened.error.code) ? new HttpRefused(422) : new HttpBroken(opened.error.code)
  await note(with_, id)
  return opened.value
}

/** One tab or device is the first: for the others it is gone. */
async function note({ db, news, now }: Opening, id: string): Promise<void> {
  const changes = new Collector()
  await change(db, everything, async (tx) => {
    const message = await tx.objectStore('messages').get(id)
    if (!message || !fileOf(message) || message.content.type !== 'once') throw new NotHere()
    await shut({ tx }, message.content)
    message.content.opened = now()
    await put(tx, message, false)
    const target = (message.author && message.stanzaId) || (message.originId ?? id)
    await addAlso(tx, { chat: message.chat, id: freshId(), message: id, task: { what: 'opened', target }, since: now() })
    changes.message(message.chat, id)
    changes.mark('outbox')
  })
  news.tell(changes.all)
}
