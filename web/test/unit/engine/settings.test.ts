// Several devices of one account, with and without connection, agree on what was decided about chats.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { Desk } from '../../../src/core/engine/desk.ts'
import { Settings } from '../../../src/core/engine/settings.ts'
import { change, everything, openAccount, type Database } from '../../../src/core/store/database.ts'
import { isGone, put } from '../../../src/core/store/messages.ts'
import { archiveName } from '../../../src/core/store/names.ts'
import { untold } from '../../../src/core/store/settings.ts'
import { BOOKMARKS, CHATS, CLIENT, NOTIFICATIONS, PUBSUB } from '../../../src/core/xmpp/ns.ts'
import type { Session } from '../../../src/core/xmpp/session.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { el, Element } from '../../../src/core/xmpp/xml.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'
const ROOM = 'garden@rooms.example.org'

/** What the account publishes. */
class Nodes {
  readonly items = new Map<string, Map<string, Element>>()
  readonly devices = new Set<Device>()
  published = 0

  async publish(node: string, id: string, payload: Element): Promise<void> {
    this.published++
    const of = this.items.get(node) ?? new Map<string, Element>()
    of.set(id, payload)
    this.items.set(node, of)
    for (const device of this.devices) await device.settings.event({ from: ME, node, items: [{ id, payload }], retracted: [], gone: false })
  }
}

/** One device. */
class Device {
  readonly desk: Desk
  readonly settings: Settings
  private online = false
  clock = 1_795_000_000_000_000

  constructor(private readonly nodes: Nodes, readonly db: Database) {
    const news = new News(ME, { postMessage: () => undefined, onmessage: null, close: () => undefined })
    this.desk = new Desk(db, ME, news)
    this.settings = new Settings(db, ME, news, () => this.clock)
  }

  static async open(nodes: Nodes, chats = [HER]): Promise<Device> {
    globalThis.indexedDB = new IDBFactory()
    const device = new Device(nodes, await openAccount(ME))
    for (const jid of chats) await device.desk.setChat(jid, { expires: 0 })
    return device
  }

  async connect(): Promise<void> {
    this.online = true
    this.nodes.devices.add(this)
    const online = () => this.online
    await this.settings.connected({ account: ME, jid: `${ME}/x`, get live() { return online() }, request: (type: string, payload: Element) => this.request(type, payload) } as unknown as Session)
    await this.told()
  }

  disconnect(): void {
    this.online = false
    this.nodes.devices.delete(this)
    this.settings.disconnected()
  }

  /** The connection is lost, and the same session goes on later. */
  lose(): void {
    this.online = false
    this.nodes.devices.delete(this)
  }

  resume(): void {
    this.online = true
    this.nodes.devices.add(this)
    this.settings.resumed()
  }

  private async request(_: string, payload: Element): Promise<Element> {
    await Promise.resolve()
    if (!this.online) throw new StanzaError('disconnected', 'wait')
    const asked = payload.child('items')
    if (asked) {
      const items = [...(this.nodes.items.get(asked.attr('node') ?? '') ?? [])].map(([id, e]) => el(PUBSUB, 'item', { id }, e))
      return el(CLIENT, 'iq', {}, el(PUBSUB, 'pubsub', {}, el(PUBSUB, 'items', {}, ...items)))
    }
    const node = payload.child('publish')
    const item = node?.child('item')
    const what = item?.children()[0]
    if (node && item && what) await this.nodes.publish(node.attr('node') ?? '', item.attr('id') ?? '', what)
    return el(CLIENT, 'iq')
  }

  /** Nothing is left to tell. */
  async told(): Promise<void> {
    while ((await untold(this.db)).length) await new Promise((resolve) => setTimeout(resolve))
  }

  async chat(jid = HER) {
    const { pinned, archived, favourite, muted } = await this.db.get('chats', jid) ?? {}
    return { pinned, archived: archived || undefined, favourite: favourite || undefined, muted }
  }

  end(): void {
    this.disconnect()
    this.settings.end()
    this.db.close()
  }
}

let nodes: Nodes
let phone: Device
let laptop: Device
beforeEach(async () => {
  nodes = new Nodes()
  phone = await Device.open(nodes)
  laptop = await Device.open(nodes)
})
afterEach(() => {
  phone.end()
  laptop.end()
})

