// Whole clients against the real server: encrypted, ticked, caught up with, never doubled.
import 'fake-indexeddb/auto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { IDBFactory } from 'fake-indexeddb'
import type { DeviceNotice } from '../../../src/core/model.ts'
import { getItems } from '../../../src/core/xmpp/pubsub.ts'
import { fromBase64 } from '../../../src/core/xmpp/stanza.ts'
import { Proxy } from '../xmpp/proxy.ts'
import { Town } from '../xmpp/town.ts'
import { Client, stillWaiting, stubLocks, type Disk } from './here.ts'

let town: Town
let proxy: Proxy
const open: Client[] = []
stubLocks()
beforeAll(async () => { town = await Town.found(['romeo', 'juliet', 'nurse', 'tybalt', 'paris', 'rosaline', 'mercutio', 'benvolio', 'capulet', 'montague', 'laurence', 'john', 'abram', 'balthasar', 'gregory', 'sampson', 'escalus', 'peter', 'potpan', 'anthony', 'lucio', 'valentio']) })
afterAll(() => town.end())
beforeEach(async () => { proxy = await Proxy.open(() => town.port) })
afterEach(({ task }) => {
  const waiting = stillWaiting()
  if (task.result?.state === 'fail' && waiting.length) console.error('it waited for', waiting)
  for (const client of open.splice(0)) client.kill()
  proxy.close()
})

async function client(...args: Parameters<typeof Client.open> extends [unknown, ...infer R] ? R : never): Promise<Client> {
  const one = await Client.open(town, ...args)
  open.push(one)
  return one
}

/** Two who see each other, so that receipts are sent. */
async function friends(a: Client, b: Client): Promise<void> {
  await Promise.all([a.live(), b.live()])
  await a.engine.addContact(b.jid)
  await b.until(async () => (await b.db.get('contacts', a.jid))?.asks === 'in')
  await b.engine.answerContact(a.jid, true)
  await a.until(async () => (await a.db.get('contacts', b.jid))?.asks === 'in' || (await a.db.get('contacts', b.jid))?.subscription === 'both')
  if ((await a.db.get('contacts', b.jid))?.asks === 'in') await a.engine.answerContact(b.jid, true)
  for (const [one, other] of [[a, b], [b, a]] as const) await one.until(async () => (await one.db.get('contacts', other.jid))?.subscription === 'both')
}

test('a text leaves encrypted, is ticked, delivered and read', async () => {
  const [romeo, juliet] = [await client('romeo'), await client('juliet')]
  await friends(romeo, juliet)
  const sent = await romeo.engine.send(juliet.jid, { text: 'But soft, what light' })
  expect(sent.state).toBe('waiting')
  await juliet.until(async () => (await juliet.texts('romeo')).length === 1)
  const [got] = await juliet.messages('romeo')
  expect(got).toMatchObject({ content: { type: 'text', text: 'But soft, what light' }, protection: 'omemo', own: false })
  await romeo.until(async () => (await romeo.messages('juliet'))[0]?.state === 'delivered')
  await juliet.engine.read(romeo.jid, got?.order ?? 0)
  await romeo.until(async () => (await romeo.messages('juliet'))[0]?.state === 'read')
  expect((await juliet.db.get('chats', romeo.jid))?.unread).toBe(0)
  await juliet.engine.send(romeo.jid, { text: 'Ay me', reply: got?.id })
  await romeo.until(async () => (await romeo.texts('juliet')).length === 2)
  expect((await romeo.messages('juliet'))[1]?.reply).toEqual({ id: sent.id, to: romeo.jid, text: 'But soft, what light' })
  await romeo.engine.edit(sent.id, 'But soft!')
  await romeo.engine.react((await romeo.messages('juliet'))[1]?.id ?? '', '❤️')
  await juliet.until(async () => (await juliet.messages('romeo')).some((m) => m.reactions?.['❤️']?.[0] === romeo.jid))
  expect((await juliet.messages('romeo'))[0]).toMatchObject({ content: { text: 'But soft!' } })
  await romeo.engine.remove([sent.id], true)
  await juliet.until(async () => !!(await juliet.messages('romeo'))[0]?.retracted)
})

test('20 messages in flight while the connection is cut again and again arrive once and in order', async () => {
  const [nurse, tybalt] = [await client('nurse', { url: () => proxy.url }), await client('tybalt')]
  await friends(nurse, tybalt)
  const words = Array.from({ length: 20 }, (_, i) => `line ${i}`)
  for (const [i, text] of words.entries()) {
    await nurse.engine.send(tybalt.jid, { text })
    if (i % 6 === 3) proxy.cut()
  }
  await tybalt.until(async () => (await tybalt.texts('nurse')).length >= 20)
  await nurse.until(async () => (await nurse.messages('tybalt')).every((m) => m.state === 'delivered'))
  expect(await tybalt.texts('nurse')).toEqual(words)
  expect(await nurse.texts('tybalt')).toEqual(words)
})

