// What devices say among themselves, inside OMEMO 2, and what no screen shows: keys of the history, and whom a person has verified.

import { text, unhex, utf8 } from './bytes.ts'
import { Step, type Device } from './device.ts'
import { escapeText, textOf, unwrap, wrap } from './envelope.ts'
import type { Lists } from './lists.ts'
import { profiles } from './profile.ts'
import { kinds, readSaved } from './saved.ts'
import { encrypt } from './send.ts'
import type { InEnvelope } from './port.ts'
import type { Address, Due, Encrypted, Trust } from './types.ts'

const history = 'urn:palabre:history:0'

/** Takes such content out of a message and acts on it; a message that has any is not shown. Keys of the history are believed from our own verified
 * devices only. */
export async function takeOwn(d: Device, opened: InEnvelope): Promise<InEnvelope> {
  const { envelope, sender, trust, fingerprint, room } = opened
  const { content, time } = unwrap(envelope ?? '', sender.jid, room)
  const said = Math.min(Math.floor((time ?? 0) / 1e6), d.now())
  const { takeTrust } = await import('./atm.ts')
  const took = await takeTrust(d, { jid: sender.jid, fingerprint, trust }, content, said)
  const keys = textOf(content, 'keys', history)
  if (keys !== undefined && sender.jid === d.jid && trust === 'verified') {
    const { adoptKept, readKept } = await import('./history.ts')
    await adoptKept(d, readKept(keys), true)
  }
  return took || keys !== undefined ? { ...opened, envelope: undefined, empty: true } : opened
}

/** The keys of the history, encrypted for our own other devices that were verified; null if there are none. */
export async function shareHistory(d: Device, lists: Lists): Promise<Encrypted | null> {
  await lists.recipients([d.jid])
  const to = await d.turn(async () => {
    const account = await new Step(d).account(d.jid)
    const listed = account.listed(profiles[1])
    return account.devices.filter((r) => listed.includes(r.id) && account.trustOf(r) === 'verified').map((r) => ({ jid: d.jid, device: r.id }))
  })
  const { loadKept, writeKept } = await import('./history.ts')
  return tell(d, lists, d.jid, to, `<keys xmlns='${history}'>${escapeText(writeKept(await loadKept(d)))}</keys>`)
}

/** The messages that tell verified devices what a person decided (XEP-0450), by the names under which decisions are kept. They are kept until these
 * messages are given out: a decision without a connection is told later. */
export async function trustMessages(d: Device, lists: Lists, names: string[]): Promise<Due['answers']> {
  const out: Due['answers'] = []
  for (const saved of (await d.store.load(names)).values()) {
    const { jid, identity, trust } = readSaved(saved, kinds.decision, ([first]) =>
      JSON.parse(text(first?.bytes() ?? utf8('{}'))) as { jid: string; identity: string; trust: Trust })
    const { takeWaiting, tellingsOf } = await import('./atm.ts')
    await takeWaiting(d, jid)
    for (const telling of await tellingsOf(d, jid, unhex(identity), trust)) {
      const message = await tell(d, lists, telling.jid, telling.to, telling.content)
      if (message) out.push({ to: telling.jid, message })
    }
  }
  await d.turn(() => d.store.save(new Map(names.map((name) => [name, null]))))
  return out
}

async function tell(d: Device, lists: Lists, jid: string, to: Address[], content: string): Promise<Encrypted | null> {
  await lists.meet({ version: '2', to })
  const { message } = await encrypt(d, '2', utf8(wrap(content, d.jid, d.now(), d.random, jid)), to)
  return message ?? null
}
