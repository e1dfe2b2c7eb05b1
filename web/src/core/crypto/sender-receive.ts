// Hearing somebody in a large group: the chain that their device's session brings, messages that one key opens for all, and asking for a chain that is missing.

import { parse } from '../xmpp/xml.ts'
import { fromBase64 } from '../xmpp/stanza.ts'
import { hex, same, text, utf8 } from './bytes.ts'
import { curveOf } from './curve.ts'
import { accountName, Step, type Device } from './device.ts'
import { unwrap, wrap } from './envelope.ts'
import { refuse } from './failure.ts'
import { advance } from './kdf.ts'
import { maxJID } from './limits.ts'
import type { Lists } from './lists.ts'
import { unseal } from './payload.ts'
import type { InEnvelope } from './port.ts'
import { profiles } from './profile.ts'
import { keepOpened, type Decrypted } from './receive.ts'
import { encrypt } from './send.ts'
import { checkSign, maxMessages, openForAll, senderKeys, type OwnEpoch } from './sender-chain.ts'
import {
  beforeName, chainName, epochName, holdersOf, keepEpoch, loadChains, loadEpoch, loadHolders, loadWanted, maxChains, readOr, saveChains, saveWanted, wantName,
  type Chain, type Holder, type Wanted,
} from './sender-saved.ts'
import { chainAt, senderKey } from './sender-send.ts'
import type { Address, Bytes, ChainName, Due, Encrypted } from './types.ts'

const [, omemo2] = profiles
const week = 7 * 86_400
const pause = 3600 // seconds between two questions for one chain, and between two answers to one
const maxQueue = 200
const maxAnswered = 10_000

/** Opens a message with the key for all. Refused as `no-chain`, `not-for-us` if the chain was given to us for later messages alone, `duplicate`, `malformed`; then
 * nothing has changed. What came of it is noted in the step. */
export async function hear(step: Step, sender: Address, room: string, m: Encrypted, key?: string): Promise<Decrypted> {
  const all = m.all ?? refuse('not-for-us', 'no key for all')
  const payload = m.payload ?? refuse('malformed', 'key for all without a payload')
  if (!Number.isInteger(all.n) || all.n < 0 || all.n >= maxMessages) refuse('malformed', `message ${all.n} of an epoch`)
  const chains = await readOr(step, chainName(room, sender), loadChains, [])
  const at = chains.findIndex((c) => c.epoch === all.epoch)
  const chain = chains[at] ?? refuse('no-chain', 'the chain is not known')
  if (all.n < chain.start) refuse('not-for-us', `message ${all.n} of a chain known from ${chain.start} on`)
  const by = { room, jid: sender.jid, device: sender.device, epoch: all.epoch }
  const found = stepTo(chain, all.n)
  await checkSign(by, all, payload, chain.public)
  const plaintext = await unseal(omemo2, { keyPart: await openForAll(by, all, found.seed, payload), payload })
  step.keep(chainName(room, sender), saveChains(trim(chains.map((c, i) => i === at ? found.chain : c), step.d.now())))
  return noteHeard(step, sender, room, chain.identity, plaintext, key)
}

// The seed of a place, and the chain without it.
function stepTo(chain: Chain, n: number): { seed: Bytes; chain: Chain } {
  if (n < chain.next) {
    const kept = chain.skipped.find((k) => k.n === n) ?? refuse('duplicate', `message ${n} of ${chain.next}`)
    return { seed: kept.seed, chain: { ...chain, skipped: chain.skipped.filter((k) => k !== kept) } }
  }
  const skipped = [...chain.skipped]
  let at = chain.chain
  for (let i = chain.next; ; i++) {
    const { seed, next } = advance(at)
    at = next
    if (i === n) return { seed, chain: { ...chain, chain: at, next: n + 1, skipped } }
    skipped.push({ n: i, seed })
  }
}

// Nothing of an epoch that ended a week ago, and no more skipped keys of all than one epoch has: the oldest go first.
function trim(chains: Chain[], now: number): Chain[] {
  let left = maxMessages
  return chains.slice(0, maxChains).filter((_, i) => i === 0 || now - (chains[i - 1]?.got ?? 0) < week).map((c) => {
    const skipped = c.skipped.slice(Math.max(0, c.skipped.length - left))
    left -= skipped.length
    return skipped.length === c.skipped.length ? c : { ...c, skipped }
  })
}