test('the server killed with messages in flight: what was promised leaves when it is back, once', async () => {
  const [paris, rosaline] = [await client('paris', { url: () => proxy.url }), await client('rosaline', { url: () => proxy.url })]
  await friends(paris, rosaline)
  const words = Array.from({ length: 20 }, (_, i) => `verse ${i}`)
  for (const text of words.slice(0, 10)) await paris.engine.send(rosaline.jid, { text })
  await town.stop()
  for (const text of words.slice(10)) await paris.engine.send(rosaline.jid, { text })
  expect((await paris.messages('rosaline')).length).toBe(20)
  await town.start()
  for (const one of [paris, rosaline]) one.engine.reconnect()
  await rosaline.until(async () => (await rosaline.texts('paris')).length >= 20)
  await paris.until(async () => (await paris.messages('rosaline')).every((m) => m.state !== 'waiting'))
  expect(await rosaline.texts('paris')).toEqual(words)
}, 60_000)

test('a tab that was killed and opened again goes on: nothing lost, nothing doubled', async () => {
  const disks: Disk[] = [{ factory: new IDBFactory() }, { factory: new IDBFactory() }]
  let [mercutio, benvolio] = [await client('mercutio', { disk: disks[0] }), await client('benvolio', { disk: disks[1] })]
  await friends(mercutio, benvolio)
  const before = (await benvolio.texts('mercutio')).length
  const words: string[] = []
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 4; i++) {
      words.push(`r${round} ${i}`)
      await mercutio.engine.send(benvolio.jid, { text: words.at(-1) })
    }
    mercutio.kill()
    benvolio.kill()
    mercutio = await client('mercutio', { disk: disks[0] })
    benvolio = await client('benvolio', { disk: disks[1] })
    await Promise.all([mercutio.live(), benvolio.live()])
  }
  await benvolio.until(async () => (await benvolio.texts('mercutio')).length >= before + words.length)
  await mercutio.until(async () => (await mercutio.messages('benvolio')).slice(-words.length).every((m) => m.state !== 'waiting'))
  expect((await benvolio.texts('mercutio')).slice(before)).toEqual(words)
}, 60_000)

test('a new device reads what was written before it was there, with the recovery code', async () => {
  const [capulet, montague] = [await client('capulet'), await client('montague')]
  await friends(capulet, montague)
  await capulet.engine.send(montague.jid, { text: 'my sword' })
  await montague.until(async () => (await montague.texts('capulet')).length === 1)
  await montague.engine.send(capulet.jid, { text: 'thou villain', reply: (await montague.messages('capulet'))[0]?.id })
  await capulet.until(async () => (await capulet.texts('montague')).length === 2)
  const code = await capulet.engine.recoveryCode()
  const other = await client('capulet')
  await other.live()
  expect(await other.texts('montague')).toEqual([])
  await expect(other.lead.recover('0000-' + code.slice(5))).rejects.toThrow()
  await other.lead.recover(code)
  await other.until(async () => (await other.texts('montague')).length === 2)
  expect(await other.texts('montague')).toEqual(['my sword', 'thou villain'])
  const [first, second] = await other.messages('montague')
  expect(first).toMatchObject({ own: true, state: 'delivered' })
  expect(second?.reply?.id).toBe(first?.id)
  expect((await other.db.get('chats', montague.jid))?.unread).toBe(0)
  expect((await other.engine.search('sword')).length).toBe(1)
})

test('what is read on one device is read on the other, and what one sends the other has', async () => {
  const [one, two, valentio] = [await client('lucio'), await client('lucio'), await client('valentio')]
  await friends(one, valentio)
  await two.live()
  const listed = async () => (await valentio.engine.devices(one.jid)).filter((d) => d.active).map((d) => d.id)
  await valentio.until(async () => {
    const ids = await listed()
    return [one, two].every((d) => ids.includes(d.lead.worker.secure.deviceID))
  })
  await valentio.engine.send(one.jid, { text: 'for both' })
  for (const device of [one, two]) await device.until(async () => (await device.texts('valentio')).at(-1) === 'for both')
  expect((await two.db.get('chats', valentio.jid))?.unread).toBeGreaterThan(0)
  const place = (await one.messages('valentio')).at(-1)?.order ?? 0
  await one.engine.read(valentio.jid, place)
  await two.until(async () => (await two.db.get('chats', valentio.jid))?.unread === 0)
  await one.engine.send(valentio.jid, { text: 'from one' })
  await two.until(async () => (await two.texts('valentio')).at(-1) === 'from one')
  expect((await two.messages('valentio')).at(-1)).toMatchObject({ own: true, protection: 'omemo' })
  const self = await one.engine.send(one.jid, { text: 'note' })
  await two.until(async () => (await two.texts('lucio')).at(-1) === 'note')
  await one.until(async () => (await one.messages('lucio')).find((m) => m.id === self.id)?.state !== 'waiting')
  expect((await one.texts('lucio')).filter((t) => t === 'note')).toEqual(['note'])
})

