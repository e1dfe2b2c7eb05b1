// Questions and answers (RFC 6120 §8.2.3): those that we asked and wait for, and those that others ask us.

import { bare, parseJID } from './jid.ts'
import { CLIENT } from './ns.ts'
import type { Done, Stop } from './session.ts'
import { errorOf, errorReply, iq, newID, StanzaError } from './stanza.ts'
import type { Element } from './xml.ts'

/** Answers a request: with a payload, undefined for an empty result, or by throwing a StanzaError. */
export type Answerer = (request: Element) => Element | undefined | Promise<Element | undefined>

interface Pending { from: string | undefined; settle: (answer: Element | StanzaError) => void }

const disconnected = () => new StanzaError('disconnected', 'wait')

/** The iqs of one account. */
export class Requests {
  private readonly pending = new Map<string, Pending>()
  private readonly answerers = new Map<string, Answerer>()

  constructor(private readonly send: (stanza: Element, done?: Done) => void) {}

  /** Asks, and gives the whole answer; see Session.request. */
  ask(type: 'get' | 'set', payload: Element, to: string | undefined, seconds: number): Promise<Element> {
    return new Promise((resolve, reject) => {
      const id = newID()
      const settle = (answer: Element | StanzaError) => {
        clearTimeout(timer)
        if (!this.pending.delete(id)) return
        if (answer instanceof StanzaError) reject(answer)
        else resolve(answer)
      }
      const timer = setTimeout(() => settle(new StanzaError('timeout', 'wait')), seconds * 1000)
      this.pending.set(id, { from: to && (parseJID(to) ?? to), settle })
      this.send(iq({ type, id, to }, payload), (acknowledged) => { if (!acknowledged) settle(disconnected()) })
    })
  }

  /** Answers requests from now on. */
  answer(ns: string, name: string, answerer: Answerer): Stop {
    const key = name + ' ' + ns
    this.answerers.set(key, answerer)
    return () => { if (this.answerers.get(key) === answerer) this.answerers.delete(key) }
  }

  /** The session is over: nobody will answer. */
  end(): void {
    for (const one of [...this.pending.values()]) one.settle(disconnected())
  }

  /** Takes an iq that came for `account`. */
  take(stanza: Element, account: string): void {
    const { type, id, from } = stanza.attrs
    if (type === 'get' || type === 'set') return void this.reply(stanza)
    const one = id === undefined ? undefined : this.pending.get(id)
    // RFC 6120 §8.1.2.1: an answer of one's own account may come without from. Nobody else can answer in its place.
    if (!one || (one.from ? from !== one.from && !(from === undefined && one.from === account) : from !== undefined && bare(from) !== account)) return
    one.settle(type === 'result' ? stanza : errorOf(stanza))
  }

  private async reply(request: Element): Promise<void> {
    const { from, id } = request.attrs
    const [payload, ...more] = request.children().filter((c) => !c.is('error', CLIENT))
    const answerer = payload && !more.length ? this.answerers.get(payload.name + ' ' + payload.ns) : undefined
    let reply: Element
    try {
      reply = answerer ? iq({ to: from, id, type: 'result' }, await answerer(request)) : errorReply(request, 'service-unavailable')
    } catch (error) {
      reply = error instanceof StanzaError ? errorReply(request, error.condition, error.type) : errorReply(request, 'internal-server-error', 'wait')
    }
    this.send(reply)
  }
}
