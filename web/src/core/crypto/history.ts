// The encrypted history: what devices of one account write down for those that are linked later, opaque to the server that keeps it.
// docs/protocol/encrypted-history.md says what everything means. Here: keys, chunks and the index; recovery.ts and link.ts hand keys over.

import { sha256 } from '@noble/hashes/sha2.js'
import { hex, join, same, text, unhex, utf8 } from './bytes.ts'
import type { Device } from './device.ts'
import { refuse } from './failure.ts'
import { derive } from './kdf.ts'
import { openGCM, sealGCM } from './payload.ts'
import { Fields, readFields } from './protobuf.ts'
import { append, kinds, newSaved, readSaved, unknownField } from './saved.ts'
import type { ArchiveKey, Bytes, HistoryChunk, HistoryIndex, HistoryState } from './types.ts'

const domain = 'urn:palabre:history:0'
/** Largest chunk as it is kept, in bytes, and what it may hold before compression. */
export const maxChunk = 128 << 10
const maxPlain = 4 << 20
const maxLines = 5000
const maxKeys = 64
const headerSize = 68
const name = 'history'

/** What is sealed: the byte in its header, and the name in its key. */
export const boxes = { chunk: 1, index: 2, recovery: 3 } as const

/** What a device keeps of the history: keys, the one to seal with first, and the public half of the recovery code, for which new keys are wrapped. */
export interface Kept { keys: ArchiveKey[]; recovery?: { salt: Bytes; public: Bytes } }

/** What this device keeps; no keys if it has none. */
export async function loadKept(d: Device): Promise<Kept> {
  const saved = (await d.store.load([name])).get(name)
  if (!saved) return { keys: [] }
  return readSaved(saved, kinds.archive, (fields) => {
    const out: Kept = { keys: [] }
    for (const f of fields) {
      if (f.field === 1) append(out.keys, maxKeys, readKey(f.bytes()))
      else if (f.field === 3) out.recovery = { salt: f.bytes().slice(0, 16), public: f.bytes().slice(16) }
      else if (f.field === 2) f.bytes() // a secret that wrapped keys, of a program before this one: there has to be a new code
      else unknownField(f)
    }
    return out
  })
}

function readKey(saved: Bytes): ArchiveKey {
  const out: ArchiveKey = { id: '', key: new Uint8Array(32), made: 0 }
  for (const f of readFields(saved)) {
    if (f.field === 1) out.key = f.key()
    else if (f.field === 2) out.made = f.uint53()
    else unknownField(f)
  }
  return { ...out, id: hex(idOf(out.key)) }
}

/** Changes what is kept, in a turn. */
export function changeKept(d: Device, change: (kept: Kept) => Kept): Promise<HistoryState> {
  return d.turn(async () => {
    const { keys, recovery } = change(await loadKept(d))
    const f = newSaved(kinds.archive)
    for (const k of keys.slice(0, maxKeys)) f.bytes(1, new Fields().bytes(1, k.key).number(2, k.made).done())
    if (recovery) f.bytes(3, join(recovery.salt, recovery.public))
    await d.store.save(new Map([[name, f.done()]]))
    return stateOf({ keys, recovery })
  })
}

function stateOf(kept: Kept): HistoryState {
  return { keys: kept.keys.map((k) => k.id), recovery: kept.recovery !== undefined }
}

/** The first 8 bytes of a hash of a key: which key something is sealed with. */
export function idOf(key: Bytes): Bytes {
  return sha256(join(utf8(`${domain} id`), key)).slice(0, 8)
}

/** What this device has of the history's keys. */
export async function historyState(d: Device): Promise<HistoryState> {
  return stateOf(await loadKept(d))
}

/** Draws a key and puts it before the others: the first one, or the next after a device was removed from the account. */
export function newHistoryKey(d: Device): Promise<HistoryState> {
  const key = d.random(32)
  return changeKept(d, (kept) => ({ ...kept, keys: [{ id: hex(idOf(key)), key, made: d.now() }, ...kept.keys] }))
}

/** Takes keys over: before our own when another device hands them over, so that both seal with the same; after them when they are older ones, as are all
 * of a device whose newest we know already. */