test('what is decided on one device is so on the other, at once', async () => {
  await phone.connect()
  await laptop.connect()
  await phone.desk.setChat(HER, { pinned: 7, muted: Infinity })
  await phone.told()
  expect(await laptop.chat()).toEqual({ pinned: 7, muted: Infinity })
  await laptop.desk.setChat(HER, { muted: undefined, archived: true, pinned: undefined })
  await laptop.told()
  expect(await phone.chat()).toEqual({ archived: true })
})

test('the lists of a chat are the same on all devices, and the same lists again tell nobody', async () => {
  await phone.connect()
  await laptop.connect()
  await phone.desk.setChat(HER, { lists: ['Work', 'Family'] })
  await phone.told()
  expect((await laptop.db.get('chats', HER))?.lists).toEqual(['Family', 'Work'])
  const { published } = nodes
  await laptop.desk.setChat(HER, { lists: ['Family', 'Work', ''] })
  await laptop.told()
  expect(nodes.published).toBe(published)
  await laptop.desk.setChat(HER, { lists: [] })
  await laptop.told()
  expect((await phone.db.get('chats', HER))?.lists).toBeUndefined()
})

test('what was decided without connection leaves by itself, and both devices keep what they decided about different things', async () => {
  await phone.desk.setChat(HER, { muted: Infinity })
  await laptop.desk.setChat(HER, { favourite: true })
  await phone.connect()
  await laptop.connect()
  for (const device of [phone, laptop]) expect(await device.chat()).toEqual({ muted: Infinity, favourite: true })
})

test('the later of two decisions about the same thing holds, whoever connects first', async () => {
  await phone.desk.setChat(HER, { pinned: 1 })
  await laptop.desk.setChat(HER, { pinned: 2 })
  await laptop.connect()
  await phone.connect()
  for (const device of [phone, laptop]) expect((await device.chat()).pinned).toBe(2)
})

test('a new device learns it, also of a chat that it has not got yet', async () => {
  await phone.connect()
  await phone.desk.setChat(HER, { archived: true })
  await phone.told()
  const fresh = await Device.open(nodes, [])
  await fresh.connect()
  expect(await fresh.db.count('chats')).toBe(0)
  await fresh.desk.setChat(HER, { expires: 60 })
  expect(await fresh.chat()).toEqual({ archived: true })
  fresh.end()
})

test('who writes into an archived chat takes it out of the archive everywhere', async () => {
  await phone.connect()
  await laptop.connect()
  await phone.desk.setChat(HER, { archived: true })
  await phone.told()
  await laptop.desk.send(HER, { text: 'here again' })
  await laptop.told()
  expect((await phone.chat()).archived).toBeUndefined()
})

test('the same decision again, and what is not shared, tell nobody', async () => {
  await phone.connect()
  await phone.desk.setChat(HER, { muted: Infinity })
  await phone.told()
  const before = nodes.published
  await phone.desk.setChat(HER, { muted: Infinity, expires: 60 })
  await phone.desk.setDraft(HER, { text: 'dear', time: 1 })
  expect(await untold(phone.db)).toEqual([])
  expect(nodes.published).toBe(before)
})

test('a room has it in its bookmark, where other apps read and change it', async () => {
  await nodes.publish(BOOKMARKS, ROOM, el(BOOKMARKS, 'conference', { autojoin: 'true', name: 'Garden' }, el(BOOKMARKS, 'nick', {}, 'Romeo'), el(BOOKMARKS, 'password', {}, 'pw')))
  await phone.connect()
  await laptop.connect()
  await phone.desk.setChat(ROOM, { muted: Infinity })
  await laptop.desk.setChat(ROOM, { favourite: true })
  await phone.told()
  await laptop.told()
  const kept = nodes.items.get(BOOKMARKS)?.get(ROOM)
  expect([kept?.attr('name'), kept?.textOf('nick'), kept?.textOf('password')]).toEqual(['Garden', 'Romeo', 'pw'])
  expect(kept?.child('extensions')?.child('notify', NOTIFICATIONS)?.child('never')).toBeDefined()
  expect(nodes.items.get(CHATS)?.has(ROOM)).toBeFalsy()
  // Another app tells of everything again, and pins the room.
  const extensions = kept?.child('extensions')
  const theirs = new Element(BOOKMARKS, 'extensions', {}, [...(extensions?.nodes ?? []).filter((n) => typeof n === 'string' || n.name !== 'notify'),
    el(NOTIFICATIONS, 'notify', {}, el(NOTIFICATIONS, 'always')), el('urn:xmpp:bookmarks-pinning:0', 'pinned')])
  phone.clock = laptop.clock = Date.now() * 1000 + 60e6
  await nodes.publish(BOOKMARKS, ROOM, el(BOOKMARKS, 'conference', { autojoin: 'true' }, theirs))
  for (const device of [phone, laptop]) expect(await device.chat(ROOM)).toEqual({ favourite: true, pinned: device.clock, muted: undefined })
})

