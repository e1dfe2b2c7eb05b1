// Communities on the wire (docs/protocol/communities.md): spaces (XEP-0503) in the words of XEP-0060. Everything fails as Session.request does.

import type { Access, CommunityGroup, CommunityPreview, NewCommunity } from '../communities.ts'
import type { JID } from '../model.ts'
import { form, readForm } from './form.ts'
import { affiliationOf, cut } from './groups.ts'
import { bare, local, parseJID } from './jid.ts'
import { BOOKMARKS, DISCO, DISCO_ITEMS, FORM, GROUP, PUBSUB, RSM } from './ns.ts'
import type { Session } from './session.ts'
import { StanzaError } from './stanza.ts'
import { el, type Element } from './xml.ts'

const SPACES = 'urn:xmpp:spaces:0'
const FILTER = 'urn:xmpp:pubsub-filter:0'
/** A page of communities that are looked for. */
const PAGE = 50
const MAX_GROUPS = 500

const accessOf: Record<string, Access> = { open: 'open', authorize: 'ask', whitelist: 'invited', ask: 'ask', invited: 'invited' }
const models: Record<Access, string> = { open: 'open', ask: 'authorize', invited: 'whitelist' }
const ask = (session: Session, type: 'get' | 'set', service: string, ...inner: Element[]): Promise<Element | undefined> =>
  session.request(type, el(PUBSUB, 'pubsub', {}, ...inner), { to: service, seconds: 60 }).then((answer) => answer.child('pubsub', PUBSUB))

/** Makes a community; its address is that of its announcements. */
export async function makeCommunity(session: Session, service: string, { place, name, description, access }: NewCommunity): Promise<JID> {
  const configure = form(PUBSUB + '#node_config', { 'pubsub#type': SPACES, 'pubsub#title': name, 'pubsub#description': description, 'pubsub#access_model': models[access] })
  const made = ask(session, 'set', service, el(PUBSUB, 'create', { node: place }), el(PUBSUB, 'configure', {}, configure)).catch((error: unknown) => {
    if (place && error instanceof StanzaError && error.condition === 'conflict') return undefined // it was made when the answer was lost
    throw error
  })
  const node = (await made)?.child('create', PUBSUB)?.attr('node') ?? place
  const jid = node && parseJID(`${node}@${service}`)
  if (!jid) throw new StanzaError('undefined-condition')
  return jid
}

/** Its groups, the announcements first. */
export async function inside(session: Session, service: string, jid: JID): Promise<CommunityGroup[]> {
  const items = (await ask(session, 'get', service, el(PUBSUB, 'items', { node: local(jid) })))?.child('items', PUBSUB)
  return (items?.children('item') ?? []).slice(0, MAX_GROUPS).flatMap((item): CommunityGroup[] => {
    const conference = item.child('conference', BOOKMARKS)
    const about = conference?.child('extensions', BOOKMARKS)?.child('group', GROUP)
    const room = parseJID(item.attr('id') ?? '')
    if (!room || !about) return []
    const members = Number(about.attr('members'))
    const description = cut(about.text.trim(), 2048)
    return [{
      jid: bare(room), name: cut(conference?.attr('name'), 100) ?? local(room), members: Number.isSafeInteger(members) && members > 0 ? members : 0, affiliation: affiliationOf(about.attr('affiliation')) ?? 'none',
      join: accessOf[about.attr('join') ?? ''] ?? 'invited', ...(description ? { description } : {}), ...(about.attr('kind') === 'community' ? { announcements: true as const } : {}),
    }]
  })
}

/** What it is, as it says to anybody. */
export async function aboutCommunity(session: Session, service: string, jid: JID): Promise<Omit<CommunityPreview, 'joined'>> {
  const query = (await session.request('get', el(DISCO, 'query', { node: local(jid) }), { to: service })).child('query', DISCO)
  const fields = readForm(query)
  const members = Number(fields?.get('pubsub#num_subscribers')?.[0])
  const description = cut(fields?.get('pubsub#description')?.[0], 2048)
  return {
    jid, name: cut(fields?.get('pubsub#title')?.[0], 100) ?? local(jid), members: Number.isSafeInteger(members) ? members : 0,
    access: accessOf[fields?.get('pubsub#access_model')?.[0] ?? ''] ?? 'invited', ...(description ? { description } : {}),
  }
}

/** Comes in; true: an administrator has to let us in. */
export async function subscribe(session: Session, service: string, jid: JID): Promise<boolean> {
  const answer = await ask(session, 'set', service, el(PUBSUB, 'subscribe', { node: local(jid), jid: bare(session.jid) }))
  return answer?.child('subscription', PUBSUB)?.attr('subscription') !== 'subscribed'
}

/** Leaves, or wants to come in no longer. */
export async function unsubscribe(session: Session, service: string, jid: JID): Promise<void> {
  await ask(session, 'set', service, el(PUBSUB, 'unsubscribe', { node: local(jid), jid: bare(session.jid) }))
}

/** A group belongs to it, or is come into otherwise. */
export async function publishGroup(session: Session, service: string, jid: JID, group: JID, join: Access): Promise<void> {
  const conference = el(BOOKMARKS, 'conference', {}, el(BOOKMARKS, 'extensions', {}, el(GROUP, 'group', { join })))
  await ask(session, 'set', service, el(PUBSUB, 'publish', { node: local(jid) }, el(PUBSUB, 'item', { id: group }, conference)))
}

/** A group belongs to it no more. */
export async function retractGroup(session: Session, service: string, jid: JID, group: JID): Promise<void> {
  await ask(session, 'set', service, el(PUBSUB, 'retract', { node: local(jid) }, el(PUBSUB, 'item', { id: group })))
}

/** A page of the open communities (XEP-0462). */
export async function findCommunities(session: Session, service: string, after?: string): Promise<{ communities: { jid: JID; name: string }[]; next?: string }> {
  const filter = el(FILTER, 'filter', {}, el(FORM, 'x', { type: 'submit' }, el(FORM, 'field', { var: 'FORM_TYPE', type: 'hidden' }, el(FORM, 'value', {}, FILTER)), el(FORM, 'field', { var: 'included-types' }, el(FORM, 'value', {}, SPACES))))
  const asked = el(DISCO_ITEMS, 'query', {}, filter, el(RSM, 'set', {}, el(RSM, 'max', {}, PAGE), after !== undefined && el(RSM, 'after', {}, after)))
  const query = (await session.request('get', asked, { to: service })).child('query', DISCO_ITEMS)
  const communities = (query?.children('item') ?? []).slice(0, 2 * PAGE).flatMap((e) => {
    const jid = parseJID(`${e.attr('node') ?? ''}@${service}`)
    return e.attr('node') && jid ? [{ jid, name: (e.attr('name') ?? '').slice(0, 100) }] : []
  })
  const last = query?.child('set', RSM)?.textOf('last')
  return { communities, ...(last && communities.length >= PAGE ? { next: last } : {}) }
}
