// A file that leaves: made ready, encrypted (XEP-0454), given a place on the server, and put there. Steps 2 to 5 of transfers.ts.

import type { MediaKey } from '../crypto/types.ts'
import { secretAddress } from '../media/address.ts'
import { HttpBroken, HttpRefused } from '../media/http.ts'
import { isBroadcast } from '../model.ts'
import type { KeptMessage } from '../store/database.ts'
import { alterFile, readFile, type KeptFile } from '../store/files.ts'
import { mediaOf } from '../store/messages.ts'
import { findUpload, requestSlot, UploadRefused, type Slot, type UploadService } from '../xmpp/upload.ts'
import { makeReady } from './ready.ts'
import { value } from './secure.ts'
import { TransferSteps } from './transfer-steps.ts'

/** Where a file goes, as it goes there; `again`: some of it may be there. */
interface Upload { slot: Slot; body: Blob; secret?: MediaKey; again: boolean }

/** The place for a file is over, or used. */
export class SlotOver extends HttpBroken {}

/** Uploads. */
export abstract class Uploads extends TransferSteps {
  /** Uploads that are being tried, so that the next try need not encrypt again. */
  protected readonly uploads = new Map<string, Upload>()
  protected service: UploadService | undefined

  protected async put(id: string, signal: AbortSignal): Promise<void> {
    const message = await this.db.get('messages', id)
    if (!message || mediaOf(message.content)?.url) return
    const { slot, body, secret, again } = this.uploads.get(id) ?? await this.goOn(message) ?? await this.prepare(id, signal)
    if (signal.aborted) return
    this.uploads.set(id, { slot, body, secret, again: true })
    const progress = this.progress(id, 'up')
    try {
      await this.means.http.put(slot.put, slot.headers, body, (done) => progress(done, body.size), signal, again)
    } catch (error) {
      if (!(error instanceof HttpRefused) || !/^(403|404|410)$/.test(String(error.status))) throw error
      await this.leave(id) // the next try gets another place
      throw new SlotOver('slot')
    }
    if (signal.aborted) return // the message is gone, or the upload stopped at its last byte
    const fanOut = isBroadcast(message.chat) ? (await import('./broadcast.ts')).fanOut : undefined
    await this.desk.uploaded(id, secret ? secretAddress(slot.get, secret) : slot.get, fanOut)
    this.uploads.delete(id)
    this.means.full?.(false)
  }

  /** An upload that was begun before, in a tab that is gone. */
  private async goOn(message: KeptMessage): Promise<Upload | undefined> {
    const media = mediaOf(message.content)
    const file: KeptFile | undefined = media && await this.db.get('files', media.key)
    const blob = media && file?.upload && await readFile(this.db, media.key)
    if (!file?.upload || !blob || (message.protection === 'omemo') !== !!file.upload.secret) return undefined
    const { slot, secret } = file.upload
    return { slot, body: secret ? value(await this.means.crypto.encryptMedia(blob, secret)).blob : blob, ...(secret ? { secret } : {}), again: true }
  }

  /** Forgets where a file was going. */
  protected async leave(id: string): Promise<void> {
    this.uploads.delete(id)
    const message = await this.db.get('messages', id)
    const media = message && mediaOf(message.content)
    if (media) await alterFile(this.db, media.key, (file) => ({ ...file, upload: undefined }))
  }

  /** Makes a file ready, encrypts it, gets a place for it, and keeps all that before anything leaves. */
  private async prepare(id: string, signal: AbortSignal): Promise<Upload> {
    const message = await makeReady(this.db, this.desk, this.means, id, this.making(id), signal)
    const media = message && mediaOf(message.content)
    const blob = media && await readFile(this.db, media.key)
    if (!message || !media || !blob) throw new UploadRefused('refused')
    const session = this.means.session()
    this.service ??= await findUpload(session)
    if (!this.service) throw new UploadRefused('refused')
    const secret = message.protection === 'omemo' ? value(await this.means.crypto.encryptMedia(blob)) : undefined
    const body = secret?.blob ?? blob
    // An encrypted file has no name and no kind for the server.
    const name = secret ? crypto.randomUUID() + (/\.\w{1,5}$/.exec(media.name)?.[0] ?? '') : media.name
    const slot = await requestSlot(session, this.service, { name, size: body.size, mime: secret ? 'application/octet-stream' : media.mime })
    await alterFile(this.db, media.key, (file) => {
      if (file.size !== blob.size) throw new HttpBroken('changed') // the key is for these bytes alone
      return { ...file, upload: { slot, ...(secret ? { secret: secret.key } : {}) } }
    })
    return { slot, body, ...(secret ? { secret: secret.key } : {}), again: false }
  }
}
