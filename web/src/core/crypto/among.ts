// What devices say among themselves, inside OMEMO 2, and what no screen shows: keys of the history, and whom a person has verified.

import { base64, fromBase64 } from '../xmpp/stanza.ts'
import { same, text, unhex, utf8 } from './bytes.ts'
import { Step, type Device } from './device.ts'
import { escapeText, textOf, unwrap, wrap } from './envelope.ts'
import { answer, refuse } from './failure.ts'
import { mac, sameMAC } from './kdf.ts'
import type { Lists } from './lists.ts'
import { profiles } from './profile.ts'
import { kinds, newSaved, readSaved } from './saved.ts'
import { encrypt } from './send.ts'
import type { InEnvelope } from './port.ts'
import type { Address, Bytes, Due, Encrypted, Trust } from './types.ts'

const history = 'urn:palabre:history:0'

/** Takes such content out of a message and acts on it; a message that has any is not shown. Keys of the history are believed from our own verified
 * devices, and from one that proves to have the key that this device got with the recovery code. What was decided counts from when its device says, but not
 * from later than when the server took the message (`taken`, in microseconds). */
export async function takeOwn(d: Device, opened: InEnvelope, taken = Infinity): Promise<InEnvelope> {
  const { envelope, sender, trust, fingerprint, room } = opened
  const { content, time } = unwrap(envelope ?? '', sender.jid, room)
  const said = Math.min(Math.floor((time ?? 0) / 1e6), Math.floor(taken / 1e6), d.now())
  const { takeTrust } = await import('./atm.ts')
  const took = await takeTrust(d, { jid: sender.jid, fingerprint, trust }, content, said)
  const [keys, claim, proof] = [textOf(content, 'keys', history), textOf(content, 'claim', history), textOf(content, 'proof', history)]
  if (sender.jid === d.jid && trust !== 'distrusted') {
    if (claim !== undefined) await takeClaim(d, opened, claim, said)
    const proved = proof !== undefined && keys !== undefined && await takeProof(d, opened, proof, said)
    if (keys !== undefined && (proved || trust === 'verified')) await adopt(d, keys)
    else if (keys !== undefined) await keepWaiting(d, fingerprint, keys)
    if (took) await adoptWaiting(d)
  }
  if (took) d.onNews?.() // what was to be decided may be
  return took || keys !== undefined || claim !== undefined ? { ...opened, envelope: undefined, empty: true } : opened
}

async function adopt(d: Device, keys: string): Promise<void> {
  const { adoptKept, readKept } = await import('./history.ts')
  await adoptKept(d, readKept(keys), true)
  d.onKeys?.()
}

const waits = 'keys-waits/'
const maxWaiting = 20

/** Keys from a device that a person has not verified here are not believed; they wait, the newest of each device, until it is. */
async function keepWaiting(d: Device, fingerprint: string, keys: string): Promise<void> {
  const { readKept } = await import('./history.ts')
  readKept(keys) // refused if it is nothing of the kind
  await d.turn(async () => {
    const name = waits + fingerprint
    const others = (await d.store.names(waits, maxWaiting)).filter((one) => one !== name)
    if (others.length < maxWaiting) await d.store.save(new Map([[name, newSaved(kinds.keys).bytes(1, utf8(keys)).done()]]))
  })
}

/** Takes the keys of devices that are verified by now. */
async function adoptWaiting(d: Device): Promise<void> {
  const due = await d.turn(async () => {
    const names = await d.store.names(waits, maxWaiting)
    const account = names.length > 0 ? await new Step(d).account(d.jid) : undefined
    const verified = names.filter((name) => account?.find(unhex(name.slice(waits.length)))?.trust === 'verified')
    const found = await d.store.load(verified)
    if (verified.length > 0) await d.store.save(new Map(verified.map((name) => [name, null])))
    return [...found.values()]
  })
  for (const saved of due) await adopt(d, readSaved(saved, kinds.keys, ([first]) => text(first?.bytes() ?? refuse('state', 'keys'))))
}

/** Another device of our account had the recovery code: it is verified, and will be answered with the keys. */
async function takeClaim(d: Device, { sender, fingerprint }: InEnvelope, claim: string, said: number): Promise<void> {
  const { loadKept } = await import('./history.ts')
  const { checkClaim } = await import('./recovery.ts')
  const held = await answer(async () => checkClaim(await loadKept(d), d.jid, sender.device, unhex(fingerprint), fromBase64(claim) ?? refuse('malformed', 'claim')))
  if (!held.ok) return
  await owe(d, [sender.device])
  await (await import('./trust.ts')).vouch(d, sender, unhex(fingerprint), said)
  d.onDecided?.()
}

/** Who has the newest key of the history, which we got with the code, is who the code's owner let in before. */
async function takeProof(d: Device, { sender, fingerprint }: InEnvelope, proof: string, said: number): Promise<boolean> {
  const { loadKept } = await import('./history.ts')
  const [newest] = (await loadKept(d)).keys
  if (!newest || !sameMAC(proofOf(newest.key, d.jid, sender.device, d.id, unhex(fingerprint)), fromBase64(proof) ?? new Uint8Array(0))) return false
  await (await import('./trust.ts')).vouch(d, sender, unhex(fingerprint), said)
  return true
}

const proofOf = (key: Bytes, jid: string, from: number, to: number, identity: Bytes): Bytes => mac(key, utf8(`${history} proof ${jid} ${from} ${to} `), identity)

