// Votes and answers as they come: before their poll, after it, by other ways, taken back, by who was no member then, and unreadable; nothing is counted twice or lost.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Affiliation } from '../../../src/core/groups.ts'
import type { Content } from '../../../src/core/model.ts'
import { apply } from '../../../src/core/engine/apply.ts'
import { Collector } from '../../../src/core/engine/changes.ts'
import { closed } from '../../../src/core/xmpp/groups.ts'
import { importLines, lineOf } from '../../../src/core/engine/history-lines.ts'
import type { Letter, Said } from '../../../src/core/engine/said.ts'
import { change, everything, openAccount, type Database, type KeptMessage } from '../../../src/core/store/database.ts'

const ME = 'romeo@example.org'
const GROUP = 'verona@groups.example.org'
const BASE = 1_790_000_000_000_000
const POLL: Content = { type: 'poll', question: 'When?', options: ['Friday', 'Saturday'], many: false, votes: {} }
const EVENT: Content = { type: 'event', name: 'Ball', starts: BASE * 2, guests: true, places: 2, body: 'Ball', answers: {} }

let db: Database
beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  db = await begin()
})
afterEach(() => db.close())

async function begin(): Promise<Database> {
  const made = await openAccount(ME)
  await made.put('chats', { jid: GROUP, kind: 'group', name: 'Verona', time: 1, unread: 0, protection: 'none', group: { members: 3, affiliation: 'member', settings: { ...closed, private: false }, version: BASE + 1000 } })
  for (const [jid, affiliation] of [[ME, 'member'], [who('juliet'), 'admin'], [who('nurse'), 'member']] as const) {
    await made.put('members', { group: GROUP, jid, nick: jid, affiliation, rank: 2, sort: jid })
  }
  return made
}

const who = (name: string): string => name + '@example.org'
const number = (n: number): string => String(BASE + n)
let count = 0

/** Something that somebody said in the group, at a place of its log. */
function letter(place: number | undefined, name: string, said: Said, more: Partial<Letter> = {}): Letter {
  const from = name === 'group' ? GROUP : who(name)
  return {
    chat: GROUP, from, group: { nick: name === 'group' ? '' : name }, own: from === ME, ids: [`0123456789abcdef-${name}-${count++}`], ...(place === undefined ? {} : { archived: number(place) }), time: BASE + (place ?? 0),
    live: true, wantsReceipt: false, wantsMarker: false, protection: 'omemo', says: [said], ...more,
  }
}

const step = <T>(work: (step: Parameters<typeof apply>[0]) => Promise<T>): Promise<T> => change(db, everything, (tx) => work({ tx, account: ME, now: BASE + 5000, changes: new Collector() }))
const hear = (...letters: Letter[]): Promise<void> => step(async (s) => { for (const one of letters) await apply(s, one) })
const made = (content: Content = POLL, at = 10) => letter(at, 'juliet', { what: 'content', content }, { ids: ['0123456789abcdef-made'] })
const vote = (place: number | undefined, name: string, option: number, more: Partial<Letter> = {}) => letter(place, name, { what: 'vote', target: number(10), options: [option] }, more)

async function kept(): Promise<KeptMessage> {
  const found = (await db.getAll('messages')).find((m) => m.content.type === 'poll' || m.content.type === 'event')
  if (!found) throw new Error('it is not here')
  return found
}
async function votes(): Promise<Record<string, number[]>> {
  const { content } = await kept()
  return content.type === 'poll' ? content.votes : {}
}
async function event(): Promise<Extract<Content, { type: 'event' }>> {
  const { content } = await kept()
  if (content.type !== 'event') throw new Error('no event')
  return content
}

test('a hundred votes that are read before their poll wait for it', async () => {
  await hear(...Array.from({ length: 100 }, (_, i) => vote(20 + i, 'nurse', i % 2)), vote(200, 'juliet', 0))
  await hear(made())
  expect(await votes()).toEqual({ [who('nurse')]: [1], [who('juliet')]: [0] })
})

test('votes count in the order of the log, read forwards or backwards, and twice is once', async () => {
  await hear(made(), vote(30, 'nurse', 1), vote(20, 'nurse', 0))
  expect(await votes()).toEqual({ [who('nurse')]: [1] })
  await hear(vote(30, 'nurse', 0))
  expect(await votes()).toEqual({ [who('nurse')]: [1] })
  expect(await db.count('acts')).toBe(2)
})

test('a vote that its author or an administrator takes away counts as if it had not been said', async () => {
  await hear(made(), vote(20, 'nurse', 0), vote(30, 'nurse', 1), vote(40, 'juliet', 1))
  await hear(letter(50, 'juliet', { what: 'retract', target: number(30) }))
  expect(await votes()).toMatchObject({ [who('nurse')]: [1] }) // it was not hers
  await hear(letter(51, 'nurse', { what: 'retract', target: number(30) }), letter(52, 'group', { what: 'moderate', target: number(40) }))
  expect(await votes()).toEqual({ [who('nurse')]: [0] })
})

test('who was no member at the place does not vote, also when that is read later; who left has voted', async () => {
  const stands = (place: number, name: string, affiliation: Affiliation, was: Affiliation) =>
    letter(place, 'group', { what: 'change', change: { what: 'affiliation', by: who('juliet'), who: [{ jid: who(name), affiliation, was, nick: name }] } })
  await hear(made(), vote(20, 'nurse', 0), vote(40, 'tybalt', 1), vote(60, 'nurse', 1))
  expect(await votes()).toEqual({ [who('nurse')]: [1] })
  await hear(stands(50, 'nurse', 'none', 'member'), stands(30, 'tybalt', 'member', 'none'))
  expect(await votes()).toEqual({ [who('nurse')]: [0], [who('tybalt')]: [1] })
})

