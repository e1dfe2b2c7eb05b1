// What is written into the encrypted history and what another device makes of it, over a shelf in memory that may go away at any moment.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, expect, test } from 'vitest'
import { Book, type Shelf } from '../../../src/core/crypto/book.ts'
import type { Device } from '../../../src/core/crypto/device.ts'
import { answer } from '../../../src/core/crypto/failure.ts'
import { adoptKept, historyState, loadKept, newHistoryKey, openChunk, openIndex, sealChunk, sealIndex } from '../../../src/core/crypto/history.ts'
import { newRecovery, recover, wrap } from '../../../src/core/crypto/recovery.ts'
import type { Bytes } from '../../../src/core/crypto/types.ts'
import { Collector } from '../../../src/core/engine/changes.ts'
import type { Step } from '../../../src/core/engine/apply.ts'
import { about } from '../../../src/core/engine/effects.ts'
import { importLines } from '../../../src/core/engine/history-lines.ts'
import { tail, writeAll } from '../../../src/core/engine/history-write.ts'
import type { Letter, Said } from '../../../src/core/engine/said.ts'
import { change, everything, openAccount, type Database, type KeptMessage } from '../../../src/core/store/database.ts'
import { get, type Written } from '../../../src/core/store/kv.ts'
import { put } from '../../../src/core/store/messages.ts'
import { archiveName, senderName } from '../../../src/core/store/names.ts'
import { newDevice } from '../crypto/support.ts'

const me = 'romeo@example.org'
const her = 'juliet@example.org'
const FIRST = 1_790_000_000_000_000

class Node implements Shelf {
  readonly items = new Map<string, Bytes>()
  readonly written: string[] = []
  /** How many more puts work. */
  puts = Infinity

  get(ids: string[]): Promise<Map<string, Bytes>> {
    return Promise.resolve(new Map([...this.items].filter(([id]) => ids.includes(id))))
  }

  put(id: string, data: Bytes): Promise<void> {
    if (this.puts-- <= 0) return Promise.reject(new Error('the server is gone'))
    this.items.set(id, data)
    this.written.push(id)
    return Promise.resolve()
  }

  remove(id: string): Promise<void> {
    this.items.delete(id)
    return Promise.resolve()
  }
}

const open: Database[] = []
afterEach(() => { for (const db of open.splice(0)) db.close() })

/** One device: its keys, its database, and what it does with the history. */
class End {
  lines = 0
  private constructor(readonly d: Device, readonly db: Database, private readonly node: Node) {}

  static async open(node: Node, from?: End): Promise<End> {
    globalThis.indexedDB = new IDBFactory()
    const end = new End(await newDevice(me), await openAccount(me), node)
    open.push(end.db)
    if (from) await adoptKept(end.d, await loadKept(from.d), true)
    return end
  }

  book(own?: Written): Book {
    const { d } = this
    return new Book({
      historyState: () => answer(() => historyState(d)), newHistoryKey: () => answer(() => newHistoryKey(d)), shareHistory: () => answer(() => null),
      sealChunk: (number, previous, lines) => answer(async () => {
        const sealed = await sealChunk(d, number, previous, lines)
        this.lines += sealed.taken
        return sealed
      }),
      openChunk: (...args) => answer(() => openChunk(d, ...args)), sealIndex: (index) => answer(() => sealIndex(d, index)), openIndex: (...args) => answer(() => openIndex(d, ...args)),
      newRecovery: () => answer(() => newRecovery(d)), wrapRecovery: () => answer(() => wrap(d)), recover: (...args) => answer(() => recover(d, ...args)),
    }, d.id, this.node, own && { number: own.index, chunks: own.chunks, complete: own.complete })
  }

  step<T>(work: (step: Step) => Promise<T>): Promise<T> {
    return change(this.db, everything, (tx) => work({ tx, account: me, now: FIRST, changes: new Collector() }))
  }

  /** Messages of hers come, with numbers for texts. */
  async hear(from: number, to: number): Promise<void> {
    await this.step(async ({ tx }) => {
      for (let n = from; n < to; n++) {
        const place = FIRST + n
        const id = `origin-id-of-number-${n}`
        await put(tx, {
          id: `m${n}`, chat: her, order: place, archiveId: place, stanzaId: String(place), time: place, from: her, own: false, content: { type: 'text', text: `secret ${n}` },
          originId: id, names: [archiveName(String(place)), senderName(her, id)], shelves: [], protection: 'omemo',
        } satisfies KeptMessage, false)
      }
    })
  }

