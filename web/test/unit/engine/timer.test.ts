// Messages that disappear (XEP-0466): not before they were read, nor before they left; and both sides keep to the same time.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Vanishing } from '../../../src/core/engine/upkeep.ts'
import { message, newID } from '../../../src/core/xmpp/stanza.ts'
import { DELAY, EPHEMERAL } from '../../../src/core/xmpp/ns.ts'
import { formatTime } from '../../../src/core/xmpp/time.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { Device } from './device.ts'
import { Server } from './town.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'
const HOUR = 3600

let device: Device
let server: Server
let vanishing: Vanishing
/** How much later it is for what takes messages away, in microseconds. */
let later = 0

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  later = 0
  server = new Server(ME)
  device = await Device.open(server)
  vanishing = new Vanishing(device.db, device.news, () => Date.now() * 1000 + later)
  await device.desk.setChat(HER, { protection: 'none' })
})
afterEach(() => {
  vanishing.end()
  device.kill()
})

const ephemeral = (timer: number) => el(EPHEMERAL, 'ephemeral', { timer })
const said = (text: string, timer: number | undefined, ago = 0) => message({ from: HER + '/phone', to: ME, id: newID() + newID() }, el('jabber:client', 'body', {}, text),
  timer !== undefined && ephemeral(timer), ago > 0 && el(DELAY, 'delay', { stamp: formatTime(Date.now() * 1000 - ago * 1e6) }))
const texts = async () => (await device.messages(HER)).flatMap((m) => m.content.type === 'text' ? [m.content.text] : [])
const lines = async () => (await device.messages(HER)).flatMap((m) => m.content.type === 'system' ? [m.content.key] : [])
/** Time goes by, and what is over has gone. */
async function pass(seconds: number): Promise<void> {
  later += seconds * 1e6
  const over = () => device.db.getAllFromIndex('messages', 'expires', IDBKeyRange.upperBound(Date.now() * 1000 + later))
  device.news.tell({ messages: new Map() } as never)
  await device.until(async () => (await over()).length === 0)
}

test('a message that comes long after it was sent is there until it was read, and then for its time', async () => {
  device.connect()
  await device.idle()
  server.arrive(said('wherefore art thou', HOUR, 3 * HOUR))
  await device.until(async () => (await texts()).length === 1)
  await pass(5 * HOUR)
  expect(await texts()).toEqual(['wherefore art thou'])
  const [got] = await device.messages(HER)
  await device.desk.read(HER, got?.order ?? 0, true)
  const at = (await device.messages(HER))[0]?.expiresAt ?? 0
  expect(Math.abs(at - (Date.now() + HOUR * 1000) * 1000)).toBeLessThan(60e6)
  later = 0
  await pass(HOUR / 2)
  expect(await texts()).toEqual(['wherefore art thou'])
  await pass(HOUR)
  expect(await texts()).toEqual([])
})

test('what waits to leave does not disappear; its time begins when it has left', async () => {
  await device.desk.setChat(HER, { expires: HOUR })
  const { id } = await device.desk.send(HER, { text: 'deny thy father' })
  await pass(5 * HOUR)
  expect(await texts()).toEqual(['deny thy father'])
  // An older version gave it a time at once.
  const kept = await device.db.get('messages', id)
  if (kept) await device.db.put('messages', { ...kept, expiresAt: 1 })
  await pass(1)
  expect(await texts()).toEqual(['deny thy father'])
  later = 0
  device.connect()
  await device.idle()
  const at = (await device.db.get('messages', id))?.expiresAt ?? 0
  expect(Math.abs(at - (Date.now() + HOUR * 1000) * 1000)).toBeLessThan(60e6)
  await pass(2 * HOUR)
  expect(await texts()).toEqual([])
  expect(server.count(id)).toBe(1)
})

test('a message keeps the time with which it was written', async () => {
  await device.desk.setChat(HER, { expires: HOUR })
  const { id } = await device.desk.send(HER, { text: 'refuse thy name' })
  await device.desk.setChat(HER, { expires: undefined })
  const session = device.connect()
  await device.idle()
  const stanza = session.sent.find((s) => s.attr('id') === id)
  expect(stanza?.child('ephemeral', EPHEMERAL)?.attr('timer')).toBe(String(HOUR))
  expect((await device.db.get('messages', id))?.expires).toBe(HOUR)
})

test('who changes the time tells the other side at once, and only the last', async () => {
  await device.desk.setChat(HER, { expires: HOUR })
  await device.desk.setChat(HER, { expires: 2 * HOUR })
  const session = device.connect()
  await device.idle()
  const told = session.sent.filter((s) => s.child('ephemeral', EPHEMERAL))
  expect(told.map((s) => [s.textOf('body'), s.child('ephemeral', EPHEMERAL)?.attr('timer')])).toEqual([[undefined, String(2 * HOUR)]])
  expect(await lines()).toEqual(['expires-own', 'expires-own'])
})

test('the time of the other side is taken over, with a line; what is older changes nothing', async () => {
  device.connect()
  await device.idle()
  const chat = () => device.db.get('chats', HER)
  server.arrive(said('a rose', 2 * HOUR))
  await device.until(async () => (await chat())?.expires === 2 * HOUR)
  server.arrive(said('by any other name', 2 * HOUR))
  server.arrive(message({ from: HER + '/phone', to: ME, id: newID() + newID() }, ephemeral(0)))
  await device.until(async () => (await chat())?.expires === undefined)
  expect(await lines()).toEqual(['expires', 'expires'])
  await device.desk.setChat(HER, { expires: HOUR })
  server.arrive(said('late', 9 * HOUR, HOUR))
  server.arrive(said('without a time', undefined))
  await device.until(async () => (await texts()).includes('without a time'))
  expect((await chat())?.expires).toBe(HOUR)
  expect(await texts()).toEqual(['a rose', 'by any other name', 'late', 'without a time'])
  server.arrive(said('at once', 1))
  await device.until(async () => (await texts()).includes('at once'))
  expect((await chat())?.expires).toBe(60)
})
