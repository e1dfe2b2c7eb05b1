// One account at work in the tab that leads: the connection, what comes in, what leaves. Screens use it through engine.ts.

import { openCrypto, type Surroundings } from '../crypto/client.ts'
import type { Crypto } from '../crypto/api.ts'
import type { JID, Micros } from '../model.ts'
import type { Account as Registered, Accounts } from '../store/accounts.ts'
import { look, type Database } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { memberOf } from '../store/members.ts'
import { byNames } from '../store/messages.ts'
import { senderName } from '../store/names.ts'
import { sayShortly } from '../store/preview.ts'
import { isRequest } from '../store/requests.ts'
import { Connection, type Options } from '../xmpp/connection.ts'
import { answerAboutUs, capsElement } from '../xmpp/disco.ts'
import { displayedEvent, fetchDisplayed } from '../xmpp/displayed.ts'
import { STORIES } from '../xmpp/ns.ts'
import { announce } from '../xmpp/presence.ts'
import { parseEvent, type NodeEvent } from '../xmpp/pubsub.ts'
import type { Socket } from '../xmpp/pipe.ts'
import type { Session } from '../xmpp/session.ts'
import type { Element } from '../xmpp/xml.ts'
import { tellSeen } from './answer.ts'
import type { News } from './changes.ts'
import { ContactSender } from './contact-sender.ts'
import { Desk } from './desk.ts'
import { GroupLogs } from './group-logs.ts'
import { GroupSend } from './group-send.ts'
import { Inbox } from './inbox.ts'
import { maintain, noteDisplayed, readProfile, readRole, setClock } from './introduce.ts'
import type { KeepEvents } from './keep.ts'
import { Line } from './line.ts'
import { People } from './people.ts'
import type { Letter } from './said.ts'
import { Secure, value } from './secure.ts'
import { Sender } from './sender.ts'
import { Settings } from './settings.ts'
import { Typing } from './typing.ts'
import { freeRoom, showNotices, Vanishing } from './upkeep.ts'
import { Views } from './views.ts'

/** What an account at work needs; tests give parts of their own. */
export interface Parts {
  accounts: Accounts
  db: Database
  news: News
  registered: Registered
  /** Only for the first login. */
  password?: string
  servers(): Promise<string[]>
  version: string
  /** What the server shows of this device. */
  device: string
  socket?: Socket
  crypto?: (around: Surroundings) => Crypto & { end(): void }
  /** A message came that is new: for notifications. */
  onMessage?(chat: JID, called?: boolean): void
  /** Somebody else reacted to a message of ours, with this text. */
  onReaction?(chat: JID, emoji: string, text: string): void
  /** The server's answer to a login is final. */
  onRefused?(): void
}

/** How long we wait for the archive before we say that we are there, in milliseconds. */
const ASKED = 5000
/** Between two tries to open the keys, in milliseconds. */
const AGAIN = 5000
/** Notices of devices that wait for somebody to look at them. */
const MAX_NOTICES = 300

/** One account at work. */
export class Worker {
  readonly desk: Desk
  readonly views: Views
  readonly people: People
  readonly typing = new Typing()
  readonly line: Line
  readonly inbox: Inbox
  readonly groups: GroupLogs
  readonly sender: Sender
  private readonly contacts: ContactSender
  readonly secure: Secure
  private readonly settings: Settings
  readonly connection: Connection
  private readonly vanishing: Vanishing
  readonly account: JID
  private skew: Micros = 0
  private readonly stops: (() => void)[] = []
  private readonly notices = new Set<() => void>()
  /** Told for each new session, before anything is asked but the time: `clock` is there when the server's is known, or cannot be had. */
  readonly onSession = new Set<(session: Session, resumed: boolean, clock: Promise<void>) => void>()
  /** Told whenever the archive was read to its end. */
  readonly onCaughtUp = new Set<() => void>()
  /** Statuses were told or taken back. */
  onStatus: (event: NodeEvent) => void = () => undefined
  /** Begins the upload of a message's file. */
  upload: (message: Parameters<ConstructorParameters<typeof Sender>[2]['upload']>[0]) => void = () => undefined

