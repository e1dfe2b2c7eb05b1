// Files on their way: made ready, encrypted (XEP-0454), put on the server and fetched from it. Where a transfer stands is kept with its message, and
// where the bytes go with the file (Destination of store/files.ts), before the first of them leaves: after a restart it goes on from what the server
// has. A tab may be killed between any two steps:
//
//   1 the message, its errand and its file are kept (desk.ts)    killed: the sender finds the errand and asks for the upload
//   2 a picture or video is made smaller, in place of the file   killed: 2 was done as a whole or not at all (ready.ts)
//   3 it is encrypted, and its destination is kept               killed: before, another key and another place; after, 4 with the same ones
//   4 the bytes leave; the server says how many it has           killed: it is asked, and gets the rest
//   5 the message gets the address (desk.ts)                     killed: the server says that it has all of it

import { HttpRefused } from '../media/http.ts'
import type { Failure } from '../model.ts'
import { change, StorageFull, type Database, type KeptMessage } from '../store/database.ts'
import { readFile, useFile } from '../store/files.ts'
import { mediaOf } from '../store/messages.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import { UploadRefused } from '../xmpp/upload.ts'
import type { News } from './changes.ts'
import type { Desk } from './desk.ts'
import { Downloads, LIMIT, partOf } from './transfer-down.ts'
import type { Direction, Means } from './transfer-steps.ts'
import { SlotOver } from './transfer-up.ts'
import { freeRoom } from './upkeep.ts'

export type { Means } from './transfer-steps.ts'

/** Transfers at once in each direction. */
const AT_ONCE = 2
/** Tries of a download, and places for one upload, before it waits for a person. */
const TRIES = 6
/** The pause before the second try in milliseconds; it doubles up to the longest. A new connection ends it. */
const PAUSE = 2000
const LONGEST = 120_000

/** The transfers of one account. */
export class Transfers extends Downloads {
  private readonly running = new Map<string, AbortController>()
  private readonly queue: Record<Direction, (() => Promise<void>)[]> = { up: [], down: [] }
  private readonly active: Record<Direction, number> = { up: 0, down: 0 }
  /** Ends the pauses between two tries. */
  private readonly naps = new Set<() => void>()
  private readonly stop: () => void
  private ended = false

  constructor(db: Database, desk: Desk, news: Pick<News, 'listen'>, means: Means) {
    super(db, desk, means)
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
    if (!media.url || message.content.type === 'once' || await this.db.getKey('files', media.key)) return
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
}

/** Why it is no use to try again by itself; undefined if it is. */
function failureOf(error: unknown): Failure | undefined {
  if (error instanceof UploadRefused) return error.reason === 'too-large' || error.reason === 'quota' ? error.reason : 'upload'
  if (error instanceof HttpRefused) return error.status === 413 ? 'too-large' : 'upload'
  if (error instanceof StanzaError) return error.temporary ? undefined : 'upload'
  return undefined
}
