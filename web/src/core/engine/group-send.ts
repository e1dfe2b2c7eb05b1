// What sending to a group needs besides: who can read it, whether it may be said now, and the group's log, in which stands what became of it.

import type { Group } from '../groups.ts'
import type { Chat, Content, JID, Micros } from '../model.ts'
import { change, everything, look, type Change, type Database } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { memberAddresses, memberOf } from '../store/members.ts'
import { freePlace, newestPlace, put } from '../store/messages.ts'
import { previewOf } from '../store/chats.ts'
import type { Errand } from '../store/outbox.ts'
import { publishDisplayed } from '../xmpp/displayed.ts'
import type { Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import { freshId } from './apply.ts'
import { Collector, type News } from './changes.ts'
import { nameIn } from './group-change.ts'
import type { GroupLogs } from './group-logs.ts'
import { NotNow } from './secure.ts'

type SystemLine = Omit<Extract<Content, { type: 'system' }>, 'type'>

/** People that the line about those without keys names. */
const MAX_NAMED = 10
/** Timers of browsers end at 2^31 milliseconds. */
const LONGEST = 3600_000

/** Nobody can say who is in the group: what is said to it cannot be encrypted. */
export class Unknown extends Error {
  override readonly name = 'Unknown'
}

/** What the sender asks. */
export interface GroupHelp {
  /** Reads the logs of those of these chats that are groups once more. */
  lookAgain(chats: Set<JID>): Promise<void>
  /** Whether an errand may leave: `never` is for a person to decide, `drop` for what is not said in groups, or was said by another way. */
  may(session: Session, errand: Errand, group: Group): Promise<'yes' | 'later' | 'never' | 'drop'>
  /** Everybody else in the group, as its log says in this connection. Throws NotNow while that is not known, and Unknown when it cannot be. */
  readers(room: JID): Promise<JID[]>
  /** A community has more devices than can be encrypted for: from now on its announcements are not encrypted, and a line says so. */
  large(room: JID): Promise<void>
  /** These members have no device that reads what is encrypted. */
  keyless(room: JID, who: JID[]): Promise<void>
}

/** What is refused is refused again; what passes is tried again. */
function unlessTemporary(error: unknown): void {
  if (!(error instanceof StanzaError) || error.temporary) throw error
}

/** Helps the sender of one account. */
export class GroupSend implements GroupHelp {
  private timer: ReturnType<typeof setTimeout> | undefined

  /** `wake` tells the sender that time has passed. */
  constructor(
    private readonly db: Database, private readonly account: JID, private readonly logs: GroupLogs, private readonly news: News,
    private readonly now: () => Micros, private readonly wake: () => void,
  ) {}

  async lookAgain(chats: Set<JID>): Promise<void> {
    for (const jid of chats) if ((await this.db.get('chats', jid))?.kind === 'group') await this.logs.readOn(jid)
  }

  async may(session: Session, errand: Errand, group: Group): Promise<'yes' | 'later' | 'never' | 'drop'> {
    const { task, chat } = errand
    if (task.what === 'displayed') {
      if (task.stanzaId) await publishDisplayed(session, { chat, id: task.stanzaId, by: chat }).catch(unlessTemporary)
      return 'drop'
    }
    if (task.what === 'receipt' || task.what === 'played') return 'drop'
    if (group.ended || group.affiliation === 'none' || group.affiliation === 'outcast') return 'never'
    const wait = task.what === 'message' || task.what === 'caption' ? (group.nextAt ?? 0) - this.now() : 0
    if (wait <= 0) return 'yes'
    clearTimeout(this.timer)
    this.timer = setTimeout(this.wake, Math.min(LONGEST, wait / 1000))
    return 'later'
  }

  async readers(room: JID): Promise<JID[]> {
    const standing = await this.logs.standing(room)
    if (standing === 'behind') throw new NotNow('the log is not read') // the logs wake the sender
    if (standing === 'unreadable') throw new Unknown('the log cannot be read')
    await this.logs.members(room).catch((error: unknown) => {
      throw error instanceof StanzaError && error.temporary ? new NotNow(error.condition) : new Unknown('members', { cause: error })
    })
    if (!await get(this.db, `members ${room}`)) throw new Unknown('members are not shown')
    return (await memberAddresses(look(this.db, ['members']), room)).filter((jid) => jid !== this.account)
  }

  /** Each is told of once, in a line of the chat; who gets keys, and loses them again, once more. */
  async keyless(room: JID, who: JID[]): Promise<void> {
    const before = await get(this.db, `keyless ${room}`) ?? []
    if (before.length === who.length && who.every((jid) => before.includes(jid))) return
    const changes = new Collector()
    await change(this.db, everything, async (tx) => {
      await tx.objectStore('kv').put(who, `keyless ${room}`)
      for (const jid of new Set([...before, ...who])) {
        const member = await memberOf(tx, room, jid)
        if (!member) continue
        const { keyless: _, ...rest } = member
        await tx.objectStore('members').put(who.includes(jid) ? { ...rest, keyless: true } : rest)
      }
      const fresh = who.filter((jid) => !before.includes(jid))
      const chat = await tx.objectStore('chats').get(room)
      if (!chat || !fresh.length) return
      const named = fresh.slice(0, MAX_NAMED)
      const names = await Promise.all(named.map((jid) => nameIn({ tx }, room, jid)))
      const values = { who: names.join(', '), more: String(fresh.length - named.length || '') }
      await this.line(tx, changes, chat, { key: 'group-keyless', values, who: named })
    }, 'relaxed')
    this.news.tell(changes.all)
  }

  async large(room: JID): Promise<void> {
    const changes = new Collector()
    await change(this.db, everything, async (tx) => {
      const chat = await tx.objectStore('chats').get(room)
      if (!chat?.group || chat.group.large) return
      await this.line(tx, changes, { ...chat, protection: 'none', group: { ...chat.group, large: true } }, { key: 'group-large' })
    })
    this.news.tell(changes.all)
  }

  /** Puts a line of this device's own at the end of a chat. */
  private async line(tx: Change, changes: Collector, chat: Chat, line: SystemLine): Promise<void> {
    const [id, time] = [freshId(), this.now()]
    const order = await freePlace(tx, chat.jid, Math.max(time, (await newestPlace(tx, chat.jid) ?? 0) + 1))
    const message = { id, chat: chat.jid, order, time, from: chat.jid, own: false, content: { type: 'system' as const, ...line }, names: [id], shelves: [], protection: chat.protection }
    await put(tx, message, false)
    await tx.objectStore('chats').put({ ...chat, last: previewOf(message), time })
    changes.message(chat.jid, id)
    changes.chat(chat.jid)
  }

  end(): void {
    clearTimeout(this.timer)
  }
}
