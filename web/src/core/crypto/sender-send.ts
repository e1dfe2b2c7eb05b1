// Speaking in a large group: one key for all who have our chain, and one each for those who have not, who get the chain with it.

import { el, parse, serialise } from '../xmpp/xml.ts'
import { base64 } from '../xmpp/stanza.ts'
import { same, text, utf8 } from './bytes.ts'
import { accountName, sessionName, Step, type Device } from './device.ts'
import { refuse, refusalOf } from './failure.ts'
import { advance } from './kdf.ts'
import { ask, several, type Lists } from './lists.ts'
import { seal } from './payload.ts'
import { profiles } from './profile.ts'
import { currentState } from './session.ts'
import { encryptKey, othersOf } from './send.ts'
import { maxAge, maxMessages, newEpoch, sealForAll, senderKeys, walk, type OwnEpoch } from './sender-chain.ts'
import {
  beforeName, epochName, holdersName, holdersOf, keepEpoch, knowsName, loadEpoch, loadKnowing, readOr, saveKnowing, type Holder, type Knowing,
} from './sender-saved.ts'
import type { Address, Bytes, Encrypted, EncryptedKey, Skipped } from './types.ts'

const askAgain = 86_400 // seconds after which a device that did not know chains is asked about again
const tries = 3
const [, omemo2] = profiles

/** What was encrypted, for whom it was not, and which accounts read it with the chain. */
export interface SealedForAll { message?: Encrypted; skipped: Skipped[]; reached: string[] }

/** Encrypts an envelope for a group, whose devices with OMEMO 2 are `to`. The step on the chain is kept, with all ratchets, before it is fulfilled. */
export async function encryptForGroup(d: Device, lists: Lists, room: string, to: Address[], envelope: Bytes): Promise<SealedForAll> {
  const others = othersOf(d, to)
  const ready: Ready = { met: new Set(), unmet: [], knowing: new Set() }
  for (let left = tries; ; left--) {
    const done = await d.turn(() => encryptNow(d, room, others, envelope, ready, left <= 0))
    if ('reached' in done) return { ...done, skipped: [...ready.unmet, ...done.skipped] }
    ready.unmet.push(...await lists.meet({ version: '2', to: done.missing }))
    for (const name of await knowingOf(d, lists, done.missing)) ready.knowing.add(name)
    for (const a of done.missing) ready.met.add(nameOf(a))
  }
}

/** Devices with which sessions were begun as far as they could be, and those of them that know chains. */
interface Ready { met: Set<string>; unmet: Skipped[]; knowing: Set<string> }

const nameOf = (a: Address): string => `${a.device} ${a.jid}`

/** How things stand: the epoch to speak with, who has it, and who needs a key. */
interface Standing { epoch: OwnEpoch; holders: Holder[]; rest: Address[]; fresh: boolean; skipped: Skipped[] }

async function lookAt(step: Step, room: string, others: Address[]): Promise<Standing> {
  const seen = await step.seen([...new Set(others.map((a) => a.jid))])
  const kept = await readOr<OwnEpoch | undefined>(step, epochName(room), loadEpoch, undefined)
  const holders = await holdersOf(step, room, kept)
  const left = new Map(holders.map((h) => [nameOf(h), h]))
  const [skipped, may, rest]: [Skipped[], Address[], Address[]] = [[], [], []]
  for (const a of others) {
    const device = seen.get(a.jid)?.devices.get(a.device)
    if (!device || device.refused) {
      skipped.push({ ...a, reason: device?.refused ?? 'no-bundle' })
      continue
    }
    may.push(a)
    const name = nameOf(a)
    const holder = left.get(name)
    if (holder && device.identity && same(device.identity, holder.identity)) left.delete(name)
    if (!holder?.reads) rest.push(a)
  }
  const age = step.d.now() - (kept?.made ?? 0)
  // Who is no reader any more has it: nothing more is said with it.
  if (kept && left.size === 0 && kept.n < maxMessages && age >= -askAgain && age < maxAge) return { epoch: kept, holders, rest, fresh: false, skipped }
  return { epoch: newEpoch(step.d.random, step.d.now()), holders: [], rest: may, fresh: true, skipped }
}

/** Gives those for whom sessions have to be begun first, or who have to be asked about: at first all who need a key; whoever was distrusted, or joined, or spoke in another tab
 * meanwhile, may bring more. The `last` time it is done without them. */
