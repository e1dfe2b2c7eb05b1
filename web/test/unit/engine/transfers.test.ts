// An upload goes on by itself, from where it was, whatever happens to the tab: nothing is sent twice under one key that differs, nothing is forgotten.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { decryptMedia, encryptMedia, newMediaKey } from '../../../src/core/crypto/media.ts'
import type { MediaKey } from '../../../src/core/crypto/types.ts'
import { News } from '../../../src/core/engine/changes.ts'
import { Desk } from '../../../src/core/engine/desk.ts'
import { Transfers } from '../../../src/core/engine/transfers.ts'
import { readAddress } from '../../../src/core/media/address.ts'
import { HttpBroken, HttpRefused, type Http } from '../../../src/core/media/http.ts'
import type { Ready } from '../../../src/core/media/image.ts'
import type { ReadyVideo } from '../../../src/core/media/video.ts'
import type { Media, Transfer } from '../../../src/core/model.ts'
import { openAccount, type Database } from '../../../src/core/store/database.ts'
import { mediaOf } from '../../../src/core/store/messages.ts'
import type { Session } from '../../../src/core/xmpp/session.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { el, type Element } from '../../../src/core/xmpp/xml.ts'
import { mortal, Scythe } from './device.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'
const silent = { postMessage: () => undefined, onmessage: null, close: () => undefined }
const plain = Uint8Array.from({ length: 5000 }, (_, i) => (i * 31) % 251)

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => { vi.useRealTimers() })

/** The server of the files: it keeps what came of each, and takes no more than it is told to. */
class Shelf {
  readonly files = new Map<string, Uint8Array>()
  readonly puts: { url: string; from: number }[] = []
  /** Bytes that a transfer may bring before it stalls. */
  takes = Infinity
  /** What becomes of a transfer instead. */
  fault: (() => Error) | undefined
  slots = 0
  /** Told at each transfer, when it has come as far as it does. */
  reached: () => void = () => undefined

  readonly http: Http = {
    put: async (url, _headers, body, progress, signal, again) => {
      if (this.fault) {
        this.reached()
        throw this.fault()
      }
      const bytes = new Uint8Array(await body.arrayBuffer())
      const there = again ? this.files.get(url)?.length ?? 0 : 0
      if (this.files.get(url)) expect(bytes.slice(0, there)).toEqual(this.files.get(url)?.slice(0, there)) // never other bytes under one key
      this.puts.push({ url, from: there })
      if (signal.aborted) throw new HttpBroken('stopped')
      const upTo = Math.min(bytes.length, there + this.takes)
      this.files.set(url, bytes.slice(0, upTo))
      progress(upTo)
      this.reached()
      if (upTo < bytes.length) await new Promise((_, reject) => { signal.addEventListener('abort', () => reject(new HttpBroken('stopped'))) })
    },
    get: () => Promise.reject(new HttpRefused(404)),
  }

  session(): Session {
    const request = (_: string, payload: Element): Promise<Element> => {
      if (payload.name === 'request') {
        const url = `https://example.org/f/${++this.slots}`
        return Promise.resolve(el('jabber:client', 'iq', {}, el('urn:xmpp:http:upload:0', 'slot', {}, el('urn:xmpp:http:upload:0', 'put', { url }), el('urn:xmpp:http:upload:0', 'get', { url }))))
      }
      if (payload.ns.endsWith('#info')) return Promise.resolve(el('jabber:client', 'iq', {}, el(payload.ns, 'query', {}, el(payload.ns, 'feature', { var: 'urn:xmpp:http:upload:0' }))))
      if (payload.ns.endsWith('#items')) return Promise.resolve(el('jabber:client', 'iq', {}, el(payload.ns, 'query')))
      return Promise.reject(new StanzaError('service-unavailable'))
    }
    return { account: ME, request } as unknown as Session
  }
}

class NoSession extends Error {}

/** One tab with a database. */
class Tab {
  readonly news = new News(ME, silent)
  readonly desk: Desk
  readonly transfers: Transfers
  online = true
  full: boolean[] = []
  prepared: Ready | undefined
  makeVideo: (file: Blob, progress: (share: number) => void, signal: AbortSignal) => Promise<ReadyVideo | undefined> = () => Promise.resolve(undefined)

