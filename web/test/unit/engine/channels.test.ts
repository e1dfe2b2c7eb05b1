// Channels of whole clients at the real server: followed, caught up with from their logs, published in once, signed and checked.
import 'fake-indexeddb/auto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { IDBFactory } from 'fake-indexeddb'
import { join } from '../../../src/core/engine/channel-keep.ts'
import type { Channel, ChannelAsks, ChannelSettings, Post } from '../../../src/core/channels.ts'
import { publish as publishEntry, subscribe } from '../../../src/core/xmpp/channels-ask.ts'
import { fingerprint, KEYS, publicKey, sign } from '../../../src/core/xmpp/channel-sign.ts'
import { publish as publishItem, retractItem } from '../../../src/core/xmpp/pubsub.ts'
import { base64 } from '../../../src/core/xmpp/stanza.ts'
import { el, parse } from '../../../src/core/xmpp/xml.ts'
import type { KeptChannel, Stretch } from '../../../src/core/store/channels.ts'
import { Proxy } from '../xmpp/proxy.ts'
import { Town } from '../xmpp/town.ts'
import { Client, stubLocks, type Disk } from './here.ts'

const service = 'channels.localhost'
const plain: ChannelSettings = { title: 'Town', description: '', language: '', private: false, picture: '', segments: [], comments: '', reactions: true }
let town: Town
let proxy: Proxy
const open: Client[] = []
stubLocks()
beforeAll(async () => { town = await Town.found(['romeo', 'juliet', 'nurse', 'tybalt']) })
afterAll(() => town.end())
beforeEach(async () => { proxy = await Proxy.open(() => town.port) })
afterEach(() => {
  for (const client of open.splice(0)) client.kill()
  proxy.close()
  vi.unstubAllGlobals()
})

async function client(...args: Parameters<typeof Client.open> extends [unknown, ...infer R] ? R : never): Promise<Client> {
  const one = await Client.open(town, ...args)
  open.push(one)
  return one.live()
}

const ask = (c: Client) => async <K extends keyof ChannelAsks>(what: K, ...args: Parameters<ChannelAsks[K]>): Promise<Awaited<ReturnType<ChannelAsks[K]>>> => await (await c.engine.channels()).ask(what, ...args)
const make = (c: Client, name: string, settings: Partial<ChannelSettings> = {}) => ask(c)('create', name, { ...plain, ...settings }, [])
const say = async (c: Client, name: string, text: string, segments: string[] = []): Promise<void> => (await c.engine.channels()).publish(name, { text, segments, files: [] })

/** What is kept of a channel without a gap. */
async function posts(c: Client, name: string): Promise<(Post & { kind: 'post' })[]> {
  const desk = await c.engine.channels()
  const all = await new Promise<Post[]>((resolve) => { const stop = desk.watchPosts(name, () => 1000, (found) => { resolve(found); queueMicrotask(() => stop()) }) })
  return all.flatMap((p) => p.kind === 'post' ? p : [])
}
const texts = async (c: Client, name: string): Promise<string[]> => (await posts(c, name)).map((p) => p.text)
const row = (c: Client, name: string): Promise<KeptChannel | undefined> => c.db.get('channels', name)
const state = async (c: Client, name: string, text: string): Promise<string | undefined> => (await posts(c, name)).find((p) => p.text === text)?.signature

test('stretches of a log are joined, and a gap stays one until it was read', () => {
  const s = (from: number, before: number, to: number): Stretch => ({ from, before, to })
  const c: Pick<Channel & KeptChannel, 'kept' | 'old'> = {}
  expect(join(c, s(10, 9, 12))).toEqual({ keep: true })
  expect(join(c, s(13, 12, 13))).toEqual({ keep: true })
  expect(c).toEqual({ kept: s(10, 9, 13) })
  expect(join(c, s(20, 19, 21))).toEqual({ keep: true })
  expect(c).toEqual({ kept: s(20, 19, 21), old: s(10, 9, 13) })
  expect(join(c, s(16, 15, 19)).keep).toBe(true)
  expect(c.old).toEqual(s(10, 9, 13))
  expect(join(c, s(12, 11, 15)).keep).toBe(true)
  expect(c).toEqual({ kept: s(10, 9, 21) })
  expect(join(c, s(3, 2, 5))).toEqual({ keep: false })
  expect(join(c, s(3, 2, 9)).keep).toBe(true)
  expect(c).toEqual({ kept: s(3, 2, 21) })
  join(c, s(30, 29, 31))
  expect(join(c, s(40, 39, 41))).toEqual({ keep: true, drop: s(3, 2, 21) })
  expect(c).toEqual({ kept: s(40, 39, 41), old: s(30, 29, 31) })
})

