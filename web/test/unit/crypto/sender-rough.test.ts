// Keys of senders when things go wrong: what comes late, twice or never, what is missing and asked for, who lies, and a device that is killed at any moment.

import { describe, expect, test } from 'vitest'
import { hex, utf8 } from '../../../src/core/crypto/bytes.ts'
import { newKeyPair, systemRandom } from '../../../src/core/crypto/curve.ts'
import { Step, type Device } from '../../../src/core/crypto/device.ts'
import { wrap } from '../../../src/core/crypto/envelope.ts'
import { Refused } from '../../../src/core/crypto/failure.ts'
import { encrypt } from '../../../src/core/crypto/send.ts'
import { newEpoch, openForAll, sealForAll } from '../../../src/core/crypto/sender-chain.ts'
import { chainName, epochName, loadChains, loadEpoch, saveEpoch } from '../../../src/core/crypto/sender-saved.ts'
import { senderKey } from '../../../src/core/crypto/sender-send.ts'
import { setTrust } from '../../../src/core/crypto/trust.ts'
import { seal } from '../../../src/core/crypto/payload.ts'
import { profiles } from '../../../src/core/crypto/profile.ts'
import type { Service } from '../../../src/core/crypto/service.ts'
import { MemoryStore, type Store } from '../../../src/core/crypto/store.ts'
import { advance } from '../../../src/core/crypto/kdf.ts'
import type { Address, Bytes, Encrypted, ForAll } from '../../../src/core/crypto/types.ts'
import { CLIENT, OMEMO2, SENDER_KEYS } from '../../../src/core/xmpp/ns.ts'
import { parseEncrypted } from '../../../src/core/xmpp/omemo.ts'
import { el, parse } from '../../../src/core/xmpp/xml.ts'
import { Crowd, room, type Said } from './crowd.ts'
import { meet, start } from './support.ts'

const romeo = 'romeo@example.org'
const juliet = 'juliet@example.org'
const nurse = 'nurse@example.org'
const addressOf = (s: Service): Address => ({ jid: s.device.jid, device: s.device.id })

interface Met { crowd: Crowd; a: Service; b: Service; c: Service }

/** Three who talk in a large group; the second and third have the chain of the first. */
async function met(store?: Store): Promise<Met> {
  const crowd = new Crowd()
  crowd.fill(36)
  const [a, b, c] = [await crowd.join(romeo), await crowd.join(juliet, store ? { store } : {}), await crowd.join(nurse)]
  await crowd.say(a, 'first')
  for (const end of [b, c]) expect(await crowd.reads(end)).toBe('first')
  return { crowd, a, b, c }
}

async function sayMany(crowd: Crowd, from: Service, count: number): Promise<Said[]> {
  const before = crowd.log.length
  for (let i = 0; i < count; i++) await crowd.say(from, `m${i}`)
  return crowd.log.slice(before)
}

