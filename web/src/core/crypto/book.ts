// The encrypted history as a whole (docs/protocol/encrypted-history.md): which chunks there are, writing more, reading what others wrote. It runs in the
// tab and knows neither XML nor the store: the engine gives it the private node as a shelf, and lines of JSON.

import type { Crypto } from './api.ts'
import { text, utf8 } from './bytes.ts'
import { Refused, refuse } from './failure.ts'
import type { Bytes, Encrypted, HistoryIndex, RefusalCode, Result } from './types.ts'
import type { Micros } from '../model.ts'

/** The private node `urn:palabre:history:0`, by item id. The element is `recovery`, `writers`, `index` for ids that begin so, else `chunk`. A rejection
 * is passed on: nothing is kept then. */
export interface Shelf {
  /** Those that are there. At most 5 at a time, so that an answer stays below 1 MiB. */
  get(ids: string[]): Promise<Map<string, Bytes>>
  put(id: string, data: Bytes): Promise<void>
  remove(id: string): Promise<void>
}

/** A message to be written: its id in the archive, and the line. */
export interface Entry { id: Micros; line: string }

/** One chunk in an index. */
export type Chunk = HistoryIndex['chunks'][number]

/** What reading gave, beside the lines: chunks that are not on the shelf, and those that were refused and why. */
export interface Gaps { missing: number; refused: RefusalCode[] }

/** Takes what was read. */
export interface Taker {
  /** Chunks that are not wanted are not fetched. */
  wants(chunk: Chunk): boolean | Promise<boolean>
  /** Keeps the lines of a chunk; a rejection ends the reading. */
  take(lines: string[], hash: string): Promise<void>
}

type Part = Pick<Crypto,
  'historyState' | 'newHistoryKey' | 'shareHistory' | 'sealChunk' | 'openChunk' | 'sealIndex' | 'openIndex' | 'newRecovery' | 'wrapRecovery' | 'recover'>

/** Chunks of one device (§4). */
export const maxChunks = 2048
const maxWriters = 100
const atOnce = 5 // chunks that are fetched together

/** Book is one device's view of its account's history. One at a time may write: the tab that leads. */
export class Book {
  private named = false

  /** `own` is what this device has written, as it was kept here; without it the shelf is asked. */
  constructor(private readonly crypto: Part, private readonly device: number, private readonly shelf: Shelf, private own?: HistoryIndex) {}

  /** `open`: can be read and written. `locked`: there is a history, and this device has no key: link it or type the recovery code. `none`: there is none
   * yet. */
  async state(): Promise<'open' | 'locked' | 'none'> {
    if (must(await this.crypto.historyState()).keys.length > 0) return 'open'
    return (await this.writers()).length > 0 || (await this.item('recovery')) ? 'locked' : 'none'
  }

  private async item(id: string): Promise<Bytes | undefined> {
    return (await this.shelf.get([id])).get(id)
  }

  /** Writes messages, oldest first, and notes that everything readable between two ids is written. It is fulfilled when it is on the shelf; after a
   * rejection the same may be written again. With `old` the chunks of these numbers are taken away, and the messages stand in the place of the first
   * of them. `kept` is given the new index before the old chunks are removed. Refused as `no-session` while locked, as `too-large` when the history
   * is full; begins a history where there is none. */
  async write(entries: Entry[], complete?: [Micros, Micros], old: number[] = [], kept: (index: HistoryIndex) => Promise<void> = async () => undefined): Promise<void> {
    const state = await this.state()
    if (state === 'locked') refuse('no-session', 'the history is locked')
    if (state === 'none') must(await this.crypto.newHistoryKey())
    const index = await this.ownIndex()
    const first = index.chunks.findIndex((c) => old.includes(c.number))
    const before = first < 0 ? index.chunks : index.chunks.slice(0, first)
    const after = first < 0 ? [] : index.chunks.slice(first).filter((c) => !old.includes(c.number))
    const chunks = [...before, ...await this.putChunks(entries, lastNumber(index.chunks), before.at(-1)?.hash ?? ''), ...after]
    if (chunks.length > maxChunks) refuse('too-large', 'the history is full')
    await this.publish({ number: index.number + 1, chunks, complete: complete ? joined([...index.complete, complete]) : index.complete }, kept)
    for (const number of old) await this.shelf.remove(`${this.device}-${number}`)
  }

  private async putChunks(entries: Entry[], last: number, previous: string): Promise<Chunk[]> {
    const out: Chunk[] = []
    for (let left = entries; left.length > 0;) {
      const number = last + out.length + 1
      const { data, hash, taken } = must(await this.crypto.sealChunk(number, out.at(-1)?.hash ?? previous, left.map((e) => e.line)))
      await this.shelf.put(`${this.device}-${number}`, data)
      const ids = left.slice(0, taken).map((e) => e.id)
      out.push({ number, hash, from: Math.min(...ids), to: Math.max(...ids), count: taken })
      left = left.slice(taken)
    }
    return out
  }

