// The older device's side of linking: what it gives is ready before it gives it, and only a person gives it.

import { parseTime } from '../xmpp/time.ts'
import { el } from '../xmpp/xml.ts'
import type { Session } from '../xmpp/session.ts'
import type { JID, LinkState } from '../model.ts'
import type { LinkLogin } from '../crypto/types.ts'
import { boxesAt, LinkError, Linking, type Side } from './link.ts'

const LINK = 'urn:palabre:link:0'
/** How long the new device waits at most until what is there is written down, in milliseconds; the rest follows. */
const PREPARE = 15_000

/** Asks the server for what lets another device in, for two minutes (docs/protocol/device-link.md §4). */
async function admit(session: Session): Promise<LinkLogin> {
  const answer = (await session.request('set', el(LINK, 'token'))).child('token', LINK)
  const [agent, mechanism, token] = [answer?.attr('client'), answer?.attr('mechanism'), answer?.attr('token')]
  if (!agent || !mechanism || !token || parseTime(answer?.attr('expiry')) === undefined) throw new LinkError('server')
  return { agent, mechanism, token }
}

/** What the leading tab brings. */
export interface Giver {
  account: JID
  crypto: Side['crypto']
  session(): Session
  /** Writes down what this device could read, with a key that there is from then on. */
  prepare(): Promise<void>
}

/** Begins: with a code of this device's own, or the one of the new device. */
export function giveAccount(giver: Giver, scanned: string | undefined, show: (state: LinkState) => void): Linking {
  const { origin } = location
  const linking = new Linking({
    role: 'old', crypto: giver.crypto, show, relay: boxesAt(origin, (...args) => fetch(...args)),
    admit: async () => {
      try {
        const session = giver.session()
        await Promise.race([giver.prepare(), new Promise((resolve) => setTimeout(resolve, PREPARE))])
        return await admit(session)
      } catch (error) {
        throw error instanceof Error && /^(Offline|StanzaError)$/.test(error.name) ? new LinkError('offline') : error
      }
    },
  })
  void linking.run(scanned === undefined ? { address: giver.account, text: (uri) => `${origin}/link#${uri}` } : { scanned })
  return linking
}
