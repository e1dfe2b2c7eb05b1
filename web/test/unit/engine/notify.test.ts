// What the service worker is told while the client is open.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { unknown } from '../../../src/core/engine/channel-keep.ts'
import { News } from '../../../src/core/engine/changes.ts'
import { Notifier, type Workers } from '../../../src/core/engine/notify.ts'
import { isAdmin } from '../../../src/core/engine/role.ts'
import { openAccount } from '../../../src/core/store/database.ts'
import { CLIENT } from '../../../src/core/xmpp/ns.ts'
import type { Session } from '../../../src/core/xmpp/session.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { el } from '../../../src/core/xmpp/xml.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'
const NURSE = 'nurse@example.org'

test('what came is told, and what was read takes its notification away, also one from before the start', async () => {
  globalThis.indexedDB = new IDBFactory()
  const db = await openAccount(ME)
  const news = new News(ME, { postMessage: () => undefined, onmessage: null, close: () => undefined })
  const told: unknown[] = []
  let heard: () => void = () => undefined
  const next = () => new Promise<void>((resolve) => { heard = resolve })
  const shown = [{ data: { account: ME, chat: NURSE } }, { data: { account: 'other@example.org', chat: HER } }, { data: 'odd' }]
  const workers: Workers = { ready: Promise.resolve({ active: { postMessage: (m) => { told.push(m); heard() } }, getNotifications: () => Promise.resolve(shown) }) }
  const put = (jid: string, unread: number) => db.put('chats', { jid, kind: 'person', name: jid, time: 1, unread, protection: 'omemo' })
  await put(HER, 1)
  await put(NURSE, 0)
  const first = next()
  const notifier = new Notifier(ME, db, news, workers)
  await first
  expect(told).toEqual([{ type: 'looks', account: ME, chat: NURSE }])
  const second = next()
  notifier.arrived(HER)
  await second
  news.tell({ chats: [HER] }) // still unread
  await put(HER, 0)
  const third = next()
  news.tell({ chats: [HER, NURSE] })
  await third
  news.tell({ chats: [HER] })
  expect(told.slice(1)).toEqual([{ type: 'arrived', account: ME, chat: HER }, { type: 'looks', account: ME, chat: HER }])
  const fourth = next()
  notifier.arrived(HER, true)
  await fourth
  expect(told.at(-1)).toEqual({ type: 'arrived', account: ME, chat: HER, called: true })
  notifier.end()
  db.close()
})

test('a channel that was read takes its notification away', async () => {
  globalThis.indexedDB = new IDBFactory()
  const db = await openAccount(ME)
  const news = new News(ME, { postMessage: () => undefined, onmessage: null, close: () => undefined })
  const told: unknown[] = []
  let heard: () => void = () => undefined
  const next = () => new Promise<void>((resolve) => { heard = resolve })
  const notifier = new Notifier(ME, db, news, { ready: Promise.resolve({ active: { postMessage: (m) => { told.push(m); heard() } }, getNotifications: () => Promise.resolve([]) }) })
  const town = 'town@channels.example.org'
  await db.put('channels', { ...unknown('town', 1), unread: 1 })
  const first = next()
  notifier.arrived(town)
  await first
  news.tell({ channels: ['town'] }) // still unread
  await db.put('channels', { ...unknown('town', 1), unread: 0 })
  const second = next()
  news.tell({ channels: ['town', ''] })
  await second
  expect(told).toEqual([{ type: 'arrived', account: ME, chat: town }, { type: 'looks', account: ME, chat: town }])
  notifier.end()
  db.close()
})

test('who administers is known by what the server answers, and only by that', async () => {
  const session = (answer: () => Promise<ReturnType<typeof el>>) => ({ account: ME, request: answer }) as unknown as Session
  expect(await isAdmin(session(() => Promise.resolve(el(CLIENT, 'iq'))))).toBe(true)
  for (const no of ['forbidden', 'service-unavailable', 'item-not-found']) expect(await isAdmin(session(() => Promise.reject(new StanzaError(no))))).toBe(false)
  for (const nothing of ['disconnected', 'remote-server-timeout']) expect(await isAdmin(session(() => Promise.reject(new StanzaError(nothing))))).toBeUndefined()
})
