// Messages as lines of the encrypted history (docs/protocol/encrypted-history.md §3). Lines are read as strictly as what a stranger sends, although
// only our own devices can have written them.

import { MAX_GUESTS, type Answer, type Content, type JID, type LinkPreview, type Message, type Micros } from '../model.ts'
import { noteChanged } from '../store/changed.ts'
import { chatFor, countUnread, refreshLast } from '../store/chats.ts'
import type { KeptMessage } from '../store/database.ts'
import { dropFile } from '../store/files.ts'
import type { Gone } from '../store/kv.ts'
import { byNames, drop, freePlace, isGone, mediaOf, put } from '../store/messages.ts'
import { archiveName, isUnique, senderName } from '../store/names.ts'
import { bare, parseJID } from '../xmpp/jid.ts'
import { adopt, isCounted } from './acts.ts'
import { afterwards, archivePlace, freshId, type Step } from './apply.ts'
import { fileURL, mediaKey, textWith } from './content.ts'
import { groupChat } from './group-change.ts'
import { retract, row } from './effects.ts'

/** A day, in microseconds. */
const DAY = 86_400e6

/** A message as one line of JSON. */
export function lineOf(m: KeptMessage): string {
  const { chat, from, own, time, author, content, reply, about, edited, reactions, marks, retracted, starred, receipts, mentions, forwarded } = m
  return JSON.stringify({
    id: String(m.archiveId), origin: m.originId, chat, kind: author === undefined ? 'person' : 'group', from, own, time, author, content: plain(content), reply, about, edited, reactions, marks, retracted, starred, receipts, mentions, forwarded,
  })
}

/** A line that says that a message was deleted, for us alone. */
export const goneLine = ({ id, ...rest }: Gone): string => JSON.stringify({ ...(id ? { id: String(id) } : {}), ...rest, gone: true })

/** A content without what only this device knows, and without the picture of a link's card, which would fill the history. */
function plain(content: Content): Content {
  if (content.type === 'text' && content.preview) {
    const { image: _, ...preview } = content.preview
    return { ...content, preview }
  }
  if (!('media' in content)) return content
  const { transfer: _, hd: __, ...media } = content.media
  return { ...content, media }
}

/** Keeps lines that are not here yet. Nothing of them is new: another device has shown it. */
export async function importLines(step: Step, lines: string[]): Promise<void> {
  const newest = new Map<JID, Micros>()
  const groups = new Set<JID>()
  for (const line of lines) {
    const gone = parseGone(line)
    if (gone) {
      await forget(step, gone)
      continue
    }
    const message = parseLine(line, step.account)
    if (!message || !await keep(step, message)) continue
    if (message.author !== undefined) groups.add(message.chat)
    newest.set(message.chat, Math.max(newest.get(message.chat) ?? 0, message.order))
  }
  for (const [jid, place] of newest) {
    const chat = groups.has(jid) ? await groupChat(step, jid) : await chatFor(step.tx, jid, step.account)
    await refreshLast(step.tx, chat)
    chat.readUpTo = Math.max(chat.readUpTo ?? 0, place)
    await step.tx.objectStore('chats').put(chat)
    step.changes.chat(jid)
  }
}

/** Takes away what another device of ours deleted, and does not take it in again. */
async function forget(step: Step, { chat: jid, names }: { chat: JID; names: string[] }): Promise<void> {
  const { tx } = step
  for (const name of names) await tx.objectStore('gone').put(step.now, name)
  const message = await byNames(tx, names)
  if (message?.chat !== jid) return
  const media = mediaOf(message.content)
  if (media) await dropFile(tx, media.key)
  for (const name of message.names) await tx.objectStore('gone').put(step.now, name)
  await drop(tx, [message.id])
  await noteChanged(tx, message)
  step.changes.remove(jid, [message.id])
  const chat = await tx.objectStore('chats').get(jid)
  if (!chat) return
  await refreshLast(tx, chat)
  Object.assign(chat, await countUnread(tx, chat))
  await tx.objectStore('chats').put(chat)
  step.changes.chat(jid)
}