describe('on the way', () => {
  test('messages come in any order, some twice, some never', async () => {
    const { crowd, a, b } = await met()
    const said = await sayMany(crowd, a, 60)
    const order = said.map((one, i) => ({ one, i })).filter(({ i }) => i % 7 !== 3).sort((x, y) => (x.i * 37) % 61 - (y.i * 37) % 61)
    for (const { one, i } of order) expect(await crowd.reads(b, one)).toBe(`m${i}`)
    for (const { one } of order) expect(await crowd.reads(b, one)).toBe('duplicate')
    const [, , , lost] = said
    expect(await crowd.reads(b, lost)).toBe('m3')
  })

  test('in one step, the one with the chain and those that need it', async () => {
    const crowd = new Crowd()
    crowd.fill(36)
    const [a, b] = [await crowd.join(romeo), await crowd.join(juliet)]
    const said = await sayMany(crowd, a, 20)
    const read = await b.decryptMany(said.map(({ from, message }, i) => ({ key: `x${i}`, from, room, message: structuredClone(message) })))
    expect(read.map((one) => one.ok)).toEqual(said.map(() => true))
    // The same again, under the same names, until it is kept elsewhere.
    const again = await b.decryptMany(said.map(({ from, message }, i) => ({ key: `x${i}`, from, room, message: structuredClone(message) })))
    expect(again.map((one) => one.ok && one.value.envelope)).toEqual(read.map((one) => one.ok && one.value.envelope))
    await b.stored(said.map((_, i) => `x${i}`))
    expect(await crowd.reads(b, said[4])).toBe('duplicate')
  })

  test('skipped keys of all epochs of a device are at most a thousand, and an epoch that ended a week ago is forgotten', async () => {
    const { crowd, a, b, c } = await met()
    const name = chainName(room, addressOf(a))
    const chains = async () => loadChains((await b.device.store.load([name])).get(name) ?? new Uint8Array(0))
    const [missed] = await sayMany(crowd, a, 600)
    expect(await crowd.reads(b)).toBe('m599')
    crowd.members = crowd.members.filter((jid) => jid !== nurse)
    await sayMany(crowd, a, 601)
    expect([await crowd.reads(b, crowd.log.at(-601)), await crowd.reads(b)]).toEqual(['m0', 'm600'])
    expect((await chains()).map((one) => one.skipped.length)).toEqual([599, 401])
    expect(await crowd.reads(b, missed)).toBe('duplicate')
    crowd.clock.now += 7 * 86_400
    await crowd.say(a, 'x')
    expect(await crowd.reads(b)).toBe('x')
    expect(await chains()).toHaveLength(2)
    expect(await crowd.reads(c)).toBe('no-chain')
  })
})

describe('a chain that is missing', () => {
  /** The second has lost all that it knew of the chains of others. */
  async function lost(): Promise<Met & { said: Said[] }> {
    const all = await met()
    const { crowd, a, b } = all
    const said = await sayMany(crowd, a, 3)
    await b.device.store.save(new Map([[chainName(room, addressOf(a)), null]]))
    return { ...all, said: [crowd.log[0] ?? { from: '', message: { version: '2', sid: 1, keys: [] } }, ...said] }
  }

  test('is asked for and given from where it was meant for the device; the next message has a key for it again', async () => {
    const { crowd, a, b, said } = await lost()
    expect(await crowd.reads(b)).toBe('no-chain')
    const epoch = said[0]?.message.all?.epoch ?? ''
    await b.want({ room, sender: addressOf(a), epoch })
    expect(await crowd.settle(a, b)).toBeGreaterThan(1)
    for (const [i, one] of said.slice(1).entries()) expect(await crowd.reads(b, one)).toBe(`m${i}`)
    expect((await crowd.say(a, 'next')).keys.map((k) => k.jid)).toEqual([juliet])
    expect(await crowd.reads(b)).toBe('next')
    expect((await crowd.say(a, 'last')).keys).toEqual([])
    expect(await crowd.reads(b)).toBe('last')
  })

  test('of the epoch before, too; and nothing of it is shown in a chat', async () => {
    const { crowd, a, b, said } = await lost()
    crowd.members = crowd.members.filter((jid) => jid !== nurse)
    await crowd.say(a, 'new epoch')
    expect(await crowd.reads(b)).toBe('new epoch')
    await b.want({ room, sender: addressOf(a), epoch: said[0]?.message.all?.epoch ?? '' })
    for (const [from, to] of [[b, a], [a, b]] as const) {
      const answers = (await from.due()).answers.filter((one) => one.room)
      expect(answers.map((one) => [one.to, one.room])).toEqual([[to.device.jid, room]])
      const [one] = await to.decryptMany(answers.map(({ message }) => ({ key: `d${from.device.id}`, from: from.device.jid, message })))
      expect(one?.ok && [one.value.empty, one.value.envelope]).toEqual([true, undefined])
      if (to === b) expect(one?.ok && one.value.chain).toMatchObject({ room, sender: addressOf(a) })
    }
    expect(await crowd.reads(b, said[3])).toBe('m2')
  })

  test('is asked for once an hour, and answered once an hour', async () => {
    const { crowd, a, b, said } = await lost()
    const epoch = said[0]?.message.all?.epoch ?? ''
    const ask = async () => { await b.want({ room, sender: addressOf(a), epoch }); return (await b.due()).answers.filter((one) => one.room) }
    const [question] = await ask()
    expect(await ask()).toEqual([])
    const heard = async (key: string) => { if (question) await a.decryptMany([{ key, from: juliet, message: structuredClone(question.message) }]); return (await a.due()).answers.filter((one) => one.room) }
    expect(await heard('q1')).toHaveLength(1)
    expect(await heard('q2')).toHaveLength(0)
    crowd.clock.now += 3601
    expect(await ask()).toHaveLength(1)
  })

  test('is not given to who never had it, and not believed unless it was asked for', async () => {
    const { crowd, a, b } = await met()
    const stranger = await crowd.join('stranger@example.org')
    crowd.members = crowd.members.filter((jid) => !jid.startsWith('stranger'))
    const { all } = await crowd.say(a, 'x')
    await stranger.want({ room, sender: addressOf(a), epoch: all?.epoch ?? '' })
    await crowd.settle(a, stranger)
    expect(await crowd.reads(stranger)).toBe('no-chain')
    // Somebody hands over a chain that nobody asked for.
    const epoch = newEpoch(systemRandom, start)
    await meet(stranger.device, b.device, '2')
    await direct(stranger.device, b, String(senderKey(room, epoch, 0, epoch.start)))
    expect((await b.device.store.names('chain/', 100)).filter((name) => name.includes('stranger'))).toEqual([])
  })

  test('of which one knows a later part: what came before is read then', async () => {
    const { crowd, a, b } = await met()
    const said = await sayMany(crowd, a, 4)
    // As if the chain had come with a later message.
    const name = chainName(room, addressOf(a))
    const own = loadEpoch((await a.device.store.load([epochName(room)])).get(epochName(room)) ?? new Uint8Array(0))
    await b.device.store.save(new Map([[name, null]]))
    await b.want({ room, sender: addressOf(a), epoch: own.id })
    await b.due()
    await direct(a.device, b, String(senderKey(room, own, own.n, own.chain)))
    expect(await crowd.reads(b)).toBe('not-for-us')
    crowd.clock.now += 3601
    await b.want({ room, sender: addressOf(a), epoch: own.id })
    await crowd.settle(a, b)
    for (const [i, one] of said.entries()) expect(await crowd.reads(b, one)).toBe(`m${i}`)
  })
})

