// A device of an account that can be killed between any two steps: after so many of them nothing that it does has an effect any more.
import { News } from '../../../src/core/engine/changes.ts'
import { Desk } from '../../../src/core/engine/desk.ts'
import { Inbox, type Opener } from '../../../src/core/engine/inbox.ts'
import { Sender } from '../../../src/core/engine/sender.ts'
import { inClear } from '../../../src/core/engine/secure.ts'
import { Views } from '../../../src/core/engine/views.ts'
import { openAccount, type Database, type KeptMessage } from '../../../src/core/store/database.ts'
import type { FakeSession, Server } from './town.ts'


/** Counts steps and ends all when there were enough. */
export class Scythe {
  steps = 0
  fallen = false
  private told: () => void = () => undefined
  /** Fulfilled when it has fallen. */
  readonly fell = new Promise<void>((resolve) => { this.told = resolve })

  constructor(readonly after = Infinity) {}

  /** One step; false if the device is dead. */
  step(): boolean {
    if (this.fallen) return false
    if (++this.steps <= this.after) return true
    this.fallen = true
    this.told()
    return false
  }
}

/** What reads no encryption: everything is in clear. */
const clear: Opener = {
  open: () => Promise.resolve(undefined), stored: () => Promise.resolve(),
  crypto: { beginCatchUp: () => Promise.resolve(), endCatchUp: () => Promise.resolve() },
}

const silent = { postMessage: () => undefined, onmessage: null, close: () => undefined }

/** The engine of a device around a database, without keys. */
export class Device {
  readonly desk: Desk
  readonly inbox: Inbox
  readonly sender: Sender
  readonly views: Views
  readonly news: News
  session: FakeSession | undefined
  private stop: (() => void) | undefined
  arrived: string[] = []
  stuck = 0
  /** Somebody who reads what it sends has OMEMO 0.3 alone. */
  older = false
  /** Nothing can be encrypted, for this reason. */
  refusal: Error | undefined
  private readonly watchers = new Set<() => void>()

  private constructor(readonly db: Database, private readonly server: Server, private readonly scythe: Scythe, opener: Opener) {
    const account = server.account
    this.news = new News(account, silent)
    const now = () => Date.now() * 1000
    this.desk = new Desk(db, account, this.news)
    this.inbox = new Inbox(db, account, opener, this.news, {
      caughtUp: () => this.sender.complete(), stuck: () => { this.stuck++ }, asked: () => undefined,
      arrived: (letter) => { this.arrived.push(...letter.ids) },
    }, now)
    this.sender = new Sender(db, account, {
      seal: (_to, outbound) => this.refusal ? Promise.reject(this.refusal) : Promise.resolve({ parts: inClear(outbound), older: this.older }), lookAgain: (session, since) => this.inbox.lookFor(session, since), upload: () => undefined,
    }, this.news, now)
    this.views = new Views(db, account, this.news, this.inbox)
    this.news.listen((c) => {
      if (c.outbox) this.sender.wake()
      for (const look of [...this.watchers]) look()
    })
  }

  /** Opens a device over the account's database; `scythe` counts what it does. */
  static async open(server: Server, scythe = new Scythe(), opener = clear): Promise<Device> {
    const db = await openAccount(server.account)
    return new Device(mortal(db, scythe), server, scythe, opener)
  }

  /** Begins a session that is not the old one resumed. */
  connect(prepare: (session: FakeSession) => void = () => undefined): FakeSession {
    this.stop?.()
    this.session?.end()
    const session = this.session = this.server.connect()
    prepare(session)
    const send = session.send.bind(session)
    session.send = (stanza, done) => { if (this.scythe.step()) send(stanza, done && ((acked) => { if (this.scythe.step()) done(acked) })) }
    this.stop = session.on('message', (stanza) => this.inbox.take(stanza))
    this.inbox.connected(session, false)
    this.sender.connected(session, false)
    return session
  }

  /** Waits until something is so; looked at after each change. */
  async until(what: () => Promise<boolean>): Promise<void> {
    while (!await what()) {
      await new Promise<void>((resolve) => {
        const look = () => {
          this.watchers.delete(look)
          resolve()
        }
        this.watchers.add(look)
        setTimeout(look, 20)
      })
    }
  }

  /** The messages of a chat, in order. */
  async messages(chat: string): Promise<KeptMessage[]> {
    return (await this.db.getAll('messages')).filter((m) => m.chat === chat).sort((a, b) => a.order - b.order)
  }

  /** Nothing waits any more. */
  idle(): Promise<void> {
    return this.until(async () => this.inbox.complete && (await this.db.count('outbox')) === 0)
  }

  /** The tab is gone. */
  kill(): void {
    this.stop?.()
    this.sender.end()
    this.inbox.disconnected()
    this.session?.end()
    this.db.close()
  }
}

/** A database whose writing steps are counted: a dead device's transactions never end, as far as it sees. */
export function mortal(db: Database, scythe: Scythe): Database {
  return new Proxy(db, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (key === 'transaction') {
        return (...args: Parameters<Database['transaction']>) => {
          if (args[1] === 'readwrite' && !scythe.step()) throw new DOMException('killed', 'AbortError')
          return (value as (...a: typeof args) => unknown).apply(target, args)
        }
      }
      return typeof value === 'function' ? value.bind(target) as unknown : value
    },
  })
}
