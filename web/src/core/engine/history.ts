// The encrypted history (docs/protocol/encrypted-history.md): what this device could read is written down for devices that are linked later, and
// what older devices wrote is read here. Only a device with the history's key does either.

import { Book, type Chunk, type Shelf } from '../crypto/book.ts'
import type { Bytes, Encrypted } from '../crypto/types.ts'
import type { JID, Micros } from '../model.ts'
import { change, everything, type Database } from '../store/database.ts'
import { get, type Written } from '../store/kv.ts'
import { encryptedElement } from '../xmpp/omemo.ts'
import { hint } from '../xmpp/ids.ts'
import { bare } from '../xmpp/jid.ts'
import { getItems, OWN, publish, retractItem } from '../xmpp/pubsub.ts'
import type { Session } from '../xmpp/session.ts'
import { base64, fromBase64, message, newID } from '../xmpp/stanza.ts'
import { el, type Element } from '../xmpp/xml.ts'
import { Collector, type News } from './changes.ts'
import { importLines } from './history-lines.ts'
import { nameAt, removed, writeAll } from './history-write.ts'
import { HISTORY } from './own-ns.ts'
import { value, type Secure } from './secure.ts'

const NODE = HISTORY
/** A message that came is written so long after it, in milliseconds, together with all that came meanwhile; and while a talk goes on. */
const SOON = 10_000
const LATER = 30_000
/** What was done within this time is not done again without being asked for, in milliseconds. */
const RECENT = 60_000
/** Chunks of others that are remembered as read. */
const MAX_READ = 40_000

/** What the history works with. */
export interface HistoryParts {
  db: Database
  account: JID
  secure: Secure
  news: News
  /** The session, if there is one. */
  session(): Session | undefined
  /** Has the archive tell the places of messages of ours that were sent since then. */
  place(session: Session, since: Micros): Promise<void>
}

/** The history of one account. */
export class History {
  private timer: ReturnType<typeof setTimeout> | undefined
  private busy: Promise<void> = Promise.resolve()
  private reading = false
  /** When this device wrote last, read last, and had the archive tell the places of our own messages. */
  private wrote = 0
  private looked = 0
  private placed = 0
  private readonly stop: () => void

  private readonly db: Database
  private readonly account: JID
  private readonly secure: Secure
  private readonly news: News
  private readonly session: () => Session | undefined

  constructor(private readonly parts: HistoryParts) {
    ;({ db: this.db, account: this.account, secure: this.secure, news: this.news, session: this.session } = parts)
    this.stop = this.news.listen((c) => { if (c.messages) this.later(Date.now() - this.wrote < RECENT ? LATER : SOON) })
  }

  end(): void {
    clearTimeout(this.timer)
    this.stop()
  }

