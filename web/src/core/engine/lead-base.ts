// What the tab that leads is made of, and the session that it asks.

import { browserHttp, type Http } from '../media/http.ts'
import { prepareImage } from '../media/image.ts'
import { isLastShown } from '../xmpp/last.ts'
import type { Session } from '../xmpp/session.ts'
import { change } from '../store/database.ts'
import { choicesOf, get } from '../store/kv.ts'
import { Worker, type Parts } from './account.ts'
import { ChannelDoor } from './channel-door.ts'
import { HistoryDoor } from './history-door.ts'
import { Notices } from './notices.ts'
import { OwnDevices } from './own-devices.ts'
import { PayDoor } from './pay-door.ts'
import { Push } from './push.ts'
import type { StatusLead } from './status-lead.ts'
import { Transfers } from './transfers.ts'

/** How long what a person waits for may wait for the connection, in milliseconds. */
const SOON = 10_000

/** It needs the connection, and there is none now. */
export class Offline extends Error {
  override readonly name = 'Offline'
}

/** What a leading tab is given besides. */
export interface LeadParts extends Parts {
  http?: Http
  /** The account is gone from this device: the screens begin anew. */
  onGone(): void
  /** Puts all that the account has into one file. */
  exportData(): Promise<Blob>
}

/** The tab that leads, before anybody asks anything of it. */
export abstract class LeadBase {
  readonly worker: Worker
  protected readonly transfers: Transfers
  protected readonly push: Push
  readonly history: HistoryDoor
  protected readonly devicesOfOurs: OwnDevices
  protected readonly notices: Notices
  protected readonly channels: ChannelDoor
  protected readonly payments: PayDoor
  /** What the server said of itself in this session. */
  protected cards: Promise<boolean> | undefined

  constructor(protected readonly parts: LeadParts) {
    this.worker = new Worker(parts)
    const { worker } = this
    this.transfers = new Transfers(parts.db, worker.desk, parts.news, {
      session: () => this.session(), crypto: worker.secure.crypto, http: parts.http ?? browserHttp, prepare: prepareImage,
      prepareGif: async (...args) => {
        this.session()
        return (await import('../media/film.ts')).prepareGif(...args)
      },
      prepareVideo: async (...args) => {
        this.session() // what makes videos smaller may have to be loaded: not without a connection
        return (await import('../media/film.ts')).prepareFilm(...args)
      },
      now: () => worker.now(), full: (full) => worker.line.setFull(full),
    })
    worker.upload = (message) => this.transfers.upload(message)
    this.push = new Push(parts.db, parts.news, () => this.session(), worker.account)
    this.history = new HistoryDoor({
      db: parts.db, account: worker.account, secure: worker.secure, news: parts.news, session: () => worker.connection.live ? worker.connection : undefined,
      place: (session, since) => worker.inbox.lookFor(session, since),
    })
    this.devicesOfOurs = new OwnDevices(parts.db, worker.account, worker.secure, () => this.history.renew())
    this.notices = new Notices(worker.account, worker.secure.crypto, () => this.devicesOfOurs.owners(this.session()))
    worker.onNotices(() => this.notices.changed())
    worker.onCaughtUp.add(() => {
      this.notices.changed()
      this.history.caughtUp()
      void this.devicesOfOurs.connected(worker.connection).catch(() => undefined) // the next session does it
    })
    worker.groups.onCaughtUp = (session, service) => {
      if (service) void import('./group-after.ts').then((after) => after.caughtUp(session, parts.db, parts.news, service, worker.now())).catch(() => undefined) // the next session does it
    }
    worker.onStatus = (event) => this.statuses((all) => all.heard(event))
    worker.onCaughtUp.add(() => this.statuses((all) => all.connected(worker.connection.jid)))
    parts.news.listen((c) => { if (c.updates) this.statuses((all) => all.wake()) })
    this.channels = new ChannelDoor({ db: parts.db, news: parts.news, account: worker.account, http: parts.http ?? browserHttp, now: () => worker.now(), session: () => this.session(), onPost: (channel) => parts.onMessage?.(channel) })
    worker.connection.on('message', (stanza) => this.channels.hear(stanza))
    worker.onSession.add((_, resumed) => { void this.channels.connected(resumed).catch(() => undefined) }) // asked again when somebody looks at them
    this.payments = new PayDoor({ db: parts.db, news: parts.news, account: worker.account, now: () => worker.now(), session: () => this.session() })
    worker.onSession.add((_, __, clock) => { void clock.then(() => this.payments.connected()).catch(() => undefined) }) // the next session does it
    worker.connection.on('message', (stanza) => this.history.hear(stanza))
    worker.secure.onOwnDevice = () => { void this.history.now() }
    worker.secure.onKeys = () => this.history.haveKeys()
    worker.onSession.add((session, resumed) => {
      this.transfers.connected(resumed)
      if (resumed) this.statuses((all) => all.wake())
      if (resumed) return
      this.cards = undefined
      void this.push.renew(session).catch(() => undefined)
      void this.readChoices().catch(() => undefined)
    })
  }

