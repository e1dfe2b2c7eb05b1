import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { openCrypto, type Port, type Surroundings } from '../../../src/core/crypto/client.ts'
import type { Crypto } from '../../../src/core/crypto/api.ts'
import { utf8 } from '../../../src/core/crypto/bytes.ts'
import { encryptMedia, newMediaKey } from '../../../src/core/crypto/media.ts'
import type { FromWorker, ToWorker } from '../../../src/core/crypto/port.ts'
import type { Bundle, Encrypted, Opened, Result, Version } from '../../../src/core/crypto/types.ts'
import { newTurn, type Turn } from '../../../src/core/crypto/store.ts'
import { Vault, vaultName } from '../../../src/core/crypto/vault.ts'
import { serve } from '../../../src/core/crypto/worker.ts'

// Making a device draws 200 keys, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

// Node 20 has no Web Locks: one turn for each name, as they are.
const turns = new Map<string, Turn>()
vi.stubGlobal('navigator', {
  locks: {
    request: <T>(name: string, work: () => Promise<T>): Promise<T> => {
      const turn = turns.get(name) ?? newTurn()
      turns.set(name, turn)
      return turn(work)
    },
  },
})

/** A worker within this program: everything is cloned on its way, as between threads. */
class HerePort implements Port {
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null = null
  onerror: ((event: never) => void) | null = null
  private dead = false
  private readonly take = serve((message) => {
    const data = structuredClone(message)
    queueMicrotask(() => { if (!this.dead) this.onmessage?.({ data } as MessageEvent<FromWorker>) })
  })

  postMessage(message: ToWorker): void {
    const data = structuredClone(message)
    queueMicrotask(() => { if (!this.dead) this.take(data) })
  }

  terminate(): void {
    this.dead = true
  }
}

/** What every account publishes. */
class Server {
  readonly bundles = new Map<string, Bundle>()
  readonly lists = new Map<string, number[]>()

  list(jid: string, version: Version): number[] {
    return this.lists.get(`${version} ${jid}`) ?? []
  }
}

let server = new Server()

/** One device and what its engine does. */
class End {
  readonly crypto: Crypto & { end(): void }
  readonly ports: HerePort[] = []
  happened: string[] = []
  asked: string[] = []
  id = 0

  constructor(readonly jid: string) {
    const around: Surroundings = {
      devices: async (jid, version) => { this.asked.push(`devices ${jid} ${version}`); return server.list(jid, version) },
      bundle: async (jid, device, version) => {
        this.asked.push(`bundle ${device}`)
        return server.bundles.get(`${version} ${device} ${jid}`) ?? null
      },
      onNotices: () => this.happened.push('notices'),
      onDue: () => this.happened.push('due'),
    }
    this.crypto = openCrypto(around, () => {
      const port = new HerePort()
      this.ports.push(port)
      return port
    })
  }

  async start(versions: Version[] = ['0.3', '2']): Promise<this> {
    this.id = must(await this.crypto.init(this.jid, [])).device
    for (const version of versions) {
      const list = must(await this.crypto.listed(this.jid, version, server.list(this.jid, version)))
      await this.publish(version)
      if (list) server.lists.set(`${version} ${this.jid}`, list)
      must(await this.crypto.listed(this.jid, version, server.list(this.jid, version)))
    }
    return this
  }

  /** Publishes the bundle of a version if it changed. */
  async publish(version: Version): Promise<void> {
    for (const p of must(await this.crypto.due()).publications.filter((p) => p.version === version)) {
      server.bundles.set(`${version} ${p.device} ${this.jid}`, p.bundle)
      must(await this.crypto.published(version, p.mark))
    }
  }

  seal(body: string, ...to: string[]) {
    return this.crypto.encrypt({ to, body, content: `<body xmlns='jabber:client'>${body}</body><active xmlns='http://jabber.org/protocol/chatstates'/>` })
  }

