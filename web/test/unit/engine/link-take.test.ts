// The new device's side: what becomes of keys and accounts however a link ends. How it logs in is tested in a browser (test/e2e/link.test.mjs).
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Crypto } from '../../../src/core/crypto/api.ts'
import { answer } from '../../../src/core/crypto/failure.ts'
import { historyState, newHistoryKey } from '../../../src/core/crypto/history.ts'
import { Links } from '../../../src/core/crypto/link.ts'
import type { Device } from '../../../src/core/crypto/device.ts'
import type { LinkLogin } from '../../../src/core/crypto/types.ts'
import { boxesAt, Linking } from '../../../src/core/engine/link.ts'
import { Taking } from '../../../src/core/engine/link-take.ts'
import type { LinkState } from '../../../src/core/model.ts'
import { Accounts } from '../../../src/core/store/accounts.ts'
import { newDevice } from '../crypto/support.ts'

const jid = 'romeo@example.org'
const origin = 'https://chat.example'
const token = { mechanism: 'HT-SHA-256-NONE', secret: 'long' }

/** The boxes of a server, as far as one link needs them. */
function boxes(): typeof fetch {
  const letters = new Map<string, string>()
  let waiting: (() => void)[] = []
  let over = false
  const wake = () => { for (const go of waiting.splice(0)) go() }
  return (async (url: string, init: RequestInit) => {
    if (init.method === 'DELETE') over = true
    if (init.method === 'PUT') letters.set(url, String(init.body))
    if (init.method !== 'GET') wake()
    while (init.method === 'GET' && !letters.has(url) && !over && !init.signal?.aborted) await new Promise<void>((resolve) => { waiting.push(resolve); init.signal?.addEventListener('abort', () => resolve()) })
    if (over) return new Response('cancelled', { status: 410 })
    const letter = letters.get(url)
    return init.method === 'GET' && letter !== undefined ? new Response(letter) : new Response(null, { status: 204 })
  }) as typeof fetch
}

const linksOf = (device: Device) => {
  const links = new Links(device)
  return {
    linkShow: (...args: Parameters<Links['show']>) => answer(() => links.show(...args)), linkScan: (uri: string) => answer(() => links.scan(uri)),
    linkHear: (...args: Parameters<Links['hear']>) => answer(() => links.hear(...args)), linkConfirm: (...args: Parameters<Links['confirm']>) => answer(() => links.confirm(...args)),
    linkArrived: (id: string) => answer(() => links.arrived(id)), linkCancel: (id: string) => answer(() => links.cancel(id)),
  }
}

/** The keys of a device, and what was done with them. */
function keysOf(device: Device, fresh = true) {
  const done: string[] = []
  const keys = {
    ...linksOf(device), init: (account: string) => { done.push(`open ${account}`); return answer(() => ({ device: device.id, fingerprint: '', fresh })) },
    wipe: () => { done.push('wipe'); return answer(() => undefined) }, end: () => { done.push('end') },
  }
  return { done, open: () => keys as unknown as Crypto & { end(): void } }
}

/** A person who agrees as soon as there is something to compare. */
const agreeing = (who: () => { compared(same: boolean): void }, states: LinkState[]) => (state: LinkState) => {
  states.push(state)
  if (state.step === 'comparing' && !state.agreed) queueMicrotask(() => who().compared(true))
}

let accounts: Accounts

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  accounts = await Accounts.open()
})

/** Both sides, with people who agree, up to the end. */
async function link(fresh: Device, login: LinkLogin, keys = keysOf(fresh)) {
  const old = await newDevice(jid, { clock: { now: Math.floor(Date.now() / 1000) } })
  await newHistoryKey(old)
  const ask = boxes()
  const states: LinkState[] = []
  const giver: Linking = new Linking({ role: 'old', crypto: linksOf(old), relay: boxesAt(origin, ask), admit: async () => login, show: agreeing(() => giver, []) })
  const agree = agreeing(() => taking, states)
  let gave: Promise<boolean> | undefined
  const taking: Taking = new Taking(accounts, { origin, fetch: ask, device: 'test' }, (state) => {
    agree(state)
    if (state.step === 'showing') gave = giver.run({ scanned: state.text })
  })
  await taking.run({ address: jid }, keys.open)
  return { states, gave: await gave, keys, old }
}

