// What an app can do: ours, told in one hash (XEP-0115) and in full to who asks (XEP-0030); and that of servers and contacts.

import { OMEMO1, OMEMO2, AVATAR, BOOKMARK_PINNING, BOOKMARKS, CAPS, CHATS, CORRECT, DISCO, DISCO_ITEMS, DISPLAYED, MARKERS, NICK, NOTIFICATIONS, PING, REACTIONS, RECEIPTS, REPLY, RETRACT, STATES, STICKERS, STORIES } from './ns.ts'
import { readForm } from './form.ts'
import { parseJID } from './jid.ts'
import type { Session, Stop } from './session.ts'
import { base64 } from './stanza.ts'
import { el, type Element } from './xml.ts'

const VERSION = 'jabber:iq:version'
const NODE = 'https://palabre.dev/web'
const MAX_FEATURES = 500

/** What Palabre Web announces; `+notify` asks for news of that node of contacts (XEP-0163 §4). */
export const FEATURES: readonly string[] = [
  CAPS, DISCO, PING, VERSION, RECEIPTS, MARKERS, STATES, CORRECT, RETRACT, REACTIONS, REPLY, STICKERS, OMEMO2, BOOKMARK_PINNING, NOTIFICATIONS,
  'urn:xmpp:eme:0', 'urn:xmpp:sid:0', 'urn:xmpp:hints', 'urn:xmpp:reference:0', 'urn:xmpp:ephemeral:0', 'urn:xmpp:sfs:0', 'jabber:x:oob',
  ...[OMEMO1 + '.devicelist', OMEMO2 + ':devices', AVATAR, NICK, BOOKMARKS, DISPLAYED, CHATS, STORIES].map((node) => node + '+notify'),
].sort()

/** The hash of what we announce, to go with presence. */
export async function capsElement(): Promise<Element> {
  const text = ['client/web//Palabre', ...FEATURES].join('<') + '<'
  const ver = base64(new Uint8Array(await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))))
  return el(CAPS, 'c', { hash: 'sha-1', node: NODE, ver })
}

/** Answers who asks what this is: features, software version (XEP-0092), ping (XEP-0199). */
export function answerAboutUs(session: Session, version: string): Stop {
  const stops = [
    session.answer(DISCO, 'query', (request) => el(DISCO, 'query', { node: request.child('query', DISCO)?.attr('node') },
      el(DISCO, 'identity', { category: 'client', type: 'web', name: 'Palabre' }), ...FEATURES.map((f) => el(DISCO, 'feature', { var: f })))),
    session.answer(DISCO_ITEMS, 'query', () => el(DISCO_ITEMS, 'query')),
    session.answer(PING, 'ping', () => undefined),
    session.answer(VERSION, 'query', () => el(VERSION, 'query', {}, el(VERSION, 'name', {}, 'Palabre'), el(VERSION, 'version', {}, version))),
  ]
  return () => { for (const stop of stops) stop() }
}

/** What somebody says of themselves: identities as `category/type`, features, and the first form. */
export interface About { identities: string[]; features: Set<string>; form?: Map<string, string[]> }

/** Asks what an address is and can do. */
export async function discover(session: Session, to: string, node?: string): Promise<About> {
  const query = (await session.request('get', el(DISCO, 'query', { node }), { to })).child('query', DISCO)
  return {
    identities: (query?.children('identity') ?? []).slice(0, 50).map((i) => `${i.attr('category')}/${i.attr('type')}`),
    features: new Set((query?.children('feature') ?? []).slice(0, MAX_FEATURES).map((f) => f.attr('var') ?? '')), form: readForm(query),
  }
}

/** The addresses that belong to a service, at most 50. */
export async function discoverItems(session: Session, to: string): Promise<string[]> {
  const query = (await session.request('get', el(DISCO_ITEMS, 'query'), { to })).child('query', DISCO_ITEMS)
  return (query?.children('item') ?? []).slice(0, 50).flatMap((i) => parseJID(i.attr('jid') ?? '') ?? [])
}
