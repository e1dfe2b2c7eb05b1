// The archive on the server (XEP-0313), read page by page (XEP-0059).

import type { Micros } from '../model.ts'
import { form } from './form.ts'
import { unwrapForwarded } from './forward.ts'
import { MAM, RSM } from './ns.ts'
import type { Session } from './session.ts'
import { newID } from './stanza.ts'
import { formatTime } from './time.ts'
import { el, type Element } from './xml.ts'

/** A message as the archive keeps it. */
export interface Archived {
  /** The archive's id; with Palabre the time of arrival in microseconds, as text. */
  id: string
  time: Micros
  stanza: Element
}

/** What to read. Ids are the archive's. */
export interface ArchiveQuery {
  /** Whose archive: a group's; our own unless said. */
  at?: string
  /** Which of its logs: a channel's. */
  node?: string
  /** Only what was exchanged with this address. */
  with?: string
  /** What comes after this id, oldest first. */
  after?: string
  /** What comes before this id: the page nearest to it, in order; '' for the end of the archive. */
  before?: string
  start?: Micros
  end?: Micros
  /** Exactly these, at most 1000. */
  ids?: string[]
  /** At most so many (50 unless said; the server has a limit of its own). */
  max?: number
}

/** A page of the archive, oldest first. */
export interface ArchivePage {
  messages: Archived[]
  /** Nothing more in this direction. */
  complete: boolean
  first?: string
  last?: string
}

/** Says whether a message is a result of the archive: those are for queryArchive alone. */
export const isArchiveResult = (stanza: Element): boolean => !!stanza.child('result', MAM)

/**
 * Reads one page. It fails as Session.request does; `item-not-found` means that the archive does not have an id that was named (any more).
 * A result that makes no sense is left out.
 */
export async function queryArchive(session: Session, query: ArchiveQuery): Promise<ArchivePage> {
  const id = newID()
  const max = query.max ?? 50
  const messages: Archived[] = []
  const stop = session.on('message', (stanza) => {
    const from = stanza.attr('from')
    const result = from === (query.at ?? session.account) || (!from && !query.at) ? stanza.child('result', MAM) : undefined
    const inner = result?.attr('queryid') === id && messages.length < Math.max(max, query.ids?.length ?? 0) ? unwrapForwarded(result) : undefined
    const at = result?.attr('id')
    if (inner && at) messages.push({ id: at, time: inner.time ?? 0, stanza: inner.stanza })
  })
  try {
    const fin = (await session.request('set', request(id, max, query), { seconds: 60, ...(query.at ? { to: query.at } : {}) })).child('fin', MAM)
    const set = fin?.child('set', RSM)
    return { messages, complete: fin?.attr('complete') === 'true', first: set?.textOf('first'), last: set?.textOf('last') }
  } finally {
    stop()
  }
}

function request(id: string, max: number, query: ArchiveQuery): Element {
  const { start, end } = query
  return el(MAM, 'query', { queryid: id, node: query.node },
    form(MAM, { with: query.with, start: start && formatTime(start), end: end && formatTime(end), ids: query.ids }),
    el(RSM, 'set', {}, el(RSM, 'max', {}, max),
      query.after !== undefined && el(RSM, 'after', {}, query.after), query.before !== undefined && el(RSM, 'before', {}, query.before)))
}
