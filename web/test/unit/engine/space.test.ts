// What takes space is told as it is, and what is given back can be had again: nothing that exists only here goes.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { Desk } from '../../../src/core/engine/desk.ts'
import { free, kindOf, storageOf } from '../../../src/core/engine/space.ts'
import { change, openAccount, type Database } from '../../../src/core/store/database.ts'
import { keepFile } from '../../../src/core/store/files.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'
const HIM = 'paris@example.org'
const silent = { postMessage: () => undefined, onmessage: null, close: () => undefined }

beforeEach(() => { globalThis.indexedDB = new IDBFactory() })

const blob = (bytes: number, type: string) => new Blob(['x'.repeat(bytes)], { type })

async function device() {
  const db = await openAccount(ME)
  const desk = new Desk(db, ME, new News(ME, silent))
  const send = async (to: string, name: string, as: 'image' | 'video' | 'file' | 'voice', bytes: number, type: string, sent = true) => {
    const { id, content } = await desk.send(to, { file: { blob: blob(bytes, type), name, mime: type, as } })
    if (sent) await desk.uploaded(id, `https://example.org/${name}`)
    return { id, key: 'media' in content ? content.media.key : '' }
  }
  return { db, desk, send }
}

const keep = (db: Database, key: string, bytes: number, type: string, more: { chat?: string; only: boolean }) =>
  change(db, ['files', 'blobs'], (tx) => keepFile(tx, { key, used: 1, ...more }, blob(bytes, type)))

test('by kind, by chat, and the largest first with their messages', async () => {
  const { db, send } = await device()
  const film = await send(HER, 'film.mp4', 'video', 900, 'video/mp4')
  await send(HER, 'a.webp', 'image', 100, 'image/webp')
  await send(HIM, 'b.webp', 'image', 200, 'image/webp', false)
  await send(HIM, 'note.m4a', 'voice', 60, 'audio/mp4')
  await keep(db, 'sticker abc', 40, 'image/webp', { only: true })
  await keep(db, 'avatar abc', 30, 'image/jpeg', { only: false })
  await keep(db, 'part u x', 20, 'application/octet-stream', { chat: HER, only: false })
  const kept = await storageOf(db)
  expect(kept.kinds).toEqual([
    { kind: 'video', files: 1, bytes: 900, stays: 0 }, { kind: 'image', files: 2, bytes: 300, stays: 200 }, { kind: 'voice', files: 1, bytes: 60, stays: 0 },
    { kind: 'other', files: 2, bytes: 50, stays: 0 }, { kind: 'sticker', files: 1, bytes: 40, stays: 40 },
  ])
  expect(kept.chats.map(({ jid, bytes, media, messages }) => [jid, bytes, media, messages])).toEqual([[HER, 1020, 3, 2], [HIM, 260, 2, 2]])
  expect(kept.messages).toBe(4)
  expect(kept.largest.map(({ name, bytes, only }) => [name, bytes, only])).toEqual([['film.mp4', 900, false], ['b.webp', 200, true], ['a.webp', 100, false], ['note.m4a', 60, false]])
  expect(kept.largest[0]).toMatchObject({ key: film.key, message: film.id, chat: HER, kind: 'video' })
  db.close()
})

test.each([
  ['of a chat', { chat: HIM }, 50, ['m film', 'm a', 'm b', 'sticker abc']],
  ['of a kind', { kind: 'image' as const }, 100, ['m film', 'm b', 'm note', 'sticker abc']],
  ['of a kind that is kept by hand', { kind: 'sticker' as const }, 0, ['m film', 'm a', 'm b', 'm note', 'sticker abc']],
  ['some files', { keys: ['m film', 'm b', 'gone'] }, 900, ['m a', 'm b', 'm note', 'sticker abc']],
  ['nothing', {}, 0, ['m film', 'm a', 'm b', 'm note', 'sticker abc']],
])('given back: %s; what exists only here stays', async (_, what, bytes, left) => {
  const db = await openAccount(ME)
  await keep(db, 'm film', 900, 'video/mp4', { chat: HER, only: false })
  await keep(db, 'm a', 100, 'image/webp', { chat: HER, only: false })
  await keep(db, 'm b', 200, 'image/webp', { chat: HIM, only: true })
  await keep(db, 'm note', 50, 'audio/mp4', { chat: HIM, only: false })
  await keep(db, 'sticker abc', 40, 'image/webp', { only: true })
  expect(await free(db, what)).toBe(bytes)
  expect((await db.getAllKeys('files')).sort()).toEqual([...left].sort())
  expect((await db.getAllKeys('blobs')).sort()).toEqual([...left].sort())
  db.close()
})

test('a sticker of ours and a file that somebody sent are named as well', async () => {
  const { db, desk } = await device()
  const { id, content } = await desk.send(HER, { file: { blob: blob(80, 'image/webp'), name: 'cat.webp', mime: 'image/webp', as: 'sticker' } })
  const message = await db.get('messages', id)
  if (!message || !('media' in content)) throw new Error('it was kept')
  await db.put('messages', { ...message, id: 'hers', own: false, order: message.order + 1, names: [], shelves: [[HER, 'files', message.order + 1]], content: { type: 'file', media: { ...content.media, key: 'u x', name: 'hers.pdf' } } })
  await keep(db, 'u x', 90, 'application/pdf', { chat: HER, only: false })
  expect((await storageOf(db)).largest.map(({ name, message: of }) => [name, of])).toEqual([['hers.pdf', 'hers'], ['cat.webp', id]])
  db.close()
})

test('kinds', () => {
  for (const [key, mime, kind] of [['u x', 'image/gif', 'image'], ['u x', 'application/pdf', 'file'], ['u x', '', 'file'], ['sticker x', 'image/webp', 'sticker'], ['part u x', 'video/mp4', 'other']] as const) expect(kindOf({ key, mime })).toBe(kind)
})

test('messages stay, and a file that went can be asked for again', async () => {
  const { db, send } = await device()
  const { id, key } = await send(HER, 'a.webp', 'image', 100, 'image/webp')
  expect(await free(db, { keys: [key] })).toBe(100)
  const message = await db.get('messages', id)
  expect(message?.content).toMatchObject({ media: { url: 'https://example.org/a.webp', size: 100 } })
  expect((await storageOf(db)).largest).toEqual([])
  db.close()
})