test('a new device of a contact is told of in the talk, and the next message is for it too', async () => {
  const [laurence, john] = [await client('laurence'), await client('john')]
  await Promise.all([laurence.live(), john.live()])
  await laurence.engine.addContact(john.jid)
  await john.until(async () => (await john.db.get('contacts', laurence.jid))?.asks === 'in')
  await john.engine.answerContact(laurence.jid, true) // nobody is asked a second time: who asks to see is seen
  for (const [one, other] of [[laurence, john], [john, laurence]] as const) await one.until(async () => (await one.db.get('contacts', other.jid))?.subscription === 'both')
  await john.engine.send(laurence.jid, { text: 'the letter' })
  await laurence.until(async () => (await laurence.texts('john')).includes('the letter'))
  const cell = await client('laurence')
  await cell.live()
  const told = async () => (await john.messages('laurence')).filter((m) => m.content.type === 'system' && m.content.key === 'new-device').length
  await john.until(async () => await told() === 1)
  await john.engine.send(laurence.jid, { text: 'could not send it' })
  for (const device of [laurence, cell]) await device.until(async () => (await device.texts('john')).at(-1) === 'could not send it')
  await cell.engine.send(john.jid, { text: 'unhappy fortune' })
  for (const device of [laurence, john]) await device.until(async () => (await device.texts(device === john ? 'laurence' : 'john')).at(-1) === 'unhappy fortune')
  expect(await told()).toBe(1)
})

test('the history is written when nobody looks any more, and when another device comes', async () => {
  const [gregory, sampson] = [await client('gregory'), await client('sampson')]
  await friends(gregory, sampson)
  await gregory.engine.recoveryCode()
  const written = async () => ((await gregory.db.get('kv', 'history')) as { chunks: { count: number }[] } | undefined)?.chunks.reduce((sum, c) => sum + c.count, 0) ?? 0
  const said = async (text: string) => {
    await gregory.engine.send(sampson.jid, { text })
    await gregory.until(async () => (await gregory.messages('sampson')).at(-1)?.state === 'delivered')
  }
  await said('coals')
  gregory.lead.setHidden(true)
  await gregory.until(async () => await written() === 1)
  gregory.lead.setHidden(false)
  await said('colliers')
  await (await client('gregory')).live()
  await gregory.until(async () => await written() === 2)
})

test('a device that is revoked loses its keys: nobody encrypts for it, and later history is closed to it', async () => {
  const [one, friend] = [await client('abram'), await client('balthasar')]
  await friends(one, friend)
  const code = await one.engine.recoveryCode()
  const [two, lost] = [await client('abram'), await client('abram')]
  for (const device of [two, lost]) {
    await device.live()
    await device.lead.recover(code)
  }
  const keysOf = async (c: Client) => {
    const state = await c.lead.worker.secure.crypto.historyState()
    return state.ok ? state.value.keys : []
  }
  const id = (c: Client) => c.lead.worker.secure.deviceID
  const active = async (c: Client) => (await c.engine.devices(one.jid)).filter((d) => d.active).map((d) => d.id).sort()
  await friend.until(async () => (await active(friend)).length === 3)
  await one.until(async () => (await one.engine.devices(one.jid)).every((d) => d.trust === 'verified'))
  await two.until(async () => (await two.engine.devices(one.jid)).every((d) => d.trust === 'verified'))
  const before = await keysOf(one)
  await lost.until(async () => await lost.db.get('kv', 'told device') === id(lost))
  const access = (await lost.engine.sessions()).find((s) => s.here)?.id ?? ''
  await one.engine.revoke(access)
  await friend.until(async () => (await active(friend)).join() === [id(one), id(two)].sort().join())
  await two.until(async () => (await keysOf(two)).length === 2)
  expect(await keysOf(two)).toEqual(await keysOf(one))
  expect((await keysOf(one)).slice(1)).toEqual(before)
  expect((await one.engine.devices(one.jid)).find((d) => d.id === id(lost))).toMatchObject({ active: false, trust: 'distrusted' })
  await friend.engine.send(one.jid, { text: 'not for the thief' })
  for (const device of [one, two]) await device.until(async () => (await device.texts('balthasar')).at(-1) === 'not for the thief')
  await one.lead.history.now()
  const items = await getItems(one.lead.worker.connection, 'urn:palabre:history:0', { ids: [`index-${id(one)}`] })
  const data = fromBase64(items[0]?.payload?.text ?? '') ?? new Uint8Array(0)
  expect(await lost.lead.worker.secure.crypto.openIndex(id(one), data)).toMatchObject({ ok: false, error: { code: 'no-session' } })
  expect(await two.lead.worker.secure.crypto.openIndex(id(one), data)).toMatchObject({ ok: true })
  const late = await client('abram')
  await late.live()
  await late.lead.recover(code) // the code on paper leads to the new key
  await late.until(async () => (await late.texts('balthasar')).includes('not for the thief'))
  for (const device of [one, two, late]) expect(await device.texts('abram'), 'what devices say among themselves is not shown').toEqual([])
}, 60_000)

