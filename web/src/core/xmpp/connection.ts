// The connection of one account: finds a server that answers, logs in, resumes, notices when it is gone and comes back by itself. It is the
// Session that all else stands on. One tab has it at a time (net/leader.ts).

import type { Connection as Model } from '../model.ts'
import { Keeper } from '../net/keeper.ts'
import { Pulse } from '../net/pulse.ts'
import { safely } from '../net/safely.ts'
import { dropToken, fetchToken, logIn, Refused, streamError, type Identity, type Welcome } from './login.ts'
import { CSI, FRAMING, SM, STREAM } from './ns.ts'
import type { Pipe, Socket } from './pipe.ts'
import { Requests, type Answerer } from './requests.ts'
import { SaslError, type Token } from './sasl.ts'
import type { Done, Handler, Session, Stop } from './session.ts'
import { ask, Ledger, tell } from './sm.ts'
import { isStanza } from './stanza.ts'
import { el, type Element } from './xml.ts'

/** What the screens are told of the connection; what waits to leave, the outbox knows. */
export type Link = Omit<Model, 'waiting' | 'oldestWaiting'>

/** What a connection needs. */
export interface Options {
  who: Identity
  /** Addresses (wss://…) to try in this order, at most 8; asked before each round of tries. */
  servers(): Promise<string[]>
  /** Keeps the token that the next login uses. */
  keepToken(token: Token): void
  /** Shows a change of the state. */
  show(link: Link): void
  /**
   * A session is there. Resumed: nothing was missed. Otherwise it is new: presence, roster and archive have to be caught up with, and
   * what was on its way has been given back to its senders. `archive` holds the ids of the archive's first and last messages.
   */
  began(session: { resumed: boolean; archive?: { first: string; last: string } }): void
  /** For tests. */
  socket?: Socket
}

/** A session that ended sooner than this counts as a failed try, in milliseconds. */
const SHORT = 30_000
const MAX_SERVERS = 8

const micros = () => Date.now() * 1000

/** The connection of one account. */
export class Connection implements Session {
  readonly account: string
  jid: string
  private ledger: Ledger | undefined
  private pipe: Pipe | undefined
  private pulse: Pulse | undefined
  private hidden = false
  private refusal: unknown
  private heardAt: number | undefined
  private state: Link = { state: 'offline', since: micros() }
  /** The server owes us its count; more was sent since we asked. */
  private asking = false
  private unasked = false
  /** The server wants to know when all that it sent is handled. */
  private owing = false
  private readonly requests = new Requests((stanza, done) => this.send(stanza, done))
  private readonly handlers = { message: new Set<Handler>(), presence: new Set<Handler>() }
  private readonly keeper = new Keeper<NonNullable<Link['reason']>>({
    servers: async () => (await this.options.servers()).slice(0, MAX_SERVERS),
    visit: (server, place, signal) => this.visit(server, place, signal),
    waits: (until) => this.tell({ state: 'offline', nextTry: until * 1000 }),
    ends: (reason) => {
      this.forget()
      this.tell({ state: 'refused', reason })
    },
  })

  constructor(private readonly options: Options) {
    this.account = this.jid = options.who.account
  }

  /** How the connection is now. */
  get link(): Link {
    return { ...this.state, lastHeard: this.heardAt }
  }

  get live(): boolean {
    return !!this.pipe
  }

  /** Connects, and stays connected until stop(). */
  start(): void {
    this.keeper.start()
  }

  /** Ends the session in order. What was on its way is given back to its senders. */
  stop(): void {
    const pipe = this.leave()
    if (this.ledger) pipe?.write(tell(this.ledger))
    pipe?.close()
    this.keeper.stop()
    this.forget()
    this.tell({ state: 'offline' })
  }

  /** Tries again now: somebody looks, or the network is back. A connection that seems to live has to show that it does. */
  nudge(): void {
    this.pulse?.hurry()
    this.keeper.nudge()
  }

  /** Connects again though the server refused; with a password, by that. */
  reconnect(password?: string): void {
    if (password) Object.assign(this.options.who, { password, token: undefined })
    if (this.keeper.running) this.nudge()
    else this.start()
  }

