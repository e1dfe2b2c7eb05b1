// What is kept of payments. What is known of each is one record, which only goes forward: what is told twice or late changes nothing.

import type { JID, Micros } from '../model.ts'
import type { Passkey } from '../pay/passkey.ts'
import type { PinKey, PinParts } from '../pay/pin.ts'
import type { Dispute, Mandate, Payment, PayRequest, PayState, RequestState, Split } from '../pay.ts'
import type { Change, Look } from './database.ts'
import { marked } from './pay-open.ts'

export { isOver } from './pay-open.ts'

/** What was signed, as it leaves each time. */
export interface Signed { text: string; signature: string; key: string; authenticator?: string; client?: string }

/** A key for payments without network. */
export interface OfflineKey extends PinKey { share: string; cap: number; unit: string; /** Wrong PINs since the last right one. */ wrong: number; /** Since when the service has allowed it. */ told?: Micros }

/** One of the records; `key` is what it is and its id. */
export type KeptPay = { key: string; time: Micros; /** What of it has no end yet: its kind, or `held`; an index has these alone. */ open?: string } & (
  /** `intent`: this device hands it in until it is answered; `tried`: it may have arrived. `code`: shown or taken without network; `sale`: what it was taken for. `back`: the id of what takes it back. `cashin`: what is asked of a rail. `tip`: agreed to with it, and not signed. */
  | { what: 'payment'; payment: Payment; intent?: Signed; expires?: Micros; tried?: true; code?: string; sale?: string; back?: string; cashin?: { rail: string; address: string }; tip?: NonNullable<Payment['tip']> }
  | { what: 'request'; request: PayRequest }
  | { what: 'split'; split: Split }
  | { what: 'dispute'; dispute: Dispute }
  | { what: 'mandate'; mandate: Mandate }
  /** `told`: since when the service knows the main key. `asked`: what it gets of the key, until it is known to have it, with the share for SHARE_STAYS after `since` at most; `tried`: it may have it. */
  | { what: 'keys'; main?: PinKey | Passkey; told?: Micros; asked?: { name: string; parts?: PinParts; since?: Micros; tried?: true }; offline?: OfflineKey }
  /** `of`: the key of something whose group is not known here yet. */
  | { what: 'unshown'; of: string; live: boolean; archived?: string; old?: boolean }
  /** A notice that came before it was known who may send such. */
  | { what: 'early'; from: JID; xml: string; archived?: string; live: boolean; old?: boolean }
)

/** One kind of them. */
export type Kept<W extends KeptPay['what']> = Extract<KeptPay, { what: W }>

/** Reads one. */
export async function readPay<W extends KeptPay['what']>(tx: Look, what: W, id = ''): Promise<Kept<W> | undefined> {
  const found = await tx.objectStore('pay').get(keyOf(what, id))
  return found?.what === what ? found as Kept<W> : undefined
}

/** Those of a kind, the newest last, at most `most`. */
export async function listPay<W extends KeptPay['what']>(tx: Look, what: W, most = 1000): Promise<Kept<W>[]> {
  const out: Kept<W>[] = []
  let cursor = await tx.objectStore('pay').index('what').openCursor(all(what), 'prev')
  for (; cursor && out.length < most; cursor = await cursor.continue()) out.push(cursor.value as Kept<W>)
  return out.reverse()
}

/** The key of a record. */
export const keyOf = (what: KeptPay['what'], id = ''): string => `${what} ${id}`

/** Those of a kind of which the end is not known, however old, the oldest first, at most 10,000. */
export async function listOpen<W extends Told>(tx: Look, what: W): Promise<Kept<W>[]> {
  return await tx.objectStore('pay').index('open').getAll(all(what), MAX_OPEN) as Kept<W>[]
}

/** Says whether a payment is what takes a promise of ours back: it is told of with that promise, and not by itself. */
export const isTakeBack = (p: Payment): boolean => p.kind === 'revoke' && p.payer === p.payee

/** What the service can tell again, and of which not all is kept. */
type Told = (typeof told)[number]
const told = ['payment', 'request', 'split', 'dispute', 'mandate'] as const
const MAX_OPEN = 10_000
/** Of each kind, so many that have ended are kept; older ones are the service's to tell. */
export const MAX_ENDED = 2000
/** After so many records it is looked whether there are more. */
const EACH = 250
let puts = 0

/** How long the share of a key stays here that the service has not confirmed: whoever copies the device meanwhile can try PINs. Microseconds. */
const SHARE_STAYS = 5 * 60e6

/** Forgets the share of a key that has stayed too long. Gives how long one may still stay, in microseconds; undefined: there is none. */
export async function forgetShare(tx: Change, now: Micros): Promise<Micros | undefined> {
  const kept = await readPay(tx, 'keys')
  if (!kept?.asked?.parts) return undefined
  const { parts: _, since = 0, ...asked } = kept.asked
  const left = SHARE_STAYS - Math.abs(now - since)
  if (left > 0) return left
  await putPay(tx, { ...kept, asked })
  return undefined
}

