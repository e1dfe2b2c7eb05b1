// Writes what has to be said as elements of a message: what is to be encrypted, and what stands beside it in clear.

import type { KeptMessage } from '../store/database.ts'
import { senderName } from '../store/names.ts'
import type { Task } from '../store/outbox.ts'
import { textOf } from '../store/preview.ts'
import { CLIENT, CORRECT, EPHEMERAL, FALLBACK, HINTS, IDS, MARKERS, REACTIONS, RECEIPTS, REFERENCE, REPLY, RETRACT } from '../xmpp/ns.ts'
import { DISPLAYED } from '../xmpp/ns.ts'
import { el, type Element } from '../xmpp/xml.ts'
import { bodyElement, writeContent, writePreview, type Written } from './content.ts'
import { toPoints } from './points.ts'
import { EVENT, FORWARDED, LOOKS, ONCE, PIN, PLAYED, POLL, QUIET, STATUS } from './own-ns.ts'

/** How much of a quoted message is repeated for apps that do not know replies, in characters. */
const QUOTE = 200

/** A message in parts. */
export interface Outbound {
  /** What every app shows; '' for none. */
  body: string
  /** To be encrypted together with the body, wherever the other side can read it so. */
  inner: Element[]
  /** Always in clear: what servers need. */
  outer: Element[]
  /** `clear`: nothing of it is secret, or servers have to see it. */
  secrecy: 'encrypt' | 'clear'
  /** What stands in clear for those who have OMEMO 0.3 alone, instead of what of `inner` may. */
  beside?: Element[]
  /** It has a place in the archive also where nobody else can read it: a note to ourselves. */
  placed?: true
  /** The body is for those who have OMEMO 0.3 alone; the others get `inner`, and know it already. */
  again?: true
  /** In a group it is for the author of the message that it is about, and for our own devices: nobody else is told that there is something. */
  among?: true
}

/** What is known when an errand is written: the message that it is about, the one that is answered. */
export interface About {
  id: string
  message?: KeptMessage
  answered?: KeptMessage
  account: string
  /** It is said in a group. */
  group?: boolean
}

/** The id by which others know a message. */
export const wireId = (m: KeptMessage): string => m.originId ?? m.id

/** The id by which something is said about a message: in a group the number that its log gave it. */
const targetId = (m: KeptMessage, { group }: About): string => (group && m.stanzaId) || wireId(m)

/** Says whether what is to be said is about a message of ours that the group has not numbered yet. */
export function needsNumber(task: Task, { group, message, answered }: About): boolean {
  if (!group) return false
  if (task.what === 'message') return !!answered && !answered.stanzaId
  return !!message && !message.stanzaId && /^(retract|react|vote|pin|answer|close)$/.test(task.what)
}

/** The id of the message that says the words of a file to those who have OMEMO 0.3 alone (docs/protocol/web-messages.md). */
export const captionId = (m: KeptMessage): string => wireId(m) + '.c'

/** Says whether such a message was sent, or is about to be. */
export const isToldApart = (m: KeptMessage): boolean => m.names.includes(senderName(m.from, captionId(m)))

const store = () => el(HINTS, 'store')
const origin = (id: string) => el(IDS, 'origin-id', { id })

/** Writes a task; undefined if what it is about is not here any more. */
export function write(task: Task, about: About): Outbound | undefined {
  const { id, message } = about
  switch (task.what) {
    case 'message': return message && writeMessage(message, about)
    case 'edit': return message && writeEdit(message, task, about)
    case 'place': return message && writeMove(message, task.place, id)
    case 'caption': return message && writeCaption(message, id)
    case 'retract': return message && writeRetraction(task.caption ? captionId(message) : targetId(message, about), id)
    case 'react': return message && hidden(id, el(REACTIONS, 'reactions', { id: targetId(message, about) }, ...task.emoji.map((e) => el(REACTIONS, 'reaction', {}, e))))
    case 'vote': return message && hidden(id, el(POLL, 'vote', { id: targetId(message, about) }, ...task.options.map((o) => el(POLL, 'option', {}, o))))
    case 'answer': return message && hidden(id, el(EVENT, 'answer', { id: targetId(message, about), going: task.going, guests: task.guests || undefined }))
    case 'close': return message && hidden(id, el(POLL, 'close', { id: targetId(message, about) }))
    case 'event': return message && writeChange(message, writeContent(task.event), id)
    case 'pin': return message && hidden(id, el(PIN, 'pin', { id: targetId(message, about), on: String(task.on) }))
    case 'timer': return hidden(id, el(EPHEMERAL, 'ephemeral', { timer: task.seconds }))
    case 'receipt': return { body: '', inner: [], outer: [el(RECEIPTS, 'received', { id: task.target }), store()], secrecy: 'clear' }
    case 'opened': return { ...hidden(id, el(ONCE, 'opened', { id: task.target })), among: true }
    case 'played': return { body: '', inner: [], outer: [el(PLAYED, 'played', { id: task.target }), store()], secrecy: 'clear' }
    case 'seen': return hidden(id, el(STATUS, 'seen', {}, ...task.items.map((item) => el(STATUS, 'item', { id: item }))))
    case 'contact': return undefined // no message
    case 'displayed': return { body: '', inner: [], outer: displayed(task.marker, task.stanzaId, about.account), secrecy: 'clear' }
  }
}

