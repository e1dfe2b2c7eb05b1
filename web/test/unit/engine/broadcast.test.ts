// What is written to a broadcast list leaves to each of its people once, wherever the tab is killed; the list shows what became of it, and is the same on all devices.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { fanOut } from '../../../src/core/engine/broadcast.ts'
import { OutboxFull } from '../../../src/core/store/outbox.ts'
import { change, everything, type Database } from '../../../src/core/store/database.ts'
import { decisionsOf, takeDecided } from '../../../src/core/store/settings.ts'
import { chatElement, parseChat } from '../../../src/core/xmpp/settings.ts'
import { message } from '../../../src/core/xmpp/stanza.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { bare } from '../../../src/core/xmpp/jid.ts'
import { isBroadcast, MAX_BROADCAST } from '../../../src/core/model.ts'
import { Device, Scythe } from './device.ts'
import { Server, type Fate } from './town.ts'

const ME = 'romeo@example.org'
const LIST = '7b0e1a2c-list@broadcast.invalid'
const everybody = (n: number) => Array.from({ length: n }, (_, i) => `friend-${i}@example.org`)

beforeEach(() => { globalThis.indexedDB = new IDBFactory() })

async function befriend(db: Database, people: string[]): Promise<void> {
  await change(db, ['contacts'], async (tx) => { for (const jid of people) await tx.objectStore('contacts').put({ jid, subscription: 'both' }) })
}

async function device(server: Server, people: string[], scythe?: Scythe): Promise<Device> {
  const one = await Device.open(server, scythe)
  await befriend(one.db, people)
  return one
}

/** Who got messages, how often. */
function got(server: Server): Record<string, number> {
  const out: Record<string, number> = {}
  for (const { stanza } of server.entries) {
    const to = bare(stanza.attr('to') ?? '')
    out[to] = (out[to] ?? 0) + 1
  }
  return out
}

const list = async (d: Device) => (await d.messages(LIST)).at(-1)

test('each gets it in their own chat, once, and never the list itself', async () => {
  const people = everybody(30)
  const server = new Server(ME)
  const d = await device(server, people)
  await d.desk.setChat(LIST, { title: '  The\nclass ', to: people })
  expect(await d.db.get('chats', LIST)).toMatchObject({ kind: 'broadcast', name: 'The class', to: people })
  d.connect()
  await d.desk.setDraft('friend-3@example.org', { text: 'half a thought', time: 1 })
  const sent = await d.desk.send(LIST, { text: 'school is closed' }, false, fanOut)
  await d.idle()
  expect(got(server)).toEqual(Object.fromEntries(people.map((jid) => [jid, 1])))
  expect(await list(d)).toMatchObject({ id: sent.id, state: 'sent' })
  const ids = people.map((jid) => server.entries.find((e) => bare(e.stanza.attr('to') ?? '') === jid)?.stanza.attr('id'))
  expect(new Set([...ids, sent.id]).size).toBe(31) // nothing shows that others got it
  expect((await d.db.get('chats', 'friend-3@example.org'))?.draft?.text).toBe('half a thought')
  expect((await d.messages('friend-3@example.org'))[0]).toMatchObject({ content: { type: 'text', text: 'school is closed' }, own: true, state: 'sent' })
  d.kill()
})

for (const fate of ['acked', 'kept', 'lost'] as const) {
  test(`killed between any two steps (${fate}): all get it once, or it was not kept`, async () => {
    const people = everybody(3)
    for (let after = 0; ; after += 1) {
      globalThis.indexedDB = new IDBFactory()
      const server = new Server(ME)
      const first = await device(server, people)
      await first.desk.setChat(LIST, { title: 'five', to: people })
      first.kill()
      const { promised, through } = await writeOne(server, after, fate)
      const next = await Device.open(server)
      await change(next.db, everything, () => Promise.resolve()) // what the dead tab had begun to keep is kept by now, or never
      next.connect()
      await next.idle()
      const kept = await list(next)
      if (promised) expect(kept?.id).toBe(promised)
      expect(got(server), `after ${after} steps`).toEqual(kept ? Object.fromEntries(people.map((jid) => [jid, 1])) : {})
      if (kept) expect(kept.state).toBe('sent')
      next.kill()
      if (through) {
        expect(after).toBeGreaterThan(6)
        return
      }
    }
  }, 90_000)
}

async function writeOne(server: Server, after: number, fate: Fate): Promise<{ promised?: string; through: boolean }> {
  const scythe = new Scythe(after)
  const d = await Device.open(server, scythe)
  d.connect((s) => { s.fate = fate })
  let promised: string | undefined
  const work = (async () => {
    promised = (await d.desk.send(LIST, { text: 'one for all' }, false, fanOut)).id
    if (fate === 'acked') await d.idle()
    else await d.until(async () => (await d.db.getAll('outbox')).every((e) => e.state === 'tried'))
  })()
  await Promise.race([work.catch(() => undefined), scythe.fell])
  const through = !scythe.fallen
  d.kill()
  return { ...(promised ? { promised } : {}), through }
}

