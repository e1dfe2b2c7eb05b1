// Several devices of one account, each with a store of its own: trust that they tell each other, and keys of the history.

import { describe, expect, test, vi } from 'vitest'
import { adoptKept, historyState, loadKept, newHistoryKey } from '../../../src/core/crypto/history.ts'
import { Links } from '../../../src/core/crypto/link.ts'
import { newRecovery, recover } from '../../../src/core/crypto/recovery.ts'
import { hex, utf8 } from '../../../src/core/crypto/bytes.ts'
import { newKeyPair } from '../../../src/core/crypto/curve.ts'
import { Service } from '../../../src/core/crypto/service.ts'
import { MemoryStore, newTurn } from '../../../src/core/crypto/store.ts'
import { devicesOf, setTrust, vouch } from '../../../src/core/crypto/trust.ts'
import type { InEnvelope } from '../../../src/core/crypto/port.ts'
import type { Bundle, Encrypted, Publication, Trust, Version } from '../../../src/core/crypto/types.ts'
import { cloned, codeOf, start } from './support.ts'

const romeo = 'romeo@example.org'
const juliet = 'juliet@example.net'

/** A server and the devices on it. */
class Town {
  readonly bundles = new Map<string, Bundle>()
  readonly lists = new Map<string, number[]>()
  readonly ends: { jid: string; service: Service }[] = []
  readonly clock = { now: start }
  private count = 0

  /** With `silent` the lists of the new device are told to its own account alone, as to who may not see the other's presence. */
  async join(jid: string, silent = false): Promise<Service> {
    const asked = {
      devices: (jid: string, version: Version) => Promise.resolve(this.lists.get(`${version} ${jid}`) ?? []),
      bundle: (jid: string, device: number, version: Version) => Promise.resolve(this.bundles.get(`${version} ${device} ${jid}`) ?? null),
    }
    const service = await Service.open(jid, [], { store: new MemoryStore(), turn: newTurn(), now: () => this.clock.now }, asked, () => undefined)
    this.ends.push({ jid, service })
    for (const { version } of await this.publish(service)) {
      this.lists.set(`${version} ${jid}`, [...(this.lists.get(`${version} ${jid}`) ?? []), service.device.id])
    }
    for (const end of this.ends) if (!silent || end.jid === jid) for (const v of ['0.3', '2'] as const) await end.service.listed(jid, v, this.lists.get(`${v} ${jid}`) ?? [])
    return service
  }

  /** Publishes the bundles that changed. */
  private async publish(service: Service): Promise<Publication[]> {
    const { publications } = await service.due()
    for (const { version, bundle, device, mark } of publications) {
      this.bundles.set(`${version} ${device} ${service.device.jid}`, bundle)
      await service.published(version, mark)
    }
    return publications
  }

  /** Gives a message to every other device of both accounts, as the server and carbons do. */
  async deliver(from: Service, message: Encrypted, time?: number): Promise<InEnvelope[]> {
    const out: InEnvelope[] = []
    for (const { service } of this.ends) {
      if (service === from || !message.keys.some((k) => k.rid === service.device.id)) continue
      out.push(await service.decrypt({ key: `m${this.count++}`, from: from.device.jid, message: cloned(message), ...(time === undefined ? {} : { time: time * 1e6 }) }))
    }
    return out
  }

  /** Everything that is due, until nothing is. */
  async settle(): Promise<void> {
    for (let again = true; again;) {
      again = false
      this.clock.now++
      for (const { service } of this.ends) {
        const { answers } = await service.due()
        await this.publish(service)
        for (const { message } of answers) {
          again = true
          await this.deliver(service, message)
        }
      }
    }
  }

  async chat(from: Service, to: string): Promise<void> {
    const { messages } = await from.encrypt({ to: [to], body: 'x', envelope: utf8('not looked at') })
    for (const message of messages) await this.deliver(from, message)
    await this.settle()
  }
}

const address = (s: Service) => ({ jid: s.device.jid, device: s.device.id })
const key = (s: Service) => hex(s.device.identity.curve)

async function decide(who: Service, about: Service, trust: Trust): Promise<void> {
  await setTrust(who.device, address(about), key(about), trust)
}

async function trustIn(who: Service, about: Service): Promise<Trust | undefined> {
  return (await devicesOf(who.device, about.device.jid)).find((row) => row.id === about.device.id)?.trust
}

async function town() {
  const t = new Town()
  const [a1, a2, a3] = [await t.join(romeo), await t.join(romeo), await t.join(romeo)]
  const b1 = await t.join(juliet)
  for (const end of [a1, a2, a3]) await t.chat(end, juliet)
  await t.chat(b1, romeo)
  return { t, a1, a2, a3, b1 }
}

