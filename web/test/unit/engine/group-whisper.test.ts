// What other apps say to one person in a group alone, and an invitation that was an addition.
import 'fake-indexeddb/auto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { IDBFactory } from 'fake-indexeddb'
import { apply } from '../../../src/core/engine/apply.ts'
import { Collector } from '../../../src/core/engine/changes.ts'
import { letterOf, unwrapLive } from '../../../src/core/engine/unwrap.ts'
import { change, everything, openAccount } from '../../../src/core/store/database.ts'
import { message, presence } from '../../../src/core/xmpp/stanza.ts'
import { MUC } from '../../../src/core/xmpp/ns.ts'
import { el, parse } from '../../../src/core/xmpp/xml.ts'
import { Resident, Town } from '../xmpp/town.ts'
import { Company, lines, messages, said } from './company.ts'
import { stubLocks, type Disk } from './here.ts'

let town: Town
let here: Company
stubLocks()
beforeAll(async () => {
  town = await Town.found(['romeo', 'juliet'])
  here = new Company(town)
})
afterAll(() => town.end())
afterEach(() => here.end())

test('what another app whispers is a line, not said to all', async () => {
  const disk: Disk = { factory: new IDBFactory() }
  const romeo = await here.client('romeo')
  let juliet = await here.client('juliet', { disk })
  const jid = await here.group('Gallery', romeo, juliet)
  juliet.kill() // it is told to the devices that are there with presence, and to the archive
  const [one, two] = [await new Resident(town, 'romeo').live(), await new Resident(town, 'juliet').live()]
  for (const [who, nick] of [[one, 'romeo'], [two, 'juliet']] as const) {
    const there = who.next('presence', (p) => p.attr('from') === `${jid}/${nick}`)
    who.connection.send(presence({ to: `${jid}/${nick}` }, el(MUC, 'x', {})))
    await there
  }
  const whispered = two.next('message', (m) => m.attr('id') === 'w1')
  one.connection.send(message({ to: `${jid}/juliet`, type: 'chat', id: 'w1' }, el('jabber:client', 'body', {}, 'for you alone')))
  await whispered
  juliet = await here.client('juliet', { disk })
  await juliet.until(async () => (await lines(juliet, jid)).includes('group-whisper'))
  expect((await messages(juliet, jid)).find((m) => m.content.type === 'system' && m.content.key === 'group-whisper')?.content).toMatchObject({ values: { who: 'romeo', text: 'for you alone' } })
  expect(await said(juliet, jid)).toEqual([])
  for (const who of [one, two]) who.connection.stop()
}, 60_000)

test('only words of a whisper are kept, and a contact cannot make a group of itself', async () => {
  globalThis.indexedDB = new IDBFactory()
  const me = 'juliet@localhost'
  const room = 'g@groups.localhost'
  const db = await openAccount(me)
  let now = 2e15
  const come = async (xml: string) => {
    const stanza = parse(xml)
    const envelope = stanza && unwrapLive(stanza, me, now++)
    const letter = envelope && letterOf(envelope, undefined)
    if (letter) await change(db, everything, (tx) => apply({ tx, account: me, now: 2e15, changes: new Collector() }, letter))
  }
  const from = (jid: string, inner: string) => `<message xmlns='jabber:client' type='chat' from='${jid}' to='${me}/x' id='${crypto.randomUUID()}'>${inner}</message>`
  const mark = "<x xmlns='http://jabber.org/protocol/muc#user'/>"
  await come(from(`${room}/Romeo`, `<body>psst</body><ephemeral xmlns='urn:xmpp:ephemeral:0' timer='5'/>${mark}`))
  expect((await db.get('chats', room))).toMatchObject({ kind: 'group', markedUnread: true })
  await come(from(`${room}/Romeo`, "<body>and on</body>"))
  expect((await db.getAll('messages')).map((m) => m.content.type)).toEqual(['system', 'system'])
  await come(from('tybalt@localhost/x', `<body>fight</body>${mark}`))
  expect(await db.get('chats', 'tybalt@localhost')).toMatchObject({ kind: 'person' })
  await come(from('tybalt@evil.example/x', `<body>fight</body>${mark}`))
  expect(await db.get('chats', 'tybalt@evil.example')).toMatchObject({ kind: 'person' })
  db.close()
})

test.each([false, true])('who is added by a contact sees that, and no invitation beside it, though that came first (and the list: %s)', async (listed) => {
  const [romeo, juliet] = [await here.client('romeo'), await here.client('juliet')]
  const take = juliet.lead.worker.groups.take.bind(juliet.lead.worker.groups)
  const held: Parameters<typeof take>[0][] = []
  juliet.lead.worker.groups.take = (stanza) => { held.push(stanza); return Promise.resolve() }
  await here.know(romeo, juliet)
  const { jid } = await romeo.engine.group('create', { name: 'Twice', members: [juliet.jid] })
  await juliet.until(async () => (await lines(juliet, jid)).includes('group-invited'))
  juliet.lead.worker.groups.take = take
  if (listed) await juliet.lead.worker.groups.here()
  for (const stanza of held) await take(stanza)
  await juliet.until(async () => (await lines(juliet, jid)).includes('group-added'))
  expect((await lines(juliet, jid)).filter((key) => key === 'group-invited' || key === 'group-added')).toEqual(['group-added'])
  expect((await juliet.db.get('chats', jid))?.last).toMatchObject({ line: { key: 'group-added' } })
}, 60_000)