  /** She says something about one of them, or we do. */
  async effect(said: Said & { target: string }, own = false, time = FIRST + 1e6): Promise<void> {
    const letter: Letter = {
      chat: her, from: own ? me : her, own, ids: ['an-id-that-is-long-enough'], time, live: true, wantsReceipt: false, wantsMarker: false, protection: 'omemo', says: [],
    }
    await this.step((step) => about(step, letter, said as never))
  }

  async write(): Promise<void> {
    expect(await writeAll(this.db, (own) => this.book(own))).toBe(true)
  }

  async read(): Promise<void> {
    const gaps = await this.book().read({ wants: () => true, take: (lines) => this.step((step) => importLines(step, lines)) })
    expect(gaps).toEqual({ missing: 0, refused: [] })
  }

  async messages(): Promise<KeptMessage[]> {
    return (await this.db.getAll('messages')).sort((a, b) => a.order - b.order)
  }

  async texts(): Promise<string[]> {
    return (await this.messages()).map((m) => m.content.type === 'text' ? m.content.text : m.content.type)
  }

  async chunks(): Promise<Written['chunks']> {
    return (await get(this.db, 'history'))?.chunks ?? []
  }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `secret ${from + i}`)
const target = (n: number) => `origin-id-of-number-${n}`

test('how much is written anew', () => {
  const of = (...counts: number[]) => counts.map((count, i) => ({ number: i + 1, hash: '', from: 10 * i + 1, to: 10 * i + 2, count }))
  expect(tail([], 1)).toBe(0)
  expect(tail(of(1000, 64, 2), 1)).toBe(0)
  expect(tail(of(1000, 8, 4, 2, 1), 1)).toBe(4)
  expect(tail(of(600), 600)).toBe(0)
  expect(tail([{ number: 1, hash: '', from: 0, to: 0, count: 1 }], 5)).toBe(0)
})

test('message by message: few chunks, each message written a few times, all of it read', async () => {
  const node = new Node()
  const old = await End.open(node)
  for (let n = 0; n < 64; n++) {
    await old.hear(n, n + 1)
    await old.write()
  }
  await old.write() // nothing more
  expect((await old.chunks()).length).toBeLessThan(8)
  expect([...node.items.keys()].filter((id) => /^\d+-/.test(id)).length).toBe((await old.chunks()).length)
  expect(old.lines).toBeLessThan(64 * 7)
  const fresh = await End.open(node, old)
  await fresh.read()
  expect(await fresh.texts()).toEqual(numbers(0, 64))
  await fresh.write() // what others have written completely is left to them
  expect(await fresh.chunks()).toEqual([])
  await fresh.hear(64, 66)
  await fresh.write()
  expect((await fresh.chunks()).map((c) => c.count)).toEqual([2])
})

test('what was corrected, retracted or reacted to in a full chunk is so on a new device, and on one that had read it before', async () => {
  const node = new Node()
  const old = await End.open(node)
  await old.hear(0, 1500)
  await old.write()
  await old.hear(1500, 1503)
  await old.write()
  const early = await End.open(node, old)
  await early.read()
  expect((await early.texts()).length).toBe(1503)
  await old.effect({ what: 'edit', target: target(3), content: { type: 'text', text: 'corrected' } })
  await old.effect({ what: 'retract', target: target(4) })
  await old.effect({ what: 'react', target: target(5), emoji: ['👍'] }, true)
  await old.effect({ what: 'react', target: target(5), emoji: ['❤️'] })
  await old.effect({ what: 'retract', target: target(1501) })
  await old.write()
  expect(await get(old.db, 'history changed')).toEqual([])
  const before = node.written.length
  await old.write()
  expect(node.written.length).toBe(before)
  const late = await End.open(node, old)
  await late.read()
  await early.read()
  for (const end of [early, late]) {
    const all = await end.messages()
    expect(all.length).toBe(1503)
    expect(all[3]).toMatchObject({ content: { text: 'corrected' }, edited: FIRST + 1e6 })
    expect(all[4]).toMatchObject({ content: { text: '' }, retracted: { by: her } })
    expect(all[5]?.reactions).toEqual({ '👍': [me], '❤️': [her] })
    expect(all[1501]?.retracted?.by).toBe(her)
  }
  // Not only hidden: it is in no chunk any more.
  const lines: string[] = []
  await late.book().read({ wants: () => true, take: async (some) => { lines.push(...some) } })
  expect(lines.some((line) => line.includes('"secret 6"'))).toBe(true)
  for (const gone of ['"secret 3"', '"secret 4"', '"secret 1501"']) expect(lines.some((line) => line.includes(gone))).toBe(false)
})

