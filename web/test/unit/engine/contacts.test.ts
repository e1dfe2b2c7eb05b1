// What was decided about contacts is kept first, is shown as it will be, and leaves by itself: in order, once where once matters, over any break.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { ContactSender } from '../../../src/core/engine/contact-sender.ts'
import { ContactDesk } from '../../../src/core/engine/contacts.ts'
import { Line } from '../../../src/core/engine/line.ts'
import { People } from '../../../src/core/engine/people.ts'
import type { Contact } from '../../../src/core/model.ts'
import { change, openAccount, type Database } from '../../../src/core/store/database.ts'
import type { ContactAct } from '../../../src/core/store/outbox.ts'
import { BLOCKING, CLIENT, REPORTING, ROSTER } from '../../../src/core/xmpp/ns.ts'
import type { Done, Session } from '../../../src/core/xmpp/session.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { el, type Element } from '../../../src/core/xmpp/xml.ts'
import { Device, mortal, Scythe } from './device.ts'
import { Server } from './town.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'
const HIM = 'paris@example.org'
const silent = { postMessage: () => undefined, onmessage: null, close: () => undefined }
beforeEach(() => { globalThis.indexedDB = new IDBFactory() })

interface Item { name?: string; groups: string[]; subscription: string }

/** The server's list of contacts. */
class List {
  readonly items = new Map<string, Item>()
  readonly blocked = new Set<string>()
  readonly log: string[] = []
  reports = 0
  /** What becomes of a request instead: `before` it was done, or after. */
  breaks: ((what: string) => 'before' | 'after' | StanzaError | undefined) | undefined

  session(): Session {
    const list = this
    return {
      account: ME, jid: ME + '/web', live: true, on: () => () => undefined, answer: () => () => undefined,
      send: (stanza: Element, done?: Done) => {
        list.log.push(`${stanza.attr('type') ?? ''} ${stanza.attr('to') ?? ''}`)
        queueMicrotask(() => done?.(true))
      },
      request: async (type: 'get' | 'set', payload: Element): Promise<Element> => {
        await Promise.resolve()
        const what = `${type} ${payload.name}`
        const breaks = list.breaks?.(what)
        if (breaks instanceof StanzaError) throw breaks
        if (breaks === 'before') throw new StanzaError('disconnected', 'wait')
        const answer = type === 'get' ? list.tell(payload) : list.take(payload)
        if (breaks === 'after') throw new StanzaError('disconnected', 'wait')
        return el(CLIENT, 'iq', { type: 'result' }, answer)
      },
    }
  }

  private tell(payload: Element): Element | undefined {
    if (payload.is('query', ROSTER)) {
      return el(ROSTER, 'query', {}, ...[...this.items].map(([jid, i]) => el(ROSTER, 'item', { jid, name: i.name, subscription: i.subscription }, ...i.groups.map((g) => el(ROSTER, 'group', {}, g)))))
    }
    return el(BLOCKING, 'blocklist', {}, ...[...this.blocked].map((jid) => el(BLOCKING, 'item', { jid })))
  }

  private take(payload: Element): undefined {
    const item = payload.child('item')
    const jid = item?.attr('jid') ?? ''
    if (payload.is('query', ROSTER)) {
      if (item?.attr('subscription') !== 'remove') {
        this.log.push(`put ${jid} ${item?.attr('name') ?? ''}`.trim())
        this.items.set(jid, { name: item?.attr('name'), groups: item?.children('group').map((g) => g.text) ?? [], subscription: this.items.get(jid)?.subscription ?? 'none' })
      } else {
        this.log.push(`remove ${jid}`)
        if (!this.items.delete(jid)) throw new StanzaError('item-not-found')
      }
    } else if (payload.name === 'block') {
      this.log.push(`block ${jid}`)
      this.blocked.add(jid)
      if (item?.child('report', REPORTING)) this.reports++
    } else if (!this.blocked.delete(jid)) {
      throw new StanzaError('item-not-found')
    } else {
      this.log.push(`unblock ${jid}`)
    }
    return undefined
  }
}

/** One tab. */
class Tab {
  readonly news = new News(ME, silent)
  readonly desk: ContactDesk
  readonly people: People
  readonly sender: ContactSender
  readonly line: Line

  private constructor(readonly db: Database) {
    this.desk = new ContactDesk(db, this.news)
    this.people = new People(db, ME, this.news, () => Date.now() * 1000)
    this.sender = new ContactSender(db, this.news, () => this.people.refresh())
    this.line = new Line(db, this.news)
    this.news.listen((c) => { if (c.outbox) this.sender.wake() })
  }

