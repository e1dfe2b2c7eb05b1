// What can be opened once is opened once: nothing that shows it is anywhere but where it belongs, and that it was opened is kept before it is seen.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { decryptMedia, encryptMedia, newMediaKey } from '../../../src/core/crypto/media.ts'
import { apply, freshId, type Step } from '../../../src/core/engine/apply.ts'
import { Collector, News } from '../../../src/core/engine/changes.ts'
import { readContent, writeContent } from '../../../src/core/engine/content.ts'
import { Desk } from '../../../src/core/engine/desk.ts'
import { openOnce } from '../../../src/core/engine/once.ts'
import { read } from '../../../src/core/engine/read.ts'
import type { Letter, Said } from '../../../src/core/engine/said.ts'
import { shown } from '../../../src/core/engine/views.ts'
import { write } from '../../../src/core/engine/write.ts'
import { secretAddress } from '../../../src/core/media/address.ts'
import { HttpBroken, type Http } from '../../../src/core/media/http.ts'
import type { Content, Media } from '../../../src/core/model.ts'
import { change, everything, openAccount, type Database } from '../../../src/core/store/database.ts'
import { CLIENT } from '../../../src/core/xmpp/ns.ts'
import { el } from '../../../src/core/xmpp/xml.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'
const silent = { postMessage: () => undefined, onmessage: null, close: () => undefined }
const plain = new TextEncoder().encode('a picture that nobody shall see twice')

let db: Database
let news: News
let file: Media
let bytes: Blob

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  db = await openAccount(ME)
  news = new News(ME, silent)
  const secret = newMediaKey()
  bytes = await encryptMedia(new Blob([plain]), secret)
  file = { key: 'u https://example.org/f/1', name: 'holiday.webp', mime: 'image/webp', size: plain.length, width: 4, height: 3, url: secretAddress('https://example.org/f/1', secret), thumbhash: 'AAAA', poster: 'data:image/webp;base64,AAAA' }
})

const once = (): Extract<Content, { type: 'once' }> => ({ type: 'once', as: 'image', file: { ...file } })

async function take(says: Said[], facts: Partial<Letter> = {}): Promise<void> {
  const letter: Letter = { chat: HER, from: HER, own: false, ids: [freshId()], time: 1000, live: true, wantsReceipt: false, wantsMarker: false, protection: 'omemo', says, ...facts }
  await change(db, everything, (tx) => apply({ tx, account: ME, now: 2000, changes: new Collector() } satisfies Step, letter))
}

const http = (get: Http['get'] = () => Promise.resolve(bytes)): Http => ({ get, put: () => Promise.reject(new Error('no')) })
const opening = (way = http()) => ({
  db, news, http: way, now: () => 3000,
  crypto: { decryptMedia: async (blob: Blob, key: Parameters<typeof decryptMedia>[1], mime: string) => ({ ok: true as const, value: new Blob([await (await decryptMedia(blob, key, mime)).arrayBuffer()], { type: mime }) }) },
})

async function kept() {
  const [message] = await db.getAll('messages')
  if (!message) throw new Error('no message')
  return message
}

test('on the wire nothing of it stands where an app looks that does not know it', () => {
  const { body, elements } = writeContent(once())
  expect(body).toMatch(/^This is a photo that can be viewed once/)
  expect(elements.map((e) => e.name)).toEqual(['view-once'])
  const text = String(elements[0])
  for (const secret of ['holiday', 'AAAA']) expect(text).not.toContain(secret)
  const message = el(CLIENT, 'message', {}, ...elements)
  const back = readContent(body, message)
  expect(back).toMatchObject({ type: 'once', as: 'image', file: { url: file.url, mime: 'image/webp', size: plain.length } })
  // Who cannot have the file has the words alone.
  expect(readContent(body, el(CLIENT, 'message'))).toEqual({ type: 'text', text: body })
})

test('a file that is not encrypted, or no picture, cannot be opened once', () => {
  const { elements } = writeContent({ ...once(), file: { ...file, url: 'https://example.org/f/1' } })
  expect(readContent('', el(CLIENT, 'message', {}, ...elements))).toEqual({ type: 'once', as: 'image' })
  const other = writeContent({ ...once(), file: { ...file, mime: 'application/pdf' } }).elements
  expect(readContent('', el(CLIENT, 'message', {}, ...other))).toEqual({ type: 'once', as: 'image' })
})