/** Gives whether it is new here. */
async function keep(step: Step, message: KeptMessage): Promise<boolean> {
  const { tx } = step
  const before = await byNames(tx, message.names)
  if (before && before.content.type !== 'undecryptable') {
    await renew(step, before, message)
    return false
  }
  if (!before && await isGone(tx, message.chat, message.archiveId, message.names)) return false
  const kept: KeptMessage = before ? { ...message, id: before.id, order: before.order, names: [...new Set([...before.names, ...message.names])] }
    : { ...message, order: await freePlace(tx, message.chat, message.order) }
  if (kept.reply) {
    const answered = await byNames(tx, [senderName(kept.reply.to, kept.reply.id)])
    if (answered) kept.reply = { ...kept.reply, id: answered.id }
  }
  await put(tx, kept, true)
  step.changes.message(kept.chat, kept.id)
  await afterwards(step, kept)
  return true
}

/** What a line says of a message that is here: what was corrected, retracted or reacted to later than it is known here. Whoever it came from, the other
 * device found them to be who may do it. */
async function renew(step: Step, before: KeptMessage, line: KeptMessage): Promise<void> {
  if (before.chat !== line.chat || before.from !== line.from || before.retracted) return
  if (isCounted(before) && !line.retracted) await adopt(step, before, line)
  const changed = line.retracted ? await retract(step, before, { from: line.retracted.by, time: line.retracted.time })
    : [correct(before, line), ...Object.entries(line.marks ?? {}).map(([who, time]) => mark(before, line, who, time))].some(Boolean)
  if (!changed) return
  await put(step.tx, before, true)
  step.changes.message(before.chat, before.id)
  await row(step, before)
}

function correct(before: KeptMessage, line: KeptMessage): boolean {
  if (isCounted(before) || (line.edited ?? 0) <= (before.edited ?? 0) || before.content.type !== line.content.type) return false
  before.edited = line.edited
  if ('media' in before.content && 'media' in line.content) before.content = { ...before.content, caption: line.content.caption }
  else before.content = line.content
  delete before.mentions // they stand in the text that was
  if (line.mentions) before.mentions = line.mentions
  return true
}

/** What one person reacted with last. */
function mark(before: KeptMessage, line: KeptMessage, who: string, time: Micros): boolean {
  if (who.startsWith('vote ') || (before.marks?.[who] ?? 0) >= time) return false
  before.marks = { ...before.marks, [who]: time }
  const emoji = new Set([...Object.keys(before.reactions ?? {}), ...Object.keys(line.reactions ?? {})])
  before.reactions = Object.fromEntries([...emoji].flatMap((one) => {
    const now = [...(before.reactions?.[one] ?? []).filter((jid) => jid !== who), ...(line.reactions?.[one]?.includes(who) ? [who] : [])]
    return now.length ? [[one, now]] : []
  }))
  return true
}

type Fields = Record<string, unknown>
const isObject = (x: unknown): x is Fields => typeof x === 'object' && x !== null && !Array.isArray(x)
const text = (x: unknown, most = 1000): string | undefined => typeof x === 'string' && x.length <= most ? x : undefined
const count = (x: unknown): number | undefined => typeof x === 'number' && Number.isFinite(x) && x >= 0 ? x : undefined
const address = (x: unknown): JID | undefined => typeof x === 'string' ? parseJID(x) : undefined

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Reads a line about a message that was deleted; undefined for any other. */
export function parseGone(line: string): { chat: JID; names: string[] } | undefined {
  const f = parse(line)
  if (!isObject(f) || f['gone'] !== true) return undefined
  const [chat, from, origin, place] = [address(f['chat']), address(f['from']), text(f['origin'], 256), archivePlace(text(f['id'], 20))]
  const names = [...(place ? [archiveName(String(place))] : []), ...(from && origin && isUnique(origin) ? [senderName(bare(from), origin)] : [])]
  return chat && names.length ? { chat: bare(chat), names } : undefined
}

/** Reads a line; undefined for what is none. */
export function parseLine(line: string, account: JID): KeptMessage | undefined {
  const f = parse(line)
  if (!isObject(f)) return undefined
  const [place, chat, from, time] = [archivePlace(text(f['id'], 20)), address(f['chat']), address(f['from']), count(f['time'])]
  const content = parseContent(f['content'])
  if (!place || !chat || !from || !time || !content || (f['own'] === true) !== (bare(from) === account)) return undefined
  const origin = text(f['origin'], 256)
  const own = f['own'] === true
  const receipts = own ? parseReceipts(f['receipts']) : undefined
  const author = f['kind'] === 'group' ? text(f['author'], 100) ?? '' : undefined
  return {
    id: freshId(), chat: bare(chat), order: place, archiveId: place, stanzaId: String(place), time, from: bare(from), own, content, protection: 'omemo', shelves: [],
    names: [archiveName(String(place)), ...(origin ? [senderName(bare(from), origin)] : [])], ...(origin ? { originId: origin } : {}), ...(own ? { state: author === undefined ? stateOf(receipts) : 'sent' } : {}),
    ...(author === undefined ? {} : { author }),
    ...(receipts ? { receipts } : {}), ...more(f),
  }
}

