// The rules by which votes and answers are counted (docs/protocol/polls-and-events.md), each by itself, and all of them against a simple model in random orders.
import { expect, test } from 'vitest'
import type { Affiliation } from '../../../src/core/groups.ts'
import type { EventFacts } from '../../../src/core/model.ts'
import { countEvent, countPoll, type Act, type Deed } from '../../../src/core/engine/count.ts'

const poll = { options: ['Friday', 'Saturday', 'Sunday'], many: false }
const asked = { by: 'romeo', group: true }
const act = (place: number, from: string, deed: Deed, more: Partial<Act> = {}): Act => ({ place, from, deed, stands: 'member', ...more })
const vote = (place: number, from: string, options: number[], more: Partial<Act> = {}) => act(place, from, { what: 'vote', options }, more)
const close = (place: number, from: string, stands: Affiliation = 'member') => act(place, from, { what: 'close' }, { stands })
const yes = (place: number, from: string, guests = 0, more: Partial<Act> = {}) => act(place, from, { what: 'answer', going: 'yes', guests }, more)
const no = (place: number, from: string) => act(place, from, { what: 'answer', going: 'no', guests: 0 })
const party: EventFacts = { name: 'Party', starts: 1, guests: true }

test('1: the last vote in the log counts, whole, in whatever order it came', () => {
  const acts = [vote(3, 'nurse', [2]), vote(1, 'nurse', [0]), vote(2, 'nurse', [1]), vote(4, 'tybalt', [1]), vote(5, 'tybalt', [])]
  expect(countPoll(poll, asked, acts).votes).toEqual({ nurse: [2], tybalt: [] })
  expect(countPoll({ ...poll, many: true }, asked, [vote(1, 'nurse', [0, 1]), vote(2, 'nurse', [2])]).votes).toEqual({ nurse: [2] })
})

test('2: numbers without an option do not count, twice is once, and one option takes the first that is left', () => {
  expect(countPoll({ ...poll, many: true }, asked, [vote(1, 'nurse', [7, 2, 2, 0, -1, 1.5])]).votes).toEqual({ nurse: [2, 0] })
  expect(countPoll(poll, asked, [vote(1, 'nurse', [9, 2, 0])]).votes).toEqual({ nurse: [2] })
})

test('3: in a group members vote, and what they said counts after they are gone; in a chat of two everybody does', () => {
  const acts = [vote(1, 'nurse', [0], { stands: 'none' }), vote(2, 'tybalt', [1], { stands: 'outcast' }), vote(3, 'paris', [2]), vote(4, 'juliet', [0], { stands: 'owner' })]
  expect(countPoll(poll, asked, acts).votes).toEqual({ paris: [2], juliet: [0] })
  expect(countPoll(poll, { by: 'romeo', group: false }, [{ place: 1, from: 'juliet', deed: { what: 'vote', options: [1] } }]).votes).toEqual({ juliet: [1] })
})

test('4: nothing counts behind the first closing by who may, nor behind the time', () => {
  const acts = [close(2, 'nurse'), vote(3, 'nurse', [0]), close(4, 'juliet', 'admin'), vote(5, 'nurse', [1]), close(1, 'tybalt', 'none'), close(9, 'romeo')]
  expect(countPoll(poll, asked, acts)).toMatchObject({ votes: { nurse: [0] }, closed: 4 })
  expect(countPoll(poll, { by: 'romeo', group: false }, [close(1, 'juliet'), vote(2, 'juliet', [1])])).not.toHaveProperty('closed')
  expect(countPoll({ ...poll, closes: 3 }, asked, [vote(3, 'nurse', [0]), vote(4, 'nurse', [1])]).votes).toEqual({ nurse: [0] })
})

test('5: a vote that was taken back is as if it had not been said', () => {
  expect(countPoll(poll, asked, [vote(1, 'nurse', [0]), vote(2, 'nurse', [1], { back: true })]).votes).toEqual({ nurse: [0] })
  expect(countPoll(poll, asked, [vote(1, 'nurse', [0], { back: true })]).votes).toEqual({})
})

test('7: what cannot be read is not counted, and told', () => {
  const unread = act(2, 'nurse', { what: 'unread' })
  expect(countPoll(poll, asked, [vote(1, 'tybalt', [0]), unread, close(3, 'romeo'), { ...unread, place: 4 }])).toMatchObject({ votes: { tybalt: [0] }, unread: 1 })
})

test('places are given in the order of the row; who waits moves up when somebody ahead says no, and nobody passes them', () => {
  const event = { ...party, places: 4 }
  const acts = [yes(1, 'romeo', 1), yes(2, 'nurse', 2), yes(3, 'paris')]
  expect(countEvent(event, asked, acts).answers).toEqual({ romeo: { going: 'yes', guests: 1, row: [[1, 2]] }, nurse: { going: 'yes', guests: 2, row: [[2, 3]], waits: 3 }, paris: { going: 'yes', guests: 0, row: [[3, 1]], waits: 1 } })
  expect(Object.entries(countEvent(event, asked, [...acts, no(4, 'romeo')]).answers).map(([who, a]) => [who, a.waits])).toEqual([['nurse', undefined], ['paris', undefined], ['romeo', undefined]])
})

