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

import type { Chat, Failure, JID, Micros } from '../model.ts'
import { change, everything, type Database, type KeptMessage } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { mediaOf, put } from '../store/messages.ts'
import { senderName } from '../store/names.ts'
import { addAlso, type Errand, errands } from '../store/outbox.ts'
import type { Session } from '../xmpp/session.ts'
import { message as stanza } from '../xmpp/stanza.ts'
import { arrivedAtServer } from './apply.ts'
import { Collector, type News } from './changes.ts'
import { noteUnplaced } from './history.ts'
import { isContactErrand } from './contacts.ts'
import { CannotEncrypt, inClear, NotNow, type SealedParts } from './secure.ts'
import { noteTold, noteUntold } from './untold.ts'
import type { GroupHelp } from './group-send.ts'
import { captionId, isToldApart, needsNumber, write, type About, type Outbound } from './write.ts'

/** After a failure that passes by itself, in milliseconds. */
const PAUSE = 5000
/** Between the two looks into the archive: the server may still be writing what an ended connection brought. */
const SECOND_LOOK = 1500
/** Stanzas that may wait for an acknowledgement at once; see MAX_UNACKED of core/xmpp/sm.ts. */
const MAX_FLYING = 200

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
export class Sender {
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

  constructor(
    private readonly db: Database, private readonly account: JID, private readonly helpers: Helpers, private readonly news: News, private readonly now: () => Micros,
  ) {}

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
      if (may === 'later' || needsNumber(errand.task, about)) return false // the group's answer wakes us
    }
    if (about.message?.own && errand.task.what === 'message' && waitsForUpload(about.message)) {
      this.helpers.upload(about.message)
      return true // texts overtake what takes long
    }
    const outbound = write(errand.task, about)
    if (!outbound) return this.drop(errand)
    let sealed: SealedParts
    try {
      sealed = await this.protect(errand, outbound, about)
    } catch (error) {
      if (error instanceof CannotEncrypt && errand.task.what === 'timer') return this.drop(errand) // each message says it, when there can be one
      if (error instanceof CannotEncrypt) return this.fail(errand, failureOf(error))
      if (!(error instanceof NotNow)) throw error
      this.later()
      return false
    }
    const { parts, older } = sealed
    if (!parts.length) return this.done(errand, false) // about a note to ourselves, and no other device to read it
    const marked = generation === this.generation ? await this.mark(errand, older, about.message) : undefined
    if (!marked) return false
    if (generation !== this.generation) { // marked and not written: if the archive has been read by now, nobody else would look after it
      this.look()
      return false
    }
    this.flying.add(errand.seq)
    if (sealed.unreached) void this.helpers.groups?.keyless(errand.chat, sealed.unreached).catch(() => undefined) // told with the next message
    session.send(stanza({ to: errand.chat, id: errand.id, ...(about.group ? { type: 'groupchat' } : {}) }, ...parts), (acknowledged) => { void this.sent(errand, acknowledged) })
    return marked.caption ? this.sendOne(marked.caption) : true // at once, so that nothing comes between a file and its words
  }

  private async aboutOf(errand: Errand): Promise<About & { plain: boolean; chat: Chat | undefined }> {
    const message = errand.message ? await this.db.get('messages', errand.message) : undefined
    const answered = message?.reply ? await this.db.get('messages', message.reply.id) : undefined
    const chat = await this.db.get('chats', errand.chat)
    return { id: errand.id, message, answered, account: this.account, plain: chat?.protection === 'none', chat, group: chat?.kind === 'group' }
  }

  private async protect(errand: Errand, outbound: Outbound, about: { plain: boolean; group?: boolean }): Promise<SealedParts> {
    if (outbound.secrecy === 'encrypt' && !about.plain) return this.helpers.seal(errand.chat, outbound, about.group ? await this.helpers.groups?.readers(errand.chat) : undefined)
    return { parts: outbound.again ? [] : inClear(outbound), older: false }
  }

  /** Step 2. Nothing if the errand is gone meanwhile: retracted, or sent by another way. In the same step the words of a file get an errand of their own,
   * where some would read nothing but its address. */
  private async mark(errand: Errand, older: boolean, sealed: KeptMessage | undefined): Promise<{ caption?: Errand } | undefined> {
    return change(this.db, ['outbox', 'kv', 'messages'], async (tx) => {
      const now = await tx.objectStore('outbox').get(errand.seq)
      if (!now || now.state !== 'new') return undefined
      if (errand.task.what === 'message' && JSON.stringify((await tx.objectStore('messages').get(errand.message))?.content) !== JSON.stringify(sealed?.content)) {
        this.dirty.add(errand.chat) // it was corrected while it was encrypted: what is kept now leaves
        return undefined
      }
      await tx.objectStore('outbox').put({ ...now, state: 'tried', tried: now.tried ?? await get(tx, 'newest') ?? 0 })
      const message = older && errand.task.what === 'message' ? await tx.objectStore('messages').get(errand.message) : undefined
      if (!message || isToldApart(message) || !('media' in message.content) || !message.content.caption) return {}
      const id = captionId(message)
      message.names.push(senderName(this.account, id))
      await put(tx, message, false)
      return { caption: await addAlso(tx, { chat: errand.chat, id, message: message.id, task: { what: 'caption' }, since: errand.since }) }
    })
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

  /** Step 5. */
  private async done(errand: Errand, kept: boolean): Promise<boolean> {
    const changes = new Collector()
    await change(this.db, everything, async (tx) => {
      const now = await tx.objectStore('outbox').get(errand.seq)
      if (kept && now && now.state !== 'tried') return // it was refused before it was acknowledged
      await tx.objectStore('outbox').delete(errand.seq)
      changes.mark('outbox')
      const message = errand.task.what === 'message' ? await tx.objectStore('messages').get(errand.message) : undefined
      if (!message) return noteTold(tx, changes, errand, kept)
      if (kept && (await tx.objectStore('chats').get(errand.chat))?.kind !== 'group') await noteUnplaced(tx, errand.tried ?? await get(tx, 'newest') ?? 0)
      if (kept) await arrivedAtServer({ tx, account: this.account, now: this.now(), changes }, message)
      else delete message.state
      await this.putMessage(tx, changes, message)
    }, 'relaxed') // if the machine loses it, the archive tells it again; what is written meanwhile need not wait for the disk
    this.news.tell(changes.all)
    return true
  }

  private async putMessage(tx: Parameters<typeof put>[0], changes: Collector, message: KeptMessage): Promise<void> {
    await put(tx, message, false)
    changes.message(message.chat, message.id)
    const chat = await tx.objectStore('chats').get(message.chat)
    if (chat?.last?.id !== message.id) return
    chat.last = { ...chat.last, state: message.state }
    await tx.objectStore('chats').put(chat)
    changes.chat(chat.jid)
  }

  private async drop(errand: Errand): Promise<boolean> {
    await change(this.db, ['outbox'], (tx) => tx.objectStore('outbox').delete(errand.seq))
    this.news.tell({ outbox: true })
    return true
  }

  /** A person has to decide. What the others of the chat say goes on. */
  private async fail(errand: Errand, failure: Failure): Promise<boolean> {
    const changes = new Collector()
    await change(this.db, everything, async (tx) => {
      const now = await tx.objectStore('outbox').get(errand.seq)
      if (!now) return
      await tx.objectStore('outbox').put({ ...now, state: 'failed', failure })
      changes.mark('outbox')
      const message = errand.task.what === 'message' ? await tx.objectStore('messages').get(errand.message) : undefined
      if (!message) return void await noteUntold(tx, changes, now, failure)
      Object.assign(message, { state: 'failed', failure })
      await this.putMessage(tx, changes, message)
    })
    this.news.tell(changes.all)
    return true
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