  constructor(readonly parts: Parts) {
    const { db, news, registered } = parts
    this.account = registered.jid
    const now = () => this.now()
    this.desk = new Desk(db, this.account, news)
    this.people = new People(db, this.account, news, now)
    this.contacts = new ContactSender(db, news, () => this.people.refresh())
    this.line = new Line(db, news)
    this.secure = new Secure(this.account, parts.crypto ?? openCrypto, () => this.tellNotices())
    this.secure.hides = (jid) => isRequest(look(db), jid, this.account)
    this.settings = new Settings(db, this.account, news, now)
    this.vanishing = new Vanishing(db, news, now)
    const heard: KeepEvents = {
      arrived: (letter) => {
        this.line.setFull(false)
        this.groups.heard(letter)
        if (letter.own) return
        void this.reacted(letter).catch(() => undefined) // not told: it stands at the message
        const said = letter.says.find((s) => s.what === 'content')
        if (!said) return
        this.typing.heard(letter.chat, letter.from, 'paused')
        parts.onMessage?.(letter.chat, said.mentions?.some((m) => m.jid === this.account))
      },
      typing: (letter, state) => { if (!letter.own) this.typing.heard(letter.chat, letter.from, state) },
    }
    this.groups = new GroupLogs(db, this.account, this.secure, news, heard, now)
    const stuck = (full: boolean) => {
      this.line.setFull(full)
      if (full) void freeRoom(db).catch(() => undefined)
    }
    this.groups.onFull = () => stuck(true)
    this.secure.isMember = async (room, jid) => !!await memberOf(look(db, ['members']), room, jid)
    // Behind the message that brought it, which is kept first.
    this.secure.onChain = (chain) => setTimeout(() => { void this.groups.unlock(chain).catch(() => undefined) }) // tried again at the next start
    this.groups.onStanding = () => this.sender.wake()
    this.inbox = new Inbox(db, this.account, this.secure, news, {
      ...heard,
      caughtUp: () => {
        this.line.setFull(false)
        this.sender.complete()
        this.groups.lookInvited()
        void tellSeen(db, this.desk).catch(() => undefined) // told after the next look
        for (const tell of this.onCaughtUp) tell()
      },
      asked: () => this.askedArchive(),
      stuck,
    }, now)
    this.views = new Views(db, this.account, news, this.inbox)
    this.sender = new Sender(db, this.account, {
      seal: (to, outbound, members) => this.secure.seal(to, outbound, members),
      groups: new GroupSend(db, this.account, this.groups, news, now, () => this.sender.wake()),
      lookAgain: (session, since) => this.inbox.lookFor(session, since),
      upload: (message) => this.upload(message),
    }, news, now)
    this.connection = new Connection(this.options())
  }

  private async reacted({ chat, says }: Letter): Promise<void> {
    for (const said of says) {
      const emoji = said.what === 'react' && said.emoji[0]
      if (!emoji) continue
      const message = await byNames(look(this.parts.db, ['messages']), [senderName(this.account, said.target)])
      if (message?.own && message.chat === chat && !message.retracted) this.parts.onReaction?.(chat, emoji, sayShortly(message.content).slice(0, 200))
    }
  }

  private askedArchive: () => void = () => undefined
  private ended = false

  /** Now, by the server's clock as far as it is known. */
  now(): Micros {
    return Date.now() * 1000 + this.skew
  }

  /** Is told when there is something new about devices. */
  onNotices(tell: () => void): () => void {
    this.notices.add(tell)
    return () => { this.notices.delete(tell) }
  }

  /** What is new about devices has changed. */
  tellNotices(): void {
    for (const tell of this.notices) tell()
    void this.showNotices().catch(() => undefined) // they are kept, and told at the next start
  }

  /** The lines stay in the chats. Of the notices the newest are kept, so that there is always room for more. */
  private async showNotices(): Promise<void> {
    const { crypto } = this.secure
    let all = value(await crypto.notices())
    // Of one that waits the key is looked at first: it may be verified already.
    const waiting = new Set(all.filter((n) => !n.own && n.trust === 'undecided' && !n.fingerprint).map((n) => n.jid))
    for (const jid of waiting) await crypto.learn(jid)
    if (waiting.size) all = value(await crypto.notices())
    await showNotices(this.parts.db, this.news, this.account, all)
    if (all.length > MAX_NOTICES) value(await crypto.noticed(all.slice(0, -MAX_NOTICES).map((n) => n.id)))
  }