  /** Gets a token for a new password, since the one before is void; until there is one the next login uses the password. Throws as a login does. */
  async renew(password: string): Promise<void> {
    const { who, servers, socket } = this.options
    Object.assign(who, { password, token: undefined })
    const [server] = this.state.server ? [this.state.server] : await servers()
    const token = server && await fetchToken(server, { ...who, password }, socket)
    if (token) this.useToken(token)
  }

  /** Stops, and takes this installation's token away from the server as far as it can be reached. */
  async signOut(): Promise<void> {
    const { who, socket } = this.options
    const { server } = this.state
    this.stop()
    if (server && who.token) await dropToken(server, { ...who, token: who.token }, socket).catch(() => undefined)
    who.token = who.password = undefined
  }

  /** Nobody looks at the screen (true), or somebody does again: the server holds back what can wait (XEP-0352), and we ask less often. */
  setHidden(hidden: boolean): void {
    if (hidden === this.hidden) return
    this.hidden = this.keeper.hidden = hidden
    if (this.pulse) this.pulse.hidden = hidden
    this.pipe?.write(el(CSI, hidden ? 'inactive' : 'active'))
  }

  send(stanza: Element, done?: Done): void {
    if (!this.ledger?.sent(stanza, done)) return done ? safely(() => done(false)) : undefined
    this.pipe?.write(stanza)
    this.ask()
  }

  request(type: 'get' | 'set', payload: Element, { to, seconds = 30 }: { to?: string; seconds?: number } = {}): Promise<Element> {
    return this.requests.ask(type, payload, to, seconds)
  }

  on(kind: 'message' | 'presence', handler: Handler): Stop {
    this.handlers[kind].add(handler)
    return () => { this.handlers[kind].delete(handler) }
  }

  answer(ns: string, name: string, answerer: Answerer): Stop {
    return this.requests.answer(ns, name, answerer)
  }

  private tell(link: Omit<Link, 'since'>): void {
    const same = link.state === this.state.state && link.reason === this.state.reason
    this.state = { ...link, since: same ? this.state.since : micros() }
    safely(() => this.options.show(this.link))
  }

  private useToken(token: Token): void {
    Object.assign(this.options.who, { token, password: undefined })
    safely(() => this.options.keepToken(token))
  }

  /** Logs in at one server, and stays until the connection ends. */
  private async visit(server: string, place: number, signal: AbortSignal): Promise<{ held?: boolean; long?: boolean; reason?: Link['reason']; elsewhere?: boolean }> {
    this.tell({ state: 'connecting', server })
    const { who, socket } = this.options
    const { ledger } = this
    try {
      const resume = ledger?.id === undefined ? undefined : { id: ledger.id, h: ledger.resume() }
      const welcome = await logIn(server, who, { resume, inactive: this.hidden, socket, signal })
      if (signal.aborted) welcome.pipe.close()
      if (signal.aborted) return {}
      this.keeper.holds()
      const began = performance.now()
      await this.hold(welcome, server, place > 0)
      return { held: true, long: performance.now() - began > SHORT, reason: this.reasonOf(this.refusal) }
    } catch (error) {
      const reason = this.reasonOf(error)
      return { reason, elsewhere: reason === 'certificate' }
    }
  }

  /** Why it is no use to try again by ourselves, undefined if it is. */
  private reasonOf(error: unknown): Link['reason'] {
    if (error instanceof SaslError) return error.reason === 'password' ? 'password' : error.reason === 'no-mechanism' ? 'version' : 'certificate'
    if (!(error instanceof Refused)) return undefined
    if (error.what === 'stream') return error.condition === 'conflict' ? 'replaced' : undefined // what else it is, the next login tells
    if (error.condition === 'account-disabled') return 'account-disabled'
    if (!/^(not-authorized|credentials-expired|invalid-authzid)$/.test(error.condition)) return undefined
    if (!this.options.who.token || !this.options.who.password) return 'password'
    this.options.who.token = undefined // there is a password to try
    return undefined
  }

