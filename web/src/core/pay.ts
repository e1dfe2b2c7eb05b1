// Payments, in the words of the screens (docs/protocol/payments.md). Amounts are whole numbers of the smallest part of a unit (12500 with MAD is 125.00), 1 to
// 2^53. What a payment is shown as is true at every moment: it is kept here, signed, before it leaves, and leaves under one id until the service has answered.

import type { Stop } from './engine.ts'
import type { JID, Micros } from './model.ts'

/** What an amount is counted in: a currency (ISO 4217), or something of the operator's own. `closed`: it can be spent here alone. */
export interface Unit { code: string; exponent: number; name: string; closed: boolean }

/** What the service says of itself. */
export interface PayAbout {
  service: JID
  units: Unit[]
  /** Its Ed25519 key, base64url: receipts are checked with it. */
  key: string
  /** Networks by which money comes in and leaves. */
  rails: { name: string; in: boolean; out: boolean }[]
  /** Levels of identification and what they allow. */
  levels: { name: string; limits: { unit: string; transaction?: number; day?: number }[] }[]
}

export interface Balance { unit: string; /** What can be spent. */ amount: number; held: number; /** Set aside for payments without network. */ pocket: number }

/** What may be spent: each time and on a day; `left` of today; from `stepup` on a fresh proof is asked for. */
export interface Limit { unit: string; transaction?: number; day?: number; left?: number; stepup?: number }

/** A key that may pay. `ready` in the future: it waits, and can be dropped meanwhile. */
export interface PayKey {
  id: string
  kind: 'pin' | 'passkey'
  /** What its owner calls the device. */
  name: string
  added?: Micros
  ready?: Micros
  /** It is for payments without network, up to `cap` of `capUnit`. */
  offline: boolean
  cap?: number
  capUnit?: string
  /** It is a key of this device. */
  here: boolean
}

/** What we have. Kept on the device as it was told last (`time`). */
export interface Wallet {
  about: PayAbout
  frozen: boolean
  level: string
  balances: Balance[]
  limits: Limit[]
  keys: PayKey[]
  time: Micros
}

export type IntentKind = 'send' | 'tip' | 'hold' | 'mandate' | 'capture' | 'void' | 'revoke' | 'refund' | 'reserve' | 'release' | 'offline' | 'cashout'

/**
 * What this device knows of a payment. `signed`: kept here, and it has not left · `sent`: it left, and nobody has answered yet; there will be one payment or none ·
 * `waiting`: the service has it, an outside network has not said · `held`: set aside · `done` · `ended`: a hold or mandate is over · `refused`: nothing was taken, and nothing will be ·
 * `promised`: without network, shown or taken as a code and not handed in yet.
 */
export type PayState = 'signed' | 'sent' | 'waiting' | 'held' | 'done' | 'ended' | 'refused' | 'promised'

/** Why something was refused or cannot be done: the conditions of the contract, and those that this device finds by itself. */
export type PayReason =
  | 'insufficient' | 'over-limit' | 'frozen' | 'step-up' | 'fee-changed' | 'no-key' | 'not-ready' | 'bad-signature' | 'bad-text' | 'expired' | 'id-taken' | 'no-payee' | 'no-mandate'
  | 'exceeds' | 'over' | 'closed' | 'rail'
  /** Of the PIN and the keys of this device. */
  | 'wrong-pin' | 'wait' | 'pin-short' | 'passkey'
  /** Whoever began it has stopped it before anything was kept. */
  | 'cancelled'
  /** There is no connection, or no service of payments here. */
  | 'offline' | 'none'
  /** Anything else that the server said. */
  | 'refused'

/** A payment, as it is shown. */
export interface Payment {
  id: string
  /** `cashin`: a network brought it in, and `payer` is `rail:NAME`. */
  kind: IntentKind | 'cashin'
  state: PayState
  payer: JID
  payee: JID
  amount: number
  unit: string
  /** Of the unit, as far as it is known here. */
  exponent: number
  fee: number
  /** What it pays, gives back, captures or ends: the id of a request, a payment, a hold. */
  of?: string
  for: string
  time: Micros
  /** Its number in the service's book: what people tell each other. */
  number?: string
  /** So much of it was given back. */
  refunded?: number
  /** Refused because of it. */
  why?: PayReason
  /** The service has signed this, and the signature was good here. Without it nothing is shown as received. */
  receipt?: { text: string; signature: string }
  /** The conversation that it is shown in. */
  chat?: JID
}