const stateOf = (receipts: Message['receipts']): Message['state'] => {
  const all = Object.values(receipts ?? {})
  return all.some((r) => r.read) ? 'read' : all.some((r) => r.delivered) ? 'delivered' : 'sent'
}

function more(f: Fields): Partial<KeptMessage> {
  const { reply, retracted } = f
  const edited = count(f['edited'])
  const reactions = parseReactions(f['reactions'])
  const out: Partial<KeptMessage> = {}
  if (edited) out.edited = edited
  if (f['starred'] === true) out.starred = true
  if (reactions) out.reactions = reactions
  const marks = parseMarks(f['marks'])
  if (marks) out.marks = marks
  const [id, to] = isObject(reply) ? [text(reply['id'], 256), address(reply['to'])] : []
  if (isObject(reply) && id && to) out.reply = { id, to, text: text(reply['text']) ?? '' }
  const about = isObject(f['about']) ? f['about'] : {}
  const [item, teller] = [text(about['id'], 256), address(about['author'])]
  if (item && teller) out.about = { author: teller, id: item, text: (text(about['text']) ?? '').slice(0, 300) }
  const [by, at] = isObject(retracted) ? [address(retracted['by']), count(retracted['time'])] : []
  if (by && at) out.retracted = { by, time: at }
  const forwarded = count(f['forwarded'])
  if (forwarded) out.forwarded = Math.min(1000, Math.floor(forwarded))
  return out
}

function parseReceipts(x: unknown): Message['receipts'] {
  if (!isObject(x)) return undefined
  const out: NonNullable<Message['receipts']> = {}
  for (const [jid, r] of Object.entries(x).slice(0, 1000)) {
    const who = address(jid)
    if (who && isObject(r)) out[who] = Object.fromEntries(['delivered', 'read', 'played'].flatMap((k) => count(r[k]) ? [[k, count(r[k])]] : []))
  }
  return out
}

function parseReactions(x: unknown): Message['reactions'] {
  if (!isObject(x)) return undefined
  const out: NonNullable<Message['reactions']> = {}
  for (const [emoji, who] of Object.entries(x).slice(0, 100)) {
    const jids = Array.isArray(who) ? who.slice(0, 1000).flatMap((jid) => address(jid) ?? []) : []
    if (emoji.length <= 64 && jids.length) out[emoji] = jids
  }
  return Object.keys(out).length ? out : undefined
}

/** Times in the future would keep everything later from being seen. */
function parseMarks(x: unknown): KeptMessage['marks'] {
  if (!isObject(x)) return undefined
  const now = Date.now() * 1000 + DAY
  const entries = Object.entries(x).slice(0, 2000).flatMap(([who, time]): [string, Micros][] => {
    const [at, vote] = [count(time), who.startsWith('vote ')]
    const jid = address(vote ? who.slice(5) : who)
    return at && at < now && jid ? [[vote ? 'vote ' + jid : jid, at]] : []
  })
  return entries.length ? Object.fromEntries(entries) : undefined
}

function parseContent(x: unknown): Content | undefined {
  if (!isObject(x)) return undefined
  const type = x['type']
  if (type === 'text') {
    const words = text(x['text'], 256 << 10)
    return words === undefined ? undefined : textWith(words, parsePreview(x['preview']))
  }
  if (type === 'contact') {
    const [jid, name] = [address(x['jid']), text(x['name'])]
    return jid && name !== undefined ? { type, jid, name } : undefined
  }
  if (type === 'location') return parsePlace(x)
  if (type === 'poll') return parsePoll(x)
  if (type === 'event') return parseEvent(x)
  if (type === 'image' || type === 'video' || type === 'file' || type === 'voice' || type === 'audio' || type === 'sticker') return parseMedia(type, x)
  return undefined
}

