// What this device writes down of the encrypted history (docs/protocol/encrypted-history.md §3): new messages soon and in small chunks, small chunks into
// larger ones, and chunks anew whose messages were corrected, retracted or reacted to.

import type { Book, Chunk } from '../crypto/book.ts'
import type { Micros } from '../model.ts'
import { change, type Change, type Database, type KeptMessage } from '../store/database.ts'
import { ALL, MAX_CHANGED } from '../store/changed.ts'
import { get, type Written } from '../store/kv.ts'
import { archiveName } from '../store/names.ts'
import { goneLine, lineOf } from './history-lines.ts'

/** A chunk with so many messages is left as it is. */
const FULL = 1000
/** New messages that one step writes, those that it writes anew, and steps of one run. */
const MAX_LINES = 2 * FULL
const MAX_AGAIN = 20 * FULL
const MAX_STEPS = 20
/** Characters of a line, so that each fits into a chunk. What is longer is not written. */
const MAX_LINE = 40_000

/** What one step writes, in the place of some chunks: what stands between two places in the archive, or what changed in the chunks of others. */
interface Part { from: Micros; to: Micros; old: Chunk[]; what: 'fresh' | 'again' | 'over' }

/** The chunk of what changed in the chunks of others is the first, and stands for no span of the archive. */
const isOver = (c: Chunk): boolean => c.to === 0

/** How many of the last chunks are written anew together with so many new messages: those that are not larger than what follows them. So each
 * message is written a few times only, and there are few small chunks. */
export function tail(chunks: Chunk[], fresh: number): number {
  let sum = fresh
  let taken = 0
  for (let last = chunks.at(-1); last && !isOver(last) && last.count <= sum && sum + last.count <= FULL; last = chunks.at(-1 - taken)) {
    sum += last.count
    taken++
  }
  return taken
}

/** Writes what is to be written, with a book of what this device wrote before; false if there is more, for another time. A device that is new leaves what
 * others have written completely to them. */
export async function writeAll(db: Database, bookOf: (own: Written) => Book): Promise<boolean> {
  let start: Micros | undefined
  for (let i = 0; i < MAX_STEPS; i++) {
    const done = await get(db, 'history') ?? { index: 0, chunks: [], complete: [] }
    start ??= done.chunks.some((c) => !isOver(c)) ? 0 : (await bookOf(done).complete()).reduce((most, [, to]) => Math.max(most, to), 0)
    const changed = await get(db, 'history changed') ?? []
    const last = done.chunks.reduce((most, c) => Math.max(most, c.to), start)
    const part = again(done, changed) ?? await over(db, done, changed, last) ?? await freshPart(db, done, last)
    if (!part) return true
    await writePart(db, bookOf(done), part, done)
  }
  return false
}

/** The first chunk with a message that changed, or came to a place between it and the next; and what overlaps it. */
function again({ chunks }: Written, changed: Micros[]): Part | undefined {
  const own = chunks.filter((c) => !isOver(c))
  const spans = own.map((c, i) => ({ from: c.from, to: Math.max(c.to, (own[i + 1]?.from ?? 0) - 1) }))
  const hit = spans.find((span) => changed.some((id) => id === ALL || holds(span, id)))
  return hit && { ...hit, old: own.filter((c) => c.from <= hit.to && c.to >= hit.from), what: 'again' }
}

const holds = (c: Pick<Chunk, 'from' | 'to'>, id: Micros) => id >= c.from && id <= c.to

/** What changed and stands in chunks of other devices, which may be gone, is said here beside them; and what was deleted for us alone. */
async function over(db: Database, { chunks }: Written, changed: Micros[], last: Micros): Promise<Part | undefined> {
  const theirs = changed.filter((id) => id !== ALL && id <= last)
  const unwritten = changed.filter((id) => id === ALL || id > last) // is written with what it changed, in any case
  if (changed.length) await change(db, ['kv'], async (tx) => {
    const known = await get(tx, 'history over') ?? []
    if (theirs.length) await tx.objectStore('kv').put([...new Set([...known, ...theirs])].slice(-MAX_CHANGED), 'history over')
    if (unwritten.length) await tx.objectStore('kv').put((await get(tx, 'history changed') ?? []).filter((id) => !unwritten.includes(id)), 'history changed')
  })
  const gone = await get(db, 'history gone')
  return theirs.length || gone?.told === false ? { from: 0, to: last, old: chunks.filter(isOver), what: 'over' } : undefined
}

/** What came since, with the small chunks before it. */
async function freshPart(db: Database, { chunks }: Written, last: Micros): Promise<Part | undefined> {
  const fresh = (await between(db, last + 1, Infinity)).messages.length
  if (!fresh) return undefined
  const taken = tail(chunks, fresh)
  const old = taken ? chunks.slice(-taken) : []
  return { from: old[0]?.from ?? last + 1, to: Infinity, old, what: 'fresh' }
}