test('it is opened once: noted, its key gone and its sender told before it is given', async () => {
  await take([{ what: 'content', content: once() }], { ids: ['the-id-of-her-message'] })
  const message = await kept()
  expect(message.shelves).toEqual([])
  expect(JSON.stringify(shown(message))).not.toContain('aesgcm')
  const blob = await openOnce(opening(), message.id)
  expect(new Uint8Array(await blob.arrayBuffer())).toEqual(plain)
  expect((await kept()).content).toEqual({ type: 'once', as: 'image', opened: 3000 })
  expect(await db.getAllKeys('blobs')).toEqual([])
  const [errand] = await db.getAll('outbox')
  expect(errand?.task).toEqual({ what: 'opened', target: 'the-id-of-her-message' })
  const out = write(errand!.task, { id: 'x', account: ME, message })
  expect(out).toMatchObject({ body: '', secrecy: 'encrypt' })
  await expect(openOnce(opening(), message.id)).rejects.toMatchObject({ name: 'NotHere' })
})

test('two at the same time: one of them sees it', async () => {
  await take([{ what: 'content', content: once() }])
  const { id } = await kept()
  const results = await Promise.allSettled([openOnce(opening(), id), openOnce(opening(), id)])
  expect(results.map((r) => r.status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(await db.count('outbox')).toBe(1)
})

test('what could not be fetched was not opened', async () => {
  await take([{ what: 'content', content: once() }])
  const { id } = await kept()
  await expect(openOnce(opening(http(() => Promise.reject(new HttpBroken('away')))), id)).rejects.toThrow('away')
  expect((await kept()).content).toMatchObject({ file: { url: file.url } })
  expect(await db.count('outbox')).toBe(0)
})

test('another device of ours opened it, before or after it came here', async () => {
  await take([{ what: 'content', content: once() }], { ids: ['one-that-came-first'] })
  await take([{ what: 'opened', target: 'one-that-came-first' }], { from: ME, own: true, time: 1500 })
  expect((await kept()).content).toEqual({ type: 'once', as: 'image', opened: 1500 })
  await take([{ what: 'opened', target: 'one-that-comes-later' }], { from: ME, own: true, time: 1600 })
  await take([{ what: 'content', content: once() }], { ids: ['one-that-comes-later'], time: 1400 })
  for (const message of await db.getAll('messages')) expect(message.content).not.toHaveProperty('file')
})

test('our own, from another device, has nothing to open; she opened it is told', async () => {
  await take([{ what: 'content', content: once() }], { from: ME, own: true, ids: ['ours-from-the-phone'] })
  expect((await kept()).content).toEqual({ type: 'once', as: 'image' })
  await take([{ what: 'opened', target: 'ours-from-the-phone' }], { time: 1700 })
  expect((await kept()).receipts).toEqual({ [HER]: { played: 1700 } })
})

test('it is read from the wire', () => {
  const out = write({ what: 'opened', target: 'abc' }, { id: 'x', account: ME })
  expect(read({ outer: el(CLIENT, 'message'), content: el(CLIENT, 'content', {}, ...out!.inner), encrypted: true })).toEqual([{ what: 'opened', target: 'abc' }])
})

test('ours is sent so only where it is encrypted, is passed on to nobody, and is not here when it has left', async () => {
  const desk = new Desk(db, ME, news)
  const out = { file: { blob: new Blob([plain], { type: 'image/webp' }), name: 'a.webp', mime: 'image/webp', as: 'image' as const, once: true } }
  await expect(desk.send(HER, { file: { ...out.file, as: 'file' } })).rejects.toMatchObject({ name: 'Unusable' })
  const message = await desk.send(HER, out)
  await expect(desk.send('nurse@example.org', { forwardOf: message.id })).rejects.toMatchObject({ name: 'Unusable' })
  await desk.uploaded(message.id, file.url ?? '')
  await take([{ what: 'content', content: once() }], { from: ME, own: true, ids: [message.id], archived: '1700000000000001' })
  expect((await kept()).content).toEqual({ type: 'once', as: 'image' })
  expect(await db.count('blobs')).toBe(0)
  await desk.setChat(HER, { protection: 'none' })
  await expect(desk.send(HER, out)).rejects.toMatchObject({ name: 'Unusable' })
})
