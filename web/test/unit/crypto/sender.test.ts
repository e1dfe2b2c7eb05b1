// Keys of senders (docs/protocol/group-keys.md): one key for a whole group, in groups of hundreds of devices.

import { describe, expect, test } from 'vitest'
import { hex } from '../../../src/core/crypto/bytes.ts'
import { begin } from '../../../src/core/crypto/send.ts'
import type { Service } from '../../../src/core/crypto/service.ts'
import { MemoryStore } from '../../../src/core/crypto/store.ts'
import { setTrust } from '../../../src/core/crypto/trust.ts'
import { Crowd, room } from './crowd.ts'

const romeo = 'romeo@example.org'
const juliet = 'juliet@example.org'

describe('a large group', () => {
  test('the first message has a key for each, and the chain; the next ones have one for all', async () => {
    const crowd = new Crowd()
    crowd.fill(38)
    const [a, b] = [await crowd.join(romeo), await crowd.join(juliet)]
    const first = await crowd.say(a, 'first')
    expect([first.keys.length, first.all?.n]).toEqual([39, 0])
    expect(await crowd.reads(b)).toBe('first')
    for (const body of ['second', 'third']) {
      const next = await crowd.say(a, body)
      expect([next.keys, next.all?.epoch]).toEqual([[], first.all?.epoch])
      expect(await crowd.reads(b)).toBe(body)
      expect(await crowd.reads(b)).toBe('duplicate')
    }
    await crowd.say(b, 'answer')
    expect(await crowd.reads(a)).toBe('answer')
    await crowd.say(b, 'again')
    expect(await crowd.reads(a)).toBe('again')
    expect(crowd.log.at(-1)?.message.keys).toEqual([])
  })
})

const nurse = 'nurse@example.org'

/** A group with these devices, who all have the chain of the first. */
async function spoken(...names: string[]): Promise<{ crowd: Crowd; ends: Service[] }> {
  const crowd = new Crowd()
  crowd.fill(38)
  const ends: Service[] = []
  for (const name of names) ends.push(await crowd.join(name))
  await crowd.say(at(ends, 0), 'first')
  for (const end of ends.slice(1)) expect(await crowd.reads(end)).toBe('first')
  return { crowd, ends }
}

function at<T>(list: T[], i: number): T {
  const one = list[i]
  if (one === undefined) throw new Error(`nothing at ${i}`)
  return one
}

describe('an epoch ends', () => {
  test('when somebody is no member any more, who then reads nothing', async () => {
    const { crowd, ends: [a, b, c] } = await spoken(romeo, juliet, nurse) as { crowd: Crowd; ends: [Service, Service, Service] }
    const before = (await crowd.say(a, 'second')).all?.epoch
    crowd.members = crowd.members.filter((jid) => jid !== nurse)
    const next = await crowd.say(a, 'third')
    expect(next.all?.epoch).not.toBe(before)
    expect([next.keys.length, next.all?.n]).toEqual([39, 0])
    expect([await crowd.reads(b), await crowd.reads(c)]).toEqual(['third', 'no-chain'])
    await crowd.say(a, 'fourth')
    expect([await crowd.reads(b), await crowd.reads(c)]).toEqual(['fourth', 'no-chain'])
    crowd.members.push(nurse)
    const back = await crowd.say(a, 'fifth')
    expect([back.keys.map((k) => k.jid), back.all?.n]).toEqual([[nurse], 2])
    expect([await crowd.reads(b), await crowd.reads(c)]).toEqual(['fifth', 'fifth'])
  })

  test('when a device is on no list any more', async () => {
    const { crowd, ends: [a, b, c] } = await spoken(romeo, juliet, juliet) as { crowd: Crowd; ends: [Service, Service, Service] }
    await crowd.say(a, 'second')
    await a.listed(juliet, '2', [b.device.id])
    await a.listed(juliet, '0.3', [b.device.id])
    expect((await crowd.say(a, 'third')).keys).toHaveLength(39)
    expect([await crowd.reads(b), await crowd.reads(c)]).toEqual(['third', 'no-chain'])
  })

  test('when a device is distrusted, which gets nothing from then on', async () => {
    const { crowd, ends: [a, b, c] } = await spoken(romeo, juliet, nurse) as { crowd: Crowd; ends: [Service, Service, Service] }
    await crowd.say(a, 'second')
    await setTrust(a.device, { jid: nurse, device: c.device.id }, hex(c.device.identity.curve), 'distrusted')
    const next = await crowd.say(a, 'third')
    expect([next.keys.length, next.all?.n]).toEqual([39, 0])
    expect([await crowd.reads(b), await crowd.reads(c)]).toEqual(['third', 'no-chain'])
    // It may ask as it likes.
    await c.want({ room, sender: { jid: romeo, device: a.device.id }, epoch: next.all?.epoch ?? '' })
    await crowd.settle(a, c)
    expect(await crowd.reads(c)).toBe('no-chain')
    await setTrust(a.device, { jid: nurse, device: c.device.id }, hex(c.device.identity.curve), 'trusted')
    expect((await crowd.say(a, 'fourth')).keys.map((k) => k.jid)).toEqual([nurse])
    expect([await crowd.reads(b), await crowd.reads(c)]).toEqual(['fourth', 'fourth'])
  })

  test('when a device has another key than the one that was given the chain', async () => {
    const { crowd, ends: [a, b, c] } = await spoken(romeo, juliet, nurse) as { crowd: Crowd; ends: [Service, Service, Service] }
    await crowd.say(a, 'second')
    // Somebody else publishes keys under the same number; the session is begun anew with them.
    const other = await crowd.open(nurse, new MemoryStore())
    const [forged] = (await other.due()).publications.filter((p) => p.version === '2')
    if (forged) await begin(a.device, [{ to: { jid: nurse, device: c.device.id }, bundle: forged.bundle }])
    const next = await crowd.say(a, 'third')
    expect([next.keys.length, next.all?.n, await crowd.reads(b)]).toEqual([40, 0, 'third'])
  })

  test('after a thousand messages, and after seven days', async () => {
    const { crowd, ends: [a, b] } = await spoken(romeo, juliet) as { crowd: Crowd; ends: [Service, Service] }
    let epoch = ''
    for (let i = 1; i < 1000; i++) epoch = (await crowd.say(a, `m${i}`)).all?.epoch ?? ''
    expect(await crowd.reads(b)).toBe('m999')
    const next = await crowd.say(a, 'next')
    expect([next.all?.n, next.all?.epoch === epoch, await crowd.reads(b)]).toEqual([0, false, 'next'])
    crowd.clock.now += 7 * 86_400 - 10
    expect((await crowd.say(a, 'still')).all?.n).toBe(1)
    crowd.clock.now += 10
    const later = await crowd.say(a, 'later')
    expect([later.all?.n, later.keys.length, await crowd.reads(b)]).toEqual([0, 39, 'later'])
    // A clock that was set back by months does not make it last.
    crowd.clock.now -= 90 * 86_400
    expect((await crowd.say(a, 'earlier')).all?.n).toBe(0)
  })
})