describe('automatic trust', () => {
  // The example of XEP-0450 §4.
  test('n devices need n-1 comparisons', async () => {
    const { t, a1, a2, a3, b1 } = await town()
    expect(await trustIn(a1, b1)).toBe('trusted')
    const mutual = async (x: Service, y: Service) => {
      await decide(x, y, 'verified')
      await decide(y, x, 'verified')
      await t.settle()
    }
    await mutual(a1, a2)
    await mutual(a1, b1)
    expect([await trustIn(a2, b1), await trustIn(b1, a2)]).toEqual(['verified', 'verified'])
    await mutual(a2, a3)
    for (const x of [a1, a2, a3, b1]) for (const y of [a1, a2, a3, b1]) if (x !== y) expect(await trustIn(x, y)).toBe('verified')
    await decide(a1, a3, 'distrusted')
    await t.settle()
    expect([await trustIn(a2, a3), await trustIn(b1, a3), await trustIn(a3, a1)]).toEqual(['distrusted', 'distrusted', 'verified'])
  })

  test('what an unverified device says waits; a contact speaks for itself only', async () => {
    const { t, a1, a2, b1 } = await town()
    await decide(a1, a2, 'verified')
    await decide(a1, b1, 'verified') // tells b1 of a2, and a2 of b1, neither of which has verified a1
    await t.settle()
    expect([await trustIn(a2, b1), await trustIn(b1, a2)]).toEqual(['trusted', 'trusted'])
    await decide(b1, a1, 'verified')
    await t.settle()
    expect([await trustIn(a2, b1), await trustIn(b1, a2)]).toEqual(['trusted', 'verified'])
    const c1 = await t.join('mercutio@example.org')
    await t.chat(a1, 'mercutio@example.org')
    const { takeTrust } = await import('../../../src/core/crypto/atm.ts')
    const forged = (owner: string) => `<content xmlns='urn:xmpp:sce:1'><trust-message xmlns='urn:xmpp:tm:1' usage='urn:xmpp:atm:1' encryption='urn:xmpp:omemo:2'>` +
      `<key-owner jid='${owner}'><distrust>${btoa(String.fromCharCode(...c1.device.identity.ed))}</distrust></key-owner></trust-message></content>`
    const says = { jid: juliet, fingerprint: key(b1), trust: 'verified' as const }
    expect(await takeTrust(a1.device, says, forged('mercutio@example.org'), t.clock.now)).toBe(true)
    expect(await trustIn(a1, c1)).toBe('trusted')
    expect(await takeTrust(a1.device, { ...says, jid: romeo }, forged('mercutio@example.org'), t.clock.now)).toBe(true)
    expect(await trustIn(a1, c1)).toBe('distrusted')
    await decide(a1, c1, 'verified')
    await takeTrust(a1.device, { ...says, jid: romeo }, forged('mercutio@example.org'), t.clock.now - 1) // older than the decision
    expect(await trustIn(a1, c1)).toBe('verified')
    expect(await takeTrust(a1.device, says, `<content xmlns='urn:xmpp:sce:1'/>`, 1)).toBe(false)
  })

  test('what was decided last holds, whichever is told first; within the same second, who was rejected stays rejected', async () => {
    for (const earlier of [1, 0]) {
      const { t, a1, a2, a3 } = await town()
      await decide(a1, a2, 'verified')
      await decide(a2, a1, 'verified')
      await t.settle()
      await decide(a2, a3, 'verified') // told late: a2 has no connection just now
      t.clock.now += earlier
      await decide(a1, a3, 'distrusted')
      t.clock.now += 10
      const { answers: late } = await a2.due()
      const { answers: first } = await a1.due()
      for (const { message } of late) await t.deliver(a2, message)
      expect([earlier, await trustIn(a1, a3)]).toEqual([earlier, 'distrusted'])
      for (const { message } of first) await t.deliver(a1, message)
      await t.settle()
      expect([earlier, await trustIn(a1, a3), await trustIn(a2, a3)]).toEqual([earlier, 'distrusted', 'distrusted'])
    }
  })

  test('who is told of what was decided before is told when', async () => {
    const { t, a1, a2, b1 } = await town()
    const [c1] = [await t.join('mercutio@example.org')]
    for (const end of [a1, a2]) await t.chat(end, 'mercutio@example.org')
    await decide(a1, b1, 'verified')
    t.clock.now += 100
    await decide(a2, b1, 'distrusted')
    t.clock.now += 100
    await decide(a1, c1, 'verified')
    t.clock.now += 100
    await decide(a1, a2, 'verified')
    await decide(a2, a1, 'verified')
    await t.settle()
    expect([await trustIn(a2, b1), await trustIn(a2, c1)]).toEqual(['distrusted', 'verified'])
  })

  test('of what was decided before, however much it is, not more than some messages are sent', async () => {
    const { a1, a2 } = await town()
    const { tellingsOf } = await import('../../../src/core/crypto/atm.ts')
    const { Step } = await import('../../../src/core/crypto/device.ts')
    await decide(a1, a2, 'verified')
    await a1.device.turn(async () => {
      const step = new Step(a1.device)
      const account = await step.account(juliet)
      for (let i = 1; i <= 50; i++) {
        const identity = newKeyPair(a1.device.random).public
        account.observe(identity)
        Object.assign(account.find(identity) ?? {}, { trust: 'verified', decided: start + i })
      }
      account.changed = true
      await step.commit()
    })
    const told = (await tellingsOf(a1.device, romeo, a2.device.identity.curve, 'verified')).filter((one) => one.time !== undefined)
    expect(told.length).toBe(30)
    expect(told.map((one) => one.time)).toEqual([...Array.from({ length: 29 }, (_, i) => start + 50 - i), start + 1])
    expect(told.flatMap((one) => one.content.match(/<trust>/g) ?? []).length).toBe(50)
  })

  test('a device whose clock is ahead takes nothing from what was decided since the server took its message', async () => {
    const { t, a1, a2, a3 } = await town()
    await decide(a1, a2, 'verified')
    await decide(a2, a1, 'verified')
    await t.settle()
    const taken = t.clock.now
    t.clock.now += 1000 // the clock of the other device
    await decide(a2, a3, 'distrusted')
    const { answers } = await a2.due()
    t.clock.now = taken + 500
    await decide(a1, a3, 'verified')
    t.clock.now = taken + 2000
    for (const { message } of answers) await t.deliver(a2, message, taken)
    expect(await trustIn(a1, a3)).toBe('verified')
  })

  test('what proves a key later, and says that it did so earlier, takes nothing from what a person decided since', async () => {
    const { t, a1, a2 } = await town()
    await decide(a1, a2, 'verified')
    await vouch(a1.device, address(a2), a2.device.identity.curve, t.clock.now - 100)
    const distrusted = `<content xmlns='urn:xmpp:sce:1'><trust-message xmlns='urn:xmpp:tm:1' usage='urn:xmpp:atm:1' encryption='urn:xmpp:omemo:2'>` +
      `<key-owner jid='${romeo}'><distrust>${btoa(String.fromCharCode(...a2.device.identity.ed))}</distrust></key-owner></trust-message></content>`
    const { takeTrust } = await import('../../../src/core/crypto/atm.ts')
    await takeTrust(a1.device, { jid: romeo, fingerprint: key(a2), trust: 'verified' }, distrusted, t.clock.now - 50)
    expect(await trustIn(a1, a2)).toBe('verified')
  })

  test('nothing of it is shown', async () => {
    const { t, a1, a2, b1 } = await town()
    await decide(a1, a2, 'verified')
    await decide(a1, b1, 'verified')
    const { answers } = await a1.due()
    expect(answers.length).toBeGreaterThan(0)
    for (const { message } of answers) for (const opened of await t.deliver(a1, message)) expect([opened.empty, opened.envelope]).toEqual([true, undefined])
  })
})

