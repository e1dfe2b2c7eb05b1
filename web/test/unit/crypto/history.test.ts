import { describe, expect, test } from 'vitest'
import { adoptKept, historyState, loadKept, maxChunk, newHistoryKey, openChunk, openIndex, readKept, sealChunk, sealIndex, writeKept } from '../../../src/core/crypto/history.ts'
import { join, utf8 } from '../../../src/core/crypto/bytes.ts'
import { derive } from '../../../src/core/crypto/kdf.ts'
import { openGCM } from '../../../src/core/crypto/payload.ts'
import { Links } from '../../../src/core/crypto/link.ts'
import { newRecovery, readCode, recover, wrap } from '../../../src/core/crypto/recovery.ts'
import { devicesOf } from '../../../src/core/crypto/trust.ts'
import type { Device } from '../../../src/core/crypto/device.ts'
import type { LinkMessage } from '../../../src/core/crypto/types.ts'
import { codeOf, newDevice, start } from './support.ts'

const jid = 'romeo@example.org'
const lines = (n: number) => Array.from({ length: n }, (_, i) => JSON.stringify({ id: `${i}`, text: `message ${i} ${crypto.randomUUID()}` }))

async function pair() {
  const clock = { now: start }
  const old = await newDevice(jid, { clock })
  const fresh = await newDevice(jid, { clock })
  await newHistoryKey(old)
  return { old, fresh, clock }
}

describe('chunks', () => {
  test('are read by who has the key, in their place only', async () => {
    const { old, fresh } = await pair()
    const some = lines(100)
    const first = await sealChunk(old, 1, '', some)
    const second = await sealChunk(old, 2, first.hash, ['{}'])
    expect(first).toMatchObject({ taken: 100, writer: old.id, number: 1, previous: '' })
    expect(await codeOf(() => openChunk(fresh, first.data, first))).toBe('no-session')
    await adoptKept(fresh, await loadKept(old), true)
    expect(await openChunk(fresh, first.data, first)).toEqual({ lines: some, previous: '' })
    expect(await openChunk(fresh, second.data, { writer: old.id, number: 2 })).toEqual({ lines: ['{}'], previous: first.hash })
    expect(await codeOf(() => openChunk(fresh, first.data, { writer: old.id, number: 2 }))).toBe('decrypt')
    expect(await codeOf(() => openChunk(fresh, first.data, { writer: old.id + 1, number: 1 }))).toBe('decrypt')
    expect(await codeOf(() => openChunk(fresh, second.data, { writer: old.id, number: 2, hash: first.hash }))).toBe('decrypt')
    const other = await newDevice('juliet@example.org')
    await adoptKept(other, await loadKept(old), true)
    expect(await codeOf(() => openChunk(other, first.data, first))).toBe('decrypt')
    for (let at = 0; at < first.data.length; at += 7) {
      const bad = first.data.slice()
      bad[at] = (bad[at] ?? 0) ^ 1
      expect(await codeOf(() => openChunk(fresh, bad, { writer: old.id, number: 1 })), `byte ${at}`).toMatch(/^(decrypt|malformed|no-session)$/)
      expect(await codeOf(() => openChunk(fresh, bad.slice(0, at), { writer: old.id, number: 1 }))).toMatch(/^(decrypt|malformed|no-session)$/)
    }
  })

  test('take as much as fits', async () => {
    const { old } = await pair()
    const many = lines(6000)
    const { data, taken } = await sealChunk(old, 1, '', many)
    expect(data.length).toBeLessThanOrEqual(maxChunk)
    expect(taken).toBeGreaterThan(500)
    expect((await openChunk(old, data, { writer: old.id, number: 1 })).lines).toEqual(many.slice(0, taken))
    const noise = Array.from(crypto.getRandomValues(new Uint8Array(60_000)), (b) => b.toString(36).padStart(2, '0')).join('')
    expect(await codeOf(() => sealChunk(old, 1, '', [noise + noise + noise]))).toBe('too-large')
    expect(await codeOf(() => sealChunk(old, 1, '', ['a\nb']))).toBe('malformed')
  })
})

