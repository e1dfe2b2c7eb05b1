// The older device's side of linking: what it gives is ready before it gives it, and only a person gives it.

import { parseTime } from '../xmpp/time.ts'
import { listAccess, revokeAccess } from '../xmpp/access.ts'
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

/** How long the server is asked what became of a way in, in milliseconds: it ends by itself before that. */
const SETTLE = 130_000
const AGAIN = 2000

/** A way in that was made, and what became of it. */
class Way {
  private before: Set<string> | undefined
  private making: Promise<LinkLogin> | undefined

  constructor(private readonly session: () => Session) {}

  /** Makes it; what has access is noted before, so that the newcomer is known. */
  make(): Promise<LinkLogin> {
    return this.making = (async () => {
      const session = this.session()
      this.before = new Set((await listAccess(session)).map((one) => one.id))
      return admit(session)
    })()
  }

  /** Says whether somebody came in by it. If not, nobody can any more. */
  async settle(): Promise<boolean> {
    await this.making?.catch(() => undefined)
    const { before } = this
    if (!before) return false
    for (const since = Date.now(); Date.now() - since < SETTLE;) {
      try {
        return await this.look(before)
      } catch {
        await new Promise((resolve) => setTimeout(resolve, AGAIN))
      }
    }
    return false
  }

  private async look(before: Set<string>): Promise<boolean> {
    const session = this.session()
    const fresh = (await listAccess(session)).filter((one) => !before.has(one.id))
    const unused = fresh.filter((one) => !one.app)
    for (const { id } of unused) await revokeAccess(session, id)
    return fresh.length > 0 && unused.length === 0
  }
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
  const way = new Way(() => giver.session())
  const linking = new Linking({
    role: 'old', crypto: giver.crypto, show, relay: boxesAt(origin, (...args) => fetch(...args)),
    admit: async () => {
      try {
        giver.session()
        await Promise.race([giver.prepare(), new Promise((resolve) => setTimeout(resolve, PREPARE))])
        return await way.make()
      } catch (error) {
        throw error instanceof Error && /^(Offline|StanzaError)$/.test(error.name) ? new LinkError('offline') : error
      }
    },
    settle: () => way.settle(),
  })
  void linking.run(scanned === undefined ? { address: giver.account, text: (uri) => `${origin}/link#${uri}` } : { scanned })
  return linking
}