const answers = 'recovered/answer/'

/** Devices of ours that are verified now are to be given the keys. */
function owe(d: Device, devices: number[]): Promise<void> {
  return d.turn(() => d.store.save(new Map(devices.map((id) => [`${answers}${id}`, newSaved(kinds.proof).number(1, id).done()]))))
}

/** What came of recovery codes, on both sides: the proof that this device had the code, to all others; and the keys, to those that proved it. It is kept
 * until it was given out. */
export async function recoveryMessages(d: Device, lists: Lists): Promise<Due['answers']> {
  const { claimName } = await import('./recovery.ts')
  const out: Due['answers'] = []
  const claim = (await d.store.load([claimName])).get(claimName)
  const others = claim ? await ownDevices(d, lists) : []
  if (claim && others.length > 0) {
    const proof = readSaved(claim, kinds.proof, ([first]) => first?.bytes() ?? refuse('state', 'claim'))
    const message = await tell(d, lists, d.jid, others, `<claim xmlns='${history}'>${base64(proof)}</claim>`)
    if (message) out.push({ to: d.jid, message })
    await d.turn(() => d.store.save(new Map([[claimName, null]])))
  }
  for (const name of await d.store.names(answers, maxAnswers)) {
    const device = Number(name.slice(answers.length))
    if (!(await ownDevices(d, lists)).some((a) => a.device === device)) continue // when it is on the list, and never if it was removed
    const message = await answerTo(d, lists, device)
    if (message === 'later') continue
    if (message) out.push({ to: d.jid, message })
    await d.turn(() => d.store.save(new Map([[name, null]])))
  }
  return out
}

const maxAnswers = 50

/** `later`: its bundle could not be had now. */
async function answerTo(d: Device, lists: Lists, device: number): Promise<Encrypted | null | 'later'> {
  const { loadKept, writeKept } = await import('./history.ts')
  const kept = await loadKept(d)
  const [newest] = kept.keys
  // One that is distrusted since it said so gets nothing.
  const to = (await ownDevices(d, lists, (trust) => trust === 'verified')).filter((a) => a.device === device)
  if (!newest || to.length === 0) return null
  const proof = proofOf(newest.key, d.jid, d.id, device, d.identity.curve)
  return await tell(d, lists, d.jid, to, `<proof xmlns='${history}'>${base64(proof)}</proof><keys xmlns='${history}'>${escapeText(writeKept(kept))}</keys>`) ?? 'later'
}

/** Our own other devices that have OMEMO 2. */
async function ownDevices(d: Device, lists: Lists, which: (trust: Trust) => boolean = () => true): Promise<Address[]> {
  await lists.recipients([d.jid])
  return d.turn(async () => {
    const account = await new Step(d).account(d.jid)
    const listed = account.listed(profiles[1])
    return account.devices.filter((r) => listed.includes(r.id) && which(account.trustOf(r))).map((r) => ({ jid: d.jid, device: r.id }))
  })
}

/** The keys of the history, encrypted for our own other devices that were verified; null if there are none. */
export async function shareHistory(d: Device, lists: Lists): Promise<Encrypted | null> {
  const { loadKept, writeKept } = await import('./history.ts')
  const to = await ownDevices(d, lists, (trust) => trust === 'verified')
  return tell(d, lists, d.jid, to, `<keys xmlns='${history}'>${escapeText(writeKept(await loadKept(d)))}</keys>`)
}

/** The messages that tell verified devices what a person decided (XEP-0450), by the names under which decisions are kept. They are kept until these
 * messages are given out: a decision without a connection is told later. */
export async function trustMessages(d: Device, lists: Lists, names: string[]): Promise<Due['answers']> {
  const out: Due['answers'] = []
  for (const saved of (await d.store.load(names)).values()) {
    const { jid, identity, trust, hand, time } = readSaved(saved, kinds.decision, ([first]) =>
      JSON.parse(text(first?.bytes() ?? utf8('{}'))) as { jid: string; identity: string; trust: Trust; hand?: boolean; time?: number })
    const { takeWaiting, tellingsOf } = await import('./atm.ts')
    await takeWaiting(d, jid)
    if (jid === d.jid && trust === 'verified') {
      await adoptWaiting(d)
      if (hand) await owe(d, await withKey(d, unhex(identity))) // who proved it in another way is given them in that way
    }
    for (const telling of await tellingsOf(d, jid, unhex(identity), trust)) {
      const message = await tell(d, lists, telling.jid, telling.to, telling.content, telling.time ?? time)
      if (message) out.push({ to: telling.jid, message })
    }
  }
  await d.turn(() => d.store.save(new Map(names.map((name) => [name, null]))))
  return out
}

/** Our other devices that have this key. */
function withKey(d: Device, identity: Bytes): Promise<number[]> {
  return d.turn(async () => (await new Step(d).account(d.jid)).devices.filter((r) => r.identity && same(r.identity, identity)).map((r) => r.id))
}

/** `time`: since when it holds what is told, in seconds since 1970. */
async function tell(d: Device, lists: Lists, jid: string, to: Address[], content: string, time = d.now()): Promise<Encrypted | null> {
  await lists.meet({ version: '2', to })
  const { message } = await encrypt(d, '2', utf8(wrap(content, d.jid, time, d.random, jid)), to)
  return message ?? null
}