test('an index is read; an older one is refused; older keys come with it', async () => {
  const { old, fresh } = await pair()
  const chunk = await sealChunk(old, 1, '', lines(3))
  await newHistoryKey(old)
  const chunks = [{ number: 1, hash: chunk.hash, from: 5, to: 9, count: 3 }]
  const first = await sealIndex(old, { number: 1, chunks, complete: [[5, 9]] })
  const second = await sealIndex(old, { number: 2, chunks, complete: [[5, 12]] })
  const [newest] = (await loadKept(old)).keys
  if (!newest) throw new Error('no key')
  await adoptKept(fresh, { keys: [newest] }, true)
  expect(await codeOf(() => openChunk(fresh, chunk.data, chunk))).toBe('no-session')
  expect(await openIndex(fresh, old.id, second)).toEqual({ number: 2, chunks, complete: [[5, 12]] })
  expect((await openChunk(fresh, chunk.data, chunk)).lines.length).toBe(3)
  expect((await historyState(fresh)).keys).toEqual((await historyState(old)).keys)
  expect(await codeOf(() => openIndex(fresh, old.id, first))).toBe('duplicate')
  expect(await codeOf(() => openIndex(fresh, fresh.id, second))).toBe('decrypt')
  expect(await codeOf(() => openIndex(fresh, old.id, chunk.data))).toBe('malformed')
})

test('what is kept is read strictly', () => {
  for (const bad of ['', 'null', '[]', '{}', '{"keys":[null]}', '{"keys":[{"key":"00","made":1}]}', `{"keys":[{"key":"${'g'.repeat(64)}","made":1}]}`, `{"keys":[{"key":"${'0'.repeat(64)}","made":-1}]}`]) {
    expect(() => readKept(bad), bad).toThrow()
  }
  expect(readKept(writeKept({ keys: [], recovery: { salt: new Uint8Array(16), public: new Uint8Array(32) } })).recovery?.public.length).toBe(32)
})

describe('recovery code', () => {
  test('gives the keys back, as people type it', async () => {
    const { old, fresh } = await pair()
    const { code, wrapped } = await newRecovery(old)
    expect(code).toMatch(/^1[0-9A-HJKMNP-TV-Z]{3}( [0-9A-HJKMNP-TV-Z]{4}){7}$/)
    const typed = code.toLowerCase().replace(/ /g, '-').replace(/0/g, 'o').replace(/1/g, 'l')
    expect((await recover(fresh, typed, wrapped)).keys).toEqual((await historyState(old)).keys)
    await newHistoryKey(fresh) // a device that recovered can wrap the next key for the same code
    const third = await newDevice(jid)
    expect((await recover(third, code, await wrap(fresh))).keys).toEqual((await historyState(fresh)).keys.slice(0, 1))
    const { code: other } = await newRecovery(old)
    expect(await codeOf(() => recover(fresh, other, wrapped))).toBe('decrypt')
    expect(await codeOf(async () => recover(await newDevice('juliet@example.org'), code, wrapped))).toBe('decrypt')
  })

  test('who could wrap keys and was removed cannot open those that are wrapped later', async () => {
    const { old } = await pair()
    const { code, wrapped } = await newRecovery(old)
    const removed = await newDevice(jid)
    await recover(removed, code, wrapped)
    await newHistoryKey(old)
    const later = await wrap(old)
    const { recovery, keys } = await loadKept(removed)
    if (!recovery) throw new Error('nothing kept')
    expect(await codeOf(async () => recover(removed, code.replace(/^1.../, '1000'), later))).toBe('malformed')
    // Neither what it kept of the code nor the keys that it had is the key of what was published.
    const head = later.slice(0, 61)
    for (const secret of [recovery.public, recovery.salt, ...keys.map((k) => k.key)]) {
      const out = derive(secret, head.slice(29), 'urn:palabre:history:0 recovery', 44)
      await expect(openGCM(out.slice(0, 32), out.slice(32), later.slice(61), join(head, utf8(jid)))).rejects.toThrow()
    }
    expect((await recover(await newDevice(jid), code, later)).keys).toEqual((await historyState(old)).keys.slice(0, 1))
  })

  test('one wrong character is noticed before anything is tried', async () => {
    const { code } = await newRecovery((await pair()).old)
    for (let at = 0; at < code.length; at++) {
      if (code[at] === ' ') continue
      const wrong = code.slice(0, at) + (code[at] === '7' ? '8' : '7') + code.slice(at + 1)
      expect(() => readCode(wrong), `character ${at}`).toThrow('recovery code')
    }
    for (const bad of ['', code.slice(1), code + '0', code.replace(/.$/, 'U')]) expect(() => readCode(bad)).toThrow('recovery code')
  })
})