test('what is published comes to who follows, signed; what was missed is read from the log; each once', async () => {
  const [romeo, juliet] = [await client('romeo'), await client('juliet', { url: () => proxy.url })]
  await make(romeo, 'town')
  await ask(juliet)('open', 'town')
  await ask(juliet)('follow', 'town')
  expect(await row(juliet, 'town')).toMatchObject({ following: true, title: 'Town', owners: ['romeo@localhost'], unread: 0 })
  await say(romeo, 'town', 'one')
  await juliet.until(async () => (await texts(juliet, 'town')).join() === 'one')
  await juliet.until(async () => await state(juliet, 'town', 'one') === 'good')
  expect((await row(juliet, 'town'))?.unread).toBe(1)
  proxy.stall()
  for (const text of ['two', 'three']) await say(romeo, 'town', text)
  await romeo.until(async () => (await texts(romeo, 'town')).length === 3)
  proxy.cut()
  proxy.stall(false)
  await juliet.until(async () => (await texts(juliet, 'town')).join() === 'one,two,three')
  expect((await row(juliet, 'town'))?.unread).toBe(3)
  await (await juliet.engine.channels()).read('town')
  expect((await row(juliet, 'town'))?.unread).toBe(0)
})

test('what is written at the same moment leaves in the order in which it was written', async () => {
  const tybalt = await client('tybalt')
  await make(tybalt, 'quick')
  const moment = vi.spyOn(Date, 'now').mockReturnValue(Date.now())
  for (let i = 0; i < 8; i++) await say(tybalt, 'quick', `q${i}`)
  moment.mockRestore()
  await tybalt.until(async () => (await texts(tybalt, 'quick')).length === 8)
  expect(await texts(tybalt, 'quick')).toEqual(Array.from({ length: 8 }, (_, i) => `q${i}`))
})

test('a new device reads the newest page, then older ones; what was read on one is read on the other', async () => {
  const romeo = await client('romeo')
  await make(romeo, 'long')
  const entry = (i: number) => parse(`<entry xmlns='http://www.w3.org/2005/Atom'><id>x:${i}</id><title>post ${i}</title><updated>2026-11-21T18:00:00Z</updated></entry>`) ?? el('', 'x')
  for (let i = 1; i <= 58; i++) await publishEntry(romeo.lead.worker.connection, service, 'long', `p${i}`, entry(i))
  const nurse = await client('nurse')
  await subscribe(nurse.lead.worker.connection, service, 'long')
  await ask(nurse)('begin')
  await nurse.until(async () => (await texts(nurse, 'long')).length >= 50)
  const first = await texts(nurse, 'long')
  expect(first.at(-1)).toBe('post 58')
  expect(await ask(nurse)('older', 'long')).toBe(true)
  expect(await texts(nurse, 'long')).toEqual(Array.from({ length: 58 }, (_, i) => `post ${i + 1}`))
  expect(await ask(nurse)('older', 'long')).toBe(false)
  const second = await client('nurse')
  await ask(second)('begin')
  await publishEntry(romeo.lead.worker.connection, service, 'long', 'p59', entry(59))
  for (const device of [nurse, second]) await device.until(async () => (await row(device, 'long'))?.unread === 1)
  await (await nurse.engine.channels()).read('long')
  await second.until(async () => (await row(second, 'long'))?.unread === 0)
})

test('a post whose answer was lost is asked again and stays one post', async () => {
  const romeo = await client('romeo', { url: () => proxy.url })
  const tybalt = await client('tybalt')
  await make(romeo, 'once')
  await ask(tybalt)('follow', 'once')
  for (let i = 0; i < 4; i++) {
    await say(romeo, 'once', `post ${i}`)
    proxy.cut()
  }
  await romeo.until(async () => (await texts(romeo, 'once')).length === 4 && !await romeo.db.count('publishing'))
  await tybalt.until(async () => (await texts(tybalt, 'once')).length === 4)
  expect([...await texts(tybalt, 'once')].sort()).toEqual(['post 0', 'post 1', 'post 2', 'post 3'])
  expect((await row(tybalt, 'once'))?.unread).toBe(4)
})

test('what waits to leave outlives its tab, and what may not be published says so', async () => {
  const disk: Disk = { factory: new IDBFactory() }
  const romeo = await client('romeo', { disk, url: () => proxy.url })
  await make(romeo, 'later')
  proxy.stall()
  proxy.cut()
  await say(romeo, 'later', 'written offline')
  expect(await romeo.db.count('publishing')).toBe(1)
  romeo.kill()
  proxy.stall(false)
  const again = await client('romeo', { disk, url: () => proxy.url })
  await again.until(async () => (await texts(again, 'later')).join() === 'written offline' && !await again.db.count('publishing'))
  const tybalt = await client('tybalt')
  await ask(tybalt)('open', 'later')
  await say(tybalt, 'later', 'not mine')
  await tybalt.until(async () => (await tybalt.db.getAll('publishing'))[0]?.state === 'failed')
  expect((await tybalt.db.getAll('publishing'))[0]).toMatchObject({ failure: 'forbidden' })
})