test('a new device of our own is told on every older one until a person has decided; verified on both sides it reads what was said before', async () => {
  const [one, friend] = [await client('escalus'), await client('peter')]
  await friends(one, friend)
  const code = await one.engine.recoveryCode()
  await one.engine.send(friend.jid, { text: 'some shall be pardoned' })
  await one.until(async () => (await one.messages('peter')).at(-1)?.state === 'delivered')
  const two = await client('escalus')
  await two.live()
  await two.lead.recover(code)
  const id = (c: Client) => c.lead.worker.secure.deviceID
  for (const [c, other] of [[one, two], [two, one]] as const) await c.until(async () => (await c.engine.devices(one.jid)).some((d) => d.id === id(other) && d.trust === 'verified'))
  const late = await client('escalus')
  const told = new Map<Client, DeviceNotice[]>()
  for (const c of [one, two]) c.engine.watchNotices((all) => { told.set(c, all.filter((n) => n.own)); c.look() })
  await late.live()
  for (const c of [one, two]) await c.until(() => told.get(c)?.some((n) => n.device === id(late) && n.app === 'Palabre Web') ?? false)
  expect(told.get(two)).toMatchObject([{ type: 'new-device', trust: 'undecided', app: 'Palabre Web', platform: 'test' }])
  const sealed = await one.lead.worker.secure.crypto.encrypt({ to: [], body: 'x', content: "<body xmlns='jabber:client'>x</body>" })
  expect(sealed.ok && sealed.value.skipped).toEqual([{ jid: one.jid, device: id(late), reason: 'undecided' }])
  await one.engine.trust({ jid: one.jid, id: id(late) }, 'verified')
  for (const c of [one, two]) await c.until(() => told.get(c)?.length === 0) // the second is told by the first
  await one.engine.send(friend.jid, { text: 'and some punished' })
  await late.until(async () => (await late.texts('peter')).includes('and some punished'))
  expect(await late.texts('peter')).toEqual(['and some punished'])
  await late.engine.trust({ jid: one.jid, id: id(one) }, 'verified')
  await late.until(async () => (await late.texts('peter')).length === 2)
  expect(await late.texts('peter')).toEqual(['some shall be pardoned', 'and some punished'])
}, 60_000)

test('deleted for oneself, or cleared: it goes from our other devices and out of the history; what is said later stays', async () => {
  const [one, friend] = [await client('potpan'), await client('anthony')]
  await friends(one, friend)
  const code = await one.engine.recoveryCode()
  const two = await client('potpan')
  await two.live()
  await two.lead.recover(code)
  await friend.until(async () => (await friend.engine.devices(one.jid)).filter((d) => d.active).length === 2)
  for (const text of ['one', 'two', 'three']) await friend.engine.send(one.jid, { text })
  for (const device of [one, two]) await device.until(async () => (await device.texts('anthony')).filter((t) => /^(one|two|three)$/.test(t)).length === 3)
  const said = async (c: Client) => (await c.texts('anthony')).filter((t) => t !== 'system')
  const find = async (text: string) => (await one.messages('anthony')).find((m) => m.content.type === 'text' && m.content.text === text)?.id ?? ''
  await one.lead.history.now()
  await two.lead.history.now()
  await one.engine.remove([await find('two')], false)
  await one.lead.history.now()
  await two.until(async () => (await said(two)).join() === 'one,three')
  const three = await client('potpan')
  await three.live()
  await three.lead.recover(code)
  await three.until(async () => (await said(three)).join() === 'one,three')
  await two.lead.history.now()
  await two.engine.clearChat(friend.jid)
  for (const device of [one, two, three]) await device.until(async () => (await said(device)).length === 0)
  await friend.until(async () => (await friend.engine.devices(one.jid)).filter((d) => d.active).length === 3)
  await friend.engine.send(one.jid, { text: 'four' })
  for (const device of [one, two, three]) await device.until(async () => (await said(device)).join() === 'four')
  for (const device of [one, two, three]) await device.lead.history.now()
  const late = await client('potpan')
  await late.live()
  await late.lead.recover(code)
  await late.until(async () => (await said(late)).includes('four'))
  expect(await said(late)).toEqual(['four'])
}, 60_000)
