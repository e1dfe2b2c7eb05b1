// The log of one group on this device (docs/protocol/groups.md). Everything is kept in the order of the log, without a gap: what comes live right behind
// the newest entry is kept at once; what comes behind another one shows that something is missing, and the log is read from the newest entry on.

import type { JID, Micros } from '../model.ts'
import { change, look, type Database } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { forgetKnown, memberCalled } from '../store/members.ts'
import { entryID, entryOf, type Entry } from '../xmpp/groups.ts'
import { resource } from '../xmpp/jid.ts'
import { queryArchive, type ArchivePage } from '../xmpp/mam.ts'
import type { Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import type { Element } from '../xmpp/xml.ts'
import type { Step } from './apply.ts'
import type { Keeper } from './keep.ts'
import { groupEnvelope, type Envelope } from './unwrap.ts'

/** Entries of a page, and of the first one on a device that is new. */
const PAGE = 100
const FIRST = 50
/** Entries that came live and are kept in one step. */
const TOGETHER = 50
/** Authors that are remembered by their ids in the group. */
const MAX_KNOWN = 2000
/** Failures in a row, after which nobody waits for the log. */
const MAX_FAILURES = 5

/** How what is here stands with the log: all of it is here, it is being read, or it cannot be read. */
export type Standing = 'here' | 'behind' | 'unreadable'

/** What a log needs of who leads. */
export interface LogAround {
  db: Database
  account: JID
  keeper: Keeper
  session(): Session | undefined
  now(): Micros
  /** Whether the group is in the list of chats; if not it is about to be, and then its log is read. */
  begun(): Promise<boolean>
  /** The log could not be read, and is to be read again later. */
  failed(room: JID, error: unknown): void
  /** The group is to be attended, and asked how it stands, once more: anyway, or unless that is under way. */
  again(anyway: boolean): void
  /** Who asked how it stands, and was told that it is being read, may ask again. */
  changed(): void
}

/** Who said something, as far as the group tells. */
interface Author { from: JID; nick: string; own: boolean }

/** The log of one group. */
export class GroupLog {
  private newest: Micros | undefined
  /** The newest entry of which is known that there is one. */
  private top: Micros = 0
  /** Up to here it was read, whether or not there is an entry. */
  private seen: Micros = -1
  /** The connection in which it was learned how far the log goes; see GroupLogs. */
  private attended = 0
  private failures = 0
  private refused = false
  private asked = false
  private line: Promise<unknown> = Promise.resolve()
  private readonly arriving: { stanza: Element; resolve: () => void }[] = []
  private reading: Promise<void> | undefined
  private readonly known = new Map<string, JID>()
  private called: Map<string, string> | undefined

  constructor(private readonly room: JID, private readonly around: LogAround) {}

  /** Takes a message of the group that came now. Fulfilled when it is kept, or when the log will be asked for it. */
  take(stanza: Element): Promise<void> {
    return new Promise((resolve) => {
      this.arriving.push({ stanza, resolve })
      void this.inTurn(() => this.takeTogether())
    })
  }

  /** There are entries up to this one, and later ones come live in this connection: what is not here is read. Fulfilled when all of it is here, or it failed. */
  async upTo(newest: Micros, connection: number): Promise<void> {
    await this.inTurn(() => Promise.resolve()) // what came before we were told
    this.top = Math.max(this.top, newest)
    this.attended = connection
    this.refused = false
    if (await this.behind()) await this.read()
    else this.failures = 0
    this.tell()
  }

  /** How what is here stands with the log in this connection. Before it is attended, and while it is read, somebody may have left whom this device does not know to have. */
  async standing(connection: number): Promise<Standing> {
    await this.inTurn(() => Promise.resolve()) // what has come is kept
    if (this.attended === connection && !await this.behind()) return 'here'
    if (this.refused || this.failures >= MAX_FAILURES) return 'unreadable'
    this.asked = true
    if (this.attended !== connection) this.around.again(false) // we came in meanwhile
    return 'behind'
  }

  /** It could not be read, or not be attended. */
  trouble(error: unknown): void {
    if (error instanceof StanzaError && error.condition === 'disconnected') return
    this.failures++
    this.refused = error instanceof StanzaError && !error.temporary
    this.tell()
  }

  private async behind(): Promise<boolean> {
    return Math.max(await this.place() ?? -1, this.seen) < this.top
  }

  private tell(): void {
    if (!this.asked) return
    this.asked = false
    this.around.changed()
  }

  /** Reads on to the end of the log, whatever is known of it. Fails when it cannot be read. */
  async readOn(): Promise<void> {
    const session = this.around.session()
    if (!session) throw new StanzaError('disconnected', 'wait')
    await this.readAll(session)
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.line.then(work, work)
    this.line = next.catch(() => undefined)
    return next
  }

  private async place(): Promise<Micros | undefined> {
    return this.newest ??= await get(this.around.db, `log ${this.room}`)
  }

  /** Keeps what has come meanwhile, as far as it follows what is here. */
  private async takeTogether(): Promise<void> {
    const batch = this.arriving.splice(0, TOGETHER)
    if (!batch.length) return
    try {
      if (await this.around.begun()) await this.takeLive(batch.map((one) => one.stanza))
    } catch (error) {
      this.newest = undefined
      this.around.failed(this.room, error)
    }
    for (const { resolve } of batch) resolve()
  }

  private async takeLive(stanzas: Element[]): Promise<void> {
    let newest = await this.place()
    const envelopes: Envelope[] = []
    const keep = async () => {
      if (!envelopes.length) return
      await this.keep(envelopes.splice(0), newest)
    }
    for (const stanza of stanzas) {
      const entry = entryOf(stanza, this.room)
      this.top = Math.max(this.top, entry.id)
      if (entry.id && (newest === undefined || entry.after !== newest)) continue // known already, or behind a gap
      if (!stanza.attr('from')?.includes('/')) await keep() // what it changes is known before the next is looked at
      const author = await this.authorOf(stanza, entry)
      if (!author) continue
      envelopes.push(this.envelope(stanza, entry, author, { time: entry.id || this.around.now(), live: true }))
      if (entry.id) newest = entry.id
    }
    await keep()
    if (this.top > (newest ?? 0)) void this.read()
  }

  /** Keeps envelopes, and up to where the log is here, in one step. */
  private async keep(envelopes: Envelope[], newest: Micros | undefined, also?: (step: Step) => Promise<void>): Promise<void> {
    await this.around.keeper.keep(envelopes, async (step) => {
      if (newest !== undefined) await step.tx.objectStore('kv').put(newest, `log ${this.room}`)
      await also?.(step)
    })
    this.newest = newest ?? this.newest
  }

  private envelope(stanza: Element, entry: Entry, author: Author, facts: { time: Micros; live: boolean; old?: boolean }): Envelope {
    return groupEnvelope(stanza, this.room, { ...author, ...(entry.id ? { archived: String(entry.id) } : {}), ...facts })
  }

  /** Who said it: the address that the group tells, or the one of the member who is called so now; undefined when only its log can tell. Where no addresses are
   * shown people are known by their ids in the group, whatever they are called. */
  private async authorOf(stanza: Element, { author, occupant }: Entry, last = false): Promise<Author | undefined> {
    const { account, db } = this.around
    const from = stanza.attr('from') ?? ''
    const nick = resource(from)
    if (!nick) return { from: this.room, nick: '', own: false }
    if (author && occupant) this.remember(occupant, author)
    const group = (await db.get('chats', this.room))?.group
    const hidden = group?.settings.anonymous && group.affiliation !== 'owner' && group.affiliation !== 'admin' // who is called how is told to nobody else
    const jid = author ?? (hidden ? undefined : (occupant && this.known.get(occupant)) ?? (await memberCalled(look(db, ['members']), this.room, nick))?.jid)
    if (jid) return { from: jid, nick, own: jid === account }
    if (!last && !group?.settings.anonymous) return undefined
    const own = occupant && group?.occupant ? occupant === group.occupant : group?.nick === nick
    return own ? { from: account, nick, own: true } : { from: occupant ? await this.addressOf(from, occupant) : from, nick, own: false }
  }

  /** The address under which somebody is known here: the one under which they spoke first, unless that was somebody else's before. */
  private async addressOf(from: string, occupant: string): Promise<string> {
    const { db } = this.around
    const called = this.called ??= new Map(await get(db, `occupants ${this.room}`))
    const known = called.get(occupant)
    if (known) return known
    const address = [...called.values()].includes(from) ? `${from} (${occupant.slice(0, 6)})` : from
    called.set(occupant, address)
    for (const oldest of called.keys()) if (called.size > MAX_KNOWN) called.delete(oldest)
    await change(db, ['kv'], (tx) => tx.objectStore('kv').put([...called], `occupants ${this.room}`))
    return address
  }

  private remember(occupant: string, jid: JID): void {
    if (this.known.size >= MAX_KNOWN) this.known.clear()
    this.known.set(occupant, jid)
  }

  /** Reads what is missing, unless that is under way. */
  private read(): Promise<void> {
    return this.reading ??= this.readUp().catch((error: unknown) => {
      this.trouble(error)
      this.around.failed(this.room, error)
    }).finally(() => {
      this.reading = undefined
      this.tell()
    })
  }

  private async readUp(): Promise<void> {
    for (let before = -1; ;) {
      const session = this.around.session()
      const place = await this.place()
      const { top } = this
      if (!session || (place !== undefined && (place >= top || place === before))) return
      before = place ?? before
      await this.readAll(session)
      this.seen = Math.max(this.seen, top)
      this.failures = 0
      this.refused = false
    }
  }

  /** Reads from the newest entry to the end. */
  private async readAll(session: Session): Promise<void> {
    for (;;) {
      const after = await this.place()
      if (after === undefined) return this.begin(session)
      let page: ArchivePage
      try {
        page = await queryArchive(session, { at: this.room, after: String(after), max: PAGE })
      } catch (error) {
        if (!(error instanceof StanzaError) || error.condition !== 'item-not-found') throw error
        // What is here is from before we came again: what changed meanwhile is in no log that we may read.
        await change(this.around.db, ['kv'], (tx) => forgetKnown(tx, this.room))
        this.newest = undefined
        await this.begin(session)
        return this.around.again(true)
      }
      await this.inTurn(() => this.keepPage(page, false))
      if (page.complete || !page.last) return
    }
  }

  /** The first time on this device: the newest page; what is older is read when somebody looks for it. */
  private async begin(session: Session): Promise<void> {
    const page = await queryArchive(session, { at: this.room, before: '', max: FIRST })
    await this.inTurn(() => this.keepPage(page, true, true))
  }

  /** Reads one page that is older than what is here. Gives whether there may be more. */
  async older(): Promise<boolean> {
    const { db } = this.around
    const session = this.around.session()
    const before = await get(db, `older ${this.room}`)
    if (!session || before === undefined || before === '') return before !== ''
    const page = await queryArchive(session, { at: this.room, before, max: FIRST })
    await this.inTurn(() => this.keepPage(page, true))
    return !page.complete && !!page.first
  }

  /** Keeps a page. `back`: it was read backwards; `first`: it is the newest one, and the log is here from it on. */
  private async keepPage(page: ArchivePage, back: boolean, first = false): Promise<void> {
    const since = await get(this.around.db, 'since') ?? 0
    const envelopes: Envelope[] = []
    const whole = (newest: Micros | undefined) => this.keep(envelopes.splice(0), newest, back ? async ({ tx }) => {
      await tx.objectStore('kv').put(page.complete || !page.first ? '' : page.first, `older ${this.room}`)
    } : undefined)
    for (const { id, time, stanza } of page.messages) {
      const entry = { ...entryOf(stanza, this.room), id: entryID(id) }
      const author = await this.authorOf(stanza, entry, true)
      if (author) envelopes.push(this.envelope(stanza, entry, author, { time: entry.id || time, live: false, old: back && (!first || entry.id <= since) }))
      if (!author?.nick && !back) await this.keep(envelopes.splice(0), entry.id)
    }
    const last = page.messages.at(-1)?.id
    await whole(back && !first ? undefined : last === undefined ? this.newest ?? (first ? 0 : undefined) : entryID(last))
  }
}