  private options(): Options {
    const { parts } = this
    const { registered, accounts } = parts
    return {
      who: {
        account: registered.jid, agent: { id: registered.agent, software: 'Palabre Web', device: parts.device },
        token: registered.token as Options['who']['token'], password: parts.password,
      },
      servers: () => parts.servers(),
      keepToken: (token) => { void accounts.change(registered.jid, { token }) },
      show: (link) => {
        this.line.show(link)
        if (link.state === 'refused') parts.onRefused?.()
      },
      began: ({ resumed }) => this.began(resumed),
      socket: parts.socket,
    }
  }

  /** Opens the keys and connects. Without keys nothing could be read: as long as they cannot be opened, it is tried again. */
  async start(): Promise<void> {
    const { db, news } = this.parts
    this.skew = await get(db, 'skew') ?? 0
    const session = this.connection
    this.stops.push(
      session.on('message', (stanza) => this.message(stanza)), session.on('presence', (stanza) => this.people.presence(stanza)),
      this.people.attach(session), answerAboutUs(session, this.parts.version),
      news.listen((changes) => {
        if (!changes.outbox) return
        this.sender.wake()
        this.contacts.wake()
      }),
    )
    while (!this.ended) {
      try {
        await this.secure.begin()
        break
      } catch (error) {
        console.warn('keys', error)
        await new Promise((resolve) => setTimeout(resolve, AGAIN))
      }
    }
    if (this.ended) return
    void this.groups.unlock().catch(() => undefined) // a chain may have come right before this device was left
    this.tellNotices()
    session.start()
  }

  private async message(stanza: Element): Promise<void> {
    const event = parseEvent(stanza)
    if (event) return this.event(event)
    return stanza.attr('type') === 'groupchat' ? this.groups.take(stanza) : this.inbox.take(stanza)
  }

  private async event(event: NonNullable<ReturnType<typeof parseEvent>>): Promise<void> {
    // Not waited for where an answer of the server is needed: it comes after this stanza on the same connection.
    void this.secure.event(event).catch(() => undefined)
    await this.people.event(event)
    await noteDisplayed(displayedEvent(event, this.account), this.account, this.parts, this.now())
    await this.settings.event(event)
    if (event.node === STORIES) this.onStatus(event)
  }

  private began(resumed: boolean): void {
    const session = this.connection
    const clock = this.setClock(session)
    for (const tell of this.onSession) tell(session, resumed, clock)
    if (!resumed) {
      const asked = new Promise<void>((resolve) => { this.askedArchive = resolve })
      void this.introduce(session, Promise.race([asked, new Promise<void>((resolve) => setTimeout(resolve, ASKED))]), clock)
    }
    // Messages wait for nothing of it: what fails beside them is asked for again at the next session.
    void this.secure.connected(session, resumed).catch(() => undefined)
    this.inbox.connected(session, resumed)
    this.groups.connected(session, resumed)
    this.sender.connected(session, resumed)
    this.contacts.connected(session)
    if (resumed) this.settings.resumed()
  }

  private async setClock(session: Session): Promise<void> {
    this.skew = await setClock(session, this.parts.db).catch(() => undefined) ?? this.skew
  }

  private async introduce(session: Session, archive: Promise<void>, clock: Promise<void>): Promise<void> {
    try {
      await this.people.nobody()
      const caps = await capsElement()
      await archive
      announce(session, { caps })
      this.inbox.present()
      await clock
      await this.people.connected(session, false)
      await readProfile(session, this.parts, this.now())
      await readRole(session, this.parts)
      await noteDisplayed(await fetchDisplayed(session), this.account, this.parts, this.now())
      void this.settings.connected(session).catch(() => undefined) // asked again with the next session
      await maintain(this.parts, this.secure.crypto)
    } catch {
      // The connection broke: the next session asks anew.
    }
  }

  private get news(): News {
    return this.parts.news
  }

  /** Ends all of it in order. What waits stays in the outbox. */
  stop(): void {
    this.ended = true
    for (const stop of this.stops.splice(0)) stop()
    this.sender.end()
    this.contacts.end()
    this.inbox.disconnected()
    this.groups.disconnected()
    this.connection.stop()
    this.secure.end()
    this.settings.end()
    this.typing.end()
    this.vanishing.end()
    this.line.end()
  }
}
