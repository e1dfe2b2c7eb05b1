// The encrypted history (docs/protocol/encrypted-history.md): what this device could read is written down for devices that are linked later, and
// what older devices wrote is read here. Only a device with the history's key does either.

import type { Bytes, HistoryIndex } from '../crypto/types.ts'
import type { JID, Micros } from '../model.ts'
import { change, everything, type Database, type KeptMessage } from '../store/database.ts'
import { get, type Written } from '../store/kv.ts'
import { archiveName } from '../store/names.ts'
import { encryptedElement } from '../xmpp/omemo.ts'
import { hint } from '../xmpp/ids.ts'
import { getItems, OWN, publish } from '../xmpp/pubsub.ts'
import type { Session } from '../xmpp/session.ts'
import { base64, fromBase64, message, newID } from '../xmpp/stanza.ts'
import { el } from '../xmpp/xml.ts'
import { Collector, type News } from './changes.ts'
import { importLines, lineOf } from './history-lines.ts'
import { value, type Secure } from './secure.ts'

const NODE = 'urn:palabre:history:0'
/** After a message, and between two writings, in milliseconds. */
const CALM = 20_000
/** A chunk with fewer messages is written anew with more, instead of another one. */
const FULL = 1000
/** Chunks that one run writes, and items that one request asks for. */
const MAX_RUN = 20
const AT_ONCE = 5
/** Chunks of one device (§4). */
const MAX_CHUNKS = 2048

/** The history of one account. */
export class History {
  private timer: ReturnType<typeof setTimeout> | undefined
  private busy: Promise<void> = Promise.resolve()
  private readonly stop: () => void

  /** `place` has the archive tell the places of messages of ours that were sent since then. */
  constructor(
    private readonly db: Database, private readonly account: JID, private readonly secure: Secure, private readonly news: News,
    private readonly session: () => Session | undefined, private readonly place: (session: Session, since: Micros) => Promise<void>,
  ) {
    this.stop = news.listen((c) => { if (c.messages && this.timer === undefined) this.timer = setTimeout(() => this.run((s) => this.write(s)), CALM) })
  }

  end(): void {
    clearTimeout(this.timer)
    this.stop()
  }

  /** The archive was read to its end: what others wrote is read, and what is not written yet is written. */
  caughtUp(): void {
    this.run(async (session) => {
      await this.read(session)
      await this.write(session)
    })
  }

  /** One after the other; what fails is done at the next occasion. */
  private run(work: (session: Session) => Promise<void>): void {
    this.timer = undefined
    this.busy = this.busy.then(async () => {
      const session = this.session()
      if (session && value(await this.secure.crypto.historyState()).keys.length) await work(session)
    }).catch((error: unknown) => { console.warn('history', error) })
  }

  /** Makes a recovery code, and the history's key if there is none. */
  async recoveryCode(session: Session): Promise<string> {
    const { crypto } = this.secure
    if (!value(await crypto.historyState()).keys.length) value(await crypto.newHistoryKey())
    const { code, wrapped } = value(await crypto.newRecovery())
    await publish(session, NODE, el(NODE, 'recovery', {}, base64(wrapped)), OWN, 'recovery')
    const shared = await crypto.shareHistory()
    if (shared.ok && shared.value) session.send(message({ to: this.account, id: newID() }, encryptedElement(shared.value), hint('store')))
    this.run((s) => this.write(s))
    return code
  }

  /** Opens the history with its code. Fails with the worker's refusal for a wrong one. */
  async recover(session: Session, code: string): Promise<void> {
    const wrapped = await this.item(session, 'recovery', 'recovery')
    if (!wrapped) throw new Error('there is no history')
    value(await this.secure.crypto.recover(code, wrapped))
    this.run((s) => this.read(s))
  }

  private async item(session: Session, id: string, name: string): Promise<Bytes | undefined> {
    const [item] = await getItems(session, NODE, { ids: [id] })
    return item?.payload?.is(name, NODE) ? fromBase64(item.payload.text) : undefined
  }

  // Writing

  private async write(session: Session): Promise<void> {
    const unplaced = await get(this.db, 'unplaced')
    if (unplaced !== undefined) {
      await this.place(session, unplaced)
      await change(this.db, ['kv'], (tx) => tx.objectStore('kv').delete('unplaced'))
    }
    for (let i = 0; i < MAX_RUN && await this.writeChunk(session); i++);
  }

