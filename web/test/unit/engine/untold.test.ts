// A correction, a reaction, a vote or a pin that the others did not get says so, and a person decides: again, or as it was.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Line } from '../../../src/core/engine/line.ts'
import { CannotEncrypt } from '../../../src/core/engine/secure.ts'
import { message, newID } from '../../../src/core/xmpp/stanza.ts'
import { CLIENT, CORRECT } from '../../../src/core/xmpp/ns.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { Device } from './device.ts'
import { Server, type FakeSession } from './town.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

let device: Device
let server: Server
let session: FakeSession
let mine = ''
let hers = ''

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  server = new Server(ME)
  device = await Device.open(server)
  session = device.connect()
  await device.idle()
  mine = (await device.desk.send(HER, { text: 'my name' })).id
  server.arrive(message({ from: HER + '/phone', to: ME, id: newID() + newID() }, el(CLIENT, 'body', {}, 'thy name')))
  await device.until(async () => (await device.messages(HER)).length === 2)
  await device.idle()
  hers = (await device.messages(HER)).find((m) => !m.own)?.id ?? ''
})
afterEach(() => device.kill())

const kept = async (id: string) => (await device.db.get('messages', id)) ?? (() => { throw new Error('no such message') })()
const text = async (id: string) => { const { content } = await kept(id); return content.type === 'text' ? content.text : '' }
const waiting = async () => {
  const line = new Line(device.db, device.news)
  const list = await line.waiting()
  line.end()
  return list
}
/** What was sent last comes back. */
function bounce(id: string | undefined): void {
  server.arrive(message({ from: HER, to: ME, id, type: 'error' }, el(CLIENT, 'error', { type: 'cancel' }, el(STANZAS, 'service-unavailable'))))
}

test('a correction that cannot be encrypted says so, stands among what waits, and can be undone', async () => {
  device.refusal = new CannotEncrypt('no-devices')
  await device.desk.edit(mine, 'another name')
  await device.until(async () => !!(await kept(mine)).untold)
  expect(await kept(mine)).toMatchObject({ state: 'sent', untold: { what: 'edit', failure: 'no-devices', undo: true }, content: { text: 'another name' } })
  expect(await waiting()).toMatchObject([{ id: mine, text: 'another name', failure: 'no-devices' }])
  await device.desk.undo(mine)
  expect(await kept(mine)).not.toHaveProperty('untold')
  expect(await kept(mine)).not.toHaveProperty('edited')
  expect(await text(mine)).toBe('my name')
  expect(await device.db.count('outbox')).toBe(0)
})

test('it goes again when a person says so', async () => {
  device.refusal = new CannotEncrypt('undecided')
  await device.desk.edit(mine, 'another name')
  await device.until(async () => (await kept(mine)).untold?.failure === 'untrusted-devices')
  device.refusal = undefined
  await device.desk.retry(mine)
  await device.idle()
  expect(await kept(mine)).not.toHaveProperty('untold')
  expect(session.sent.filter((s) => s.child('replace', CORRECT)).map((s) => s.textOf('body'))).toEqual(['another name'])
})

test('a correction that comes back was not received, and the one after it that is received makes it good', async () => {
  await device.desk.edit(mine, 'another name')
  await device.idle()
  bounce(session.sent.at(-1)?.attr('id'))
  await device.until(async () => !!(await kept(mine)).untold)
  expect(await kept(mine)).toMatchObject({ state: 'sent', untold: { what: 'edit', failure: 'unknown-contact' } })
  await device.desk.edit(mine, 'a third name')
  await device.idle()
  expect(await kept(mine)).not.toHaveProperty('untold')
  expect(await text(mine)).toBe('a third name')
})

test('a reaction and a pin on what they said come back: undone they are gone', async () => {
  await device.desk.react(hers, '👍')
  await device.idle()
  await device.desk.react(hers, '🌹')
  await device.idle()
  const reaction = session.sent.at(-1)?.attr('id')
  await device.desk.pin(hers, true)
  await device.idle()
  const pin = session.sent.at(-1)?.attr('id')
  bounce(reaction)
  bounce(pin)
  await device.until(async () => (await device.db.count('outbox')) === 2)
  expect(await kept(hers)).toMatchObject({ pinned: true, reactions: { '🌹': [ME] } })
  await device.desk.undo(hers)
  expect(await kept(hers)).toMatchObject({ pinned: false, reactions: { '👍': [ME] } })
  expect(await kept(hers)).not.toHaveProperty('untold')
  expect(await device.db.count('outbox')).toBe(0)
})

test('a retraction that comes back says so and goes again; an error for what we never sent changes nothing', async () => {
  bounce('never-sent-this-one-at-all')
  await device.desk.remove([mine], true)
  await device.idle()
  const id = session.sent.at(-1)?.attr('id')
  bounce(id)
  await device.until(async () => !!(await kept(mine)).untold)
  expect((await kept(mine)).untold).toEqual({ what: 'retract', failure: 'unknown-contact' })
  await device.desk.retry(mine)
  await device.idle()
  expect(await kept(mine)).not.toHaveProperty('untold')
  expect(session.sent.filter((s) => s.attr('id') === id)).toHaveLength(2)
})