  static async open(scythe = new Scythe()): Promise<Tab> {
    return new Tab(mortal(await openAccount(ME), scythe))
  }

  /** A new session: what the server says is read, and what waits leaves. */
  async connect(list: List): Promise<void> {
    const session = list.session()
    this.people.attach(session)
    await this.people.connected(session, false)
    this.sender.connected(session)
  }

  /** Nothing waits any more. */
  async idle(): Promise<void> {
    while (await this.db.count('outbox')) {
      await new Promise<void>((resolve) => {
        const stop = this.news.listen(() => { stop(); resolve() })
        setTimeout(() => { stop(); resolve() }, 20)
      })
    }
  }

  contact(jid: string): Promise<Contact | undefined> {
    return this.db.get('contacts', jid)
  }

  kill(): void {
    this.sender.end()
    this.line.end()
    this.db.close()
  }
}

const lived = async (list: List) => {
  list.items.set(HIM, { name: 'Paris', groups: ['Verona'], subscription: 'both' })
  const tab = await Tab.open()
  await tab.connect(list)
  return tab
}

test('decided offline: kept and shown as it will be, and told as waiting; it leaves in order when there is a connection, also in another tab', async () => {
  const list = new List()
  const before = await lived(list)
  before.kill()
  const offline = await Tab.open()
  await offline.desk.decide(HER, { do: 'add', name: 'Juliet' })
  await offline.desk.decide(HER, { do: 'rename', name: 'Giulietta' })
  await offline.desk.decide(HIM, { do: 'block' })
  expect(await offline.contact(HER)).toMatchObject({ name: 'Giulietta', asks: 'out', waits: 'rename' })
  expect((await offline.contact(HIM))?.waits).toBe('block')
  expect(await offline.db.get('kv', 'blocked')).toEqual([HIM])
  expect((await offline.line.waiting()).map((w) => [w.chat, w.step])).toEqual([[HER, 'add'], [HER, 'rename'], [HIM, 'block']])
  expect((await offline.line.now()).waiting).toBe(3)
  offline.kill()
  const tab = await Tab.open()
  list.log.length = 0
  await tab.connect(list)
  await tab.idle()
  // What the server says in between (it knows nothing of it yet) undid nothing.
  expect(list.log).toEqual([`put ${HER} Juliet`, `subscribe ${HER}`, `put ${HER} Giulietta`, `block ${HIM}`])
  expect(await tab.contact(HER)).not.toHaveProperty('waits')
  expect(await tab.contact(HER)).toMatchObject({ name: 'Giulietta' })
  expect(await tab.contact(HIM)).not.toHaveProperty('waits')
  expect(await tab.db.get('kv', 'blocked')).toEqual([HIM])
  tab.kill()
})

test('a contact that was removed or renamed offline does not come back as it was when the list is read again', async () => {
  const list = new List()
  const tab = await lived(list)
  list.items.set(HER, { name: 'Juliet', groups: [], subscription: 'both' })
  await tab.people.refresh()
  list.breaks = (what) => what.startsWith('set') ? 'before' : undefined
  await tab.desk.decide(HER, { do: 'remove' })
  await tab.desk.decide(HIM, { do: 'rename', name: 'The County' })
  await tab.people.refresh()
  expect(await tab.contact(HER)).toBeUndefined()
  expect(await tab.contact(HIM)).toMatchObject({ name: 'The County', waits: 'rename', subscription: 'both', groups: ['Verona'] })
  list.breaks = undefined
  tab.sender.wake()
  await tab.idle()
  expect(list.items.has(HER)).toBe(false)
  expect(list.items.get(HIM)).toEqual({ name: 'The County', groups: ['Verona'], subscription: 'both' }) // the groups of other apps stay
  tab.kill()
})

const acts: [string, ContactAct[], (list: List, tab: Tab) => Promise<void>][] = [
  ['add', [{ do: 'add', name: 'Juliet', asked: true }], async (list) => {
    await Promise.resolve()
    expect(list.items.get(HER)).toMatchObject({ name: 'Juliet' })
    expect(list.log).toEqual(expect.arrayContaining([`subscribe ${HER}`, `subscribed ${HER}`]))
  }],
  ['accept', [{ do: 'accept' }], async (list, tab) => {
    expect(list.log).toEqual(expect.arrayContaining([`subscribed ${HER}`, `subscribe ${HER}`]))
    expect((await tab.contact(HER))?.asks).not.toBe('in')
  }],
  ['refuse', [{ do: 'refuse' }], async (list, tab) => {
    expect(list.log).toContain(`unsubscribed ${HER}`)
    expect((await tab.contact(HER))?.asks).toBeUndefined()
  }],
  ['remove', [{ do: 'add' }, { do: 'remove' }], async (list, tab) => {
    expect(list.items.has(HER)).toBe(false)
    expect(await tab.contact(HER)).toBeUndefined()
  }],
  ['block with a report', [{ do: 'block', report: { reason: 'spam' } }], async (list, tab) => {
    expect(list.reports).toBe(1)
    expect(await tab.db.get('kv', 'blocked')).toEqual([HER])
  }],
  ['unblock', [{ do: 'block' }, { do: 'unblock' }], async (list, tab) => {
    expect([...list.blocked]).toEqual([])
    expect(await tab.db.get('kv', 'blocked')).toEqual([])
  }],
]

