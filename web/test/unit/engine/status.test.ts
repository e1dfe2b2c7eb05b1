// Statuses of whole clients at the real server: seen by whom they are for and by nobody else, counted once, kept until they can leave, gone when they are over.
import 'fake-indexeddb/auto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { IDBFactory } from 'fake-indexeddb'
import type { Audience, Status } from '../../../src/core/status.ts'
import { Proxy } from '../xmpp/proxy.ts'
import { Town } from '../xmpp/town.ts'
import { PUBSUB, STORIES } from '../../../src/core/xmpp/ns.ts'
import { message } from '../../../src/core/xmpp/stanza.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { Company } from './company.ts'
import { stillWaiting, stubLocks, type Client, type Disk } from './here.ts'

let town: Town
let proxy: Proxy
let here: Company
stubLocks()
beforeAll(async () => {
  town = await Town.found(['romeo', 'juliet', 'nurse', 'tybalt', 'paris', 'mercutio'])
  here = new Company(town)
})
afterAll(() => town.end())
beforeEach(async () => { proxy = await Proxy.open(() => town.port) })
afterEach(({ task }) => {
  if (task.result?.state === 'fail') for (const place of stillWaiting()) console.log(place)
  here.end()
  proxy.close()
  vi.unstubAllGlobals()
})

const all: Audience = { kind: 'contacts', except: [], only: [] }

/** What a client shows. */
const statuses = (c: Client): Promise<Status[]> => new Promise((resolve) => {
  let stop: (() => void) | undefined
  let shown = false
  stop = c.engine.watchStatuses((found) => {
    resolve(found)
    shown = true
    stop?.()
  })
  if (shown) stop()
})
const texts = async (c: Client): Promise<string[]> => (await statuses(c)).map((s) => s.content?.type === 'text' ? s.content.text : s.unreadable ? '?' : '-')

/** Both have each other among their contacts. */
async function friends(a: Client, ...others: Client[]): Promise<void> {
  for (const b of others) {
    await a.engine.addContact(b.jid)
    await b.until(async () => (await b.db.get('contacts', a.jid))?.asks === 'in' || (await b.db.get('contacts', a.jid))?.subscription === 'both')
    if ((await b.db.get('contacts', a.jid))?.asks === 'in') await b.engine.answerContact(a.jid, true)
    for (const [x, y] of [[a, b], [b, a]] as const) await x.until(async () => (await x.db.get('contacts', y.jid))?.subscription === 'both')
  }
}

test('a status is seen by whom it is for, and nobody else learns of it; a view is counted once', async () => {
  const [romeo, juliet, nurse] = [await here.client('romeo'), await here.client('juliet'), await here.client('nurse')]
  await friends(romeo, juliet, nurse)
  const id = await romeo.engine.status('post', { text: 'But soft', colour: 3, audience: { kind: 'except', except: [nurse.jid], only: [] } })
  await juliet.until(async () => (await texts(juliet)).includes('But soft'))
  expect((await statuses(juliet))[0]).toMatchObject({ id, author: romeo.jid, own: false, seen: false, colour: 3 })
  await romeo.until(async () => (await statuses(romeo))[0]?.state === undefined)
  await romeo.engine.status('post', { text: 'for all', audience: all })
  await nurse.until(async () => (await texts(nurse)).includes('for all'))
  expect(await texts(nurse)).toEqual(['for all'])
  expect(await nurse.db.getAllKeys('statuses')).toHaveLength(1)
  await juliet.engine.status('look', romeo.jid, [id])
  await juliet.engine.status('look', romeo.jid, [id])
  await romeo.until(async () => (await statuses(romeo)).find((s) => s.id === id)?.views?.length === 1)
  expect((await statuses(romeo)).find((s) => s.id === id)?.views).toMatchObject([{ jid: juliet.jid }])
  expect((await statuses(juliet)).find((s) => s.id === id)).toMatchObject({ seen: true })
  expect(await juliet.db.get('chats', romeo.jid)).toBeUndefined() // it goes into no chat
  await romeo.engine.status('remove', id)
  await juliet.until(async () => !(await texts(juliet)).includes('But soft'))
}, 60_000)

test('what is told without a connection leaves by itself, once; what was told and not noted as such is not told again', async () => {
  const disk: Disk = { factory: new IDBFactory() }
  const juliet = await here.client('juliet')
  let romeo = await here.client('romeo', { disk })
  await friends(romeo, juliet)
  romeo.kill()
  romeo = await here.open('romeo', { disk, url: () => 'ws://127.0.0.1:1/ws' }) // nobody is there
  const id = await romeo.engine.status('post', { text: 'later', audience: all })
  expect((await statuses(romeo)).find((s) => s.id === id)).toMatchObject({ state: 'waiting', own: true })
  romeo.kill()
  romeo = await here.client('romeo', { disk })
  await juliet.until(async () => (await texts(juliet)).includes('later'))
  await romeo.until(async () => (await statuses(romeo)).find((s) => s.id === id)?.state === undefined)
  const before = await romeo.db.get('statuses', `${romeo.jid} ${id}`)
  if (!before) throw new Error('it is not there')
  await romeo.db.put('statuses', { ...before, state: 'waiting', expires: Infinity })
  romeo.news.tell({ updates: true })
  await romeo.until(async () => (await statuses(romeo)).find((s) => s.id === id)?.state === undefined)
  expect((await statuses(romeo)).filter((s) => s.id === id)).toHaveLength(1)
  expect((await texts(juliet)).filter((text) => text === 'later')).toHaveLength(1)
  await romeo.engine.status('remove', id)
}, 60_000)

