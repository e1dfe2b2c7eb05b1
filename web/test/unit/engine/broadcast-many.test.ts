// A broadcast list of thirty people, whole clients at the real server: the tab that writes to it is killed in the middle, and each has it once, encrypted for them alone.
import 'fake-indexeddb/auto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { IDBFactory } from 'fake-indexeddb'
import { Town } from '../xmpp/town.ts'
import { Client, stubLocks } from './here.ts'

const LIST = '00000000-0000-4000-8000-000000000030@broadcast.invalid'
const names = Array.from({ length: 30 }, (_, i) => `friend${i}`)
let town: Town
stubLocks()
beforeAll(async () => { town = await Town.found(['amina', ...names]) }, 60_000)
afterAll(() => town.end())

test('the tab is killed in the middle: each of thirty has it once', async () => {
  const friends: Client[] = []
  for (const name of names) friends.push(await (await Client.open(town, name)).live())
  const disk = { factory: new IDBFactory() }
  const first = await (await Client.open(town, 'amina', { disk })).live()
  const jids = names.map((name) => `${name}@localhost`)
  for (const jid of jids) await first.engine.addContact(jid)
  await first.until(async () => (await first.db.getAll('contacts')).filter((c) => c.asks === 'out').length === jids.length)
  await first.engine.setChat(LIST, { title: 'thirty', to: jids })
  const { id } = await first.engine.send(LIST, { text: 'the bridge is open' })
  const has = async () => (await Promise.all(friends.map(async (c) => (await c.texts('amina')).length))).filter(Boolean).length
  while (await has() < 3) await new Promise((next) => setTimeout(next, 5))
  first.kill()
  expect(await has()).toBeLessThan(30)
  const next = await (await Client.open(town, 'amina', { disk })).live()
  for (const friend of friends) await friend.until(async () => (await friend.texts('amina')).length > 0)
  await next.until(async () => (await next.db.get('messages', id))?.state === 'sent')
  await next.until(async () => !(await next.db.getAll('outbox')).some((e) => e.task.what === 'message'))
  for (const friend of friends) {
    const [message, ...more] = await friend.messages('amina')
    expect(message).toMatchObject({ content: { type: 'text', text: 'the bridge is open' }, protection: 'omemo' })
    expect(more).toEqual([])
  }
  for (const one of [next, ...friends]) one.kill()
}, 180_000)
