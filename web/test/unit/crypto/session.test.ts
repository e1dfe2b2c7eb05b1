import { describe, expect, test } from 'vitest'
import { same, text } from '../../../src/core/crypto/bytes.ts'
import { bundle, maintainDevice, ownAddress, sessionName, type Device } from '../../../src/core/crypto/device.ts'
import { maxArchived, maxSkip } from '../../../src/core/crypto/limits.ts'
import { profileOf } from '../../../src/core/crypto/profile.ts'
import { decrypt, decryptAll, stored, unstored, type Received } from '../../../src/core/crypto/receive.ts'
import { loadSession, loadOwner } from '../../../src/core/crypto/saved.ts'
import { begin, encrypt, encryptEmpty, missing } from '../../../src/core/crypto/send.ts'
import { MemoryStore } from '../../../src/core/crypto/store.ts'
import type { Encrypted, Version } from '../../../src/core/crypto/types.ts'
import { cloned, codeOf, meet, newDevice, receive, send, start, versions } from './support.ts'

const romeoJID = 'romeo@example.org'
const julietJID = 'juliet@example.net'

async function pair(version: Version): Promise<{ romeo: Device; juliet: Device; store: MemoryStore }> {
  const store = new MemoryStore()
  const romeo = await newDevice(romeoJID)
  const juliet = await newDevice(julietJID, { store })
  await meet(romeo, juliet, version)
  return { romeo, juliet, store }
}

async function answered(version: Version) {
  const both = await pair(version)
  await receive(both.juliet, both.romeo, await send(both.romeo, version, 'hello', ownAddress(both.juliet)), 'hello')
  await receive(both.romeo, both.juliet, await send(both.juliet, version, 'hi', ownAddress(both.romeo)), 'hi')
  return both
}

function altered(m: Encrypted, change: (m: Encrypted) => void): Encrypted {
  const out = cloned(m)
  change(out)
  return out
}

function never(): never {
  throw new Error('nothing')
}

