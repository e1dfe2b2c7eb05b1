// Cards of links (XEP-0511) that the account's server makes, because a page in a browser cannot read other sites (docs/protocol/link-card.md). The server
// learns the address: who calls this has asked the person before.

import { discover } from './disco.ts'
import { LINK_CARD } from './ns.ts'
import type { Session } from './session.ts'
import { StanzaError } from './stanza.ts'
import { el, type Element } from './xml.ts'

/** How long the server may take, in seconds: it gives up after eight. */
const PATIENCE = 12

/** Asks whether the account's server makes cards. */
export const makesCards = async (session: Session): Promise<boolean> => (await discover(session, session.account)).features.has(LINK_CARD)

/** Asks for the card of a link: what it is in is read as what a message holds. undefined: there is no card. */
export async function askCard(session: Session, url: string): Promise<Element | undefined> {
  try {
    return (await session.request('get', el(LINK_CARD, 'card', { url }), { to: session.account, seconds: PATIENCE })).child('card', LINK_CARD)
  } catch (error) {
    if (error instanceof StanzaError && error.condition === 'item-not-found') return undefined
    throw error
  }
}