function parsePreview(x: unknown): LinkPreview | undefined {
  if (!isObject(x)) return undefined
  const [url, title, description, site] = [text(x['url'], 2048), text(x['title'], 300), text(x['description']), text(x['site'], 100)]
  if (!url || !title || !/^https?:\/\//.test(url)) return undefined
  return { url, title, ...(description ? { description } : {}), ...(site ? { site } : {}) }
}

function parsePlace(x: Fields): Content | undefined {
  const [latitude, longitude] = [Number(x['latitude']), Number(x['longitude'])]
  const label = text(x['label'], 200)
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { type: 'location', latitude, longitude, ...(label ? { label } : {}) } : undefined
}

function parsePoll(x: Fields): Content | undefined {
  const question = text(x['question'], 500)
  const options = Array.isArray(x['options']) ? x['options'].slice(0, 20).flatMap((o) => text(o, 200) ?? []) : []
  if (!question || options.length < 2) return undefined
  const votes: Record<JID, number[]> = {}
  for (const [jid, chosen] of isObject(x['votes']) ? Object.entries(x['votes']).slice(0, 1000) : []) {
    const who = address(jid)
    if (who && Array.isArray(chosen)) votes[who] = chosen.filter((n): n is number => Number.isInteger(n) && n >= 0 && n < options.length)
  }
  const [closes, closed] = [count(x['closes']), count(x['closed'])]
  return { type: 'poll', question, options, many: x['many'] === true, votes, ...(closes ? { closes } : {}), ...(closed ? { closed } : {}) }
}

function parseEvent(x: Fields): Content | undefined {
  const [name, starts, day] = [text(x['name'], 200), count(x['starts']), text(x['day'], 10)]
  if (!name || (!starts && !day)) return undefined
  const words = Object.fromEntries(['description', 'place', 'day', 'until', 'zone'].flatMap((k) => { const found = text(x[k], 2000); return found ? [[k, found]] : [] }))
  const numbers = Object.fromEntries(['starts', 'ends', 'places'].flatMap((k) => count(x[k]) ? [[k, count(x[k])]] : []))
  const [latitude, longitude] = [x['latitude'], x['longitude']]
  const map = typeof latitude === 'number' && typeof longitude === 'number' && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : {}
  return {
    type: 'event', name, guests: x['guests'] === true, body: text(x['body'], 5000) ?? name, ...words, ...numbers, ...map, ...(x['cancelled'] === true ? { cancelled: true as const } : {}),
    answers: Object.fromEntries(Object.entries(isObject(x['answers']) ? x['answers'] : {}).slice(0, 5000).flatMap(([jid, a]) => { const [who, answer] = [address(jid), parseAnswer(a)]; return who && answer ? [[who, answer]] : [] })),
  }
}

function parseAnswer(a: unknown): Answer | undefined {
  if (!isObject(a)) return undefined
  const { going, guests, row } = a
  if (going !== 'yes' && going !== 'maybe' && going !== 'no') return undefined
  const pairs = Array.isArray(row) ? row.slice(0, 50).filter((one): one is [Micros, number] => Array.isArray(one) && !!count(one[0]) && Number.isInteger(one[1]) && Number(one[1]) > 0 && Number(one[1]) <= 1 + MAX_GUESTS) : []
  return { going, guests: Math.min(MAX_GUESTS, Math.floor(count(guests) ?? 0)), ...(pairs.length ? { row: pairs } : {}) }
}

function parseMedia(type: Extract<Content, { media: unknown }>['type'], x: Fields): Content | undefined {
  const m = x['media']
  const url = isObject(m) ? fileURL(text(m['url'], 4096)) : undefined
  if (!isObject(m) || !url) return undefined
  const caption = text(x['caption'], 5000)
  const facts = Object.fromEntries(['width', 'height', 'seconds'].flatMap((k) => count(m[k]) ? [[k, count(m[k])]] : []))
  const waveform = Array.isArray(m['waveform']) ? m['waveform'].slice(0, 40).map((n) => Math.max(0, Math.min(15, Math.floor(Number(n) || 0)))) : undefined
  const thumbhash = text(m['thumbhash'], 44)
  return {
    type, ...(caption ? { caption } : {}),
    media: { key: mediaKey(url), name: text(m['name'], 255) ?? 'file', mime: text(m['mime'], 120) ?? 'application/octet-stream', size: count(m['size']) ?? 0, url, ...facts,
      ...(waveform ? { waveform } : {}), ...(thumbhash ? { thumbhash } : {}), ...(m['played'] === true ? { played: true } : {}), ...(m['loop'] === true ? { loop: true } : {}) },
  }
}
