// How votes and answers are counted (docs/protocol/polls-and-events.md): from what was said about a poll or an event, in any order in which it came here, to what
// everybody sees. It knows no database.

import type { Affiliation } from '../groups.ts'
import type { Answer, EventFacts, Going, JID, Micros, Poll } from '../model.ts'

/** What somebody did about a poll or an event. `unread`: it cannot be read here, and may be a vote. */
export type Deed =
  | { what: 'vote'; options: number[] }
  | { what: 'answer'; going?: Going; guests: number }
  | { what: 'close' }
  | { what: 'event'; event: EventFacts }
  | { what: 'unread' }

/** One thing that was said, where it stands. */
export interface Act {
  from: JID
  /** Its number in the log of the group, in the archive of the account; of ours that has none yet, when it was said here. */
  place: Micros
  deed: Deed
  /** In a group: how its author stood with it at that place. */
  stands?: Affiliation
  /** It was taken back. */
  back?: true
  /** It was not encrypted: its author is who a server says it is. */
  clear?: true
}

/** What it is about. */
export interface Asked { by: JID; group: boolean }

const inOrder = (a: Act, b: Act): number => a.place - b.place
/** In a group a vote is a member's; in a chat of two there is nobody else. */
const isMember = ({ stands }: Act): boolean => stands === undefined || stands === 'member' || isAdmin(stands)
const isAdmin = (stands: Affiliation | undefined): boolean => stands === 'admin' || stands === 'owner'
const standing = (acts: Act[]): Act[] => acts.filter((act) => !act.back).sort(inOrder)

/** What a poll shows. */
export type Tally = Required<Pick<Poll, 'votes'>> & Pick<Poll, 'closed' | 'unread'> & { /** Where each person's vote stands. */ places: Record<JID, Micros> }

/** Counts the votes of a poll. */
export function countPoll({ options, many, closes }: Pick<Poll, 'options' | 'many' | 'closes'>, { by, group }: Asked, acts: Act[]): Tally {
  const all = standing(acts)
  const closed = all.find(({ from, deed, stands }) => deed.what === 'close' && (from === by || (group && isAdmin(stands))))?.place
  const end = Math.min(closed ?? Infinity, group && closes !== undefined ? closes : Infinity)
  const votes: Tally['votes'] = {}
  const places: Tally['places'] = {}
  let unread = 0
  for (const act of all) {
    if (act.place > end) continue
    if (act.deed.what === 'unread') unread++
    if (act.deed.what !== 'vote' || !isMember(act)) continue
    const known = [...new Set(act.deed.options)].filter((n) => Number.isInteger(n) && n >= 0 && n < options.length)
    votes[act.from] = known.slice(0, many ? undefined : 1)
    places[act.from] = act.place
  }
  return { votes, places, ...(closed === undefined ? {} : { closed }), ...(unread ? { unread } : {}) }
}

/** What an event shows. */
export interface Guests { facts: EventFacts; answers: Record<JID, Answer>; places: Record<JID, Micros>; /** Where it was changed last. */ changed?: Micros }

/** Counts the answers to an event; `first` is how it was made. */
export function countEvent(first: EventFacts, { by }: Asked, acts: Act[]): Guests {
  const all = standing(acts)
  const changes = all.filter(({ from, deed }) => from === by && deed.what === 'event')
  let facts = first
  let moved = -Infinity
  for (const { deed, place } of changes) {
    if (deed.what !== 'event') continue
    if (isElsewhere(facts, deed.event)) moved = place
    facts = deed.event
  }
  const answers: Guests['answers'] = {}
  const places: Guests['places'] = {}
  for (const act of all) {
    const { deed, from, place } = act
    if (deed.what !== 'answer' || !isMember(act)) continue
    const before = answers[from]
    delete answers[from] // who answers anew stands last among those who have no place in the row
    places[from] = place
    if (!deed.going) continue
    const guests = deed.going === 'yes' && facts.guests ? deed.guests : 0
    answers[from] = { going: deed.going, guests, ...(deed.going === 'yes' ? { row: rowOf(before?.row ?? [], place, 1 + guests) } : {}), ...(place < moved ? { stale: true } : {}) }
  }
  const changed = changes.at(-1)?.place
  return { facts, answers: seated(answers, facts.places ?? Infinity), places, ...(changed === undefined ? {} : { changed }) }
}

/** Whether an event is at another time or place than before. */
export const isElsewhere = (a: EventFacts, b: EventFacts): boolean => a.starts !== b.starts || a.day !== b.day || a.place !== b.place || a.latitude !== b.latitude || a.longitude !== b.longitude

/** Somebody's places in the row, when so many of them come: more join at the end, of fewer the last go. */
function rowOf(before: [Micros, number][], place: Micros, people: number): [Micros, number][] {
  const row: [Micros, number][] = []
  let left = people
  for (const [at, n] of before) {
    if (left > 0) row.push([at, Math.min(n, left)])
    left -= Math.min(n, left)
  }
  return left > 0 ? [...row, [place, left]] : row
}

/** Gives out the places in the order of the row. Nobody passes somebody who waits. */
function seated(answers: Guests['answers'], places: number): Guests['answers'] {
  const row = Object.entries(answers).flatMap(([jid, { row: own = [] }]) => own.map(([at, n]) => ({ jid, at, n }))).sort((a, b) => a.at - b.at)
  const waits = new Map<JID, number>()
  let taken = 0
  let full = false
  for (const { jid, n } of row) {
    full ||= taken + n > places
    if (full) waits.set(jid, (waits.get(jid) ?? 0) + n)
    else taken += n
  }
  const first = new Map(row.map((one) => [one.jid, one]).reverse() as [JID, { at: Micros }][])
  const inRow = Object.keys(answers).sort((a, b) => (first.get(a)?.at ?? Infinity) - (first.get(b)?.at ?? Infinity) || 0)
  return Object.fromEntries(inRow.flatMap((jid) => {
    const answer = answers[jid]
    const n = waits.get(jid)
    return answer ? [[jid, n ? { ...answer, waits: n } : answer]] : []
  }))
}
