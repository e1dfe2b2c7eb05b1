// Whole clients within this program: the real engine, keys and connection, each with a database of its own, against a real server.
import { IDBFactory } from 'fake-indexeddb'
import { openCrypto, type Port, type Surroundings } from '../../../src/core/crypto/client.ts'
import type { FromWorker, ToWorker } from '../../../src/core/crypto/port.ts'
import { newTurn, type Turn } from '../../../src/core/crypto/store.ts'
import { serve } from '../../../src/core/crypto/worker.ts'
import { News } from '../../../src/core/engine/changes.ts'
import type { Engine } from '../../../src/core/engine.ts'
import { Lead } from '../../../src/core/engine/lead.ts'
import { tabEngine } from '../../../src/core/engine/tab.ts'
import { Accounts } from '../../../src/core/store/accounts.ts'
import { openAccount, type Database } from '../../../src/core/store/database.ts'
import type { Connection, Message } from '../../../src/core/model.ts'
import type { Http } from '../../../src/core/media/http.ts'
import { OMEMO2 } from '../../../src/core/xmpp/ns.ts'
import { Element } from '../../../src/core/xmpp/xml.ts'
import { PASSWORD, type Town } from '../xmpp/town.ts'

/** A worker within this program: everything is cloned on its way, as between threads. */
class HerePort implements Port {
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null = null
  onerror: ((event: never) => void) | null = null
  private dead = false
  private readonly take = serve((message) => {
    const data = structuredClone(message)
    queueMicrotask(() => { if (!this.dead) this.onmessage?.({ data } as MessageEvent<FromWorker>) })
  })

  postMessage(message: ToWorker): void {
    const data = structuredClone(message)
    queueMicrotask(() => { if (!this.dead) this.take(data) })
  }

  terminate(): void {
    this.dead = true
  }
}

const turns = new Map<string, Turn>()

/** Node has no Web Locks: one turn for each name of the device whose turn it is to open things. */
export function stubLocks(): void {
  Object.defineProperty(globalThis, 'navigator', {
    configurable: true,
    value: {
      locks: {
        request: <T>(name: string, work: () => Promise<T>): Promise<T> => {
          const turn = turns.get(name) ?? newTurn()
          turns.set(name, turn)
          return turn(work)
        },
      },
    },
  })
}

/** Keys of a device that is never put on the list of OMEMO 2. */
const withoutNewer = (crypto: ReturnType<typeof openCrypto>, account: string): ReturnType<typeof openCrypto> => ({
  ...crypto, listed: (jid, version, ids) => version === '2' && jid === account ? Promise.resolve({ ok: true, value: null }) : crypto.listed(jid, version, ids),
})

/** Such a device does not know what OMEMO 2 looks like. */
function blind({ worker: { secure } }: Lead): void {
  const open = secure.open.bind(secure)
  secure.open = (e, from, key, ...more) => open(new Element(e.ns, e.name, e.attrs, e.nodes.filter((n) => typeof n === 'string' || n.ns !== OMEMO2)), from, key, ...more)
}

const silent = () => ({ postMessage: () => undefined, onmessage: null, close: () => undefined })

/** What lasts of a device when its tab is gone. */
export interface Disk { factory: IDBFactory }

const waits = new Set<Error>()

/** Where clients still wait for something: what a test that took too long waited for. Forgotten once told. */
export function stillWaiting(): string[] {
  const places = [...waits].map((place) => place.stack?.split('\n').filter((line) => !line.includes('here.ts')).slice(0, 2).join('') ?? '')
  waits.clear()
  return places
}

/** A client of a town. */
export class Client {
  connection: Connection = { state: 'offline', since: 0, waiting: 0 }
  gone = false
  private readonly watchers = new Set<() => void>()

  private constructor(readonly jid: string, readonly lead: Lead, readonly engine: Engine, readonly db: Database, readonly news: News) {
    news.listen(() => this.look())
    engine.watchConnection((now) => {
      this.connection = now
      this.look()
    })
  }

  /** Opens a client; the same disk again is the same device. Not two at a time: the databases are opened by a global name. `older`: it has OMEMO 0.3 alone. */
  static async open(town: Town, name: string, { disk = { factory: new IDBFactory() }, url = () => town.url, http, older = false }: { disk?: Disk; url?: () => string; http?: Http; older?: boolean } = {}): Promise<Client> {
    globalThis.indexedDB = disk.factory
    const jid = name + '@localhost'
    const accounts = await Accounts.open()
    const registered = await accounts.get(jid) ?? await accounts.add(jid, 1)
    const db = await openAccount(jid)
    const news = new News(jid, silent())
    let client: Client | undefined
    const lead = new Lead({
      accounts, db, news, registered, servers: () => Promise.resolve([url()]), version: 'test', device: 'test', crypto: (around: Surroundings) => older ? withoutNewer(openCrypto(around, () => new HerePort()), jid) : openCrypto(around, () => new HerePort()),
      ...(registered.token ? {} : { password: PASSWORD }), onGone: () => { if (client) client.gone = true }, exportData: () => Promise.resolve(new Blob()), http,
    })
    if (older) blind(lead)
    client = new Client(jid, lead, tabEngine(db, news, () => ({ jid, name, active: true }), lead), db, news)
    const opened = lead.worker.secure.begin.bind(lead.worker.secure)
    const begun = new Promise<void>((resolve) => { lead.worker.secure.begin = async () => { await opened(); resolve() } })
    void lead.start()
    await begun
    return client
  }

  look(): void {
    for (const look of [...this.watchers]) look()
  }

  /** Waits until something is so; looked at after each change. */
  async until(what: () => boolean | Promise<boolean>): Promise<void> {
    const place = new Error(`${this.jid} waits`)
    waits.add(place)
    while (!await what()) {
      await new Promise<void>((resolve) => {
        const look = () => {
          this.watchers.delete(look)
          clearTimeout(timer)
          resolve()
        }
        const timer = setTimeout(look, 200)
        this.watchers.add(look)
      })
    }
    waits.delete(place)
  }

  /** Connected, and all that was missed is here. */
  async live(): Promise<this> {
    await this.until(() => this.connection.state === 'live' && this.lead.worker.inbox.complete)
    return this
  }

  /** The newest messages of a chat. */
  async messages(name: string): Promise<Message[]> {
    return (await this.engine.page(name + '@localhost', { before: Infinity, limit: 500 })).messages
  }

  /** The texts of a chat, in order. */
  async texts(name: string): Promise<string[]> {
    return (await this.messages(name)).map((m) => m.content.type === 'text' ? m.content.text : m.content.type)
  }

  /** The tab is gone without a word. */
  kill(): void {
    this.lead.worker.connection.nudge = () => undefined
    this.lead.stop()
    this.db.close()
  }
}
