import { expect, test } from 'vitest'
import { Book, type Entry, type Shelf } from '../../../src/core/crypto/book.ts'
import type { Device } from '../../../src/core/crypto/device.ts'
import { answer } from '../../../src/core/crypto/failure.ts'
import { adoptKept, historyState, loadKept, newHistoryKey, openChunk, openIndex, sealChunk, sealIndex } from '../../../src/core/crypto/history.ts'
import { newRecovery, recover, wrap } from '../../../src/core/crypto/recovery.ts'
import type { Bytes } from '../../../src/core/crypto/types.ts'
import { codeOf, newDevice } from './support.ts'

class Node implements Shelf {
  readonly items = new Map<string, Bytes>()
  /** How many more puts work. */
  puts = Infinity

  get(ids: string[]): Promise<Map<string, Bytes>> {
    expect(ids.length).toBeLessThanOrEqual(5)
    return Promise.resolve(new Map([...this.items].filter(([id]) => ids.includes(id))))
  }

  put(id: string, data: Bytes): Promise<void> {
    if (this.puts-- <= 0) return Promise.reject(new Error('the server is gone'))
    this.items.set(id, data)
    return Promise.resolve()
  }

  remove(id: string): Promise<void> {
    this.items.delete(id)
    return Promise.resolve()
  }
}

function bookOf(d: Device, node: Node): Book {
  return new Book({
    historyState: () => answer(() => historyState(d)), newHistoryKey: () => answer(() => newHistoryKey(d)), shareHistory: () => answer(() => null),
    sealChunk: (...args) => answer(() => sealChunk(d, ...args)), openChunk: (...args) => answer(() => openChunk(d, ...args)),
    sealIndex: (index) => answer(() => sealIndex(d, index)), openIndex: (...args) => answer(() => openIndex(d, ...args)),
    newRecovery: () => answer(() => newRecovery(d)), wrapRecovery: () => answer(() => wrap(d)), recover: (...args) => answer(() => recover(d, ...args)),
  }, d.id, node)
}

const entries = (from: number, to: number): Entry[] => Array.from({ length: to - from }, (_, i) => ({ id: from + i, line: JSON.stringify({ id: from + i }) }))

async function allOf(book: Book, known: (hash: string) => boolean = () => false) {
  const ids: number[] = []
  const hashes: string[] = []
  const gaps = await book.read({
    wants: ({ hash }) => !known(hash),
    take: async (lines, hash) => {
      hashes.push(hash)
      ids.push(...lines.map((line) => (JSON.parse(line) as { id: number }).id))
    },
  })
  return { ids: ids.sort((a, b) => a - b), hashes, gaps }
}

const jid = 'romeo@example.org'
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

test('a device writes, another reads once it has the key', async () => {
  const node = new Node()
  const [old, fresh] = [await newDevice(jid), await newDevice(jid)]
  const [a, b] = [bookOf(old, node), bookOf(fresh, node)]
  expect(await a.state()).toBe('none')
  await a.write(entries(100, 110), [1, 109])
  await a.write(entries(110, 120), [110, 119])
  expect([await a.state(), await b.state()]).toEqual(['open', 'locked'])
  expect(await codeOf(() => b.write(entries(1, 2), [1, 1]))).toBe('no-session')
  expect((await allOf(b)).gaps).toEqual({ missing: 0, refused: ['no-session'] })
  await adoptKept(fresh, await loadKept(old), true)
  const read = await allOf(b)
  expect([read.ids, read.gaps]).toEqual([range(100, 120), { missing: 0, refused: [] }])
  expect(await b.complete()).toEqual([[1, 119]])
  await b.write(entries(120, 125), [120, 124])
  expect((await allOf(a)).ids).toEqual(range(100, 125))
  expect((await allOf(a, (hash) => read.hashes.includes(hash))).ids).toEqual(range(120, 125))
})

test('a server that goes away at any moment loses and doubles nothing', async () => {
  for (let puts = 0; puts < 4; puts++) {
    const node = new Node()
    const d = await newDevice(jid)
    await bookOf(d, node).write(entries(0, 5), [0, 4])
    node.puts = puts
    await bookOf(d, node).write(entries(5, 9), [5, 8]).catch(() => undefined)
    node.puts = Infinity
    const again = bookOf(d, node) // the tab was opened anew
    await again.write(entries(5, 9), [5, 8])
    const { ids, gaps } = await allOf(again)
    expect([[...new Set(ids)], gaps.refused, gaps.missing], `${puts} puts`).toEqual([range(0, 9), [], 0])
    expect(await again.complete()).toEqual([[0, 8]])
  }
})

test('what the server loses, changes or turns back is noticed', async () => {
  const node = new Node()
  const d = await newDevice(jid)
  const book = bookOf(d, node)
  await book.write(entries(0, 5), [0, 4])
  const before = new Map(node.items)
  await book.write(entries(5, 9), [5, 8])
  node.items.delete(`${d.id}-1`)
  expect((await allOf(book)).gaps.missing).toBe(1)
  const second = node.items.get(`${d.id}-2`)
  if (second) node.items.set(`${d.id}-1`, second)
  expect((await allOf(book)).gaps.refused).toEqual(['decrypt'])
  const index = before.get(`index-${d.id}`)
  if (index) node.items.set(`index-${d.id}`, index)
  expect((await allOf(book)).gaps.refused).toEqual(['duplicate'])
})

test('chunks are replaced by others, in their place; what is replaced is removed last', async () => {
  const node = new Node()
  const d = await newDevice(jid)
  const book = bookOf(d, node)
  for (const [from, to] of [[0, 5], [5, 9], [9, 12]] as const) await book.write(entries(from, to), [from, to - 1])
  let kept: number[] = []
  await book.write(entries(0, 9).filter((e) => e.id !== 3), undefined, [1, 2], async ({ chunks }) => {
    kept = chunks.map((c) => c.number)
    expect(node.items.has(`${d.id}-1`)).toBe(true)
  })
  expect(kept).toEqual([4, 3])
  const left = [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11]
  expect((await allOf(book)).ids).toEqual(left)
  expect([...node.items.keys()].sort()).toEqual([`${d.id}-3`, `${d.id}-4`, `index-${d.id}`, 'writers'].sort())
  expect(await book.complete()).toEqual([[0, 11]])
  for (const puts of [0, 1]) {
    node.puts = puts
    await expect(book.write(entries(9, 11), undefined, [3])).rejects.toThrow('gone')
    node.puts = Infinity
    expect((await allOf(bookOf(d, node))).ids).toEqual(left) // as before
  }
  await book.write([], undefined, [3])
  expect((await allOf(bookOf(d, node))).ids).toEqual(left.slice(0, 8))
  await book.write([], undefined, [4])
  expect([(await allOf(book)).ids, node.items.size]).toEqual([[], 3]) // and one that no index names: written when the server went away
  await book.write(entries(20, 22), [20, 21])
  expect((await allOf(bookOf(d, node))).ids).toEqual([20, 21])
})

test('the recovery code, also after a new key', async () => {
  const node = new Node()
  const old = await newDevice(jid)
  const a = bookOf(old, node)
  await a.write(entries(0, 5), [0, 4])
  const code = await a.newRecovery()
  await a.renew()
  await a.write(entries(5, 9), [5, 8])
  const fresh = await newDevice(jid)
  const b = bookOf(fresh, node)
  expect(await b.state()).toBe('locked')
  expect(await codeOf(() => b.newRecovery())).toBe('no-session')
  await b.recover(code)
  expect((await allOf(b)).ids).toEqual(range(0, 9))
  await b.remove()
  expect(node.items.size).toBe(0)
})
