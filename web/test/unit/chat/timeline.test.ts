import { describe, expect, it } from 'vitest'
import type { Engine, Window } from '../../../src/core/engine.ts'
import type { Message } from '../../../src/core/model.ts'
import { Timeline } from '../../../src/features/chat/timeline.ts'

const message = (order: number, more: Partial<Message> = {}): Message => ({
  id: `m${order}`, chat: 'a@b', order, time: order, from: 'a@b', own: false, content: { type: 'text', text: String(order) }, protection: 'omemo', ...more,
})

/** The part of an engine that a timeline asks: messages 1 to `count`. */
function archive(count: number): { engine: Engine; tell: (changed: Message[], removed?: string[]) => void; all: Message[] } {
  const all = Array.from({ length: count }, (_, i) => message(i + 1))
  let show: (changed: Message[], removed: string[]) => void = () => undefined
  const page: Engine['page'] = async (_jid, at): Promise<Window> => {
    const { before, after } = at
    const from = before !== undefined ? Math.max(0, all.filter((m) => m.order < before).length - at.limit) : after !== undefined ? all.filter((m) => m.order <= after).length
      : Math.max(0, typeof at.around === 'number' ? at.around - 1 - at.limit / 2 : all.length - at.limit)
    const to = before !== undefined ? all.filter((m) => m.order < before).length : Math.min(all.length, from + at.limit)
    return { messages: all.slice(from, to), older: from > 0, newer: to < all.length }
  }
  const engine = { page, watchMessages: (_jid: string, to: typeof show) => { show = to; return () => undefined } } as unknown as Engine
  return { engine, tell: (changed, removed = []) => show(changed, removed), all }
}

const orders = (line: Timeline): number[] => line.messages.value.map((m) => m.order)

describe('the window', () => {
  it('opens with 40, grows by 40, and never holds more than 200', async () => {
    const { engine } = archive(1000)
    const line = new Timeline(engine, 'a@b')
    await line.open(Promise.resolve(undefined))
    expect(orders(line)).toHaveLength(40)
    for (let i = 0; i < 10; i++) await line.loadOlder()
    expect(orders(line)).toHaveLength(200)
    expect(orders(line)[0]).toBe(561)
    expect(line.newer.value).toBe(true)
    await line.loadNewer()
    expect(orders(line)).toHaveLength(200)
    expect(new Set(orders(line)).size).toBe(200)
    await line.end()
    expect(orders(line).at(-1)).toBe(1000)
    expect(line.newer.value).toBe(false)
  })

  it('asks once when asked twice', async () => {
    const { engine } = archive(300)
    const line = new Timeline(engine, 'a@b')
    await line.open(Promise.resolve(undefined))
    await Promise.all([line.loadOlder(), line.loadOlder()])
    expect(orders(line)).toHaveLength(80)
  })

  it('loses nothing that comes while it is read', async () => {
    const { engine, tell } = archive(10)
    const line = new Timeline(engine, 'a@b')
    const opening = line.open(Promise.resolve(undefined))
    tell([message(11)])
    await opening
    expect(orders(line).at(-1)).toBe(11)
  })
})

it('stays where it is when a place cannot be had', async () => {
  const { engine } = archive(100)
  const line = new Timeline(engine, 'a@b')
  await line.open(Promise.resolve(undefined))
  const before = orders(line)
  const page = engine.page
  engine.page = async (jid, at) => ({ ...await page(jid, at), missing: true })
  expect(await line.around('gone')).toBe(false)
  expect(orders(line)).toEqual(before)
})

describe('what comes', () => {
  it('is put in its place, and what changes is replaced', async () => {
    const { engine, tell } = archive(10)
    const line = new Timeline(engine, 'a@b')
    await line.open(Promise.resolve(undefined))
    const arrived: string[] = []
    line.arrived = (fresh) => arrived.push(...fresh.map((m) => m.id))
    tell([message(11), message(5.5), message(3, { starred: true })])
    expect(orders(line)).toEqual([1, 2, 3, 4, 5, 5.5, 6, 7, 8, 9, 10, 11])
    expect(line.messages.value[2]?.starred).toBe(true)
    expect(arrived).toEqual(['m11', 'm5.5'])
    tell([], ['m11'])
    expect(orders(line).at(-1)).toBe(10)
  })

  it('is counted and not shown while newer messages are not loaded', async () => {
    const { engine, tell } = archive(500)
    const line = new Timeline(engine, 'a@b')
    await line.around(100)
    expect(line.newer.value).toBe(true)
    const before = orders(line)
    tell([message(501)])
    expect(orders(line)).toEqual(before)
    expect(line.unseen.value).toBe(1)
  })

  it('moves a message whose place in the archive is known now', async () => {
    const { engine, tell } = archive(3)
    const line = new Timeline(engine, 'a@b')
    await line.open(Promise.resolve(undefined))
    tell([message(9, { own: true })])
    tell([{ ...message(9, { own: true }), order: 2.5 }])
    expect(line.messages.value.map((m) => m.id)).toEqual(['m1', 'm2', 'm9', 'm3'])
  })
})

it('finds the first unread message by what was read, or by their number', async () => {
  const { engine } = archive(10)
  const read = new Timeline(engine, 'a@b')
  const chat = { jid: 'a@b', kind: 'person', name: 'A', time: 0, unread: 3, protection: 'omemo' } as const
  await read.open(Promise.resolve({ ...chat, readUpTo: 7 }))
  expect(read.firstUnread.value).toBe('m8')
  const counted = new Timeline(engine, 'a@b')
  await counted.open(Promise.resolve(chat))
  expect(counted.firstUnread.value).toBe('m8')
})

describe('what was just sent', () => {
  it('is shown at once, and once', async () => {
    const { engine, tell } = archive(3)
    const line = new Timeline(engine, 'a@b')
    await line.open(Promise.resolve(undefined))
    line.sent(message(4, { own: true, state: 'waiting' }))
    expect(orders(line)).toEqual([1, 2, 3, 4])
    tell([message(4, { own: true, state: 'sent' })])
    line.sent(message(4, { own: true, state: 'waiting' }))
    expect(line.messages.value.map((m) => m.state)).toEqual([undefined, undefined, undefined, 'sent'])
  })

  it('is not shown in another chat', async () => {
    const { engine } = archive(3)
    const line = new Timeline(engine, 'a@b')
    await line.open(Promise.resolve(undefined))
    line.sent(message(4, { own: true, chat: 'c@d' }))
    expect(orders(line)).toEqual([1, 2, 3])
  })
})