async function encryptNow(d: Device, room: string, others: Address[], envelope: Bytes, ready: Ready, last: boolean): Promise<SealedForAll | { missing: Address[] }> {
  const step = new Step(d)
  const { epoch, holders, rest, fresh, skipped } = await lookAt(step, room, others)
  const missing = rest.filter((a) => !ready.met.has(nameOf(a)))
  if (missing.length > 0 && !last) return { missing }
  const unmet = new Set(ready.unmet.map(nameOf))
  const to = rest.filter((a) => !unmet.has(nameOf(a)))
  await step.preload(to.flatMap((a) => [sessionName(omemo2, a), accountName(a.jid)]))
  const knows = (a: Address): boolean => ready.knowing.has(nameOf(a))
  const hand = to.some(knows)
  const { seed, next } = advance(epoch.chain)
  const body = await seal(omemo2, hand ? withChain(envelope, room, epoch, next) : envelope, d.random)
  const payload = body.payload ?? refuse('fault', 'no payload')
  const keys: EncryptedKey[] = []
  const held = new Map(hand ? holders.map((h) => [nameOf(h), h]) : [])
  for (const a of to) {
    try {
      keys.push(await encryptKey(step, omemo2, a, body.keyPart, true))
      if (hand) held.set(nameOf(a), await holderOf(step, a, held.get(nameOf(a)), epoch.n, knows(a)))
    } catch (thrown) {
      skipped.push({ ...a, reason: refusalOf(thrown).code })
    }
  }
  const message: Encrypted = { version: '2', sid: d.id, keys, payload }
  const readers = new Set(holders.flatMap((h) => h.reads ? h.jid : []))
  if (hand || readers.size > 0) {
    const by = { room, jid: d.jid, device: d.id, epoch: epoch.id, n: epoch.n, private: epoch.private, random: d.random }
    message.all = await sealForAll(by, seed, body.keyPart, payload)
    if (fresh) await keepBefore(step, room)
    keepEpoch(step, room, { ...epoch, chain: next, n: epoch.n + 1 }, hand ? [...held.values()] : undefined)
  }
  await step.commit()
  return { ...(keys.length > 0 || readers.size > 0 ? { message } : {}), skipped, reached: [...readers] }
}

async function holderOf(step: Step, a: Address, before: Holder | undefined, n: number, knows: boolean): Promise<Holder> {
  const session = await step.session(omemo2, a)
  const identity = session ? currentState(session).remote.curve.slice(0, 16) : new Uint8Array(16)
  return { ...a, identity, first: before?.first ?? n, at: knows ? n : -1, reads: false }
}

/** The epoch that ended, for who asks late. */
async function keepBefore(step: Step, room: string): Promise<void> {
  const [old, holders] = [await step.read(epochName(room)), await step.read(holdersName(room))]
  if (!old || !holders) return
  step.keep(beforeName(room), old)
  step.keep(beforeName(room) + '/holders', holders)
}

/** The element that hands over a chain from a place on. */
export function senderKey(room: string, epoch: OwnEpoch, n: number, chain: Bytes): ReturnType<typeof el> {
  return el(senderKeys, 'sender-key', { group: room, epoch: epoch.id, n, chain: base64(chain), sign: base64(epoch.public) })
}

/** The chain at a place of an epoch of ours. */
export const chainAt = (epoch: OwnEpoch, n: number): Bytes => walk(epoch.start, n)

/** Puts the chain as it stands after this message into its envelope. */
function withChain(envelope: Bytes, room: string, epoch: OwnEpoch, next: Bytes): Bytes {
  const parsed = parse(text(envelope)) ?? refuse('malformed', 'envelope')
  const content = parsed.child('content') ?? refuse('malformed', 'envelope')
  content.nodes.push(senderKey(room, epoch, epoch.n + 1, next))
  return utf8(serialise(parsed))
}

/** Those of `rest` that know chains. What is not known is asked for; who does not answer does not know. */
async function knowingOf(d: Device, lists: Lists, rest: Address[]): Promise<Set<string>> {
  const { knowing } = lists.asked
  const out = new Set<string>()
  if (!knowing) return out
  const jids = [...new Set(rest.map((a) => a.jid))]
  const kept = await d.turn(() => loadAll(d, jids))
  const ids = new Map<string, number[]>(jids.map((jid) => [jid, []]))
  for (const a of rest) ids.get(a.jid)?.push(a.device)
  const changes = new Map<string, Bytes>()
  await several(jids.filter((jid) => isStale(kept.get(jid), ids.get(jid) ?? [], d.now())), async (jid) => {
    const found = await ask(() => lists.asked.knowing?.(jid) ?? Promise.resolve([]))
    if (!Array.isArray(found)) return
    const know = (ids.get(jid) ?? []).filter((id) => found.includes(id))
    const now = { asked: d.now(), know, not: (ids.get(jid) ?? []).filter((id) => !know.includes(id)) }
    kept.set(jid, now)
    changes.set(knowsName(jid), saveKnowing(now))
  })
  if (changes.size > 0) await d.turn(() => d.store.save(changes))
  for (const a of rest) if (kept.get(a.jid)?.know.includes(a.device)) out.add(`${a.device} ${a.jid}`)
  return out
}

async function loadAll(d: Device, jids: string[]): Promise<Map<string, Knowing>> {
  const step = new Step(d)
  await step.preload(jids.map(knowsName))
  const out = new Map<string, Knowing>()
  for (const jid of jids) {
    const known = await readOr<Knowing | undefined>(step, knowsName(jid), loadKnowing, undefined)
    if (known) out.set(jid, known)
  }
  return out
}

function isStale(known: Knowing | undefined, ids: number[], now: number): boolean {
  if (!known) return true
  const unknown = ids.filter((id) => !known.know.includes(id))
  return unknown.some((id) => !known.not.includes(id)) || (unknown.length > 0 && Math.abs(now - known.asked) > askAgain)
}

/** A message of ours stands in the group's log: who got the chain with it needs no key from now on. */
export function reflected(d: Device, room: string, epoch: string, n: number): Promise<void> {
  return d.turn(async () => {
    const step = new Step(d)
    const kept = await readOr<OwnEpoch | undefined>(step, epochName(room), loadEpoch, undefined)
    const holders = kept?.id === epoch ? await holdersOf(step, room, kept) : []
    if (!kept || !holders.some((h) => h.at === n && !h.reads)) return
    keepEpoch(step, room, kept, holders.map((h) => h.at === n ? { ...h, reads: true } : h))
    await step.commit()
  })
}
