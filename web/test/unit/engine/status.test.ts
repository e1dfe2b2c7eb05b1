// Statuses of whole clients at the real server: seen by whom they are for and by nobody else, counted once, kept until they can leave, gone when they are over.
import 'fake-indexeddb/auto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { IDBFactory } from 'fake-indexeddb'
import type { Audience, Status } from '../../../src/core/status.ts'
import { Proxy } from '../xmpp/proxy.ts'
import { Town } from '../xmpp/town.ts'
import { Company } from './company.ts'
import { stubLocks, type Client, type Disk } from './here.ts'

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
afterEach(() => {
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
