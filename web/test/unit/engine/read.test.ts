// A chat is read up to its newest message, wherever the archive put that, and no further.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { CLIENT, DELAY } from '../../../src/core/xmpp/ns.ts'
import { message, newID } from '../../../src/core/xmpp/stanza.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { Device } from './device.ts'
import { Server } from './town.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'

test('a chat that is marked as read has nothing unread, and what comes then is', async () => {
  globalThis.indexedDB = new IDBFactory()
  const server = new Server(ME)
  const device = await Device.open(server)
  device.connect()
  await device.idle()
  const writes = () => server.arrive(message({ from: `${HER}/phone`, to: ME, id: newID() + newID() }, el(CLIENT, 'body', {}, 'late'),
    el(DELAY, 'delay', { from: 'example.org', stamp: '2026-01-01T00:00:00Z' }))) // said long before the archive got it
  const unread = async () => (await device.db.get('chats', HER))?.unread
  const place = Number(writes())
  await device.until(async () => await unread() === 1)
  const chat = await device.db.get('chats', HER)
  expect(chat && chat.time < place).toBe(true)
  await device.desk.read(HER, Infinity, true)
  expect(await unread()).toBe(0)
  expect((await device.db.get('chats', HER))?.readUpTo).toBe(place)
  writes()
  await device.until(async () => await unread() === 1)
  device.kill()
})
