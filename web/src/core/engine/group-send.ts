// What sending to a group needs besides: who can read it, whether it may be said now, and the group's log, in which stands what became of it.

import type { Group } from '../groups.ts'
import type { JID, Micros } from '../model.ts'
import { look, type Database } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { memberAddresses } from '../store/members.ts'
import type { Errand } from '../store/outbox.ts'
import { publishDisplayed } from '../xmpp/displayed.ts'
import type { Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import type { News } from './changes.ts'
import type { GroupLogs } from './group-logs.ts'
import { NotNow } from './secure.ts'

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

  async keyless(room: JID, who: JID[]): Promise<void> {
    const before = await get(this.db, `keyless ${room}`) ?? []
    if (before.length === who.length && who.every((jid) => before.includes(jid))) return
    await (await import('./group-tell.ts')).tellKeyless(this.db, this.news, this.now(), room, who)
  }

  async large(room: JID): Promise<void> {
    await (await import('./group-tell.ts')).tellLarge(this.db, this.news, this.now(), room)
  }

  end(): void {
    clearTimeout(this.timer)
  }
}
