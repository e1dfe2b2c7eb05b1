// The subscription of a browser: kept good, told to the server, and gone when nobody here wants to be woken.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { Push, SUBSCRIPTION } from '../../../src/core/engine/push.ts'
import { Accounts } from '../../../src/core/store/accounts.ts'
import { openAccount, type Database } from '../../../src/core/store/database.ts'
import { CLIENT, WEB_PUSH } from '../../../src/core/xmpp/ns.ts'
import type { Session } from '../../../src/core/xmpp/session.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { el, type Element } from '../../../src/core/xmpp/xml.ts'

const ME = 'romeo@example.org'
const OTHER = 'balthasar@example.org'
const url64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
const keyOf = (n: number) => new Uint8Array(65).fill(n)

/** What the browser has. */
class Browser {
  made = 0
  subscription: { endpoint: string; options: { applicationServerKey: ArrayBuffer }; toJSON(): object; unsubscribe(): Promise<boolean> } | null = null

  getSubscription() { return Promise.resolve(this.subscription) }

  subscribe({ applicationServerKey }: { applicationServerKey: Uint8Array<ArrayBuffer> }) {
    const endpoint = `https://push.example/${++this.made}`
    const keys = { p256dh: url64(keyOf(4)), auth: url64(new Uint8Array(16)) }
    this.subscription = { endpoint, options: { applicationServerKey: applicationServerKey.slice().buffer }, toJSON: () => ({ endpoint, keys }), unsubscribe: () => { this.subscription = null; return Promise.resolve(true) } }
    return Promise.resolve(this.subscription)
  }
}

let browser: Browser
let db: Database
let push: Push
let told: string[]
let calls: (string | undefined)[]
let key: Uint8Array
let live: boolean
let heard: () => void
const session = { request: (_type: string, payload: Element) => {
  if (!live) return Promise.reject(new StanzaError('disconnected', 'wait'))
  if (payload.name === 'key') return Promise.resolve(el(CLIENT, 'iq', {}, el(WEB_PUSH, 'key', {}, url64(key))))
  calls = payload.children('muted').map((one) => one.attr('mentions'))
  told.push(`${payload.name} ${payload.textOf('endpoint', WEB_PUSH)?.split('/').at(-1)}`)
  heard()
  return Promise.resolve(el(CLIENT, 'iq'))
} } as unknown as Session

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  browser = new Browser()
  told = []
  key = keyOf(1)
  live = true
  heard = () => undefined
  vi.stubGlobal('navigator', { serviceWorker: { getRegistration: () => Promise.resolve({ pushManager: browser }) } })
  vi.stubGlobal('PushManager', class {})
  vi.stubGlobal('Notification', { permission: 'granted' })
  const accounts = await Accounts.open()
  for (const jid of [ME, OTHER]) await accounts.add(jid, 1)
  accounts.close()
  db = await openAccount(ME)
  push = new Push(db, new News(ME, { postMessage: () => undefined, onmessage: null, close: () => undefined }), () => session, ME)
})
afterEach(() => {
  push.end()
  db.close()
  vi.unstubAllGlobals()
})

test('at a new session the server is told the same subscription again', async () => {
  expect((await push.set(true)).state).toBe('on')
  await push.renew(session)
  expect(told).toEqual(['subscribe 1', 'subscribe 1'])
})

test('one that the browser ended is made anew', async () => {
  await push.set(true)
  browser.subscription = null
  await push.renew(session)
  expect(told).toEqual(['subscribe 1', 'subscribe 2'])
  expect((await push.state()).state).toBe('on')
})

test('another key of the server makes another subscription', async () => {
  await push.set(true)
  key = keyOf(2)
  await push.renew(session)
  expect(told.at(-1)).toBe('subscribe 2')
  expect(new Uint8Array(browser.subscription?.options.applicationServerKey ?? new ArrayBuffer())).toEqual(key)
})

test('the service worker says that it changed, and the server hears of it', async () => {
  await push.set(true)
  browser.subscription = null
  const again = new Promise<void>((resolve) => { heard = resolve })
  const channel = new BroadcastChannel(SUBSCRIPTION)
  channel.postMessage('changed')
  await again
  channel.close()
  expect(told.at(-1)).toBe('subscribe 2')
})

test('a muted group wakes for what names us, unless nobody wants that; a muted person does not', async () => {
  const put = (jid: string, kind: 'group' | 'person') => db.put('chats', { jid, kind, name: jid, time: 1, unread: 0, protection: 'none', muted: Infinity })
  await put('a@groups.example.org', 'group')
  await put('juliet@example.org', 'person')
  await push.set(true)
  expect(calls).toEqual(['true', undefined])
  await db.put('kv', { notify: { people: true, groups: true, mentions: false, reactions: true, calls: true } }, 'choices')
  await push.renew(session)
  expect(calls).toEqual([undefined, undefined])
})

test('nothing is made for who did not want it, or forbids it now', async () => {
  await push.renew(session)
  await push.set(true)
  vi.stubGlobal('Notification', { permission: 'denied' })
  browser.subscription = null
  await push.renew(session)
  expect([told, browser.made]).toEqual([['subscribe 1'], 1])
  expect((await push.state()).state).toBe('denied')
})

test('what cannot be had is said, and a broken connection is no such thing', async () => {
  await push.set(true)
  live = false
  await expect(push.renew(session)).rejects.toThrow()
  expect((await push.state()).state).toBe('on')
  live = true
  browser.subscription = null
  browser.subscribe = () => Promise.reject(new DOMException('no service', 'AbortError'))
  await expect(push.renew(session)).rejects.toThrow()
  expect((await push.state()).state).toBe('failed')
})

test('turned off: the server is told and the browser has none', async () => {
  await push.set(true)
  await push.set(false)
  expect(told).toEqual(['subscribe 1', 'unsubscribe 1'])
  expect(browser.subscription).toBeNull()
})

test('turned off without connection: the subscription ends, which the server learns from the push service', async () => {
  await push.set(true)
  live = false
  await push.set(false)
  expect(browser.subscription).toBeNull()
  expect((await push.state()).state).toBe('off')
})

test('another account here goes on with it', async () => {
  const other = await openAccount(OTHER)
  await other.put('kv', true, 'waking')
  other.close()
  await push.set(true)
  await push.set(false)
  expect(told).toEqual(['subscribe 1', 'unsubscribe 1'])
  expect(browser.subscription?.endpoint).toBe('https://push.example/1')
})
