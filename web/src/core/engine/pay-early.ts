// Notices of payments that cannot be read yet: it is not known who may send such, or the part that reads them cannot be had. They are kept as they came, and read when a
// session begins.

import type { Element } from '../xmpp/xml.ts'
import type { Step } from './apply.ts'
import { PAY } from './own-ns.ts'

/** Notices that wait. */
const MAX_EARLY = 500
const MAX_ID = 64

/** A notice out of its wrapping, and how it came. */
export interface Notice { from: string; stanza: Element; time: number; live: boolean; archived?: string; old?: boolean }

/** Lets a notice wait; one that waits already does not twice. */
export async function keepEarly({ tx, changes }: Step, n: Notice): Promise<undefined> {
  const id = n.stanza.child('notice', PAY)?.attr('id') ?? ''
  if (!id || id.length > MAX_ID || await tx.objectStore('pay').index('what').count(IDBKeyRange.bound(['early', -Infinity], ['early', Infinity])) >= MAX_EARLY) return
  await tx.objectStore('pay').put({ key: `early ${n.from} ${id}`, what: 'early', time: n.time, from: n.from, xml: String(n.stanza), live: n.live, ...(n.archived ? { archived: n.archived } : {}), ...(n.old ? { old: true } : {}) })
  changes.pay('early')
}