const hidden = (id: string, inner: Element): Outbound => ({ body: '', inner: [inner], outer: [origin(id), el(QUIET, 'quiet'), store()], secrecy: 'encrypt' })

/** Tells the contact (XEP-0333) and our own devices (XEP-0490, which the server takes out of the message). */
function displayed(marker: string | undefined, stanzaId: string | undefined, account: string): Element[] {
  return [
    ...(marker ? [el(MARKERS, 'displayed', { id: marker })] : []),
    ...(stanzaId ? [el(DISPLAYED, 'displayed', {}, el(IDS, 'stanza-id', { id: stanzaId, by: account }))] : []),
    store(),
  ]
}

function writeMessage(message: KeptMessage, about: About): Outbound {
  const { body, elements } = writeContent(message.content)
  const quote = message.reply && about.answered ? quoteOf(about.answered) : ''
  const inner = [...elements, ...replyElements(message, about, quote), ...mentionElements(message.mentions, body, quote)]
  if (message.about) inner.push(el(STATUS, 'about', { author: message.about.author, id: message.about.id }, message.about.text))
  if (message.forwarded) inner.push(el(FORWARDED, 'forwarded', { times: message.forwarded }))
  if (message.expires) inner.push(el(EPHEMERAL, 'ephemeral', { timer: message.expires }))
  const wishes = about.group ? [] : [el(RECEIPTS, 'request'), el(MARKERS, 'markable')] // of a hundred people that is nobody's wish
  return { body: quote + body, inner, outer: [...wishes, origin(about.id), store()], secrecy: 'encrypt', placed: true }
}

function quoteOf(message: KeptMessage): string {
  const text = (textOf(message.content) ?? '').slice(0, QUOTE)
  return text ? text.split('\n').map((line) => `> ${line}\n`).join('') : ''
}

function replyElements(message: KeptMessage, about: About, quote: string): Element[] {
  const { answered, group } = about
  if (!message.reply || !answered) return []
  const to = group && answered.author ? `${answered.chat}/${answered.author}` : message.reply.to
  const reply = el(REPLY, 'reply', { to, id: targetId(answered, about) })
  if (!quote) return [reply]
  return [reply, el(FALLBACK, 'fallback', { for: REPLY }, el(FALLBACK, 'body', { start: 0, end: [...quote].length }))]
}

/** Who is named in a body that comes after a quote. */
function mentionElements(mentions: KeptMessage['mentions'], body: string, quote = ''): Element[] {
  const at = (place: number) => [...quote].length + toPoints(body, place)
  return (mentions ?? []).map((m) => el(REFERENCE, 'reference', { type: 'mention', begin: at(m.from), end: at(m.to), uri: 'xmpp:' + m.jid }))
}

/** The words of a file once more, as a text: with OMEMO 0.3 the file's message holds nothing but its address (XEP-0454 §3). */
function writeCaption(message: KeptMessage, id: string): Outbound | undefined {
  const { content } = message
  if (!('media' in content) || !content.caption) return undefined
  return { body: content.caption, inner: [el(LOOKS, 'apart', { id: wireId(message) })], outer: [origin(id), store()], secrecy: 'encrypt', again: true }
}

function writeEdit(message: KeptMessage, { text, preview, mentions }: Extract<Task, { what: 'edit' }>, about: About): Outbound {
  const replace = el(CORRECT, 'replace', { id: wireId(message) })
  // A file stays what it is: those who have its words as a text get another text.
  if ('media' in message.content) {
    return { body: text, inner: [replace], outer: [origin(about.id), el(QUIET, 'quiet'), store()], secrecy: 'encrypt', beside: [el(CORRECT, 'replace', { id: captionId(message) })] }
  }
  return { body: text, inner: [replace, ...(preview ? [writePreview(preview)] : []), ...mentionElements(mentions, text)], outer: [replace, origin(about.id), store()], secrecy: 'encrypt' }
}

/** A place that is followed is corrected: who knows nothing of following sees the newest place all the same. */
function writeMove(message: KeptMessage, place: Extract<Task, { what: 'place' }>['place'], id: string): Outbound {
  return writeChange(message, writeContent({ type: 'location', ...place }), id)
}

function writeChange(message: KeptMessage, { body, elements }: Written, id: string): Outbound {
  const replace = el(CORRECT, 'replace', { id: wireId(message) })
  return { body, inner: [replace, ...elements], outer: [replace, origin(id), store()], secrecy: 'encrypt' }
}

const APOLOGY = 'This person deleted an earlier message, but your app does not know how to do that.'

function writeRetraction(target: string, id: string): Outbound {
  return {
    body: '', inner: [],
    outer: [el(RETRACT, 'retract', { id: target }), el(FALLBACK, 'fallback', { for: RETRACT }), bodyElement(APOLOGY), origin(id), store()],
    secrecy: 'clear',
  }
}

/** What an app shows that cannot decrypt. */
export const CANNOT_READ = 'This message is end-to-end encrypted and cannot be read by this app.'

/** All that is encrypted with OMEMO 2, as text: the elements with their namespaces. */
export const envelope = (outbound: Outbound): string =>
  [...(outbound.body && !outbound.again ? [bodyElement(outbound.body)] : []), ...outbound.inner].map(String).join('')

/** The body as an element of a stanza in clear. */
export const clearBody = (outbound: Outbound): Element[] => outbound.body ? [el(CLIENT, 'body', {}, outbound.body)] : []
