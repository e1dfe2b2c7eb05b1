// A server in memory, as far as the engine sees it: sessions that end, an archive, acknowledgements that come or do not.
import type { Done, Handler, Session, Stop } from '../../../src/core/xmpp/session.ts'
import { CLIENT, DELAY, FORWARD, IDS, MAM, RSM } from '../../../src/core/xmpp/ns.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { formatTime } from '../../../src/core/xmpp/time.ts'
import { readForm } from '../../../src/core/xmpp/form.ts'
import { el, Element } from '../../../src/core/xmpp/xml.ts'
import { parseTime } from '../../../src/core/xmpp/time.ts'
import { bare } from '../../../src/core/xmpp/jid.ts'

/** What the archive keeps. */
export interface Entry { id: string; stanza: Element }

const START = 1_790_000_000_000_000

/** The server of one account. */
export class Server {
  readonly entries: Entry[] = []
  /** What its archive counts from, in microseconds. */
  clock = START
  /** How far apart its numbers are. */
  apart = 1000
  sessions: FakeSession[] = []

  constructor(readonly account: string) {}

  /** Keeps a stanza and gives its id. */
  keep(stanza: Element): string {
    const id = String(this.clock += this.apart)
    this.entries.push({ id, stanza })
    return id
  }

  /** Somebody writes to the account: it is kept, and goes to the sessions that are there. */
  arrive(stanza: Element): string {
    const id = this.keep(stanza)
    const stamped = new Element(stanza.ns, stanza.name, stanza.attrs, [...stanza.nodes, el(IDS, 'stanza-id', { id, by: this.account })])
    for (const session of this.sessions) session.hear(stamped)
    return id
  }

  /** A new session. */
  connect(): FakeSession {
    const session = new FakeSession(this)
    this.sessions.push(session)
    return session
  }

  /** How often a message with an origin-id is in the archive. */
  count(id: string): number {
    return this.entries.filter((e) => e.stanza.attr('id') === id).length
  }
}

/** What happens to what is sent. */
export type Fate = 'acked' | 'kept' | 'lost'

/** One session. */
export class FakeSession implements Session {
  readonly account: string
  readonly jid: string
  live = true
  fate: Fate = 'acked'
  readonly sent: Element[] = []
  /** Called before anything is done with a stanza. */
  onSend: (stanza: Element) => void = () => undefined
  private readonly pending: Done[] = []
  private readonly handlers = { message: new Set<Handler>(), presence: new Set<Handler>() }

  constructor(private readonly server: Server) {
    this.account = server.account
    this.jid = server.account + '/web'
  }

  send(stanza: Element, done?: Done): void {
    this.onSend(stanza)
    if (!this.live) return done?.(false)
    this.sent.push(stanza)
    if (this.fate !== 'lost' && stanza.name === 'message') this.server.keep(new Element(stanza.ns, stanza.name, { ...stanza.attrs, from: this.jid }, stanza.nodes))
    if (this.fate === 'acked') queueMicrotask(() => done?.(true))
    else if (done) this.pending.push(done)
  }

  /** The session is over: what was not acknowledged is given back. */
  end(): void {
    this.live = false
    this.server.sessions = this.server.sessions.filter((s) => s !== this)
    for (const done of this.pending.splice(0)) done(false)
  }

  hear(stanza: Element): void {
    for (const handler of this.handlers[stanza.name === 'message' ? 'message' : 'presence']) void handler(stanza)
  }

  on(kind: 'message' | 'presence', handler: Handler): Stop {
    this.handlers[kind].add(handler)
    return () => { this.handlers[kind].delete(handler) }
  }

  answer(): Stop {
    return () => undefined
  }

  async request(_type: 'get' | 'set', payload: Element): Promise<Element> {
    await Promise.resolve()
    if (!this.live) throw new StanzaError('disconnected', 'wait')
    if (!payload.is('query', MAM)) throw new StanzaError('service-unavailable')
    return this.page(payload)
  }

  private page(query: Element): Element {
    const form = readForm(query)
    const set = query.child('set', RSM)
    const max = Number(set?.textOf('max') ?? 50)
    const [after, before, start, mate] = [set?.textOf('after'), set?.textOf('before'), parseTime(form?.get('start')?.[0]), form?.get('with')?.[0]]
    let all = this.server.entries.filter((e) => (start === undefined || Number(e.id) >= start) && (after === undefined || Number(e.id) > Number(after)))
    if (mate) all = all.filter((e) => bare(e.stanza.attr('from') ?? '') === mate || bare(e.stanza.attr('to') ?? '') === mate)
    if (before) all = all.filter((e) => Number(e.id) < Number(before))
    const page = before === undefined ? all.slice(0, max) : all.slice(-max)
    for (const { id, stanza } of page) {
      this.hear(el(CLIENT, 'message', { from: this.account, to: this.jid }, el(MAM, 'result', { queryid: query.attr('queryid'), id },
        el(FORWARD, 'forwarded', {}, el(DELAY, 'delay', { stamp: formatTime(Number(id)) }), stanza))))
    }
    return el(CLIENT, 'iq', { type: 'result' }, el(MAM, 'fin', { complete: String(page.length === all.length) },
      el(RSM, 'set', {}, page[0] && el(RSM, 'first', {}, page[0].id), page.at(-1) && el(RSM, 'last', {}, page.at(-1)?.id))))
  }
}