/** What is to be paid. */
export interface PayDraft {
  /** Made once by newPayId when the screen opens: whatever is done twice with it is one payment. */
  id: string
  kind: IntentKind
  /** Who pays, if not we: for what the payee signs (capture, void). */
  payer?: JID
  payee: JID
  amount: number
  unit: string
  /** As the quote said. */
  fee: number
  of?: string
  /** At most 256 bytes. */
  for: string
  /** Of a hold or mandate. */
  until?: Micros
  total?: number
  period?: 'once' | 'day' | 'week' | 'month'
  /** Where its bubble is shown; none for what belongs to the wallet. */
  chat?: JID
}

/** What a payment would cost, and what to look at before it is confirmed. `name`: what the service calls the payee. */
export interface Quote { fee: number; name: string; stepup: boolean; warnings: { kind: 'look-alike' | 'new-payee' | 'unusual' | 'late'; of?: string }[] }

/** How a person confirms: with the PIN of this device's key, or the passkey of this device (its sheet opens; call it from a tap). */
export type Proof = { pin: string } | { passkey: true }

export type RequestState = 'open' | 'part' | 'paid' | 'declined' | 'cancelled' | 'expired'

/** Money that somebody asks for. */
export interface PayRequest {
  id: string
  payee: JID
  payer: JID
  amount: number
  paid: number
  unit: string
  exponent: number
  expires?: Micros
  for: string
  /** A part may be paid. */
  partial: boolean
  state: RequestState
  chat?: JID
  /** It is a share of this split. */
  split?: string
}

/** A request to make. With `every` it comes again, `times` times. */
export interface RequestDraft {
  id: string
  payer: JID
  amount: number
  unit: string
  expires?: Micros
  for: string
  partial: boolean
  every?: 'day' | 'week' | 'month'
  times?: number
  chat?: JID
}

/** Somebody's part of a bill. */
export interface SplitShare { jid: JID; amount: number; parts?: number; items: { name: string; amount: number }[]; request?: string; state?: RequestState; paid?: number }

/** A bill of which each pays a part. */
export interface Split {
  id: string
  group: JID
  payee: JID
  /** Who made it. */
  organiser?: JID
  total: number
  /** Of all shares together. */
  paid?: number
  unit: string
  exponent: number
  for: string
  by: 'equal' | 'shares' | 'exact' | 'items'
  shares: SplitShare[]
}

/** What one owes another in a group: transfers that settle it. `id`: a payment of which it is the `of` pays it. `agree`: what is asked of us in it may be set against what others owe us there, if we agree. */
export interface Debt { id?: string; from: JID; to: JID; amount: number; agree?: boolean }

/** What somebody may take from a wallet, by its owner's signature. `left`: of this period. */
export interface Mandate { id: string; payer: JID; payee: JID; amount: number; unit: string; exponent: number; total?: number; period: 'once' | 'day' | 'week' | 'month'; until?: Micros; for: string; state: string; left?: number }

/** A payment that somebody disputes. */
export interface Dispute {
  id: string
  of: string
  by: JID
  why: string
  amount: number
  unit: string
  exponent: number
  text: string
  state: string
  evidence: { by: JID; time: Micros; text: string; hash?: string; address?: string }[]
}

export interface HistoryQuery { unit?: string; since?: Micros; until?: Micros; /** Words. */ q?: string; /** `before` of the page that came last. */ before?: string; max?: number }

/** A page of payments, the newest first; `before`: ask with it for older ones, if there are any. */
export interface HistoryPage { payments: Payment[]; before?: string }

/** What to do next to bring money in. */
export type NextStep = { go: string } | { show: string } | { wait: true }