  /** Writes one chunk; false if there is nothing more to write. */
  private async writeChunk(session: Session): Promise<boolean> {
    const { crypto } = this.secure
    const done: Written = await get(this.db, 'history') ?? { index: 0, chunks: [], complete: [] }
    const last = done.chunks.at(-1)
    const again = last && last.count < FULL
    const messages = await this.after(last ? (again ? last.from - 1 : last.to) : 0)
    if (!messages.length || (again && messages.at(-1)?.archiveId === last.to)) return false
    const before = again ? done.chunks.slice(0, -1) : done.chunks
    if (before.length >= MAX_CHUNKS) return false
    const number = (before.at(-1)?.number ?? 0) + 1
    const lines = messages.map((m) => lineOf(m))
    const { data, hash, taken } = value(await crypto.sealChunk(number, before.at(-1)?.hash ?? '', lines))
    const [first, end] = [messages[0]?.archiveId ?? 0, messages[taken - 1]?.archiveId ?? 0]
    const chunks = [...before, { number, hash, from: first, to: end, count: taken }]
    const index: HistoryIndex = { number: done.index + 1, chunks, complete: [[chunks[0]?.from ?? first, end]] }
    await publish(session, NODE, el(NODE, 'chunk', {}, base64(data)), OWN, `${this.secure.deviceID}-${number}`)
    const sealed = value(await crypto.sealIndex(index))
    await publish(session, NODE, el(NODE, 'index', {}, base64(sealed)), OWN, `index-${this.secure.deviceID}`)
    await change(this.db, ['kv'], async (tx) => { await tx.objectStore('kv').put({ index: index.number, chunks, complete: index.complete } satisfies Written, 'history') })
    return taken < messages.length || messages.length >= 2 * FULL
  }

  /** Messages that came encrypted, after a place in the archive, in its order. */
  private async after(place: Micros): Promise<KeptMessage[]> {
    const range = IDBKeyRange.bound(archiveName(String(place).padStart(16, '0')), 'a \uffff', true)
    const out: KeptMessage[] = []
    let cursor = await this.db.transaction('messages').store.index('names').openCursor(range)
    for (; cursor && out.length < 2 * FULL; cursor = await cursor.continue()) {
      const m = cursor.value
      if (m.archiveId && m.protection === 'omemo' && !m.expiresAt && m.content.type !== 'undecryptable' && m.content.type !== 'system') out.push(m)
    }
    return out
  }

  // Reading

  private async read(session: Session): Promise<void> {
    const { crypto } = this.secure
    const devices = value(await crypto.devices(this.account)).map((d) => d.id).filter((id) => id !== this.secure.deviceID)
    if (!devices.length) return
    for (const item of await getItems(session, NODE, { ids: devices.slice(0, 100).map((id) => `index-${id}`) })) {
      const writer = Number(/^index-(\d{1,10})$/.exec(item.id)?.[1])
      const data = item.payload?.is('index', NODE) ? fromBase64(item.payload.text) : undefined
      const index = writer && data ? await crypto.openIndex(writer, data) : undefined
      if (index?.ok) await this.readChunks(session, writer, index.value)
    }
  }

  /** The newest first: that is what people look for. */
  private async readChunks(session: Session, writer: number, index: HistoryIndex): Promise<void> {
    const seen = new Set(await get(this.db, 'history read') ?? [])
    const wanted = index.chunks.filter((c) => !seen.has(c.hash)).reverse()
    for (let i = 0; i < wanted.length; i += AT_ONCE) {
      const part = wanted.slice(i, i + AT_ONCE)
      const items = await getItems(session, NODE, { ids: part.map((c) => `${writer}-${c.number}`) })
      for (const { number, hash } of part) {
        const payload = items.find((item) => item.id === `${writer}-${number}`)?.payload
        const data = payload?.is('chunk', NODE) ? fromBase64(payload.text) : undefined
        const opened = data && await this.secure.crypto.openChunk(data, { writer, number, hash })
        if (opened?.ok) await this.keep(opened.value.lines, hash)
      }
    }
  }

  private async keep(lines: string[], hash: string): Promise<void> {
    const changes = new Collector()
    await change(this.db, everything, async (tx) => {
      await importLines({ tx, account: this.account, now: Date.now() * 1000, changes }, lines)
      const seen = await get(tx, 'history read') ?? []
      await tx.objectStore('kv').put([...seen, hash].slice(-20 * MAX_CHUNKS), 'history read')
    })
    this.news.tell(changes.all)
  }
}

/** Notes in a step that messages of ours may be in the archive at places that are not known, from here on. */
export async function noteUnplaced(tx: Parameters<Parameters<typeof change>[2]>[0], since: Micros): Promise<void> {
  const before = await get(tx, 'unplaced')
  if (before === undefined || since < before) await tx.objectStore('kv').put(since, 'unplaced')
}