const all = (what: string) => IDBKeyRange.bound([what, -Infinity], [what, Infinity])

/** Puts one. Now and then older ones that have ended go. */
export async function putPay(tx: Change, record: KeptPay): Promise<void> {
  await tx.objectStore('pay').put(marked(record))
  if (++puts % EACH === 0) await prunePay(tx)
}

/** A code is known for so much longer than it lives: clocks differ. Microseconds. */
const CODE_STAYS = 86_400e6

/** Says whether a record is of a code that could be shown again. */
const isShown = (record: KeptPay): boolean => record.what === 'payment' && record.code !== undefined && (record.expires ?? 0) + CODE_STAYS > Date.now() * 1000

/** Forgets the oldest of what has ended, of each kind beyond MAX_ENDED. What has no end yet stays, however old, and so does a code while it lives: it could be shown for something else. */
export async function prunePay(tx: Change): Promise<void> {
  const store = tx.objectStore('pay')
  for (const what of told) {
    const [kept, open, held] = await Promise.all([store.index('what').count(all(what)), store.index('open').count(all(what)), what === 'payment' ? store.index('open').count(all('held')) : 0])
    let most = kept - open - held - MAX_ENDED
    if (most <= 0) continue
    let cursor = await store.index('what').openCursor(all(what))
    for (; cursor && most > 0; cursor = await cursor.continue()) {
      if (cursor.value.open) continue
      if (!isShown(cursor.value)) await cursor.delete()
      most--
    }
  }
}

const HOW_FAR: Record<PayState, number> = { promised: 0, signed: 1, sent: 2, waiting: 3, held: 4, refused: 5, ended: 6, done: 6 }

/** What is known of a payment when something is told of it: it never goes back. */
export function further(before: Payment | undefined, told: Payment): Payment {
  if (!before) return told
  const ahead = HOW_FAR[told.state] >= HOW_FAR[before.state]
  const [next, last] = ahead ? [told, before] : [before, told]
  const { why: _, feeNow: __, way, since, next: step, ...rest } = next
  const feeNow = next.state === 'refused' && next.why === 'fee-changed' ? next.feeNow ?? before.feeNow : undefined
  const refunded = Math.max(before.refunded ?? 0, told.refunded ?? 0)
  const receipt = next.receipt ?? last.receipt
  return {
    ...rest, time: before.time || told.time, exponent: told.exponent,
    ...(next.why && (next.state === 'refused' || next.state === 'promised') ? { why: next.why } : {}), ...(feeNow !== undefined ? { feeNow } : {}), ...(refunded ? { refunded } : {}), ...(receipt ? { receipt } : {}),
    ...((next.number ?? last.number) ? { number: next.number ?? last.number } : {}), ...((before.chat ?? told.chat) ? { chat: before.chat ?? told.chat } : {}),
    ...(next.state !== 'waiting' ? {} : way ? { way, ...(since ? { since } : {}) } : before.way ? { way: before.way, ...(before.since ? { since: before.since } : {}) } : {}),
    ...(next.state === 'waiting' && (step ?? before.next) ? { next: step ?? before.next } : {}),
  }
}

const REQUEST: Record<RequestState, number> = { open: 0, part: 1, expired: 2, cancelled: 3, declined: 3, paid: 4 }

/** The same of a request. */
export function furtherRequest(before: PayRequest | undefined, told: PayRequest): PayRequest {
  if (!before) return told
  const next = REQUEST[told.state] >= REQUEST[before.state] ? told : before
  return { ...next, paid: Math.max(before.paid, told.paid), ...((before.chat ?? told.chat) ? { chat: before.chat ?? told.chat } : {}) }
}

/** The same of a split: each share for itself. */
export function furtherSplit(before: Split | undefined, told: Split): Split {
  if (!before) return told
  const shares = told.shares.map((share) => {
    const was = before.shares.find((s) => s.jid === share.jid)
    return was?.state && (!share.state || REQUEST[was.state] > REQUEST[share.state]) ? { ...share, state: was.state } : share
  })
  return { ...told, shares }
}

/** How far a dispute has come: it is open, the operator has decided that the money goes back, it is over. */
const disputeFar = ({ state }: Dispute): number => state === 'open' ? 0 : state === 'upheld' ? 1 : 2

/** The same of a mandate: one that has ended stays so. */
export const furtherMandate = (before: Mandate | undefined, told: Mandate): Mandate => before && before.state !== 'open' && told.state === 'open' ? before : told

/** The same of a dispute: what is over stays so, and evidence grows. */
export function furtherDispute(before: Dispute | undefined, told: Dispute): Dispute {
  if (!before) return told
  const next = disputeFar(told) >= disputeFar(before) ? told : before
  return { ...next, evidence: before.evidence.length > told.evidence.length ? before.evidence : told.evidence }
}
