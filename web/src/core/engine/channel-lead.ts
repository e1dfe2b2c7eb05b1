// Channels in the tab that leads (docs/protocol/channels.md): attended with each new session, so that what is published comes; what was missed is read
// from their logs. Loaded when it is first needed.

import type { ChannelAsks } from '../channels.ts'
import type { JID, Micros } from '../model.ts'
import type { Http } from '../media/http.ts'
import { change, type Database } from '../store/database.ts'
import * as ask from '../xmpp/channels-ask.ts'
import { parseDeleted, parseEntry, type Listed, type LogEntry } from '../xmpp/channels.ts'
import { displayedEvent, fetchDisplayed, publishDisplayed, type Displayed } from '../xmpp/displayed.ts'
import { domain, local } from '../xmpp/jid.ts'
import { parseEvent } from '../xmpp/pubsub.ts'
import type { Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import type { Element } from '../xmpp/xml.ts'
import type { News } from './changes.ts'
import { asksOf } from './channel-ask.ts'
import { alter, keepEntries, noteUnread, range, tally, unknown } from './channel-keep.ts'
import { ChannelKeys } from './channel-keys.ts'
import { ChannelLogs } from './channel-logs.ts'
import { Publisher } from './channel-publish.ts'

/** Logs that are read at the same time. */
const AT_ONCE = 4
/** Between two tries after a failure that passes by itself, in milliseconds: 2, 4, 8 … 60 s. */
const RETRY = 2000
/** Channels that were looked at and are not followed. */
const MAX_LOOKED = 20

/** What channels need of the tab that leads. */
export interface Around {
  db: Database
  news: News
  account: JID
  http: Http
  now(): Micros
  /** Fails with Offline. */
  session(): Session
  /** Something that we have not read was published in the channel at this address: for notifications. */
  onPost?(channel: JID): void
}

/** The channels of one account. */
export class ChannelLead {
  readonly keys: ChannelKeys
  readonly asks: ChannelAsks
  readonly publisher: Publisher
  readonly logs: ChannelLogs
  private found: Promise<string> | undefined
  private at: string | undefined
  /** The session that hears the channels. */
  private attended: Promise<void> | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private tries = 0
  private ended = false
  private readonly stop: () => void

  constructor(readonly around: Around) {
    const { db, account, now, news } = around
    this.keys = new ChannelKeys(db, account, now)
    this.logs = new ChannelLogs(this)
    this.publisher = new Publisher(this)
    this.asks = asksOf(this)
    this.stop = news.listen((c) => { if (c.channels?.includes('')) this.leave() })
  }

  end(): void {
    this.ended = true
    clearTimeout(this.timer)
    this.publisher.end()
    this.stop()
  }

  /** A session is there; a new one attends the channels. */
  connected(resumed: boolean): void {
    if (!resumed) this.attended = this.found = undefined
    this.again()
    this.leave()
  }

  /** What waits leaves: posts, and how far channels were read (XEP-0490). */
  private leave(): void {
    this.publisher.wake()
    void this.tellRead().catch(() => undefined) // told with what is read next
  }

  private async tellRead(): Promise<void> {
    const { db, session } = this.around
    for (const { name, following, readUpTo, told = 0 } of await db.getAll('channels')) {
      if (!following || readUpTo <= told) continue
      const chat = await this.address(name)
      await publishDisplayed(session(), { chat, id: String(readUpTo), by: chat })
      await alter(db, name, (channel) => { channel.told = Math.max(channel.told ?? 0, readUpTo) })
    }
  }

  private again(): void {
    clearTimeout(this.timer)
    void this.attend().catch((error: unknown) => this.failed(error))
  }

  private failed(error: unknown): void {
    if (this.ended || (error instanceof StanzaError && (error.condition === 'disconnected' || !error.temporary)) || (error instanceof Error && error.name === 'Offline')) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.again(), Math.min(RETRY * 2 ** this.tries++, 60_000))
  }

  /** The service; fails with `item-not-found` where there is none. */
  service(): Promise<string> {
    const found = this.found ??= ask.findService(this.around.session()).then((service) => {
      if (!service) throw new StanzaError('item-not-found')
      return this.at = service
    })
    found.catch(() => { if (this.found === found) this.found = undefined })
    return found
  }

  /** The bare address of a channel. */
  async address(name: string): Promise<JID> {
    return `${name}@${await this.service()}`
  }

  /** Has this session hear the channels, once, and reads what was missed. */
  attend(): Promise<void> {
    const attended = this.attended ??= this.attendAll()
    attended.catch(() => { if (this.attended === attended) this.attended = undefined })
    return attended
  }

  /** Lists and attends them anew. */
  here(): Promise<void> {
    this.attended = undefined
    return this.attend()
  }

  private async attendAll(): Promise<void> {
    const session = this.around.session()
    const service = await this.service()
    const listed = await ask.attend(session, service)
    const gone = await this.list(listed)
    this.tell([...listed.map((one) => one.name), ...gone])
    const left = [...listed]
    const run = async () => { for (let one = left.shift(); one; one = left.shift()) await this.catchUp(one) }
    await Promise.all(Array.from({ length: AT_ONCE }, run))
    if ((await this.around.db.getAll('channels')).some((c) => c.unread)) await this.readMarks(await fetchDisplayed(session).catch(() => [])) // another device may have read it
    this.tries = 0
  }

  private async catchUp({ name, newest }: Listed): Promise<void> {
    try {
      await this.logs.upTo(name, newest)
      if (!(await this.around.db.get('channels', name))?.owners.length) await this.about(name)
    } catch (error) {
      if (!(error instanceof StanzaError) || error.temporary) throw error // one that was deleted meanwhile stops no other
    }
  }

  /** Keeps what the service lists; gives those that are followed no more. */
  private list(listed: Listed[]): Promise<string[]> {
    const { db, now } = this.around
    return change(db, ['channels', 'posts', 'kv'], async (tx) => {
      const channels = tx.objectStore('channels')
      for (const { newest, ...one } of listed) {
        const before = await channels.get(one.name)
        const row = { ...(before ?? { ...unknown(one.name, now()), readUpTo: newest, told: newest }), ...one, following: true }
        if (!one.mark) delete row.marked
        delete row.ended
        if (before && !before.following) row.readUpTo = Math.max(before.readUpTo, newest)
        await channels.put(row)
      }
      const names = new Set(listed.map((one) => one.name))
      const gone = []
      const rest = (await channels.getAll()).filter((c) => !names.has(c.name)).sort((a, b) => b.looked - a.looked)
      for (const [i, c] of rest.entries()) {
        if (c.following) gone.push(c.name)
        if (c.following) await channels.put({ ...c, following: false, unread: 0 })
        else if (i >= MAX_LOOKED) {
          await channels.delete(c.name)
          await tx.objectStore('posts').delete(range(c.name, 0))
        }
      }
      await tx.objectStore('kv').put(listed.length > 0, 'channels')
      return gone
    })
  }

  /** Asks what a channel is, and keeps it. */
  async about(name: string): Promise<Micros> {
    const { newest, marked, ...info } = await ask.fetchInfo(this.around.session(), await this.service(), name)
    const { account, db, now } = this.around
    await alter(db, name, (channel) => {
      const standing = info.owners.includes(account) ? 'owner' : info.publishers.includes(account) ? 'publisher' : /^(owner|publisher)$/.test(channel.standing) ? 'none' : channel.standing
      Object.assign(channel, info, { standing })
      delete channel.ended
      delete channel.marked
      if (marked && info.mark) channel.marked = marked
    }, now())
    this.tell([name])
    return newest
  }

  /** Takes a message that came. What could not be kept is read from the log. */
  async hear(stanza: Element): Promise<void> {
    try {
      await this.heard(stanza)
    } catch (error) {
      this.attended = undefined
      this.failed(error)
    }
  }

  /** Nobody but the service speaks of channels. */
  private async heard(stanza: Element): Promise<void> {
    const event = parseEvent(stanza)
    if (event && event.from === this.around.account) return this.readMarks(displayedEvent(event, event.from))
    const service = this.at ?? await this.service().catch(() => undefined)
    if (!service || stanza.attr('from') !== service || stanza.attr('type') === 'error') return
    const deleted = parseDeleted(stanza)
    if (deleted) {
      await alter(this.around.db, deleted, (channel) => { Object.assign(channel, { ended: true, following: false, standing: 'none', unread: 0 }) })
      return this.tell([deleted])
    }
    const entry = parseEntry(stanza)
    if (entry) await this.take(entry)
  }

  private async take(entry: LogEntry): Promise<void> {
    const { db, account } = this.around
    const { name } = entry
    const before = await db.get('channels', name)
    const known = await keepEntries(db, account, [entry], true)
    if (!known || !before?.following) return void this.here().catch((error: unknown) => this.failed(error)) // followed on another device, a moment ago
    this.tell([name])
    if (entry.what === 'post' && entry.by !== account) this.around.onPost?.(await this.address(name))
    if (!before.kept || (await db.get('channels', name))?.old) void this.logs.fill(name).catch((error: unknown) => this.failed(error))
    else void this.logs.checkSignatures(name).catch(() => undefined) // checked when the channel is opened
    if (entry.what === 'settings' || entry.what === 'mark') void this.about(name).catch(() => undefined) // asked again when it is opened
  }

  /** Another device of ours has read a channel up to a place. */
  private async readMarks(marks: Displayed[]): Promise<void> {
    const { db, account } = this.around
    for (const { chat, id } of marks) {
      const [name, place] = [local(chat), Number(id)]
      if (domain(chat) !== this.at || !Number.isSafeInteger(place)) continue
      const known = await alter(db, name, async (channel, tx) => {
        if (place <= channel.readUpTo) return
        channel.readUpTo = channel.told = place
        await tally(tx, channel, account)
      })
      if (known) this.tell([name])
    }
  }

  /** Tells what changed, in this tab and the others. */
  tell(channels: string[]): void {
    const { db, news } = this.around
    news.tell({ channels })
    void noteUnread(db, news).catch(() => undefined) // noted with the next change
  }
}