test('what was missed is learned with the next session, also what was taken back; what is over is gone from the device', async () => {
  const disk: Disk = { factory: new IDBFactory() }
  const tybalt = await here.client('tybalt')
  let paris = await here.client('paris', { disk })
  await friends(tybalt, paris)
  const first = await tybalt.engine.status('post', { text: 'one', audience: all })
  await paris.until(async () => (await texts(paris)).includes('one'))
  paris.kill()
  await tybalt.engine.status('remove', first)
  await tybalt.engine.status('post', { text: 'two', audience: { kind: 'only', except: [], only: [paris.jid] } })
  await tybalt.until(async () => (await tybalt.db.getAll('statuses')).every((s) => !s.gone && !s.state))
  paris = await here.client('paris', { disk })
  await paris.until(async () => (await texts(paris)).join() === 'two')
  expect((await paris.db.get('kv', 'updates')) as object).toMatchObject({ status: expect.any(Number) as number })
  const right = Date.now
  vi.spyOn(Date, 'now').mockImplementation(() => right() + 24 * 3600_000 + 1000)
  await paris.until(async () => !(await texts(paris)).length)
  await paris.until(async () => await paris.db.count('statuses') === 0)
  vi.restoreAllMocks()
}, 60_000)

test('what a stranger says of their statuses is not asked for', async () => {
  const [romeo, juliet, tybalt] = [await here.client('romeo'), await here.client('juliet'), await here.client('tybalt')]
  await friends(romeo, juliet)
  const asked: string[] = []
  const { connection } = juliet.lead.worker
  const request = connection.request.bind(connection)
  connection.request = (type, payload, options) => {
    if (String(payload).includes(STORIES)) asked.push(options?.to ?? '')
    return request(type, payload, options)
  }
  tybalt.lead.worker.connection.send(message({ to: juliet.jid, type: 'headline' }, el(PUBSUB + '#event', 'event', {}, el(PUBSUB + '#event', 'items', { node: STORIES }, el(PUBSUB + '#event', 'item', { id: 'x' })))))
  const id = await romeo.engine.status('post', { text: 'after', audience: all })
  await juliet.until(async () => (await statuses(juliet)).some((s) => s.id === id && s.content))
  expect(new Set(asked)).toEqual(new Set([romeo.jid]))
}, 60_000)

test('our other device shows what we told, and what was looked at here is not new there', async () => {
  const mercutio = await here.client('mercutio')
  const [nurse, other] = [await here.client('nurse'), await here.client('nurse')]
  await friends(mercutio, nurse)
  await mercutio.until(async () => (await mercutio.engine.devices(nurse.jid)).length > 1)
  const id = await mercutio.engine.status('post', { text: 'for both', audience: all })
  for (const c of [nurse, other]) await c.until(async () => (await texts(c)).includes('for both'))
  await nurse.engine.status('look', mercutio.jid, [id])
  await other.until(async () => (await statuses(other)).find((s) => s.id === id)?.seen === true)
  await other.engine.status('look', mercutio.jid, [id])
  await mercutio.until(async () => (await statuses(mercutio))[0]?.views?.length === 1)
  const own = await nurse.engine.status('post', { text: 'mine', audience: { kind: 'except', except: ['tybalt@localhost'], only: [] } })
  await other.until(async () => (await texts(other)).includes('mine'))
  expect((await statuses(other)).find((s) => s.id === own)).toMatchObject({ own: true, seen: true })
  await nurse.until(async () => !await nurse.db.get('kv', 'statusAudience untold'))
  expect(await other.engine.status('audience')).toEqual({ kind: 'except', except: ['tybalt@localhost'], only: [] })
}, 60_000)

test('who tells no views is told none; muted people stand apart and are fetched when they are asked for; who is blocked gets none', async () => {
  const [romeo, paris] = [await here.client('romeo'), await here.client('paris')]
  await friends(romeo, paris)
  await paris.engine.choose({ readReceipts: false })
  await paris.engine.status('mute', romeo.jid, true)
  const id = await romeo.engine.status('post', { text: 'quiet', audience: all })
  await paris.until(async () => (await statuses(paris)).some((s) => s.id === id))
  expect((await statuses(paris)).find((s) => s.id === id)).toMatchObject({ muted: true, seen: false })
  expect((await statuses(paris)).find((s) => s.id === id)?.content).toBeUndefined()
  expect(((await paris.db.get('kv', 'updates')) as { status?: number } | undefined)?.status ?? 0).toBe(0)
  await paris.engine.status('fetch', romeo.jid, id)
  await paris.until(async () => (await texts(paris)).includes('quiet'))
  await paris.engine.status('look', romeo.jid, [id])
  expect((await paris.db.getAll('outbox')).filter((e) => e.task.what === 'seen')).toEqual([])
  await paris.engine.status('post', { text: 'x', audience: all })
  await paris.until(async () => (await statuses(paris)).some((s) => s.own && !s.state))
  expect((await statuses(paris)).find((s) => s.own)?.views).toBeUndefined()
  await romeo.engine.block(paris.jid)
  await romeo.until(async () => (await romeo.engine.blocked()).includes(paris.jid))
  const only = await romeo.engine.status('post', { text: 'y', audience: { kind: 'only', except: [], only: [paris.jid] } })
  await romeo.until(async () => (await statuses(romeo)).find((s) => s.id === only)?.state === 'failed')
  expect((await statuses(romeo)).find((s) => s.id === only)).toMatchObject({ failure: 'nobody' })
  expect((await statuses(romeo)).some((s) => s.author === paris.jid)).toBe(false)
  await romeo.engine.unblock(paris.jid)
  await romeo.until(async () => !(await romeo.engine.blocked()).includes(paris.jid))
  await romeo.engine.status('retry', only)
  await paris.until(async () => (await statuses(paris)).some((s) => s.id === only))
}, 60_000)
