// What strangers write while only contacts may write: it is kept apart, and they learn nothing, until a person lets them in.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Chat, Contact } from '../../../src/core/model.ts'
import { overlay } from '../../../src/core/engine/contacts.ts'
import { change, look } from '../../../src/core/store/database.ts'
import { isRequest, sortRequests } from '../../../src/core/store/requests.ts'
import { takeDecided } from '../../../src/core/store/settings.ts'
import { CARBONS, CLIENT, FORWARD, IDS, MARKERS } from '../../../src/core/xmpp/ns.ts'
import { message, newID } from '../../../src/core/xmpp/stanza.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { Device } from './device.ts'
import { Server } from './town.ts'

const ME = 'romeo@example.org'
const EVE = 'eve@example.org'
const HER = 'juliet@example.org'

let server: Server
let device: Device
beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  server = new Server(ME)
  device = await Device.open(server)
  await device.db.put('contacts', { jid: HER, subscription: 'both' })
  await allow(false)
  device.connect()
  await device.idle()
})
afterEach(() => device.kill())

const allow = (strangers: boolean) => change(device.db, ['kv', 'chats', 'contacts', 'messages'], async (tx) => {
  await tx.objectStore('kv').put({ strangers }, 'choices')
  return sortRequests(tx, ME, strangers)
})
const uid = () => newID() + newID()
const chat = (jid: string): Promise<Chat | undefined> => device.db.get('chats', jid)

/** Somebody writes, and wants to be told when it was read. */
async function writes(jid: string): Promise<void> {
  const before = (await device.messages(jid)).length
  server.arrive(message({ from: `${jid}/phone`, to: ME, id: uid() }, el(CLIENT, 'body', {}, 'hello'), el(MARKERS, 'markable')))
  await device.until(async () => (await device.messages(jid)).length > before)
}

/** What was told of having read. */
const told = () => device.session?.sent.filter((s) => s.child('displayed', MARKERS)).map((s) => s.attr('to')) ?? []

test('a stranger is a request, a contact is not', async () => {
  for (const jid of [EVE, HER]) await writes(jid)
  expect((await chat(EVE))?.request).toBe(true)
  expect((await chat(HER))?.request).toBeUndefined()
})

test('when everybody may write nothing is a request', async () => {
  await allow(true)
  await writes(EVE)
  expect((await chat(EVE))?.request).toBeUndefined()
})

test('what is read of a request is told to nobody, and all of it when they are let in', async () => {
  await writes(EVE)
  await device.desk.read(EVE, Number.MAX_SAFE_INTEGER, true)
  await device.idle()
  expect((await chat(EVE))?.unread).toBe(0)
  expect(told()).toEqual([])
  await device.desk.setChat(EVE, { accepted: true })
  await device.idle()
  expect((await chat(EVE))?.request).toBeUndefined()
  expect(told()).toEqual([EVE])
})

test('before their first message is kept they are hidden from already; our own server never is', async () => {
  expect(await isRequest(look(device.db), EVE, ME)).toBe(true)
  expect(await isRequest(look(device.db), HER, ME)).toBe(false)
  for (const known of [ME, 'example.org']) expect(await isRequest(look(device.db), known, ME)).toBe(false)
})

test('an answer lets them in, here and from another device', async () => {
  await writes(EVE)
  await device.desk.send(EVE, { text: 'who are you' })
  expect((await chat(EVE))?.request).toBeUndefined()
  await writes('mallory@example.org')
  const mine = message({ from: `${ME}/other`, to: 'mallory@example.org', id: uid() }, el(CLIENT, 'body', {}, 'yes?'), el(IDS, 'stanza-id', { id: '1790000000999000', by: ME }))
  await device.inbox.take(message({ from: ME, to: `${ME}/web` }, el(CARBONS, 'sent', {}, el(FORWARD, 'forwarded', {}, mine))))
  expect((await chat('mallory@example.org'))?.request).toBeUndefined()
})

test('who becomes a contact is let in; who asks to be one is not', async () => {
  await writes(EVE)
  const becomes = (contact: Contact) => change(device.db, ['contacts', 'chats', 'kv', 'outbox'], (tx) => overlay(tx, EVE, contact))
  await becomes({ jid: EVE, subscription: 'none', asks: 'in', nick: 'Eve' })
  expect(await chat(EVE)).toMatchObject({ request: true, name: 'Eve' })
  await becomes({ jid: EVE, subscription: 'from' })
  expect((await chat(EVE))?.request).toBeUndefined()
})

test('that they were let in on another device holds here, also when it is known before they write', async () => {
  await writes(EVE)
  const elsewhere = (jid: string) => change(device.db, ['kv', 'chats'], (tx) => takeDecided(tx, jid, { accepted: { value: true, at: 1_795_000_000_000_000 } }))
  await elsewhere(EVE)
  expect((await chat(EVE))?.request).toBeUndefined()
  await elsewhere('mallory@example.org')
  await writes('mallory@example.org')
  expect((await chat('mallory@example.org'))?.request).toBeUndefined()
})

test('one that was deleted comes as a request again', async () => {
  await writes(EVE)
  await device.desk.clear(EVE)
  await writes(EVE)
  expect(await chat(EVE)).toMatchObject({ request: true, unread: 1 })
})

test('the choice sorts what is there: strangers who were never answered stand apart, and come back', async () => {
  await allow(true)
  for (const jid of [EVE, HER, 'mallory@example.org']) await writes(jid)
  await device.desk.send('mallory@example.org', { text: 'yes?' })
  expect(await allow(false)).toEqual([EVE])
  expect((await chat(EVE))?.request).toBe(true)
  expect(await allow(true)).toEqual([EVE])
  expect((await chat(EVE))?.request).toBeUndefined()
})

test('a timer without a word makes no chat for a stranger: what they write then is a request all the same', async () => {
  server.arrive(message({ from: `${EVE}/phone`, to: ME, id: uid() }, el('urn:xmpp:ephemeral:0', 'ephemeral', { timer: '3600' })))
  await device.idle()
  await writes(EVE)
  expect((await chat(EVE))?.request).toBe(true)
})
