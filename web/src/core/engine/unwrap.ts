// From a stanza as it came to a letter: out of its wrapping, decrypted, read. What somebody only claims (a copy that is not from our account, an
// archive that is not ours) is dropped here.

import type { JID, Micros } from '../model.ts'
import { isCarbon, unwrapCarbon, delayOf } from '../xmpp/forward.ts'
import { originID, stanzaID } from '../xmpp/ids.ts'
import { bare, parseJID, resource } from '../xmpp/jid.ts'
import { isArchiveResult, type Archived } from '../xmpp/mam.ts'
import { MUC_USER } from '../xmpp/ns.ts'
import type { Element } from '../xmpp/xml.ts'
import { isSubject, readInvitation, readOfGroup, readSubject } from './group-read.ts'
import { PAY, QUIET } from './own-ns.ts'
import { read, wants, type Parts } from './read.ts'
import type { Letter, Said } from './said.ts'
import type { Reading } from './secure.ts'

/** A message out of its wrapping. */
export interface Envelope {
  stanza: Element
  from: JID
  chat: JID
  own: boolean
  archived?: string
  time: Micros
  live: boolean
  old?: boolean
  ids: string[]
  /** See Letter. */
  alone?: Letter['alone']
  /** Said in a group; see Letter. */
  group?: Letter['group']
  /** Of payments, from an address that is nobody's (pay-notices.ts). */
  notice?: true
}

/** Unwraps a message that the server sends now; undefined for what is not for us to keep. */
export function unwrapLive(stanza: Element, account: JID, now: Micros): Envelope | undefined {
  if (isArchiveResult(stanza)) return undefined
  const carbon = unwrapCarbon(stanza, account)
  if (!carbon && isCarbon(stanza)) return undefined // forged
  const inner = carbon?.stanza ?? stanza
  const late = carbon ? carbon.time : delayOf(stanza)
  const sent = bare(inner.attr('from') ?? account) === account
  // A stanza that claims to be ours comes from our own account: directly, or in a copy.
  if (carbon?.sent && !sent) return undefined
  return envelope(inner, account, { archived: stanzaID(inner, account), time: late ?? now, live: !delayOf(stanza) })
}

/** Unwraps an entry of our own archive. */
export function unwrapArchived(entry: Archived, account: JID, old = false): Envelope | undefined {
  return envelope(entry.stanza, account, { archived: entry.id, time: entry.time, live: false, old })
}

function envelope(stanza: Element, account: JID, facts: { archived?: string; time: Micros; live: boolean; old?: boolean }): Envelope | undefined {
  const type = stanza.attr('type') ?? 'normal'
  const from = parseJID(stanza.attr('from') ?? account)
  const to = parseJID(stanza.attr('to') ?? account)
  if (!from || !to || !/^(chat|normal|error)$/.test(type)) return undefined
  // A server says nothing in conversations; its service of payments says what became of them.
  if (!bare(from).includes('@')) return type !== 'error' && stanza.child('notice', PAY) ? { stanza, from, chat: from, own: false, ids: idsOf(stanza), notice: true, ...facts } : undefined
  const own = bare(from) === account && type !== 'error'
  const nick = type === 'chat' ? resource(own ? to : from) : ''
  const marked = !!stanza.child('x', MUC_USER) && !stanza.child('x', MUC_USER)?.nodes.length
  return { stanza, from: bare(from), chat: bare(own ? to : from), own, ids: idsOf(stanza), ...(nick ? { alone: { nick, marked } } : {}), ...facts }
}

const idsOf = (stanza: Element): string[] => [...new Set([stanza.attr('id'), originID(stanza)].filter((id): id is string => !!id && id.length <= 256))]

/** A name for the crypto worker that no other message has, the same whichever way the message comes. */
export const cryptoKey = (e: Envelope): string => e.archived ? 'a ' + e.archived : `s ${e.from} ${e.ids[0] ?? crypto.randomUUID()}`.slice(0, 1000)

/** An envelope of what came from a group, live or from its log; `from` is who said it. */
export function groupEnvelope(stanza: Element, room: JID, facts: { from: JID; nick: string; own: boolean; archived?: string; time: Micros; live: boolean; old?: boolean }): Envelope {
  const { nick, ...rest } = facts
  return { stanza, chat: room, ids: idsOf(stanza), group: { nick }, ...rest }
}

/** Reads an envelope; `reading` is what its encryption held, undefined for one that is not encrypted. undefined: it says nothing. */
export function letterOf(e: Envelope, reading: Reading | undefined): Letter | undefined {
  if (reading?.what === 'nothing') return undefined
  const invitation = e.group || e.own || reading ? undefined : readInvitation(e.stanza, e.from)
  const parts: Parts = { outer: e.stanza, encrypted: reading !== undefined, ...(reading?.what === 'text' ? { body: reading.body, content: reading.content } : {}) }
  const says: Said[] = reading?.what === 'unreadable' && e.stanza.child('quiet', QUIET) ? [{ what: 'unread' }]
    : reading?.what === 'unreadable' ? [{ what: 'content', content: { type: 'undecryptable', reason: reading.reason } }]
    : invitation ? [invitation]
    : e.group?.nick === '' ? readOfGroup(e.stanza, e.from)
    : e.group && isSubject(e.stanza) ? readSubject(e.stanza, e.from) : read(parts)
  if (!says.length) return undefined
  const { receipt, marker } = wants(parts)
  return {
    chat: e.chat, from: e.from, own: e.own, ids: e.ids, archived: e.archived, time: e.time, live: e.live, old: e.old, wantsReceipt: receipt && !e.group, wantsMarker: marker && !e.group,
    ...(e.group ? { group: e.group } : {}), ...(e.alone ? { alone: e.alone } : {}),
    protection: reading ? 'omemo' : 'none', ...(reading?.what === 'text' ? { device: reading.device } : {}), says,
  }
}
