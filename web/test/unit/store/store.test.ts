// The store: words in any script, room, files, accounts.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { Accounts } from '../../../src/core/store/accounts.ts'
import { change, databaseName, everything, look, openAccount, StorageFull, type Database, type KeptMessage } from '../../../src/core/store/database.ts'
import { keepFile, makeRoom, measure } from '../../../src/core/store/files.ts'
import { take, wait } from '../../../src/core/store/later.ts'
import { onShelf, put, shelvesOf } from '../../../src/core/store/messages.ts'
import { add, MAX_ERRANDS, OutboxFull } from '../../../src/core/store/outbox.ts'
import { cut, find, fold, wordsOf } from '../../../src/core/store/words.ts'

let db: Database
beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  db = await openAccount('romeo@example.org')
})

let last = 0
const keep = (text: string, more: Partial<KeptMessage> = {}) => change(db, everything, async (tx) => {
  const order = ++last
  const message: KeptMessage = {
    id: `id${order}`, chat: 'a@example.org', order, time: order, from: 'a@example.org', own: false, content: { type: 'text', text }, names: [`n${order}`], shelves: [], protection: 'omemo', ...more,
  }
  await put(tx, message, true)
  return message
})
const hits = async (words: string, within?: Parameters<typeof find>[2]) => (await find(look(db), words, within)).map((h) => (h.message.content as { text: string }).text)

test.each([
  ['Été à la mosquée', 'mosquee', 'Été à la mosquée'],
  ['Été à la mosquée', 'ETE', 'Été à la mosquée'],
  ['मैं कल बाज़ार जाऊँगा', 'बाज़ार', 'मैं कल बाज़ार जाऊँगा'],
  ['السَّلامُ عليكم', 'السلام', 'السَّلامُ عليكم'],
  ['نلتقي أمام المسجد', 'امام', 'نلتقي أمام المسجد'],
  ['我们明天在市场见面', '市场', '我们明天在市场见面'],
  ['เจอกันพรุ่งนี้', 'พรุ่งนี้', 'เจอกันพรุ่งนี้'],
  ['Привет, как дела', 'прив', 'Привет, как дела'],
])('words of "%s" are found by %s', async (text, words, found) => {
  await keep(text)
  await keep('something else entirely')
  expect(await hits(words)).toEqual([found])
})

test('all words are wanted, beginnings are enough, and marks say where', async () => {
  await keep('bread and dates at the market')
  await keep('bread at home')
  expect(await hits('mark bre')).toEqual(['bread and dates at the market'])
  const [hit] = await find(look(db), 'mark bre')
  expect(hit?.marks.map(([from, to]) => 'bread and dates at the market'.slice(from, to))).toEqual(['bread', 'market'])
  expect(await hits('')).toEqual([])
  expect(await hits('…!?')).toEqual([])
})

test('without words all of a kind are found, across chats and in one, newest first', async () => {
  const media = { key: 'k', name: 'a song.mp3', mime: 'audio/mpeg', size: 1 }
  await keep('see https://example.org/a')
  await keep('no link here')
  await keep('', { content: { type: 'image', media } })
  await keep('', { content: { type: 'image', media }, retracted: { by: 'a@example.org', time: 1 } })
  await keep('', { content: { type: 'image', media }, chat: 'b@example.org' })
  await keep('', { content: { type: 'audio', media } })
  const found = async (...asked: [string, Parameters<typeof find>[2]]) => (await find(look(db), ...asked)).map((h) => `${h.message.chat[0]} ${h.message.content.type}`)
  expect(await found('', { kind: 'image' })).toEqual(['b image', 'a image'])
  expect(await found(' ', { kind: 'image', chat: 'a@example.org' })).toEqual(['a image'])
  expect(await found('', { kind: 'link' })).toEqual(['a text'])
  expect(await found('song', { kind: 'audio' })).toEqual(['a audio'])
  expect(await found('', {})).toEqual([])
})

test('of words that are everywhere the newest messages are found, and of two the rarer one leads', async () => {
  await change(db, everything, async (tx) => {
    for (let i = 1; i <= 3100; i++) {
      // Ids that say nothing about the time, as those that are made here.
      await put(tx, { id: String((i * 7919) % 100_003), chat: i % 2 ? 'a@example.org' : 'b@example.org', order: i, time: i, from: 'a@example.org', own: false, content: { type: 'text', text: i === 7 ? 'salaam market' : 'salaam' },
        names: [`w${i}`], shelves: [], protection: 'omemo' }, true)
    }
  })
  const orders = async (words: string, within?: Parameters<typeof find>[2]) => (await find(look(db), words, within, 3)).map((h) => h.message.order)
  expect(await orders('salaam')).toEqual([3100, 3099, 3098])
  expect(await orders('sal', { chat: 'a@example.org' })).toEqual([3099, 3097, 3095])
  expect(await orders('salaam market')).toEqual([7])
})

/** Stores that later versions have added. */
const later = ['members', 'statuses', 'statusViews', 'channels', 'posts', 'publishing', 'acts', 'stays', 'pay']

