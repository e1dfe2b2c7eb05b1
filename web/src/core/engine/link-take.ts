// The new device's side of linking: its keys are made before it has an account, and go again if nothing comes of it.

import { openCrypto } from '../crypto/client.ts'
import type { Crypto } from '../crypto/api.ts'
import type { LinkLogin } from '../crypto/types.ts'
import type { JID, LinkState } from '../model.ts'
import type { Accounts } from '../store/accounts.ts'
import { local, parseJID } from '../xmpp/jid.ts'
import { renewToken } from '../xmpp/login.ts'
import { Broken } from '../xmpp/pipe.ts'
import { TOKEN, type Token } from '../xmpp/sasl.ts'
import type { World } from './door.ts'
import { accountOf, boxesAt, LinkError, Linking, uriOf, type Begin } from './link.ts'
import { serversOf } from './summary.ts'

const nothing = () => Promise.reject(new Error('not signed in'))
const keysOf = (): Crypto & { end(): void } => openCrypto({ devices: nothing, bundle: nothing, onNotices: () => undefined, onDue: () => undefined })

/** Takes an account from another device of it. */
export class Taking {
  private stopped = false
  private linking: Linking | undefined

  constructor(private readonly accounts: Accounts, private readonly world: World, private readonly show: (state: LinkState) => void) {}

  compared(same: boolean): void {
    this.linking?.compared(same)
  }

  stop(): void {
    this.stopped = true
    this.linking?.stop()
  }

  /** Goes through all of it; what is shown says how it ended. */
  async run(by: { scanned: string } | { address: JID }, open = keysOf): Promise<void> {
    const keys = open()
    try {
      const { jid, begin } = this.begin(by)
      const own = await keys.init(jid, [])
      if (!own.ok) throw new LinkError('storage')
      const linking = this.linking = new Linking({
        role: 'new', crypto: keys, show: this.show, relay: boxesAt(this.world.origin, this.world.fetch), enter: (login) => this.enter(jid, login),
      })
      if (this.stopped) linking.stop()
      const done = await linking.run(begin)
      if (!done && own.value.fresh && !await this.accounts.get(jid)) await keys.wipe()
    } catch (error) {
      const why = error instanceof LinkError ? error : new LinkError('server')
      if (!this.stopped) this.show({ step: 'failed', why: why.why, ...(why.at ? { at: why.at } : {}) })
    } finally {
      keys.end()
    }
  }

  private begin(by: { scanned: string } | { address: JID }): { jid: JID; begin: Begin } {
    if ('address' in by) {
      const jid = parseJID(by.address.trim())
      if (!jid || !local(jid) || jid.includes('/')) throw new LinkError('malformed')
      return { jid, begin: { address: jid, text: (uri) => uri } }
    }
    const uri = uriOf(by.scanned, 'new')
    const at = /^https?:\/\/[^/?#]+/.exec(by.scanned.trim())?.[0]
    if (at && at !== this.world.origin) throw new LinkError('elsewhere', by.scanned.trim())
    const jid = parseJID(accountOf(uri))
    if (!jid) throw new LinkError('malformed')
    return { jid, begin: { scanned: uri } }
  }

  /** An account that is signed in here already stays so: it wanted the history alone. */
  private async enter(jid: JID, login: LinkLogin | undefined): Promise<void> {
    const known = await this.accounts.get(jid)
    if (known?.token && !known.signedOut) return
    if (login?.mechanism !== TOKEN) throw new LinkError('server')
    const token = await this.token(jid, login.agent, { mechanism: TOKEN, secret: login.token })
    try {
      await this.accounts.add(jid, Date.now() * 1000)
      await this.accounts.change(jid, { agent: login.agent, token })
    } catch {
      throw new LinkError('storage')
    }
  }

  private async token(jid: JID, id: string, token: Token): Promise<Token> {
    const agent = { id, software: 'Palabre Web', device: this.world.device }
    for (const server of await serversOf(this.accounts, jid, this.world.origin).list()) {
      try {
        return await renewToken(server, { account: jid, agent, token }, this.world.socket)
      } catch (error) {
        if (!(error instanceof Broken)) throw new LinkError('server')
      }
    }
    throw new LinkError('offline')
  }
}
