// Reads what the elements of a message say. Everything here was written by somebody else: each list, text and number has a limit, and what makes
// no sense is left out.

import { MAX_GUESTS, type Content, type Going, type JID, type Message } from '../model.ts'
import { bare, parseJID } from '../xmpp/jid.ts'
import { CLIENT, CORRECT, EPHEMERAL, FALLBACK, MARKERS, REACTIONS, RECEIPTS, REFERENCE, REPLY, RETRACT, STATES } from '../xmpp/ns.ts'
import { errorOf } from '../xmpp/stanza.ts'
import { parseTime } from '../xmpp/time.ts'
import { el, type Element } from '../xmpp/xml.ts'
import { readContent } from './content.ts'
import { EVENT, FORWARDED, LOOKS, ONCE, PIN, PLAYED, POLL, RECORDING, STATUS } from './own-ns.ts'
import { fromPoints } from './points.ts'
import type { Said } from './said.ts'

const MAX_ID = 256
const MAX_EMOJI = 8
const MAX_EMOJI_LENGTH = 64
const MAX_MENTIONS = 100
const MAX_SEEN = 50
/** Seconds after which a message may disappear at most: a year. */
const MAX_EXPIRES = 31_536_000

/** What is in a message: the stanza, and what was encrypted in it. */
export interface Parts {
  outer: Element
  /** OMEMO 2: all that was encrypted. */
  content?: Element
  /** OMEMO 0.3: the text that was encrypted. */
  body?: string
  encrypted: boolean
}

const id = (e: Element | undefined): string | undefined => {
  const found = e?.attr('id')
  return found && found.length <= MAX_ID ? found : undefined
}

/** Reads all that a message says; [] for nothing that we know. */
export function read(parts: Parts): Said[] {
  const { outer } = parts
  if (outer.attr('type') === 'error') return readError(outer)
  if (parts.content?.child('status', STATUS)) return [] // it was said to many, and not here
  const inner = parts.content ?? outer
  const textAlone = parts.encrypted && !parts.content
  // Beside what was encrypted stands what servers have to see, and nothing that says something else.
  const find = finder([inner])
  const beside = finder([inner, outer])
  const says: Said[] = [...readMarks(beside)]
  const about = readRetraction(beside) ?? readReaction(find) ?? (textAlone ? undefined : readAbout(find)) ?? readTombstone(outer)
  if (about) return [...says, about]
  const body = parts.body ?? (textAlone ? undefined : inner.textOf('body', CLIENT))
  const cleaned = body === undefined ? undefined : withoutFallback(body, inner)
  const content = readContent(cleaned, textAlone ? NOTHING : inner)
  const state = readState(inner) ?? readState(outer)
  const timer = content ? undefined : readTimer(find)
  if (content) says.push(aboutContent(content, find, body ?? '', cleaned ?? ''))
  else if (timer !== undefined) says.push({ what: 'timer', seconds: timer })
  else if (state) says.push({ what: 'typing', state })
  return says
}

/** With OMEMO 0.3 only the text is encrypted, so that only the text is content. */
const NOTHING = el(CLIENT, 'message')

/** Looks for an element, in the first place that has it. */
interface Find {
  (name: string, ns: string): Element | undefined
  all(name: string, ns: string): Element[]
}

function finder(places: Element[]): Find {
  const all = (name: string, ns: string) => places.map((place) => place.children(name, ns)).find((found) => found.length) ?? []
  return Object.assign((name: string, ns: string) => all(name, ns)[0], { all })
}

function readError(outer: Element): Said[] {
  const target = id(outer)
  if (!target) return []
  const { condition, type } = errorOf(outer)
  return [{ what: 'error', target, condition, kind: type }]
}

/** Receipts and markers, which may stand beside each other. */
function readMarks(find: Find): Said[] {
  const received = id(find('received', RECEIPTS))
  const displayed = id(find('displayed', MARKERS)) ?? id(find('acknowledged', MARKERS))
  const played = id(find('played', PLAYED))
  return [
    ...(received ? [{ what: 'receipt', target: received } as const] : []),
    ...(displayed ? [{ what: 'displayed', target: displayed } as const] : []),
    ...(played ? [{ what: 'played', target: played } as const] : []),
  ]
}

function readRetraction(find: Find): Said | undefined {
  const retract = find('retract', RETRACT)
  const retracted = id(retract)
  return retracted ? { what: 'retract', target: retracted, reason: retract?.textOf('reason')?.slice(0, 500) || undefined } : undefined
}

/** A reaction; with OMEMO 0.3 it is in clear, as all its apps have it. */
function readReaction(find: Find): Said | undefined {
  const reactions = find('reactions', REACTIONS)
  const reacted = id(reactions)
  if (!reactions || !reacted) return undefined
  const emoji = [...new Set(reactions.children('reaction').slice(0, MAX_EMOJI).map((r) => r.text.trim()))]
  return { what: 'react', target: reacted, emoji: emoji.filter((e) => e && e.length <= MAX_EMOJI_LENGTH) }
}

