// Files made ready before they leave, once: pictures and videos no larger than they have to be, without what cameras write into them. What is sent is
// what is kept.

import { prepareImage, type Ready, type Size } from '../media/image.ts'
import type { ReadyLoop } from '../media/gif.ts'
import type { VideoSize } from '../media/plan.ts'
import type { ReadyVideo } from '../media/video.ts'
import type { Media } from '../model.ts'
import type { Database, KeptMessage } from '../store/database.ts'
import { readFile } from '../store/files.ts'
import { mediaOf } from '../store/messages.ts'
import type { Desk } from './desk.ts'

/** What makes files ready; each gives undefined for what it leaves as it is. */
export interface Makers {
  prepare(file: Blob, size: Size): Promise<Ready | undefined>
  /** Shares of 0–1 are told; fails only when the signal ends it. */
  /** Makes a video of a moving picture. */
  prepareGif?(file: Blob, progress: (share: number) => void, signal: AbortSignal): Promise<ReadyLoop | undefined>
  prepareVideo(file: Blob, size: VideoSize, progress: (share: number) => void, signal: AbortSignal): Promise<ReadyVideo | undefined>
}

const ENDINGS: Record<string, string> = {
  'image/webp': '.webp', 'image/jpeg': '.jpg', 'image/gif': '.gif', 'image/png': '.png', 'video/mp4': '.mp4', 'video/webm': '.webm',
}

/** Makes the file of a message ready, if it is not; what has a thumbhash is. Gives the message as it is then, undefined if it is gone. */
export async function makeReady(db: Database, desk: Desk, makers: Makers, id: string, progress: (share: number) => void, signal: AbortSignal): Promise<KeptMessage | undefined> {
  const message = await db.get('messages', id)
  const media = message && mediaOf(message.content)
  if (!message || !media || media.thumbhash) return message
  const type = message.content.type === 'once' ? message.content.as : message.content.type
  if (message.content.type === 'image' && media.mime === 'image/gif' && await makeLoop(db, desk, makers, id, media, progress, signal)) return db.get('messages', id)
  if (type === 'image' || type === 'sticker') await makePicture(db, desk, makers, id, media, type === 'sticker' ? 'sticker' : media.hd ? 'hd' : 'usual')
  else if (type === 'video') await makeVideo(db, desk, makers, id, media, progress, signal)
  else return message
  return db.get('messages', id)
}

async function makePicture(db: Database, desk: Desk, makers: Makers, id: string, media: Media, size: Size): Promise<void> {
  const file = await readFile(db, media.key)
  const ready = file && await makers.prepare(file, size).catch(() => undefined)
  if (!ready) return
  const { blob, width, height, thumbhash } = ready
  await desk.replaceFile(id, blob, { ...facts(media, blob), width, height, thumbhash })
}

/** A moving picture becomes a video where this browser can; gives whether it did. */
async function makeLoop(db: Database, desk: Desk, makers: Makers, id: string, media: Media, progress: (share: number) => void, signal: AbortSignal): Promise<boolean> {
  const file = await readFile(db, media.key)
  const ready = file && await makers.prepareGif?.(file, progress, signal)
  signal.throwIfAborted()
  if (!ready) return false
  const { blob, ...looks } = ready
  await desk.replaceFile(id, blob, { ...facts(media, blob), ...looks, loop: true }, 'video')
  return true
}

async function makeVideo(db: Database, desk: Desk, makers: Makers, id: string, media: Media, progress: (share: number) => void, signal: AbortSignal): Promise<void> {
  const file = await readFile(db, media.key)
  if (!file) return
  const ready = await makers.prepareVideo(file, media.hd ? 'hd' : 'usual', progress, signal)
  signal.throwIfAborted()
  const poster = media.poster && pictureOf(media.poster)
  const thumbhash = poster ? (await makers.prepare(poster, 'usual').catch(() => undefined))?.thumbhash : undefined
  if (ready) await desk.replaceFile(id, ready.blob, { ...facts(media, ready.blob), width: ready.width, height: ready.height, seconds: ready.seconds, thumbhash })
  else if (thumbhash) await desk.alter(id, (message) => {
    const now = mediaOf(message.content)
    if (now) now.thumbhash = thumbhash
    return !!now
  })
}

/** readyFile gives a photo that is no part of a message as it may leave; whatever is no picture, as it is. */
export async function readyFile(file: File): Promise<File> {
  const ready = await prepareImage(file, 'hd').catch(() => undefined)
  return ready ? new File([ready.blob], named(file.name, ready.blob), { type: ready.blob.type }) : file
}

const facts = (media: Media, blob: Blob): Pick<Media, 'name' | 'mime' | 'size'> => ({ name: named(media.name, blob), mime: kind(blob), size: blob.size })

/** A name with the ending of what it is now. */
const named = (name: string, blob: Blob): string => name.replace(/\.\w{1,5}$/, '') + (ENDINGS[kind(blob)] ?? '')

const kind = (blob: Blob): string => blob.type.split(';')[0] ?? blob.type

/** The bytes of a `data:` address in base64. */
function pictureOf(address: string): Blob | undefined {
  const [, type, data] = /^data:([\w/+-]+);base64,(.+)$/.exec(address) ?? []
  return data ? new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], { type }) : undefined
}
