import { expect, test } from 'vitest'
import { readHostMeta, Servers, usable, type Kept } from '../../../src/core/net/servers.ts'

const rel = 'urn:xmpp:alt-connections:websocket'
const document = (...urls: unknown[]) => JSON.stringify({ links: urls.map((href) => ({ rel, href })) })

function device(): Kept & { all: Map<string, unknown> } {
  const all = new Map<string, unknown>()
  return { all, get: (key) => Promise.resolve(all.get(key)), set: (key, value) => { all.set(key, value); return Promise.resolve() } }
}

test('host-meta is read as something hostile', () => {
  expect(readHostMeta(document('wss://a.example/ws', 'wss://b.example:5443/ws', 'wss://a.example/ws'))).toEqual(['wss://a.example/ws', 'wss://b.example:5443/ws'])
  for (const bad of ['', '{', 'null', '[]', '{"links":3}', '{"links":[null,3,{"rel":1}]}', document('ws://a.example/ws', 'https://a.example', 7, 'javascript:1')]) {
    expect(readHostMeta(bad)).toEqual([])
  }
  expect(readHostMeta(document(...Array.from({ length: 50 }, (_, i) => `wss://s${i}.example/ws`)))).toHaveLength(8)
  expect(readHostMeta(document('wss://a.example/' + 'x'.repeat(70_000)))).toEqual([])
  expect(usable('ws://localhost:1/ws')).toBe(true)
  expect(usable('ws://localhost.example/ws')).toBe(false)
})

test('what the domain tells is remembered, and good when the domain does not answer', async () => {
  const kept = device()
  let up = true
  const load = (() => up ? Promise.resolve(new Response(document('wss://one.example/ws', 'wss://two.example/ws'))) : Promise.reject(new TypeError('no network'))) as typeof fetch
  expect(await new Servers('example.org', kept, undefined, undefined, load).list()).toEqual(['wss://one.example/ws', 'wss://two.example/ws'])
  up = false
  const own = new Servers('example.org', kept, 'wss://example.org/ws', undefined, load)
  expect(await own.list()).toEqual(['wss://one.example/ws', 'wss://two.example/ws', 'wss://example.org/ws'])
})

test('nothing known and no answer: the domain itself', async () => {
  const load = (() => Promise.reject(new TypeError('no network'))) as typeof fetch
  expect(await new Servers('example.org', device(), undefined, undefined, load).list()).toEqual(['wss://example.org/ws'])
  const broken: Kept = { get: () => Promise.reject(new Error('closed')), set: () => Promise.reject(new Error('full')) }
  expect(await new Servers('example.org', broken, 'wss://here/ws', undefined, load).list()).toEqual(['wss://here/ws'])
})