/** Says something to one device alone. */
async function direct(from: Device, to: Service, content: string, group = room): Promise<void> {
  const { message } = await encrypt(from, '2', utf8(wrap(content, from.jid, start, systemRandom, group)), [addressOf(to)])
  if (!message) throw new Error('no session')
  await to.decryptMany([{ key: `direct${Math.random()}`, from: from.jid, message }])
}

describe('who lies', () => {
  /** A message with a chain that a member knows. */
  async function speak(as: { jid: string; device: number; epoch: string; n: number; chain: Bytes; private: Bytes }, body: string, author = as.jid, at = room): Promise<Encrypted> {
    const { seed } = advance(as.chain)
    const { keyPart, payload } = await seal(profiles[1], utf8(wrap(`<body xmlns='jabber:client'>${body}</body>`, author, start, systemRandom, at)), systemRandom)
    if (!payload) throw new Error('no payload')
    return { version: '2', sid: as.device, keys: [], payload, all: await sealForAll({ room: at, jid: as.jid, device: as.device, epoch: as.epoch, n: as.n, private: as.private, random: systemRandom }, seed, keyPart, payload) }
  }

  test('a member who has the chain speaks for nobody else', async () => {
    const { crowd, a, b, c } = await met()
    const name = chainName(room, addressOf(a))
    const [known] = loadChains((await c.device.store.load([name])).get(name) ?? new Uint8Array(0))
    if (!known) throw new Error('no chain')
    const own = newKeyPair(systemRandom).private
    const forged = await speak({ ...addressOf(a), epoch: known.epoch, n: known.next, chain: known.chain, private: own }, 'forged')
    for (const from of [romeo, nurse]) expect(await crowd.reads(b, { from, message: forged })).not.toBe('forged')
    // A payload of his own under a signature of hers.
    const real = await crowd.say(a, 'real')
    expect(await crowd.reads(b, { from: romeo, message: { ...forged, all: real.all ?? forged.all } as Encrypted })).toBe('malformed')
    // As a message of himself, or in another group.
    expect(await crowd.reads(b, { from: nurse, message: real })).toBe('no-chain')
    expect(await crowd.reads(b, { from: romeo, message: real }, 'padua@groups.example')).toBe('no-chain')
    expect(await crowd.reads(b, { from: romeo, message: real })).toBe('real')
  })

  test('nobody hands over a chain for another device, another group or with a key that signs for all', async () => {
    const { crowd, a, b, c } = await met()
    await crowd.say(c, 'c')
    await crowd.reads(b)
    const epoch = newEpoch(systemRandom, start)
    const other = 'padua@groups.example'
    await b.want({ room: other, sender: addressOf(c), epoch: epoch.id })
    await b.due()
    const handed = async (content: string, group: string) => { await direct(c.device, b, content, group); return (await b.device.store.names('chain/', 100)).filter((one) => one.includes(other)) }
    expect(await handed(String(senderKey(other, epoch, 0, epoch.start)), room)).toEqual([]) // the envelope is for another group
    expect(await handed(String(senderKey(other, { ...epoch, public: new Uint8Array(32).fill(1, 0, 1) }, 0, epoch.start)), other)).toEqual([])
    expect(await handed(String(senderKey(other, epoch, 1001, epoch.start)), other)).toEqual([])
    expect(await handed(String(senderKey(other, epoch, 0, epoch.start.slice(1))), other)).toEqual([])
    expect(await handed(String(senderKey(other, epoch, 0, epoch.start)), other)).toEqual([chainName(other, addressOf(c))])
    // In a group: only for that group, and under the device whose session it is.
    const { message } = await encrypt(c.device, '2', utf8(wrap(String(senderKey(other, newEpoch(systemRandom, start), 0, epoch.start)), nurse, start, systemRandom, room)), [addressOf(b)])
    const before = await b.device.store.names('chain/', 100)
    await b.decryptMany([{ key: 'z', from: nurse, room, message: message ?? { version: '2', sid: 1, keys: [] } }])
    expect(await b.device.store.names('chain/', 100)).toEqual(before)
    // The same epoch once more, with another key: the first one holds.
    const mine = loadEpoch((await a.device.store.load([epochName(room)])).get(epochName(room)) ?? new Uint8Array(0))
    const again = await encrypt(c.device, '2', utf8(wrap(String(senderKey(room, { ...epoch, id: mine.id }, 0, epoch.start)), nurse, start, systemRandom, room)), [addressOf(b)])
    await b.decryptMany([{ key: 'y', from: nurse, room, message: again.message ?? { version: '2', sid: 1, keys: [] } }])
    await crowd.say(a, 'still')
    expect(await crowd.reads(b)).toBe('still')
  })

  test('an envelope of somebody else, or for another group, is not what a message says', async () => {
    const { crowd, a, b } = await met()
    const own = loadEpoch((await a.device.store.load([epochName(room)])).get(epochName(room)) ?? new Uint8Array(0))
    const message = await speak({ ...addressOf(a), epoch: own.id, n: own.n, chain: own.chain, private: own.private }, 'x', nurse)
    const one = await crowd.hear(b, { from: romeo, message })
    // The tab takes it out of its envelope, and refuses it there (envelope.ts).
    expect(one.ok && one.value.envelope?.includes(nurse)).toBe(true)
  })

  test('whatever is changed in a message, it is refused and changes nothing', async () => {
    const { crowd, a, b } = await met()
    const real = await crowd.say(a, 'real')
    const all = real.all ?? { epoch: '', n: 0, data: new Uint8Array(0), sign: new Uint8Array(0) }
    const flip = (b: Bytes, i: number) => { const out = b.slice(); out[i] = (out[i] ?? 0) ^ 1; return out }
    const changed: Partial<ForAll>[] = [
      ...[0, 1, 2, 998, 999, 1000, 2 ** 31, 2 ** 53, -1, 0.5, NaN].filter((n) => n !== all.n).map((n) => ({ n })), { epoch: '0'.repeat(16) }, { epoch: '' }, { epoch: '__proto__' },
      ...[0, 31, 63].map((i) => ({ data: flip(all.data, i) })), ...[0, 31, 32, 63].map((i) => ({ sign: flip(all.sign, i) })),
      { data: new Uint8Array(0) }, { data: all.data.slice(1) }, { sign: new Uint8Array(0) }, { sign: new Uint8Array(64) },
    ]
    const name = chainName(room, addressOf(a))
    const before = (await b.device.store.load([name])).get(name)
    for (const one of changed) {
      const result = await crowd.hear(b, { from: romeo, message: { ...real, all: { ...all, ...one } } })
      expect([one, result.ok]).toEqual([one, false])
      if (!result.ok) expect(result.error.code).toMatch(/^(malformed|no-chain|not-for-us|duplicate)$/)
    }
    for (const payload of [undefined, new Uint8Array(0), flip(real.payload ?? all.data, 0)]) {
      const { payload: _, ...rest } = real
      expect((await crowd.hear(b, { from: romeo, message: payload ? { ...rest, payload } : rest })).ok).toBe(false)
    }
    expect((await b.device.store.load([name])).get(name)).toEqual(before)
    expect(await crowd.reads(b)).toBe('real')
  })

  test('a place that is used twice, by a copy of a device, gives no key twice', async () => {
    const { crowd, a } = await met()
    const saved = (await a.device.store.load([epochName(room)])).get(epochName(room)) ?? new Uint8Array(0)
    const one = await crowd.say(a, 'one')
    await a.device.store.save(new Map([[epochName(room), saved]]))
    const two = await crowd.say(a, 'two')
    expect(one.all?.n).toBe(two.all?.n)
    const own = loadEpoch(saved)
    const { seed } = advance(own.chain)
    const parts: Bytes[] = []
    for (const { all, payload } of [one, two]) if (all && payload) parts.push(all.data, await openForAll({ room, ...addressOf(a), epoch: own.id }, all, seed, payload))
    const [c1, p1, c2, p2] = parts
    // With one key stream for both, what differs in the one would differ in the other.
    expect(p1?.some((byte, i) => (byte ^ (p2?.[i] ?? 0)) !== ((c1?.[i] ?? 0) ^ (c2?.[i] ?? 0)))).toBe(true)
    expect(p1).toHaveLength(48)
  })
})

