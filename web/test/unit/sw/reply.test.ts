// What is typed into a notification: kept once, sent once, and said truly where it waits.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { tellSeen } from '../../../src/core/engine/answer.ts'
import { News } from '../../../src/core/engine/changes.ts'
import { Accounts } from '../../../src/core/store/accounts.ts'
import { openAccount, type Database } from '../../../src/core/store/database.ts'
import { CLIENT, MARKERS } from '../../../src/core/xmpp/ns.ts'
import { message, newID } from '../../../src/core/xmpp/stanza.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import type { Clicking } from '../../../src/sw/scope.ts'
import { Device } from '../engine/device.ts'
import { Server } from '../engine/town.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'

interface Shown { title: string; body: string; tag: string; data: { path: string; chat?: string; upTo?: number }; actions?: { action: string; type?: string }[] }

let server: Server
let shown: Shown[]
let opened: string[]
let badges: number[]
/** What waited when the notification was closed. */
let closed: Promise<number>[]
let windows: { visibilityState: string; focus(): Promise<unknown>; postMessage(m: unknown): void }[]
let told: unknown[]
let db: Database
const { clicked, sw, showCount } = await (async () => {
  vi.stubGlobal('registration', {
    showNotification: (title: string, options: object) => { shown.push({ title, ...options } as Shown); return Promise.resolve() },
    getNotifications: () => Promise.resolve(shown), pushManager: { getSubscription: () => Promise.resolve(null) },
  })
  vi.stubGlobal('clients', { matchAll: () => Promise.resolve(windows), openWindow: (path: string) => { opened.push(path); return Promise.resolve(null) } })
  const reply = await import('../../../src/sw/reply.ts')
  reply.ANSWER.patience = 300
  return { clicked: reply.clicked, sw: await import('../../../src/sw/push.ts'), showCount: (await import('../../../src/sw/badge.ts')).showCount }
})()

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  shown = []
  opened = []
  badges = []
  closed = []
  windows = []
  told = []
  const accounts = await Accounts.open()
  await accounts.add(ME, 1)
  accounts.close()
  server = new Server(ME)
  db = await openAccount(ME)
})
afterEach(() => { db.close() })

const body = (text: string) => el(CLIENT, 'body', {}, text)
const hers = (text: string) => message({ from: HER + '/phone', to: ME, id: newID() + newID() }, body(text), el(MARKERS, 'markable'))
const click = (action: string, reply: string | undefined, data: object = { path: '/chat/x', account: ME, chat: HER, upTo: Date.now() * 1000 }): Clicking =>
  ({ action, reply, notification: { data, close: () => { closed.push(db.count('outbox')) } } }) as unknown as Clicking
const waitingHere = async () => (await db.getAll('messages')).map((m) => [m.content.type === 'text' && m.content.text, m.state])
const sentTexts = () => server.entries.filter((e) => e.stanza.attr('from')?.startsWith(ME)).flatMap((e) => e.stanza.textOf('body') ?? [])
const markers = () => server.entries.flatMap((e) => e.stanza.child('displayed', MARKERS)?.attr('id') ?? [])

test('with no tab an answer is kept, the person is told so, and the next start sends it once', async () => {
  await clicked(click('reply', ' I come at once '), 'en')
  expect(await waitingHere()).toEqual([['I come at once', 'waiting']])
  expect(await db.count('outbox')).toBe(1)
  expect(shown.map((n) => n.title)).toEqual(['Your answer waits'])
  expect(opened).toEqual([]) // nothing jumps up
  expect(await closed[0]).toBe(1) // it was kept before what it was typed into went away
  const device = await Device.open(server)
  device.connect()
  await device.idle()
  await device.until(async () => await device.db.count('outbox') === 0)
  device.kill()
  const again = await Device.open(server)
  again.connect()
  await again.idle()
  expect(sentTexts()).toEqual(['I come at once'])
  again.kill()
})