test('a database of the version before gets what a search needs', async () => {
  const jid = 'old@example.org'
  await new Promise<void>((done) => {
    const opening = indexedDB.open(databaseName(jid), 1)
    opening.onupgradeneeded = () => {
      for (const name of everything.filter((one) => !later.includes(one))) opening.result.createObjectStore(name, name === 'messages' ? { keyPath: 'id' } : undefined)
      opening.transaction?.objectStore('messages').put({ id: 'x', chat: 'a@example.org', order: 5, content: { type: 'voice', media: { key: 'k', name: '', mime: '', size: 1 } }, shelves: [] })
    }
    opening.onsuccess = () => { opening.result.close(); done() }
  })
  const old = await openAccount(jid)
  expect((await find(look(old), '', { kind: 'voice' })).map((h) => h.message.id)).toEqual(['x'])
  old.close()
})

test('without a segmenter words are cut by letters, and signs one by one', () => {
  expect(cut('Été, 2026: 市场', false).map((p) => p.word)).toEqual(['ete', '2026', '市', '场'])
  expect(fold('ÉTÉ')).toBe('ete')
  expect(wordsOf('a a A').length).toBe(1)
})

test('what is changed or retracted is not found by its old words', async () => {
  const m = await keep('old words')
  await change(db, everything, (tx) => put(tx, { ...m, content: { type: 'text', text: 'new' } }, true))
  expect(await hits('old')).toEqual([])
  await change(db, everything, (tx) => put(tx, { ...m, retracted: { by: m.from, time: 1 } }, true))
  expect(await hits('new')).toEqual([])
  expect(await db.count('words')).toBe(0)
})

test('a search within a chat or a kind leaves the others out', async () => {
  await keep('the link https://example.org/x here')
  await keep('no link here', { chat: 'b@example.org' })
  expect(await hits('here', { chat: 'b@example.org' })).toEqual(['no link here'])
  expect(await hits('here', { kind: 'link' })).toEqual(['the link https://example.org/x here'])
})

test('shelves hold what belongs on them', async () => {
  const media = { key: 'k', name: 'x', mime: 'image/webp', size: 1 }
  const m = await keep('', { content: { type: 'image', media } })
  expect((await onShelf(look(db), 'a@example.org', 'media', Infinity, 10)).map((x) => x.id)).toEqual([m.id])
  expect(shelvesOf({ ...m, retracted: { by: 'x', time: 1 } })).toEqual([])
})

test('a step that fails keeps nothing of it', async () => {
  await expect(change(db, everything, async (tx) => {
    await tx.objectStore('kv').put('x', 'roster')
    throw new Error('no')
  })).rejects.toThrow('no')
  expect(await db.get('kv', 'roster')).toBeUndefined()
})

test('no room is told as such, and nothing that was kept is gone', async () => {
  await keep('kept before')
  await expect(change(db, everything, async (tx) => {
    await tx.objectStore('kv').put('x', 'roster')
    throw new DOMException('full', 'QuotaExceededError')
  })).rejects.toBeInstanceOf(StorageFull)
  expect(await hits('kept')).toEqual(['kept before'])
})

test('a full outbox refuses, and keeps what it has', async () => {
  await change(db, everything, async (tx) => {
    for (let i = 0; i < MAX_ERRANDS; i++) await tx.objectStore('outbox').add({ chat: 'a', id: `${i}`, message: '', task: { what: 'message' }, state: 'new', since: 1 } as never)
  })
  await expect(change(db, everything, (tx) => add(tx, { chat: 'a', id: 'x', message: '', task: { what: 'message' }, since: 1 }))).rejects.toBeInstanceOf(OutboxFull)
  expect(await db.count('outbox')).toBe(MAX_ERRANDS)
})

test('what waits for a message is taken once, in the order of its time', async () => {
  await change(db, everything, async (tx) => {
    await wait(tx, 'n', 'second', 2)
    await wait(tx, 'n', 'first', 1)
    await wait(tx, 'other', 'x', 1)
  })
  expect(await change(db, everything, (tx) => take(tx, ['n']))).toEqual(['first', 'second'])
  expect(await change(db, everything, (tx) => take(tx, ['n']))).toEqual([])
})

test('what can be fetched again makes room, the longest unused first; what cannot stays', async () => {
  await change(db, everything, async (tx) => {
    for (let i = 0; i < 4; i++) await keepFile(tx, { key: `k${i}`, only: i === 0, used: i, chat: 'a' }, new Blob([new Uint8Array(100)]))
  })
  expect(await change(db, everything, (tx) => makeRoom(tx, 250))).toBe(200)
  expect((await db.getAllKeys('blobs')).sort()).toEqual(['k0', 'k3'])
  expect(await measure(db, undefined)).toMatchObject({ files: 2, bytes: 200, chats: { a: { files: 2, bytes: 200 } } })
})

test('accounts of a device: the last used first; adding again finds what was kept', async () => {
  const accounts = await Accounts.open()
  const first = await accounts.add('a@example.org', 1)
  await accounts.add('b@example.org', 2)
  await accounts.change('a@example.org', { token: { mechanism: 'HT-SHA-256-NONE', secret: 's' } })
  expect((await accounts.all()).map((a) => a.jid)).toEqual(['b@example.org', 'a@example.org'])
  expect(await accounts.add('a@example.org', 3)).toMatchObject({ agent: first.agent, token: { secret: 's' } })
  await accounts.remove('a@example.org')
  expect((await accounts.all()).map((a) => a.jid)).toEqual(['b@example.org'])
  accounts.close()
})