  private constructor(readonly db: Database, shelf: Shelf) {
    this.news.tellSoon = (changes) => this.news.tell(changes) // the clock stands still here
    this.desk = new Desk(db, ME, this.news)
    this.transfers = new Transfers(db, this.desk, this.news, {
      session: () => { if (!this.online) throw new NoSession(); return shelf.session() },
      crypto: {
        encryptMedia: async (file: Blob, again?: MediaKey) => {
          const key = again ?? newMediaKey()
          return { ok: true as const, value: { blob: await encryptMedia(file, key), key } }
        },
        decryptMedia: () => Promise.reject(new Error('not here')),
      },
      http: shelf.http, prepare: () => Promise.resolve(this.prepared), prepareVideo: (file, _size, progress, signal) => this.makeVideo(file, progress, signal), now: () => Date.now() * 1000, full: (full) => { this.full.push(full) },
    })
  }

  static async open(shelf: Shelf, scythe = new Scythe()): Promise<Tab> {
    return new Tab(mortal(await openAccount(ME), scythe), shelf)
  }

  async send(as: 'file' | 'image' | 'video' = 'file'): Promise<string> {
    return (await this.desk.send(HER, { file: { blob: new Blob([plain]), name: 'a.bin', mime: 'application/octet-stream', as } })).id
  }

  /** What the sender does at the start and whenever something changes. */
  async serve(): Promise<void> {
    for (const message of await this.db.getAll('messages')) if (mediaOf(message.content) && !mediaOf(message.content)?.url) this.transfers.upload(message)
  }

  async media(id: string): Promise<Media | undefined> {
    const message = await this.db.get('messages', id)
    return message && mediaOf(message.content)
  }

  /** Waits until a message's file is so. */
  until(id: string, what: (media: Media | undefined) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => void this.media(id).then((media) => { if (what(media)) { stop(); resolve() } }, reject)
      const stop = this.news.listen(look)
      look()
    })
  }

  state(id: string, state: Transfer['state']): Promise<void> {
    return this.until(id, (m) => m?.transfer?.state === state)
  }

  kill(): void {
    this.transfers.end()
    this.db.close()
  }
}

const reached = (shelf: Shelf) => new Promise<void>((resolve) => { shelf.reached = resolve })

/** A tab that has sent a file of which so many bytes have come and no more do. */
async function stalledAt(shelf: Shelf, takes: number): Promise<{ tab: Tab; id: string }> {
  shelf.takes = takes
  const tab = await Tab.open(shelf)
  const id = await tab.send()
  const stalled = reached(shelf)
  await tab.serve()
  await stalled
  await tab.until(id, (m) => m?.transfer?.done === takes)
  return { tab, id }
}

/** The file as whoever gets the message reads it. */
async function readBack(shelf: Shelf, media: Media | undefined): Promise<Uint8Array> {
  const address = readAddress(media?.url ?? '')
  const bytes = shelf.files.get(address?.url ?? '')
  if (!address?.key || !bytes) throw new Error('no file')
  return new Uint8Array(await (await decryptMedia(new Blob([bytes as Uint8Array<ArrayBuffer>]), address.key, '')).arrayBuffer())
}

test('a tab that is closed in the middle: the next one goes on from there, under the same key', async () => {
  const shelf = new Shelf()
  const { tab: first, id } = await stalledAt(shelf, 2000)
  first.kill()
  shelf.takes = Infinity
  const second = await Tab.open(shelf)
  await second.transfers.begun()
  // Nothing is under way yet, and how far it had come is still known.
  expect((await second.media(id))?.transfer).toEqual({ direction: 'up', done: 2000, total: 5016, state: 'waiting' })
  await second.serve()
  await second.until(id, (m) => !!m?.url)
  expect(shelf.puts.map((p) => p.from)).toEqual([0, 2000])
  expect(shelf.slots).toBe(1)
  const media = await second.media(id)
  expect(media?.transfer).toBeUndefined()
  expect(await readBack(shelf, media)).toEqual(plain)
  // What is needed no more is gone, and the bytes make room from now on.
  expect(await second.db.get('files', media?.key ?? '')).toMatchObject({ only: false, upload: undefined })
  expect(await second.db.getAllKeys('kv', IDBKeyRange.bound('transfer ', 'transfer \uffff'))).toEqual([])
  second.kill()
})

