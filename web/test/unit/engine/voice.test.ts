// What was said into the microphone is kept piece by piece, comes back whole, and leaves once.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { Desk } from '../../../src/core/engine/desk.ts'
import { OtherVoice, VoiceDrafts } from '../../../src/core/engine/voice.ts'
import { openAccount, StorageFull, type Database } from '../../../src/core/store/database.ts'
import { MAX_KEPT, MAX_PIECES, MAX_SOUND } from '../../../src/core/store/voice.ts'
import { mortal, Scythe } from './device.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'
const silent = { postMessage: () => undefined, onmessage: null, close: () => undefined }

beforeEach(() => { globalThis.indexedDB = new IDBFactory() })

const piece = (n: number, text = `<${n}>`) => ({ n, mime: 'audio/mp4', sound: new TextEncoder().encode(text).buffer, seconds: n + 1, levels: [n / 10, 0.5] })

async function tab(scythe = new Scythe()) {
  const db: Database = mortal(await openAccount(ME), scythe)
  const news = new News(ME, silent)
  return { db, voice: new VoiceDrafts(db, ME, news), desk: new Desk(db, ME, news), chat: () => db.get('chats', HER) }
}

const text = async (draft: { blob: Blob } | undefined) => draft && new TextDecoder().decode(await draft.blob.arrayBuffer())
const voiceRows = (db: Database) => db.getAllKeys('kv', IDBKeyRange.bound('voice ', 'voice \uffff'))

test('the tab is gone in the middle: the next one has all pieces, in order, and the list shows the draft', async () => {
  const first = await tab()
  for (let n = 0; n < 12; n++) await first.voice.keep(HER, 'a', piece(n))
  first.db.close()
  const second = await tab()
  expect((await second.chat())?.voice?.id).toBe('a')
  const draft = await second.voice.read(HER)
  expect(await text(draft)).toBe('<0><1><2><3><4><5><6><7><8><9><10><11>')
  expect(draft).toMatchObject({ id: 'a', seconds: 12 })
  expect(draft?.blob.type).toBe('audio/mp4')
  expect(draft?.levels.length).toBe(24)
  second.db.close()
})

test('what comes after a lost piece is not played as if nothing were missing', async () => {
  const { db, voice } = await tab()
  for (const n of [0, 1, 3]) await voice.keep(HER, 'a', piece(n))
  expect(await text(await voice.read(HER))).toBe('<0><1>')
  db.close()
})

test('sending takes the draft away in the same step, and a second time nothing is sent', async () => {
  const { db, voice, desk, chat } = await tab()
  for (let n = 0; n < 3; n++) await voice.keep(HER, 'a', piece(n))
  const send = () => desk.send(HER, { file: { blob: new Blob(['sound']), name: 'voice.m4a', mime: 'audio/mp4', as: 'voice' }, voice: 'a' })
  await send()
  expect((await chat())?.voice).toBeUndefined()
  expect(await voiceRows(db)).toEqual([])
  await expect(send()).rejects.toThrow('the voice draft is gone')
  expect((await db.getAll('messages')).length).toBe(1)
  expect((await db.getAll('outbox')).length).toBe(1)
  db.close()
})

test('killed between any two steps of recording and sending: there is the draft or the message, never both, never neither', async () => {
  for (let after = 1; ; after++) {
    globalThis.indexedDB = new IDBFactory()
    const scythe = new Scythe(after)
    const first = await tab(scythe)
    const work = (async () => {
      for (let n = 0; n < 3; n++) await first.voice.keep(HER, 'a', piece(n))
      await first.desk.send(HER, { file: { blob: new Blob(['sound']), name: 'voice.m4a', mime: 'audio/mp4', as: 'voice' }, voice: 'a' })
    })()
    await Promise.race([work.catch(() => undefined), scythe.fell])
    const through = !scythe.fallen
    first.db.close()
    const second = await tab()
    const [draft, messages] = [await second.voice.read(HER), await second.db.count('messages')]
    expect(Number(!!draft) + messages, `after ${after} steps`).toBe(1)
    second.db.close()
    if (!through) continue
    expect(after).toBeGreaterThan(3)
    return
  }
})

test('a chat has one voice draft; a text draft and other messages leave it alone', async () => {
  const { db, voice, desk, chat } = await tab()
  await voice.keep(HER, 'a', piece(0))
  await expect(voice.keep(HER, 'b', piece(0))).rejects.toThrow(OtherVoice)
  await desk.setDraft(HER, { text: 'but soft', time: 1 })
  await desk.send(HER, { text: 'what light' })
  expect((await chat())?.voice?.id).toBe('a')
  expect(await text(await voice.read(HER))).toBe('<0>')
  db.close()
})

test('thrown away: nothing is left, and pieces that come late are not kept', async () => {
  const { db, voice, chat } = await tab()
  await voice.keep(HER, 'a', piece(0))
  await voice.drop(HER, 'a')
  await voice.drop(HER, 'a')
  await expect(voice.keep(HER, 'a', piece(1))).rejects.toThrow(OtherVoice)
  expect((await chat())?.voice).toBeUndefined()
  expect(await voice.read(HER)).toBeUndefined()
  expect(await voiceRows(db)).toEqual([])
  db.close()
})

test('there is a limit to the pieces of one recording, to each of them, and to all', async () => {
  const { db, voice } = await tab()
  await voice.keep(HER, 'a', piece(0))
  await expect(voice.keep(HER, 'a', piece(MAX_PIECES))).rejects.toThrow(StorageFull)
  await expect(voice.keep(HER, 'a', { ...piece(1), sound: new ArrayBuffer(MAX_SOUND + 1) })).rejects.toThrow(StorageFull)
  const tx = db.transaction('kv', 'readwrite')
  for (let n = 1; n < MAX_KEPT; n++) void tx.store.put(true, `voice z ${n}`)
  await tx.done
  await expect(voice.keep(HER, 'a', piece(1))).rejects.toThrow(StorageFull)
  expect(await text(await voice.read(HER))).toBe('<0>')
  db.close()
})
