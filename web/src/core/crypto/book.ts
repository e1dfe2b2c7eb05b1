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
  get(id: string): Promise<Bytes | undefined>
  put(id: string, data: Bytes): Promise<void>
  remove(id: string): Promise<void>
}

/** A message to be written: its id in the archive, and the line. */
export interface Entry { id: Micros; line: string }

/** What reading gave, beside the lines: chunks that are not on the shelf, and those that were refused and why. */
export interface Gaps { missing: number; refused: RefusalCode[] }

type Part = Pick<Crypto,
  'historyState' | 'newHistoryKey' | 'shareHistory' | 'sealChunk' | 'openChunk' | 'sealIndex' | 'openIndex' | 'newRecovery' | 'wrapRecovery' | 'recover'>

const maxWriters = 200
const maxChunks = 2048

/** Book is one device's view of its account's history. One at a time may write: the tab that leads. */
export class Book {
  private own: HistoryIndex | undefined

  constructor(private readonly crypto: Part, private readonly device: number, private readonly shelf: Shelf) {}

  /** `open`: can be read and written. `locked`: there is a history, and this device has no key: link it or type the recovery code. `none`: there is none
   * yet. */
  async state(): Promise<'open' | 'locked' | 'none'> {
    if (must(await this.crypto.historyState()).keys.length > 0) return 'open'
    return (await this.writers()).length > 0 || (await this.shelf.get('recovery')) ? 'locked' : 'none'
  }

  /** Writes messages, oldest first, and notes that everything readable between two ids is written. It is fulfilled when it is on the shelf; after a
   * rejection the same may be written again. Refused as `no-session` while locked; begins a history where there is none. */
  async write(entries: Entry[], complete: [Micros, Micros]): Promise<void> {
    const state = await this.state()
    if (state === 'locked') refuse('no-session', 'the history is locked')
    if (state === 'none') must(await this.crypto.newHistoryKey())
    const index = await this.ownIndex()
    const chunks = [...index.chunks]
    for (let left = entries; left.length > 0;) {
      if (chunks.length >= maxChunks) refuse('too-large', 'the history is full')
      const last = chunks.at(-1)
      const number = lastNumber(chunks) + 1
      const sealed = must(await this.crypto.sealChunk(number, last?.hash ?? '', left.map((e) => e.line)))
      const some = left.slice(0, sealed.taken)
      left = left.slice(sealed.taken)
      await this.shelf.put(`${this.device}-${number}`, sealed.data)
      const ids = some.map((e) => e.id)
      chunks.push({ number, hash: sealed.hash, from: Math.min(...ids), to: Math.max(...ids), count: some.length })
    }
    await this.publish({ number: index.number + 1, chunks, complete: joined([...index.complete, complete]) })
  }

  /** Reads every chunk whose hash is not known yet, newest first, and gives its lines with its hash. What is missing or refused is counted and passed
   * over; what `take` rejects ends it. */
  async read(known: (hash: string) => boolean, take: (lines: string[], hash: string) => Promise<void>): Promise<Gaps> {
    const gaps: Gaps = { missing: 0, refused: [] }
    const found = (await this.indexes(gaps)).flatMap(({ writer, index }) => index.chunks.map((chunk) => ({ writer, ...chunk })))
    for (const { writer, number, hash } of found.sort((a, b) => b.to - a.to)) {
      if (known(hash)) continue
      const data = await this.shelf.get(`${writer}-${number}`)
      if (!data) {
        gaps.missing++
        continue
      }
      const opened = await this.crypto.openChunk(data, { writer, number, hash })
      if (opened.ok) await take(opened.value.lines, hash)
      else gaps.refused.push(opened.error.code)
    }
    return gaps
  }

  /** The spans of archive ids that some device has written completely. */
  async complete(): Promise<[Micros, Micros][]> {
    return joined((await this.indexes({ missing: 0, refused: [] })).flatMap(({ index }) => index.complete))
  }

