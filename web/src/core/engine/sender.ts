// Sends what is in the outbox. Each errand goes through these steps, and a tab may be killed between any two of them:
//
//   1 it is kept (outbox.ts)                       killed: it is found at the next start and goes on here
//   2 it is marked as tried, durably               killed: it may or may not have been written, so the archive is asked before it goes again
//   3 it is written to the connection              killed: the same
//   4 the server acknowledges (XEP-0198): it has it on its disk
//   5 the errand is removed and the message marked as sent, in one step      killed: the archive has it, and the catch-up does the same
//
// A stanza whose session ended without an acknowledgement is in the state after 3. The catch-up reads the archive from before 2, so whatever the
// server kept is found there by its origin-id; what is still not found after a second look a moment later goes again, under the same id.

import { isBroadcast, type Chat, type Failure, type JID, type Micros } from '../model.ts'
import { change, type Database, type KeptMessage } from '../store/database.ts'
import { mediaOf } from '../store/messages.ts'
import { type Errand, errands } from '../store/outbox.ts'
import type { Session } from '../xmpp/session.ts'
import { message as stanza } from '../xmpp/stanza.ts'
import type { News } from './changes.ts'
import { isContactErrand } from './contacts.ts'
import { Unknown, type GroupHelp } from './group-send.ts'
import { CannotEncrypt, inClear, NotNow, type SealedParts } from './secure.ts'
import { SenderSteps } from './sender-steps.ts'
import { needsNumber, write, type Outbound } from './write.ts'

/** After a failure that passes by itself, in milliseconds. */
const PAUSE = 5000
/** Between the two looks into the archive: the server may still be writing what an ended connection brought. */
const SECOND_LOOK = 1500
/** Stanzas that may wait for an acknowledgement at once; see MAX_UNACKED of core/xmpp/sm.ts. */
const MAX_FLYING = 200

/** The longest message to a group, in characters: keys for thousands of devices are a part of it, and a server ends a connection that brings more than it takes
 * (1 MiB with Palabre). */
const MAX_STANZA = 1_000_000

/** What the sender needs of others. */
export interface Helpers {
  seal(to: JID, outbound: Outbound, members?: JID[]): Promise<SealedParts>
  /** Reads the archive once more from this place. */
  lookAgain(session: Session, since: Micros): Promise<void>
  /** Of groups; see GroupLogs. */
  groups?: GroupHelp
  /** Begins, or goes on with, the upload of a message's file; it wakes the sender when the address is known. */
  upload(message: KeptMessage): void
}

/** Sends the outbox of one account. */
export class Sender extends SenderSteps {
  private session: Session | undefined
  private caughtUp = false
  /** Errands on their way in this tab: between steps 2 and 5. */
  private readonly flying = new Set<number>()
  /** Chats of which errands are being sent, and those to look at once more. */
  private readonly chats = new Set<JID>()
  private readonly dirty = new Set<JID>()
  /** Counts sessions that ended: what was being prepared for one must not overtake what that one did not get through. */
  private generation = 0
  private settling = false
  private unsettled = false
  private pause: ReturnType<typeof setTimeout> | undefined
  /** When the pause is over, in milliseconds since 1970. */
  private due = Infinity
  private ended = false
  private scanning = false
  private rescan = false

  constructor(db: Database, account: JID, private readonly helpers: Helpers, news: News, now: () => Micros) {
    super(db, account, news, now)
  }

  /** A session is there. One that is new has to be caught up with before what was tried goes again. */
  connected(session: Session, resumed: boolean): void {
    this.session = session
    if (!resumed) {
      this.caughtUp = false
      this.generation++
    }
    this.wake()
  }

  /** The archive has been read to its end. */
  complete(): void {
    this.caughtUp = true
    this.look()
  }

  /** There is something to send. */
  wake(): void {
    this.rescan = true
    if (this.scanning || this.ended) return
    this.scanning = true
    void this.scan().catch(() => this.later())
  }

  /** Ends; what is under way is left in the outbox. */
  end(): void {
    this.ended = true
    this.session = undefined
    clearTimeout(this.pause)
  }

  protected anew(chat: JID): void {
    this.dirty.add(chat)
  }

