// The groups that the account is in: attended with each new session, so that what is said in them comes, and caught up with.

import type { JID, Micros } from '../model.ts'
import { change, everything, type Database } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { countMembers, dropMembers, putMember } from '../store/members.ts'
import { attend, fetchInfo, findGroups, type Listed } from '../xmpp/groups.ts'
import { listItems } from '../xmpp/groups-list.ts'
import { bare, domain, parseJID } from '../xmpp/jid.ts'
import type { Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import type { Element } from '../xmpp/xml.ts'
import { Collector, type News } from './changes.ts'
import { groupChat, isIn, protectionOf, show } from './group-change.ts'
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
  private timer: ReturnType<typeof setTimeout> | undefined
  private tries = 0
  /** Counts connections: what is known of the end of a log holds for one of them. One that was resumed still has to bring what was said meanwhile. */
  private connection = 0
  private running: Promise<void> | undefined
  private next: Promise<void> | undefined
  private readonly syncing = new Map<JID, Promise<void>>()
  /** Told when something could not be kept because this device has no room left; it is tried again. */
  onFull: () => void = () => undefined
  /** Told when all that the logs have is here. */
  onCaughtUp: (session: Session, service: string | undefined) => void = () => undefined
  /** Told when a log stands otherwise than who asked for it was told. */
  onStanding: () => void = () => undefined

  constructor(
    private readonly db: Database, private readonly account: JID, private readonly opener: Opener, private readonly news: News, events: KeepEvents, private readonly now: () => Micros,
  ) {
    this.keeper = new Keeper(db, account, opener, news, events, now)
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
      changed: () => this.onStanding(),
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
    const broken = new Set<JID>()
    if (service) await attend(session, service, async (groups) => {
      all.push(...groups)
      for (const one of groups) await this.listed(session, one).catch((error: unknown) => { // the others go on
        broken.add(one.jid)
        this.log(one.jid).trouble(error)
        this.failed(error)
      })
    }).catch(async (error: unknown) => {
      await this.trouble(error)
      throw error
    })
    if (service) await this.missing(new Set(all.map((g) => g.jid)))
    else await this.trouble(new StanzaError('item-not-found'))
    await this.opener.crypto.beginCatchUp()
    try {
      const left = all.filter((one) => !broken.has(one.jid))
      const run = async () => {
        for (let one = left.shift(); one; one = left.shift()) await this.log(one.jid).upTo(one.newest, connection)
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

  /** Puts a group into the list of chats, as the service lists it. */
  private async listed(session: Session, one: Listed): Promise<void> {
    const known = (await this.db.get('chats', one.jid))?.group
    const about = known && !known.ended && known.version > 1 ? undefined : await fetchInfo(session, one.jid)
    const changes = new Collector()
    await change(this.db, everything, async (tx) => {
      const step = { tx, account: this.account, now: this.now(), changes }
      const chat = await groupChat(step, one.jid)
      const { group } = chat
      const before = JSON.stringify(chat)
      Object.assign(group, { affiliation: one.affiliation, members: one.members, ...(one.nick ? { nick: one.nick } : {}) })
      delete group.ended
      show(chat, one.picture)
      if (group.invited && !known) delete group.invited
      if (about) { // of one that is known the log tells what is new
        chat.name = one.name ?? chat.name
        group.settings = about.settings
        if (about.description) group.description = about.description
        chat.protection = protectionOf(about.settings)
        if (group.version <= 1) group.version = one.newest
        chat.time ||= one.since
      }
      if (JSON.stringify(chat) === before) return
      await tx.objectStore('chats').put(chat)
      changes.chat(chat.jid)
    })
    this.news.tell(changes.all)
    if (known?.ended) await change(this.db, ['kv'], (tx) => tx.objectStore('kv').delete(`members ${one.jid}`)) // they were not followed meanwhile
    if (!await get(this.db, `members ${one.jid}`)) await this.members(one.jid)
  }

  /** Something came of which more can be had. */
  heard(letter: Letter): void {
    const { session, at } = this
    if (letter.says.some((s) => s.what === 'invite')) this.lookInvited()
    if (session && letter.says.some((s) => s.what === 'change' && s.change.what === 'picture')) this.onCaughtUp(session, at)
  }

  /** What is known of groups that we are invited to, and not in, is asked once. */
  lookInvited(): void {
    void this.askInvited().catch(() => undefined) // asked again when the archive was read
  }

  private async askInvited(): Promise<void> {
    for (const { jid, group } of await this.db.getAll('chats')) {
      const session = this.session
      if (!session || !group?.invited || isIn(group.affiliation) || group.version) continue
      const about = await fetchInfo(session, jid)
      const changes = new Collector()
      await change(this.db, ['chats'], async (tx) => {
        const chat = await tx.objectStore('chats').get(jid)
        if (!chat?.group) return
        const { name = chat.name, description, members, settings } = about
        await tx.objectStore('chats').put({ ...chat, name, group: { ...chat.group, members, settings, version: 1, ...(description ? { description } : {}) } })
        changes.chat(jid)
      })
      this.news.tell(changes.all)
    }
  }

  /** Groups that the service lists no more are over for us: what the log said of it could not be read. */
  private async missing(listed: Set<JID>): Promise<void> {
    const changes = new Collector()
    await change(this.db, ['chats'], async (tx) => {
      for (const chat of await tx.objectStore('chats').getAll()) {
        if (chat.kind !== 'group' || !chat.group || chat.group.ended || chat.group.affiliation === 'none' || listed.has(chat.jid)) continue
        await tx.objectStore('chats').put({ ...chat, group: { ...chat.group, affiliation: 'none', ended: { how: 'removed' } } })
        changes.chat(chat.jid)
      }
    })
    this.news.tell(changes.all)
  }

  /** Reads who is in a group, unless that is known: the log tells what changes from then on. */
  members(room: JID): Promise<void> {
    let run = this.syncing.get(room)
    if (!run) {
      run = this.readMembers(room).finally(() => this.syncing.delete(room))
      this.syncing.set(room, run)
    }
    return run
  }

  private async readMembers(room: JID): Promise<void> {
    const session = this.session
    if (!session || await get(this.db, `members ${room}`)) return
    const found: Awaited<ReturnType<typeof listItems>>['items'] = []
    try {
      for (const affiliation of ['owner', 'admin', 'member'] as const) {
        let after: string | undefined
        do {
          const page = await listItems(session, room, affiliation, after)
          found.push(...page.items)
          after = page.next
        } while (after && found.length < 5000)
      }
    } catch (error) {
      if (error instanceof StanzaError && error.condition === 'forbidden') return // it does not show them
      throw error
    }
    const changes = new Collector()
    await change(this.db, everything, async (tx) => {
      await dropMembers(tx, room)
      for (const one of found) await putMember(tx, room, one.jid, one.affiliation, one.nick)
      await tx.objectStore('kv').put(true, `members ${room}`)
      const chat = await tx.objectStore('chats').get(room)
      if (!chat?.group) return
      await tx.objectStore('chats').put({ ...chat, group: { ...chat.group, members: await countMembers(tx, room) } })
      changes.chat(room)
    })
    this.news.tell(changes.all)
  }
}