test('a list that was told while it was asked for is not replaced by the answer', async () => {
  const answers: (() => void)[] = []
  const asked = {
    devices: (_: string, version: Version) => new Promise<number[]>((resolve) => { answers.push(() => resolve(version === '2' ? [1, 2, 3] : [1, 2])) }),
    bundle: () => Promise.resolve(null),
  }
  const service = await Service.open(romeo, [], { store: new MemoryStore(), turn: newTurn(), now: () => start }, asked, () => undefined)
  const sent = codeOf(() => service.encrypt({ to: [juliet], body: 'x', envelope: utf8('x') }))
  await vi.waitFor(() => expect(answers.length).toBe(4), 20_000)
  await service.listed(juliet, '2', [1, 2])
  for (const answer of answers) answer()
  expect(await sent).toBe('no-devices')
  expect((await devicesOf(service.device, juliet)).filter((row) => row.active).map((row) => row.id)).toEqual([1, 2])
})

describe('keys of the history', () => {
  test('go to verified devices only', async () => {
    const { t, a1, a2, a3 } = await town()
    await newHistoryKey(a1.device)
    expect(await a1.shareHistory()).toBeNull()
    await decide(a1, a2, 'verified')
    const message = await a1.shareHistory()
    expect(message?.keys.map((k) => k.rid)).toEqual([a2.device.id])
    if (!message) throw new Error('nothing')
    const [opened] = await t.deliver(a1, message)
    expect(opened?.empty).toBe(true)
    expect(opened?.envelope).toBeUndefined()
    expect((await historyState(a2.device)).keys).toEqual([]) // a2 has not verified a1
    await decide(a2, a1, 'verified')
    const again = await a1.shareHistory()
    if (again) await t.deliver(a1, again)
    expect((await historyState(a2.device)).keys).toEqual((await historyState(a1.device)).keys)
    expect((await historyState(a3.device)).keys).toEqual([])
  })

  test('a device with the recovery code and those that were there verify each other, and hear of later keys', async () => {
    const { t, a1, a2, a3 } = await town()
    const { code, wrapped } = await newRecovery(a1.device)
    await recover(a2.device, code, wrapped)
    await t.settle()
    expect([await trustIn(a1, a2), await trustIn(a2, a1)]).toEqual(['verified', 'verified'])
    expect(await trustIn(a3, a2)).toBe('trusted') // it knows nothing of a code
    await newHistoryKey(a1.device)
    const keys = (await historyState(a1.device)).keys
    const message = await a1.shareHistory()
    if (message) await t.deliver(a1, message)
    expect((await historyState(a2.device)).keys).toEqual(keys)
    await adoptKept(a2.device, { keys: (await loadKept(a2.device)).keys.slice(1) }, true) // what was said before comes late
    expect((await historyState(a2.device)).keys).toEqual(keys)
    expect((await historyState(a3.device)).keys).toEqual([])
    expect((await a2.due()).answers).toEqual([])
  })

  test('who only claims to have had the code is not believed', async () => {
    const { t, a1, a2, a3 } = await town()
    const { code, wrapped } = await newRecovery(a1.device)
    await recover(a2.device, code, wrapped)
    await a3.device.store.save(await a2.device.store.load(['recovered/claim'])) // the proof of another device
    await t.settle()
    expect([await trustIn(a1, a2), await trustIn(a1, a3)]).toEqual(['verified', 'trusted'])
    expect((await historyState(a3.device)).keys).toEqual([])
  })

  test('a hand-over verifies both devices', async () => {
    const { a1, a2 } = await town()
    await newHistoryKey(a1.device)
    const [old, fresh] = [new Links(a1.device), new Links(a2.device)]
    const { id, uri } = fresh.show('new', `${romeo}/phone`)
    const hello = old.scan(uri).send
    const ready = hello && (await fresh.hear(id, hello)).send
    if (ready) await old.hear(id, ready)
    const offer = (await old.confirm(id)).send
    await fresh.confirm(id)
    const done = offer && await fresh.hear(id, offer)
    expect(done?.finished).toBe(true)
    expect(await trustIn(a1, a2)).toBe('trusted') // not before it is in
    if (done?.send) await old.hear(id, done.send)
    expect([await trustIn(a1, a2), await trustIn(a2, a1)]).toEqual(['verified', 'verified'])
    expect(await codeOf(() => fresh.confirm(id))).toBe('no-session')
  })
})

