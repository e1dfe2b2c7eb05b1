// A tab is killed between any two steps of sending, and of receiving: nothing that was promised is lost, nothing is doubled.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test, vi } from 'vitest'
import { NotNow } from '../../../src/core/engine/secure.ts'
import { message, newID } from '../../../src/core/xmpp/stanza.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { Device, Scythe } from './device.ts'
import { Server, type Fate } from './town.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'

beforeEach(() => { globalThis.indexedDB = new IDBFactory() })

const said = (text: string, id = newID() + newID()) =>
  message({ from: HER + '/phone', to: ME, id }, el('jabber:client', 'body', {}, text), el('urn:xmpp:receipts', 'request'))

/** Lets a device send two messages, and kills it after so many steps. Gives what was promised, and whether it got through. */
async function sendTwo(server: Server, after: number, fate: Fate): Promise<{ promised: string[]; through: boolean }> {
  const scythe = new Scythe(after)
  const device = await Device.open(server, scythe)
  device.connect((s) => { s.fate = fate })
  const promised: string[] = []
  const work = (async () => {
    for (const text of ['one', 'two']) promised.push((await device.desk.send(HER, { text })).id)
    if (fate === 'acked') await device.idle()
    else await device.until(async () => (await device.db.getAll('outbox')).every((e) => e.state === 'tried'))
  })()
  await Promise.race([work.catch(() => undefined), scythe.fell])
  const through = !scythe.fallen
  device.kill()
  return { promised, through }
}

for (const fate of ['acked', 'kept', 'lost'] as const) {
  test(`killed between any two steps of sending (${fate}): what was promised leaves, once and in order`, async () => {
    for (let after = 0; ; after++) {
      globalThis.indexedDB = new IDBFactory()
      const server = new Server(ME)
      server.keep(said('before'))
      const first = await Device.open(server)
      first.connect()
      await first.idle()
      first.kill()
      const { promised, through } = await sendTwo(server, after, fate)
      const next = await Device.open(server)
      next.connect()
      await next.idle()
      const kept = (await next.messages(HER)).filter((m) => m.own)
      // A message whose promise was not fulfilled in time may be there or not, but what is there has left.
      expect(kept.map((m) => m.id)).toEqual(expect.arrayContaining(promised))
      expect(kept.map((m) => m.state)).toEqual(kept.map(() => 'sent'))
      for (const m of kept) expect(server.count(m.id), `after ${after} steps`).toBe(1)
      const order = server.entries.map((e) => e.stanza.attr('id')).filter((id) => kept.some((m) => m.id === id))
      expect(order).toEqual(kept.map((m) => m.id))
      next.kill()
      if (through) {
        expect(after).toBeGreaterThan(4)
        return
      }
    }
  }, 60_000)
}

const picture = {
  type: 'image' as const, caption: 'the balcony', media: { key: 'k', name: 'a.webp', mime: 'image/webp', size: 1, url: 'aesgcm://example.org/a.webp#' + '0'.repeat(88) },
}

for (const fate of ['acked', 'kept', 'lost'] as const) {
  test(`killed between any two steps of sending a file and its words (${fate}): each leaves once, and nothing comes between them`, async () => {
    for (let after = 0; ; after++) {
      globalThis.indexedDB = new IDBFactory()
      const server = new Server(ME)
      const scythe = new Scythe(after)
      const device = await Device.open(server, scythe)
      device.older = true
      device.connect((s) => { s.fate = fate })
      const promised: string[] = []
      const work = (async () => {
        promised.push((await device.desk.send(HER, { content: picture })).id)
        promised.push((await device.desk.send(HER, { text: 'after it' })).id)
        if (fate === 'acked') await device.idle()
        else await device.until(async () => (await device.db.getAll('outbox')).every((e) => e.state === 'tried'))
      })()
      await Promise.race([work.catch(() => undefined), scythe.fell])
      const through = !scythe.fallen
      device.kill()
      const next = await Device.open(server)
      next.older = true
      next.connect()
      await next.idle()
      const kept = await next.messages(HER)
      expect(kept.map((m) => m.id)).toEqual(expect.arrayContaining(promised))
      const file = kept.find((m) => m.content.type === 'image')
      for (const m of kept) expect(server.count(m.id), `after ${after} steps`).toBe(1)
      if (file) expect(server.count(file.id + '.c'), `after ${after} steps`).toBe(1)
      if (through && fate === 'acked') expect(server.entries.map((e) => e.stanza.attr('id'))).toEqual([promised[0], promised[0] + '.c', promised[1]])
      next.kill()
      if (through) return
    }
  }, 90_000)
}

