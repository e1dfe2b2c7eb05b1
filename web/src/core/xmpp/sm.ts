// Stream management (XEP-0198): who has got what. What we send stays in a queue until the server says that it has it; what the server sends
// is counted once it is handled here. One Ledger belongs to one session and outlives its connections.

import { safely } from '../net/safely.ts'
import { SM } from './ns.ts'
import type { Done } from './session.ts'
import { el, type Element } from './xml.ts'

/** Stanzas that may wait for the server's acknowledgement; further ones are the caller's at once. */
export const MAX_UNACKED = 500

interface Sent { stanza: Element; done?: Done }

const wrap = (n: number) => n >>> 0

/** The counts and the queue of one session. */
export class Ledger {
  private readonly unacked: Sent[] = []
  private acked = 0
  private handled = 0
  /** One entry for each stanza that came and does not count yet, oldest first: whether it is handled. */
  private readonly open: { handled: boolean }[] = []

  /** `id` is what the session is resumed by, undefined if the server does not let it. */
  constructor(readonly id: string | undefined) {}

  /** How many stanzas wait for an acknowledgement. */
  get waiting(): number {
    return this.unacked.length
  }

  /** Takes a stanza that is about to be written; false if too many wait. */
  sent(stanza: Element, done?: Done): boolean {
    if (this.unacked.length >= MAX_UNACKED) return false
    this.unacked.push({ stanza, done })
    return true
  }

  /** Takes the server's count and tells the callers; false if the server counts what was never sent. */
  acknowledge(h: string | undefined): boolean {
    const count = readCount(h)
    const fresh = count === undefined ? Infinity : wrap(count - this.acked)
    if (count === undefined || fresh > this.unacked.length) return false
    this.acked = count
    for (const one of this.unacked.splice(0, fresh)) safely(() => one.done?.(true))
    return true
  }

  /** What has to be written once more on a new connection, in order. */
  again(): Element[] {
    return this.unacked.map((one) => one.stanza)
  }

  /** Notes that a stanza has come; the function that it returns notes that it is handled. */
  arrived(): () => void {
    const slot = { handled: false }
    this.open.push(slot)
    return () => {
      slot.handled = true
      let first = 0
      while (this.open[first]?.handled) first++
      this.open.splice(0, first)
      this.handled = wrap(this.handled + first)
    }
  }

  /** Says whether all that came is handled. */
  get settled(): boolean {
    return !this.open.length
  }

  /**
   * The count with which the session is resumed. What came and is not handled yet comes again, so what is still being done with it counts no more:
   * whoever takes stanzas may see one twice.
   */
  resume(): number {
    this.open.splice(0)
    return this.handled
  }

  /** How many stanzas are handled: the count for `<a/>`. */
  get h(): number {
    return this.handled
  }

  /** The session is over: gives everything that is not acknowledged back to its callers. */
  end(): void {
    for (const one of this.unacked.splice(0)) safely(() => one.done?.(false))
  }
}

/** Reads a count, undefined if it is none of 32 bits. */
export function readCount(text: string | undefined): number | undefined {
  const n = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : NaN
  return n < 2 ** 32 ? n : undefined
}

/** Asks the server for its count. */
export const ask = (): Element => el(SM, 'r')
/** Tells the server ours. */
export const tell = (ledger: Ledger): Element => el(SM, 'a', { h: ledger.h })
