// A place that is followed: one message, corrected while it lasts, ended by time or by hand, encrypted as any other, and a place for apps that know nothing of it.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { metres } from '../../../src/core/distance.ts'
import { readContent, writeContent } from '../../../src/core/engine/content.ts'
import { News } from '../../../src/core/engine/changes.ts'
import { Desk } from '../../../src/core/engine/desk.ts'
import { move } from '../../../src/core/engine/live.ts'
import { write } from '../../../src/core/engine/write.ts'
import { CORRECT, IDS } from '../../../src/core/xmpp/ns.ts'
import { el, parse } from '../../../src/core/xmpp/xml.ts'
import { change, openAccount, type Database } from '../../../src/core/store/database.ts'
import { MAX_LIVE } from '../../../src/core/model.ts'

const ME = 'romeo@example.org', HER = 'juliet@example.org'
const news = new News(ME, { postMessage: () => undefined, onmessage: null, close: () => undefined })
let db: Database
let desk: Desk

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  db = await openAccount(ME)
  desk = new Desk(db, ME, news)
})

const send = (live?: number) => desk.send(HER, { content: { type: 'location', latitude: 1, longitude: 2 }, ...(live ? { live } : {}) })
const kept = async (id: string) => {
  const content = (await db.get('messages', id))?.content
  if (content?.type !== 'location') throw new Error('no place')
  return content
}
const places = async () => (await db.getAll('outbox')).flatMap((e) => e.task.what === 'place' ? [e.task.place] : [])

test('it lasts as long as was chosen, and never for ever', async () => {
  const message = await send(900)
  expect((await kept(message.id)).liveUntil).toBe(message.time + 900e6)
  const long = await send(1e9)
  expect((await kept(long.id)).liveUntil).toBe(long.time + MAX_LIVE * 1e6)
  expect((await kept((await send()).id)).liveUntil).toBeUndefined()
})

test('of places that wait the last one leaves, and the message is the same', async () => {
  const { id } = await send(900)
  for (let n = 1; n <= 3; n++) expect(await move(db, news, id, { latitude: n, longitude: n })).toBe(true)
  expect(await kept(id)).toMatchObject({ latitude: 3, longitude: 3 })
  expect(await places()).toMatchObject([{ latitude: 3 }])
  expect(await db.count('messages')).toBe(1)
})

test('ended it is over for both, and does not go on', async () => {
  const { id } = await send(900)
  await move(db, news, id)
  const [place] = await places()
  const now = await db.get('messages', id)
  expect(place?.liveUntil).toBe(now?.edited)
  expect(await move(db, news, id, { latitude: 9, longitude: 9 })).toBe(false)
  expect((await kept(id)).latitude).toBe(1)
})

test('when its time is over nothing is told any more', async () => {
  const { id } = await send(900)
  await change(db, ['messages'], async (tx) => {
    const message = await tx.objectStore('messages').get(id)
    if (message?.content.type === 'location') await tx.objectStore('messages').put({ ...message, content: { ...message.content, liveUntil: 1 } })
  })
  expect(await move(db, news, id, { latitude: 9, longitude: 9 })).toBe(false)
  expect(await places()).toEqual([])
})

test('what is no place of ours that is followed cannot be moved', async () => {
  const plain = await send()
  const deleted = await send(900)
  await desk.remove([deleted.id], false)
  for (const id of [plain.id, deleted.id, 'nothing']) await expect(move(db, news, id, { latitude: 9, longitude: 9 })).rejects.toMatchObject({ name: 'NotFollowed' })
})

test('passed on it stays where it is', async () => {
  const { id } = await send(900)
  const copy = await desk.send('nurse@example.org', { forwardOf: id })
  expect((await kept(copy.id)).liveUntil).toBeUndefined()
})

test('it is a correction of the place, encrypted, whose body every app understands', async () => {
  const { id } = await send(900)
  await move(db, news, id, { latitude: 4, longitude: 5, accuracy: 6 })
  const errand = (await db.getAll('outbox')).find((e) => e.task.what === 'place')
  const message = await db.get('messages', id)
  const out = errand && write(errand.task, { id: errand.id, message, account: ME })
  expect(out).toMatchObject({ body: 'geo:4.000000,5.000000;u=6', secrecy: 'encrypt' })
  expect(out?.outer.map((e) => e.ns)).toEqual(expect.arrayContaining([CORRECT, IDS]))
  expect(out?.outer.map(String).join('')).not.toContain('live')
  const read = readContent(out?.body, el('x', 'x', {}, ...(out?.inner ?? [])))
  expect(read).toMatchObject({ type: 'location', latitude: 4, longitude: 5, accuracy: 6, liveUntil: message?.content.type === 'location' ? message.content.liveUntil : 0 })
})

test('what somebody says about how long is bounded', () => {
  const until = (text: string) => readContent('geo:1,2', parse(`<x xmlns='x'><live xmlns='urn:palabre:live:0' until='${text}'/></x>`) ?? el('x', 'x'))
  expect(until('soon')).toEqual({ type: 'location', latitude: 1, longitude: 2 })
  const far = until('2999-01-01T00:00:00Z')
  expect(far?.type === 'location' && (far.liveUntil ?? 0) <= (Date.now() / 1000 + MAX_LIVE + 1) * 1e6).toBe(true)
  expect(writeContent({ type: 'location', latitude: 1, longitude: 2 }).elements.map(String).join('')).not.toContain('live')
})

test('ways are measured well enough, also across the date line', () => {
  expect(metres({ latitude: 0, longitude: 0 }, { latitude: 0, longitude: 1 })).toBeCloseTo(111_320, -2)
  expect(metres({ latitude: 60, longitude: 179.9999 }, { latitude: 60, longitude: -179.9999 })).toBeLessThan(12)
})
