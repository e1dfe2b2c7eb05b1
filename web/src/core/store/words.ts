// Search without a server: the words of each message are in an index of the database, so that a search reads only what it finds. Words are
// compared without case and without the marks that people leave out (accents in Latin, vowel signs in Arabic), in any script; what is
// searched is the beginning of words.

import type { Content, JID } from '../model.ts'
import type { Change, KeptMessage, Look } from './database.ts'
import { textOf } from './preview.ts'

/** Words kept of one message, letters kept of one word, words of a search. */
const MAX_WORDS = 300
const MAX_LETTERS = 32
const MAX_ASKED = 8
/** Text beyond this is not searched. */
const MAX_TEXT = 20_000
/** Messages that one search looks at. */
const MAX_LOOKED = 3000
/** The newest messages that one search goes through. */
const MAX_WALKED = 10_000

interface Piece { word: string; from: number; to: number }

const segmenter = typeof Intl !== 'undefined' && 'Segmenter' in Intl ? new Intl.Segmenter(undefined, { granularity: 'word' }) : undefined
const LETTER = /[\p{L}\p{N}]/u
// Where there is no segmenter: runs of letters, and each sign of the scripts that put no space between words.
const RUNS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]\p{M}*|[\p{L}\p{N}\p{M}]+/gu

/** The form in which words are compared. */
export function fold(word: string): string {
  return word.normalize('NFKD').toLowerCase().replace(/[\u0300-\u036f\u0640\u064b-\u065f\u0670]/g, '').replace(/[\u0622\u0623\u0625\u0671]/g, '\u0627').normalize('NFC').slice(0, MAX_LETTERS)
}

/** Cuts a text into words. `segments` false uses the plain way, for browsers without Intl.Segmenter. */
export function cut(text: string, segments = true): Piece[] {
  const out: Piece[] = []
  const add = (word: string, from: number) => {
    const folded = fold(word)
    if (folded && LETTER.test(folded)) out.push({ word: folded, from, to: from + word.length })
  }
  const cut = text.slice(0, MAX_TEXT)
  if (segmenter && segments) for (const { segment, index, isWordLike } of segmenter.segment(cut)) { if (isWordLike) add(segment, index) }
  else for (const found of cut.matchAll(RUNS)) add(found[0], found.index)
  return out
}

/** The words of a text, each once. */
export const wordsOf = (text: string): string[] => [...new Set(cut(text).map((p) => p.word))].slice(0, MAX_WORDS)

/** Keeps the words of a message, in the step in which it is kept or changed. */
export async function index(tx: Change, message: KeptMessage): Promise<void> {
  const text = message.retracted ? undefined : textOf(message.content)
  const words = text ? wordsOf(text) : []
  const store = tx.objectStore('words')
  if (words.length) await store.put({ id: message.id, chat: message.chat, words })
  else await store.delete(message.id)
}

/** Where the words asked for stand in a text: pairs of offsets, in order. */
export function marksIn(text: string, asked: string[]): [number, number][] {
  return cut(text).filter((p) => asked.some((a) => p.word.startsWith(a))).map((p) => [p.from, p.to])
}

/** Where a search looks. */
export interface Within { chat?: JID; kind?: Content['type'] | 'link' }

/** A search in the words of an account, newest first, at most `limit` messages; without a word, all of a kind. */
export async function find(tx: Look, words: string, within: Within = {}, limit = 100): Promise<{ message: KeptMessage; marks: [number, number][] }[]> {
  const asked = wordsOf(words.slice(0, 500)).slice(0, MAX_ASKED)
  if (!asked.length) return words.trim() || !within.kind ? [] : (await ofKind(tx, within.kind, within.chat, limit)).map((message) => ({ message, marks: [] }))
  const found = await withWords(tx, asked, within, limit)
  return found.map((message) => ({ message, marks: marksIn(textOf(message.content) ?? '', asked) }))
}

/** Looks at all messages with the rarest word; where all words are in very many, at the newest messages. */
async function withWords(tx: Look, asked: string[], within: Within, limit: number): Promise<KeptMessage[]> {
  const index = tx.objectStore('words').index('words')
  const counts = await Promise.all(asked.map((word) => index.count(beginning(word))))
  const least = Math.min(...counts)
  if (least > MAX_LOOKED) return newest(tx, asked, within, limit)
  const ids = await idsFor(tx, asked[counts.indexOf(least)] ?? '', asked, within.chat)
  const found: KeptMessage[] = []
  for (const id of ids) {
    const message = await tx.objectStore('messages').get(id)
    if (message && isWanted(message, within)) found.push(message)
  }
  return found.sort((a, b) => b.order - a.order).slice(0, limit)
}

const beginning = (word: string): IDBKeyRange => IDBKeyRange.bound(word, word + '\uffff')
const hasAll = (words: string[], asked: string[]): boolean => asked.every((a) => words.some((w) => w.startsWith(a)))

async function idsFor(tx: Look, rarest: string, asked: string[], chat: JID | undefined): Promise<Set<string>> {
  const ids = new Set<string>()
  let cursor = await tx.objectStore('words').index('words').openCursor(beginning(rarest))
  for (let looked = 0; cursor && looked < MAX_LOOKED; looked++, cursor = await cursor.continue()) {
    const { id, chat: place, words } = cursor.value
    if ((!chat || place === chat) && hasAll(words, asked)) ids.add(id)
  }
  return ids
}

async function newest(tx: Look, asked: string[], within: Within, limit: number): Promise<KeptMessage[]> {
  const store = tx.objectStore('messages')
  const found: KeptMessage[] = []
  let cursor = within.chat === undefined ? await store.index('order').openCursor(null, 'prev')
    : await store.index('place').openCursor(IDBKeyRange.bound([within.chat, -Infinity], [within.chat, Infinity]), 'prev')
  for (let looked = 0; cursor && looked < MAX_WALKED && found.length < limit; looked++, cursor = await cursor.continue()) {
    const message = cursor.value
    if (!isWanted(message, within)) continue
    if (hasAll((await tx.objectStore('words').get(message.id))?.words ?? [], asked)) found.push(message)
  }
  return found
}

/** The newest messages of a kind, of one chat or of all. */
async function ofKind(tx: Look, kind: NonNullable<Within['kind']>, chat: JID | undefined, limit: number): Promise<KeptMessage[]> {
  const store = tx.objectStore('messages')
  const type = kind === 'link' ? 'text' : kind
  const found: KeptMessage[] = []
  let cursor = chat === undefined ? await store.index('kinds').openCursor(IDBKeyRange.bound([type, -Infinity], [type, Infinity]), 'prev')
    : await store.index('place').openCursor(IDBKeyRange.bound([chat, -Infinity], [chat, Infinity]), 'prev')
  for (let looked = 0; cursor && looked < MAX_WALKED && found.length < limit; looked++, cursor = await cursor.continue()) {
    if (isWanted(cursor.value, { kind })) found.push(cursor.value)
  }
  return found
}

const isWanted = (message: KeptMessage, { kind }: Within): boolean => !message.retracted && isOf(message, kind)

const isOf = (message: KeptMessage, kind: Content['type'] | 'link' | undefined): boolean =>
  !kind || (kind === 'link' ? message.shelves.some(([, shelf]) => shelf === 'links') : message.content.type === kind)
