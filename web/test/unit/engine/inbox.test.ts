// What comes by several ways, in any order, and from people who lie.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CARBONS, CLIENT, CORRECT, DELAY, FORWARD, IDS, MAM, MARKERS, REACTIONS, RECEIPTS, RETRACT } from '../../../src/core/xmpp/ns.ts'
import { message, newID } from '../../../src/core/xmpp/stanza.ts'
import { el, Element, type Node } from '../../../src/core/xmpp/xml.ts'
import { Device } from './device.ts'
import { Server } from './town.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'
const EVE = 'eve@example.org'

let server: Server
let device: Device
beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  server = new Server(ME)
  server.keep(from(EVE, newID(), body('before')))
  device = await Device.open(server)
  device.connect()
  await device.idle()
})
afterEach(() => device.kill())

const uid = () => newID() + newID()
const body = (text: string) => el(CLIENT, 'body', {}, text)
const from = (jid: string, id: string, ...nodes: (Node | undefined)[]) => message({ from: jid + '/phone', to: ME, id }, ...nodes)
const copy = (kind: 'sent' | 'received', claimed: string, inner: Element) => el(CLIENT, 'message', { from: claimed, to: ME + '/web' },
  el(CARBONS, kind, {}, el(FORWARD, 'forwarded', {}, inner)))
const settled = () => device.inbox.take(from(HER, uid(), el(RECEIPTS, 'received', { id: uid() }), el('urn:x', 'x')))
const texts = async (chat = HER) => (await device.messages(chat)).map((m) => m.content.type === 'text' ? m.content.text : m.content.type)

test('the same message live, as a copy and from the archive is one message', async () => {
  const id = uid()
  const stanza = from(HER, id, body('soft'))
  const archived = server.arrive(stanza)
  await device.until(async () => (await texts()).length === 1)
  await device.inbox.take(copy('received', ME, new Element(stanza.ns, stanza.name, stanza.attrs, [...stanza.nodes, el(IDS, 'stanza-id', { id: archived, by: ME })])))
  await device.inbox.take(stanza)
  device.connect()
  await device.idle()
  expect(await texts()).toEqual(['soft'])
  expect((await device.db.get('chats', HER))?.unread).toBe(1)
})

test('somebody else who uses the same id takes nothing away', async () => {
  const id = uid()
  server.arrive(from(EVE, id, body('first')))
  server.arrive(from(HER, id, body('mine')))
  await device.until(async () => (await texts()).length === 1)
  expect(await texts()).toEqual(['mine'])
})

test('short ids that repeat are different messages', async () => {
  server.arrive(from(HER, '1', body('a')))
  server.arrive(from(HER, '1', body('b')))
  await device.until(async () => (await texts()).length === 2)
  expect(await texts()).toEqual(['a', 'b'])
})

test('forged copies and archives are dropped', async () => {
  await device.inbox.take(copy('sent', EVE, message({ from: ME + '/other', to: HER, id: uid() }, body('forged'))))
  await device.inbox.take(copy('sent', ME + '/web', message({ from: ME + '/other', to: HER, id: uid() }, body('forged'))))
  await device.inbox.take(copy('sent', ME, message({ from: EVE, to: HER, id: uid() }, body('forged'))))
  await device.inbox.take(el(CLIENT, 'message', { from: EVE }, el(MAM, 'result', { queryid: 'q', id: '1790000000000001' },
    el(FORWARD, 'forwarded', {}, el(DELAY, 'delay', { stamp: '2026-01-01T00:00:00Z' }), from(HER, uid(), body('forged'))))))
  expect(await device.db.count('messages')).toBe(1)
})

test('a stanza-id that is not by our account is not believed', async () => {
  await device.inbox.take(from(HER, uid(), body('x'), el(IDS, 'stanza-id', { id: '1999999999999999', by: EVE })))
  const [m] = await device.messages(HER)
  expect(m?.stanzaId).toBeUndefined()
  expect((await device.db.get('kv', 'cursor'))).toBeLessThan(1999999999999999)
})

test('corrections, retractions and reactions may come before their message', async () => {
  const id = uid()
  server.arrive(from(HER, uid(), body('right'), el(CORRECT, 'replace', { id })))
  server.arrive(from(HER, uid(), el(REACTIONS, 'reactions', { id }, el(REACTIONS, 'reaction', {}, '👍'))))
  const gone = uid()
  server.arrive(from(HER, uid(), el(RETRACT, 'retract', { id: gone })))
  server.arrive(from(HER, id, body('wrong')))
  server.arrive(from(HER, gone, body('secret')))
  await device.until(async () => (await texts()).length === 2)
  const [first, second] = await device.messages(HER)
  expect(first?.content).toEqual({ type: 'text', text: 'right' })
  expect(first?.edited).toBeDefined()
  expect(first?.reactions).toEqual({ '👍': [HER] })
  expect(second?.retracted?.by).toBe(HER)
  expect(JSON.stringify(second)).not.toContain('secret')
  expect(await device.views.search('secret')).toEqual([])
})