async function noteHeard(step: Step, sender: Address, room: string, identity: Bytes, plaintext: Bytes, key?: string): Promise<Decrypted> {
  const account = await step.account(sender.jid)
  const device = account.device(sender.device)
  if (device && Math.abs(step.d.now() - device.lastUsed) >= 3600) {
    device.lastUsed = step.d.now()
    account.changed = true
  }
  const out: Decrypted = {
    sender, version: '2', fingerprint: hex(identity), trust: account.observe(identity), owesReply: false, bundleChanged: false, room, plaintext,
  }
  if (!account.listed(omemo2).includes(sender.device)) out.unlisted = true
  if (key) keepOpened(step, key, out, plaintext)
  return out
}

/** Takes a chain out of what a device's own session has brought: in a group that of this group alone, else one that was asked for. Whatever is wrong with it
 * changes nothing, and the message is read as ever. */
export async function adopt(step: Step, sender: Address, identity: Bytes, plaintext: Bytes, room?: string): Promise<ChainName | undefined> {
  try {
    return await take(step, sender, identity, text(plaintext), room)
  } catch {
    return undefined
  }
}

async function take(step: Step, sender: Address, identity: Bytes, envelope: string, room?: string): Promise<ChainName | undefined> {
  const e = parse(unwrap(envelope, sender.jid, room).content)?.child('sender-key', senderKeys)
  const group = e && groupOf(e.attr('group'))
  if (!e || !group || (room !== undefined && group !== room)) return undefined
  unwrap(envelope, sender.jid, group)
  const [epoch, n, chain, sign] = [epochOf(e.attr('epoch')), numberOf(e.attr('n')), keyOf(e.attr('chain')), keyOf(e.attr('sign'))]
  if (!epoch || n === undefined || !chain || !sign) return undefined
  curveOf(sign) // a point of low order would sign for everybody
  const wanted = await readOr<Wanted>(step, wantName(group, sender), loadWanted, [])
  if (room === undefined && !wanted.some((w) => w.epoch === epoch)) return undefined
  const before = await readOr(step, chainName(group, sender), loadChains, [])
  const after = withChain(before, { epoch, public: sign, identity, start: n, next: n, chain, got: step.d.now(), skipped: [] })
  if (!after) return undefined
  step.keep(chainName(group, sender), saveChains(trim(after, step.d.now())))
  if (wanted.length > 0) step.keep(wantName(group, sender), wanted.some((w) => w.epoch !== epoch) ? saveWanted(wanted.filter((w) => w.epoch !== epoch)) : null)
  return { room: group, sender, epoch }
}

/** The chains with one more, or with one that is known from an earlier place on; nothing if that is no news. */
function withChain(chains: Chain[], fresh: Chain): Chain[] | undefined {
  const known = chains.find((c) => c.epoch === fresh.epoch)
  if (!known) return [fresh, ...chains]
  if (fresh.start >= known.start || !same(known.public, fresh.public) || !same(known.identity, fresh.identity)) return undefined
  const earlier: Chain['skipped'] = []
  let at = fresh.chain
  for (let n = fresh.start; n < known.start; n++) {
    const { seed, next } = advance(at)
    earlier.push({ n, seed })
    at = next
  }
  return chains.map((c) => c === known ? { ...known, start: fresh.start, skipped: [...earlier, ...known.skipped] } : c)
}

/** A bare address as it is written by who prepares addresses: it is compared with others, and never sent to. */
const groupOf = (jid: string | undefined): string | undefined => jid !== undefined && jid.length <= maxJID && /^[^\s/@]+@[^\s/@]+$/.test(jid) ? jid : undefined
const epochOf = (id: string | undefined): string | undefined => /^[0-9a-f]{16}$/.test(id ?? '') ? id : undefined
const numberOf = (n: string | undefined): number | undefined => /^(0|[1-9]\d{0,3})$/.test(n ?? '') && Number(n) <= maxMessages ? Number(n) : undefined
function keyOf(base64: string | undefined): Bytes | undefined {
  const key = base64 !== undefined && base64.length < 100 ? fromBase64(base64) : undefined
  return key?.length === 32 ? key : undefined
}

/** Chains that are missing here, and those that others miss. What waits is sent with what is due. */
export class Asking {
  private readonly wants = new Map<string, ChainName>()
  private readonly asked = new Map<string, ChainName>()
  private readonly answered = new Map<string, number>()

  constructor(private readonly d: Device, private readonly lists: Lists) {}

