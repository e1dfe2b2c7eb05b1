// Files on their way: made ready, encrypted (XEP-0454), put on the server and fetched from it. Where a transfer stands is kept with its message, and
// where the bytes go with the file (Destination of store/files.ts), before the first of them leaves: after a restart it goes on from what the server
// has. A tab may be killed between any two steps:
//
//   1 the message, its errand and its file are kept (desk.ts)    killed: the sender finds the errand and asks for the upload
//   2 a picture or video is made smaller, in place of the file   killed: 2 was done as a whole or not at all (ready.ts)
//   3 it is encrypted, and its destination is kept               killed: before, another key and another place; after, 4 with the same ones
//   4 the bytes leave; the server says how many it has           killed: it is asked, and gets the rest
//   5 the message gets the address (desk.ts)                     killed: the server says that it has all of it

import type { Crypto } from '../crypto/api.ts'
import type { MediaKey } from '../crypto/types.ts'
import { readAddress, secretAddress } from '../media/address.ts'
import { HttpBroken, HttpRefused, type Http } from '../media/http.ts'
import type { Failure, JID, Micros, Transfer } from '../model.ts'
import { change, StorageFull, type Database, type KeptMessage } from '../store/database.ts'
import { alterFile, keepFile, makeRoom, readFile, useFile, type KeptFile } from '../store/files.ts'
import { MEDIA_BOUND } from '../store/kv.ts'
import { mediaOf } from '../store/messages.ts'
import type { Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import { findUpload, requestSlot, UploadRefused, type Slot, type UploadService } from '../xmpp/upload.ts'
import type { News } from './changes.ts'
import type { Desk } from './desk.ts'
import { makeReady, type Makers } from './ready.ts'
import { value } from './secure.ts'
import { freeRoom } from './upkeep.ts'

/** Transfers at once in each direction. */
const AT_ONCE = 2
/** How often progress is kept, in milliseconds. */
const TELL = 400
/** Tries of a download, and places for one upload, before it waits for a person. */
const TRIES = 6
/** The pause before the second try in milliseconds; it doubles up to the longest. A new connection ends it. */
const PAUSE = 2000
const LONGEST = 120_000
/** The largest file that is fetched, in bytes. */
const LIMIT = 2 ** 31

/** What transfers need of others. */
export interface Means extends Makers {
  session(): Session
  crypto: Pick<Crypto, 'encryptMedia' | 'decryptMedia'>
  http: Http
  now(): Micros
  /** There is (no) room on the device to go on. */
  full?(full: boolean): void
}

type Direction = Transfer['direction']
/** Where a file goes, as it goes there; `again`: some of it may be there. */
interface Upload { slot: Slot; body: Blob; secret?: MediaKey; again: boolean }

/** The place for a file is over, or used. */
class SlotOver extends HttpBroken {}

/** The transfers of one account. */
export class Transfers {
  private readonly running = new Map<string, AbortController>()
  private readonly queue: Record<Direction, (() => Promise<void>)[]> = { up: [], down: [] }
  private readonly active: Record<Direction, number> = { up: 0, down: 0 }
  /** Uploads that are being tried, so that the next try need not encrypt again. */
  private readonly uploads = new Map<string, Upload>()
  /** Bytes that may be fetched of files whose size is not known. */
  private readonly most = new Map<string, number>()
  /** Ends the pauses between two tries. */
  private readonly naps = new Set<() => void>()
  private readonly stop: () => void
  private service: UploadService | undefined
  private ended = false

  constructor(private readonly db: Database, private readonly desk: Desk, news: Pick<News, 'listen'>, private readonly means: Means) {
    this.stop = news.listen((changes) => { for (const id of Object.values(changes.removed ?? {}).flat()) this.halt(id) })
  }

  /** What was under way in a tab that is gone: downloads go on, uploads when the sender asks for them. Until then they wait, and are shown so. */
  async begun(): Promise<void> {
    const keys = await this.db.getAllKeys('kv', IDBKeyRange.bound('transfer ', 'transfer \uffff'))
    for (const key of keys) {
      const id = key.slice('transfer '.length)
      const message = await this.db.get('messages', id)
      const media = message && mediaOf(message.content)
      const transfer = media?.transfer
      if (!transfer || !/^(running|waiting)$/.test(transfer.state)) await change(this.db, ['kv'], (tx) => tx.objectStore('kv').delete(key), 'relaxed')
      else if (!this.running.has(id)) await this.note(id, (t) => ({ ...t, state: 'waiting' }))
      if (transfer?.direction === 'down' && transfer.state !== 'paused') await (media?.size ? this.begin(id, 'down') : this.note(id, () => undefined))
    }
  }

  /** There is a session; a new one may have another service. What waited for a connection goes on now. */
  connected(resumed: boolean): void {
    if (!resumed) this.service = undefined
    for (const wake of [...this.naps]) wake()
  }

  /** Begins the upload of a message's file, or goes on with it, unless it is under way, or a person has stopped it. */
  upload(message: KeptMessage): void {
    const state = mediaOf(message.content)?.transfer?.state
    if (state !== 'paused' && state !== 'failed') this.begin(message.id, 'up')
  }

  /** Fetches a message's file, or goes on with an upload that was stopped. Of a file of unknown size at most so many bytes. */
  async fetch(id: string, most = LIMIT): Promise<void> {
    const message = await this.db.get('messages', id)
    const media = message && mediaOf(message.content)
    if (!media) return
    if (message.own && !media.url) {
      await this.desk.retry(id) // if it has failed
      return this.begin(id, 'up')
    }
    if (!media.url || await this.db.getKey('files', media.key)) return
    this.most.set(id, most)
    this.begin(id, 'down')
  }

  /** Stops a transfer; fetch() goes on with it. */
  async pause(id: string): Promise<void> {
    this.halt(id)
    await this.note(id, (t) => ({ ...t, state: 'paused' }))
  }

  /** Stops a transfer for good; a message that was not sent goes with it. */
  async cancel(id: string): Promise<void> {
    this.halt(id)
    const message = await this.db.get('messages', id)
    const media = message && mediaOf(message.content)
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
    this.stop()
    for (const stop of this.running.values()) stop.abort()
  }

  /** Ends a transfer at once; it may begin anew at once. */
  private halt(id: string): void {
    this.running.get(id)?.abort()
    this.running.delete(id)
    this.uploads.delete(id)
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

  /** Tries until it is done, refused, or stopped. An upload is tried as long as nobody refuses it: what a person sent leaves by itself. */
  private async run(id: string, direction: Direction, signal: AbortSignal): Promise<void> {
    let counted = 0
    for (let tries = 0; !signal.aborted && !this.ended; tries++) {
      try {
        await this.note(id, (t) => ({ direction, ...(t.direction === direction ? { done: t.done, total: t.total } : { done: 0, total: 0 }), state: 'running' }))
        await (direction === 'up' ? this.put(id, signal) : this.get(id, signal))
        return
      } catch (error) {
        if (signal.aborted || this.ended) return
        if (error instanceof StorageFull) await this.makeRoom()
        const failure = failureOf(error)
        if (direction === 'down' || error instanceof SlotOver) counted++
        if (error instanceof HttpRefused && direction === 'up') await this.leave(id).catch(() => undefined) // another place, when a person tries again
        if (failure || counted >= TRIES) return this.failed(id, direction, failure ?? 'upload')
        await this.note(id, (t) => ({ ...t, state: 'waiting' })).catch(() => undefined)
        await this.nap(Math.min(LONGEST, PAUSE * 2 ** tries), signal)
      }
    }
  }

  private async makeRoom(): Promise<void> {
    this.means.full?.(true)
    await freeRoom(this.db).catch(() => false)
  }

  private nap(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        this.naps.delete(end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
      this.naps.add(end)
    })
  }

  private async failed(id: string, direction: Direction, failure: Failure): Promise<void> {
    if (direction === 'down') return this.note(id, (t) => ({ ...t, state: 'failed', failure }))
    await this.desk.fail(id, failure)
  }

  private note(id: string, make: (t: Transfer) => Transfer | undefined): Promise<void> {
    return this.desk.alter(id, async (message, tx) => {
      const media = mediaOf(message.content)
      if (!media) return false
      const now = make(media.transfer ?? { direction: message.own && !media.url ? 'up' : 'down', done: 0, total: 0, state: 'waiting' })
      if (now) media.transfer = now
      else delete media.transfer
      if (now?.state === 'running' || now?.state === 'waiting') await tx.objectStore('kv').put(true, `transfer ${id}`)
      else await tx.objectStore('kv').delete(`transfer ${id}`)
      return true
    })
  }

  /** Keeps progress, not too often. */
  private progress(id: string, direction: Direction): (done: number, total: number) => void {
    let last = -Infinity
    return (done, total) => {
      const now = performance.now()
      if (now - last < TELL) return
      last = now
      void this.note(id, (t) => t.state === 'running' ? { direction, done, total, state: 'running' } : t).catch(() => undefined)
    }
  }

  /** Keeps how far a file is that is made smaller. */
  private making(id: string): (share: number) => void {
    let last = -Infinity
    return (share) => {
      const now = performance.now()
      if (now - last < TELL) return
      last = now
      void this.desk.alter(id, (message) => {
        const media = mediaOf(message.content)
        if (media?.transfer?.state !== 'running') return false
        media.transfer = { direction: 'up', done: Math.round(share * media.size), total: media.size, state: 'running', making: true }
        return true
      }).catch(() => undefined)
    }
  }

  private async put(id: string, signal: AbortSignal): Promise<void> {
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
    await this.desk.uploaded(id, secret ? secretAddress(slot.get, secret) : slot.get)
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
  private async leave(id: string): Promise<void> {
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

  private async get(id: string, signal: AbortSignal): Promise<void> {
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

const partOf = (key: string) => 'part ' + key

/** Why it is no use to try again by itself; undefined if it is. */
function failureOf(error: unknown): Failure | undefined {
  if (error instanceof UploadRefused) return error.reason === 'too-large' || error.reason === 'quota' ? error.reason : 'upload'
  if (error instanceof HttpRefused) return error.status === 413 ? 'too-large' : 'upload'
  if (error instanceof StanzaError) return error.temporary ? undefined : 'upload'
  return undefined
}