test('a file is put on the server once; its key goes to each in the step in which it is there', async () => {
  const people = everybody(3)
  const server = new Server(ME)
  const d = await device(server, people)
  await d.desk.setChat(LIST, { title: 'three', to: people })
  d.connect()
  const sent = await d.desk.send(LIST, { file: { blob: new Blob(['x'], { type: 'image/webp' }), name: 'a.webp', mime: 'image/webp', as: 'image' } }, false, fanOut)
  expect((await d.db.getAll('outbox')).map((e) => e.chat)).toEqual([LIST])
  expect(await d.messages('friend-1@example.org')).toEqual([])
  const url = `aesgcm://example.org/f/1#${'a'.repeat(88)}`
  await d.desk.uploaded(sent.id, url, fanOut)
  await d.idle()
  expect(got(server)).toEqual(Object.fromEntries(people.map((jid) => [jid, 1])))
  expect((await d.messages('friend-1@example.org'))[0]?.content).toMatchObject({ type: 'image', media: { url } })
  d.kill()
})

test('what can be opened once can be sent to a list, and is not here afterwards', async () => {
  const people = everybody(2)
  const d = await device(new Server(ME), people)
  await d.desk.setChat(LIST, { title: 'two', to: people })
  const sent = await d.desk.send(LIST, { file: { blob: new Blob(['x'], { type: 'image/webp' }), name: 'a.webp', mime: 'image/webp', as: 'image', once: true } }, false, fanOut)
  await d.desk.uploaded(sent.id, `aesgcm://example.org/f/1#${'a'.repeat(88)}`, fanOut)
  expect((await list(d))?.content).toEqual({ type: 'once', as: 'image' })
  d.connect()
  await d.idle()
  expect((await d.messages('friend-1@example.org'))[0]?.content).toEqual({ type: 'once', as: 'image' })
  expect(await d.db.count('blobs')).toBe(0)
  d.kill()
})

test('delivered and read are counted at the list; taking back takes it from all', async () => {
  const people = everybody(2)
  const server = new Server(ME)
  const d = await device(server, people)
  await d.desk.setChat(LIST, { title: 'two', to: people })
  d.connect()
  const { id } = await d.desk.send(LIST, { text: 'hello' }, false, fanOut)
  await d.idle()
  const copies = (await list(d))?.copies ?? {}
  const answer = (jid: string, name: string, ns: string) => server.arrive(message({ from: `${jid}/phone`, to: ME, id: 'receipt-' + name + jid }, el(ns, name, { id: copies[jid] })))
  answer(people[0] ?? '', 'received', 'urn:xmpp:receipts')
  await d.until(async () => Object.values((await list(d))?.receipts ?? {}).some((r) => r.delivered))
  expect(await list(d)).toMatchObject({ state: 'sent' })
  for (const jid of people) answer(jid, 'displayed', 'urn:xmpp:chat-markers:0')
  await d.until(async () => (await list(d))?.state === 'read')
  expect(Object.values((await list(d))?.receipts ?? {}).every((r) => r.read)).toBe(true)
  await d.desk.remove([id], true)
  await d.idle()
  expect(server.entries.filter((e) => e.stanza.child('retract', 'urn:xmpp:message-retract:1')).map((e) => bare(e.stanza.attr('to') ?? '')).sort()).toEqual(people)
  expect((await d.messages(people[0] ?? ''))[0]?.retracted).toBeDefined()
  d.kill()
})

test('who is no contact gets nothing; without anybody, and without room, nothing is kept', async () => {
  const people = everybody(3)
  const server = new Server(ME)
  const d = await device(server, people.slice(0, 1))
  await d.desk.setChat(LIST, { title: 'one of three', to: people })
  d.connect()
  await d.desk.send(LIST, { text: 'hello' }, false, fanOut)
  await d.idle()
  expect(got(server)).toEqual({ [people[0] ?? '']: 1 })
  await d.desk.setChat(LIST, { to: people.slice(1) })
  await expect(d.desk.send(LIST, { text: 'again' }, false, fanOut)).rejects.toMatchObject({ name: 'Unusable' })
  expect(await d.messages(LIST)).toHaveLength(1)
  await d.desk.setChat(LIST, { to: people })
  await change(d.db, ['outbox'], async (tx) => { for (let i = 0; i < 5000; i++) await tx.objectStore('outbox').add({ chat: 'x@example.org', id: String(i), message: '', task: { what: 'receipt', target: 'x' }, state: 'failed', since: 1 } as never) })
  await expect(d.desk.send(LIST, { text: 'too much' }, false, fanOut)).rejects.toBeInstanceOf(OutboxFull)
  expect(await d.messages(LIST)).toHaveLength(1)
  d.kill()
})

test('a list is the same on all devices, and goes from all', async () => {
  const people = everybody(300)
  const d = await device(new Server(ME), [])
  await d.desk.setChat(LIST, { title: 'many', to: [...people, 'no address', people[0] ?? ''] })
  const item = () => decisionsOf(d.db, LIST).then(chatElement)
  const told = parseChat({ id: LIST, payload: await item() })
  d.kill()
  globalThis.indexedDB = new IDBFactory()
  const other = await Device.open(new Server(ME))
  const take = (decisions: NonNullable<typeof told>['told']) => change(other.db, ['kv', 'chats', 'contacts'], (tx) => takeDecided(tx, LIST, decisions))
  expect(await take(told?.told ?? {})).toMatchObject({ changed: true })
  expect(await other.db.get('chats', LIST)).toMatchObject({ kind: 'broadcast', name: 'many', to: people.slice(0, MAX_BROADCAST) })
  const later = (told?.told.to?.at ?? 0) + 1e6
  await take({ to: { at: later } })
  expect(await other.db.get('chats', LIST)).toBeUndefined()
  other.kill()
  expect(isBroadcast('a@broadcast.invalid.example.org')).toBe(false)
})
