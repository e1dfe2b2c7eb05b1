// The file of a status on its way to the server: made smaller, encrypted and put there, as those of messages are. Each step is kept before the next begins.

import { secretAddress } from '../media/address.ts'
import { prepareFilm } from '../media/film.ts'
import { prepareImage } from '../media/image.ts'
import type { Media } from '../model.ts'
import { change } from '../store/database.ts'
import { keepFile, readFile } from '../store/files.ts'
import type { KeptStatus } from '../store/statuses.ts'
import { findUpload, requestSlot, UploadRefused } from '../xmpp/upload.ts'
import { value } from './secure.ts'
import type { Around } from './status-lead.ts'

/** Brings the file of a status to the server, if it has one. Gives the status with its address, undefined when it was taken back meanwhile. */
export async function uploadStatus(around: Around, { key }: KeptStatus): Promise<KeptStatus | undefined> {
  const status = await smaller(around, key)
  const { db, secure, http } = around
  if (!status?.content || !('media' in status.content) || status.content.media.url) return status
  const { media } = status.content
  const blob = await readFile(db, media.key)
  const service = await findUpload(around.session())
  if (!blob || !service) throw new UploadRefused('refused')
  const { blob: body, key: secret } = value(await secure.crypto.encryptMedia(blob))
  const slot = await requestSlot(around.session(), service, { name: crypto.randomUUID() + (/\.\w{1,5}$/.exec(media.name)?.[0] ?? ''), size: body.size, mime: 'application/octet-stream' })
  await http.put(slot.put, slot.headers, body, () => undefined, new AbortController().signal)
  return alter(around, key, (now) => { now.url = secretAddress(slot.get, secret) })
}

async function smaller(around: Around, key: string): Promise<KeptStatus | undefined> {
  const status = await around.db.get('statuses', key)
  if (!status?.content || !('media' in status.content) || status.content.media.url || status.content.media.thumbhash) return status
  const { type, media } = status.content
  const blob = await readFile(around.db, media.key)
  const ready = !blob ? undefined : type === 'image' ? await prepareImage(blob, 'usual').catch(() => undefined)
    : type === 'video' ? await prepareFilm(blob, 'usual', () => undefined, new AbortController().signal) : undefined
  if (!ready) return status
  return alter(around, key, (now) => {
    const mime = ready.blob.type.split(';')[0] || now.mime
    Object.assign(now, { mime, size: ready.blob.size, width: ready.width, height: ready.height, ...('thumbhash' in ready ? { thumbhash: ready.thumbhash } : { seconds: ready.seconds }) })
  }, ready.blob)
}

function alter({ db, now }: Around, key: string, work: (media: Media) => void, blob?: Blob): Promise<KeptStatus | undefined> {
  return change(db, ['statuses', 'files', 'blobs'], async (tx) => {
    const status = await tx.objectStore('statuses').get(key)
    if (!status?.content || status.gone || !('media' in status.content)) return undefined
    work(status.content.media)
    await tx.objectStore('statuses').put(status)
    if (blob) await keepFile(tx, { key: status.content.media.key, only: true, used: now() }, blob)
    return status
  })
}