test('what a server refuses is kept and told later', async () => {
  const publish = nodes.publish.bind(nodes)
  nodes.publish = () => Promise.reject(new StanzaError('resource-constraint', 'wait'))
  phone.disconnect()
  await phone.desk.setChat(HER, { muted: Infinity })
  const session = phone.connect()
  await new Promise((resolve) => setTimeout(resolve))
  expect(await untold(phone.db)).toEqual([HER])
  nodes.publish = publish
  await phone.settings.event({ from: ME, node: CHATS, items: [], retracted: [], gone: false }) // any news is a new try
  await session
  expect(nodes.items.get(CHATS)?.has(HER)).toBe(true)
})

test('what was decided while the connection was lost leaves when the same session goes on', async () => {
  await phone.connect()
  await laptop.connect()
  phone.lose()
  await phone.desk.setChat(HER, { pinned: 5 })
  expect((await laptop.chat()).pinned).toBeUndefined()
  phone.resume()
  await phone.told()
  expect((await laptop.chat()).pinned).toBe(5)
})

test('what is refused about one chat keeps nothing else waiting', async () => {
  const publish = nodes.publish.bind(nodes)
  nodes.publish = (node, id, payload) => id === HER ? Promise.reject(new StanzaError('not-acceptable')) : publish(node, id, payload)
  await phone.desk.setChat(HER, { muted: Infinity })
  await phone.desk.setChat('nurse@example.org', { pinned: 3 })
  const session = phone.connect()
  while ((await untold(phone.db)).length > 1) await new Promise((resolve) => setTimeout(resolve))
  expect(nodes.items.get(CHATS)?.has('nurse@example.org')).toBe(true)
  expect(await untold(phone.db)).toEqual([HER])
  nodes.publish = publish
  await phone.settings.event({ from: ME, node: CHATS, items: [], retracted: [], gone: false })
  await session
})

test('whatever three devices decide, with and without connection, they agree in the end', async () => {
  const tablet = await Device.open(nodes)
  const all = [phone, laptop, tablet]
  let seed = 42
  const pick = (n: number) => { seed = (seed * 1103515245 + 12345) % 2147483648; return Math.floor(seed / 65536) % n }
  for (let i = 0; i < 120; i++) {
    const device = all[pick(3)] ?? phone
    if (pick(4) === 0) await device.connect()
    else if (pick(4) === 0) device.disconnect()
    else await device.desk.setChat(HER, [{ pinned: i }, { pinned: undefined }, { muted: Infinity }, { muted: undefined }, { archived: true }, { archived: false }, { favourite: true }, { favourite: false }][pick(8)] ?? {})
  }
  for (const device of all) await device.connect()
  for (const device of all) await device.told()
  expect(await laptop.chat()).toEqual(await phone.chat())
  expect(await tablet.chat()).toEqual(await phone.chat())
  tablet.end()
})

/** Messages of hers, at these places of the archive. */
async function heard(device: Device, ...places: number[]): Promise<void> {
  await change(device.db, everything, async (tx) => {
    for (const place of places) {
      await put(tx, { id: `m${place}`, chat: HER, order: place, archiveId: place, stanzaId: String(place), time: place, from: HER, own: false, content: { type: 'text', text: `word ${place}` },
        names: [archiveName(String(place))], shelves: [], protection: 'omemo' }, true)
    }
  })
}

const START = 1_795_000_000_000_000
const places = async (device: Device) => (await device.db.getAll('messages')).map((m) => m.order - START).sort((a, b) => a - b)