/** A store that dies after so many changes. */
class Mortal implements Store {
  left = Infinity
  constructor(readonly kept: MemoryStore) {}
  load = (names: string[]) => this.kept.load(names)
  names = (prefix: string, limit: number) => this.kept.names(prefix, limit)
  save(values: Map<string, Bytes | null>): Promise<void> {
    if (this.left-- <= 0) return Promise.reject(new Refused('storage', 'killed'))
    return this.kept.save(values)
  }
}

describe('killed between any two writes', () => {
  test('who speaks uses no place twice, and all that is in the log is read', async () => {
    for (let after = 0; after < 14; after++) {
      const crowd = new Crowd()
      crowd.fill(34)
      const kept = new MemoryStore()
      const mortal = new Mortal(kept)
      const b = await crowd.join(juliet)
      let a = await crowd.join(romeo, { store: mortal })
      mortal.left = after
      const places: string[] = []
      const emit = async (body: string, reflect = true): Promise<void> => {
        const { messages } = await crowd.seal(a, body)
        const [message] = messages
        if (!message) throw new Error('nothing')
        places.push(`${message.all?.epoch} ${message.all?.n}`)
        crowd.log.push({ from: romeo, message })
        if (reflect && message.all) await a.reflected(room, message.all.epoch, message.all.n)
      }
      const script = [() => emit('one', false), () => emit('two'), () => emit('three'), async () => { await crowd.join(nurse) }, () => emit('four'), () => emit('five')]
      for (const step of script) {
        try {
          await step()
        } catch (error) {
          expect(String(error)).toContain('killed')
          mortal.left = Infinity
          a = await crowd.open(romeo, mortal)
          await step()
        }
      }
      expect(new Set(places).size).toBe(places.length)
      const read = []
      for (const one of crowd.log) read.push(await crowd.reads(b, one))
      expect([...new Set(read)]).toEqual(['one', 'two', 'three', 'four', 'five'])
    }
  }, 240_000)

  test('who reads, reads all of it at last', async () => {
    const kept = new MemoryStore()
    const mortal = new Mortal(kept)
    const crowd = new Crowd()
    crowd.fill(36)
    const [a, b] = [await crowd.join(romeo), await crowd.join(juliet, { store: mortal })]
    await sayMany(crowd, a, 6)
    const before = new Map(kept.values)
    expect(b.device.id).toBeGreaterThan(0)
    for (let after = 0; after < 14; after++) {
      kept.values.clear()
      for (const [name, value] of before) kept.values.set(name, value)
      let end = await crowd.open(juliet, mortal)
      mortal.left = after
      const read: (string | undefined)[] = []
      for (const [i, one] of crowd.log.entries()) {
        const attempt = async () => {
          const got = await crowd.hear(end, one, `x${i}`)
          if (!got.ok) throw new Refused(got.error.code, got.error.detail)
          await end.stored([`x${i}`])
          return /<body[^>]*>([^<]*)</.exec(got.value.envelope ?? '')?.[1]
        }
        read.push(await attempt().catch(async (error: Refused) => {
          expect(error.message).toBe('killed')
          mortal.left = Infinity
          end = await crowd.open(juliet, mortal)
          // What was kept and not yet safe elsewhere is given once more; else the log gives the message.
          return (await attempt().catch((again: Refused) => again.code))
        }))
      }
      expect(read).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5'])
    }
  }, 240_000)

  test('what is kept and cannot be read any more is begun anew', async () => {
    const { crowd, a, b } = await met()
    await a.device.store.save(new Map([[epochName(room), saveEpoch(newEpoch(systemRandom, start)).slice(0, 20)]]))
    expect((await crowd.say(a, 'anew')).all?.n).toBe(0)
    expect(await crowd.reads(b)).toBe('anew')
    const step = new Step(b.device)
    expect(await step.read(chainName(room, addressOf(a)))).toBeDefined()
  })
})