describe('hand-over', () => {
  const need = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('nothing')
    return value
  }

  /** Both devices up to the six digits. */
  async function upToCode(shower: Device, scanner: Device, role: 'new' | 'old') {
    const [a, b] = [new Links(shower), new Links(scanner)]
    const shown = a.show(role, `${jid}/desk`)
    const scanned = b.scan(shown.uri)
    expect(scanned).toMatchObject({ id: shown.id, to: `${jid}/desk` })
    const heard = await a.hear(shown.id, need(scanned.send))
    const ready = await b.hear(shown.id, need(heard.send))
    expect(heard.code).toMatch(/^\d{6}$/)
    expect(ready.code).toBe(heard.code)
    return { a, b, id: shown.id, uri: shown.uri, hello: need(scanned.send) }
  }

  test.each(['new', 'old'] as const)('the %s device shows the code', async (role) => {
    const { old, fresh } = await pair()
    await newHistoryKey(fresh) // it had begun one of its own
    const [shower, scanner] = role === 'new' ? [fresh, old] : [old, fresh]
    const { a, b, id } = await upToCode(shower, scanner, role)
    const [giver, taker] = role === 'new' ? [b, a] : [a, b]
    const { send: offer } = await giver.confirm(id)
    expect((await devicesOf(old, jid)).length).toBe(1) // not before it is in
    expect(await giver.confirm(id)).toEqual({ send: offer })
    expect(await taker.hear(id, need(offer))).toEqual({}) // not before a person agreed
    expect((await historyState(fresh)).keys.length).toBe(1)
    const done = await taker.confirm(id)
    expect(done.finished).toBe(true)
    expect(await giver.hear(id, need(done.send))).toEqual({ finished: true })
    expect((await historyState(fresh)).keys[0]).toBe((await historyState(old)).keys[0])
    expect(await codeOf(() => giver.confirm(id))).toBe('no-session')
    // Both can vouch for each other's key once they see it.
    const chunk = await sealChunk(fresh, 1, '', ['{}'])
    expect((await openChunk(old, chunk.data, chunk)).lines).toEqual(['{}'])
    expect((await devicesOf(old, jid)).slice(1)).toMatchObject([{ id: fresh.id, trust: 'verified', active: false }]) // it is expected, and no news when it comes
  })

  test('who has not seen the code, or comes second, gets nothing', async () => {
    const { old, fresh } = await pair()
    const { a, b, id, uri } = await upToCode(old, fresh, 'old')
    const stranger = new Links(await newDevice(jid))
    const another = need(stranger.scan(uri).send)
    expect(await codeOf(() => a.hear(id, another))).toBe('distrusted')
    expect(await codeOf(() => a.confirm(id))).toBe('no-session')
    const c = new Links(old)
    const shown = c.show('old', `${jid}/desk`)
    const guess = shown.uri.replace(/s=.{22}/, `s=${'A'.repeat(22)}`)
    expect(await codeOf(() => c.hear(shown.id, need(stranger.scan(guess).send)))).toBe('decrypt')
    expect(await codeOf(() => b.hear(id, { step: 3, data: 'AAAA' }))).toMatch(/decrypt/)
  })

  test('messages out of order, broken, late or of others', async () => {
    const { old, fresh, clock } = await pair()
    const { a, b, id, hello } = await upToCode(fresh, old, 'new')
    const bad: LinkMessage[] = [{ step: 4, data: '' }, { step: 2, data: 'AAAA' }, { step: 3, data: '****' }, { step: 1, data: hello.data.slice(4) }]
    for (const m of bad) expect(await codeOf(() => a.hear(id, m))).toBeDefined()
    expect((await a.hear(id, hello)).code).toMatch(/^\d{6}$/) // the same hello again
    expect(await codeOf(() => b.hear('0000000000000000', hello))).toBe('no-session')
    clock.now += 301
    expect(await codeOf(() => a.hear(id, hello))).toBe('no-session')
    expect(() => b.scan('xmpp:romeo@example.org/desk?link;v=1')).toThrow()
    expect(() => b.scan(new Links(fresh).show('new', 'juliet@example.org/desk').uri)).toThrow('another account')
  })
})