test('an open tab hears of it and sends it; then nothing more is said', async () => {
  const device = await Device.open(server)
  device.connect()
  await device.idle()
  const tab = new News(ME)
  tab.listen((c) => { if (c.outbox) device.sender.wake() })
  device.news.listen((c) => tab.tell(c)) // as the tab's own news go to all others
  await clicked(click('reply', 'yes'), 'en')
  expect(sentTexts()).toEqual(['yes'])
  expect(shown).toEqual([])
  tab.close()
  device.kill()
})

test('what is being written in the chat stays', async () => {
  const device = await Device.open(server)
  await device.desk.setDraft(HER, { text: 'a long letter', time: 1 })
  await clicked(click('reply', 'short'), 'en')
  expect((await db.get('chats', HER))?.draft?.text).toBe('a long letter')
  device.kill()
})

test('an answer that cannot be kept is shown with its words', async () => {
  await clicked(click('reply', 'do not lose me', { path: '/chat/x', account: 'nobody@example.org', chat: HER }), 'en')
  expect(shown.map((n) => n.body)).toEqual(['Write it again in the chat: do not lose me'])
  expect(await db.count('messages')).toBe(0)
  expect((await indexedDB.databases()).map((d) => d.name)).not.toContain('palabre:nobody@example.org')
})

test('without words, or without the field, the chat opens', async () => {
  await clicked(click('reply', undefined), 'en')
  await clicked(click('', undefined), 'en')
  windows = [{ visibilityState: 'hidden', focus: () => Promise.resolve(), postMessage: (m) => { told.push(m) } }]
  await clicked(click('reply', '  '), 'en')
  await clicked(click('', undefined, { path: '//evil.example/' }), 'en')
  expect(opened).toEqual(['/chat/x', '/chat/x'])
  expect(told).toEqual([{ type: 'go', path: '/chat/x', account: ME }, { type: 'go', path: '/' }])
  expect(await db.count('messages')).toBe(0)
})

test('a notification opens the account that it is about, in a window that is there or in a new one', async () => {
  const accounts = await Accounts.open()
  await accounts.add('romeo@mantua.example', 2) // in use
  const first = async () => (await accounts.all())[0]?.jid
  await clicked(click('', undefined), 'en')
  expect([await first(), opened]).toEqual([ME, ['/chat/x']])
  await accounts.change('romeo@mantua.example', { used: Date.now() * 1000 + 1e9 })
  windows = [{ visibilityState: 'hidden', focus: () => Promise.resolve(), postMessage: (m) => { told.push(m) } }]
  await clicked(click('', undefined, { path: '/chat/y', account: 'romeo@mantua.example', chat: HER }), 'en')
  expect([await first(), told]).toEqual(['romeo@mantua.example', [{ type: 'go', path: '/chat/y', account: 'romeo@mantua.example' }]])
  accounts.close()
})

test('who looks at one account is told of another one', async () => {
  const wake = (chat?: string) => sw.woken({ data: { text: () => JSON.stringify({ count: 1, chat }) } } as never, 'en')
  windows = [{ visibilityState: 'visible', focus: () => Promise.resolve(), postMessage: () => undefined }]
  await wake('unknown')
  expect(shown).toEqual([]) // there is one account alone, and it tells by itself
  const accounts = await Accounts.open()
  await accounts.add('romeo@mantua.example', 2)
  accounts.close()
  const auth = new Uint8Array(16)
  vi.stubGlobal('registration', { ...(globalThis as unknown as { registration: object }).registration, pushManager: { getSubscription: () => Promise.resolve({ getKey: () => auth }) } })
  await db.put('chats', { jid: HER, kind: 'person', name: 'juliet', time: 1, unread: 0, protection: 'omemo' })
  await wake(await sw.hiddenName(auth, HER))
  expect(shown.map((n) => [n.title, n.data.path])).toEqual([['juliet', `/chat/${encodeURIComponent(HER)}`]])
})

