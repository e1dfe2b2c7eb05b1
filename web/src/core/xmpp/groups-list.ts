// Who stands how with a group (XEP-0045 §9.5), by pages (XEP-0463, XEP-0059).

import type { Affiliation } from '../groups.ts'
import type { JID } from '../model.ts'
import { bare, parseJID } from './jid.ts'
import { MUC_ADMIN, RSM } from './ns.ts'
import type { Session } from './session.ts'
import { el } from './xml.ts'

/** How somebody stands with a group. */
export interface Item { jid: JID; affiliation: Affiliation; nick?: string }

/** One page of those who stand so with a group. */
export async function listItems(session: Session, room: JID, affiliation: Affiliation, after?: string): Promise<{ items: Item[]; next?: string }> {
  const asked = el(MUC_ADMIN, 'query', {}, el(MUC_ADMIN, 'item', { affiliation }), el(RSM, 'set', {}, el(RSM, 'max', {}, 100), after !== undefined && el(RSM, 'after', {}, after)))
  const query = (await session.request('get', asked, { to: room })).child('query', MUC_ADMIN)
  const items = (query?.children('item') ?? []).slice(0, 2000).flatMap((e): Item[] => {
    const jid = parseJID(e.attr('jid') ?? '')
    return jid ? [{ jid: bare(jid), affiliation, nick: e.attr('nick')?.slice(0, 100) }] : []
  })
  const set = query?.child('set', RSM)
  const last = set?.textOf('last')
  return { items, ...(last && last !== after && items.length && items.length < Number(set?.textOf('count') ?? Infinity) ? { next: last } : {}) }
}