test('a poll is closed by its author or an administrator, and not corrected', async () => {
  await hear(made(), letter(15, 'nurse', { what: 'close', target: number(10) }), vote(20, 'nurse', 0), letter(30, 'juliet', { what: 'close', target: number(10) }), vote(40, 'nurse', 1))
  await hear(letter(50, 'juliet', { what: 'edit', target: '0123456789abcdef-made', content: { type: 'poll', question: 'Why?', options: ['a', 'b'], many: false, votes: {} } }))
  expect((await kept()).content).toMatchObject({ question: 'When?', closed: BASE + 30, votes: { [who('nurse')]: [0] } })
})

test('what was not encrypted counts for nothing that was', async () => {
  const clear = { protection: 'none' as const }
  await hear(vote(20, 'nurse', 0, clear), made(), vote(21, 'tybalt', 0, clear), letter(30, 'juliet', { what: 'close', target: number(10) }, clear), vote(40, 'nurse', 1))
  expect((await kept()).content).toMatchObject({ votes: { [who('nurse')]: [1] } })
  expect((await kept()).content).not.toHaveProperty('closed')
  await hear(letter(50, 'nurse', { what: 'pin', target: number(10), on: true }, clear))
  expect((await kept()).pinned).toBeUndefined()
  await hear(letter(51, 'nurse', { what: 'pin', target: number(10), on: true }))
  expect((await kept()).pinned).toBe(true)
})

test('in a group that is not encrypted votes are in clear', async () => {
  const clear = { protection: 'none' as const }
  await hear({ ...made(), ...clear }, vote(20, 'nurse', 0, clear))
  expect(await votes()).toEqual({ [who('nurse')]: [0] })
})

test('what cannot be read is told of, until it is read', async () => {
  const unread = letter(20, 'nurse', { what: 'unread' })
  await hear(made(), unread, letter(5, 'nurse', { what: 'unread' }))
  expect((await kept()).content).toMatchObject({ votes: {}, unread: 1 })
  await hear({ ...vote(20, 'nurse', 1), ids: unread.ids })
  expect((await kept()).content).toMatchObject({ votes: { [who('nurse')]: [1] } })
  expect((await kept()).content).not.toHaveProperty('unread')
})

test('what we said has its place when it comes back', async () => {
  const mine = letter(undefined, 'romeo', { what: 'vote', target: number(10), options: [1] }, { time: BASE + 100 })
  await hear(made(), mine, vote(30, 'romeo', 0))
  expect(await votes()).toEqual({ [ME]: [1] })
  await hear({ ...mine, archived: number(25), says: [{ what: 'numbered' }] })
  expect(await votes()).toEqual({ [ME]: [0] })
})

test('an event is changed by its author alone; answers stay, and those from before another time are marked', async () => {
  const answer = (place: number, name: string, guests = 0) => letter(place, name, { what: 'answer', target: number(10), going: 'yes', guests })
  const edit = (place: number, name: string, more: Partial<Extract<Content, { type: 'event' }>>) => letter(place, name, { what: 'edit', target: '0123456789abcdef-made', content: { ...EVENT, ...more } as Content })
  await hear(made(EVENT), answer(20, 'nurse', 1), edit(30, 'juliet', { name: 'Feast', body: 'Feast' }), edit(31, 'nurse', { name: 'Mine' }), answer(40, 'juliet'))
  expect(await event()).toMatchObject({ name: 'Feast', body: 'Feast', answers: { [who('nurse')]: { going: 'yes', guests: 1 }, [who('juliet')]: { waits: 1 } } })
  await hear(edit(50, 'juliet', { starts: BASE * 3 }))
  expect(await event()).toMatchObject({ name: 'Ball', starts: BASE * 3, answers: { [who('nurse')]: { stale: true }, [who('juliet')]: { stale: true } } })
  await hear(letter(60, 'juliet', { what: 'edit', target: '0123456789abcdef-made', content: { type: 'text', text: 'no event any more' } }))
  expect((await kept()).content.type).toBe('event')
})

test('another device reads in the history what was counted, and counts on; what both know is once', async () => {
  await hear(made(), vote(20, 'nurse', 0), vote(30, 'juliet', 1))
  const line = lineOf(await kept())
  db.close()
  globalThis.indexedDB = new IDBFactory()
  db = await begin()
  await step((s) => importLines(s, [line]))
  expect(await votes()).toEqual({ [who('nurse')]: [0], [who('juliet')]: [1] })
  await hear(vote(20, 'nurse', 0), vote(40, 'nurse', 1))
  expect(await votes()).toEqual({ [who('nurse')]: [1], [who('juliet')]: [1] })
  await step((s) => importLines(s, [line]))
  expect(await votes()).toEqual({ [who('nurse')]: [1], [who('juliet')]: [1] })
})

test('the history keeps who has which place at an event', async () => {
  const answer = (place: number, name: string, guests: number) => letter(place, name, { what: 'answer', target: number(10), going: 'yes', guests })
  await hear(made(EVENT), answer(20, 'nurse', 0), answer(30, 'juliet', 0), answer(40, 'nurse', 2))
  const before = (await event()).answers
  const line = lineOf(await kept())
  db.close()
  globalThis.indexedDB = new IDBFactory()
  db = await begin()
  await step((s) => importLines(s, [line]))
  expect((await event()).answers).toEqual(before)
  expect(before[who('nurse')]).toMatchObject({ guests: 2, row: [[BASE + 20, 1], [BASE + 40, 2]], waits: 2 })
})
