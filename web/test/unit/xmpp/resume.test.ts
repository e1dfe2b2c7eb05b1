// What happens to messages when connections, servers and sessions end: what was acknowledged is there, once and in order.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { PULSE } from '../../../src/core/net/pulse.ts'
import { queryArchive } from '../../../src/core/xmpp/mam.ts'
import { announce } from '../../../src/core/xmpp/presence.ts'
import { message, newID } from '../../../src/core/xmpp/stanza.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { Proxy } from './proxy.ts'
import { Resident, Town } from './town.ts'

let town: Town
let proxy: Proxy
const times = { ...PULSE }
beforeAll(async () => { town = await Town.found(['romeo', 'juliet', 'mercutio', 'nurse', 'tybalt', 'benvolio']) })
afterAll(() => town.end())
beforeEach(async () => { proxy = await Proxy.open(() => town.port) })
afterEach(() => {
  proxy.close()
  Object.assign(PULSE, times)
})

function client(name: string): Resident {
  const who = new Resident(town, name)
  who.servers = [proxy.url]
  return who
}

/** Sends messages 0 to n-1 with what becomes of each. */
function sendMany(who: Resident, to: string, n: number, tag = newID()) {
  const ids = Array.from({ length: n }, (_, i) => `${tag}-${i}`)
  const fates = ids.map((id) => new Promise<boolean>((resolve) => who.connection.send(message({ to, id }, el('jabber:client', 'body', {}, id)), resolve)))
  return { ids, fates: Promise.all(fates) }
}

test('a session goes on after its connection was cut, with nothing lost, doubled or out of order', async () => {
  const [romeo, juliet] = [client('romeo'), new Resident(town, 'juliet')]
  await Promise.all([romeo.live(), juliet.live()])
  const got: string[] = []
  juliet.connection.on('message', (m) => { got.push(m.attr('id') ?? ''); juliet.changed() })
  announce(juliet.connection)
  const first = sendMany(romeo, 'juliet@localhost', 20)
  proxy.cut()
  const second = sendMany(romeo, 'juliet@localhost', 20)
  await romeo.until(() => romeo.begun.length === 2)
  expect(romeo.begun[1]?.resumed).toBe(true)
  expect(await first.fates).toEqual(Array<boolean>(20).fill(true))
  expect(await second.fates).toEqual(Array<boolean>(20).fill(true))
  const last = sendMany(romeo, 'juliet@localhost', 1)
  await juliet.until(() => got.includes(last.ids[0] ?? ''))
  expect(got).toEqual([...first.ids, ...second.ids, ...last.ids])
  romeo.connection.stop()
  juliet.connection.stop()
})

test('what comes while the connection is away comes with the resumption, once', async () => {
  const [mercutio, nurse] = [new Resident(town, 'mercutio'), client('nurse')]
  await Promise.all([mercutio.live(), nurse.live()])
  const got: string[] = []
  nurse.connection.on('message', (m) => { got.push(m.attr('id') ?? ''); nurse.changed() })
  announce(nurse.connection)
  const before = sendMany(mercutio, nurse.connection.jid, 3)
  await nurse.until(() => got.length === 3)
  nurse.servers = []
  proxy.cut()
  const away = sendMany(mercutio, nurse.connection.jid, 5)
  expect(await away.fates).toEqual(Array<boolean>(5).fill(true))
  nurse.servers = [proxy.url]
  nurse.connection.nudge()
  await nurse.until(() => got.length >= 8)
  const after = sendMany(mercutio, nurse.connection.jid, 1)
  await nurse.until(() => got.includes(after.ids[0] ?? ''))
  expect(nurse.begun[1]?.resumed).toBe(true)
  expect(got).toEqual([...before.ids, ...away.ids, ...after.ids])
  mercutio.connection.stop()
  nurse.connection.stop()
})

