// Keeps what a person decides about chats the same on all devices: pinned, archived, favourite, muted, marked as unread, cleared. A decision is kept here first and leaves by itself
// when there is a connection; of two decisions about the same thing the later one holds, by the server's clock, wherever they were made
// (docs/protocol/chat-settings.md).

import type { JID, Micros } from '../model.ts'
import { clearUpTo } from '../store/clear.ts'
import { change, everything, type Database } from '../store/database.ts'
import { decisionsOf, MAX_DECIDED, takeDecided, untold, wasTold } from '../store/settings.ts'
import { bookmarkEvent, fetchBookmarks, setBookmark, type Bookmark } from '../xmpp/bookmarks.ts'
import { CHATS } from '../xmpp/ns.ts'
import { getItems, OWN, publish, type Item, type NodeEvent } from '../xmpp/pubsub.ts'
import type { Session } from '../xmpp/session.ts'
import { chatElement, parseChat, readExtensions, writeExtensions, type Decisions } from '../xmpp/settings.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import { Collector, type News } from './changes.ts'

/** How far ahead of this device the clock of another one may be, in microseconds. */
const AHEAD = 60e6

/** After a refusal, in milliseconds: 30 s, 1 min, 2 … 64 min. */
const PAUSE = 30_000

/** What is told of a chat; what other apps decided, who do not say when, counts as decided at the time that is given. */
interface Told { jid: JID; read(at: Micros): Decisions }

/** The decisions about chats of one account. */
export class Settings {
  private session: Session | undefined
  /** Rooms with a bookmark, as it was told last. */
  private readonly rooms = new Map<JID, Bookmark>()
  private telling: Promise<void> | undefined
  private again = false
  private refused = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly stop: () => void

  constructor(private readonly db: Database, private readonly account: JID, private readonly news: News, private readonly now: () => Micros) {
    this.stop = news.listen((c) => { if (c.settings) this.tell() })
  }

  /** A new session: what was decided elsewhere is asked for, then what was decided here is told. */
  async connected(session: Session): Promise<void> {
    this.session = undefined
    const rooms = await fetchBookmarks(session)
    const chats = own(await getItems(session, CHATS))
    this.rooms.clear()
    await this.take([...chats, ...this.bookmarked(rooms)])
    this.session = session
    this.tell()
  }

  /** The same session goes on: what could not be told meanwhile is. */
  resumed(): void {
    this.tell()
  }

  /** There is no session any more. */
  disconnected(): void {
    this.session = undefined
  }

  /** Takes news of the nodes. */
  async event(event: NodeEvent): Promise<void> {
    if (event.from !== this.account) return
    if (event.node === CHATS) await this.take(own(event.items))
    const bookmarks = bookmarkEvent(event, this.account)
    for (const room of bookmarks?.removed ?? []) this.rooms.delete(room)
    if (bookmarks) await this.take(this.bookmarked(bookmarks.set))
    this.tell()
  }

  private bookmarked(rooms: Bookmark[]): Told[] {
    return rooms.flatMap((one) => {
      if (this.rooms.size >= MAX_DECIDED && !this.rooms.has(one.room)) return []
      this.rooms.set(one.room, one)
      return [{ jid: one.room, read: (at) => readExtensions(one.extensions, at) }]
    })
  }

  private async take(list: Told[]): Promise<void> {
    if (!list.length) return
    const changes = new Collector()
    await change(this.db, everything, async (tx) => {
      const open = new Set(await untold(tx))
      // What we decided and have not told stays: nobody else can have known of it.
      for (const { jid, read } of list) {
        const told = read(open.has(jid) ? 1 : this.now())
        if (Number(told.cleared?.value ?? 0) > this.now() + AHEAD) delete told.cleared // what is yet to come cannot have been cleared
        const { changed, cleared } = await takeDecided(tx, jid, told)
        if (changed) changes.chat(jid)
        if (told.statusMuted) changes.mark('updates')
        if (cleared) changes.remove(jid, await clearUpTo(tx, jid, cleared))
      }
    })
    this.news.tell(changes.all)
  }

  /** Tells what the server does not know yet, one chat after the other. */
  private tell(): void {
    this.again = true
    clearTimeout(this.timer)
    this.telling ??= this.tellAll().then((all) => {
      this.refused = all ? 0 : this.refused + 1
      if (!all) this.timer = setTimeout(() => this.tell(), PAUSE * 2 ** Math.min(this.refused - 1, 7))
    }, () => undefined).finally(() => { // what failed otherwise the next session does
      this.telling = undefined
      if (this.again) this.tell()
    })
  }

  /** Gives whether all was taken. What a server refuses about one chat keeps nothing else waiting; it may take it later. */
  private async tellAll(): Promise<boolean> {
    let all = true
    while (this.again) {
      this.again = false
      for (const jid of await untold(this.db)) {
        const { session } = this
        if (!session?.live) return true
        all = await this.tellOne(session, jid) && all
      }
    }
    return all
  }

  private async tellOne(session: Session, jid: JID): Promise<boolean> {
    const told = await decisionsOf(this.db, jid)
    try {
      await this.publish(session, jid, told)
    } catch (error) {
      if (!(error instanceof StanzaError) || error.condition === 'disconnected') throw error
      return false
    }
    await change(this.db, ['kv'], (tx) => wasTold(tx, jid, told))
    return true
  }

  private async publish(session: Session, jid: JID, decisions: Decisions): Promise<void> {
    const room = this.rooms.get(jid)
    if (!room) return publish(session, CHATS, chatElement(decisions), OWN, jid)
    await setBookmark(session, { ...room, extensions: writeExtensions(room.extensions, decisions) })
  }

  /** Ends. What was not told is told at the next start. */
  end(): void {
    this.session = undefined
    clearTimeout(this.timer)
    this.stop()
  }
}

const own = (items: Item[]): Told[] => items.flatMap((item) => {
  const chat = parseChat(item)
  return chat ? [{ jid: chat.jid, read: () => chat.told }] : []
})