test('only the author corrects and retracts', async () => {
  const id = uid()
  server.arrive(from(HER, id, body('mine')))
  server.arrive(from(EVE, uid(), body('changed'), el(CORRECT, 'replace', { id })))
  server.arrive(from(EVE, uid(), el(RETRACT, 'retract', { id })))
  await settled()
  await device.until(async () => (await texts()).length === 1)
  expect(await texts()).toEqual(['mine'])
  expect((await device.messages(HER))[0]?.retracted).toBeUndefined()
})

test('an older reaction does not undo a newer one', async () => {
  const id = uid()
  const react = (emoji: string) => from(HER, uid(), el(REACTIONS, 'reactions', { id }, ...(emoji ? [el(REACTIONS, 'reaction', {}, emoji)] : [])))
  server.arrive(from(HER, id, body('x')))
  server.arrive(react('👍'))
  server.arrive(react('❤️'))
  await device.until(async () => !!(await device.messages(HER))[0]?.reactions?.['❤️'])
  const late = react('👎')
  await device.inbox.take(new Element(late.ns, late.name, late.attrs, [...late.nodes, el(DELAY, 'delay', { stamp: '2020-01-01T00:00:00Z' })]))
  expect((await device.messages(HER))[0]?.reactions).toEqual({ '❤️': [HER] })
})

test('receipts and markers move the ticks forward only, and only the other side gives them', async () => {
  const one = await device.desk.send(HER, { text: 'one' })
  const two = await device.desk.send(HER, { text: 'two' })
  await device.idle()
  server.arrive(from(EVE, uid(), el(RECEIPTS, 'received', { id: one.id })))
  server.arrive(from(HER, uid(), el(MARKERS, 'displayed', { id: two.id })))
  server.arrive(from(HER, uid(), el(RECEIPTS, 'received', { id: two.id })))
  await device.until(async () => (await device.db.get('messages', two.id))?.state === 'read')
  await settled()
  expect((await device.db.get('messages', one.id))?.state).toBe('read')
  expect((await device.db.get('messages', two.id))?.state).toBe('read')
  expect(Object.keys((await device.db.get('messages', one.id))?.receipts ?? {})).toEqual([HER])
})

test('a receipt goes to contacts alone, and once', async () => {
  await device.db.put('contacts', { jid: HER, subscription: 'both' })
  const id = uid()
  server.arrive(from(HER, id, body('x'), el(RECEIPTS, 'request')))
  server.arrive(from(EVE, uid(), body('y'), el(RECEIPTS, 'request')))
  await device.until(async () => (await texts(EVE)).length === 2)
  await device.idle()
  device.connect()
  await device.idle()
  const receipts = server.entries.filter((e) => e.stanza.child('received', RECEIPTS))
  expect(receipts.map((e) => [e.stanza.attr('to'), e.stanza.child('received', RECEIPTS)?.attr('id')])).toEqual([[HER, id]])
})

test('what is missed is read from the archive, in order, and the cursor follows', async () => {
  device.session?.end()
  const ids = Array.from({ length: 250 }, (_, i) => server.keep(from(HER, uid(), body(`m${i}`))))
  device.connect()
  await device.idle()
  expect(await texts()).toEqual(Array.from({ length: 250 }, (_, i) => `m${i}`))
  expect(await device.db.get('kv', 'cursor')).toBe(Number(ids.at(-1)))
  expect((await device.db.get('chats', HER))?.unread).toBe(250)
})

test('what comes live while the archive is read does not move the cursor over the gap', async () => {
  device.session?.end()
  for (let i = 0; i < 150; i++) server.keep(from(HER, uid(), body(`m${i}`)))
  const session = device.connect()
  const live = server.arrive(from(HER, uid(), body('live')))
  await device.until(async () => (await texts()).includes('live'))
  session.end()
  expect(await device.db.get('kv', 'cursor')).toBeLessThanOrEqual(Number(live))
  device.connect()
  await device.idle()
  expect((await texts()).length).toBe(151)
  expect((await texts()).at(-1)).toBe('live')
})