test('a stranger who waits to be let in makes no notification and no number', async () => {
  vi.stubGlobal('Notification', { permission: 'granted' })
  vi.stubGlobal('navigator', { setAppBadge: (n: number) => { badges.push(n); return Promise.resolve() } })
  await db.put('chats', { jid: HER, kind: 'person', name: 'juliet', time: 1, unread: 1, protection: 'omemo', request: true })
  await sw.arrived(ME, HER, 'en')
  await sw.reacted(ME, HER, '👍', 'hello', 'en')
  await showCount()
  expect([shown, badges]).toEqual([[], [0]])
})

test('while only contacts may write, a wake-up for somebody unknown makes no sound; one for a contact without a chat does', async () => {
  const auth = new Uint8Array(16)
  vi.stubGlobal('registration', { ...(globalThis as unknown as { registration: object }).registration, pushManager: { getSubscription: () => Promise.resolve({ getKey: () => auth }) } })
  const wake = async (jid: string) => sw.woken({ data: { text: () => hidden(jid) } } as never, 'en')
  const names = new Map<string, string>()
  for (const jid of [HER, 'eve@example.org']) names.set(jid, await sw.hiddenName(auth, jid))
  const hidden = (jid: string) => JSON.stringify({ count: 1, chat: names.get(jid) })
  await db.put('contacts', { jid: HER, subscription: 'both' })
  await db.put('kv', { strangers: false }, 'choices')
  await wake(HER)
  await wake('eve@example.org')
  expect(shown.map((n) => (n as unknown as { silent: boolean }).silent)).toEqual([false, true])
})

test('a reaction to what one said is shown, unless the person does not want that', async () => {
  vi.stubGlobal('Notification', { permission: 'granted' })
  await db.put('chats', { jid: HER, kind: 'person', name: 'juliet', time: 1, unread: 0, protection: 'omemo' })
  await sw.reacted(ME, HER, '👍', 'I come', 'en')
  await db.put('kv', { preview: false }, 'choices')
  await sw.reacted(ME, HER, '👍', 'I come', 'en')
  await db.put('kv', { notify: { people: true, groups: true, reactions: false, calls: true } }, 'choices')
  await sw.reacted(ME, HER, '👍', 'I come', 'en')
  expect(shown.map((n) => [n.title, n.body])).toEqual([['juliet', '👍 to: I come'], ['Palabre', '👍 to your message']])
})

test('mark as read: what is here is told at once', async () => {
  const device = await Device.open(server)
  device.connect()
  await device.idle()
  server.arrive(hers('come'))
  await device.until(async () => (await device.db.get('chats', HER))?.unread === 1)
  await clicked(click('read', undefined), 'en')
  expect((await db.get('chats', HER))?.unread).toBe(0)
  device.sender.wake()
  await device.until(() => Promise.resolve(markers().length === 1))
  await tellSeen(device.db, device.desk)
  await device.idle()
  expect(markers()).toHaveLength(1)
  expect(await db.getAllKeys('kv', IDBKeyRange.bound('seen ', 'seen!'))).toEqual([])
  device.kill()
})

test('mark as read before the message is here: it comes as read, and its sender is told then', async () => {
  const first = await Device.open(server)
  first.connect()
  await first.idle()
  const one = Number(server.arrive(hers('one')))
  await first.until(async () => (await first.db.get('chats', HER))?.unread === 1)
  await first.desk.read(HER, one, true)
  await first.until(() => Promise.resolve(markers().length === 1))
  first.kill()
  const second = hers('two') // while no tab is open; the archive's clock is that of the test's server
  const place = Number(server.keep(second))
  await clicked(click('read', undefined, { path: '/', account: ME, chat: HER, upTo: place + 1 }), 'en')
  server.keep(hers('three'))
  const device = await Device.open(server)
  device.connect()
  await device.idle()
  await device.until(async () => await device.db.count('messages') === 3)
  await tellSeen(device.db, device.desk)
  device.sender.wake()
  await device.until(() => Promise.resolve(markers().length === 2))
  expect(markers()[1]).toBe(second.attr('id'))
  expect((await db.get('chats', HER))?.unread).toBe(1) // the third was not told of
  device.kill()
})