test('another device of our own account is news', async () => {
  const { t, a1 } = await town()
  const before = await a1.notices()
  await a1.noticed(before.map((n) => n.id))
  const a4 = await t.join(romeo)
  const after = await a1.notices()
  expect(after).toMatchObject([{ type: 'new-device', jid: romeo, device: a4.device.id, own: true }])
})

test('what the first lists of both versions name is no news, in whatever order they come; what comes later is', async () => {
  const { a1, t } = await town()
  for (const seen of await a1.notices()) await a1.noticed([seen.id])
  await a1.listed('dino@example.org', '2', [])
  t.clock.now += 2
  await a1.listed('dino@example.org', '0.3', [11, 12])
  expect(await a1.notices()).toEqual([])
  t.clock.now += 3600
  await a1.listed('dino@example.org', '0.3', [11, 12, 13])
  expect(await a1.notices()).toMatchObject([{ type: 'new-device', device: 13, own: false, trust: 'trusted' }])
})

test('a new device that nobody was told of is written to from its first message on', async () => {
  const t = new Town()
  const a1 = await t.join(romeo, true)
  const b1 = await t.join(juliet, true)
  const rids = async () => (await b1.encrypt({ to: [romeo], body: 'x', envelope: utf8('x') })).messages.flatMap((m) => m.keys.map((k) => k.rid)).sort()
  expect(await rids()).toEqual([a1.device.id])
  const a2 = await t.join(romeo, true)
  expect(await rids()).toEqual([a1.device.id]) // the list that was fetched is believed for a while
  await t.chat(a2, juliet)
  expect(await rids()).toEqual([a1.device.id, a2.device.id].sort())
  const a3 = await t.join(romeo, true)
  t.clock.now += 121
  expect(await rids()).toEqual([a1.device.id, a2.device.id, a3.device.id].sort())
  expect((await b1.notices()).map((n) => [n.type, n.device])).toEqual([['new-device', a2.device.id], ['new-device', a3.device.id]])
})
