// When somebody was there last (XEP-0012), and whether others may know it of us (docs/protocol/last-privacy.md).

import { execute } from './command.ts'
import { bare } from './jid.ts'
import type { Session } from './session.ts'
import { el } from './xml.ts'
import type { Micros } from '../model.ts'

const LAST = 'jabber:iq:last'
const PRIVACY = 'urn:palabre:last:0#privacy'

/** Asks when a contact was there last: now, when a device of theirs is. Fails with `forbidden` for who may not know, `item-not-found` for never. */
export async function lastSeen(session: Session, jid: string): Promise<Micros | undefined> {
  const seconds = (await session.request('get', el(LAST, 'query'), { to: bare(jid) })).child('query', LAST)?.attr('seconds')
  return seconds && /^\d{1,10}$/.test(seconds) ? Math.max(0, Date.now() - Number(seconds) * 1000) * 1000 : undefined
}

/** Asks whether contacts may know when we were there last. */
export const isLastShown = async (session: Session): Promise<boolean> => (await execute(session, PRIVACY)).values.get('shown')?.[0] === '1'

/** Lets contacts know it, or not. */
export const showLast = async (session: Session, shown: boolean): Promise<void> => void await execute(session, PRIVACY, { shown })
