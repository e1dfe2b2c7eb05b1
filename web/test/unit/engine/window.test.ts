// Windows over the messages of a chat: what is here is shown at once, whatever the archive does, in browsers old and new.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { Views, type Older } from '../../../src/core/engine/views.ts'
import type { Chat } from '../../../src/core/model.ts'
import { change, everything, openAccount, type Database, type KeptMessage } from '../../../src/core/store/database.ts'
import { put } from '../../../src/core/store/messages.ts'

const ME = 'romeo@example.org', HER = 'juliet@example.org'
const silent = { postMessage: () => undefined, onmessage: null, close: () => undefined }
let db: Database

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  db = await openAccount(ME)
})

/** Keeps messages 1 to `count` of her, and some of another chat before, between and after them. */
async function said(count: number, more: Partial<Chat> = {}): Promise<void> {
  const message = (chat: string, order: number): KeptMessage => ({
    id: `${chat} ${order}`, chat, order, time: order, from: chat, own: false, content: { type: 'text', text: 'x' }, names: [`${chat} ${order}`], shelves: [], protection: 'omemo',
  })
  await change(db, everything, async (tx) => {
    for (let i = 1; i <= count; i++) await put(tx, message(HER, i), false)
    for (let i = 0; i <= count + 1; i += 7) { await put(tx, message('a@example.org', i), false); await put(tx, message('z@example.org', i), false) }
    await tx.objectStore('chats').put({ jid: HER, kind: 'person', name: 'Juliet', time: count, unread: 0, protection: 'omemo', ...more })
  })
}

const views = (archive: Partial<Older> = {}): Views =>
  new Views(db, ME, new News(ME, silent), { older: () => new Promise(() => undefined), hasOlder: () => Promise.resolve(false), ...archive })
const orders = (messages: { order: number }[]): number[] => messages.map((m) => m.order)
const from = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)

const ways = [{ way: 'a browser that reads an index backwards', backward: true }, { way: 'one that does not', backward: false }]
const records = Object.getOwnPropertyDescriptor(IDBIndex.prototype, 'getAllRecords')

describe.each(ways)('in $way', ({ backward }) => {
  beforeEach(() => { if (!backward) delete (IDBIndex.prototype as { getAllRecords?: unknown }).getAllRecords })
  afterEach(() => { if (records) Object.defineProperty(IDBIndex.prototype, 'getAllRecords', records) })

  it('begins at the end, with more before', async () => {
    await said(100)
    const window = await views().page(HER, { limit: 40 })
    expect(orders(window.messages)).toEqual(from(61, 100))
    expect(window).toMatchObject({ older: true, newer: false })
  })

  it.each([0, 1, 39, 40])('shows all of %i, and says whether the archive has more', async (count) => {
    await said(count)
    for (const more of [true, false]) {
      const window = await views({ hasOlder: () => Promise.resolve(more) }).page(HER, { limit: 40 })
      expect(orders(window.messages)).toEqual(from(1, count))
      expect(window).toMatchObject({ older: more, newer: false })
    }
  })

  it('goes back page by page, without a gap', async () => {
    await said(100)
    const window = await views({ older: () => Promise.resolve(false) }).page(HER, { before: 61, limit: 20 })
    expect(orders(window.messages)).toEqual(from(41, 60))
    expect(window).toMatchObject({ older: true, newer: true })
    const last = await views({ older: () => Promise.resolve(false) }).page(HER, { before: 11, limit: 20 })
    expect(orders(last.messages)).toEqual(from(1, 10))
    expect(last.older).toBe(false)
  })
})

describe('a place that is not on this device', () => {
  /** An archive that has messages 1 to 300, of which the newest 100 are here. */
  async function archive(): Promise<Older & { asked: number }> {
    await said(0)
    let first = 301
    const keep = (to: number) => change(db, everything, async (tx) => {
      for (first--; first >= to; first--) await put(tx, { id: `m${first}`, chat: HER, order: first, time: first, from: HER, own: false, content: { type: 'text', text: 'x' }, names: [`${HER} w${first}`], shelves: [], protection: 'omemo' }, false)
      first = to
    })
    await keep(201)
    const older: Older & { asked: number } = {
      asked: 0,
      older: async () => { older.asked++; await keep(Math.max(1, first - 50)); return first > 1 },
      hasOlder: () => Promise.resolve(first > 1),
    }
    return older
  }

  it('is read from the archive: a time', async () => {
    const older = await archive()
    const window = await views(older).page(HER, { around: 120, limit: 40 })
    expect(orders(window.messages)).toContain(120)
    expect(window.missing).toBeUndefined()
    expect(older.asked).toBe(2)
  })

  it('is read from the archive: a message', async () => {
    const window = await views(await archive()).page(HER, { around: 'm7', limit: 40 })
    expect(orders(window.messages)).toContain(7)
    expect(window.missing).toBeUndefined()
  })

  it('before all that was ever said is the beginning', async () => {
    const window = await views(await archive()).page(HER, { around: -5, limit: 40 })
    expect(orders(window.messages)[0]).toBe(1)
    expect(window.missing).toBeUndefined()
  })

  it('is told to be missing when nothing of the archive comes', async () => {
    const older = await archive()
    for (const around of ['m7', 120]) expect((await views({ ...older, older: () => Promise.resolve(false) }).page(HER, { around, limit: 40 })).missing).toBe(true)
    expect((await views(older).page(HER, { around: 'never said', limit: 40 })).missing).toBe(true)
  })

  it('is not asked for where what is here will do', async () => {
    const older = await archive()
    expect((await views(older).page(HER, { around: 'm7', limit: 1, here: true })).missing).toBe(true)
    expect(older.asked).toBe(0)
  })
})

describe('what is unread', () => {
  it('is in the window when there is little of it', async () => {
    await said(100, { unread: 5, readUpTo: 95 })
    expect(orders((await views().page(HER, { limit: 40 })).messages)).toEqual(from(61, 100))
  })

  it('begins in the window when there is much of it', async () => {
    await said(200, { unread: 150, readUpTo: 50 })
    const window = await views().page(HER, { limit: 40 })
    expect(orders(window.messages)).toContain(51)
    expect(orders(window.messages)).toContain(50)
    expect(window.messages.length).toBeLessThanOrEqual(60)
    expect(window).toMatchObject({ older: true, newer: true })
  })

  it('is all of a chat that nobody has looked at', async () => {
    await said(30, { unread: 30 })
    expect(orders((await views().page(HER, { limit: 40 })).messages)).toEqual(from(1, 30))
  })
})

it('tells a change at once, and what comes in one go together', async () => {
  await said(3)
  const news = new News(ME, silent)
  const told: string[][] = []
  let heard: () => void = () => undefined
  const stop = new Views(db, ME, news, { older: () => Promise.resolve(false), hasOlder: () => Promise.resolve(false) })
    .watchMessages(HER, (changed) => { told.push(changed.map((m) => m.id)); heard() })
  const next = (): Promise<void> => new Promise((done) => { heard = done })
  news.tell({ messages: { [HER]: [`${HER} 1`] } })
  news.tell({ messages: { [HER]: [`${HER} 2`] } })
  news.tell({ messages: { [HER]: [`${HER} 3`] } })
  await next()
  await next()
  expect(told).toEqual([[`${HER} 1`], [`${HER} 2`, `${HER} 3`]])
  stop()
})