test('killed between any two steps of receiving: all is there, once, and counted once', async () => {
  for (let after = 0; ; after++) {
    globalThis.indexedDB = new IDBFactory()
    const server = new Server(ME)
    server.keep(said('before'))
    const scythe = new Scythe(after)
    const device = await Device.open(server, scythe)
    device.connect()
    const work = (async () => {
      await device.idle()
      for (let i = 0; i < 3; i++) server.arrive(said(`live ${i}`))
      await device.until(async () => (await device.messages(HER)).length === 4)
    })()
    await Promise.race([work.catch(() => undefined), scythe.fell])
    const through = !scythe.fallen
    device.kill()
    while (server.entries.length < 4) server.keep(said(`missed ${server.entries.length}`))
    const next = await Device.open(server)
    next.connect()
    await next.idle()
    const all = await next.messages(HER)
    expect(all.map((m) => m.stanzaId)).toEqual(server.entries.filter((e) => e.stanza.textOf('body')).map((e) => e.id))
    next.kill()
    if (through) return
  }
}, 60_000)

test('a message that was acknowledged by nobody and that the archive has is not sent again', async () => {
  const server = new Server(ME)
  server.keep(said('before'))
  const device = await Device.open(server)
  device.connect((s) => { s.fate = 'kept' })
  await device.until(async () => device.inbox.complete)
  const { id } = await device.desk.send(HER, { text: 'once' })
  await device.until(async () => server.count(id) === 1)
  // Something newer comes, so that the cursor is beyond what was sent.
  server.arrive(said('newer'))
  await device.until(async () => (await device.messages(HER)).length === 3)
  device.connect()
  await device.idle()
  expect(server.count(id)).toBe(1)
  expect((await device.db.get('messages', id))?.state).toBe('sent')
  device.kill()
})

test('the second look into the archive fails: what was tried goes again all the same, without another connection', async () => {
  const server = new Server(ME)
  const first = await Device.open(server)
  first.connect((s) => { s.fate = 'lost' })
  const { id } = await first.desk.send(HER, { text: 'tried' })
  await first.until(async () => (await first.db.getAll('outbox')).every((e) => e.state === 'tried'))
  first.kill()
  const next = await Device.open(server)
  const look = next.inbox.lookFor.bind(next.inbox)
  let looks = 0
  next.inbox.lookFor = (...args) => looks++ ? look(...args) : Promise.reject(new Error('resource-constraint'))
  next.connect()
  await next.idle()
  expect(looks).toBeGreaterThan(1)
  expect(server.count(id)).toBe(1)
  next.kill()
})

test('a pause whose timer sleeps, as those of hidden tabs do, ends when a tab in front asks whether we are there', async () => {
  const server = new Server(ME)
  const device = await Device.open(server)
  const { helpers } = { helpers: device.sender['helpers'] }
  const seal = helpers.seal.bind(helpers)
  let asked = 0
  let there = false
  helpers.seal = (...args) => ++asked && there ? seal(...args) : Promise.reject(new NotNow('keys could not be had'))
  const timer = globalThis.setTimeout
  vi.stubGlobal('setTimeout', (work: () => void, wait = 0) => wait >= 5000 ? 0 : timer(work, wait))
  try {
    device.connect()
    await device.idle()
    await device.desk.send(HER, { text: 'late' })
    await device.until(() => Promise.resolve(device.sender['due'] !== Infinity))
    const before = asked
    device.sender.tick()
    await new Promise((resolve) => timer(resolve, 50))
    expect(asked).toBe(before) // it is not over yet
    there = true
    const now = Date.now()
    vi.spyOn(Date, 'now').mockImplementation(() => now + 6000)
    device.sender.tick()
    await device.idle()
    expect(server.entries.length).toBe(1)
  } finally {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
    device.kill()
  }
})