describe.each(versions)('OMEMO %s', (version) => {
  test('a key exchange is repeated until it is answered', async () => {
    const { romeo, juliet } = await pair(version)
    const first = await send(romeo, version, 'one', ownAddress(juliet))
    const second = await send(romeo, version, 'two', ownAddress(juliet))
    expect([first.keys[0]?.exchange, second.keys[0]?.exchange]).toEqual([true, true])
    expect(await receive(juliet, romeo, second, 'two')).toMatchObject({ owesReply: true, bundleChanged: true, trust: 'trusted' })
    expect(await receive(juliet, romeo, first, 'one')).toMatchObject({ owesReply: true, bundleChanged: false })
    const empty = await encryptEmpty(juliet, version, ownAddress(romeo))
    expect(empty.payload).toBeUndefined()
    expect((await decrypt(romeo, julietJID, empty)).plaintext).toBeUndefined()
    expect((await send(romeo, version, 'three', ownAddress(juliet))).keys[0]?.exchange).toBe(false)
  })

  test('nothing that was tampered with opens or changes anything', async () => {
    const { romeo, juliet, store } = await answered(version)
    const m = await send(romeo, version, 'genuine', ownAddress(juliet))
    const before = new Map(store.values)
    const data = m.keys[0]?.data ?? new Uint8Array(0)
    for (let i = 0; i < data.length; i++) {
      const bad = altered(m, (c) => { const d = c.keys[0]?.data; if (d) d[i] = (d[i] ?? 0) ^ 1 })
      expect(await codeOf(() => decrypt(juliet, romeoJID, bad)), `byte ${i}`).toMatch(/^(decrypt|malformed|too-far|too-large|duplicate)$/)
      expect(await codeOf(() => decrypt(juliet, romeoJID, altered(m, (c) => { c.keys[0] && (c.keys[0].data = data.slice(0, i)) })))).toBeDefined()
    }
    const payload = altered(m, (c) => { const d = c.payload; if (d) d[0] = (d[0] ?? 0) ^ 1 })
    expect(await codeOf(() => decrypt(juliet, romeoJID, payload))).toBe('decrypt')
    expect([...store.values].every(([name, value]) => same(value, before.get(name) ?? new Uint8Array(0)))).toBe(true)
    await receive(juliet, romeo, m, 'genuine')
    expect(await codeOf(() => decrypt(juliet, romeoJID, m))).toBe('duplicate')
  })

  test('not for us, no session, unknown prekeys', async () => {
    const { romeo, juliet } = await pair(version)
    const m = await send(romeo, version, 'x', ownAddress(juliet))
    expect(await codeOf(() => decrypt(juliet, romeoJID, altered(m, (c) => { c.keys = [] })))).toBe('not-for-us')
    expect(await codeOf(() => decrypt(romeo, julietJID, m))).toBe('not-for-us')
    const other = await newDevice(julietJID)
    const forOther = altered(m, (c) => { c.keys[0] && (c.keys[0].rid = other.id) })
    expect(await codeOf(() => decrypt(other, romeoJID, forOther))).toMatch(/^(decrypt|no-prekey)$/)
    const plain = altered(m, (c) => { c.keys[0] && (c.keys[0].exchange = false) })
    expect(await codeOf(() => decrypt(juliet, romeoJID, plain))).toMatch(/^(no-session|malformed)$/)
    if (version === '2') expect(await codeOf(() => decrypt(juliet, romeoJID, altered(m, (c) => { c.keys[0] && (c.keys[0].jid = romeoJID) })))).toBe('not-for-us')
  })

  test('the same device id twice: every key is tried', async () => {
    const { romeo, juliet } = await answered(version)
    const m = await send(romeo, version, 'twice', ownAddress(juliet))
    m.keys.unshift({ rid: juliet.id, jid: julietJID, exchange: false, data: new Uint8Array(50).fill(0x33) })
    await receive(juliet, romeo, m, 'twice')
  })

  test('messages out of order, up to the limit', async () => {
    const { romeo, juliet } = await answered(version)
    const all: Encrypted[] = []
    for (let i = 0; i < 30; i++) all.push(await send(romeo, version, `${i}`, ownAddress(juliet)))
    const order = all.map((m, i) => ({ m, i })).sort((a, b) => ((a.i * 7) % 30) - ((b.i * 7) % 30))
    for (const { m, i } of order) await receive(juliet, romeo, m, `${i}`)
    for (const m of all) expect(await codeOf(() => decrypt(juliet, romeoJID, m))).toBe('duplicate')
    for (let i = 0; i < maxSkip; i++) await send(romeo, version, 'skipped', ownAddress(juliet))
    const last = await send(romeo, version, 'reached', ownAddress(juliet))
    const beyond = await send(romeo, version, 'beyond', ownAddress(juliet))
    expect(await codeOf(() => decrypt(juliet, romeoJID, beyond))).toBe('too-far')
    await receive(juliet, romeo, last, 'reached')
    await receive(juliet, romeo, beyond, 'beyond')
  })

  test('both begin at once, again and again; old messages stay readable', async () => {
    const { romeo, juliet, store } = await answered(version)
    const late = await send(romeo, version, 'late', ownAddress(juliet))
    for (let i = 0; i < 12; i++) {
      await meet(romeo, juliet, version)
      await meet(juliet, romeo, version)
      const a = await send(romeo, version, `a${i}`, ownAddress(juliet))
      const b = await send(juliet, version, `b${i}`, ownAddress(romeo))
      await receive(juliet, romeo, a, `a${i}`)
      await receive(romeo, juliet, b, `b${i}`)
    }
    await receive(juliet, romeo, await send(romeo, version, 'on', ownAddress(juliet)), 'on')
    await receive(romeo, juliet, await send(juliet, version, 'and on', ownAddress(romeo)), 'and on')
    await receive(juliet, romeo, late, 'late')
    const saved = store.values.get(sessionName(profileOf(version), ownAddress(romeo)))
    const states = loadSession(saved ?? new Uint8Array(0)).length
    expect(states).toBeGreaterThan(12)
    expect(states).toBeLessThanOrEqual(1 + maxArchived)
  })

  test('a heartbeat is owed after 53 messages, until something is sent', async () => {
    const { romeo, juliet } = await answered(version)
    for (let i = 0; i < 55; i++) {
      const got = await receive(juliet, romeo, await send(romeo, version, 'x', ownAddress(juliet)), 'x')
      expect(got.owesReply).toBe(i >= 53)
    }
    await encryptEmpty(juliet, version, ownAddress(romeo))
    expect((await receive(juliet, romeo, await send(romeo, version, 'x', ownAddress(juliet)), 'x')).owesReply).toBe(false)
  })

  test('who chose the same prekey is read as well, until the signed prekey beside it is forgotten; nobody is offered it again', async () => {
    const clock = { now: start }
    const store = new MemoryStore()
    const juliet = await newDevice(julietJID, { clock, store })
    const b = await bundle(juliet, version)
    b.preKeys = b.preKeys.slice(0, 1)
    const used = b.preKeys[0]?.id
    const held = () => loadOwner(store.values.get('device') ?? never()).pools.flatMap((pool) => pool.held.map((k) => k.id))
    const meeting = async (name: string) => {
      const other = await newDevice(`${name}@example.org`)
      await begin(other, [{ to: ownAddress(juliet), bundle: b }])
      return { other, m: await send(other, version, name, ownAddress(juliet)) }
    }
    const [first, second, third, late] = [await meeting('romeo'), await meeting('mercutio'), await meeting('paris'), await meeting('tybalt')]
    await receive(juliet, first.other, first.m, 'romeo')
    const fresh = await bundle(juliet, version)
    expect([fresh.preKeys.length, fresh.preKeys.some((k) => k.id === used)]).toEqual([100, false])
    await receive(juliet, second.other, second.m, 'mercutio')
    expect(held()).toEqual([used])
    clock.now += 7 * 24 * 3600
    expect(await maintainDevice(juliet)).toBe(true)
    await receive(juliet, third.other, third.m, 'paris')
    clock.now += 7 * 24 * 3600
    expect(await maintainDevice(juliet)).toBe(true)
    expect(await codeOf(() => decrypt(juliet, late.other.jid, late.m))).toBe('no-prekey')
    expect(held()).toEqual([])
    expect(await codeOf(() => decrypt(juliet, first.other.jid, first.m))).toBe('duplicate')
  })

  test('the signed prekey is rotated weekly; the one before stays readable', async () => {
    const clock = { now: start }
    const juliet = await newDevice(julietJID, { clock })
    const romeo = await newDevice(romeoJID)
    const old = await bundle(juliet, version)
    await meet(romeo, juliet, version)
    const m = await send(romeo, version, 'from before', ownAddress(juliet))
    clock.now += 6 * 24 * 3600
    expect(await maintainDevice(juliet)).toBe(false)
    clock.now += 24 * 3600
    expect(await maintainDevice(juliet)).toBe(true)
    const fresh = await bundle(juliet, version)
    expect(fresh.signedPreKey.id).toBe(old.signedPreKey.id + 1)
    await receive(juliet, romeo, m, 'from before')
    clock.now = start - 3600 // the clock was wrong
    expect(await maintainDevice(juliet)).toBe(true)
  })

  test('a plaintext is given again until it is stored', async () => {
    const { romeo, juliet } = await pair(version)
    const m = await send(romeo, version, 'once', ownAddress(juliet))
    const got = await receive(juliet, romeo, m, 'once', 'archive-7')
    expect(await receive(juliet, romeo, m, 'once', 'archive-7')).toEqual({ ...got, plaintext: got.plaintext })
    expect((await unstored(juliet, 10)).map((u) => u.key)).toEqual(['archive-7'])
    await stored(juliet, ['archive-7'])
    expect(await unstored(juliet, 10)).toEqual([])
    expect(await codeOf(() => decrypt(juliet, romeoJID, m, 'archive-7'))).toBe('duplicate')
  })

  test('many at once: in one step, each by itself', async () => {
    const { romeo, juliet, store } = await pair(version)
    const list: Received[] = []
    for (let i = 0; i < 20; i++) list.push({ from: romeoJID, key: `k${i}`, message: await send(romeo, version, `${i}`, ownAddress(juliet)) })
    list.splice(7, 0, { from: romeoJID, key: 'bad', message: altered(list[3]?.message ?? never(), (c) => { c.keys[0]?.data.fill(7) }) })
    list.push({ from: romeoJID, key: 'again', message: list[0]?.message ?? never() })
    let saves = 0
    const save = store.save.bind(store)
    store.save = (values) => { saves++; return save(values) }
    const got = await decryptAll(juliet, list)
    expect(saves).toBe(1)
    expect(got.map((r) => (r.ok ? text(r.value.plaintext ?? new Uint8Array(0)) : r.error.code))).toEqual(
      [...Array.from({ length: 7 }, (_, i) => `${i}`), 'malformed', ...Array.from({ length: 13 }, (_, i) => `${i + 7}`), 'duplicate'])
    expect((await bundle(juliet, version)).preKeys.length).toBe(100)
    await receive(romeo, juliet, await send(juliet, version, 'back', ownAddress(romeo)), 'back')
  })

  test('what could not be kept has not happened', async () => {
    const { romeo, juliet, store } = await answered(version)
    const m = await send(romeo, version, 'kept', ownAddress(juliet))
    const save = store.save.bind(store)
    store.save = () => Promise.reject(new Error('disk full'))
    expect(await codeOf(() => decrypt(juliet, romeoJID, m, 'k'))).toBe('fault')
    expect(await codeOf(() => encrypt(juliet, version, new Uint8Array(3), [ownAddress(romeo)]))).toBe('fault')
    store.save = save
    await receive(juliet, romeo, m, 'kept', 'k')
    await receive(romeo, juliet, await send(juliet, version, 'back', ownAddress(romeo)), 'back')
  })

  test('our own device and repetitions are left out; unknown ones are said', async () => {
    const { romeo, juliet } = await pair(version)
    const stranger = { jid: julietJID, device: 77 }
    const to = [ownAddress(juliet), ownAddress(romeo), ownAddress(juliet), stranger]
    expect(await missing(romeo, version, to)).toEqual([stranger])
    const { message, skipped } = await encrypt(romeo, version, new Uint8Array(1), to)
    expect(message?.keys.map((k) => k.rid)).toEqual([juliet.id])
    expect(skipped).toEqual([{ ...stranger, reason: 'no-session' }])
  })

  test('bundles that do not hold', async () => {
    const { romeo, juliet } = await pair(version)
    const good = await bundle(juliet, version)
    const bad = [
      { ...good, signature: good.signature.map((b, i) => (i === 3 ? b ^ 1 : b)) }, { ...good, identity: good.identity.slice(1) },
      { ...good, preKeys: [] }, { ...good, preKeys: [{ id: 0, key: good.signedPreKey.key }] },
      { ...good, preKeys: [{ id: 1, key: new Uint8Array(good.identity.length) }] },
      { ...good, version: version === '2' ? ('0.3' as const) : ('2' as const) },
    ]
    for (const b of bad) {
      expect(await begin(romeo, [{ to: { jid: julietJID, device: 5 }, bundle: b }])).toEqual([{ jid: julietJID, device: 5, reason: 'malformed' }])
    }
    expect(await begin(romeo, [{ to: ownAddress(romeo), bundle: good }])).toMatchObject([{ reason: 'malformed' }])
  })
})

test('random bytes never open and never throw anything but a refusal', async () => {
  const { romeo, juliet } = await answered('2')
  for (let n = 0; n < 300; n++) {
    const data = crypto.getRandomValues(new Uint8Array(n))
    for (const version of versions) {
      const m: Encrypted = { version, sid: romeo.id, keys: [{ jid: julietJID, rid: juliet.id, exchange: n % 2 === 0, data }], payload: data }
      expect(await codeOf(() => decrypt(juliet, romeoJID, m))).toMatch(/^(malformed|decrypt|no-session|no-prekey|too-far|too-large)$/)
    }
  }
})