test('marked as unread on one device it is so on the other, until it is read on any', async () => {
  await phone.connect()
  await laptop.connect()
  for (const device of [phone, laptop]) await heard(device, START + 1, START + 2)
  const marked = async (device: Device) => (await device.db.get('chats', HER))?.markedUnread === true
  await phone.desk.setChat(HER, { markedUnread: true })
  await phone.told()
  expect(await marked(laptop)).toBe(true)
  await laptop.desk.read(HER, START + 2, false)
  await laptop.told()
  expect([await marked(phone), await marked(laptop)]).toEqual([false, false])
  // Who writes has read as well; and what was decided without connection is told later.
  laptop.disconnect()
  await phone.desk.setChat(HER, { markedUnread: true })
  await phone.told()
  await laptop.connect()
  expect(await marked(laptop)).toBe(true)
  await laptop.desk.send(HER, { text: 'so I have' })
  await laptop.told()
  expect(await marked(phone)).toBe(false)
})

test('a cleared chat is cleared on all devices, also on those that were away; what came after it stays', async () => {
  for (const device of [phone, laptop]) await heard(device, START + 1, START + 2)
  await heard(laptop, START + 9)
  await phone.desk.clear(HER)
  await heard(phone, START + 9)
  await phone.connect()
  await laptop.connect()
  expect([await places(phone), await places(laptop)]).toEqual([[9], [9]])
  expect(await laptop.db.get('kv', 'history changed')).toEqual([START + 1, START + 2]) // they go from what it wrote down
  // A new device takes nothing in that was cleared.
  const fresh = await Device.open(nodes, [])
  await fresh.connect()
  await change(fresh.db, everything, async (tx) => {
    expect(await isGone(tx, HER, START + 2, [])).toBe(true)
    expect(await isGone(tx, HER, START + 9, [])).toBe(false)
  })
  fresh.end()
})

test('of two clearings the one further on holds, whichever was decided later; what waits to leave elsewhere stays', async () => {
  for (const device of [phone, laptop]) await heard(device, START + 1, START + 2)
  await heard(laptop, START + 3)
  await laptop.desk.clear(HER)
  await phone.desk.clear(HER) // later, and knows less
  const waiting = await laptop.desk.send(HER, { text: 'still on its way' })
  const tablet = await Device.open(nodes)
  await heard(tablet, START + 1, START + 3, START + 4)
  for (const device of [phone, laptop, tablet]) await device.connect()
  for (const device of [phone, laptop, tablet]) await device.told()
  expect(await places(tablet)).toEqual([4])
  expect((await laptop.db.getAll('messages')).map((m) => m.id)).toEqual([waiting.id])
  expect((await phone.db.get('chats', HER))?.cleared).toBe(START + 3)
  tablet.end()
})

test('what was sent and has no place in the archive yet is cleared with the rest on the other device', async () => {
  phone.clock = laptop.clock = Date.now() * 1000
  const sent = await phone.desk.send(HER, { text: 'sent' })
  const order = sent.order - 5e6
  await phone.desk.alter(sent.id, (m) => { Object.assign(m, { state: 'sent', order, time: order }); return true })
  await heard(laptop, order + 900_000) // the archive's clock is a little ahead
  await phone.desk.clear(HER)
  await heard(laptop, order + 6e6)
  await phone.connect()
  await laptop.connect()
  expect((await laptop.db.getAll('messages')).map((m) => m.order - order)).toEqual([6e6])
})

test('a line from a clock that is ahead is cleared, and nothing that is yet to come', async () => {
  const later = Date.now() * 1000 + 3600e6
  await heard(phone, START + 1)
  const own = await phone.desk.send(HER, { text: 'a line of the device' })
  await phone.desk.alter(own.id, (m) => { Object.assign(m, { order: later, time: later, own: false, content: { type: 'system', key: 'expires', values: {} } }); return true })
  await phone.desk.clear(HER)
  expect(await phone.db.count('messages')).toBe(0)
  expect((await phone.db.get('chats', HER))?.cleared).toBeLessThan(Date.now() * 1000)
})

test('a place that is yet to come is not cleared up to, whoever tells it', async () => {
  for (const device of [phone, laptop]) await heard(device, START + 1)
  laptop.clock = phone.clock + 3600e6
  await heard(laptop, laptop.clock)
  await laptop.desk.clear(HER)
  await laptop.connect()
  await laptop.told()
  await phone.connect()
  expect((await phone.db.get('chats', HER))?.cleared).toBeUndefined()
  expect(await places(phone)).toEqual([1])
})