export function adoptKept(d: Device, from: Kept, handed: boolean): Promise<HistoryState> {
  return changeKept(d, (own) => {
    const before = handed && !own.keys.some((k) => k.id === from.keys[0]?.id)
    const given = from.keys.filter((k) => before || !own.keys.some((o) => o.id === k.id))
    const rest = own.keys.filter((k) => !given.some((g) => g.id === k.id))
    return { keys: before ? [...given, ...rest] : [...rest, ...given], recovery: from.recovery ?? own.recovery }
  })
}

/** What is kept, to be given to another device of the account, encrypted. */
export function writeKept({ keys, recovery }: Kept): string {
  return JSON.stringify({
    keys: keys.map((k) => ({ key: hex(k.key), made: k.made })),
    ...(recovery ? { recovery: { salt: hex(recovery.salt), public: hex(recovery.public) } } : {}),
  })
}

/** Reads what writeKept wrote; refuses anything else as malformed. */
export function readKept(json: string): Kept {
  let read: { keys?: { key?: unknown; made?: unknown }[]; recovery?: { salt?: unknown; public?: unknown } }
  try {
    read = JSON.parse(json) as typeof read
  } catch {
    return refuse('malformed', 'keys of the history')
  }
  if (!Array.isArray(read?.keys) || read.keys.length > maxKeys) refuse('malformed', 'keys of the history')
  const out: Kept = { keys: read.keys.map((k) => archiveKey(digits(k?.key, 32), k?.made)) }
  if (read.recovery) out.recovery = { salt: digits(read.recovery.salt, 16), public: digits(read.recovery.public, 32) }
  return out
}

function archiveKey(key: Bytes, made: unknown): ArchiveKey {
  if (typeof made !== 'number' || !Number.isSafeInteger(made) || made < 0) refuse('malformed', 'keys of the history')
  return { id: hex(idOf(key)), key, made }
}

function digits(value: unknown, size: number): Bytes {
  if (typeof value !== 'string' || value.length !== 2 * size) refuse('malformed', 'keys of the history')
  return unhex(value)
}

interface Header { box: number; keyID: Bytes; writer: number; number: number; previous: Bytes }

/** Seals bytes with the newest key, bound to the account and everything in the header. */
async function seal(d: Device, box: number, writer: number, number: number, previous: string, plain: Bytes): Promise<Bytes> {
  const [newest] = (await loadKept(d)).keys
  if (!newest) refuse('no-session', 'no key of the history')
  const head = new Uint8Array(headerSize)
  const view = new DataView(head.buffer)
  head.set([0x50, 0x48, 1, box])
  head.set(idOf(newest.key), 4)
  view.setUint32(12, writer)
  view.setUint32(16, number)
  if (previous) head.set(digits(previous, 32), 20)
  head.set(d.random(16), 52)
  const { secret, iv } = boxKey(newest.key, head)
  return join(head, await sealGCM(secret, iv, plain, join(head, utf8(d.jid))))
}

async function open(d: Device, box: number, sealed: Bytes): Promise<{ header: Header; plain: Bytes }> {
  if (sealed.length < headerSize + 16) refuse('malformed', 'history: cut short')
  const head = sealed.slice(0, headerSize)
  if (!same(head.subarray(0, 4), Uint8Array.of(0x50, 0x48, 1, box))) refuse('malformed', 'history: format')
  const view = new DataView(head.buffer)
  const header = { box, keyID: head.slice(4, 12), writer: view.getUint32(12), number: view.getUint32(16), previous: head.slice(20, 52) }
  const key = (await loadKept(d)).keys.find((k) => k.id === hex(header.keyID)) ?? refuse('no-session', 'no such key of the history')
  const { secret, iv } = boxKey(key.key, head)
  return { header, plain: await openGCM(secret, iv, sealed.slice(headerSize), join(head, utf8(d.jid))) }
}

function boxKey(key: Bytes, head: Bytes): { secret: Bytes; iv: Bytes } {
  const out = derive(key, head.subarray(52, 68), `${domain} ${head[3] === boxes.chunk ? 'chunk' : 'index'}`, 44)
  return { secret: out.slice(0, 32), iv: out.slice(32) }
}