  open(from: End, message: Encrypted, key: string) {
    return this.crypto.decrypt({ key, from: from.jid, message })
  }
}

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.detail}`)
  return result.value
}

function only<T>(list: T[]): T {
  const [one] = list
  if (list.length !== 1 || one === undefined) throw new Error(`${list.length} instead of one`)
  return one
}

function never(): never {
  throw new Error('not there')
}

const bodyOf = (o: Opened) => o.body

let count = 0
const fresh = (name: string) => new End(`${name}${++count}@example.org`)

beforeEach(() => { server = new Server() })

describe('through the worker', () => {
  test.each([[['2', '0.3'], '2'], [['0.3'], '0.3'], [['2'], '2']] as [Version[], Version][])('a conversation, peer has %s', async (has, used) => {
    const romeo = await fresh('romeo').start()
    const juliet = await fresh('juliet').start(has)
    const sealed = must(await romeo.seal('hello', juliet.jid))
    const m = only(sealed.messages)
    expect([m.version, sealed.whole, sealed.unreached, sealed.skipped]).toEqual([used, used === '2', [], []])
    const got = must(await juliet.open(romeo, m, 'k1'))
    expect(got).toMatchObject({ body: 'hello', empty: false, trust: 'trusted', sender: { jid: romeo.jid, device: romeo.id } })
    if (used === '2') expect(got.content).toContain('chatstates')
    expect(juliet.happened).toContain('due')
    const due = must(await juliet.crypto.due())
    expect(due.publications.map((p) => p.version)).toEqual([used, ...(has.length === 1 ? [used === '2' ? '0.3' : '2'] : [])].sort())
    const answer = only(due.answers)
    expect(answer.to).toBe(romeo.jid)
    expect(must(await romeo.open(juliet, answer.message, 'k2'))).toMatchObject({ empty: true })
    expect(must(await juliet.crypto.due()).answers).toEqual([])
    expect(bodyOf(must(await romeo.open(juliet, only(must(await juliet.seal('back', romeo.jid)).messages), 'k3')))).toBe('back')
  })

  test('devices of both versions in one stanza', async () => {
    const romeo = await fresh('romeo').start()
    const old = await fresh('old').start(['0.3'])
    const modern = await fresh('modern').start(['2'])
    const sealed = must(await romeo.seal('all', old.jid, modern.jid))
    expect(sealed.messages.map((m) => m.version)).toEqual(['0.3', '2'])
    expect([sealed.whole, sealed.unreached]).toEqual([false, []])
    for (const [end, m] of [[old, sealed.messages[0]], [modern, sealed.messages[1]]] as const) {
      if (!m) throw new Error('no message')
      expect(bodyOf(must(await end.open(romeo, m, 'k')))).toBe('all')
    }
  })

  test('one who has 0.3 alone takes OMEMO 2 from nobody; what has no words is not said in 0.3', async () => {
    const romeo = await fresh('romeo').start()
    const old = await fresh('old').start(['0.3'])
    const both = await fresh('both').start()
    const sealed = must(await romeo.seal('all', old.jid, both.jid))
    expect(sealed.messages.map((m) => [m.version, m.keys.map((k) => k.jid)])).toEqual([['0.3', [old.jid]], ['2', [both.jid]]])
    expect(bodyOf(must(await both.open(romeo, sealed.messages[1] ?? never(), 'k')))).toBe('all')
    const silent = (...to: string[]) => romeo.crypto.encrypt({ to, body: '', content: `<active xmlns='http://jabber.org/protocol/chatstates'/>` })
    const some = must(await silent(old.jid, both.jid))
    expect([some.messages.map((m) => m.version), some.whole]).toEqual([['2'], false])
    expect(must(await silent(old.jid))).toMatchObject({ messages: [], whole: false })
    expect(must(await silent(both.jid))).toMatchObject({ whole: true, messages: [{ version: '2' }] })
    must(await romeo.crypto.setTrust({ jid: old.jid, device: old.id }, must(await old.crypto.init(old.jid, [])).fingerprint, 'distrusted'))
    expect(must(await silent(old.jid, both.jid))).toMatchObject({ whole: true, messages: [{ version: '2' }] })
    expect(await silent(old.jid)).toMatchObject({ ok: false })
  })

  test('keys of OMEMO 2 that cannot be used: 0.3, if there are some', async () => {
    const romeo = await fresh('romeo').start()
    const juliet = await fresh('juliet').start()
    server.bundles.delete(`2 ${juliet.id} ${juliet.jid}`)
    const sealed = must(await romeo.seal('all the same', juliet.jid))
    expect([sealed.whole, sealed.skipped]).toEqual([false, []])
    expect(bodyOf(must(await juliet.open(romeo, only(sealed.messages), 'k')))).toBe('all the same')
  })

  test('replayed until stored, by another worker too', async () => {
    const romeo = await fresh('romeo').start()
    const juliet = await fresh('juliet').start()
    const m = only(must(await romeo.seal('kept', juliet.jid)).messages)
    const got = must(await juliet.open(romeo, m, 'archive-1'))
    juliet.crypto.end()
    const again = new End(juliet.jid)
    expect(must(await again.crypto.init(juliet.jid, []))).toMatchObject({ device: juliet.id, fresh: false })
    expect(only(must(await again.crypto.unstored()))).toEqual(got)
    expect(must(await again.open(romeo, m, 'archive-1'))).toEqual(got)
    must(await again.crypto.stored(['archive-1']))
    expect(await again.open(romeo, m, 'archive-1')).toMatchObject({ ok: false, error: { code: 'duplicate' } })
    expect(must(await again.crypto.unstored())).toEqual([])
  })

  test('two workers on one account take turns', async () => {
    const romeo = await fresh('romeo').start()
    const juliet = await fresh('juliet').start()
    await romeo.seal('begin', juliet.jid).then(async (r) => must(await juliet.open(romeo, only(must(r).messages), 'k')))
    const tab = new End(romeo.jid)
    must(await tab.crypto.init(romeo.jid, []))
    const sent = await Promise.all([0, 1, 2, 3, 4, 5].map((n) => (n % 2 ? tab : romeo).seal(`m${n}`, juliet.jid)))
    for (const [n, r] of sent.entries()) expect(bodyOf(must(await juliet.open(romeo, only(must(r).messages), `k${n}`)))).toBe(`m${n}`)
  })

  test('a worker that dies is begun anew', async () => {
    const romeo = await fresh('romeo').start()
    const juliet = await fresh('juliet').start()
    romeo.asked = []
    const under = romeo.seal('lost', juliet.jid)
    await vi.waitFor(() => expect(romeo.asked.length).toBeGreaterThan(0), { interval: 1, timeout: 20_000 })
    romeo.ports[0]?.onerror?.(undefined as never)
    expect(await under).toMatchObject({ ok: false, error: { code: 'gone' } })
    expect(bodyOf(must(await juliet.open(romeo, only(must(await romeo.seal('again', juliet.jid)).messages), 'k')))).toBe('again')
    expect(romeo.ports.length).toBe(2)
    romeo.crypto.end()
    expect(await romeo.seal('x', juliet.jid)).toMatchObject({ ok: false, error: { code: 'gone' } })
  })

  test('who asks before the keys are open is refused, and does not keep them from opening', async () => {
    const end = new End('early@example.org')
    const [early, opened] = await Promise.all([end.crypto.notices(), end.crypto.init(end.jid, [])])
    expect([early.ok, opened.ok, end.ports.length]).toEqual([false, true, 1])
    expect((await end.crypto.notices()).ok).toBe(true)
    end.crypto.end()
  })

  test('keys that are gone are not made anew unseen', async () => {
    const romeo = await fresh('romeo').start()
    const tab = new End(romeo.jid)
    must(await tab.crypto.init(romeo.jid, []))
    must(await tab.crypto.wipe())
    for (let i = 0; i < 2; i++) expect(await romeo.crypto.devices(romeo.jid)).toMatchObject({ ok: false, error: { code: 'gone' } })
    expect(await romeo.crypto.init(romeo.jid, [], romeo.id)).toMatchObject({ ok: false, error: { code: 'gone' } })
    expect(must(await romeo.crypto.init(romeo.jid, []))).toMatchObject({ fresh: true })
  })

  test('nobody can read it; broken and missing keys; not asked again at once', async () => {
    const romeo = await fresh('romeo').start()
    expect(await romeo.seal('x', 'nobody@example.org')).toMatchObject({ ok: false, error: { code: 'no-devices' } })
    server.lists.set('0.3 half@example.org', [5])
    romeo.asked = []
    for (let i = 0; i < 2; i++) expect(await romeo.seal('x', 'half@example.org')).toMatchObject({ ok: false, error: { code: 'no-devices' } })
    expect(romeo.asked.filter((a) => a === 'bundle 5').length).toBe(1)
    must(await romeo.crypto.listed('half@example.org', '0.3', [5]))
    await romeo.seal('x', 'half@example.org')
    expect(romeo.asked.filter((a) => a === 'bundle 5').length).toBe(2)
    expect(must(await romeo.seal('note', romeo.jid))).toEqual({ messages: [], whole: true, skipped: [], unreached: [] })
    const juliet = await fresh('juliet').start()
    const sealed = must(await romeo.seal('x', juliet.jid, 'nobody@example.org'))
    expect(sealed.unreached).toEqual(['nobody@example.org'])
  })

  test('a session that is lost on one side is mended', async () => {
    const romeo = await fresh('romeo').start()
    const juliet = await fresh('juliet').start()
    must(await juliet.open(romeo, only(must(await romeo.seal('one', juliet.jid)).messages), 'k1'))
    must(await romeo.open(juliet, only(must(await juliet.seal('two', romeo.jid)).messages), 'k2'))
    const vault = await Vault.open(juliet.jid)
    await vault.save(new Map((await vault.names('session/', 10)).map((name) => [name, null])))
    expect(await juliet.open(romeo, only(must(await romeo.seal('unreadable', juliet.jid)).messages), 'k3')).toMatchObject({ ok: false })
    const answer = only(must(await juliet.crypto.due()).answers)
    expect(answer.message.keys[0]?.exchange).toBe(true)
    must(await romeo.open(juliet, answer.message, 'k4'))
    expect(bodyOf(must(await juliet.open(romeo, only(must(await romeo.seal('readable', juliet.jid)).messages), 'k5')))).toBe('readable')
    await vault.save(new Map((await vault.names('session/', 10)).map((name) => [name, null])))
    await juliet.open(romeo, only(must(await romeo.seal('again', juliet.jid)).messages), 'k6')
    expect(must(await juliet.crypto.due()).answers).toEqual([]) // seldom
  })

  test('an envelope of somebody else, or for another room, is refused', async () => {
    const romeo = await fresh('romeo').start()
    const juliet = await fresh('juliet').start()
    const room = 'room@conference.example.org'
    const seal = (room?: string) => romeo.crypto.encrypt({ to: [juliet.jid], body: 'x', content: `<body xmlns='jabber:client'>x</body>`, room })
    const [a, b, c] = await Promise.all([seal(room), seal(room), seal()])
    const open = (r: Result<{ messages: Encrypted[] }>, key: string, room?: string) =>
      juliet.crypto.decrypt({ key, from: romeo.jid, room, message: only(must(r).messages) })
    expect(bodyOf(must(await open(a, 'a', room)))).toBe('x')
    expect(await open(b, 'b', 'other@conference.example.org')).toMatchObject({ ok: false, error: { code: 'malformed' } })
    expect(await open(c, 'c', room)).toMatchObject({ ok: false, error: { code: 'malformed' } })
    expect(must(await juliet.crypto.unstored()).map((o) => o.key)).toEqual(['a'])
    expect(await romeo.crypto.encrypt({ to: [juliet.jid], body: 'x', content: '<body' })).toMatchObject({ ok: false, error: { code: 'malformed' } })
  })
})

describe('trust', () => {
  test('new devices and keys are told, and wait once somebody is verified', async () => {
    const romeo = await fresh('romeo').start()
    const juliet = await fresh('juliet').start()
    must(await romeo.seal('one', juliet.jid))
    expect(must(await romeo.crypto.notices())).toEqual([])
    // Juliet's account gets another device: of somebody else here, whose keys are published under her name.
    const second = await fresh('second').start()
    const published = server.bundles.get(`2 ${second.id} ${second.jid}`)
    const other = server.bundles.get(`2 ${juliet.id} ${juliet.jid}`)
    if (!published || !other) throw new Error('no bundle')
    const add = async (bundle: Bundle) => {
      server.bundles.set(`2 ${second.id} ${juliet.jid}`, bundle)
      for (const v of ['0.3', '2'] as const) {
        server.lists.set(`${v} ${juliet.jid}`, [juliet.id, second.id])
        must(await romeo.crypto.listed(juliet.jid, v, [juliet.id, second.id]))
      }
    }
    const [mine] = must(await romeo.crypto.devices(juliet.jid))
    expect(mine).toMatchObject({ id: juliet.id, trust: 'trusted', active: true, own: false })
    expect(mine?.fingerprint).toBe(must(await juliet.crypto.devices(juliet.jid))[0]?.fingerprint)
    must(await romeo.crypto.setTrust({ jid: juliet.jid, device: juliet.id }, mine?.fingerprint ?? '', 'verified'))
    await add(published)
    expect(romeo.happened).toContain('notices')
    const notice = only(must(await romeo.crypto.notices()))
    expect(notice).toMatchObject({ type: 'new-device', jid: juliet.jid, device: second.id, own: false })
    must(await romeo.crypto.noticed([notice.id]))
    const sealed = must(await romeo.seal('two', juliet.jid))
    expect(sealed.skipped).toEqual([{ jid: juliet.jid, device: second.id, reason: 'undecided' }])
    const rows = must(await romeo.crypto.devices(juliet.jid))
    expect(rows.map((r) => r.trust)).toEqual(['verified', 'undecided'])
    expect(await romeo.crypto.setTrust({ jid: juliet.jid, device: second.id }, mine?.fingerprint ?? '', 'trusted')).toMatchObject({ ok: false })
    must(await romeo.crypto.setTrust({ jid: juliet.jid, device: second.id }, rows[1]?.fingerprint ?? '', 'trusted'))
    expect(must(await romeo.seal('three', juliet.jid)).skipped).toEqual([])
    // Then the key of that device changes.
    const third = await fresh('third').start()
    const forged = server.bundles.get(`2 ${third.id} ${third.jid}`)
    if (!forged) throw new Error('no bundle')
    server.bundles.set(`2 ${second.id} ${juliet.jid}`, forged)
    const vault = await Vault.open(romeo.jid)
    await vault.save(new Map([[`session/2/${second.id}/${juliet.jid}`, null]]))
    expect(must(await romeo.seal('four', juliet.jid)).skipped).toMatchObject([{ device: second.id, reason: 'undecided' }])
    expect(only(must(await romeo.crypto.notices()))).toMatchObject({ type: 'new-key', device: second.id, trust: 'undecided' })
  })

  test('all devices undecided: refused, and it says why', async () => {
    const romeo = await fresh('romeo').start()
    const juliet = await fresh('juliet').start()
    must(await romeo.seal('one', juliet.jid))
    const [row] = must(await romeo.crypto.devices(juliet.jid))
    for (const trust of ['undecided', 'distrusted'] as const) {
      must(await romeo.crypto.setTrust({ jid: juliet.jid, device: juliet.id }, row?.fingerprint ?? '', trust))
      expect(await romeo.seal('two', juliet.jid)).toMatchObject({ ok: false, error: { code: trust } })
    }
  })

  test('labels are the device’s own', async () => {
    const romeo = await fresh('romeo').start()
    const juliet = await fresh('juliet').start()
    const signature = must(await juliet.crypto.signLabel('phone'))
    const to = { jid: juliet.jid, device: juliet.id }
    expect(await romeo.crypto.setLabel(to, 'phone', signature)).toMatchObject({ ok: false, error: { code: 'no-session' } })
    must(await romeo.crypto.learn(juliet.jid))
    must(await romeo.crypto.setLabel(to, 'phone', signature))
    expect(await romeo.crypto.setLabel(to, 'tablet', signature)).toMatchObject({ ok: false, error: { code: 'malformed' } })
    expect(must(await romeo.crypto.devices(juliet.jid))[0]?.label).toBe('phone')
  })

  test('QR codes and safety numbers', async () => {
    const romeo = await fresh('romeo').start()
    const juliet = await fresh('juliet').start()
    const uri = must(await juliet.crypto.trustURI())
    expect(uri).toMatch(new RegExp(`^xmpp:${juliet.jid}\\?omemo-sid-${juliet.id}=[0-9a-f]{64}$`))
    expect(must(await romeo.crypto.compare(uri))).toEqual({ jid: juliet.jid, matching: [], differing: [], unknown: [juliet.id] })
    must(await romeo.crypto.learn(juliet.jid))
    expect(must(await romeo.crypto.devices(juliet.jid))[0]?.trust).toBe('verified')
    expect(must(await romeo.crypto.compare(uri)).matching).toEqual([juliet.id])
    must(await juliet.crypto.learn(romeo.jid))
    const number = must(await romeo.crypto.safetyNumber(juliet.jid))
    expect(number).toMatch(/^(\d{5} ){11}\d{5}$/)
    expect(must(await juliet.crypto.safetyNumber(romeo.jid))).toBe(number)
    must(await juliet.crypto.verifyNumber(romeo.jid, number))
    expect(must(await juliet.crypto.devices(romeo.jid))[0]?.trust).toBe('verified')
    expect(await juliet.crypto.verifyNumber(romeo.jid, number.replace(/\d$/, (d) => `${(Number(d) + 1) % 10}`))).toMatchObject({ ok: false })
    const forged = uri.replace(/=(.)/, (_, d: string) => `=${d === '0' ? '1' : '0'}`)
    expect(must(await romeo.crypto.compare(forged)).differing).toEqual([juliet.id])
    expect(must(await romeo.crypto.devices(juliet.jid))[0]?.trust).toBe('distrusted')
    for (const bad of ['', 'xmpp:a@b', 'xmpp:a@b?message', 'xmpp:a@b?omemo-sid-0=' + '0'.repeat(64), 'https://a/?omemo-sid-1=00']) {
      expect(await romeo.crypto.parseTrustURI(bad)).toMatchObject({ ok: false, error: { code: 'malformed' } })
    }
  })
})

describe('at rest', () => {
  test('values are encrypted, bound to their names, and gone after wipe', async () => {
    const romeo = await fresh('romeo').start()
    const vault = await Vault.open(romeo.jid)
    await vault.save(new Map([['a', utf8('secret')], ['b', utf8('other')]]))
    expect((await vault.load(['a', 'c'])).get('a')).toEqual(utf8('secret'))
    const db = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open(vaultName(romeo.jid))
      request.onsuccess = () => resolve(request.result)
    })
    const tx = db.transaction('values', 'readwrite')
    const read = tx.objectStore('values').get('a')
    await new Promise((resolve) => { read.onsuccess = resolve })
    expect(new TextDecoder().decode((read.result as { data: ArrayBuffer }).data)).not.toContain('secret')
    tx.objectStore('values').put(read.result, 'b')
    await new Promise((resolve) => { tx.oncomplete = resolve })
    await expect(vault.load(['b'])).rejects.toMatchObject({ code: 'state' })
    db.close()
    must(await romeo.crypto.wipe())
    expect(await vault.load(['a']).then((found) => found.size, (refused: { code: string }) => refused.code)).toSatisfy((left) => left === 0 || left === 'gone')
    const again = must(await romeo.crypto.init(romeo.jid, []))
    expect([again.fresh, again.device === romeo.id]).toEqual([true, false])
  })
})

test('a session that was damaged is begun anew, in both directions', async () => {
  const romeo = await fresh('romeo').start()
  const juliet = await fresh('juliet').start()
  must(await juliet.open(romeo, only(must(await romeo.seal('one', juliet.jid)).messages), 'k1'))
  for (const garbage of [utf8('garbage'), undefined]) {
    await juliet.publish('2')
    const vault = await Vault.open(romeo.jid)
    const [name] = await vault.names('session/', 1)
    if (!name) throw new Error('no session')
    if (garbage) await vault.save(new Map([[name, garbage]]))
    else await damage(romeo.jid, name)
    if (garbage) expect(await romeo.seal('lost', juliet.jid)).toMatchObject({ ok: false, error: { code: 'no-devices' } })
    else await romeo.seal('lost', juliet.jid)
    expect(bodyOf(must(await juliet.open(romeo, only(must(await romeo.seal('again', juliet.jid)).messages), `k${name}${garbage?.length}`)))).toBe('again')
  }
  await damage(romeo.jid, `account/${juliet.jid}`)
  expect(await romeo.crypto.devices(juliet.jid)).toMatchObject({ ok: false, error: { code: 'state' } })
})

/** Changes a kept value behind the worker's back. */
async function damage(jid: string, name: string): Promise<void> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open(vaultName(jid))
    request.onsuccess = () => resolve(request.result)
  })
  const tx = db.transaction('values', 'readwrite')
  tx.objectStore('values').put({ iv: new Uint8Array(12), data: new ArrayBuffer(40) }, name)
  await new Promise((resolve) => { tx.oncomplete = resolve })
  db.close()
}

test('media through the worker', async () => {
  const romeo = fresh('romeo')
  const { blob, key } = must(await romeo.crypto.encryptMedia(new Blob(['a picture'])))
  expect(blob.size).toBe(9 + 16)
  const plain = must(await romeo.crypto.decryptMedia(blob, key, 'image/webp'))
  expect([await plain.text(), plain.type]).toEqual(['a picture', 'image/webp'])
  expect(await romeo.crypto.decryptMedia(await encryptMedia(new Blob(['x']), newMediaKey()), key, '')).toMatchObject({ ok: false, error: { code: 'decrypt' } })
})
