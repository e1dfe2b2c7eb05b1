// Encrypting: sessions begun from bundles, one ratchet advanced for each recipient, all kept before anything leaves.

import { checkBundle, initiate } from './bundle.ts'
import { accountName, ownAddress, sessionName, Step, type Device } from './device.ts'
import { refuse, refusalOf } from './failure.ts'
import { refusalOfTrust } from './account.ts'
import { seal, sealEmpty, type SealedPayload } from './payload.ts'
import { profileOf, type Profile } from './profile.ts'
import { cloneState, encryptWith } from './ratchet.ts'
import { checkAddress, checkCount, currentState, withState } from './session.ts'
import type { Address, Bundle, Bytes, Encrypted, EncryptedKey, Skipped, Version } from './types.ts'

/** Those of to with which there is no session: their bundles are needed. Our own device is never missing. */
export function missing(d: Device, version: Version, to: Address[]): Promise<Address[]> {
  const p = profileOf(version)
  return d.turn(async () => {
    const others = othersOf(d, to)
    const found = await d.store.load(others.map((a) => sessionName(p, a)))
    return others.filter((a) => !found.has(sessionName(p, a)))
  })
}

/** Starts sessions with devices from their published bundles and keeps them; the next message to each carries the key exchange. Do it just
 * before sending, not earlier (XEP-0384 §6). A session that exists is kept for reading, so this is also how a broken one is mended. A
 * bundle that does not hold is returned with the reason and changes nothing for the others. */
export function begin(d: Device, bundles: { to: Address; bundle: Bundle }[]): Promise<Skipped[]> {
  return d.turn(async () => {
    const step = new Step(d)
    const skipped: Skipped[] = []
    await step.preload(bundles.flatMap(({ to, bundle }) => [sessionName(profileOf(bundle.version), to), accountName(to.jid)]))
    for (const { to, bundle } of bundles) {
      try {
        await beginOne(step, to, bundle)
      } catch (thrown) {
        skipped.push({ ...to, reason: refusalOf(thrown).code })
      }
    }
    await step.commit()
    return skipped
  })
}

async function beginOne(step: Step, to: Address, bundle: Bundle): Promise<void> {
  const { d } = step
  checkAddress(to)
  const p = profileOf(bundle.version)
  if (isOwn(d, to)) refuse('malformed', 'begin with our own device')
  const session = (await step.session(p, to)) ?? []
  const state = initiate(p, d.secret, checkBundle(bundle), d.random)
  ;(await step.account(to.jid)).meet(to.device, state.remote.curve, d.now())
  await step.keepSession(p, to, withState(session, state))
}

/** Encrypts a plaintext for every device of to that has a session and is not refused by trust, and keeps the advanced ratchets before it is
 * fulfilled. It says which it left out, and why; our own device and repetitions are left out silently. The plaintext is the body in OMEMO
 * 0.3 and an XEP-0420 envelope in OMEMO 2, at most 1 MiB minus 16 bytes. With nobody left there is no message. */
export async function encrypt(d: Device, version: Version, plaintext: Bytes, to: Address[]): Promise<{ message?: Encrypted; skipped: Skipped[] }> {
  const p = profileOf(version)
  return encryptFor(d, p, await seal(p, plaintext, d.random), to, true)
}

/** Makes a message without payload for one device: to finish a key exchange, as a heartbeat, to heal. It is sent regardless of trust. */
export async function encryptEmpty(d: Device, version: Version, to: Address): Promise<Encrypted> {
  const p = profileOf(version)
  const { message, skipped } = await encryptFor(d, p, await sealEmpty(p, d.random), [to], false)
  return message ?? refuse(skipped[0]?.reason ?? 'malformed', `encrypt an empty message for ${to.jid}/${to.device}`)
}

function encryptFor(d: Device, p: Profile, body: SealedPayload, to: Address[], checkTrust: boolean): Promise<{ message?: Encrypted; skipped: Skipped[] }> {
  return d.turn(async () => {
    const others = othersOf(d, to)
    const step = new Step(d)
    await step.preload(others.flatMap((a) => [sessionName(p, a), accountName(a.jid)]))
    const keys: EncryptedKey[] = []
    const skipped: Skipped[] = []
    for (const a of others) {
      try {
        keys.push(await encryptKey(step, p, a, body.keyPart, checkTrust))
      } catch (thrown) {
        skipped.push({ ...a, reason: refusalOf(thrown).code })
      }
    }
    await step.commit()
    if (keys.length === 0) return { skipped }
    const message: Encrypted = { version: p.version, sid: d.id, keys }
    if (body.iv) message.iv = body.iv
    if (body.payload) message.payload = body.payload
    return { message, skipped }
  })
}

/** Advances the session with one device, which is kept with all the others. */
export async function encryptKey(step: Step, p: Profile, a: Address, keyPart: Bytes, checkTrust: boolean): Promise<EncryptedKey> {
  const { d } = step
  const session = (await step.session(p, a)) ?? refuse('no-session', `no session with ${a.jid}/${a.device}`)
  const state = cloneState(currentState(session))
  const trust = (await step.account(a.jid)).observe(state.remote.curve)
  const reason = checkTrust ? refusalOfTrust(trust) : undefined
  if (reason) refuse(reason, `identity of ${a.jid}/${a.device}`)
  const { data, exchange } = encryptWith(p, state, d.identity, d.id, keyPart)
  await step.keepSession(p, a, [state, ...session.slice(1)])
  return { jid: a.jid, rid: a.device, exchange, data }
}

function isOwn(d: Device, a: Address): boolean {
  const own = ownAddress(d)
  return a.device === own.device && a.jid === own.jid
}

/** The recipients without our own device and repetitions. */
export function othersOf(d: Device, to: Address[]): Address[] {
  checkCount(to.length)
  const seen = new Map<string, Address>()
  for (const a of to) {
    checkAddress(a)
    if (!isOwn(d, a)) seen.set(`${a.device}/${a.jid}`, a)
  }
  return [...seen.values()]
}