async function writePart(db: Database, book: Book, part: Part, done: Written): Promise<void> {
  const { messages, more } = part.what === 'over' ? await overlaid(db) : await between(db, part.from, part.to)
  const gone = part.what === 'over' ? (await get(db, 'history gone'))?.list ?? [] : []
  const ends: [Micros, Micros] = [messages[0]?.archiveId ?? part.from, messages.at(-1)?.archiveId ?? part.to]
  // What did not fit into one step belongs to the next: no chunk is taken away that is not written anew.
  const old = (more ? part.old.filter((c) => c.to <= ends[1]) : part.old).map((c) => c.number)
  const entries = [...messages.map((m) => ({ id: part.what === 'over' ? 0 : m.archiveId ?? 0, line: lineOf(m) })), ...gone.map((one) => ({ id: 0, line: goneLine(one) }))]
  const lines = new Map(messages.map((m, i) => [m.archiveId ?? 0, entries[i]?.line]))
  if (!entries.length && !old.length) return change(db, ['kv', 'messages'], (tx) => settle(tx, part, done.chunks, lines))
  const begun = done.chunks.find((c) => !isOver(c))
  await book.write(entries, part.what === 'fresh' ? [begun?.from ?? ends[0], ends[1]] : undefined, old, async ({ number, chunks, complete }) => {
    await change(db, ['kv', 'messages'], async (tx) => {
      const sorted = [...chunks].sort((a, b) => a.from - b.from)
      await tx.objectStore('kv').put({ index: number, chunks: sorted, complete, old } satisfies Written, 'history')
      await settle(tx, part, chunks, lines)
      const now = part.what === 'over' ? await get(tx, 'history gone') : undefined
      if (now && JSON.stringify(now.list) === JSON.stringify(gone)) await tx.objectStore('kv').put({ ...now, told: true }, 'history gone')
    })
  })
  if (old.length) await removed(db)
}

/** The chunks that others replaced are not there any more. */
export async function removed(db: Database): Promise<void> {
  await change(db, ['kv'], async (tx) => {
    const done = await get(tx, 'history')
    if (done?.old) await tx.objectStore('kv').put({ ...done, old: undefined } satisfies Written, 'history')
  })
}

/** What changed is written, unless it has changed again meanwhile. */
async function settle(tx: Change, part: Part, chunks: Chunk[], lines: Map<Micros, string | undefined>): Promise<void> {
  const changed = await get(tx, 'history changed') ?? []
  if (!changed.length) return
  const left: Micros[] = []
  if (changed.includes(ALL)) left.push(...chunks.filter((c) => !isOver(c) && (c.from < part.from || c.to > part.to)).map((c) => c.from))
  else for (const id of changed) {
    const now = holds(part, id) ? await tx.objectStore('messages').index('names').get(archiveName(String(id))) : undefined
    if (!holds(part, id) || (now && writable(now) ? lineOf(now) : undefined) !== lines.get(id)) left.push(id)
  }
  await tx.objectStore('kv').put(left, 'history changed')
}

const writable = (m: KeptMessage): boolean =>
  !!m.archiveId && m.protection === 'omemo' && !m.expiresAt && m.content.type !== 'undecryptable' && m.content.type !== 'system' && m.content.type !== 'once' && lineOf(m).length <= MAX_LINE

/** Messages that came encrypted, from one place in the archive to another, in its order; whether there are more than one step takes. */
async function between(db: Database, from: Micros, to: Micros): Promise<{ messages: KeptMessage[]; more: boolean }> {
  const most = to === Infinity ? MAX_LINES : MAX_AGAIN
  const range = IDBKeyRange.bound(nameAt(from), to === Infinity ? 'a \uffff' : nameAt(to))
  const messages: KeptMessage[] = []
  let cursor = await db.transaction('messages').store.index('names').openCursor(range)
  for (; cursor && messages.length < most; cursor = await cursor.continue()) if (writable(cursor.value)) messages.push(cursor.value)
  return { messages, more: !!cursor }
}

/** Where a message stands in the index of names, if the archive numbers by time. */
export const nameAt = (place: Micros): string => archiveName(String(place).padStart(16, '0'))

async function overlaid(db: Database): Promise<{ messages: KeptMessage[]; more: boolean }> {
  const ids = await get(db, 'history over') ?? []
  const store = db.transaction('messages').store.index('names')
  const found = await Promise.all(ids.map((id) => store.get(archiveName(String(id)))))
  return { messages: found.flatMap((m) => m && writable(m) ? [m] : []), more: false }
}