test('an answer also reads what it answers', async () => {
  const letter = hers('where are you?')
  const place = Number(server.keep(letter))
  await clicked(click('reply', 'here', { path: '/', account: ME, chat: HER, upTo: place + 1 }), 'en')
  const device = await Device.open(server)
  device.connect()
  await device.idle()
  await device.until(async () => await device.db.count('messages') === 2 && await device.db.count('outbox') === 0)
  await tellSeen(device.db, device.desk)
  device.sender.wake()
  await device.until(() => Promise.resolve(markers().length === 1))
  expect(markers()).toEqual([letter.attr('id')])
  expect((await db.get('chats', HER))?.unread).toBe(0)
  device.kill()
})

test('a message in a tab that nobody looks at is shown with its words, an answer and a mark', async () => {
  vi.stubGlobal('Notification', { permission: 'granted' })
  const device = await Device.open(server)
  device.connect()
  await device.idle()
  server.arrive(hers('are you there?'))
  await device.until(async () => (await device.db.get('chats', HER))?.unread === 1)
  await sw.arrived(ME, HER, 'en')
  expect(shown.map((n) => [n.title, n.body, n.actions?.map((a) => a.type ?? a.action)])).toEqual([['juliet', 'are you there?', ['text', 'read']]])
  windows = [{ visibilityState: 'visible', focus: () => Promise.resolve(), postMessage: () => undefined }]
  await sw.arrived(ME, HER, 'en')
  windows = []
  await device.desk.setChat(HER, { muted: Infinity })
  await sw.arrived(ME, HER, 'en')
  await sw.arrived(ME, HER, 'en', true)
  expect(shown.splice(1).map((n) => n.body)).toEqual(['are you there?']) // what names us is told of a muted chat, too
  await device.db.put('kv', { notify: { people: true, groups: true, mentions: false, reactions: true, calls: true } }, 'choices')
  await sw.arrived(ME, HER, 'en', true)
  await device.desk.setChat(HER, { muted: undefined })
  await device.db.put('kv', { preview: false }, 'choices')
  await sw.arrived(ME, HER, 'en')
  expect(shown.slice(1).map((n) => [n.title, n.body, n.actions])).toEqual([['Palabre', '1 new message', undefined]])
  await device.db.put('kv', false, 'waking')
  await sw.arrived(ME, HER, 'en')
  expect(shown).toHaveLength(2)
  device.kill()
})


test('the icon counts chats with something new, and those that were told of while the client was closed', async () => {
  vi.stubGlobal('navigator', { setAppBadge: (n: number) => { badges.push(n); return Promise.resolve() } })
  const put = (jid: string, fields: object) => db.put('chats', { jid, kind: 'person', name: jid, time: 1, unread: 1, protection: 'omemo', ...fields })
  await put(HER, {})
  await put('nurse@example.org', { unread: 0 })
  await put('muted@example.org', { muted: Infinity })
  await put('away@example.org', { archived: true })
  await showCount()
  shown = [{ title: '', body: '', tag: '', data: { path: '/', account: ME, chat: HER, upTo: 1 } as Shown['data'] }, { title: '', body: '', tag: '', data: { path: '/', account: ME, chat: 'nurse@example.org', upTo: 1 } as Shown['data'] },
    { title: '', body: '', tag: '', data: { path: '/', account: ME, chat: 'far@example.org' } as Shown['data'] }] // an answer waits: nothing new
  await showCount()
  expect(badges).toEqual([1, 2])
  vi.stubGlobal('navigator', { setAppBadge: () => Promise.reject(new DOMException('not installed')) })
  await showCount()
})