test('killed between any two steps: what was promised goes up whole, and no key is used for two files', async () => {
  for (let after = 1; ; after++) {
    globalThis.indexedDB = new IDBFactory()
    const shelf = new Shelf()
    shelf.takes = 2000
    const scythe = new Scythe(after)
    const first = await Tab.open(shelf, scythe)
    first.prepared = { blob: new Blob([plain.slice(0, 4000)]), width: 4, height: 3, thumbhash: 'AAAA' }
    const stalled = reached(shelf).then(async () => { shelf.takes = Infinity; await Promise.resolve() })
    const work = (async () => {
      const id = await first.send('image')
      await first.serve()
      await stalled
      await first.until(id, (m) => m?.transfer?.done === 2000)
      await first.transfers.pause(id)
      await first.transfers.fetch(id)
      await first.until(id, (m) => !!m?.url)
    })()
    await Promise.race([work.catch(() => undefined), scythe.fell])
    first.kill()
    const through = !scythe.fallen
    shelf.takes = Infinity
    const second = await Tab.open(shelf)
    second.prepared = first.prepared
    await second.transfers.begun()
    const [message] = await second.db.getAll('messages')
    if (!message) throw new Error('the message was promised')
    const paused = mediaOf(message.content)?.transfer?.state === 'paused'
    if (paused) await second.transfers.fetch(message.id)
    else await second.serve()
    await second.until(message.id, (m) => !!m?.url)
    expect(await readBack(shelf, await second.media(message.id)), `after ${after} steps`).toEqual(plain.slice(0, 4000))
    expect(shelf.slots).toBeLessThanOrEqual(2)
    second.kill()
    if (!through) continue
    expect(after).toBeGreaterThan(5)
    return
  }
})

test('a pause outlives the tab; going on begins where it stopped', async () => {
  const shelf = new Shelf()
  const { tab: first, id } = await stalledAt(shelf, 1500)
  await first.transfers.pause(id)
  first.kill()
  const second = await Tab.open(shelf)
  await second.transfers.begun()
  await second.serve()
  expect((await second.media(id))?.transfer).toMatchObject({ state: 'paused', done: 1500 })
  expect(shelf.puts.length).toBe(1)
  shelf.takes = Infinity
  await second.transfers.fetch(id)
  await second.until(id, (m) => !!m?.url)
  expect(shelf.puts.map((p) => p.from)).toEqual([0, 1500])
  second.kill()
})

test('paused and gone on with at once', async () => {
  const shelf = new Shelf()
  shelf.takes = 1000
  const tab = await Tab.open(shelf)
  const id = await tab.send()
  const stalled = reached(shelf)
  await tab.serve()
  await stalled
  shelf.takes = Infinity
  const pausing = tab.transfers.pause(id)
  await tab.transfers.fetch(id)
  await pausing
  await tab.until(id, (m) => !!m?.url)
  expect(await readBack(shelf, await tab.media(id))).toEqual(plain)
  tab.kill()
})

test.each(['cancel', 'remove'] as const)('%s: the transfer ends, and message, errand, file and destination are gone', async (how) => {
  const shelf = new Shelf()
  shelf.takes = 1000
  const tab = await Tab.open(shelf)
  const id = await tab.send()
  const stalled = reached(shelf)
  await tab.serve()
  await stalled
  if (how === 'cancel') await tab.transfers.cancel(id)
  else await tab.desk.remove([id], true)
  expect(await tab.db.getAll('messages')).toEqual([])
  expect(await tab.db.getAll('outbox')).toEqual([])
  expect(await tab.db.getAll('files')).toEqual([])
  expect(await tab.db.getAllKeys('blobs')).toEqual([])
  await tab.transfers.begun()
  expect(await tab.db.getAllKeys('kv', IDBKeyRange.bound('transfer ', 'transfer \uffff'))).toEqual([])
  expect(shelf.puts.length).toBe(1)
  tab.kill()
})

test('without a connection an upload waits for one, however long; it never fails for that', async () => {
  const shelf = new Shelf()
  const tab = await Tab.open(shelf)
  tab.online = false
  const id = await tab.send()
  for (let i = 0; i < 20; i++) {
    const tried = tab.state(id, 'running').then(() => tab.state(id, 'waiting'))
    if (i === 0) await tab.serve()
    else await vi.advanceTimersByTimeAsync(130_000)
    await tried
  }
  expect((await tab.db.getAll('outbox'))[0]?.state).toBe('new')
  tab.online = true
  tab.transfers.connected(false)
  await tab.until(id, (m) => !!m?.url)
  tab.kill()
})

test('a place that is over: another one is asked for, a few times', async () => {
  const shelf = new Shelf()
  shelf.fault = () => new HttpRefused(404)
  const tab = await Tab.open(shelf)
  const id = await tab.send()
  await tab.serve()
  for (let i = 1; i < 6; i++) {
    await tab.state(id, 'waiting')
    expect(shelf.slots).toBe(i)
    const goesOn = tab.state(id, 'running')
    await vi.advanceTimersByTimeAsync(130_000)
    await goesOn
  }
  await tab.state(id, 'failed')
  expect(shelf.slots).toBe(6)
  expect((await tab.db.get('messages', id))).toMatchObject({ state: 'failed', failure: 'upload' })
  shelf.fault = undefined
  await tab.transfers.fetch(id)
  await tab.until(id, (m) => !!m?.url)
  expect(shelf.slots).toBe(7)
  tab.kill()
})