test('after a month of silence nothing is kept of chains', async () => {
  const { crowd, a, b } = await met()
  const kept = async (end: Service) => (await Promise.all(['chain/', 'sender/', 'want/', 'knows/'].map((prefix) => end.device.store.names(prefix, 100)))).map((names) => names.length)
  await b.want({ room: 'padua@groups.example', sender: addressOf(a), epoch: '0'.repeat(16) })
  await b.due()
  await crowd.say(b, 'x')
  crowd.clock.now += 29 * 86_400
  const before = await kept(b)
  await b.maintain()
  expect(await kept(b)).toEqual(before)
  expect(before.every((count) => count > 0)).toBe(true)
  crowd.clock.now += 86_400
  await b.maintain()
  expect(await kept(b)).toEqual([0, 0, 0, 0])
  await crowd.say(a, 'back')
  expect(await crowd.reads(b)).toBe('back')
})

test('what another tab changes is seen here', async () => {
  const store = new MemoryStore()
  const crowd = new Crowd()
  crowd.fill(36)
  const [a, b, c] = [await crowd.join(romeo, { store }), await crowd.join(juliet), await crowd.join(nurse)]
  const tab = await crowd.open(romeo, store)
  await crowd.say(a, 'one')
  await crowd.say(tab, 'two')
  expect(crowd.log.map(({ message }) => [message.keys.length, message.all?.n])).toEqual([[38, 0], [0, 1]])
  await setTrust(tab.device, addressOf(c), hex(c.device.identity.curve), 'distrusted')
  await crowd.say(a, 'three')
  expect(crowd.log.at(-1)?.message.keys).toHaveLength(37)
  for (const one of crowd.log.slice(0, 2)) await crowd.reads(c, one)
  expect([await crowd.reads(b), await crowd.reads(c)]).toEqual(['three', 'no-chain'])
  await tab.listed(nurse, '2', [])
  await tab.listed(nurse, '0.3', [])
  await crowd.say(tab, 'four')
  await crowd.say(a, 'five')
  expect(crowd.log.slice(-2).map(({ message }) => [message.keys.length, message.all?.n])).toEqual([[0, 1], [0, 2]])
})

