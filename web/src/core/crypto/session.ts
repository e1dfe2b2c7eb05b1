// Every ratchet kept with one device, and how a message finds its own.

import { same } from './bytes.ts'
import type { PublicIdentity, Random } from './curve.ts'
import { Refused, refuse, refusalOf } from './failure.ts'
import { maxArchived, maxDevices, maxID, maxJID, maxSkip } from './limits.ts'
import { cloneState, decryptWith, owesReply, type State } from './ratchet.ts'
import type { Profile } from './profile.ts'
import type { Address, Bytes, RefusalCode } from './types.ts'
import type { KeyExchange, RatchetMessage } from './wire.ts'

/** Refuses an address that is none. */
export function checkAddress(a: Address): void {
  checkJID(a.jid)
  checkDevice(a.device)
}

/** Refuses a bare address that is none. */
export function checkJID(jid: string): void {
  if (typeof jid !== 'string' || jid === '' || jid.length > maxJID) refuse('malformed', 'address')
}

/** Refuses a device id that is none. */
export function checkDevice(id: number): void {
  if (!Number.isInteger(id) || id < 1 || id > maxID) refuse('malformed', `device id ${id}`)
}

/** Refuses more recipients than one message has. */
export function checkCount(recipients: number): void {
  if (recipients > maxDevices) refuse('too-large', `${recipients} recipients`)
}

/** The ratchets with one device, the one to send with first. Older ones stay readable, because two devices that begin at the same moment
 * each use the other's for a while. At most 41; a kept session has one. */
export type Session = State[]

/** The state to send with. */
export function currentState(s: Session): State {
  return s[0] ?? refuse('no-session', 'session without a state')
}

/** The session with st as the current state. The oldest one falls off. */
export function withState(s: Session, st: State): Session {
  return trim([st, ...s])
}

// The session with the state at i replaced by its advanced copy and made current.
function advanced(s: Session, i: number, st: State): Session {
  return trim([st, ...s.slice(0, i), ...s.slice(i + 1)])
}

// Keeps a session within its limits: the skipped keys of all states together too, so that a peer cannot make us store much.
function trim(s: Session): Session {
  let left = maxSkip
  return s.slice(0, 1 + maxArchived).map((st) => {
    const skipped = st.skipped.slice(Math.max(0, st.skipped.length - left))
    left -= skipped.length
    return skipped.length === st.skipped.length ? st : { ...st, skipped }
  })
}

/** What the decryption of one key gave, not kept yet. */
export interface OpenedKey {
  plaintext: Bytes
  identity: PublicIdentity
  owesReply: boolean
  session: Session
}

/** Tries the states in order and advances a copy of the one that fits. */
export function decryptMessage(p: Profile, s: Session, local: PublicIdentity, m: RatchetMessage, random: Random): OpenedKey {
  let verdict: RefusalCode = 'decrypt'
  for (const [i, st] of s.entries()) {
    try {
      return decryptIn(p, s, i, st, local, m, false, random)
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown
      const { code } = refusalOf(thrown)
      if (code === 'duplicate' || (code === 'too-far' && verdict !== 'duplicate')) verdict = code
    }
  }
  return refuse(verdict, 'no state fits')
}

/** Reads a message inside a key exchange that already built one of our states; undefined if there is none. */
export function decryptRepeated(
  p: Profile, s: Session, local: PublicIdentity, x: KeyExchange, m: RatchetMessage, random: Random,
): OpenedKey | undefined {
  const i = s.findIndex((st) => same(st.base, x.baseKey) && same(st.remote.curve, x.identity.curve))
  const st = s[i]
  return st && decryptIn(p, s, i, st, local, m, true, random)
}

function decryptIn(
  p: Profile, s: Session, i: number, st: State, local: PublicIdentity, m: RatchetMessage, exchange: boolean, random: Random,
): OpenedKey {
  const c = cloneState(st)
  const plaintext = decryptWith(p, c, local, m, random)
  return { plaintext, identity: c.remote, owesReply: owesReply(c, m, exchange), session: advanced(s, i, c) }
}