test('an older state changes nothing', async () => {
  const node = new Node()
  const old = await End.open(node)
  await old.hear(0, 2)
  await old.effect({ what: 'edit', target: target(0), content: { type: 'text', text: 'first' } }, false, FIRST + 1e6)
  await old.effect({ what: 'react', target: target(1), emoji: ['👍'] }, false, FIRST + 1e6)
  await old.write()
  const other = await End.open(node, old)
  await other.hear(0, 2)
  await other.effect({ what: 'edit', target: target(0), content: { type: 'text', text: 'second' } }, false, FIRST + 2e6)
  await other.effect({ what: 'react', target: target(1), emoji: [] }, false, FIRST + 2e6)
  await other.read()
  const [first, second] = await other.messages()
  expect([first?.content, second?.reactions]).toEqual([{ type: 'text', text: 'second' }, {}])
})

test('what changes in the chunks of a device that is gone is said beside them', async () => {
  const node = new Node()
  const old = await End.open(node)
  await old.hear(0, 20)
  await old.write()
  const heir = await End.open(node, old)
  await heir.read()
  await heir.effect({ what: 'retract', target: target(7) })
  await heir.write()
  expect((await heir.chunks()).map((c) => [c.from, c.to, c.count])).toEqual([[0, 0, 1]])
  await heir.hear(20, 23)
  await heir.effect({ what: 'edit', target: target(8), content: { type: 'text', text: 'corrected' } })
  await heir.write()
  expect((await heir.chunks()).map((c) => c.count)).toEqual([2, 3])
  const last = await End.open(node, heir)
  await last.read()
  const all = await last.messages()
  expect([all[7]?.retracted?.by, all[8]?.content, all.length]).toEqual([her, { type: 'text', text: 'corrected' }, 23])
  expect((await last.book().complete()).at(-1)?.[1]).toBe(FIRST + 22)
})

test('a message whose place becomes known when later ones are written stands among them', async () => {
  const node = new Node()
  const old = await End.open(node)
  const late = async (n: number) => {
    await old.hear(n, n + 1)
    await change(old.db, ['kv'], (tx) => tx.objectStore('kv').put([FIRST + n], 'history changed'))
    await old.write()
  }
  for (const [from, to] of [[10, 20], [30, 32], [40, 41]] as const) {
    await old.hear(from, to)
    await old.write()
  }
  await late(35) // between two chunks
  await late(5) // before all of them
  expect((await old.chunks()).map((c) => [c.from && c.from - FIRST, c.count])).toEqual([[0, 1], [10, 10], [30, 3], [40, 1]])
  const fresh = await End.open(node, old)
  await fresh.read()
  expect(await fresh.texts()).toEqual([5, ...Array.from({ length: 10 }, (_, i) => 10 + i), 30, 31, 35, 40].map((n) => `secret ${n}`))
})

test('a server that goes away at any moment: nothing is lost, nothing retracted comes back', async () => {
  for (let puts = 0; puts < 8; puts++) {
    const node = new Node()
    const old = await End.open(node)
    await old.hear(0, 6)
    await old.write()
    node.puts = puts
    for (let n = 6; n < 9; n++) {
      await old.hear(n, n + 1)
      if (n === 7) await old.effect({ what: 'retract', target: target(2) })
      await old.write().catch(() => undefined)
    }
    node.puts = Infinity
    await old.write()
    const fresh = await End.open(node, old)
    await fresh.read()
    expect(await fresh.texts(), `${puts} puts`).toEqual(numbers(0, 9).map((text, n) => n === 2 ? '' : text))
  }
})