test('what was not kept yet when the connection broke comes again', async () => {
  const [tybalt, benvolio] = [new Resident(town, 'tybalt'), client('benvolio')]
  await Promise.all([tybalt.live(), benvolio.live()])
  const got: string[] = []
  const keep: (() => void)[] = []
  benvolio.connection.on('message', (m) => new Promise((resolve) => {
    got.push(m.attr('id') ?? '')
    keep.push(resolve)
    benvolio.changed()
  }))
  announce(benvolio.connection)
  const sent = sendMany(tybalt, benvolio.connection.jid, 3)
  await benvolio.until(() => got.length >= 3)
  keep[0]?.()
  await benvolio.connection.request('get', el('urn:xmpp:ping', 'ping'))
  benvolio.servers = []
  proxy.cut()
  keep[2]?.()
  benvolio.servers = [proxy.url]
  benvolio.connection.nudge()
  await benvolio.until(() => got.length >= 5)

  for (const one of keep) one()
  const last = sendMany(tybalt, benvolio.connection.jid, 1)
  await benvolio.until(() => got.length === 6)
  expect(got).toEqual([...sent.ids, ...sent.ids.slice(1), ...last.ids])
  for (const one of keep) one()
  proxy.cut()
  await benvolio.until(() => benvolio.begun.length === 3)
  expect(benvolio.begun.map((b) => b.resumed)).toEqual([false, true, true])
  tybalt.connection.stop()
  benvolio.connection.stop()
})

test('a stalled connection is noticed by its silence, and the session goes on elsewhere', async () => {
  PULSE.answer = 400
  const romeo = await client('mercutio').live()
  proxy.stall()
  const sent = sendMany(romeo, 'nurse@localhost', 3)
  romeo.servers = [town.url]
  expect(await sent.fates).toEqual([true, true, true])
  expect(romeo.begun.map((b) => b.resumed)).toEqual([false, true])
  romeo.connection.stop()
})

test('an idle connection is asked, and found dead', async () => {
  Object.assign(PULSE, { idle: 300, answer: 400 })
  const romeo = await client('mercutio').live()
  proxy.stall()
  romeo.servers = [town.url]
  await romeo.until(() => romeo.begun.length === 2)
  expect(romeo.begun[1]?.resumed).toBe(true)
  romeo.connection.stop()
})

test('a second server is taken when the first does not answer', async () => {
  const romeo = client('mercutio')
  romeo.servers = ['wss://localhost:9/ws', 'not an address', proxy.url]
  await romeo.live()
  expect(romeo.connection.link).toMatchObject({ state: 'fallback', server: proxy.url })
  romeo.connection.stop()
})

test('a killed server: each message was either acknowledged and is kept, or is its sender\'s again', async () => {
  const nurse = await client('nurse').live()
  const sent = sendMany(nurse, 'mercutio@localhost', 200)
  await new Promise<void>((resolve) => nurse.connection.send(message({ to: 'mercutio@localhost', id: 'last' }), () => resolve()))
  const more = sendMany(nurse, 'mercutio@localhost', 200)
  await town.stop('SIGKILL')
  const restarted = town.start()
  const fates = [...await sent.fates, ...await more.fates]
  await restarted
  nurse.connection.nudge()
  await nurse.until(() => nurse.begun.length === 2)
  expect(nurse.begun[1]?.resumed).toBe(false)
  expect(fates.slice(0, 200).every(Boolean)).toBe(true)
  const kept = new Set<string>()
  for (let after: string | undefined = ''; ;) {
    const page = await queryArchive(nurse.connection, { ...(after ? { after } : {}), with: 'mercutio@localhost', max: 100 })
    for (const m of page.messages) kept.add(m.stanza.attr('id') ?? '')
    after = page.last
    if (page.complete || !after) break
  }
  const ids = [...sent.ids, ...more.ids]
  expect(ids.filter((id, i) => fates[i] && !kept.has(id))).toEqual([])
  nurse.connection.stop()
})

test('more than the bound is its sender\'s at once', async () => {
  const romeo = await client('romeo').live()
  proxy.stall()
  const sent = sendMany(romeo, 'juliet@localhost', 600)
  romeo.connection.stop()
  expect((await sent.fates).filter((fate) => !fate).length).toBe(600)
  const offline = sendMany(romeo, 'juliet@localhost', 1)
  expect(await offline.fates).toEqual([false])
})
