// Statuses in the tab that holds the connection: learns of those of others, and tells ours. Loaded with the first session.
//
// What is ours is kept before anything leaves (status-desk.ts), under an id that is its own for ever: told twice, the second is a `conflict`, and it is
// there. What was taken back is kept as such until the server has heard of it.

import type { Crypto } from '../crypto/api.ts'
import { readAddress } from '../media/address.ts'
import { HttpBroken, HttpRefused, type Http } from '../media/http.ts'
import type { JID, Micros } from '../model.ts'
import { STATUS_LIFE, type Audience, type StatusFailure } from '../status.ts'
import { change, look, type Database, type Store } from '../store/database.ts'
import { keepFile, makeRoom } from '../store/files.ts'
import { MEDIA_BOUND, get } from '../store/kv.ts'
import { dropOver, dropStatus, isStatusMuted, keyOf, MAX_STATUSES, noteNew, type KeptStatus } from '../store/statuses.ts'
import { STORIES } from '../xmpp/ns.ts'
import { getItems, retractItem, type Item, type NodeEvent } from '../xmpp/pubsub.ts'
import type { Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import { fetchAudience, listStatuses, publishAudience, publishStatus, readStatus, sealedOf, writeStatus, type Listed } from '../xmpp/status.ts'
import { UploadRefused } from '../xmpp/upload.ts'
import type { News } from './changes.ts'
import { CannotEncrypt, type Secure } from './secure.ts'
import { readersOf } from './status-desk.ts'
import { uploadStatus } from './status-upload.ts'

/** What it needs of the tab that leads. */
export interface Around {
  db: Database
  account: JID
  news: News
  secure: Pick<Secure, 'sealFor' | 'open' | 'stored'> & { crypto: Pick<Crypto, 'encryptMedia' | 'decryptMedia'> }
  http: Http
  /** Fails with Offline. */
  session(): Session
  now(): Micros
}

/** What a step about statuses may touch. */
export const STATUS_STORES: Store[] = ['statuses', 'statusViews', 'kv', 'files', 'blobs']
/** Items that are asked for at once. */
const AT_ONCE = 20
/** The largest file of a status that is fetched, in bytes. */
const MAX_FILE = 200 << 20
/** Between two tries of what did not leave, in milliseconds; it doubles. */
const PAUSE = 5000
const LONGEST = 300_000

/** The statuses of one account, where its connection is. */
export class StatusLead {
  private turn: Promise<unknown> = Promise.resolve()
  private timer: ReturnType<typeof setTimeout> | undefined
  private sweeper: ReturnType<typeof setTimeout> | undefined
  private tries = 0
  /** The session in which was learned what was missed. */
  private learned = ''
  private sending = false
  private waits = false
  private ended = false

  constructor(private readonly around: Around) {}

  /** The archive was read in a session with this address: if it is a new one, what was missed is learned, and what waits leaves. */
  async connected(session: JID): Promise<void> {
    if (session === this.learned) return
    try {
      await this.inTurn(() => this.learn())
      await this.inTurn(() => this.learnAudience())
      this.learned = session
    } finally {
      await this.wake() // also where nothing could be learned
    }
  }

  /** News of somebody's node. */
  heard(event: NodeEvent): Promise<void> {
    const { db, account, now } = this.around
    return this.inTurn(async () => {
      // Nobody else's is asked for: a stranger would learn that we are there.
      if (event.from !== account && !/^(to|both)$/.test((await db.get('contacts', event.from))?.subscription ?? '')) return
      if (event.gone) await this.forget((s) => s.author === event.from && !s.state)
      if (event.retracted.length) await this.forget((s) => s.author === event.from && event.retracted.includes(s.id))
      await this.take(event.items.map(({ id }) => ({ author: event.from, id, posted: now(), expires: now() + STATUS_LIFE })), true)
    })
  }

  /** Something of ours may wait to leave. */
  async wake(): Promise<void> {
    this.waits = true
    if (this.sending) return
    this.sending = true
    try {
      while (this.waits && !this.ended) {
        this.waits = false
        await this.inTurn(() => this.sendAll())
      }
      this.tries = 0
    } catch (error) {
      if (this.ended) return
      if (!isAway(error)) console.warn('status', error)
      this.again()
    } finally {
      this.sending = false
    }
  }

  /** Ends. What waits is told at the next start. */
  end(): void {
    this.ended = true
    clearTimeout(this.timer)
    clearTimeout(this.sweeper)
  }

  /** Whom statuses were for last, as the account keeps it. */
  audience(): Promise<Audience | undefined> {
    return fetchAudience(this.around.session())
  }

  /** Gets what is not here of a status. */
  fetch(author: JID, id: string): Promise<void> {
    return this.inTurn(async () => {
      const { db } = this.around
      const known = await db.get('statuses', keyOf(author, id))
      if (!known || known.gone) throw new StanzaError('item-not-found')
      if (!known.content && !known.unreadable) await this.fetchAll([known])
      const status = await db.get('statuses', keyOf(author, id))
      if (status?.content && 'media' in status.content) await this.fetchFile(status)
    })
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.turn.then(() => {
      this.around.session()
      return work()
    })
    this.turn = next.catch(() => undefined)
    return next
  }

  private again(): void {
    clearTimeout(this.timer)
    if (!this.ended) this.timer = setTimeout(() => void this.wake(), Math.min(LONGEST, PAUSE * 2 ** this.tries++))
  }

  /** Removes what is over, now and whenever the next one is. */
  private async sweep(): Promise<void> {
    const { db, news, now } = this.around
    clearTimeout(this.sweeper)
    if (await change(db, STATUS_STORES, (tx) => dropOver(tx, now()))) news.tell({ updates: true })
    const cursor = await db.transaction('statuses').store.index('expires').openKeyCursor()
    const next = Number(cursor?.key)
    if (!this.ended && Number.isFinite(next)) this.sweeper = setTimeout(() => void this.sweep().catch(() => undefined), Math.max(1000, (next - now()) / 1000))
  }

  private async learn(): Promise<void> {
    const { all, complete } = await listStatuses(this.around.session())
    const there = new Set(all.map((s) => keyOf(s.author, s.id)))
    if (complete) await this.forget((s) => !s.state && !s.gone && !there.has(s.key))
    await this.take(all, false)
  }

  /** Whom statuses are for may have been decided on another device; what was decided here and is not told yet holds. */
  private async learnAudience(): Promise<void> {
    const there = await this.audience()
    if (there) await change(this.around.db, ['kv'], async (tx) => { if (!await get(tx, 'statusAudience untold')) await tx.objectStore('kv').put(there, 'statusAudience') })
  }

  /** Removes those of which that is true. */
  private async forget(over: (status: KeptStatus) => boolean): Promise<void> {
    const { db, news, now } = this.around
    await change(db, STATUS_STORES, async (tx) => {
      for (const status of (await tx.objectStore('statuses').getAll()).filter(over)) await dropStatus(tx, status)
      await noteNew(tx, now())
    })
    news.tell({ updates: true })
  }

  /** Gets those that are not here. Those of muted people wait until they are asked for. */
  private async take(all: Listed[], live: boolean): Promise<void> {
    const { db, account, news, now } = this.around
    const missing: KeptStatus[] = []
    for (const { author, id, posted, expires } of all) {
      const tx = look(db, ['statuses', 'statusViews', 'kv'])
      if (await tx.objectStore('statuses').getKey(keyOf(author, id)) || expires <= now()) continue
      const own = author === account
      const seen = own || await tx.objectStore('statusViews').getKey([id, account]) !== undefined
      const status: KeptStatus = { key: keyOf(author, id), id, author, own, posted, expires: Math.min(expires, now() + STATUS_LIFE), colour: 0, seen, ...(seen ? { told: true } : {}) }
      if (!await isStatusMuted(tx, author)) missing.push(status)
      else await change(db, ['statuses'], (step) => step.objectStore('statuses').put(status))
    }
    const room = MAX_STATUSES - await db.count('statuses')
    await this.fetchAll(missing.slice(0, Math.max(0, room)), live)
    await this.sweep()
    news.tell({ updates: true })
  }

  private async fetchAll(missing: KeptStatus[], live = false): Promise<void> {
    let failure: unknown
    for (const author of new Set(missing.map((s) => s.author))) {
      await this.fetchOf(author, missing.filter((s) => s.author === author), live).catch((error: unknown) => { failure ??= error }) // one stops no other
    }
    if (failure !== undefined) throw failure
  }

  private async fetchOf(author: JID, theirs: KeptStatus[], live: boolean): Promise<void> {
    const { db, secure, news, now } = this.around
    for (let from = 0; from < theirs.length; from += AT_ONCE) {
      const some = theirs.slice(from, from + AT_ONCE)
      const items = await getItems(this.around.session(), STORIES, { to: author, ids: some.map((s) => s.id) }).catch((error: unknown) => {
        if (error instanceof StanzaError && !error.temporary) return [] // not for us any more
        throw error
      })
      const read: { status: KeptStatus; name: string }[] = []
      for (const status of some) {
        const item = items.find((i) => i.id === status.id)
        const one = item && await this.read(status, item, live)
        if (one) read.push({ status: one, name: nameOf(one) })
      }
      await change(db, STATUS_STORES, async (tx) => {
        for (const { status } of read) await tx.objectStore('statuses').put(status)
        await noteNew(tx, now())
      })
      await secure.stored(read.map((r) => r.name))
      news.tell({ updates: true })
    }
  }

  /** Opens an item. It can be opened once: what it says is kept. */
  private async read(status: KeptStatus, item: Item, live: boolean): Promise<KeptStatus | undefined> {
    const { secure, now } = this.around
    const sealed = sealedOf(item.payload, status.author)
    const reading = sealed && await secure.open(sealed, status.author, nameOf(status))
    const found = reading?.what === 'text' && reading.content ? readStatus(reading.content, reading.body) : undefined
    if (!found) return { ...status, unreadable: true }
    // When it was told the server says; what an event does not say, its author does, as far as it makes sense.
    const posted = live && found.posted !== undefined ? Math.max(now() - STATUS_LIFE, Math.min(now(), found.posted)) : status.posted
    return { ...status, content: found.content, colour: found.colour, posted, expires: Math.min(status.expires, posted + STATUS_LIFE) }
  }

  private async fetchFile({ author, content, expires }: KeptStatus): Promise<void> {
    const { db, http, secure, news, now } = this.around
    if (!content || !('media' in content) || await db.getKey('files', content.media.key)) return
    const address = content.media.url && readAddress(content.media.url)
    if (!address) throw new HttpRefused(400)
    const limit = content.media.size ? Math.min(MAX_FILE, content.media.size + 1024) : MAX_FILE
    const got = await http.get(address.url, undefined, limit, () => undefined, new AbortController().signal, () => undefined)
    const opened = address.key && await secure.crypto.decryptMedia(got, address.key, content.media.mime)
    if (opened && !opened.ok) throw new HttpBroken(opened.error.code)
    if (expires <= now()) return
    await change(db, ['files', 'blobs'], async (tx) => {
      await keepFile(tx, { key: content.media.key, chat: author, only: false, used: now() }, opened ? opened.value : new Blob([got], { type: content.media.mime }))
      await makeRoom(tx, MEDIA_BOUND)
    })
    news.tell({ updates: true })
  }

  private async sendAll(): Promise<void> {
    const { db, account } = this.around
    if (await get(db, 'statusAudience untold')) await this.tellAudience()
    const own = (await db.getAll('statuses')).filter((s) => s.author === account && (s.gone || s.state === 'waiting')).sort((a, b) => a.posted - b.posted)
    for (const status of own) await (status.gone ? this.takeBack(status) : this.send(status))
  }

  private async tellAudience(): Promise<void> {
    const { db } = this.around
    const audience = await get(db, 'statusAudience')
    if (audience) await publishAudience(this.around.session(), audience)
    await change(db, ['kv'], (tx) => tx.objectStore('kv').delete('statusAudience untold'))
  }

  private async takeBack(status: KeptStatus): Promise<void> {
    const { db, news } = this.around
    await retractItem(this.around.session(), STORIES, status.id)
    await change(db, STATUS_STORES, (tx) => dropStatus(tx, status))
    news.tell({ updates: true })
  }

  private async send(status: KeptStatus): Promise<void> {
    try {
      const ready = await uploadStatus(this.around, status)
      if (!ready?.content || !status.audience) return
      const { secure, account, now } = this.around
      const posted = now()
      const readers = await readersOf(this.around.db, account, status.audience)
      const message = await secure.sealFor(readers, writeStatus(ready.content, ready.colour, posted))
      if (!message?.keys.some((k) => k.jid !== account)) return await this.note(status, { state: 'failed', failure: 'nobody' })
      await publishStatus(this.around.session(), status.id, account, message).catch((error: unknown) => {
        if (!(error instanceof StanzaError) || error.condition !== 'conflict') throw error // it is there: an answer was lost
      })
      await this.note(status, { state: undefined, failure: undefined, posted, expires: posted + STATUS_LIFE, readers: [...new Set(message.keys.flatMap((k) => k.jid ?? []))] })
      await this.sweep()
    } catch (error) {
      const failure = failureOf(error)
      if (!failure) throw error
      await this.note(status, { state: 'failed', failure })
    }
  }

  private async note(status: KeptStatus, fields: Partial<KeptStatus>): Promise<void> {
    const { db, news } = this.around
    await change(db, ['statuses'], async (tx) => {
      const now = await tx.objectStore('statuses').get(status.key)
      if (now) await tx.objectStore('statuses').put({ ...now, ...fields })
    })
    news.tell({ updates: true })
  }
}

/** There is no connection: that is no news. */
const isAway = (error: unknown): boolean => (error instanceof StanzaError && error.temporary) || (error instanceof Error && error.name === 'Offline')

const nameOf = (status: KeptStatus): string => `status ${status.key}`.slice(0, 1000)

/** Why it is no use to try again by itself; undefined if it is. */
function failureOf(error: unknown): StatusFailure | undefined {
  if (error instanceof UploadRefused) return error.reason === 'too-large' || error.reason === 'quota' ? error.reason : 'upload'
  if (error instanceof HttpRefused) return error.status === 413 ? 'too-large' : 'upload'
  if (error instanceof CannotEncrypt) return error.code === 'too-large' ? 'too-large' : 'no-devices'
  if (!(error instanceof StanzaError) || error.temporary) return undefined
  return error.condition === 'resource-constraint' ? 'many' : error.condition === 'not-acceptable' ? 'too-large' : 'refused'
}