/** What is asked of the service. It needs the connection, and fails with an error that payTrouble reads. What has an id may be asked again with it: it happens once. */
export interface PayAsks {
  /** Asks for the wallet; it can be watched. */
  wallet(): Promise<Wallet>
  quote(what: { kind: IntentKind; payee: JID; amount: number; unit: string; of?: string }): Promise<Quote>
  /** What the service knows of a payment; undefined: nothing, and nothing was taken. */
  lookup(id: string): Promise<Payment | undefined>
  history(query: HistoryQuery): Promise<HistoryPage>
  /** Nothing is debited from now on. */
  freeze(): Promise<Wallet>
  request(id: string): Promise<PayRequest>
  requests(query: { state?: RequestState; before?: string; max?: number }): Promise<{ requests: PayRequest[]; before?: string }>
  makeRequest(draft: RequestDraft): Promise<PayRequest>
  decline(id: string, why?: string): Promise<PayRequest>
  /** A request, or a split by its id. */
  cancel(id: string): Promise<PayRequest | Split>
  /** The payer of a request, or of a split all who have not paid. */
  remind(id: string): Promise<void>
  split(id: string): Promise<Split>
  splits(group: JID): Promise<Split[]>
  /** The shares must add up to the total. The message in the group is a step of its own: Pay.makeSplit does both. */
  makeSplit(split: Split): Promise<Split>
  debts(group: JID, unit: string): Promise<Debt[]>
  /** Lets what is asked of us in a group so far be set against what others owe us there, so that there are fewer transfers. */
  agree(group: JID, unit: string): Promise<Debt[]>
  mandates(): Promise<Mandate[]>
  dispute(id: string): Promise<Dispute>
  disputes(): Promise<Dispute[]>
  makeDispute(draft: { id: string; of: string; why: string; amount: number; text: string }): Promise<Dispute>
  addEvidence(dispute: string, evidence: { text: string; hash?: string; address?: string }): Promise<Dispute>
  settle(dispute: string, by: 'refund' | 'reject' | 'withdraw'): Promise<Dispute>
  cashIn(draft: { id: string; rail: string; amount: number; unit: string; address: string }): Promise<NextStep>
}

/** A payment without network, as it stands in a code. */
export interface Promised {
  id: string
  payer: JID
  payee: JID
  amount: number
  unit: string
  exponent: number
  for: string
  expires: Micros
  /** The id of the key that signed it. */
  key: string
  /** `PALABREPAY0:…` */
  code: string
}

/** Payments, as a tab has them. What is watched is called back at once and on every change. What a person does fails with an error that payTrouble reads. */
export interface Pay {
  /** What is kept of the wallet; undefined: nothing is known yet, or there is no service of payments. */
  watchWallet(show: (wallet: Wallet | undefined) => void): Stop
  watchPayment(id: string, show: (payment: Payment | undefined) => void): Stop
  /** Payments of ours of which the end is not known: signed, sent, waiting, promised; the oldest first. */
  watchPending(show: (payments: Payment[]) => void): Stop
  /** Requests that are kept here, ours and those to us, the newest first, at most 200. */
  watchRequests(show: (requests: PayRequest[]) => void): Stop
  watchRequest(id: string, show: (request: PayRequest | undefined) => void): Stop
  watchSplit(id: string, show: (split: Split | undefined) => void): Stop
  /** Disputes of which something was told here, the newest first. */
  watchDisputes(show: (disputes: Dispute[]) => void): Stop