  private later(wait: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      void this.run((session) => this.write(session, false))
    }, wait)
  }

  /** The archive was read to its end: what others wrote is read, and what is not written yet is written. */
  caughtUp(): void {
    void this.run(async (session) => {
      await this.renewKey(session)
      const first = await get(this.db, 'history read') === undefined
      if (Date.now() - this.looked > RECENT) await this.read(session)
      if (first) this.ask(session)
      await this.write(session, true)
    })
  }

  /** Another device of ours gave us the keys: what it and others wrote can be read now. */
  haveKeys(): void {
    void this.run(async (session) => {
      this.ask(session)
      await this.read(session)
      await this.write(session, true)
    })
  }

  /** Makes a key if there is none, and writes everything, for a device that is about to get it. Fulfilled when it was tried. */
  async ready(): Promise<void> {
    if (!value(await this.secure.crypto.historyState()).keys.length) value(await this.secure.crypto.newHistoryKey())
    await this.now()
  }

  /** Writes at once what is not written yet: nobody looks at us any more, or another device is there that may want it. Fulfilled when it was tried. */
  now(): Promise<void> {
    clearTimeout(this.timer)
    this.timer = undefined
    return this.run((session) => this.write(session, true))
  }

  /** Nobody looks any more, and this device may end: what waits is written. */
  leave(): void {
    if (this.timer !== undefined) void this.now()
  }

  /** What our other devices have not written yet they are asked to write; they say when it is done. */
  private ask(session: Session): void {
    this.say(session, 'ask')
  }

  private say(session: Session, what: 'ask' | 'written'): void {
    session.send(message({ to: this.account, type: 'headline', id: newID() }, el(NODE, what), hint('no-store')))
  }

  /** Hears what our other devices say about it; false for any other stanza. */
  hear(stanza: Element): boolean {
    const from = stanza.attr('from') ?? ''
    const session = this.session()
    if (stanza.attr('type') !== 'headline' || bare(from) !== this.account || !session || from === session.jid) return false
    if (stanza.child('ask', NODE)) void this.now().then(() => this.session()?.send(message({ to: from, type: 'headline', id: newID() }, el(NODE, 'written'), hint('no-store'))))
    else if (stanza.child('written', NODE)) void this.readSoon()
    else return false
    return true
  }

  /** A device was removed from the account: what is written from now on it cannot read, whatever it gets hold of. */
  async renew(): Promise<void> {
    if (!value(await this.secure.crypto.historyState()).keys.length) return
    await this.wantsKey('draw')
    await this.run((session) => this.renewKey(session))
  }

  private async wantsKey(what: 'draw' | 'tell' | undefined): Promise<void> {
    await change(this.db, ['kv'], async (tx) => {
      if (what) await tx.objectStore('kv').put(what, 'history renew')
      else await tx.objectStore('kv').delete('history renew')
    })
  }

  /** Draws the key that is wanted, and tells it: in steps, so that neither is left out nor a key drawn again and again. */
  private async renewKey(session: Session): Promise<void> {
    const wanted = await get(this.db, 'history renew')
    if (!wanted) return
    if (wanted === 'draw') {
      value(await this.secure.crypto.newHistoryKey())
      await this.wantsKey('tell')
    }
    this.tell(session, await this.book(session).spread())
    await this.wantsKey(undefined)
  }

  private tell(session: Session, keys: Encrypted | null): void {
    if (keys) session.send(message({ to: this.account, id: newID() }, encryptedElement(keys), hint('store')))
  }

  /** One after the other; what fails is done at the next occasion. */
  private run(work: (session: Session) => Promise<void>): Promise<void> {
    return this.busy = this.busy.then(async () => {
      const session = this.session()
      if (session && value(await this.secure.crypto.historyState()).keys.length) await work(session)
    }).catch((error: unknown) => { console.warn('history', error) })
  }

  private book(session: Session, own?: Written): Book {
    return new Book(this.secure.crypto, this.secure.deviceID, shelf(session), own && { number: own.index, chunks: own.chunks, complete: own.complete })
  }

  /** Makes a recovery code, and the history's key if there is none. */
  async recoveryCode(session: Session): Promise<string> {
    const { crypto } = this.secure
    const book = this.book(session)
    if (!value(await crypto.historyState()).keys.length) value(await crypto.newHistoryKey())
    const code = await book.newRecovery()
    const shared = await crypto.shareHistory()
    if (shared.ok) this.tell(session, shared.value)
    void this.now()
    return code
  }

  /** Opens the history with its code. Fails with the worker's refusal for a wrong one. */
  async recover(session: Session, code: string): Promise<void> {
    await this.book(session).recover(code)
    void this.run(async (session) => {
      this.ask(session)
      await this.read(session)
    })
  }

  // Writing

  /** The places of messages of ours cost a page of the archive: seldom, unless all of it is wanted now. */
  private async write(session: Session, all: boolean): Promise<void> {
    const unplaced = await get(this.db, 'unplaced')
    if (unplaced !== undefined && (all || Date.now() - this.placed > RECENT)) {
      this.placed = Date.now()
      await this.parts.place(session, unplaced)
      await change(this.db, ['kv'], (tx) => tx.objectStore('kv').delete('unplaced'))
    } else if (unplaced !== undefined) this.later(RECENT)
    const done = await get(this.db, 'history')
    for (const number of done?.old ?? []) await retractItem(session, NODE, `${this.secure.deviceID}-${number}`)
    if (done?.old?.length) await removed(this.db)
    const untold = (await get(this.db, 'history gone'))?.told === false
    if (!await writeAll(this.db, (own) => this.book(session, own))) this.later(SOON)
    if (untold && (await get(this.db, 'history gone'))?.told) this.say(session, 'written') // our other devices look what was deleted
    this.wrote = Date.now()
  }

  // Reading

  private readSoon(): Promise<void> {
    if (this.reading) return Promise.resolve()
    this.reading = true
    return this.run((session) => {
      this.reading = false
      return this.read(session)
    })
  }

  /** With `again` once more if something was missing: its writer may just have put it into a larger chunk. */
  private async read(session: Session, again = true): Promise<void> {
    const devices = value(await this.secure.crypto.devices(this.account)).map((d) => d.id).filter((id) => id !== this.secure.deviceID)
    this.looked = Date.now()
    const seen = new Set(await get(this.db, 'history read') ?? [])
    const gaps = await this.book(session).read({
      wants: async (chunk) => !seen.has(chunk.hash) && this.lacks(chunk), take: (lines, hash) => this.keep(lines, hash),
    }, devices)
    if (gaps.missing && again) return this.read(session, false)
    if (gaps.missing || gaps.refused.length) console.warn('history', gaps)
  }

  /** Says whether a chunk may hold what is not here: what came live or from the archive needs no second way. */
  private async lacks({ from, to, count }: Chunk): Promise<boolean> {
    const range = IDBKeyRange.bound(nameAt(from), nameAt(to))
    if (await this.db.countFromIndex('messages', 'names', range) < count) return true
    let cursor = await this.db.transaction('messages').store.index('names').openCursor(range)
    for (; cursor; cursor = await cursor.continue()) if (cursor.value.content.type === 'undecryptable') return true
    return false
  }

  private async keep(lines: string[], hash: string): Promise<void> {
    const changes = new Collector()
    await change(this.db, everything, async (tx) => {
      await importLines({ tx, account: this.account, now: Date.now() * 1000, changes }, lines)
      const seen = await get(tx, 'history read') ?? []
      await tx.objectStore('kv').put([...seen, hash].slice(-MAX_READ), 'history read')
    })
    this.news.tell(changes.all)
  }
}

/** The private node with what our devices wrote, as a book sees it. */
function shelf(session: Session): Shelf {
  return {
    get: async (ids) => {
      const found = await getItems(session, NODE, { ids })
      return new Map(found.flatMap(({ id, payload }): [string, Bytes][] => {
        const data = payload?.is(nameOf(id), NODE) ? fromBase64(payload.text) : undefined
        return data ? [[id, data]] : []
      }))
    },
    put: (id, data) => publish(session, NODE, el(NODE, nameOf(id), {}, base64(data)), OWN, id),
    remove: (id) => retractItem(session, NODE, id),
  }
}

const nameOf = (id: string): string => id === 'recovery' || id === 'writers' ? id : id.startsWith('index-') ? 'index' : 'chunk'
