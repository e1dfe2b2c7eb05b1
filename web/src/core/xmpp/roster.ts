// The list of contacts on the server (RFC 6121 §2), with versions, so that it travels only when it has changed; and who may see whom (§3).

import type { Contact } from '../model.ts'
import { bare, parseJID } from './jid.ts'
import { NICK, PREAUTH, ROSTER } from './ns.ts'
import type { Done, Session, Stop } from './session.ts'
import { presence, StanzaError } from './stanza.ts'
import { el, type Element } from './xml.ts'

/** A contact as the roster has it. `remove`: it is not there any more. */
export interface RosterItem extends Pick<Contact, 'jid' | 'name' | 'subscription' | 'asks'> {
  groups: string[]
  remove?: boolean
}

/** The whole roster (`all`), or nothing but that it is as before. */
export interface Roster { version?: string; items?: RosterItem[] }

function parseItem(e: Element): RosterItem | undefined {
  const jid = parseJID(e.attr('jid') ?? '')
  const subscription = e.attr('subscription') ?? 'none'
  if (!jid || !/^(none|to|from|both|remove)$/.test(subscription)) return undefined
  const remove = subscription === 'remove'
  return {
    jid, name: e.attr('name')?.slice(0, 1000) || undefined, subscription: remove ? 'none' : subscription as RosterItem['subscription'],
    asks: e.attr('ask') === 'subscribe' ? 'out' : undefined, groups: e.children('group').slice(0, 50).map((g) => g.text), remove: remove || undefined,
  }
}

/** Asks for the roster; without `items` in the answer it is still the version that the caller has. `version` is '' if there is none yet. */
export async function getRoster(session: Session, version = ''): Promise<Roster> {
  const query = (await session.request('get', el(ROSTER, 'query', { ver: version }))).child('query', ROSTER)
  if (!query) return { version }
  return { version: query.attr('ver'), items: query.children('item').flatMap((item) => parseItem(item) ?? []) }
}

/** Tells of each change of the roster, with the new version; `keep` keeps it before the server is told that it has arrived. */
export function onRosterPush(session: Session, keep: (item: RosterItem, version: string | undefined) => void | Promise<void>): Stop {
  return session.answer(ROSTER, 'query', async (request) => {
    const from = request.attr('from')
    const query = request.child('query', ROSTER)
    const item = query?.child('item')
    if (request.attr('type') !== 'set' || (from !== undefined && from !== session.account)) throw new StanzaError('not-allowed')
    const parsed = item && parseItem(item)
    if (!parsed) throw new StanzaError('bad-request', 'modify')
    await keep(parsed, query?.attr('ver'))
    return undefined
  })
}

/** Adds a contact or changes its name and groups. */
export async function setContact(session: Session, jid: string, name?: string, groups: string[] = []): Promise<void> {
  await session.request('set', el(ROSTER, 'query', {}, el(ROSTER, 'item', { jid, name }, ...groups.map((g) => el(ROSTER, 'group', {}, g)))))
}

/** Takes a contact out, and ends both subscriptions. */
export async function removeContact(session: Session, jid: string): Promise<void> {
  await session.request('set', el(ROSTER, 'query', {}, el(ROSTER, 'item', { jid, subscription: 'remove' })))
}

/** Asks to see a contact's presence; `token` is that of its invitation (XEP-0379), `nick` what we call ourselves (XEP-0172). */
export function subscribe(session: Session, jid: string, token?: string, nick?: string, done?: Done): void {
  session.send(presence({ to: bare(jid), type: 'subscribe' }, token && el(PREAUTH, 'preauth', { token }), nick && el(NICK, 'nick', {}, nick)), done)
}

/** Lets a contact see our presence, or refuses, or takes it back. */
export function answerSubscription(session: Session, jid: string, accept: boolean, done?: Done): void {
  session.send(presence({ to: bare(jid), type: accept ? 'subscribed' : 'unsubscribed' }), done)
}
