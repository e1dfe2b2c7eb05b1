// How somebody gets in: by invitation, with a password, and back into an account that is on this device already (core/accounts.ts).

import { Trouble, type Accounts as Contract, type InvitationFacts, type Linking, type TroubleCode } from '../accounts.ts'
import type { AccountSummary, JID, LinkState } from '../model.ts'
import type { Account, Accounts } from '../store/accounts.ts'
import { local, parseJID } from '../xmpp/jid.ts'
import { fetchToken } from '../xmpp/login.ts'
import { Broken, type Socket } from '../xmpp/pipe.ts'
import { openRegistration } from '../xmpp/register.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import { parseTime } from '../xmpp/time.ts'
import { Taking } from './link-take.ts'
import { serversOf, summary } from './summary.ts'
import { entering } from './trouble.ts'

/** What is asked of the world around; tests give another. */
export interface World {
  /** Where the page came from: https://host:port. */
  origin: string
  fetch: typeof fetch
  socket?: Socket
  /** What the server shows of this device. */
  device: string
}

const PATIENCE = 15_000

/** What somebody may do who is not in yet. */
export class Door implements Contract {
  /** `recovery` opens the history of the account in use. */
  constructor(private readonly accounts: Accounts, private readonly world: World, private readonly recovery: (code: string) => Promise<void>) {}

  async list(): Promise<AccountSummary[]> {
    const all = (await this.accounts.all()).filter((a) => !a.signedOut)
    return all.map((a, i) => summary(a, i === 0))
  }

  async invitation(token: string): Promise<InvitationFacts> {
    const facts = await this.ask(`/invite/${encodeURIComponent(token)}/about`)
    const text = (name: string) => typeof facts[name] === 'string' ? facts[name] : undefined
    const inviter = parseJID(text('inviter') ?? '')
    const expires = parseTime(text('expires'))
    const host = text('domain')
    if (!host) throw new Trouble('server')
    const name = text('name')
    return { domain: host, token, account: facts['account'] === true, admin: facts['admin'] === true, ...(inviter ? { inviter } : {}), ...(name ? { name } : {}), ...(expires ? { expires } : {}) }
  }

  async free(token: string, name: string): Promise<'free' | 'taken' | 'unusable'> {
    if (!parseJID(name + '@' + new URL(this.world.origin).hostname)) return 'unusable'
    const answer = await this.ask(`/invite/${encodeURIComponent(token)}/free?name=${encodeURIComponent(name)}`)
    return answer['free'] === true ? 'free' : answer['why'] === 'unusable' ? 'unusable' : 'taken'
  }

  private async ask(path: string): Promise<Record<string, unknown>> {
    let answer: Response
    try {
      answer = await this.world.fetch(this.world.origin + path, { credentials: 'omit', signal: AbortSignal.timeout(PATIENCE) })
    } catch {
      throw new Trouble('unreachable')
    }
    if (answer.status === 404) throw new Trouble('invitation')
    if (answer.status === 429) throw new Trouble('busy')
    if (!answer.ok) throw new Trouble('server')
    const body: unknown = await answer.json().catch(() => undefined)
    if (!body || typeof body !== 'object') throw new Trouble('server')
    return body as Record<string, unknown>
  }

  async join(invitation: InvitationFacts, name: string, password: string): Promise<JID> {
    const jid = parseJID(`${name}@${invitation.domain}`)
    if (!jid || !local(jid)) throw new Trouble('unusable')
    const [server] = await serversOf(this.accounts, jid, this.world.origin).list()
    try {
      const way = await openRegistration(server ?? '', invitation.domain, this.world.socket)
      try {
        await way.invite(invitation.token)
        await way.create(local(jid), password)
      } finally {
        way.close()
      }
    } catch (error) {
      const trouble = joining(error)
      // Whether there is an account now, only a login can tell. A name that is taken may be taken by ourselves, a moment ago.
      if (trouble.code !== 'unreachable' && trouble.code !== 'taken' && trouble.code !== 'invitation') throw trouble
      return this.signIn(jid, password).catch(() => { throw trouble })
    }
    return this.signIn(jid, password)
  }

  async signIn(address: JID, password: string): Promise<JID> {
    const jid = parseJID(address.trim())
    if (!jid || !local(jid) || jid.includes('/')) throw new Trouble('unusable')
    const known = await this.accounts.get(jid)
    const agent = { id: known?.agent ?? crypto.randomUUID(), software: 'Palabre Web', device: this.world.device }
    const token = await this.tokenFrom(jid, agent, password)
    try {
      await this.accounts.add(jid, Date.now() * 1000)
      await this.accounts.change(jid, { agent: agent.id, token })
    } catch {
      throw new Trouble('storage')
    }
    return jid
  }

  private async tokenFrom(jid: JID, agent: { id: string; software: string; device: string }, password: string): Promise<Account['token']> {
    let last: unknown = new Broken('no server')
    for (const server of await serversOf(this.accounts, jid, this.world.origin).list()) {
      try {
        const token = await fetchToken(server, { account: jid, agent, password }, this.world.socket)
        if (!token) throw new Trouble('server', 'the server gives no tokens (XEP-0484)')
        return token
      } catch (error) {
        last = error
        if (!(error instanceof Broken)) break
      }
    }
    throw entering(last)
  }

  link(by: { scanned: string } | { address: JID }, show: (state: LinkState) => void): Linking {
    const taking = new Taking(this.accounts, this.world, show)
    queueMicrotask(() => void taking.run(by)) // what it shows may use what is returned here
    return taking
  }

  recover(code: string): Promise<void> {
    return this.recovery(code)
  }

  async use(jid: JID): Promise<void> {
    await this.accounts.change(jid, { used: Date.now() * 1000 })
  }
}

function joining(error: unknown): Trouble {
  if (!(error instanceof StanzaError)) return entering(error)
  const codes: Record<string, TroubleCode> = {
    'conflict': 'taken', 'item-not-found': 'invitation', 'not-allowed': 'closed', 'resource-constraint': 'busy', 'not-acceptable': /password/i.test(error.text) ? 'weak' : 'unusable',
  }
  return new Trouble(codes[error.condition] ?? 'server', error.text)
}