/** Seals as many lines as fit into chunk `number` of this device, and says how many. `previous` is the hash of the chunk before, '' for the first. */
export async function sealChunk(d: Device, number: number, previous: string, lines: string[]): Promise<HistoryChunk & { taken: number }> {
  for (let taken = Math.min(lines.length, maxLines); taken > 0; taken = Math.floor(taken / 2)) {
    const some = lines.slice(0, taken)
    if (some.some((line) => line.includes('\n'))) refuse('malformed', 'line with a line break')
    const plain = utf8(some.join('\n'))
    if (plain.length > maxPlain) continue
    const packed = await through(plain, new CompressionStream('deflate-raw'), maxPlain)
    if (packed.length + headerSize + 16 > maxChunk) continue
    const data = await seal(d, boxes.chunk, d.id, number, previous, packed)
    return { data, writer: d.id, number, hash: hex(sha256(data)), previous, taken }
  }
  return refuse('too-large', 'a line that fits into no chunk')
}

/** Opens a chunk, and refuses one that is not the one that was expected: by its number, its writer or its hash. */
export async function openChunk(d: Device, data: Bytes, expected: { writer: number; number: number; hash?: string }): Promise<{ lines: string[]; previous: string }> {
  if (data.length > maxChunk) refuse('too-large', `chunk of ${data.length} bytes`)
  if (expected.hash !== undefined && hex(sha256(data)) !== expected.hash) refuse('decrypt', 'another chunk than the index says')
  const { header, plain } = await open(d, boxes.chunk, data)
  if (header.writer !== expected.writer || header.number !== expected.number) refuse('decrypt', 'chunk in the place of another')
  const unpacked = text(await through(plain, new DecompressionStream('deflate-raw'), maxPlain))
  const lines = unpacked === '' ? [] : unpacked.split('\n')
  if (lines.length > maxLines) refuse('too-large', `${lines.length} lines`)
  return { lines, previous: hex(header.previous) === '00'.repeat(32) ? '' : hex(header.previous) }
}

// Bytes through a transformation, at most limit of them: a small input can grow without end.
async function through(input: Bytes, transform: CompressionStream | DecompressionStream, limit: number): Promise<Bytes> {
  const reader = (new Blob([input]).stream().pipeThrough(transform) as ReadableStream<Uint8Array>).getReader()
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.length
      if (size > limit) refuse('too-large', 'history: unpacked')
      parts.push(next.value)
    }
  } catch (thrown) {
    void reader.cancel().catch(() => undefined)
    if (thrown instanceof TypeError) refuse('malformed', 'history: packed')
    throw thrown
  }
  return join(...parts)
}

const maxChunks = 2048

/** Seals this device's index. Its number must be greater than that of every one before; older keys travel in it. Open it once it is published, so
 * that an older one is refused from then on. */
export async function sealIndex(d: Device, index: HistoryIndex): Promise<Bytes> {
  if (index.chunks.length > maxChunks) refuse('too-large', `${index.chunks.length} chunks`)
  const { recovery: _, keys: [, ...older] } = await loadKept(d)
  const packed = await through(utf8(JSON.stringify({ ...index, older: writeKept({ keys: older }) })), new CompressionStream('deflate-raw'), maxPlain)
  return seal(d, boxes.index, d.id, index.number, '', packed)
}

/** Opens a device's index. One older than was seen here before is refused as `duplicate`: the server gives an old state. Keys in it are kept. */
export async function openIndex(d: Device, writer: number, data: Bytes): Promise<HistoryIndex> {
  const { header, plain } = await open(d, boxes.index, data)
  if (header.writer !== writer) refuse('decrypt', 'index in the place of another')
  const seen = (await d.store.load([seenName(writer)])).get(seenName(writer))
  if (seen && header.number < Number(text(seen))) refuse('duplicate', `index ${header.number} is older than ${text(seen)}`)
  const { older, ...index } = readIndex(text(await through(plain, new DecompressionStream('deflate-raw'), maxPlain)), header.number)
  await d.turn(() => d.store.save(new Map([[seenName(writer), utf8(String(header.number))]])))
  if (older.keys.length > 0) await adoptKept(d, older, false)
  return index
}

function seenName(writer: number): string {
  return `history-seen/${writer}`
}

// It was sealed by a device of this account, so it is only checked for being what it should.
function readIndex(json: string, number: number): HistoryIndex & { older: Kept } {
  let read: Partial<HistoryIndex> & { older?: unknown }
  try {
    read = JSON.parse(json) as typeof read
  } catch {
    return refuse('malformed', 'index')
  }
  const { chunks, complete = [], older } = read
  if (!Array.isArray(chunks) || chunks.length > maxChunks || !Array.isArray(complete) || typeof older !== 'string') refuse('malformed', 'index')
  return { number, chunks, complete, older: readKept(older) }
}
