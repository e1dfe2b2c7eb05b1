// A file that is fetched: as far as it is here already, then the rest, opened and kept.

import type { Crypto } from '../crypto/api.ts'
import { readAddress } from '../media/address.ts'
import { HttpBroken, HttpRefused } from '../media/http.ts'
import type { JID } from '../model.ts'
import { change } from '../store/database.ts'
import { keepFile, makeRoom, readFile } from '../store/files.ts'
import { MEDIA_BOUND } from '../store/kv.ts'
import { mediaOf } from '../store/messages.ts'
import { Uploads } from './transfer-up.ts'

/** The largest file that is fetched, in bytes. */
export const LIMIT = 2 ** 31

/** Under which key what is here of a file is kept until all of it is. */
export const partOf = (key: string): string => 'part ' + key

/** Downloads. */
export abstract class Downloads extends Uploads {
  /** Bytes that may be fetched of files whose size is not known. */
  protected readonly most = new Map<string, number>()

  protected async get(id: string, signal: AbortSignal): Promise<void> {
    const message = await this.db.get('messages', id)
    const media = message && mediaOf(message.content)
    const address = media?.url && readAddress(media.url)
    if (!message || !media || !address) throw new HttpRefused(400)
    const part = await readFile(this.db, partOf(media.key))
    const keep = (blob: Blob) => { if (blob.size) void this.keepPart(message.chat, media.key, blob).catch(() => undefined) }
    const limit = media.size ? Math.min(LIMIT, media.size + 1024) : this.most.get(id) ?? LIMIT
    const got = await this.means.http.get(address.url, part, limit, this.progress(id, 'down'), signal, keep)
    const blob = address.key ? await this.open(got, address.key, media.mime) : new Blob([got], { type: media.mime })
    await change(this.db, ['files', 'blobs'], async (tx) => {
      await tx.objectStore('files').delete(partOf(media.key))
      await tx.objectStore('blobs').delete(partOf(media.key))
      await keepFile(tx, { key: media.key, chat: message.chat, only: false, used: this.means.now() }, blob)
      await makeRoom(tx, MEDIA_BOUND)
    })
    await this.desk.alter(id, async (m, tx) => {
      await tx.objectStore('kv').delete(`transfer ${id}`)
      const now = mediaOf(m.content)
      if (!now) return false
      delete now.transfer
      now.size ||= blob.size
      return true
    })
  }

  /** What does not open was changed on its way: it is not fetched again by itself. */
  private async open(blob: Blob, key: Parameters<Crypto['decryptMedia']>[1], mime: string): Promise<Blob> {
    const opened = await this.means.crypto.decryptMedia(blob, key, mime)
    if (opened.ok) return opened.value
    if (/^(decrypt|malformed|too-large)$/.test(opened.error.code)) throw new HttpRefused(422)
    throw new HttpBroken(opened.error.code)
  }

  private keepPart(chat: JID, key: string, blob: Blob): Promise<void> {
    return change(this.db, ['files', 'blobs'], (tx) => keepFile(tx, { key: partOf(key), chat, only: false, used: this.means.now() }, blob))
  }
}