test('a key for all is read from a stanza strictly, whatever stands there', () => {
  const good = { epoch: '0123456789abcdef', n: '17', sign: 'A'.repeat(86) + '==', text: 'A'.repeat(86) + '==' }
  const read = (part: Partial<typeof good>) => {
    const { text, ...attrs } = { ...good, ...part }
    const stanza = el(CLIENT, 'message', {}, el(OMEMO2, 'encrypted', {}, el(OMEMO2, 'header', { sid: '1' }), el(OMEMO2, 'payload', {}, 'AAAA')), el(SENDER_KEYS, 'for-all', attrs, text))
    return parseEncrypted(parse(String(stanza)) ?? stanza)[0]
  }
  expect(read({})?.all).toMatchObject({ epoch: good.epoch, n: 17 })
  for (const bad of [
    ...['1000', '-1', '01', '1e3', ' 1', '', '99999999999999999999', 'NaN', '0x1', '1.0'].map((n) => ({ n })), ...['', 'x'.repeat(16), '0123456789ABCDEF', '0123456789abcde'].map((epoch) => ({ epoch })),
    { text: '' }, { text: 'A'.repeat(300) }, { text: '%' }, { sign: '%' }, { sign: '' },
  ]) {
    const all = read(bad)?.all
    // What can be read as base64 and has a wrong length is refused where it is used.
    if (all) expect([all.data.length, all.sign.length]).not.toEqual([64, 64])
  }
})

