import { expect, it } from 'vitest'
import type { Message } from '../../../src/core/model.ts'
import { layout } from '../../../src/features/chat/layout.ts'

const noon = new Date(2026, 10, 20, 12).getTime() * 1000
const minute = 60_000_000
let count = 0
const message = (minutes: number, from: string, more: Partial<Message> = {}): Message => ({
  id: `m${++count}`, chat: 'a@b', order: noon + minutes * minute, time: noon + minutes * minute, from, own: from === 'me@b', content: { type: 'text', text: 'x' }, protection: 'omemo', ...more,
})

it('puts a day before the first message of each day', () => {
  const lines = layout([message(0, 'a@b'), message(1, 'a@b'), message(24 * 60, 'a@b')], undefined)
  expect(lines.map((l) => l.kind)).toEqual(['day', 'message', 'message', 'day', 'message'])
})

it('joins what one person says in one go', () => {
  const all = [message(0, 'a@b'), message(1, 'a@b'), message(2, 'me@b'), message(3, 'me@b'), message(30, 'me@b')]
  const firsts = layout(all, undefined).flatMap((l) => (l.kind === 'message' ? [l.first] : []))
  expect(firsts).toEqual([true, false, true, false, true])
})

it('begins a new run after a line that nobody wrote, and below the line of what is unread', () => {
  const all = [message(0, 'a@b'), message(1, 'a@b', { content: { type: 'system', key: 'joined' } }), message(2, 'a@b'), message(3, 'a@b')]
  const lines = layout(all, all[3]?.id)
  expect(lines.flatMap((l): (boolean | string)[] => (l.kind === 'message' ? [l.first] : [l.kind]))).toEqual(['day', true, false, true, 'unread', true])
})

it('counts only messages of others as unread', () => {
  const all = [message(0, 'a@b'), message(1, 'a@b'), message(2, 'me@b'), message(3, 'a@b')]
  const line = layout(all, all[1]?.id).find((l) => l.kind === 'unread')
  expect(line).toMatchObject({ count: 2 })
})

it('takes a line again that says the same, and makes one that says something else', () => {
  const all = [message(0, 'a@b'), message(1, 'a@b')]
  const old = layout(all, undefined)
  const second = all[1]
  if (!second) throw new Error('no second')
  const changed: Message = { ...second, edited: noon }
  const lines = layout([...all.slice(0, 1), changed, message(2, 'a@b')], undefined, true, old)
  expect(lines[1]).toBe(old[1])
  expect(lines[2]).not.toBe(old[2])
  expect(lines[2]).toMatchObject({ message: changed })
})

it('keeps lines that nobody wrote together, whoever did what they say', () => {
  const line = (minutes: number, from: string): Message => message(minutes, from, { content: { type: 'system', key: 'group-joined' } })
  const lines = layout([message(0, 'a@b'), line(1, 'c@b'), line(2, 'd@b'), message(3, 'd@b')], undefined)
  expect(lines.flatMap((l): (boolean | string)[] => (l.kind === 'message' ? [l.first] : [l.kind]))).toEqual(['day', true, true, false, true])
})
