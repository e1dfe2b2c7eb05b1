// Does what people decided about contacts (contacts.ts), in the tab that holds the connection. Each errand is done in order for its contact, is taken
// away when the server has answered, and may be done twice: every one of them says how things shall be, not what to change.

import type { Contact, JID } from '../model.ts'
import { change, type Database } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { errands, type ContactAct } from '../store/outbox.ts'
import { block, getBlocked, unblock } from '../xmpp/blocking.ts'
import { answerSubscription, removeContact, setContact, subscribe } from '../xmpp/roster.ts'
import type { Done, Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import type { News } from './changes.ts'
import { contactStores, isContactErrand, overlay, type ContactErrand } from './contacts.ts'

/** After a failure that passes by itself, in milliseconds. */
const PAUSE = 5000

/** Waits until the server has taken over what was sent. */
const taken = (send: (done: Done) => void): Promise<void> =>
  new Promise((resolve, reject) => send((acknowledged) => { if (acknowledged) resolve(); else reject(new StanzaError('disconnected', 'wait')) }))

/** What is not there need not be taken away. */
const unlessGone = (work: Promise<void>): Promise<void> => work.catch((error: unknown) => {
  if (!(error instanceof StanzaError) || error.condition !== 'item-not-found') throw error
})

/** Does the errands about contacts of one account. */
export class ContactSender {
  private session: Session | undefined
  private working = false
  private again = false
  private ended = false
  private pause: ReturnType<typeof setTimeout> | undefined

  /** `refresh` asks the server how things are, after it refused something. */
  constructor(private readonly db: Database, private readonly news: News, private readonly refresh: () => Promise<void>) {}

  /** A session is there. */
  connected(session: Session): void {
    this.session = session
    this.wake()
  }

  /** There may be something to do. */
  wake(): void {
    this.again = true
    if (this.working || this.ended || !this.session) return
    this.working = true
    void this.work().catch(() => this.later()).finally(() => {
      this.working = false
      if (this.again) this.wake()
    })
  }

  /** Ends; what is not done stays in the outbox. */
  end(): void {
    this.ended = true
    clearTimeout(this.pause)
  }

  private later(): void {
    clearTimeout(this.pause)
    if (!this.ended) this.pause = setTimeout(() => this.wake(), PAUSE)
  }

  private async work(): Promise<void> {
    while (this.again && !this.ended) {
      this.again = false
      const stuck = new Set<JID>() // what cannot be done now keeps what comes after it for the same contact
      for (const errand of (await errands(this.db)).filter(isContactErrand)) {
        if (this.ended || !this.session?.live) return // the next session wakes us
        if (!stuck.has(errand.chat) && !await this.one(this.session, errand)) stuck.add(errand.chat)
      }
      if (stuck.size) this.later()
    }
  }

  /** Does one; false if it could not be done now. */
  private async one(session: Session, errand: ContactErrand): Promise<boolean> {
    if (!await this.db.getKey('outbox', errand.seq)) return true // another decision took its place
    try {
      await this.perform(session, errand)
    } catch (error) {
      if (!(error instanceof StanzaError) || error.temporary) return false
      await this.finish(errand, true)
      await this.refresh()
      return true
    }
    await this.finish(errand, false)
    return true
  }

  private async perform(session: Session, errand: ContactErrand): Promise<void> {
    const { chat: jid, task: { act } } = errand
    const known = await this.db.get('contacts', jid)
    switch (act.do) {
      case 'add': return this.add(session, jid, act, known)
      case 'rename': return setContact(session, jid, act.name, known?.groups)
      case 'remove': return unlessGone(removeContact(session, jid))
      case 'accept': case 'refuse': return this.answer(session, jid, act.do === 'accept', known)
      case 'unblock': return unlessGone(unblock(session, jid))
      case 'block': return this.block(session, errand, act)
    }
  }

  /** Puts a contact into the list, asks to see them, and lets them see us if they asked. */
  private async add(session: Session, jid: JID, act: Extract<ContactAct, { do: 'add' }>, known: Contact | undefined): Promise<void> {
    const profile = await get(this.db, 'profile')
    await setContact(session, jid, act.name ?? known?.name, known?.groups)
    await taken((done) => subscribe(session, jid, act.token, profile?.name, done))
    if (act.asked) await taken((done) => answerSubscription(session, jid, true, done))
  }

  /** Answers who asked to see us; who is let in is asked in turn. */
  private async answer(session: Session, jid: JID, accept: boolean, known: Contact | undefined): Promise<void> {
    await taken((done) => answerSubscription(session, jid, accept, done))
    if (!accept) return
    await setContact(session, jid, known?.name, known?.groups)
    if (known?.subscription !== 'to' && known?.subscription !== 'both') await taken((done) => subscribe(session, jid, undefined, undefined, done))
  }

  /** Blocks. A report is made once: whoever tries again looks first whether the try before got through. */
  private async block(session: Session, errand: ContactErrand, act: Extract<ContactAct, { do: 'block' }>): Promise<void> {
    if (act.report && act.begun && (await getBlocked(session)).includes(errand.chat)) return
    if (act.report && !act.begun) await change(this.db, ['outbox'], async (tx) => {
      if (await tx.objectStore('outbox').getKey(errand.seq)) await tx.objectStore('outbox').put({ ...errand, task: { what: 'contact', act: { ...act, begun: true } } })
    })
    await block(session, errand.chat, act.report)
  }

  /** It is done, or refused for good: then the contact says so until something else is decided. */
  private async finish(errand: ContactErrand, refused: boolean): Promise<void> {
    await change(this.db, contactStores, async (tx) => {
      await tx.objectStore('outbox').delete(errand.seq)
      if (refused) await tx.objectStore('kv').delete('roster') // all of the list is asked for, at the latest by the next session
      const known = await tx.objectStore('contacts').get(errand.chat)
      const row: Contact | undefined = known ?? (refused ? { jid: errand.chat, subscription: 'none' } : undefined)
      await overlay(tx, errand.chat, row && { ...row, refused: refused ? errand.task.act.do : undefined })
    })
    this.news.tell({ contacts: true, chats: [errand.chat], outbox: true })
  }
}
