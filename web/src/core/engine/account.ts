// One account at work in the tab that leads: the connection, what comes in, what leaves. Screens use it through engine.ts.

import { openCrypto, type Surroundings } from '../crypto/client.ts'
import type { Crypto } from '../crypto/api.ts'
import type { JID, Micros } from '../model.ts'
import type { Account as Registered, Accounts } from '../store/accounts.ts'
import { change, look, type Database } from '../store/database.ts'
import { keepFile } from '../store/files.ts'
import { get } from '../store/kv.ts'
import { byNames } from '../store/messages.ts'
import { archiveName, senderName } from '../store/names.ts'
import { sayShortly } from '../store/preview.ts'
import { isRequest } from '../store/requests.ts'
import { Connection, type Options } from '../xmpp/connection.ts'
import { answerAboutUs, capsElement } from '../xmpp/disco.ts'
import { displayedEvent, fetchDisplayed, type Displayed } from '../xmpp/displayed.ts'
import { announce } from '../xmpp/presence.ts'
import { NICK } from '../xmpp/ns.ts'
import { fetchAvatar, fetchAvatarInfo } from '../xmpp/profile.ts'
import { getItems, parseEvent } from '../xmpp/pubsub.ts'
import type { Socket } from '../xmpp/pipe.ts'
import type { Session } from '../xmpp/session.ts'
import { parseTime } from '../xmpp/time.ts'
import { domain } from '../xmpp/jid.ts'
import { el, type Element } from '../xmpp/xml.ts'
import { tellSeen } from './answer.ts'
import { Collector, type News } from './changes.ts'
import { ContactSender } from './contact-sender.ts'
import { Desk } from './desk.ts'
import { readUpTo } from './effects.ts'
import { GroupLogs } from './group-logs.ts'
import { GroupSend } from './group-send.ts'
import { Inbox } from './inbox.ts'
import type { KeepEvents } from './keep.ts'
import { Line } from './line.ts'
import { People } from './people.ts'
import { isAdmin } from './role.ts'
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
  onMessage?(chat: JID): void
  /** Somebody else reacted to a message of ours, with this text. */
  onReaction?(chat: JID, emoji: string, text: string): void
  /** The server's answer to a login is final. */
  onRefused?(): void
}