  /** Reads the chunks of other devices that are wanted, newest first. What is missing or refused is counted and passed over. `also` are devices that
   * may have written without being among the writers. */
  async read(taker: Taker, also: number[] = []): Promise<Gaps> {
    const gaps: Gaps = { missing: 0, refused: [] }
    const found = (await this.indexes(gaps, also)).flatMap(({ writer, index }) => index.chunks.map((chunk) => ({ writer, ...chunk })))
    const wanted = []
    for (const chunk of found.sort((a, b) => b.to - a.to)) if (await taker.wants(chunk)) wanted.push(chunk)
    for (let i = 0; i < wanted.length; i += atOnce) {
      const part = wanted.slice(i, i + atOnce)
      const items = await this.shelf.get(part.map(({ writer, number }) => `${writer}-${number}`))
      for (const { writer, number, hash } of part) {
        const data = items.get(`${writer}-${number}`)
        const opened = data && await this.crypto.openChunk(data, { writer, number, hash })
        if (!opened) gaps.missing++
        else if (opened.ok) await taker.take(opened.value.lines, hash)
        else gaps.refused.push(opened.error.code)
      }
    }
    return gaps
  }

  /** The spans of archive ids that some device has written completely. */
  async complete(): Promise<[Micros, Micros][]> {
    return joined((await this.indexes({ missing: 0, refused: [] })).flatMap(({ index }) => index.complete))
  }

  /** Makes a recovery code, to be shown once; the one before is worthless from then on. Refused as `no-session` while the history is locked. */
  async newRecovery(): Promise<string> {
    if ((await this.state()) === 'locked') refuse('no-session', 'the history is locked')
    const { code, wrapped } = must(await this.crypto.newRecovery())
    await this.shelf.put('recovery', wrapped)
    return code
  }

  /** Opens the history with the code. Refused as `malformed` if it is mistyped, `decrypt` if it is not the newest one, `no-session` if none was made. */
  async recover(code: string): Promise<void> {
    const wrapped = (await this.item('recovery')) ?? refuse('no-session', 'no recovery code was made')
    must(await this.crypto.recover(code, wrapped))
  }

  /** After a new key: the recovery code leads to it, and a message to our own verified devices is to be sent. It may be done again. */
  async spread(): Promise<Encrypted | null> {
    const { recovery } = must(await this.crypto.historyState())
    if (recovery) await this.shelf.put('recovery', must(await this.crypto.wrapRecovery()))
    return must(await this.crypto.shareHistory())
  }

  /** After a device was removed: a new key, which is spread. */
  async renew(): Promise<Encrypted | null> {
    must(await this.crypto.newHistoryKey())
    return this.spread()
  }

  /** Removes the history of all devices from the server. */
  async remove(): Promise<void> {
    for (const { writer, index } of await this.indexes({ missing: 0, refused: [] })) {
      for (const { number } of index.chunks) await this.shelf.remove(`${writer}-${number}`)
      await this.shelf.remove(`index-${writer}`)
    }
    await this.shelf.remove('writers')
    await this.shelf.remove('recovery')
    this.own = undefined
    this.named = false
  }

  // Chunks are on the shelf before the index that names them, and the index before its writer is named.
  private async publish(index: HistoryIndex, kept: (index: HistoryIndex) => Promise<void>): Promise<void> {
    const sealed = must(await this.crypto.sealIndex(index))
    await this.shelf.put(`index-${this.device}`, sealed)
    must(await this.crypto.openIndex(this.device, sealed))
    await kept(index)
    this.own = index
    if (this.named) return
    const writers = await this.writers()
    if (!writers.includes(this.device)) await this.shelf.put('writers', utf8([...writers, this.device].slice(-maxWriters).join(' ')))
    this.named = true
  }

  private async ownIndex(): Promise<HistoryIndex> {
    if (this.own) return this.own
    const saved = await this.item(`index-${this.device}`)
    return (this.own = saved ? must(await this.crypto.openIndex(this.device, saved)) : { number: 0, chunks: [], complete: [] })
  }

  private async writers(): Promise<number[]> {
    const saved = await this.item('writers')
    const ids = saved ? text(saved).split(' ').map(Number).filter((id) => Number.isInteger(id) && id > 0 && id < 2 ** 31) : []
    return [...new Set(ids)].slice(0, maxWriters)
  }

  // Every index that can be opened. Keys come with some of them, so that others can be opened after those.
  private async indexes(gaps: Gaps, also: number[] = []): Promise<{ writer: number; index: HistoryIndex }[]> {
    const out: { writer: number; index: HistoryIndex }[] = []
    const writers = await this.writers()
    const all = [...new Set([...writers, ...also])].slice(0, maxWriters)
    if (all.length === 0) return out
    const items = new Map<string, Bytes>()
    for (let i = 0; i < all.length; i += atOnce) for (const [id, data] of await this.shelf.get(all.slice(i, i + atOnce).map((writer) => `index-${writer}`))) items.set(id, data)
    gaps.missing += writers.filter((writer) => !items.has(`index-${writer}`)).length
    let left = all.flatMap((writer) => { const data = items.get(`index-${writer}`); return data ? [{ writer, data, code: 'fault' as RefusalCode }] : [] })
    for (let before = -1; before !== left.length && left.length > 0;) {
      before = left.length
      const again: typeof left = []
      for (const { writer, data } of left) {
        const opened = await this.crypto.openIndex(writer, data)
        if (opened.ok) out.push({ writer, index: opened.value })
        else again.push({ writer, data, code: opened.error.code })
      }
      left = again
    }
    gaps.refused.push(...left.map(({ code }) => code))
    return out
  }
}

function lastNumber(chunks: Chunk[]): number {
  return chunks.reduce((most, c) => Math.max(most, c.number), 0)
}

// Spans that touch or overlap are one.
function joined(spans: [Micros, Micros][]): [Micros, Micros][] {
  const out: [Micros, Micros][] = []
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = out.at(-1)
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else out.push([from, to])
  }
  return out
}

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Refused(result.error.code, result.error.detail)
  return result.value
}