test('an error takes the tick back, with a reason, and it can be tried again', async () => {
  const { id } = await device.desk.send(HER, { text: 'x' })
  await device.idle()
  await device.inbox.take(el(CLIENT, 'message', { from: HER, to: ME + '/web', id, type: 'error' },
    el(CLIENT, 'error', { type: 'cancel' }, el('urn:ietf:params:xml:ns:xmpp-stanzas', 'service-unavailable'))))
  expect(await device.db.get('messages', id)).toMatchObject({ state: 'failed', failure: 'unknown-contact' })
  await device.desk.retry(id)
  await device.idle()
  expect((await device.db.get('messages', id))?.state).toBe('sent')
})

test('what was deleted here does not come back from the archive', async () => {
  server.arrive(from(HER, uid(), body('away')))
  await device.until(async () => (await texts()).length === 1)
  const [m] = await device.messages(HER)
  await device.desk.remove([m?.id ?? ''], false)
  device.connect()
  await device.idle()
  expect(await texts()).toEqual([])
})

test('what our other device sends is ours, read, and needs no errand', async () => {
  server.arrive(from(HER, uid(), body('?')))
  await device.until(async () => (await texts()).length === 1)
  await device.inbox.take(copy('sent', ME, message({ from: ME + '/phone', to: HER, id: uid() }, body('!'))))
  const [, mine] = await device.messages(HER)
  expect(mine).toMatchObject({ own: true, state: 'sent' })
  expect((await device.db.get('chats', HER))?.unread).toBe(0)
  expect(await device.db.count('outbox')).toBe(0)
})

test('history is read backwards on demand, a chat at a time', async () => {
  device.kill()
  globalThis.indexedDB = new IDBFactory()
  server = new Server(ME)
  for (let i = 0; i < 1300; i++) server.keep(from(i % 2 ? HER : EVE, uid(), body(`m${i}`)))
  device = await Device.open(server)
  device.connect()
  await device.idle()
  expect(await device.db.count('messages')).toBe(1000)
  expect((await device.db.get('chats', HER))?.unread).toBe(0)
  const seen: string[] = []
  for (let before = Infinity, older = true; older;) {
    const window = await device.views.page(HER, { before, limit: 100 })
    seen.unshift(...window.messages.map((m) => m.content.type === 'text' ? m.content.text : ''))
    older = window.older
    before = window.messages[0]?.order ?? -Infinity
  }
  expect(seen).toEqual(Array.from({ length: 650 }, (_, i) => `m${2 * i + 1}`))
})

test('what was written while the server was slow stays behind what came before it, and is read with what comes after it', async () => {
  server.clock = (Date.now() + 60_000) * 1000 // the archive numbers later than this device
  const session = device.connect()
  await device.idle()
  session.fate = 'kept'
  session.onSend = () => { if (session.sent.length) session.fate = 'lost' }
  for (const text of ['one', 'two', 'three']) await device.desk.send(HER, { text })
  await device.until(() => Promise.resolve(session.sent.length === 3))
  device.connect()
  await device.until(async () => (await texts()).length === 3 && !!(await device.messages(HER)).find((m) => m.originId && m.archiveId))
  expect(await texts()).toEqual(['one', 'two', 'three'])
  await device.idle()
  const last = (await device.messages(HER)).at(-1)
  await device.inbox.take(from(HER, uid(), el(MARKERS, 'displayed', { id: last?.id ?? '' })))
  await settled()
  expect((await device.messages(HER)).map((m) => m.state)).toEqual(['read', 'read', 'read'])
})

test('numbers of the archive that are a microsecond apart keep the order, also with what others say in between', async () => {
  server.clock = (Date.now() + 60_000) * 1000
  server.apart = 1
  const session = device.connect()
  await device.idle()
  const said = Array.from({ length: 12 }, (_, i) => `${i}`)
  session.fate = 'kept'
  session.onSend = () => { if (session.sent.length % 4 === 3) server.keep(from(HER, uid(), body(`after ${session.sent.length - 1}`))) }
  for (const text of said) await device.desk.send(HER, { text })
  await device.until(() => Promise.resolve(session.sent.length === said.length))
  device.connect()
  await device.idle()
  await device.until(async () => (await texts()).length === said.length + 3)
  const archive = server.entries.filter((e) => e.stanza.attr('from')?.startsWith(HER) || e.stanza.attr('to') === HER).map((e) => e.stanza.textOf('body') ?? '')
  expect(await texts()).toEqual(archive.slice(-said.length - 3))
  expect((await texts()).filter((t) => !t.startsWith('after'))).toEqual(said)
})