test.each(acts)('%s: killed between any two steps, and the connection broken before or after each request: it is done, and reported once', async (_, decisions, check) => {
  for (const breaks of ['before', 'after'] as const) {
    for (let after = decisions.length; ; after++) {
      globalThis.indexedDB = new IDBFactory()
      const list = new List()
      const scythe = new Scythe(after + 1) // the row that she asks with is one step
      const first = await Tab.open(scythe)
      await change(first.db, ['contacts'], (tx) => tx.objectStore('contacts').put({ jid: HER, subscription: 'none', asks: 'in' }))
      for (const act of decisions) await first.desk.decide(HER, act)
      let broken = 0
      list.breaks = (what) => {
        if (!what.startsWith('set') || broken++ > 0) return undefined
        queueMicrotask(() => first.sender.connected(list.session())) // the next session
        return breaks
      }
      const work = first.connect(list).then(() => first.idle())
      await Promise.race([work.catch(() => undefined), scythe.fell])
      first.kill()
      const through = !scythe.fallen
      list.breaks = undefined
      const next = await Tab.open()
      await next.connect(list)
      await next.idle()
      await check(list, next)
      next.kill()
      if (!through) continue
      expect(after).toBeGreaterThan(decisions.length + 1)
      break
    }
  }
}, 60_000)

test('what the server refuses is undone and said; later decisions go on', async () => {
  const list = new List()
  const tab = await lived(list)
  list.breaks = (what) => what === 'set query' ? new StanzaError('not-allowed') : undefined
  await tab.desk.decide(HIM, { do: 'rename', name: 'The County' })
  await tab.idle()
  while ((await tab.contact(HIM))?.name !== 'Paris') await new Promise<void>((resolve) => { const stop = tab.news.listen(() => { stop(); resolve() }) })
  expect(await tab.contact(HIM)).toMatchObject({ name: 'Paris', refused: 'rename' })
  list.breaks = undefined
  await tab.desk.decide(HIM, { do: 'rename', name: 'County' })
  await tab.idle()
  expect(await tab.contact(HIM)).toMatchObject({ name: 'County' })
  expect((await tab.contact(HIM))?.refused).toBeUndefined()
  tab.kill()
})

test('somebody who asks again meanwhile is not shown as asking when we have answered', async () => {
  const list = new List()
  const tab = await Tab.open()
  await change(tab.db, ['contacts'], (tx) => tx.objectStore('contacts').put({ jid: HER, subscription: 'none', asks: 'in' }))
  await tab.desk.decide(HER, { do: 'refuse' })
  await tab.people.presence(el(CLIENT, 'presence', { from: HER, type: 'subscribe' }))
  expect((await tab.contact(HER))?.asks).toBeUndefined()
  await tab.connect(list)
  await tab.idle()
  tab.kill()
})

test('messages wait for no decision about their contact, but for the end of a block', async () => {
  const server = new Server(ME)
  const device = await Device.open(server)
  const desk = new ContactDesk(device.db, device.news)
  await desk.decide(HIM, { do: 'rename', name: 'The County' })
  await desk.decide(HER, { do: 'unblock' })
  await device.desk.send(HIM, { text: 'goes' })
  const { id } = await device.desk.send(HER, { text: 'waits' })
  device.connect()
  await device.until(async () => (await device.messages(HIM))[0]?.state === 'sent')
  expect((await device.db.get('messages', id))?.state).toBe('waiting')
  await device.desk.clear(HIM)
  expect((await device.db.getAll('outbox')).map((e) => e.task.what)).toEqual(['contact', 'contact', 'message'])
  const unblocked = (await device.db.getAll('outbox')).find((e) => e.task.what === 'contact' && e.task.act.do === 'unblock')
  await change(device.db, ['outbox'], (tx) => tx.objectStore('outbox').delete(unblocked?.seq ?? 0))
  device.news.tell({ outbox: true })
  await device.until(async () => (await device.db.get('messages', id))?.state === 'sent')
  device.kill()
})