describe('many devices that come and go', () => {
  test('who is a member when something is said reads it at last, and nobody else', async () => {
    let state = 1
    const draw = (below: number) => { state = (state * 1_103_515_245 + 12_345) % 2 ** 31; return Math.floor(state / 65_536) % below }
    const crowd = new Crowd()
    crowd.fill(40, { devices: 2 })
    crowd.fill(10, { knows: false })
    crowd.fill(5, { version: '0.3', knows: false })
    const others = [...crowd.members]
    const ends: Service[] = []
    for (const jid of [romeo, juliet, nurse, 'tybalt@example.org', juliet]) ends.push(await crowd.join(jid))
    for (const end of ends) await end.listed(juliet, '2', ends.filter((one) => one.device.jid === juliet).map((one) => one.device.id))
    const unread = new Map(ends.map((end) => [end, [] as { said: Said; body: string }[]]))
    const [first] = ends
    const read = async (end: Service, said: Said, body: string) => expect([end.device.jid, await crowd.reads(end, said)]).toEqual([end.device.jid, body])
    for (let i = 0; i < 120; i++) {
      const what = draw(10)
      const some = ends[draw(ends.length)]
      const silent = others[draw(others.length)]
      if (!some || !silent) continue
      if (what === 0 && some !== first) crowd.members = crowd.members.filter((jid) => jid !== some.device.jid)
      else if (what === 1 && !crowd.members.includes(some.device.jid)) crowd.members.push(some.device.jid)
      else if (what === 2) crowd.members = crowd.members.includes(silent) ? crowd.members.filter((jid) => jid !== silent) : [...crowd.members, silent]
      else if (what === 3) {
        // Somebody is there again, and reads what was said meanwhile in the order of the log, some of it twice.
        for (const { said, body } of unread.get(some)?.splice(0) ?? []) {
          await read(some, said, body)
          if (draw(3) === 0) await read(some, said, 'duplicate')
        }
      } else if (crowd.members.includes(some.device.jid)) {
        await crowd.say(some, `m${i}`)
        const said = crowd.log.at(-1)
        if (!said) continue
        for (const end of ends) {
          if (end === some) continue
          if (crowd.members.includes(end.device.jid)) unread.get(end)?.push({ said, body: `m${i}` })
          else expect(await crowd.reads(end, said)).toMatch(/^(no-chain|not-for-us)$/)
        }
      }
    }
    for (const [end, list] of unread) for (const { said, body } of list) await read(end, said, body)
    expect(crowd.log.filter(({ message }) => message.keys.length < 30).length).toBeGreaterThan(10)
  }, 240_000)
})
