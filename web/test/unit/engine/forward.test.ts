// Passing a message on: it is a message of its own, and its file too, whatever becomes of the first.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { Desk } from '../../../src/core/engine/desk.ts'
import { change, openAccount, type Database } from '../../../src/core/store/database.ts'

const ME = 'romeo@example.org', HER = 'juliet@example.org', NURSE = 'nurse@example.org'
let db: Database
let desk: Desk

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  db = await openAccount(ME)
  desk = new Desk(db, ME, new News(ME, { postMessage: () => undefined, onmessage: null, close: () => undefined }))
})

const sendFile = () => desk.send(HER, { file: { blob: new Blob(['a rose']), name: 'rose.txt', mime: 'text/plain', as: 'file' } })
const keyOf = async (id: string) => {
  const content = (await db.get('messages', id))?.content
  return content && 'media' in content ? content.media.key : ''
}

test('a file that still waits for the server is there for the one it was passed on to when the first is deleted', async () => {
  const first = await sendFile()
  const second = await desk.send(NURSE, { forwardOf: first.id })
  expect(await keyOf(second.id)).not.toBe(await keyOf(first.id))
  expect(second.forwarded).toBe(1)
  await desk.remove([first.id], true)
  expect(await (await db.get('blobs', await keyOf(second.id)))?.text()).toBe('a rose')
  expect(await db.get('files', await keyOf(second.id))).toMatchObject({ only: true, chat: NURSE })
})

test('a file that is on the server is passed on by its address', async () => {
  const first = await sendFile()
  await desk.uploaded(first.id, 'aesgcm://files.example.org/x#00')
  const second = await desk.send(NURSE, { forwardOf: first.id })
  expect(second.content).toMatchObject({ media: { url: 'aesgcm://files.example.org/x#00' } })
  expect(await db.count('blobs')).toBe(1)
})

test('a file that is nowhere is not passed on', async () => {
  const first = await sendFile()
  await change(db, ['blobs'], (tx) => tx.objectStore('blobs').clear())
  await expect(desk.send(NURSE, { forwardOf: first.id })).rejects.toThrow('not here')
  expect(await db.count('messages')).toBe(1)
})

test('what was deleted meanwhile is not passed on', async () => {
  const first = await desk.send(HER, { text: 'But soft' })
  await desk.remove([first.id], false)
  await expect(desk.send(NURSE, { forwardOf: first.id })).rejects.toThrow()
})
