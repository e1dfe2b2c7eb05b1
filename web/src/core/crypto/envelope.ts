// What OMEMO 2 encrypts: an envelope around elements (XEP-0420). The tab makes and opens it, where the parser of XML is already.

import { el, parse, serialise } from '../xmpp/xml.ts'
import type { Random } from './curve.ts'
import { refuse } from './failure.ts'
import type { Micros } from '../model.ts'

const sce = 'urn:xmpp:sce:1'
const maxContents = 64
const minEnvelope = 256 // bytes to which padding fills a short envelope
const maxPadding = 200 // characters on top (XEP-0420 §4)

/** What an envelope holds. `content` is one serialised `<content/>` element with everything it needs. */
export interface Envelope { content: string; body?: string; time?: Micros }

/** Wraps serialised elements. The time is in seconds since 1970; `room` is said in groupchat (XEP-0420 §4.2). */
export function wrap(content: string, from: string, now: number, random: Random, room?: string): string {
  const parsed = parse(`<content xmlns='${sce}'>${content}</content>`) ?? refuse('malformed', 'content is not well-formed')
  const size = serialise(parsed).length
  const envelope = el(sce, 'envelope', {}, parsed, el(sce, 'from', { jid: from }), el(sce, 'time', { stamp: new Date(now * 1000).toISOString() }),
    room !== undefined && el(sce, 'to', { jid: room }), el(sce, 'rpad', {}, padding(size, random)))
  return serialise(envelope)
}

/** Opens an envelope, and refuses one that was made by somebody else than who sent it, or for another room (XEP-0420 §4.2). */
export function unwrap(plaintext: string, from: string, room?: string): Envelope {
  const envelope = parse(plaintext)
  const content = envelope?.is('envelope', sce) ? envelope.child('content') : undefined
  if (!envelope || !content) refuse('malformed', 'envelope')
  const author = envelope.child('from')
  if (author && bare(author.attr('jid')) !== from) refuse('malformed', 'envelope of somebody else')
  const to = envelope.child('to')
  if (room !== undefined && bare(to?.attr('jid')) !== room) refuse('malformed', 'envelope for another room')
  if (content.nodes.length > maxContents) refuse('too-large', 'envelope')
  const out: Envelope = { content: serialise(content) }
  const body = content.textOf('body', 'jabber:client')
  if (body !== undefined) out.body = body
  const time = Date.parse(envelope.child('time')?.attr('stamp') ?? '')
  if (Number.isFinite(time)) out.time = time * 1000
  return out
}

/** The text of the first element of a kind in a content; undefined if there is none. */
export function textOf(content: string, element: string, ns: string): string | undefined {
  return parse(content)?.textOf(element, ns)
}

/** Text as it may stand in an element. */
export function escapeText(plain: string): string {
  return plain.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}

function bare(jid: string | undefined): string | undefined {
  return jid?.split('/')[0]?.toLowerCase()
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** What to put in the rpad of an envelope that has size bytes without it: random characters that need no escaping in XML, which hide how long
 * the content is (XEP-0420 §4). */
export function padding(size: number, random: Random): string {
  const draw = random(minEnvelope + maxPadding + 4)
  const extra = new DataView(draw.buffer, draw.byteOffset).getUint32(0, true) % (maxPadding + 1)
  const n = extra + Math.max(0, minEnvelope - Math.max(0, size))
  return Array.from(draw.subarray(4, 4 + n), (byte) => alphabet[byte % 64]).join('')
}
