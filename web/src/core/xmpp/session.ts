// What the modules of the extensions need of a connection. They are plain functions over a Session; connection.ts is the one that is real.

import type { Element } from './xml.ts'

/** Ends what a function has begun. */
export type Stop = () => void

/**
 * Takes a stanza. The server is told that it has arrived when the promise is fulfilled: keep first, then fulfil. When the connection breaks before that,
 * the stanza comes a second time. A promise that is rejected counts as fulfilled.
 */
export type Handler = (stanza: Element) => void | Promise<void>

/** Told once what became of a stanza: `true`, the server has taken it over; `false`, nobody knows, and it is the caller's again. */
export type Done = (acknowledged: boolean) => void

/** A connection with the server as one account. */
export interface Session {
  /** The account's bare address. */
  readonly account: string
  /** The full address of this session, the bare one before the first. */
  readonly jid: string
  /** There is a connection now. Without one, what is sent waits for the session to be resumed: do not send what will be stale then. */
  readonly live: boolean
  /**
   * Sends a stanza, or queues it while the session waits to be resumed. Without a session, or with too much unacknowledged (see sm.ts), `done`
   * is called with false at once. What a message must survive is the caller's outbox; this queue is in memory.
   */
  send(stanza: Element, done?: Done): void
  /**
   * Sends an iq of type `get` or `set` and gives the answer. It fails with a StanzaError: that of the peer, `timeout` (after `seconds`, 30 unless
   * said), or `disconnected` when the session ended before the answer came; the last two are temporary and say nothing of what was done.
   */
  request(type: 'get' | 'set', payload: Element, options?: { to?: string; seconds?: number }): Promise<Element>
  /** Takes messages or presences from now on, in the order in which they come. */
  on(kind: 'message' | 'presence', handler: Handler): Stop
  /** Answers requests whose payload has this name and namespace: with an element as result, undefined for an empty result, or a StanzaError thrown. */
  answer(ns: string, name: string, handler: (request: Element) => Element | undefined | Promise<Element | undefined>): Stop
}