test('no room on the device in the middle: it says so, and goes on when there is', async () => {
  const shelf = new Shelf()
  class Disk extends Scythe {
    full = false
    override step(): boolean {
      if (this.full) throw new DOMException('full', 'QuotaExceededError')
      return true
    }
  }
  const disk = new Disk()
  const tab = await Tab.open(shelf, disk)
  const id = await tab.send()
  disk.full = true
  await tab.serve()
  await vi.waitFor(() => { expect(tab.full).toEqual([true]) }, 20_000)
  expect(shelf.puts).toEqual([])
  disk.full = false
  await vi.advanceTimersByTimeAsync(3000)
  await tab.until(id, (m) => !!m?.url)
  expect(tab.full.at(-1)).toBe(false)
  expect(await readBack(shelf, await tab.media(id))).toEqual(plain)
  tab.kill()
})

/** A video that takes its time: it tells how far it is, and is made when it is let go. */
function slowly(tab: Tab, smaller: Uint8Array | undefined) {
  const calls: { stopped: boolean }[] = []
  let letGo: () => void = () => undefined
  tab.makeVideo = (_, progress, signal) => new Promise((resolve, reject) => {
    const call = { stopped: false }
    calls.push(call)
    progress(0.4)
    signal.addEventListener('abort', () => { call.stopped = true; reject(signal.reason as Error) })
    letGo = () => resolve(smaller && { blob: new Blob([smaller as Uint8Array<ArrayBuffer>], { type: 'video/mp4' }), width: 1280, height: 720, seconds: 3 })
  })
  return { calls, letGo: () => letGo() }
}

test('a video is made smaller first, and shows how far that is; then what was made goes up', async () => {
  const shelf = new Shelf()
  const tab = await Tab.open(shelf)
  const film = slowly(tab, plain.slice(0, 3000))
  const id = await tab.send('video')
  await tab.serve()
  await tab.until(id, (m) => m?.transfer?.making === true)
  expect((await tab.media(id))?.transfer).toMatchObject({ state: 'running', done: 2000, total: 5000 })
  expect(shelf.puts).toEqual([])
  film.letGo()
  await tab.until(id, (m) => !!m?.url)
  const media = await tab.media(id)
  expect(media).toMatchObject({ mime: 'video/mp4', name: 'a.mp4', size: 3000, width: 1280, height: 720, seconds: 3 })
  expect(media?.transfer).toBeUndefined()
  expect(await readBack(shelf, media)).toEqual(plain.slice(0, 3000))
  tab.kill()
})

test('a video that cannot be made smaller goes as it is', async () => {
  const shelf = new Shelf()
  const tab = await Tab.open(shelf)
  const id = await tab.send('video')
  await tab.serve()
  await tab.until(id, (m) => !!m?.url)
  expect(await readBack(shelf, await tab.media(id))).toEqual(plain)
  tab.kill()
})

test('paused, then given up, while a video is made smaller: the work ends at once, and nothing leaves', async () => {
  const shelf = new Shelf()
  const tab = await Tab.open(shelf)
  const film = slowly(tab, plain.slice(0, 3000))
  const id = await tab.send('video')
  await tab.serve()
  await tab.until(id, (m) => m?.transfer?.making === true)
  await tab.transfers.pause(id)
  expect(film.calls).toEqual([{ stopped: true }])
  expect((await tab.media(id))?.transfer?.state).toBe('paused')
  await tab.transfers.fetch(id)
  await vi.waitFor(() => { expect(film.calls.length).toBe(2) }, 20_000)
  await tab.transfers.cancel(id)
  expect(film.calls[1]).toEqual({ stopped: true })
  expect(await tab.db.getAll('messages')).toEqual([])
  expect(await tab.db.getAllKeys('blobs')).toEqual([])
  expect(shelf.puts).toEqual([])
  tab.kill()
})

test('the tab ends while a video is made smaller: the next one begins with the whole video', async () => {
  const shelf = new Shelf()
  const first = await Tab.open(shelf)
  slowly(first, undefined)
  const id = await first.send('video')
  await first.serve()
  await first.until(id, (m) => m?.transfer?.making === true)
  first.kill()
  const second = await Tab.open(shelf)
  const film = slowly(second, plain.slice(0, 3000))
  await second.transfers.begun()
  await second.serve()
  await vi.waitFor(() => { expect(film.calls.length).toBe(1) }, 20_000)
  film.letGo()
  await second.until(id, (m) => !!m?.url)
  expect(await readBack(shelf, await second.media(id))).toEqual(plain.slice(0, 3000))
  second.kill()
})
