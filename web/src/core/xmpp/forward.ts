// Stanzas within stanzas: forwarded with the time at which they came (XEP-0297, XEP-0203), copies of what other devices send and get
// (carbons, XEP-0280).

import type { Micros } from '../model.ts'
import { CARBONS, CLIENT, DELAY, FORWARD } from './ns.ts'
import { parseTime } from './time.ts'
import type { Element } from './xml.ts'

/** A stanza that was kept or copied, and when it came first. */
export interface Forwarded { stanza: Element; time?: Micros }

/** Reads the `<forwarded/>` within an element. */
export function unwrapForwarded(within: Element | undefined): Forwarded | undefined {
  const forwarded = within?.child('forwarded', FORWARD)
  const stanza = forwarded?.child('message', CLIENT)
  return stanza && { stanza, time: parseTime(forwarded?.child('delay', DELAY)?.attr('stamp')) }
}

/** When a stanza was sent, if it did not come at once (XEP-0203). */
export const delayOf = (stanza: Element): Micros | undefined => parseTime(stanza.child('delay', DELAY)?.attr('stamp'))

/**
 * Reads a copy of a message that another device of the account sent or got. Only the account itself may say so (XEP-0280 §11): a copy from
 * anybody else is undefined, and the message that carries it has to be dropped; isCarbon tells.
 */
export function unwrapCarbon(stanza: Element, account: string): (Forwarded & { sent: boolean }) | undefined {
  const copy = stanza.in(CARBONS)
  const inner = stanza.attr('from') === account && copy && /^(sent|received)$/.test(copy.name) ? unwrapForwarded(copy) : undefined
  return inner && { ...inner, sent: copy?.name === 'sent' }
}

/** Says whether a message claims to be such a copy. */
export const isCarbon = (stanza: Element): boolean => !!(stanza.child('sent', CARBONS) ?? stanza.child('received', CARBONS))
