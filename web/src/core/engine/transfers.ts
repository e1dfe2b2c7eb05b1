// Files on their way: made ready, encrypted (XEP-0454), put on the server and fetched from it. Where a transfer stands is kept with its message;
// after a restart it begins anew, and what was fetched before is fetched no more.

import type { Crypto } from '../crypto/api.ts'
import type { MediaKey } from '../crypto/types.ts'
import { readAddress, secretAddress } from '../media/address.ts'
import { HttpBroken, HttpRefused, type Http } from '../media/http.ts'
import type { Ready } from '../media/image.ts'
import type { Failure, JID, Media, Micros, Transfer } from '../model.ts'
import { change, type Database, type KeptMessage } from '../store/database.ts'
import { keepFile, makeRoom, readFile, useFile } from '../store/files.ts'
import { MEDIA_BOUND } from '../store/kv.ts'
import { mediaOf } from '../store/messages.ts'
import type { Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import { findUpload, requestSlot, UploadRefused, type Slot, type UploadService } from '../xmpp/upload.ts'
import type { Desk } from './desk.ts'
import { value } from './secure.ts'

/** Transfers at once in each direction. */
const AT_ONCE = 2
/** How often progress is kept, in milliseconds. */
const TELL = 400
/** Tries of a transfer before it waits for a person, and the pause before the second one in milliseconds; it doubles. */
const TRIES = 6
const PAUSE = 2000
/** The largest file that is fetched, in bytes. */
const LIMIT = 2 ** 31

/** What transfers need of others. */
export interface Means {
  session(): Session
  crypto: Pick<Crypto, 'encryptMedia' | 'decryptMedia'>
  http: Http
  prepare(file: Blob, hd: boolean): Promise<Ready | undefined>
  now(): Micros
}

type Direction = Transfer['direction']
/** Where a file goes, as it goes there. */
interface Upload { slot: Slot; body: Blob; secret?: MediaKey }

/** The transfers of one account. */
export class Transfers {
  private readonly running = new Map<string, AbortController>()
  private readonly queue: Record<Direction, (() => Promise<void>)[]> = { up: [], down: [] }
  private readonly active: Record<Direction, number> = { up: 0, down: 0 }
  /** Uploads that may go on where they stopped. */
  private readonly slots = new Map<string, Upload>()
  private service: UploadService | undefined
  private ended = false

  constructor(private readonly db: Database, private readonly desk: Desk, private readonly means: Means) {}

  /** A new session may have another service. */
  connected(): void {
    this.service = undefined
  }

  /** Begins the upload of a message's file, unless it is under way, or a person has stopped it. */
  upload(message: KeptMessage): void {
    const state = mediaOf(message.content)?.transfer?.state
    if (state !== 'paused' && state !== 'failed') this.begin(message.id, 'up')
  }

  /** Fetches a message's file, or goes on with an upload that was stopped. */
  async fetch(id: string): Promise<void> {
    const message = await this.db.get('messages', id)
    const media = message && mediaOf(message.content)
    if (!media) return
    if (message.own && !media.url) {
      await this.desk.retry(id) // if it has failed
      return this.begin(id, 'up')
    }
    if (media.url && !await this.db.getKey('files', media.key)) this.begin(id, 'down')
  }

  /** Stops a transfer; fetch() goes on with it. */
  async pause(id: string): Promise<void> {
    this.running.get(id)?.abort()
    await this.note(id, (t) => ({ ...t, state: 'paused' }))
  }

  /** Stops a transfer for good; a message that was not sent goes with it. */
  async cancel(id: string): Promise<void> {
    this.running.get(id)?.abort()
    const message = await this.db.get('messages', id)
    const media = message && mediaOf(message.content)
    this.slots.delete(id)
    if (message?.own && media && !media.url) return this.desk.remove([id], false)
    if (media) await change(this.db, ['files', 'blobs'], async (tx) => {
      await tx.objectStore('files').delete(partOf(media.key))
      await tx.objectStore('blobs').delete(partOf(media.key))
    })
    await this.note(id, () => undefined)
  }

  /** Bytes that are here; a foreign file that was sent without being kept is not. */
  async bytes(key: string): Promise<Blob | undefined> {
    const blob = await readFile(this.db, key)
    if (blob) await useFile(this.db, key, this.means.now()).catch(() => undefined)
    return blob
  }

  end(): void {
    this.ended = true
    for (const stop of this.running.values()) stop.abort()
  }

  private begin(id: string, direction: Direction): void {
    if (this.running.has(id) || this.ended) return
    const stop = new AbortController()
    this.running.set(id, stop)
    this.queue[direction].push(() => this.run(id, direction, stop.signal).finally(() => { if (this.running.get(id) === stop) this.running.delete(id) }))
    this.next(direction)
  }

  private next(direction: Direction): void {
    if (this.active[direction] >= AT_ONCE) return
    const work = this.queue[direction].shift()
    if (!work) return
    this.active[direction]++
    void work().catch(() => undefined).finally(() => {
      this.active[direction]--
      this.next(direction)
    })
  }

  /** Tries until it is done, refused, or stopped. */
  private async run(id: string, direction: Direction, signal: AbortSignal): Promise<void> {
    for (let tries = 0; !signal.aborted && !this.ended; tries++) {
      try {
        await this.note(id, () => ({ direction, done: 0, total: 0, state: 'running' }))
        await (direction === 'up' ? this.put(id, signal) : this.get(id, signal))
        return
      } catch (error) {
        if (signal.aborted || this.ended) return
        const failure = failureOf(error)
        if (failure || tries + 1 >= TRIES) return this.failed(id, direction, failure ?? 'upload')
        await this.note(id, (t) => ({ ...t, state: 'waiting' }))
        await pause(PAUSE * 2 ** tries, signal)
      }
    }
  }

  private async failed(id: string, direction: Direction, failure: Failure): Promise<void> {
    await this.note(id, (t) => ({ ...t, state: 'failed', failure }))
    if (direction === 'up') await this.desk.fail(id, failure)
  }

  private note(id: string, make: (t: Transfer) => Transfer | undefined): Promise<void> {
    return this.desk.alter(id, (message) => {
      const media = mediaOf(message.content)
      if (!media) return false
      const now = make(media.transfer ?? { direction: 'down', done: 0, total: 0, state: 'waiting' })
      if (now) media.transfer = now
      else delete media.transfer
      return true
    })
  }

  /** Keeps progress, not too often. */
  private progress(id: string, direction: Direction): (done: number, total: number) => void {
    let last = 0
    return (done, total) => {
      const now = performance.now()
      if (now - last < TELL) return
      last = now
      void this.note(id, (t) => t.state === 'running' ? { direction, done, total, state: 'running' } : t).catch(() => undefined)
    }
  }

  private async put(id: string, signal: AbortSignal): Promise<void> {
    const message = await this.ready(id)
    const media = message && mediaOf(message.content)
    if (!message || !media || media.url) return
    const blob = await readFile(this.db, media.key)
    if (!blob) throw new UploadRefused('refused')
    const { slot, body, secret } = this.slots.get(id) ?? await this.prepare(id, message, blob)
    const progress = this.progress(id, 'up')
    try {
      await this.means.http.put(slot.put, slot.headers, body, (done) => progress(done, body.size), signal)
    } catch (error) {
      // A slot that is over, or used: the next try gets another one.
      if (!(error instanceof HttpRefused) || (error.status !== 404 && error.status !== 403)) throw error
      this.slots.delete(id)
      throw new HttpBroken('slot')
    }
    this.slots.delete(id)
    await this.desk.uploaded(id, secret ? secretAddress(slot.get, secret) : slot.get)
  }

  /** Encrypts a file and gets a place for it; both are good for all tries in this tab. */
  private async prepare(id: string, message: KeptMessage, blob: Blob): Promise<Upload> {
    const media = mediaOf(message.content)
    if (!media) throw new UploadRefused('refused')
    const secret = message.protection === 'omemo' ? value(await this.means.crypto.encryptMedia(blob)) : undefined
    const body = secret?.blob ?? blob
    const session = this.means.session()
    this.service ??= await findUpload(session)
    if (!this.service) throw new UploadRefused('refused')
    // An encrypted file has no name and no kind for the server.
    const name = secret ? crypto.randomUUID() + (/\.\w{1,5}$/.exec(media.name)?.[0] ?? '') : media.name
    const slot = await requestSlot(session, this.service, { name, size: body.size, mime: secret ? 'application/octet-stream' : media.mime })
    const upload = { slot, body, secret: secret?.key }
    this.slots.set(id, upload)
    return upload
  }

  /** Makes a picture ready, once: what is sent is what is kept. */
  private async ready(id: string): Promise<KeptMessage | undefined> {
    const message = await this.db.get('messages', id)
    const media = message && mediaOf(message.content)
    if (!message || !media || message.content.type !== 'image' || media.thumbhash) return message
    const file = await readFile(this.db, media.key)
    const ready = file && await this.means.prepare(file, !!media.hd).catch(() => undefined)
    if (!ready) return message
    const { blob, width, height, thumbhash } = ready
    const name = media.name.replace(/\.\w{1,5}$/, '') + ({ 'image/webp': '.webp', 'image/jpeg': '.jpg', 'image/gif': '.gif' }[blob.type] ?? '')
    await this.desk.replaceFile(id, blob, { name, mime: blob.type, size: blob.size, width, height, thumbhash } satisfies Partial<Media>)
    return this.db.get('messages', id)
  }

  private async get(id: string, signal: AbortSignal): Promise<void> {
    const message = await this.db.get('messages', id)
    const media = message && mediaOf(message.content)
    const address = media?.url && readAddress(media.url)
    if (!message || !media || !address) throw new HttpRefused(400)
    const part = await readFile(this.db, partOf(media.key))
    const keep = (blob: Blob) => { if (blob.size) void this.keepPart(message.chat, media.key, blob).catch(() => undefined) }
    const limit = media.size ? Math.min(LIMIT, media.size + 1024) : LIMIT
    const got = await this.means.http.get(address.url, part, limit, this.progress(id, 'down'), signal, keep)
    const blob = address.key ? await this.open(got, address.key, media.mime) : new Blob([got], { type: media.mime })
    await change(this.db, ['files', 'blobs'], async (tx) => {
      await tx.objectStore('files').delete(partOf(media.key))
      await tx.objectStore('blobs').delete(partOf(media.key))
      await keepFile(tx, { key: media.key, chat: message.chat, only: false, used: this.means.now() }, blob)
      await makeRoom(tx, MEDIA_BOUND)
    })
    await this.desk.alter(id, (m) => {
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

const partOf = (key: string) => 'part ' + key

const pause = (ms: number, signal: AbortSignal) => new Promise<void>((resolve) => {
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => {
    clearTimeout(timer)
    resolve()
  })
})

/** Why it is no use to try again by itself; undefined if it is. */
function failureOf(error: unknown): Failure | undefined {
  if (error instanceof UploadRefused) return error.reason === 'too-large' || error.reason === 'quota' ? error.reason : 'upload'
  if (error instanceof HttpRefused) return error.status === 413 ? 'too-large' : 'upload'
  if (error instanceof StanzaError) return error.temporary ? undefined : 'upload'
  return undefined
}