describe('who gets the chain', () => {
  test('who becomes a member, and a new device, with the next message and from it on', async () => {
    const { crowd, ends: [a, b] } = await spoken(romeo, juliet) as { crowd: Crowd; ends: [Service, Service] }
    const second = await crowd.say(a, 'second')
    const [c, d] = [await crowd.join(nurse), await crowd.join(juliet)]
    await a.listed(juliet, '2', [b.device.id, d.device.id])
    const third = await crowd.say(a, 'third')
    expect([third.keys.map((k) => k.rid).sort(), third.all?.n, third.all?.epoch]).toEqual([[c.device.id, d.device.id].sort(), 2, second.all?.epoch])
    for (const end of [b, c, d]) expect(await crowd.reads(end)).toBe('third')
    await crowd.say(a, 'fourth')
    expect(crowd.log.at(-1)?.message.keys).toEqual([])
    for (const end of [b, c, d]) expect(await crowd.reads(end)).toBe('fourth')
    // What was said before was not for them.
    expect([await crowd.reads(c, crowd.log[1]), await crowd.reads(d, crowd.log[1])]).toEqual(['not-for-us', 'not-for-us'])
  })

  test('again with each message, until one of them is known to stand in the log', async () => {
    const crowd = new Crowd()
    crowd.fill(38)
    const [a, b] = [await crowd.join(romeo), await crowd.join(juliet)]
    const sealed = []
    for (const body of ['lost', 'refused', 'kept']) sealed.push((await crowd.seal(a, body)).messages.at(-1))
    expect(sealed.map((m) => [m?.keys.length, m?.all?.n])).toEqual([[39, 0], [39, 1], [39, 2]])
    const [, , kept] = sealed
    if (kept) await crowd.place(a, kept)
    expect(await crowd.reads(b)).toBe('kept')
    expect((await crowd.say(a, 'next')).keys).toEqual([])
    expect(await crowd.reads(b)).toBe('next')
  })

  test('devices of other apps have a key of their own in every message, of OMEMO 2 or 0.3', async () => {
    const crowd = new Crowd()
    crowd.fill(20)
    crowd.fill(10, { knows: false, devices: 2 })
    crowd.fill(3, { version: '0.3', knows: false })
    const [a, b] = [await crowd.join(romeo), await crowd.join(juliet)]
    const [newer, older] = [await crowd.join('newer@example.org', { knows: false }), await crowd.join('older@example.org', { knows: false, versions: ['0.3'] })]
    for (const [body, keys] of [['first', 42], ['second', 21], ['third', 21]] as const) {
      const { messages, whole } = await crowd.seal(a, body)
      const [old, young] = messages
      expect([old?.version, old?.keys.length, whole, young?.version, young?.keys.length, !!old?.all]).toEqual(['0.3', 4, false, '2', keys, false])
      if (!old || !young) throw new Error('nothing was said')
      await crowd.place(a, young)
      const said = { from: romeo, message: young }
      expect([await crowd.reads(b, said), await crowd.reads(newer, said), await crowd.reads(older, { from: romeo, message: old })]).toEqual([body, body, body])
      // What does not know it does not see it either.
      if (body !== 'first') expect((await newer.decryptMany([{ key: body, from: romeo, message: { ...young, all: undefined } as never }]))[0]?.ok).toBe(false)
    }
    // Where nobody knows chains, all is as ever.
    for (const jid of crowd.know.keys()) crowd.know.set(jid, [])
    const other = await crowd.join(nurse, { knows: false })
    expect((await crowd.say(other, 'x')).all).toBeUndefined()
  })

  test('up to 32 devices each has a key of its own', async () => {
    const crowd = new Crowd()
    crowd.fill(30)
    const [a] = [await crowd.join(romeo), await crowd.join(juliet)]
    expect((await crowd.say(a, 'x')).all).toBeUndefined()
    crowd.fill(2)
    await crowd.say(a, 'x')
    expect((await crowd.say(a, 'x')).keys).toEqual([])
  })
})