const someone = () => newDevice(jid, { clock: { now: Math.floor(Date.now() / 1000) } })

describe('taking', () => {
  test('an account that is signed in already gets the history, and keeps its own way in', async () => {
    await accounts.add(jid, 1)
    await accounts.change(jid, { token, agent: 'mine' })
    const fresh = await someone()
    const { states, gave, keys, old } = await link(fresh, { agent: '8a4c2b6e-0d1f-4a53-9c1e-77f0c3a4b5d6', mechanism: 'HT-SHA-256-NONE', token: 'once' }, keysOf(fresh, false))
    expect(states.at(-1)).toEqual({ step: 'done' })
    expect(gave).toBe(true)
    expect(await accounts.get(jid)).toMatchObject({ token, agent: 'mine' })
    expect((await historyState(fresh)).keys).toEqual((await historyState(old)).keys)
    expect(keys.done).toEqual([`open ${jid}`, 'end'])
  })

  test('a way in that is not understood ends it, and the keys that were made go', async () => {
    const fresh = await someone()
    const { states, gave, keys } = await link(fresh, { agent: '8a4c2b6e-0d1f-4a53-9c1e-77f0c3a4b5d6', mechanism: 'PLAIN', token: 'once' })
    expect(states.at(-1)).toEqual({ step: 'failed', why: 'server' })
    expect(gave).toBe(false)
    expect(await accounts.get(jid)).toBeUndefined()
    expect(keys.done).toEqual([`open ${jid}`, 'wipe', 'end'])
  })

  test('keys that were there before stay when nothing comes of it', async () => {
    const fresh = await someone()
    const { keys } = await link(fresh, { agent: '8a4c2b6e-0d1f-4a53-9c1e-77f0c3a4b5d6', mechanism: 'PLAIN', token: 'once' }, keysOf(fresh, false))
    expect(keys.done).toEqual([`open ${jid}`, 'end'])
  })

  test('what cannot begin says why, and opens no keys', async () => {
    const uri = new Links(await someone()).show('old', jid).uri
    const cases: [{ scanned: string } | { address: string }, LinkState][] = [
      [{ scanned: `https://other.example/link#${uri}` }, { step: 'failed', why: 'elsewhere', at: `https://other.example/link#${uri}` }],
      [{ scanned: 'https://chat.example/join/abcdefgh' }, { step: 'failed', why: 'malformed' }],
      [{ address: 'example.org' }, { step: 'failed', why: 'malformed' }],
      [{ address: `${jid}/desk` }, { step: 'failed', why: 'malformed' }],
    ]
    for (const [by, end] of cases) {
      const states: LinkState[] = []
      const keys = keysOf(await someone())
      await new Taking(accounts, { origin, fetch: boxes(), device: 'test' }, (s) => states.push(s)).run(by, keys.open)
      expect(states).toEqual([end])
      expect(keys.done).toEqual(['end'])
    }
  })

  test('a browser that keeps nothing', async () => {
    const states: LinkState[] = []
    const refusing = { ...keysOf(await someone()).open(), init: () => Promise.resolve({ ok: false, error: { code: 'storage', detail: '' } }) } as unknown as Crypto & { end(): void }
    await new Taking(accounts, { origin, fetch: boxes(), device: 'test' }, (s) => states.push(s)).run({ address: jid }, () => refusing)
    expect(states).toEqual([{ step: 'failed', why: 'storage' }])
  })

  test('who leaves before it has begun is shown nothing more', async () => {
    const states: LinkState[] = []
    const keys = keysOf(await someone())
    const taking = new Taking(accounts, { origin, fetch: boxes(), device: 'test' }, (s) => states.push(s))
    const run = taking.run({ address: jid }, keys.open)
    taking.stop()
    await run
    expect(states.every((s) => s.step === 'starting')).toBe(true)
    expect(keys.done.at(-1)).toBe('end')
    expect(keys.done).toContain('wipe')
  })
})