  /** Asks for a chain, unless it was asked for within the hour. */
  want(chain: ChainName): void {
    if (this.wants.size < maxQueue) this.wants.set(nameOf(chain), chain)
  }

  /** Takes what a device says to ours alone. True if it is about chains: nothing of it is shown. */
  heard({ envelope, sender, room, chain }: InEnvelope): boolean {
    if (room !== undefined || envelope === undefined) return false
    const content = parse(unwrap(envelope, sender.jid).content)
    const e = content?.child('want', senderKeys)
    const group = groupOf(e?.attr('group'))
    const epoch = epochOf(e?.attr('epoch'))
    if (e && group && epoch && this.asked.size < maxQueue) this.asked.set(nameOf({ room: group, sender, epoch }), { room: group, sender, epoch })
    return !!e || !!chain || !!content?.child('sender-key', senderKeys)
  }

  /** What is to be sent of it. */
  async due(): Promise<Due['answers']> {
    const out: Due['answers'] = []
    for (const [name, chain] of [...this.wants]) {
      this.wants.delete(name)
      await this.push(out, chain, await this.question(chain))
    }
    for (const [name, chain] of [...this.asked]) {
      this.asked.delete(name)
      const last = this.answered.get(name)
      if (last !== undefined && Math.abs(this.d.now() - last) < pause) continue
      if (this.answered.size >= maxAnswered) this.answered.clear()
      this.answered.set(name, this.d.now())
      await this.push(out, chain, await this.d.turn(() => answerTo(new Step(this.d), chain)))
    }
    return out
  }

  private async push(out: Due['answers'], { room, sender }: ChainName, content: string | undefined): Promise<void> {
    if (content === undefined) return
    await this.lists.recipients([sender.jid])
    await this.lists.meet({ version: '2', to: [sender] })
    const { message } = await encrypt(this.d, '2', utf8(wrap(content, this.d.jid, this.d.now(), this.d.random, room)), [sender])
    if (message) out.push({ to: sender.jid, message, room })
  }

  private question({ room, sender, epoch }: ChainName): Promise<string | undefined> {
    return this.d.turn(async () => {
      const step = new Step(this.d)
      if ((await readOr(step, chainName(room, sender), loadChains, [])).some((c) => c.epoch === epoch && c.start === 0)) return undefined
      const wanted = await readOr<Wanted>(step, wantName(room, sender), loadWanted, [])
      const last = wanted.find((w) => w.epoch === epoch)
      if (last && Math.abs(step.d.now() - last.asked) < pause) return undefined
      step.keep(wantName(room, sender), saveWanted([...wanted.filter((w) => w.epoch !== epoch), { epoch, asked: step.d.now() }].slice(-maxChains)))
      await step.commit()
      return `<want xmlns='${senderKeys}' group='${escapeAttr(room)}' epoch='${epoch}'/>`
    })
  }
}

const nameOf = ({ room, sender, epoch }: ChainName): string => `${epoch} ${sender.device} ${room.length} ${room} ${sender.jid}`
const escapeAttr = (plain: string): string => plain.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/'/g, '&apos;')

// Who was given a chain gets it again, from where it was meant for it, and a key of its own with the next message; nobody else gets anything.
async function answerTo(step: Step, { room, sender, epoch }: ChainName): Promise<string | undefined> {
  await step.preload([accountName(sender.jid)])
  const account = await step.account(sender.jid)
  const identity = account.device(sender.device)?.identity
  if (!identity || !account.accepts(sender.device)) return undefined
  const find = (holders: Holder[]) => holders.find((h) => h.jid === sender.jid && h.device === sender.device && same(h.identity, identity.subarray(0, 16)))
  const [current, before] = [await readOr<OwnEpoch | undefined>(step, epochName(room), loadEpoch, undefined), await readOr<OwnEpoch | undefined>(step, beforeName(room), loadEpoch, undefined)]
  const holders = await holdersOf(step, room, current)
  const now = find(holders)
  if (!now) return undefined
  if (current?.id === epoch) {
    keepEpoch(step, room, current, holders.map((h) => h === now ? { ...h, reads: false } : h))
    await step.commit()
    return String(senderKey(room, current, now.first, chainAt(current, now.first)))
  }
  const then = before?.id === epoch && Math.abs(step.d.now() - before.made) < 2 * week ? find(await readOr(step, beforeName(room) + '/holders', loadHolders, [])) : undefined
  return before && then ? String(senderKey(room, before, then.first, chainAt(before, then.first))) : undefined
}