  /** What this device can do: a key of its own (`pin`, `passkey`), one for payments without network, and whether a passkey could be made here. */
  device(): Promise<{ key?: PayKey['kind']; keyId?: string; offline?: { id: string; cap: number; unit: string }; canPasskey: boolean }>
  /** Makes this device's key and gives it to the service. `name`: what to call the device. A further key of an account waits, or is allowed by another device. */
  setUp(how: { pin: string } | { passkey: true }, name: string): Promise<Wallet>
  /** Signs and keeps a payment; it leaves by itself. It is kept when the promise is fulfilled, and its bubble stands in the chat. With the same draft a second time: the same payment. `stop` ends it with `cancelled` until it is kept, and does nothing after that. */
  send(draft: PayDraft, proof: Proof, stop?: AbortSignal): Promise<Payment>
  /** Tries at once what waits. */
  retry(): void
  /** Signs an order and hands it in. */
  order(order: { kind: 'add-key' | 'drop-key'; key: string } | { kind: 'unfreeze' } | { kind: 'limits'; unit: string; transaction?: number; day?: number }, proof: Proof): Promise<Wallet>
  /** Makes the key of this device for payments without network, with a PIN of its own, up to `cap`; money is put into the pocket with send({ kind: 'reserve' }). */
  setUpOffline(pin: string, cap: number, unit: string, proof: Proof): Promise<Wallet>
  /** Signs a payment without network and keeps it as promised; fails with `over-limit` above what leftOffline says. With the same draft again: what was kept, and no PIN is asked for; with the id of another payment: `id-taken`. */
  promise(draft: PayDraft, pin: string): Promise<Promised>
  /** Reads a code that was scanned, and checks its signature; fails with `bad-text`, `bad-signature`, `expired`. */
  check(code: string): Promise<Promised>
  /**
   * Keeps a code that was taken; it is handed in when there is a connection, by this device or the payer's. Its bubble stands in the chat with the payer. The same code again before it has an end is
   * the same payment; after that it fails with `id-taken`, and so does one that this device knew before `since` (by `now`).
   */
  redeem(code: string, since?: Micros): Promise<Payment>
  /** What time it is for the server, as far as this device knows. */
  now(): Promise<Micros>

  /** Makes a split and says so in the group. */
  makeSplit(split: Split): Promise<Split>
  /** Checks a receipt with the service's key: its fields if it is good. */
  checkReceipt(receipt: { text: string; signature: string }): Promise<Record<string, string> | undefined>
  ask<K extends keyof PayAsks>(what: K, ...args: Parameters<PayAsks[K]>): ReturnType<PayAsks[K]>
}

/** Those that an account has promised without network and that nobody has handed in, as far as this device knows. */
export const promisesOf = (payments: Payment[], account: JID): Payment[] => payments.filter((p) => p.kind === 'offline' && p.state === 'promised' && p.payer === account)

/**
 * What an account may still promise without network: up to the cap of its key and what was in the pocket when the wallet was told last, less what is promised and not over (`pending`). It is not
 * below 0.
 */
export function leftOffline({ cap, unit }: { cap: number; unit: string }, wallet: Wallet | undefined, pending: Payment[], account: JID): number {
  const most = wallet ? Math.min(cap, wallet.balances.find((b) => b.unit === unit)?.pocket ?? 0) : cap
  const promised = pending.filter((p) => p.kind === 'offline' && p.payer === account && p.unit === unit).reduce((sum, p) => sum + p.amount, 0)
  return Math.max(0, most - promised)
}

/** Why something of payments could not be done; details as the condition has them. It is the same in the tab that leads and in others. */
export interface Trouble { why: PayReason; /** Attempts, or the amount, that is left. */ left?: number; until?: Micros; fee?: number; kind?: 'transaction' | 'day' | 'level' | 'offline' }

/** Something of payments could not be done. */
export class PayTrouble extends Error {
  override readonly name = 'PayTrouble'
  readonly condition: PayReason
  constructor(readonly trouble: Trouble) {
    super(JSON.stringify(trouble))
    this.condition = trouble.why
  }
}

/** Reads why something failed, also when another tab has thrown it. */
export function payTrouble(error: unknown): Trouble {
  if (error instanceof PayTrouble) return error.trouble
  const { name, message } = (error ?? {}) as { name?: string; message?: string }
  if (name === 'PayTrouble' && message) {
    try {
      return JSON.parse(message) as Trouble
    } catch {
      return { why: 'refused' }
    }
  }
  return { why: name === 'Offline' || name === 'Interrupted' ? 'offline' : 'refused' }
}

/** An id for a payment, a request, a split or a dispute: 132 random bits. */
export function newPayId(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(18)))).replaceAll('+', '-').replaceAll('/', '_').slice(0, 22)
}