  private later(): void {
    clearTimeout(this.pause)
    if (this.ended) return
    this.due = Date.now() + PAUSE
    this.pause = setTimeout(() => this.again(), PAUSE)
  }

  private again(): void {
    clearTimeout(this.pause)
    this.due = Infinity
    this.wake()
    this.look() // also when it was this that failed: nothing goes again before
  }

  /** Time has passed, as somebody else knows: timers of a tab that is hidden for long run once a minute. */
  tick(): void {
    if (!this.ended && Date.now() >= this.due) this.again()
  }

  /** What was tried and is neither acknowledged nor in the archive goes again, after a second look. One run at a time, again if asked meanwhile. */
  private async settle(): Promise<void> {
    this.unsettled = true
    if (this.settling) return
    this.settling = true
    try {
      while (this.unsettled && this.caughtUp && this.session && !this.ended) {
        this.unsettled = false
        await this.settleOnce(this.session, this.generation)
      }
    } finally {
      this.settling = false
    }
  }

  private async settleOnce(session: Session, generation: number): Promise<void> {
    const open = (await errands(this.db)).filter((e) => e.state === 'tried' && !this.flying.has(e.seq))
    const since = Math.min(...open.filter((e) => e.task.what === 'message' || e.task.what === 'caption').map((e) => e.tried ?? 0))
    if (since !== Infinity) {
      await new Promise((resolve) => setTimeout(resolve, SECOND_LOOK))
      if (generation !== this.generation || this.ended) return
      await this.helpers.lookAgain(session, since)
      await this.helpers.groups?.lookAgain(new Set(open.map((e) => e.chat)))
    }
    if (generation !== this.generation || this.ended) return
    const again = (await errands(this.db)).filter((e) => open.some((o) => o.seq === e.seq) && e.state === 'tried' && !this.flying.has(e.seq))
    if (again.length) await change(this.db, ['outbox'], async (tx) => {
      for (const e of again) await tx.objectStore('outbox').put({ ...e, state: 'new' })
    })
    this.wake()
  }

  /** Has each chat that something waits for send it. */
  private async scan(): Promise<void> {
    try {
      while (this.rescan && this.session && !this.ended) {
        this.rescan = false
        for (const chat of new Set((await errands(this.db)).filter((e) => e.state !== 'failed' && !isContactErrand(e)).map((e) => e.chat))) this.serve(chat)
      }
    } finally {
      this.scanning = false // in the same moment as the last look: who wakes us after it is heard
    }
  }

  /** What was tried is looked for, unless the catch-up will do that. */
  private look(): void {
    if (this.caughtUp && !this.ended) void this.settle().catch(() => this.later())
  }

  /** One errand of a chat after the other; different chats do not wait for each other. */
  private serve(chat: JID): void {
    this.dirty.add(chat)
    if (this.chats.has(chat)) return
    this.chats.add(chat)
    void this.serveAll(chat).catch(() => this.later())
  }

  private async serveAll(chat: JID): Promise<void> {
    try {
      while (this.dirty.delete(chat)) await this.sendChat(chat)
    } finally {
      this.chats.delete(chat)
    }
  }

  private async sendChat(chat: JID): Promise<void> {
    for (const errand of (await errands(this.db)).filter((e) => e.chat === chat && e.state !== 'failed' && !this.flying.has(e.seq))) {
      if (!this.session || this.ended) return
      if (isContactErrand(errand)) { // others do these (contact-sender.ts); but the server takes nothing for whom we still block
        if (errand.task.act.do === 'unblock') return
        continue
      }
      if (errand.state === 'tried') return // it goes again, or is done, when the archive has been read; what comes after waits, to keep the order
      if (this.flying.size >= MAX_FLYING) return this.later()
      if (!await this.sendOne(errand)) return
    }
  }