/** What else changes another message and is none itself. No app with OMEMO 0.3 alone says it: what stands beside its text somebody else could have written. */
function readAbout(find: Find): Said | undefined {
  const vote = find('vote', POLL)
  const voted = id(vote)
  if (vote && voted) return { what: 'vote', target: voted, options: vote.children('option').slice(0, 20).map((o) => Number(o.text)).filter((n) => Number.isInteger(n) && n >= 0 && n < 20) }
  const answer = find('answer', EVENT)
  const answered = id(answer)
  if (answer && answered) return { what: 'answer', target: answered, ...readGoing(answer) }
  const closed = id(find('close', POLL))
  if (closed) return { what: 'close', target: closed }
  const opened = id(find('opened', ONCE))
  if (opened) return { what: 'opened', target: opened }
  const apart = id(find('apart', LOOKS))
  if (apart) return { what: 'apart', target: apart }
  const seen = find('seen', STATUS)
  if (seen) return { what: 'seen', items: seen.children('item').slice(0, MAX_SEEN).flatMap((i) => id(i) ?? []) }
  const pin = find('pin', PIN)
  const pinned = id(pin)
  return pinned ? { what: 'pin', target: pinned, on: pin?.attr('on') !== 'false' } : undefined
}

function readGoing(answer: Element): { going?: Going; guests: number } {
  const [going, guests] = [answer.attr('going'), Number(answer.attr('guests') ?? 0)]
  if (going !== 'yes' && going !== 'maybe' && going !== 'no') return { guests: 0 }
  return { going, guests: going === 'yes' && Number.isInteger(guests) && guests > 0 ? Math.min(guests, MAX_GUESTS) : 0 }
}

function readTombstone(outer: Element): Said | undefined {
  const left = outer.child('retracted', RETRACT)
  const time = parseTime(left?.attr('stamp'))
  return left && time !== undefined ? { what: 'tombstone', time, reason: left.textOf('reason')?.slice(0, 500) || undefined } : undefined
}

function aboutContent(content: Content, find: Find, body: string, cleaned: string): Said {
  const mentions = readMentions(find, body, cleaned)
  const target = id(find('replace', CORRECT))
  if (target) return { what: 'edit', target, content, ...mentions }
  const reply = find('reply', REPLY)
  const replied = id(reply)
  const forwarded = Number(find('forwarded', FORWARDED)?.attr('times'))
  const expires = readTimer(find) ?? 0
  return {
    what: 'content', content, ...mentions,
    ...(replied ? { reply: { id: replied, to: bareOf(reply?.attr('to')) } } : {}),
    ...readAnswered(find('about', STATUS)),
    ...(forwarded > 0 && forwarded < 1000 ? { forwarded: Math.floor(forwarded) } : {}),
    ...(expires ? { expires } : {}),
  }
}

/** The status that is answered. */
function readAnswered(about: Element | undefined): { about?: Message['about'] } {
  const [author, item] = [bareOf(about?.attr('author')), id(about)]
  return about && author && item ? { about: { author, id: item, text: about.text.slice(0, 300) } } : {}
}

/** Seconds; undefined if nothing is said of it. */
function readTimer(find: Find): number | undefined {
  const text = find('ephemeral', EPHEMERAL)?.attr('timer') ?? ''
  return /^\d{1,15}$/.test(text) ? Math.min(Number(text), MAX_EXPIRES) : undefined
}

const bareOf = (text: string | undefined): JID | undefined => {
  const jid = parseJID(text ?? '')
  return jid && bare(jid)
}

/** The mentions of a text of which a quote before it was cut. Offsets count code points of all of it. */
function readMentions(find: Find, body: string, cleaned: string): { mentions?: { from: number; to: number; jid: JID }[] } {
  const quoted = body.length > cleaned.length ? [...body].length - [...cleaned].length : 0
  const place = (text: string | undefined) => /^\d{1,7}$/.test(text ?? '') && Number(text) >= quoted ? fromPoints(cleaned, Number(text) - quoted) : undefined
  const out = find.all('reference', REFERENCE).slice(0, MAX_MENTIONS).flatMap((e) => {
    const jid = bareOf(/^xmpp:([^?]+)/.exec(e.attr('uri') ?? '')?.[1])
    const [from, to] = [place(e.attr('begin')), place(e.attr('end'))]
    return e.attr('type') === 'mention' && jid && from !== undefined && to !== undefined && to > from ? [{ from, to, jid }] : []
  })
  return out.length ? { mentions: out } : {}
}

function readState(e: Element): 'composing' | 'recording' | 'paused' | undefined {
  const state = e.children().find((c) => c.ns === STATES)
  if (!state) return undefined
  if (state.name !== 'composing') return 'paused'
  return e.child('recording', RECORDING) ? 'recording' : 'composing'
}

/** Cuts out of a text what is only for apps that do not know replies (XEP-0461 §3, XEP-0428). Offsets count code points. */
export function withoutFallback(body: string, within: Element): string {
  const ranges = within.children('fallback', FALLBACK).slice(0, 10).filter((f) => f.attr('for') === REPLY)
    .flatMap((f) => f.children('body').slice(0, 10).map((b) => [Number(b.attr('start') ?? 0), Number(b.attr('end') ?? Infinity)] as const))
    .filter(([start, end]) => start >= 0 && end > start)
  if (!ranges.length) return body
  return [...body].filter((_, i) => !ranges.some(([start, end]) => i >= start && i < end)).join('')
}

/** Says whether a message asks for a receipt, or wants to be told that it was read. */
export const wants = (parts: Parts): { receipt: boolean; marker: boolean } => ({
  receipt: !!(parts.outer.child('request', RECEIPTS) ?? parts.content?.child('request', RECEIPTS)),
  marker: !!(parts.outer.child('markable', MARKERS) ?? parts.content?.child('markable', MARKERS)),
})