const TIME = 'urn:xmpp:time'
/** How long we wait for the archive before we say that we are there, in milliseconds. */
const ASKED = 5000
/** A clock that is wrong by less than this is not corrected, in microseconds. */
const TOLERANCE = 2e6
/** Between two tries to open the keys, in milliseconds. */
const AGAIN = 5000
/** Notices of devices that wait for somebody to look at them. */
const MAX_NOTICES = 300
/** How often keys are looked after, in milliseconds. */
const DAY = 86_400_000

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
  /** Told for each new session, before anything is asked. */
  readonly onSession = new Set<(session: Session, resumed: boolean) => void>()
  /** Told whenever the archive was read to its end. */
  readonly onCaughtUp = new Set<() => void>()
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
        if (letter.own) return
        void this.reacted(letter).catch(() => undefined) // not told: it stands at the message
        if (!letter.says.some((s) => s.what === 'content')) return
        this.typing.heard(letter.chat, letter.from, 'paused')
        parts.onMessage?.(letter.chat)
      },
      typing: (letter, state) => { if (!letter.own) this.typing.heard(letter.chat, letter.from, state) },
    }
    this.groups = new GroupLogs(db, this.account, this.secure, news, heard, now)
    this.inbox = new Inbox(db, this.account, this.secure, news, {
      ...heard,
      caughtUp: () => {
        this.line.setFull(false)
        this.sender.complete()
        void tellSeen(db, this.desk).catch(() => undefined) // told after the next look
        for (const tell of this.onCaughtUp) tell()
      },
      asked: () => this.askedArchive(),
      stuck: (full) => {
        this.line.setFull(full)
        if (full) void freeRoom(db).catch(() => undefined)
      },
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
    await this.displayed(displayedEvent(event, this.account))
    await this.settings.event(event)
  }

  private began(resumed: boolean): void {
    const session = this.connection
    for (const tell of this.onSession) tell(session, resumed)
    if (!resumed) {
      const asked = new Promise<void>((resolve) => { this.askedArchive = resolve })
      void this.introduce(session, Promise.race([asked, new Promise<void>((resolve) => setTimeout(resolve, ASKED))]))
    }
    // Messages wait for nothing of it: what fails beside them is asked for again at the next session.
    void this.secure.connected(session, resumed).catch(() => undefined)
    this.inbox.connected(session, resumed)
    this.groups.connected(session, resumed)
    this.sender.connected(session, resumed)
    this.contacts.connected(session)
    if (resumed) this.settings.resumed()
  }

  private async introduce(session: Session, archive: Promise<void>): Promise<void> {
    try {
      await this.people.nobody()
      const caps = await capsElement()
      await archive
      announce(session, { caps })
      this.inbox.present()
      await this.setClock(session)
      await this.people.connected(session, false)
      await this.profile(session)
      await this.role(session)
      await this.displayed(await fetchDisplayed(session))
      void this.settings.connected(session).catch(() => undefined) // asked again with the next session
      await this.maintain()
    } catch {
      // The connection broke: the next session asks anew.
    }
  }

  private async setClock(session: Session): Promise<void> {
    const asked = Date.now() * 1000
    const answer = await session.request('get', el(TIME, 'time'), { to: domain(this.account) }).catch(() => undefined)
    const utc = parseTime(answer?.child('time', TIME)?.textOf('utc'))
    if (utc === undefined) return
    const skew = utc - (asked + Date.now() * 1000) / 2
    this.skew = Math.abs(skew) < TOLERANCE ? 0 : Math.round(skew)
    await change(this.parts.db, ['kv'], async (tx) => { await tx.objectStore('kv').put(this.skew, 'skew') })
  }

  /** What we call ourselves and how we look, as another device of ours may have said. */
  private async profile(session: Session): Promise<void> {
    const { db, accounts } = this.parts
    const info = await fetchAvatarInfo(session, this.account)
    const before = await get(db, 'profile')
    const avatar = info && `avatar ${info.id}`
    if (info && avatar && !await db.getKey('files', avatar)) {
      const blob = await fetchAvatar(session, this.account, info)
      if (blob) await change(db, ['files', 'blobs'], (tx) => keepFile(tx, { key: avatar, only: false, used: this.now() }, blob))
    }
    const name = (await getItems(session, NICK, { max: 1 })).at(-1)?.payload?.text.trim().slice(0, 200) || undefined
    if (before && before.name === name && before.avatar === avatar) return
    await change(db, ['kv'], async (tx) => { await tx.objectStore('kv').put({ name, avatar }, 'profile') })
    await accounts.change(this.account, { name, avatar })
    this.news.tell({ choices: true })
  }

  /** Whether we administer the server. */
  private async role(session: Session): Promise<void> {
    const { accounts } = this.parts
    const admin = await isAdmin(session)
    if (admin === undefined || admin === !!(await accounts.get(this.account))?.admin) return
    await accounts.change(this.account, { admin })
    this.news.tell({ choices: true })
  }

  /** Other devices have read up to there. */
  private async displayed(list: Displayed[]): Promise<void> {
    if (!list.length) return
    const changes = new Collector()
    await change(this.parts.db, ['chats', 'messages'], async (tx) => {
      for (const { chat, id, by } of list) {
        if (by !== this.account && by !== chat) continue // by the archive, or by the log of a group
        const message = await byNames(tx, [archiveName(id)])
        if (message?.chat === chat) await readUpTo({ tx, account: this.account, now: this.now(), changes }, chat, message.order)
      }
    })
    this.news.tell(changes.all)
  }

  private get news(): News {
    return this.parts.news
  }

  /** Once a day: rotates keys. */
  private async maintain(): Promise<void> {
    const last = await get(this.parts.db, 'maintained') ?? 0
    if (Date.now() * 1000 - last < DAY * 1000 && last <= Date.now() * 1000) return
    await this.secure.crypto.maintain()
    await change(this.parts.db, ['kv'], async (tx) => { await tx.objectStore('kv').put(Date.now() * 1000, 'maintained') })
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
