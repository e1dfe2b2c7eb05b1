// What OMEMO 2 encrypts: an envelope around elements (XEP-0420).

import { el, Element, parse, serialise } from '../xmpp/xml.ts'
import { text, utf8 } from './bytes.ts'
import type { Random } from './curve.ts'
import { refuse } from './failure.ts'
import { padding } from './payload.ts'
import type { Bytes } from './types.ts'
import type { Micros } from '../model.ts'

const sce = 'urn:xmpp:sce:1'
const maxContents = 64

/** What an envelope holds. `content` is one serialised `<content/>` element with everything it needs. */
export interface Envelope { content: string; body?: string; time?: Micros }

/** Wraps serialised elements. The time is in seconds since 1970; `room` is said in groupchat (XEP-0420 §4.2). */
export function wrap(content: string, from: string, now: number, random: Random, room?: string): Bytes {
  const parsed = parse(`<content xmlns='${sce}'>${content}</content>`) ?? refuse('malformed', 'content is not well-formed')
  const size = serialise(parsed).length
  const envelope = el(sce, 'envelope', {}, parsed, el(sce, 'from', { jid: from }), el(sce, 'time', { stamp: new Date(now * 1000).toISOString() }),
    room !== undefined && el(sce, 'to', { jid: room }), el(sce, 'rpad', {}, padding(size, random)))
  return utf8(serialise(envelope))
}

/** Opens an envelope, and refuses one that was made by somebody else than who sent it, or for another room (XEP-0420 §4.2). */
export function unwrap(plaintext: Bytes, from: string, room?: string): Envelope {
  const envelope = parse(text(plaintext))
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

/** Takes one kind of element out of a content: the text of the first, and the content without any. */
export function split(content: string, element: string, ns: string): { found?: string; rest: string } {
  const parsed = parse(content)
  const found = parsed?.child(element, ns)
  if (!parsed || !found) return { rest: content }
  const nodes = parsed.nodes.filter((n) => typeof n === 'string' || !n.is(element, ns))
  return { found: found.text, rest: serialise(new Element(parsed.ns, parsed.name, parsed.attrs, nodes)) }
}

/** Text as it may stand in an element. */
export function escapeText(plain: string): string {
  return plain.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}

function bare(jid: string | undefined): string | undefined {
  return jid?.split('/')[0]?.toLowerCase()
}
