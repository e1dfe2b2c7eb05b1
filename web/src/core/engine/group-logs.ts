// The groups that the account is in: attended with each new session, so that what is said in them comes, and caught up with.

import type { ChainName } from '../crypto/types.ts'
import type { JID, Micros } from '../model.ts'
import type { Database } from '../store/database.ts'
import { attend, findGroups, type Listed } from '../xmpp/groups.ts'
import { bare, domain, parseJID } from '../xmpp/jid.ts'
import type { Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import type { Element } from '../xmpp/xml.ts'
import type { News } from './changes.ts'
import { isIn } from './group-change.ts'
import { GroupList } from './group-list.ts'
import { GroupLog, type Standing } from './group-log.ts'
import { Keeper, type KeepEvents, type Opener } from './keep.ts'
import type { Letter } from './said.ts'

/** Logs that are read at the same time. */
const AT_ONCE = 4
/** Between two tries after a failure that passes by itself, in milliseconds: 2, 4, 8 … 60 s. */
const RETRY = 2000

/** The groups of one account. */
export class GroupLogs {
  private session: Session | undefined
  private found: Promise<string | undefined> | undefined
  private at: string | undefined
  private readonly logs = new Map<JID, GroupLog>()
  private readonly keeper: Keeper
  private readonly list: GroupList
  private timer: ReturnType<typeof setTimeout> | undefined
  private tries = 0
  /** Counts connections: what is known of the end of a log holds for one of them. One that was resumed still has to bring what was said meanwhile. */
  private connection = 0
  private running: Promise<void> | undefined
  private next: Promise<void> | undefined
  /** Told when something could not be kept because this device has no room left; it is tried again. */
  onFull: () => void = () => undefined
  /** Told when all that the logs have is here. */
  onCaughtUp: (session: Session, service: string | undefined) => void = () => undefined
  /** Told when a log stands otherwise than who asked for it was told. */
  onStanding: () => void = () => undefined

  constructor(
    private readonly db: Database, private readonly account: JID, private readonly opener: Opener, news: News, events: KeepEvents, private readonly now: () => Micros,
  ) {
    this.keeper = new Keeper(db, account, opener, news, events, now)
    this.list = new GroupList(db, account, news, now)
  }

  /** A session is there: a new one attends the groups. */
  connected(session: Session, resumed: boolean): void {
    this.session = session
    this.connection++
    if (!resumed) this.found = undefined
    this.attend()
  }

  /** No session can be used any more. */
  disconnected(): void {
    this.session = undefined
    clearTimeout(this.timer)
  }

  /** The service of groups; fails with `item-not-found` where there is none. */
  async service(): Promise<string> {
    const session = this.session
    if (!session) throw new StanzaError('disconnected', 'wait')
    const service = await (this.found ??= this.find(session))
    if (!service) throw new StanzaError('item-not-found')
    return service
  }

  private async find(session: Session): Promise<string | undefined> {
    try {
      const service = await findGroups(session)
      this.at = service
      return service
    } catch (error) {
      this.found = undefined
      throw error
    }
  }

  /** Takes a message of a group. What comes from anywhere else than the service of groups is nobody's. */
  take(stanza: Element): Promise<void> {
    const room = bare(parseJID(stanza.attr('from') ?? '') ?? '')
    return room.includes('@') && domain(room) === this.at ? this.log(room).take(stanza) : Promise.resolve()
  }

  /** Whether a group stands in the list of chats; one of which nothing is known yet is looked for. */
  private async begun(room: JID): Promise<boolean> {
    if ((await this.db.get('chats', room))?.group) return true
    this.attend()
    return false
  }

  private log(room: JID): GroupLog {
    let log = this.logs.get(room)
    if (!log) this.logs.set(room, log = new GroupLog(room, {
      db: this.db, account: this.account, keeper: this.keeper, session: () => this.session?.live ? this.session : undefined, now: this.now, begun: () => this.begun(room), failed: (_, error) => this.failed(error),
      changed: () => this.onStanding(), again: (anyway) => { if (anyway || (!this.running && this.timer === undefined)) this.attend() },
    }))
    return log
  }

  /** Reads a group's log to its end; for who has to know what became of a message. */
  readOn(room: JID): Promise<void> {
    return this.log(room).readOn()
  }

  /** How what is here of a group stands with its log. */
  async standing(room: JID): Promise<Standing> {
    return this.session?.live ? this.log(room).standing(this.connection) : 'behind'
  }

  /** The chain came with which somebody speaks in a group: what waited for it is read. Without one, whatever waited when this device was left. */
  unlock(chain?: ChainName): Promise<void> {
    return this.keeper.unlock(chain)
  }

  /** Reads one older page of a group. */
  older(room: JID): Promise<boolean> {
    return this.log(room).older()
  }

  private failed(error: unknown): void {
    if (error instanceof Error && error.name === 'StorageFull') this.onFull()
    if (!this.session || (error instanceof StanzaError && error.condition === 'disconnected')) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.attend(), Math.min(RETRY * 2 ** this.tries++, 60_000))
  }

  private attend(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    void this.here().catch((error: unknown) => this.failed(error))
  }

  /** Has all groups that we are in stand in the list of chats as they are, with all that their logs have. One run at a time, again if asked meanwhile. */
  here(): Promise<void> {
    if (this.running) return this.next ??= this.running.catch(() => undefined).then(() => this.here())
    this.next = undefined
    return this.running = this.attendAll().finally(() => { this.running = undefined })
  }

  private async attendAll(): Promise<void> {
    const { session, connection, tries } = this
    if (!session) return
    const service = await this.service().catch((error: unknown) => {
      if (error instanceof StanzaError && error.condition === 'item-not-found') return undefined
      throw error
    })
    const all: Listed[] = []
    const before = await this.list.versions()
    if (service) await attend(session, service, async (groups) => {
      all.push(...groups)
      for (const one of groups) await this.list.put(session, one).catch((error: unknown) => { // the others go on
        this.log(one.jid).trouble(error)
        this.failed(error)
      })
    }).catch(async (error: unknown) => {
      await this.trouble(error)
      throw error
    })
    if (service) await this.list.missing(new Set(all.map((g) => g.jid)), before)
    else await this.trouble(new StanzaError('item-not-found'))
    await this.opener.crypto.beginCatchUp()
    try {
      const left = [...all]
      const run = async () => {
        for (let one = left.shift(); one; one = left.shift()) if ((await this.db.get('chats', one.jid))?.group) await this.log(one.jid).upTo(one.newest, connection)
      }
      await Promise.all(Array.from({ length: AT_ONCE }, run))
    } finally {
      await this.opener.crypto.endCatchUp()
    }
    if (this.tries === tries) this.tries = 0
    this.onCaughtUp(session, service)
  }

  /** Nothing is told of any group. */
  private async trouble(error: unknown): Promise<void> {
    for (const { jid, group } of await this.db.getAll('chats')) if (group && !group.ended && isIn(group.affiliation)) this.log(jid).trouble(error)
  }

  /** Something came of which more can be had. */
  heard(letter: Letter): void {
    const { session, at } = this
    if (letter.says.some((s) => s.what === 'invite')) this.lookInvited()
    if (session && letter.says.some((s) => s.what === 'change' && s.change.what === 'picture')) this.onCaughtUp(session, at)
  }

  /** What is known of groups that we are invited to, and not in, is asked once. */
  lookInvited(): void {
    void this.list.invited(() => this.session).catch(() => undefined) // asked again when the archive was read
  }

  /** Asks who is in a group, unless that is known: the log tells what changes from then on. */
  async members(room: JID): Promise<void> {
    if (this.session) await this.list.members(this.session, room)
  }
}