  /** Takes a session over, and returns when its connection has ended. */
  private hold(welcome: Welcome, server: string, fallback: boolean): Promise<void> {
    const { pipe, resumed, token } = welcome
    if (token) this.useToken(token)
    this.refusal = undefined
    if (!this.adopt(welcome)) {
      pipe.abort()
      return Promise.resolve()
    }
    this.pipe = pipe
    this.asking = this.unasked = this.owing = false
    this.pulse = new Pulse(() => this.ask(true), () => pipe.abort(), () => pipe.backlog)
    this.pulse.hidden = this.hidden
    this.hear()
    for (const stanza of this.ledger?.again() ?? []) pipe.write(stanza)
    if (this.ledger?.waiting) this.ask()
    if (resumed && this.hidden) pipe.write(el(CSI, 'inactive'))
    this.tell({ state: fallback ? 'fallback' : 'live', server })
    safely(() => this.options.began({ resumed: !!resumed, archive: welcome.archive }))
    return new Promise((resolve) => pipe.handOver((frame, raw) => this.take(frame, raw), () => {
      if (this.pipe === pipe) this.leave()
      resolve()
    }))
  }

  /** Makes the ledger right for a new connection; false if the server's count cannot be. */
  private adopt(welcome: Welcome): boolean {
    const old = this.ledger
    if (welcome.resumed && old) {
      if (old.acknowledge(welcome.resumed.h)) return true
      this.forget()
      return false
    }
    if (welcome.lost?.h) old?.acknowledge(welcome.lost.h)
    this.jid = welcome.jid
    this.ledger = new Ledger(welcome.id)
    this.giveBack(old)
    if (!welcome.managed) this.refusal = new SaslError('no-mechanism')
    return welcome.managed
  }

  private forget(): void {
    const old = this.ledger
    this.ledger = undefined
    this.giveBack(old)
  }

  private giveBack(ledger: Ledger | undefined): void {
    if (!ledger) return
    ledger.end()
    this.requests.end()
  }

  /** Lets go of the connection, not of the session. */
  private leave(): Pipe | undefined {
    const pipe = this.pipe
    this.pulse?.stop()
    this.pipe = this.pulse = undefined
    return pipe
  }

  private hear(): void {
    this.heardAt = micros()
    this.pulse?.heard()
  }

  /** Asks what the server has: once for all that is sent in this moment, and never twice at a time. */
  private ask(now = false): void {
    if (this.asking) this.unasked = true
    if (this.asking || !this.pipe) return
    this.asking = true
    const pipe = this.pipe
    const write = () => {
      if (this.pipe !== pipe) return
      pipe.write(ask())
      this.pulse?.asked()
    }
    if (now) write()
    else queueMicrotask(write)
  }

  private take(frame: Element, raw: string): void {
    this.hear()
    if (isStanza(frame)) return this.takeStanza(frame)
    // A peer's stanza that is beyond our limits counts as arrived: it would come again for ever.
    if (frame.ns === '') return /^\s*<(?:\w+:)?(?:message|presence|iq)[\s/>]/.test(raw) ? this.ledger?.arrived()() : undefined
    if (frame.is('r', SM)) {
      if (this.ledger) this.pipe?.write(tell(this.ledger))
      this.owing = !this.ledger?.settled
    } else if (frame.is('a', SM)) this.takeCount(frame.attr('h'))
    else if (frame.is('error', STREAM)) {
      this.refusal = streamError(frame)
      this.pipe?.abort()
    } else if (frame.is('close', FRAMING)) this.pipe?.abort()
  }

  private takeCount(h: string | undefined): void {
    if (!this.ledger?.acknowledge(h)) {
      this.pipe?.abort()
      return this.forget()
    }
    this.asking = false
    this.pulse?.answered()
    if (this.unasked && this.ledger.waiting) this.ask()
    this.unasked = false
  }

  private takeStanza(stanza: Element): void {
    const ledger = this.ledger
    const handled = ledger?.arrived()
    void this.dispatch(stanza).then(() => {
      handled?.()
      if (!this.owing || ledger !== this.ledger || !ledger?.settled) return
      this.owing = false
      this.pipe?.write(tell(ledger))
    })
  }

  /** Gives a stanza to whom it concerns. What they throw is shown and changes nothing: the stanza has arrived. */
  private async dispatch(stanza: Element): Promise<void> {
    if (stanza.name === 'iq') return this.requests.take(stanza, this.account)
    const work: Promise<void>[] = []
    for (const handler of this.handlers[stanza.name === 'message' ? 'message' : 'presence']) {
      safely(() => {
        const done = handler(stanza)
        if (done) work.push(done)
      })
    }
    for (const end of await Promise.allSettled(work)) if (end.status === 'rejected') safely(() => { throw end.reason })
  }
}
