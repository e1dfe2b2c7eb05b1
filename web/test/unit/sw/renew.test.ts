// The browser or its service changes the subscription behind our back.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test, vi } from 'vitest'
import { SUBSCRIPTION } from '../../../src/core/engine/push.ts'
import { Accounts } from '../../../src/core/store/accounts.ts'
import { openAccount } from '../../../src/core/store/database.ts'
import type { Renewing } from '../../../src/sw/scope.ts'

const ME = 'romeo@example.org'
const key = new Uint8Array(65).fill(4).buffer

let shown: string[]
let made: unknown[]
let here: object | null
let windows: object[]
vi.stubGlobal('registration', {
  showNotification: (_: string, { body }: { body: string }) => { shown.push(body); return Promise.resolve() },
  pushManager: { getSubscription: () => Promise.resolve(here), subscribe: (options: unknown) => { made.push(options); here = {}; return Promise.resolve(here) } },
})
vi.stubGlobal('clients', { matchAll: () => Promise.resolve(windows) })
const { renewed } = await import('../../../src/sw/renew.ts')

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  shown = []
  made = []
  here = null
  windows = []
  const accounts = await Accounts.open()
  await accounts.add(ME, 1)
  accounts.close()
  const db = await openAccount(ME)
  await db.put('kv', true, 'waking')
  db.close()
})

const event = (fields: object) => fields as unknown as Renewing
/** Waits until tabs would hear of a change. */
function heard(): Promise<unknown> {
  const channel = new BroadcastChannel(SUBSCRIPTION)
  return new Promise((resolve) => { channel.onmessage = (e) => { channel.close(); resolve((e as MessageEvent).data) } })
}

test('where the browser only ends it, it is made anew for the same server, and the tabs hear of it', async () => {
  windows = [{}]
  const told = heard()
  await renewed(event({ oldSubscription: { options: { applicationServerKey: key } } }), 'en')
  expect(made).toEqual([{ userVisibleOnly: true, applicationServerKey: key }])
  expect(await told).toBe('changed')
  expect(shown).toEqual([])
})

test('where the browser has made one, there is no second; without a tab the person is told to open the client', async () => {
  const told = heard()
  await renewed(event({ newSubscription: {} }), 'en')
  expect(await told).toBe('changed')
  expect(made).toEqual([])
  expect(shown).toEqual(['Open Palabre once, so that messages can wake this device again.'])
})

test('where nobody wants to be woken, nothing happens', async () => {
  const db = await openAccount(ME)
  await db.put('kv', false, 'waking')
  db.close()
  await renewed(event({ oldSubscription: { options: { applicationServerKey: key } } }), 'en')
  expect([made, shown]).toEqual([[], []])
})
