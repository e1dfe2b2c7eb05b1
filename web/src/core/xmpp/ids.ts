// Names of messages (XEP-0359), and hints on what servers shall do with them (XEP-0334).

import { HINTS, IDS } from './ns.ts'
import { el, type Element } from './xml.ts'

const MAX_ID = 256
const id = (e: Element | undefined) => {
  const found = e?.attr('id')
  return found && found.length <= MAX_ID ? found : undefined
}

/** The id that the sender's device gave a message for all its copies. */
export const originID = (stanza: Element): string | undefined => id(stanza.child('origin-id', IDS))

/** The id that an archive gave a message; `by` is whose: our own bare address, or a room's. What anybody else says is not believed. */
export const stanzaID = (stanza: Element, by: string): string | undefined =>
  id(stanza.children('stanza-id', IDS).find((e) => e.attr('by') === by))

/** Gives a message its own id. */
export const originElement = (name: string): Element => el(IDS, 'origin-id', { id: name })

/** Asks servers to keep a message, not to keep it, or not to copy it to other devices. */
export const hint = (what: 'store' | 'no-store' | 'no-permanent-store' | 'no-copy'): Element => el(HINTS, what)
