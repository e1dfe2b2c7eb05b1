// What was said into the microphone and not sent: kept piece by piece while it is recorded, so that a tab may end at any moment. One for each chat.
// The pieces are rows of `kv`: small, many, and nobody looks for them by anything but their place.

import type { JID } from '../model.ts'
import { StorageFull, type Change, type Look } from './database.ts'

/** A part of a recording: its sound as the recorder gave it, and how long and how loud it was so far. */
export interface VoicePiece {
  /** 0 for the first. */
  n: number
  /** Of the whole recording. */
  mime: string
  sound: ArrayBuffer
  /** From the beginning to the end of this piece. */
  seconds: number
  /** Loudness in this piece, 0–1, ten for each second. */
  levels: number[]
}

/** Pieces of one recording: a quarter of an hour, one for each second, and some. */
export const MAX_PIECES = 1000
/** The largest piece, in bytes. */
export const MAX_SOUND = 256 << 10
/** Pieces of all chats together; beyond, a new recording is not kept. */
export const MAX_KEPT = 10_000

const all = () => IDBKeyRange.bound('voice ', 'voice \uffff')
const of = (id: string) => IDBKeyRange.bound(`voice ${id} `, `voice ${id} \uffff`)

/** Keeps a piece in this step. Throws StorageFull when too much waits here, which undoes the step. */
export async function putPiece(tx: Change, id: string, piece: VoicePiece): Promise<void> {
  const kv = tx.objectStore('kv')
  if (piece.n >= MAX_PIECES || piece.sound.byteLength > MAX_SOUND || await kv.count(all()) >= MAX_KEPT) throw new StorageFull('voice')
  await kv.put(piece, `voice ${id} ${String(piece.n).padStart(4, '0')}`)
}

/** The pieces of a recording in order, as far as none is missing. */
export async function pieces(tx: Look, id: string): Promise<VoicePiece[]> {
  const found = await tx.objectStore('kv').getAll(of(id), MAX_PIECES) as VoicePiece[]
  const gap = found.findIndex((piece, i) => piece.n !== i)
  return gap < 0 ? found : found.slice(0, gap)
}

/** Takes the voice draft of a chat away in this step; whether it was there. The caller puts the chat's row back. */
export async function dropPieces(tx: Change, jid: JID, id: string): Promise<boolean> {
  const chat = await tx.objectStore('chats').get(jid)
  await tx.objectStore('kv').delete(of(id))
  return chat?.voice?.id === id
}