test('keys of a publisher are remembered; others in their place are told, and believed when a person says so', async () => {
  const [romeo, juliet] = [await client('romeo'), await client('juliet')]
  const session = romeo.lead.worker.connection
  await make(romeo, 'keys')
  await ask(juliet)('follow', 'keys')
  const put = async (seed: Uint8Array, known: boolean, text: string) => {
    const key = publicKey(seed)
    if (known) await publishItem(session, KEYS, el(KEYS, 'key', {}, base64(key)), { persist_items: true, access_model: 'open', max_items: 20 }, await fingerprint(key))
    const entry = parse(`<entry xmlns='http://www.w3.org/2005/Atom'><id>x</id><title>${text}</title><updated>2026-11-21T18:00:00Z</updated></entry>`) ?? el('', 'x')
    await publishEntry(session, service, 'keys', text, await sign(seed, 'romeo@localhost', 'keys@channels.localhost', text, entry))
    await juliet.until(async () => (await state(juliet, 'keys', text) ?? 'unchecked') !== 'unchecked')
    return state(juliet, 'keys', text)
  }
  const seed = (n: number) => new Uint8Array(32).fill(n)
  await juliet.db.delete('kv', 'signer romeo@localhost')
  expect(await put(seed(1), true, 'first')).toBe('good')
  expect(await put(seed(2), false, 'not published')).toBe('unknown')
  for (const name of Object.keys(await juliet.db.get('kv', 'signer romeo@localhost') as Record<string, string>)) await retractItem(session, KEYS, name)
  vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 120_000) // what was asked a minute ago is asked again
  expect(await put(seed(3), true, 'third')).toBe('changed')
  await ask(juliet)('believe', 'romeo@localhost')
  await juliet.until(async () => await state(juliet, 'keys', 'third') === 'good')
  expect(await put(seed(3), true, 'fourth')).toBe('good')
  vi.restoreAllMocks()
})

test('segments: what was not chosen is not shown, and no gap', async () => {
  const [romeo, nurse] = [await client('romeo'), await client('nurse')]
  await make(romeo, 'parts', { segments: [{ name: 'north', label: 'North' }, { name: 'south', label: 'South' }] })
  await ask(nurse)('open', 'parts')
  await ask(nurse)('follow', 'parts', ['north'])
  for (const [text, parts] of [['a', ['south']], ['b', ['north']], ['c', []], ['d', ['south', 'north']]] as const) await say(romeo, 'parts', text, [...parts])
  await nurse.until(async () => (await texts(nurse, 'parts')).join() === 'b,c,d')
  expect((await row(nurse, 'parts'))?.old).toBeUndefined()
  await ask(nurse)('follow', 'parts', [])
  await nurse.until(async () => (await texts(nurse, 'parts')).join() === 'a,b,c,d')
  expect((await row(nurse, 'parts'))?.segments.map((s) => s.label)).toEqual(['North', 'South'])
})

test('changes, what is taken back, marks and the end of a channel', async () => {
  const [romeo, juliet] = [await client('romeo'), await client('juliet')]
  await make(romeo, 'news')
  await ask(juliet)('follow', 'news')
  await say(romeo, 'news', 'mistake')
  await say(romeo, 'news', 'stays')
  await juliet.until(async () => (await texts(juliet, 'news')).length === 2)
  const item = (await posts(romeo, 'news')).find((p) => p.text === 'mistake')?.item ?? ''
  await (await romeo.engine.channels()).publish('news', { text: 'mended', segments: [], files: [], item })
  await juliet.until(async () => (await texts(juliet, 'news')).join() === 'stays,mended')
  expect((await posts(juliet, 'news')).at(-1)?.edited).toBe(true)
  await ask(romeo)('retract', 'news', item)
  await juliet.until(async () => (await texts(juliet, 'news')).join() === 'stays')
  await ask(juliet)('react', 'news', (await posts(juliet, 'news'))[0]?.item ?? '', '👍')
  expect((await posts(juliet, 'news'))[0]).toMatchObject({ mine: '👍', sums: [{ emoji: '👍', count: 1 }] })
  town.run('channel', 'mark', 'news', 'seen in person')
  await juliet.until(async () => (await row(juliet, 'news'))?.mark === 'seen in person')
  await ask(romeo)('remove', 'news')
  await juliet.until(async () => !!(await row(juliet, 'news'))?.ended)
  expect(await texts(juliet, 'news')).toEqual(['stays'])
})
