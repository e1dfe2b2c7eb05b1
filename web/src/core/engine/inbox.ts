// Takes in everything that is said to the account: live, as copies, and from the archive what was missed meanwhile. Each message is kept before
// the server is told that it has arrived and before the cursor passes it; the cursor passes a message only when everything before it is kept.

import type { JID, Micros } from '../model.ts'
import { change, type Database } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { queryArchive, type Archived, type ArchivePage } from '../xmpp/mam.ts'
import type { Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import type { Element } from '../xmpp/xml.ts'
import { archivePlace } from './apply.ts'
import type { News } from './changes.ts'
import { Keeper, type KeepEvents, type Opener } from './keep.ts'
import { unwrapArchived, unwrapLive, type Envelope } from './unwrap.ts'

export type { Opener } from './keep.ts'

/** Entries of one page of the archive. */
const PAGE = 100
/** Messages that came live and are kept in one step. */
const TOGETHER = 50
/** Pages that a new device reads backwards to begin with. */
const FIRST_PAGES = 10
/** Two messages that come together may be handed over in another order than that of the archive: how far back a catch-up looks again. */
const OVERLAP = 60e6
/** Between two tries of a catch-up that failed though the connection lives, in milliseconds: 2, 4, 8 … 60 s. */
const RETRY = 2000

/** What the inbox tells. */
export interface InboxEvents extends KeepEvents {
  /** All that the archive has is kept. */
  caughtUp(): void
  /** The archive was asked for the first time in this session: a server sends what it kept for apps without an archive to those who did not ask. */
  asked(): void
  /** Something could not be kept: `full`, there is no room on the device. It is tried again. */
  stuck(full: boolean): void
}

/** The inbox of one account. */
export class Inbox {
  private session: Session | undefined
  private readonly arriving: { envelope: Envelope; resolve: () => void }[] = []
  private readonly keeper: Keeper
  private generation = 0
  private gap = true
  private running: Promise<void> | undefined
  private line: Promise<unknown> = Promise.resolve()
  private tries = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  /** The newest place that came live while the gap was open. */
  private liveTop: Micros = 0

  constructor(
    private readonly db: Database, private readonly account: JID, private readonly opener: Opener, news: News,
    private readonly events: InboxEvents, private readonly now: () => Micros,
  ) {
    this.keeper = new Keeper(db, account, opener, news, events, now)
  }

  /** Says whether everything is kept that the archive has, as far as is known. */
  get complete(): boolean {
    return !this.gap
  }

  /** A session is there; after one that was not resumed the archive is asked for what was missed. */
  connected(session: Session, resumed: boolean): void {
    this.session = session
    if (!resumed) this.open()
    if (this.gap) this.catchUp()
  }

  /** What came before we said that we are there did not come live: the archive is asked once more. */
  present(): void {
    this.open()
    this.catchUp()
  }

  /** There is no session any more. */
  disconnected(): void {
    this.open()
    this.session = undefined
    clearTimeout(this.timer)
  }

  /** Something may be missing from now on. */
  private open(): void {
    this.generation++
    this.gap = true
  }

  /** Takes a message that came now. Fulfilled when it is kept, or when the archive will be asked for it. */
  take(stanza: Element): Promise<void> {
    const envelope = unwrapLive(stanza, this.account, this.now())
    if (!envelope) return Promise.resolve()
    return new Promise((resolve) => {
      this.arriving.push({ envelope, resolve })
      void this.inTurn(() => this.takeTogether())
    })
  }

  /** Keeps what has come meanwhile in one step; if that fails, one by one, so that one that cannot be read stops no other. */
  private async takeTogether(): Promise<void> {
    const batch = this.arriving.splice(0, TOGETHER)
    if (!batch.length) return
    try {
      await this.takeLive(batch.map((one) => one.envelope))
    } catch {
      for (const { envelope } of batch) await this.takeLive([envelope]).catch((error: unknown) => this.missed(envelope, error))
    }
    for (const { resolve } of batch) resolve()
  }

  private takeLive(envelopes: Envelope[]): Promise<void> {
    const top = Math.max(0, ...envelopes.map((e) => archivePlace(e.archived) ?? 0))
    if (this.gap) this.liveTop = Math.max(this.liveTop, top)
    return this.keep(envelopes, this.gap || !top ? undefined : top)
  }

  /** A message that could not be kept is fetched again, if the archive has it. */
  private missed(envelope: Envelope, error: unknown): void {
    if (envelope.archived) {
      this.open()
      this.later(error)
    } else this.events.stuck(isFull(error))
  }

  /** One after the other: letters are kept in the order in which they came. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.line.then(work, work)
    this.line = next.catch(() => undefined)
    return next
  }

  /** Keeps envelopes in one step, with the cursor. */
  private keep(envelopes: Envelope[], cursor?: Micros): Promise<void> {
    return this.keeper.keep(envelopes, cursor === undefined ? undefined : ({ tx }) => moveCursor(tx, cursor))
  }

  /** Reads the archive up to its end, unless that is under way. */
  private catchUp(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.running ??= this.closeGap().then((again) => {
      this.running = undefined
      if (again && this.gap) this.catchUp()
    })
  }

  /** Gives whether to begin anew at once: a gap opened meanwhile. */
  private async closeGap(): Promise<boolean> {
    const { session, generation } = this
    if (!session) return false
    try {
      await this.opener.crypto.beginCatchUp()
      await this.readOn(session, generation)
      if (generation !== this.generation) return true
      const top = this.liveTop
      if (top) await this.inTurn(() => change(this.db, ['kv'], (tx) => moveCursor(tx, top)))
      if (generation !== this.generation) return true
      this.gap = false
      this.tries = this.liveTop = 0
    } catch (error) {
      // The session is over: the next one begins anew.
      if (error instanceof StanzaError && error.condition === 'disconnected') return generation !== this.generation
      this.later(error)
      return false
    } finally {
      await this.opener.crypto.endCatchUp()
    }
    this.events.caughtUp()
    return false
  }

  private later(error: unknown): void {
    this.events.stuck(isFull(error))
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.catchUp(), Math.min(RETRY * 2 ** this.tries++, 60_000))
  }

  private async readOn(session: Session, generation: number): Promise<void> {
    const cursor = await get(this.db, 'cursor')
    if (cursor === undefined) return this.begin(session)
    const tried = await oldestTried(this.db)
    const start = Math.max(0, Math.min(cursor, tried ?? Infinity) - OVERLAP)
    let after: string | undefined
    for (;;) {
      const page = await queryArchive(session, { start: start || undefined, after, max: PAGE })
      if (after === undefined) this.events.asked()
      if (generation !== this.generation) return
      await this.inTurn(() => this.keepPage(page, false))
      if (page.complete || !page.last || page.last === after) return
      after = page.last
    }
  }

  /** A new device: the newest pages of the archive, backwards. What is older is read when somebody looks for it. */
  private async begin(session: Session): Promise<void> {
    await change(this.db, ['kv'], async (tx) => { if (await get(tx, 'since') === undefined) await tx.objectStore('kv').put(this.now(), 'since') })
    let before = ''
    for (let i = 0; i < FIRST_PAGES; i++) {
      const page = await queryArchive(session, { before, max: PAGE })
      if (i === 0) this.events.asked()
      await this.inTurn(async () => {
        await this.keepPage(page, true)
        await change(this.db, ['kv'], async (tx) => { await tx.objectStore('kv').put(page.complete ? '' : page.first ?? '', 'floor') })
      })
      if (page.complete || !page.first) break
      before = page.first
    }
    const newest = await get(this.db, 'newest')
    await change(this.db, ['kv'], (tx) => moveCursor(tx, newest ?? 1))
  }

  private async keepPage(page: ArchivePage, old: boolean): Promise<void> {
    const last = page.messages.at(-1)
    const top = last && (archivePlace(last.id) ?? last.time)
    await this.keep(page.messages.flatMap((entry) => unwrapArchived(entry, this.account, old) ?? []), old ? undefined : top)
    if (old && top) await change(this.db, ['kv'], (tx) => see(tx, top))
  }

  /** Reads one page of a chat that is older than what is here. Gives whether there may be more. */
  async older(chat: JID): Promise<boolean> {
    const { session } = this
    if (!session) return true
    const before = await get(this.db, `older ${chat}`) ?? await get(this.db, 'floor') ?? ''
    if (before === '' && await get(this.db, 'floor') !== undefined) return false
    const page = await queryArchive(session, { with: chat, before, max: 50 })
    await this.inTurn(async () => {
      await this.keepPage(page, true)
      await change(this.db, ['kv'], async (tx) => { await tx.objectStore('kv').put(page.complete || !page.first ? '' : page.first, `older ${chat}`) })
    })
    return !page.complete && !!page.first
  }

  /** Says whether there is more of a chat in the archive than here. */
  async hasOlder(chat: JID): Promise<boolean> {
    return (await get(this.db, `older ${chat}`) ?? await get(this.db, 'floor') ?? '') !== ''
  }

  /** Keeps what the crypto worker has decrypted in a tab that died before it was kept: its stanzas come again from the archive, with the same keys. */
  async lookFor(session: Session, since: Micros): Promise<void> {
    let after: string | undefined
    for (;;) {
      const page: { messages: Archived[]; complete: boolean; last?: string } = await queryArchive(session, { start: Math.max(0, since - OVERLAP) || undefined, after, max: PAGE })
      await this.inTurn(() => this.keepPage(page, false))
      if (page.complete || !page.last || page.last === after) return
      after = page.last
    }
  }
}

const isFull = (error: unknown) => error instanceof Error && error.name === 'StorageFull'

type Tx = Parameters<Parameters<typeof change>[2]>[0]

async function see(tx: Tx, place: Micros): Promise<void> {
  const newest = await tx.objectStore('kv').get('newest') as Micros | undefined
  if ((newest ?? 0) < place) await tx.objectStore('kv').put(place, 'newest')
}

async function moveCursor(tx: Tx, place: Micros): Promise<void> {
  await see(tx, place)
  const cursor = await tx.objectStore('kv').get('cursor') as Micros | undefined
  if ((cursor ?? 0) < place) await tx.objectStore('kv').put(place, 'cursor')
}

/** From where on the archive may have messages of ours of which we do not know. */
async function oldestTried(db: Database): Promise<Micros | undefined> {
  const tried = (await db.getAll('outbox')).filter((e) => e.state === 'tried' && e.tried !== undefined)
  return tried.length ? Math.min(...tried.map((e) => e.tried ?? Infinity)) : undefined
}

