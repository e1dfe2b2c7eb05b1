// What waits for a group leaves when its log is read: for who is in it now, never for who was in it when this device was there last.
import 'fake-indexeddb/auto'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { IDBFactory } from 'fake-indexeddb'
import { MAM } from '../../../src/core/xmpp/ns.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { Town } from '../xmpp/town.ts'
import { Proxy } from '../xmpp/proxy.ts'
import { stubLocks, type Client, type Disk } from './here.ts'
import { Company, messages, said } from './company.ts'

let town: Town
let proxy: Proxy
let here: Company
let cut = false
const url = () => cut ? 'wss://localhost:1/ws' : proxy.url
stubLocks()
beforeAll(async () => {
  town = await Town.found(['romeo', 'juliet', 'nurse'])
  proxy = await Proxy.open(() => town.port)
  here = new Company(town)
})
afterAll(() => {
  proxy.close()
  return town.end()
})
afterEach(() => {
  cut = false
  here.end()
  vi.restoreAllMocks()
})

/** For whom a client encrypts, each time. */
function sealed(c: Client): string[][] {
  const { secure } = c.lead.worker
  const seal = secure.seal.bind(secure)
  const all: string[][] = []
  secure.seal = (to, outbound, members) => {
    if (members) all.push([...members].sort())
    return seal(to, outbound, members)
  }
  return all
}

/** A connection that is gone, until `back`. */
async function away(c: Client): Promise<void> {
  cut = true
  proxy.cut()
  await c.until(() => c.connection.state !== 'live')
}

function back(c: Client): void {
  cut = false
  c.engine.reconnect()
}

test('what is said while the connection is away, and comes back, is encrypted for who is in the group then', async () => {
  const [romeo, juliet, nurse] = [await here.client('romeo'), await here.client('juliet', { url }), await here.client('nurse')]
  const jid = await here.group('Resumed', romeo, juliet, nurse)
  const whom = sealed(juliet)
  await away(juliet)
  await juliet.engine.send(jid, { text: 'not for her' })
  await romeo.engine.group('remove', jid, nurse.jid)
  await nurse.until(async () => !!(await nurse.db.get('chats', jid))?.group?.ended)
  back(juliet)
  await romeo.until(async () => (await said(romeo, jid)).includes('not for her'))
  expect(whom).toEqual([[romeo.jid]])
}, 60_000)

test('a device that starts with something to send reads the log first', async () => {
  const disk: Disk = { factory: new IDBFactory() }
  const [romeo, nurse] = [await here.client('romeo'), await here.client('nurse')]
  let juliet = await here.client('juliet', { disk, url })
  const jid = await here.group('Anew', romeo, juliet, nurse)
  juliet.kill()
  await romeo.engine.group('remove', jid, nurse.jid)
  await nurse.until(async () => !!(await nurse.db.get('chats', jid))?.group?.ended)
  cut = true
  juliet = await here.open('juliet', { disk, url })
  const whom = sealed(juliet)
  await juliet.engine.send(jid, { text: 'who is there?' })
  back(juliet)
  await romeo.until(async () => (await said(romeo, jid)).includes('who is there?'))
  expect(whom).toEqual([[romeo.jid]])
  await juliet.engine.send(jid, { text: 'and now?' }) // nothing waits where nothing changed
  await romeo.until(async () => (await said(romeo, jid)).includes('and now?'))
}, 60_000)

test('a log that cannot be read stops nothing for ever: the message says why, and leaves when it is tried again', async () => {
  const [romeo, juliet] = [await here.client('romeo'), await here.client('juliet', { url })]
  const jid = await here.group('Torn', romeo, juliet)
  const other = await here.group('Whole', romeo, juliet)
  const { connection } = juliet.lead.worker
  const request = connection.request.bind(connection)
  let broken = true
  vi.spyOn(connection, 'request').mockImplementation((type, payload, options) => broken && payload.ns === MAM && options?.to === jid
    ? Promise.reject(new StanzaError('internal-server-error')) : request(type, payload, options))
  await away(juliet)
  await romeo.engine.send(jid, { text: 'unheard' })
  await romeo.until(async () => (await messages(romeo, jid)).some((m) => m.content.type === 'text' && m.archiveId))
  juliet.lead.worker.groups.take = () => Promise.resolve() // what the resumed stream brings is lost, so that the log has to be read
  for (const to of [jid, other]) await juliet.engine.send(to, { text: 'hello' })
  back(juliet)
  await romeo.until(async () => (await said(romeo, other)).includes('hello'))
  await juliet.until(async () => (await messages(juliet, jid)).at(-1)?.state === 'failed')
  expect((await messages(juliet, jid)).at(-1)?.failure).toBe('group-log')
  broken = false
  await juliet.until(async () => (await said(juliet, jid)).includes('unheard'))
  await juliet.engine.retry((await messages(juliet, jid)).find((m) => m.own && m.state === 'failed')?.id ?? '')
  await romeo.until(async () => (await said(romeo, jid)).includes('hello'))
}, 60_000)