  /** Takes a retracted message out: writes those chunks of this device that may hold it anew, under new numbers. `keep` says which lines stay. */
  async rewrite(id: Micros, keep: (line: string) => boolean): Promise<void> {
    const index = await this.ownIndex()
    const chunks = [...index.chunks]
    const old: number[] = []
    for (const chunk of index.chunks.filter((c) => id >= c.from && id <= c.to)) {
      const data = await this.shelf.get(`${this.device}-${chunk.number}`)
      if (!data) continue
      const { lines } = must(await this.crypto.openChunk(data, { writer: this.device, number: chunk.number, hash: chunk.hash }))
      const kept = lines.filter(keep)
      if (kept.length === lines.length) continue
      old.push(chunk.number)
      chunks.splice(chunks.indexOf(chunk), 1)
      if (kept.length > 0) chunks.push(await this.putChunk(kept, { ...chunk, number: lastNumber([...index.chunks, ...chunks]) + 1 }, chunks.at(-1)?.hash ?? ''))
    }
    if (old.length === 0) return
    await this.publish({ ...index, number: index.number + 1, chunks })
    for (const number of old) await this.shelf.remove(`${this.device}-${number}`)
  }

  private async putChunk(lines: string[], chunk: HistoryIndex['chunks'][number], previous: string): Promise<HistoryIndex['chunks'][number]> {
    const sealed = must(await this.crypto.sealChunk(chunk.number, previous, lines))
    await this.shelf.put(`${this.device}-${chunk.number}`, sealed.data)
    return { ...chunk, hash: sealed.hash, count: lines.length }
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
    const wrapped = (await this.shelf.get('recovery')) ?? refuse('no-session', 'no recovery code was made')
    must(await this.crypto.recover(code, wrapped))
  }

  /** After a device was removed: a new key, the recovery code for it, and a message to our own verified devices to be sent. */
  async renew(): Promise<Encrypted | null> {
    const { recovery } = must(await this.crypto.newHistoryKey())
    if (recovery) await this.shelf.put('recovery', must(await this.crypto.wrapRecovery()))
    return must(await this.crypto.shareHistory())
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
  }

  // Chunks are on the shelf before the index that names them, and the index before its writer is named.
  private async publish(index: HistoryIndex): Promise<void> {
    const sealed = must(await this.crypto.sealIndex(index))
    this.own = undefined // not known until it is read again, if what follows fails
    await this.shelf.put(`index-${this.device}`, sealed)
    const writers = await this.writers()
    if (!writers.includes(this.device)) await this.shelf.put('writers', utf8([...writers, this.device].slice(-maxWriters).join(' ')))
    this.own = must(await this.crypto.openIndex(this.device, sealed))
  }

  private async ownIndex(): Promise<HistoryIndex> {
    if (this.own) return this.own
    const saved = await this.shelf.get(`index-${this.device}`)
    return (this.own = saved ? must(await this.crypto.openIndex(this.device, saved)) : { number: 0, chunks: [], complete: [] })
  }

  private async writers(): Promise<number[]> {
    const saved = await this.shelf.get('writers')
    const ids = saved ? text(saved).split(' ').map(Number).filter((id) => Number.isInteger(id) && id > 0 && id < 2 ** 31) : []
    return [...new Set(ids)].slice(0, maxWriters)
  }

  // Every index that can be opened. Keys come with some of them, so that others can be opened after those.
  private async indexes(gaps: Gaps): Promise<{ writer: number; index: HistoryIndex }[]> {
    const out: { writer: number; index: HistoryIndex }[] = []
    let left: { writer: number; data: Bytes; code: RefusalCode }[] = []
    for (const writer of await this.writers()) {
      const data = await this.shelf.get(`index-${writer}`)
      if (data) left.push({ writer, data, code: 'fault' })
      else gaps.missing++
    }
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

function lastNumber(chunks: HistoryIndex['chunks']): number {
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
