// Whether this account administers its server: the line that leads to administration is shown to who can use it. The server is asked at each new session,
// and what it said last is kept with the account, so that the screens know it without connection.

import { ADMIN } from '../xmpp/ns.ts'
import type { Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import { domain } from '../xmpp/jid.ts'
import { el } from '../xmpp/xml.ts'

/** What a server answers to who is no administrator, or when it does not know such requests. */
const NO = /^(forbidden|not-allowed|not-authorized|item-not-found|service-unavailable|feature-not-implemented)$/

/** Asks whether the account is an administrator (docs/protocol/admin.md); undefined when that cannot be told now. */
export async function isAdmin(session: Session): Promise<boolean | undefined> {
  try {
    await session.request('get', el(ADMIN, 'limits'), { to: domain(session.account) })
    return true
  } catch (error) {
    return error instanceof StanzaError && NO.test(error.condition) ? false : undefined
  }
}
