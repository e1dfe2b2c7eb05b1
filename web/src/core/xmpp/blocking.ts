// Whom an account does not want to hear (XEP-0191), and reports of abuse (XEP-0377).

import { parseJID } from './jid.ts'
import { BLOCKING, IDS, REPORTING } from './ns.ts'
import type { Session, Stop } from './session.ts'
import { StanzaError } from './stanza.ts'
import { el, type Element } from './xml.ts'

/** What is reported; `messages` are the ids that our archive gave them, at most 50; the text has at most 4000 bytes. */
export interface AbuseReport { reason: 'spam' | 'abuse'; text?: string; messages?: string[] }

const MAX_BLOCKED = 10_000
const readItems = (e: Element | undefined): string[] =>
  (e?.children('item') ?? []).slice(0, MAX_BLOCKED).flatMap((item) => parseJID(item.attr('jid') ?? '') ?? [])

/** Asks whom we block. */
export const getBlocked = async (session: Session): Promise<string[]> =>
  readItems((await session.request('get', el(BLOCKING, 'blocklist'))).child('blocklist', BLOCKING))

/** Blocks an address, and reports it if somebody says why. */
export async function block(session: Session, jid: string, report?: AbuseReport): Promise<void> {
  const ids = report?.messages?.slice(0, 50).map((id) => el(IDS, 'stanza-id', { by: session.account, id })) ?? []
  await session.request('set', el(BLOCKING, 'block', {}, el(BLOCKING, 'item', { jid }, report && el(REPORTING, 'report',
    { reason: 'urn:xmpp:reporting:' + report.reason }, ...ids, report.text && el(REPORTING, 'text', {}, report.text)))))
}

/** Blocks an address no more. */
export async function unblock(session: Session, jid: string): Promise<void> {
  await session.request('set', el(BLOCKING, 'unblock', {}, el(BLOCKING, 'item', { jid })))
}

/** Tells of changes that any device of the account made: `jids` are (un)blocked; [] with `blocked` false means all. */
export function onBlocked(session: Session, tell: (jids: string[], blocked: boolean) => void | Promise<void>): Stop {
  const take = (name: 'block' | 'unblock') => session.answer(BLOCKING, name, async (request) => {
    const from = request.attr('from')
    if (request.attr('type') !== 'set' || (from !== undefined && from !== session.account)) throw new StanzaError('not-allowed')
    await tell(readItems(request.child(name, BLOCKING)), name === 'block')
    return undefined
  })
  const stops = [take('block'), take('unblock')]
  return () => { for (const stop of stops) stop() }
}
