// Who is there (RFC 6121 §4), and what their apps can do (XEP-0115).

import type { Micros } from '../model.ts'
import { delayOf } from './forward.ts'
import { bare, parseJID } from './jid.ts'
import { CAPS, NICK } from './ns.ts'
import type { Session } from './session.ts'
import { presence } from './stanza.ts'
import { el, type Element } from './xml.ts'

/** What a presence says. */
export interface PresenceNews {
  from: string
  /** `here` for one that is available, or the type of RFC 6121 §4.7.1. */
  type: 'here' | 'unavailable' | 'subscribe' | 'subscribed' | 'unsubscribe' | 'unsubscribed' | 'error'
  show: 'online' | 'away' | 'offline'
  status?: string
  /** When it was sent, or since when nobody uses that device (XEP-0319). */
  since?: Micros
  /** `node#ver` and hash of what the app can do. */
  caps?: { node: string; ver: string; hash: string }
  nick?: string
}

const TYPES = new Set(['unavailable', 'subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'error'])

/** Reads a presence, undefined if it says nothing that we know. */
export function parsePresence(stanza: Element): PresenceNews | undefined {
  const from = parseJID(stanza.attr('from') ?? '')
  const type = stanza.attr('type') ?? 'here'
  if (!from || (type !== 'here' && !TYPES.has(type))) return undefined
  const show = stanza.textOf('show')
  const caps = stanza.child('c', CAPS)
  const { node, ver, hash } = caps?.attrs ?? {}
  return {
    from, type: type as PresenceNews['type'],
    show: type !== 'here' ? 'offline' : show === 'away' || show === 'xa' || show === 'dnd' ? 'away' : 'online',
    status: stanza.textOf('status')?.slice(0, 1000) || undefined, since: delayOf(stanza),
    caps: node && ver && hash ? { node, ver, hash } : undefined, nick: stanza.textOf('nick', NICK)?.slice(0, 200) || undefined,
  }
}

/** Says that this device is there; `caps` is what capsOf gives. To one contact only if `to` is given. */
export function announce(session: Session, say: { show?: 'away' | 'dnd'; status?: string; caps?: Element; to?: string } = {}): void {
  session.send(presence({ to: say.to && bare(say.to) }, say.show && el('jabber:client', 'show', {}, say.show),
    say.status && el('jabber:client', 'status', {}, say.status), say.caps))
}

/** Says that this device leaves. */
export const retire = (session: Session): void => session.send(presence({ type: 'unavailable' }))