  /** Sends one; false if those after it have to wait. */
  private async sendOne(errand: Errand): Promise<boolean> {
    const { session, generation } = this
    if (!session) return false
    const about = await this.aboutOf(errand)
    if (about.chat?.group) {
      const may = await this.helpers.groups?.may(session, errand, about.chat.group)
      if (may === 'drop') return this.drop(errand)
      if (may === 'never') return this.fail(errand, 'no-voice')
      const wanted = needsNumber(errand.task, about) ? (errand.task.what === 'message' ? about.answered : about.message) : undefined
      if (wanted?.state === 'failed') return this.fail(errand, wanted.failure ?? 'no-voice') // the log will never have it
      if (may === 'later' || wanted) return false // the group's answer wakes us
    }
    if (about.message?.own && errand.task.what === 'message' && waitsForUpload(about.message)) {
      this.helpers.upload(about.message)
      return true // texts overtake what takes long
    }
    if (isBroadcast(errand.chat)) return this.drop(errand) // there is nobody of this address
    const outbound = write(errand.task, about)
    if (!outbound) return this.drop(errand)
    let sealed: SealedParts
    try {
      sealed = await this.protect(errand, outbound, about)
    } catch (error) {
      if (error instanceof CannotEncrypt && /^(timer|seen|opened)$/.test(errand.task.what)) return this.drop(errand) // each message says it, when there can be one
      if (error instanceof CannotEncrypt) return error.code === 'too-large' ? this.tooLarge(errand, about.chat) : this.fail(errand, failureOf(error))
      if (error instanceof Unknown) return this.fail(errand, 'group-log')
      if (!(error instanceof NotNow)) throw error
      this.later()
      return false
    }
    const { parts, older } = sealed
    if (!parts.length) return this.done(errand, false) // about a note to ourselves, and no other device to read it
    const whole = stanza({ to: errand.chat, id: errand.id, ...(about.group ? { type: 'groupchat' } : {}) }, ...parts)
    if (about.group && String(whole).length > MAX_STANZA) return this.tooLarge(errand, about.chat)
    const marked = generation === this.generation ? await this.mark(errand, older, about.message) : undefined
    if (!marked) return false
    if (generation !== this.generation) { // marked and not written: if the archive has been read by now, nobody else would look after it
      this.look()
      return false
    }
    this.flying.add(errand.seq)
    if (sealed.unreached && !outbound.among) void this.helpers.groups?.keyless(errand.chat, sealed.unreached).catch(() => undefined) // told with the next message
    session.send(whole, (acknowledged) => { void this.sent(errand, acknowledged) })
    return marked.caption ? this.sendOne(marked.caption) : true // at once, so that nothing comes between a file and its words
  }

  /** It does not fit into a stanza. A community with so many devices has announcements that are not encrypted: a person decides whether it goes so. */
  private async tooLarge(errand: Errand, chat: Chat | undefined): Promise<boolean> {
    if (chat?.group?.kind && chat.protection === 'omemo') await this.helpers.groups?.large(errand.chat)
    return this.fail(errand, 'too-large')
  }

  private async protect(errand: Errand, outbound: Outbound, about: { plain: boolean; group?: boolean; message?: KeptMessage | undefined }): Promise<SealedParts> {
    // A group was opened to all meanwhile: what was said to its members does not go to everybody.
    if (about.group && about.plain && outbound.secrecy === 'encrypt' && about.message?.own && about.message.protection === 'omemo') throw new CannotEncrypt('no-devices')
    if (outbound.secrecy === 'encrypt' && (!about.plain || /^(seen|opened)$/.test(errand.task.what))) {
      const only = outbound.among && about.message && [about.message.from]
      return this.helpers.seal(errand.chat, outbound, about.group ? only ?? await this.helpers.groups?.readers(errand.chat) : undefined)
    }
    return { parts: outbound.again ? [] : inClear(outbound), older: false }
  }

  private async sent(errand: Errand, acknowledged: boolean): Promise<void> {
    if (!acknowledged) {
      this.generation++
      this.flying.delete(errand.seq)
      // Nobody knows what became of it: that is decided when the archive has been read.
      queueMicrotask(() => this.look())
      return
    }
    try {
      if (!this.ended) await this.done(errand, true)
      this.wake()
    } catch {
      this.later() // the archive has it: the next catch-up finds it
    } finally {
      this.flying.delete(errand.seq)
    }
  }
}

/** Says whether a message has a file that is not on the server yet. */
export const waitsForUpload = (message: KeptMessage): boolean => {
  const media = mediaOf(message.content)
  return !!media && !media.url
}

function failureOf(error: CannotEncrypt): Failure {
  if (error.code === 'undecided' || error.code === 'distrusted') return 'untrusted-devices'
  return error.code === 'too-large' ? 'too-large' : 'no-devices'
}
