// No room on the device: what a person sends is refused with an error they can act on, what comes stays on the server and is fetched later.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { tabEngine } from '../../../src/core/engine/tab.ts'
import type { Led } from '../../../src/core/engine/lead.ts'
import { change, StorageFull } from '../../../src/core/store/database.ts'
import { keepFile } from '../../../src/core/store/files.ts'
import { message, newID } from '../../../src/core/xmpp/stanza.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { Device, Scythe } from './device.ts'
import { Server } from './town.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'
beforeEach(() => { globalThis.indexedDB = new IDBFactory() })

/** A disk that is full for a while. */
class FullDisk extends Scythe {
  full = false
  override step(): boolean {
    if (this.full) throw new DOMException('full', 'QuotaExceededError')
    return true
  }
}

const said = (text: string) => message({ from: HER + '/phone', to: ME, id: newID() + newID() }, el('jabber:client', 'body', {}, text))

test('a message that cannot be kept is refused, and is not sent', async () => {
  const server = new Server(ME)
  const disk = new FullDisk()
  const device = await Device.open(server, disk)
  device.connect()
  await device.idle()
  disk.full = true
  await expect(device.desk.send(HER, { text: 'no room' })).rejects.toBeInstanceOf(StorageFull)
  disk.full = false
  expect(await device.messages(HER)).toEqual([])
  expect(server.entries).toEqual([])
  await device.desk.send(HER, { text: 'room' })
  await device.idle()
  expect(server.entries.length).toBe(1)
  device.kill()
})

test('what comes while there is no room comes when there is, in order and once', async () => {
  const server = new Server(ME)
  server.keep(said('before'))
  const disk = new FullDisk()
  const device = await Device.open(server, disk)
  device.connect()
  await device.idle()
  disk.full = true
  server.arrive(said('first'))
  server.arrive(said('second'))
  await device.until(() => Promise.resolve(device.stuck > 0))
  disk.full = false
  server.arrive(said('third'))
  await device.until(async () => device.inbox.complete && (await device.messages(HER)).length === 4)
  expect((await device.messages(HER)).map((m) => m.content.type === 'text' && m.content.text)).toEqual(['before', 'first', 'second', 'third'])
  expect((await device.db.get('chats', HER))?.unread).toBe(3)
  device.kill()
})

test('what can be fetched again makes room for what is said; what is nowhere else does not', async () => {
  const disk = new FullDisk()
  const device = await Device.open(new Server(ME), disk)
  const engine = tabEngine(device.db, device.news, () => ({ jid: ME, name: 'romeo', active: true }), {} as Led)
  let asked = 0
  disk.step = () => {
    if (asked++ === 0) throw new DOMException('full', 'QuotaExceededError')
    return true
  }
  const keep = async (key: string, only: boolean) => { asked = 1; await change(device.db, ['files', 'blobs'], (tx) => keepFile(tx, { key, only, used: 1 }, new Blob(['bytes']))) }
  await keep('mine', true)
  asked = 0
  await expect(engine.send(HER, { text: 'no room' })).rejects.toBeInstanceOf(StorageFull)
  await keep('theirs', false)
  asked = 0
  await engine.send(HER, { text: 'room' })
  expect((await device.messages(HER)).map((m) => m.content.type === 'text' && m.content.text)).toEqual(['room'])
  expect(await device.db.getAllKeys('files')).toEqual(['mine'])
  device.kill()
})