  private statusLead: Promise<StatusLead> | undefined

  /** Statuses are a part of their own, loaded when there is a connection. */
  protected status(): Promise<StatusLead> {
    const { parts, worker } = this
    const loaded = this.statusLead ??= import('./status-lead.ts').then(({ StatusLead }) => new StatusLead({
      db: parts.db, account: worker.account, news: parts.news, secure: worker.secure, http: parts.http ?? browserHttp, session: () => this.session(), now: () => worker.now(),
    }))
    loaded.catch(() => { this.statusLead = undefined })
    return loaded
  }

  private statuses(work: (all: StatusLead) => Promise<void>): void {
    if (this.worker.connection.live) void this.status().then(work).catch(() => undefined) // the next session does it
  }

  /** Begins to work. Without keys nothing can be read, so a failure ends it. */
  start(): Promise<void> {
    void this.transfers.begun().catch(() => undefined)
    return this.worker.start()
  }

  stop(): void {
    this.notices.end()
    this.history.end()
    this.push.end()
    this.channels.end()
    this.payments.end()
    this.transfers.end()
    void this.statusLead?.then((all) => all.end(), () => undefined)
    this.worker.stop()
  }

  /** Whether nobody looks at any tab: what waits to be written into the history is written before the browser may end us. */
  setHidden(hidden: boolean): void {
    this.worker.connection.setHidden(hidden)
    if (hidden) this.history.leave()
  }

  /** A tab that somebody looks at is there: what waits for a timer of this one, which may be slow, goes on. */
  tick(): void {
    this.worker.sender.tick()
  }

  protected session() {
    const { connection } = this.worker
    if (!connection.live) throw new Offline()
    return connection
  }

  /** The session, or the one that comes soon: what is asked right after the start shall not fail because it was quick. `patience` in milliseconds. */
  protected soon(patience = SOON): Promise<Session> {
    const { connection, onSession } = this.worker
    if (connection.live) return Promise.resolve(connection)
    return new Promise((resolve, reject) => {
      const end = () => {
        onSession.delete(came)
        clearTimeout(timer)
      }
      const came = () => {
        end()
        resolve(connection)
      }
      const timer = setTimeout(() => {
        end()
        reject(new Offline())
      }, patience)
      onSession.add(came)
    })
  }

  /** What the server keeps of the choices. */
  private async readChoices(): Promise<void> {
    const { db, news } = this.parts
    const lastSeen = await isLastShown(this.worker.connection)
    if ((await choicesOf(db)).lastSeen === lastSeen) return
    await change(db, ['kv'], async (tx) => { await tx.objectStore('kv').put({ ...await get(tx, 'choices'), lastSeen }, 'choices') })
    news.tell({ choices: true })
  }
}