test('more guests in a later yes join at the end of the row; a no in between loses the place', () => {
  const event = { ...party, places: 3 }
  expect(countEvent(event, asked, [yes(1, 'romeo'), yes(2, 'nurse'), yes(3, 'romeo', 2)]).answers['romeo']).toEqual({ going: 'yes', guests: 2, row: [[1, 1], [3, 2]], waits: 2 })
  expect(countEvent(event, asked, [yes(1, 'romeo', 2), yes(2, 'nurse'), yes(3, 'romeo', 1)]).answers).toEqual({ romeo: { going: 'yes', guests: 1, row: [[1, 2]] }, nurse: { going: 'yes', guests: 0, row: [[2, 1]] } })
  expect(Object.keys(countEvent(event, asked, [yes(1, 'romeo'), yes(2, 'nurse'), no(3, 'romeo'), yes(4, 'romeo')]).answers)).toEqual(['nurse', 'romeo'])
})

test('who made it changes it, nobody else; the newest counts, and answers from before another time are marked', () => {
  const change = (place: number, from: string, event: EventFacts) => act(place, from, { what: 'event', event })
  const late = { ...party, starts: 5 }
  const now = countEvent(party, asked, [yes(1, 'nurse'), change(2, 'nurse', { ...party, name: 'Mine' }), change(4, 'romeo', { ...late, name: 'Ball' }), change(3, 'romeo', late), yes(5, 'paris')])
  expect(now.facts).toEqual({ ...late, name: 'Ball' })
  expect(now.changed).toBe(4)
  expect(now.answers).toEqual({ nurse: { going: 'yes', guests: 0, row: [[1, 1]], stale: true }, paris: { going: 'yes', guests: 0, row: [[5, 1]] } })
  expect(countEvent(party, asked, [yes(1, 'nurse'), change(2, 'romeo', { ...party, name: 'Ball' })]).answers['nurse']).not.toHaveProperty('stale')
})

test('without guests nobody brings any', () => {
  expect(countEvent({ ...party, guests: false }, asked, [yes(1, 'nurse', 5)]).answers['nurse']).toEqual({ going: 'yes', guests: 0, row: [[1, 1]] })
})

/** A generator of numbers that is the same at every run. */
function numbers(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

const people = ['romeo', 'juliet', 'nurse', 'tybalt', 'paris']
const ranks: Affiliation[] = ['none', 'member', 'admin', 'owner', 'outcast']

/** Counts as a person would, reading the log from its beginning. */
function readPoll(log: Act[], many: boolean, closes: number | undefined): Record<string, number[]> {
  const votes: Record<string, number[]> = {}
  for (const { place, from, deed, stands = 'none', back } of log) {
    if (back) continue
    const leads = stands === 'admin' || stands === 'owner'
    if (closes !== undefined && place > closes) break
    if (deed.what === 'close' && (from === 'romeo' || leads)) break
    if (deed.what !== 'vote' || (stands !== 'member' && !leads)) continue
    const chosen: number[] = []
    for (const n of deed.options) if (n < 3 && !chosen.includes(n) && (many || !chosen.length)) chosen.push(n)
    votes[from] = chosen
  }
  return votes
}

/** The row as people would stand in it: each person is one who queues, for themselves or as somebody's guest. */
function readRow(log: Act[], places: number): Record<string, number> {
  let row: string[] = []
  const parties: { who: string; n: number }[] = []
  for (const { from, deed, stands, back } of log) {
    if (back || deed.what !== 'answer' || !['member', 'admin', 'owner'].includes(stands ?? '')) continue
    const have = row.filter((who) => who === from).length
    const want = deed.going === 'yes' ? 1 + deed.guests : 0
    if (want > have) { row.push(...Array<string>(want - have).fill(from)); parties.push({ who: from, n: want - have }) }
    for (let n = have; n > want; n--) {
      row = row.toSpliced(row.lastIndexOf(from), 1)
      const last = parties.findLast((p) => p.who === from && p.n > 0)
      if (last) last.n--
    }
  }
  const comes: Record<string, number> = {}
  let free = places
  for (const { who, n } of parties) {
    if (!n) continue
    if (n > free) break
    free -= n
    comes[who] = (comes[who] ?? 0) + n
  }
  return comes
}

test('random logs, read in random orders, are counted as a person would count them', () => {
  const random = numbers(7)
  for (let round = 0; round < 3000; round++) {
    const many = random(2) === 1
    const closes = random(4) ? undefined : 5 + random(20)
    const places = 1 + random(8)
    const log: Act[] = []
    for (let place = 1; place <= 3 + random(25); place++) {
      const kind = random(10)
      const deed: Deed = kind === 0 ? { what: 'close' } : kind < 5 ? { what: 'vote', options: Array.from({ length: random(4) }, () => random(5)) }
        : { what: 'answer', guests: random(3), ...(random(3) ? { going: 'yes' as const } : random(2) ? { going: 'no' as const } : {}) }
      log.push({ place, from: people[random(5)] ?? '', deed, stands: random(3) ? 'member' : ranks[random(5)] ?? 'none', ...(random(6) ? {} : { back: true as const }) })
    }
    const mixed = log.map((one) => ({ one, at: random(1e6) })).sort((a, b) => a.at - b.at).map(({ one }) => one)
    expect(countPoll({ ...poll, many, ...(closes === undefined ? {} : { closes }) }, asked, mixed).votes).toEqual(readPoll(log, many, closes))
    const { answers } = countEvent({ ...party, places }, asked, mixed)
    const comes = Object.fromEntries(Object.entries(answers).flatMap(([who, a]) => a.going === 'yes' && 1 + a.guests > (a.waits ?? 0) ? [[who, 1 + a.guests - (a.waits ?? 0)]] : []))
    expect(comes).toEqual(readRow(log, places))
  }
})
