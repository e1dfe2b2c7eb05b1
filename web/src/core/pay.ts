// Payments, in the words of the screens (docs/protocol/payments.md). Amounts are whole numbers of the smallest part of a unit (12500 with MAD is 125.00), 1 to
// 2^53. What a payment is shown as is true at every moment: it is kept here, signed, before it leaves, and leaves under one id until the service has answered.

import type { Stop } from './engine.ts'
import type { JID, Micros } from './model.ts'

/** What an amount is counted in: a currency (ISO 4217), or something of the operator's own. `closed`: it can be spent here alone. */
export interface Unit { code: string; exponent: number; name: string; closed: boolean }

/** A network by which a unit comes in or leaves. `title`: what people call it; `kind`: which it is, so what it needs to know. */
export interface RailOffer { name: string; title: string; kind: 'momo' | 'stripe' | 'pix' | 'sandbox' | 'other'; unit: string; in: boolean; out: boolean }

/** What the service says of itself. */
export interface PayAbout {
  service: JID
  units: Unit[]
  /** Its Ed25519 key, base64url: receipts are checked with it. */
  key: string
  /** Networks by which money comes in and leaves, one for each unit that they move. */
  rails: RailOffer[]
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
  /** Since when it is frozen. Keys that did not work then cannot open it, and wait anew from when it is open. */
  since?: Micros
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
 * `promised`: without network, shown or taken as a code and not handed in yet, or handed in and not paid now (`why`): it is handed in again until it is over.
 */
export type PayState = 'signed' | 'sent' | 'waiting' | 'held' | 'done' | 'ended' | 'refused' | 'promised'

/** Why something was refused or cannot be done: the conditions of the contract, and those that this device finds by itself. */
export type PayReason =
  | 'insufficient' | 'over-limit' | 'frozen' | 'step-up' | 'fee-changed' | 'no-key' | 'not-ready' | 'bad-signature' | 'bad-text' | 'expired' | 'id-taken' | 'no-payee' | 'no-mandate'
  | 'exceeds' | 'over' | 'taken-back' | 'closed' | 'rail' | 'debts-changed'
  /** Of the PIN and the keys of this device. */
  | 'wrong-pin' | 'wait' | 'pin-short' | 'passkey'
  /** This device has its key already, with what was chosen for it first. */
  | 'key-made'
  /** A promise whose end is farther ahead than one may be. */
  | 'clock'
  /** Whoever began it has stopped it before anything was kept. */
  | 'cancelled'
  /** Of a file that is shown in a dispute: there is no room for it, it is another one than was shown, it is there no more, it lies with somebody else (isHere). */
  | 'too-large' | 'no-room' | 'changed' | 'gone' | 'elsewhere'
  /** There is no connection, or no service of payments here. */
  | 'offline' | 'none'
  /** Anything else that the server said. */
  | 'refused'

/** A payment, as it is shown. */
export interface Payment {
  id: string
  /** `cashin`: a network brought it in, and `payer` is `rail:NAME`. `cashrefund`: that goes back by it. */
  kind: IntentKind | 'cashin' | 'cashrefund'
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
  /** Refused because of it; of what is `promised`: not paid yet because of it. */
  why?: PayReason
  /** What the fee is now, of what was refused with `fee-changed` on this device. */
  feeNow?: number
  /** A tip that was agreed to together with it and is not signed: its id, and how much. */
  tip?: { id: string; amount: number }
  /** What was promised is to be taken back, and is not handed in by this device: the service has not said yet which was first; or it has `refused` for now, because of `why`, and it may be taken back once more. */
  back?: true | 'refused'
  /** The service has signed this, and the signature was good here. Without it nothing is shown as received. */
  receipt?: { text: string; signature: string }
  /** Until when: of a hold or a mandate. */
  until?: Micros
  /** The conversation that it is shown in. */
  chat?: JID
  /** How it stands with a network outside while it is `waiting`: kept by the service · on its way · the network has it · nobody knows whether it has, and it is asked. */
  way?: 'created' | 'submitted' | 'accepted' | 'unknown'
  /** Since when nobody knows. */
  since?: Micros
  /** What its owner has to do, so that money comes in. */
  next?: NextStep
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
  period?: Period
  /** Where its bubble is shown; none for what belongs to the wallet. */
  chat?: JID
  /** A tip that is agreed to with it: it is kept that it is wished, and signed by a `send` of its own. */
  tip?: number
}

/** What a payment would cost, and what to look at before it is confirmed. `name`: what the service calls the payee. `short`: there is less in the wallet than it costs. */
export interface Quote { fee: number; name: string; stepup: boolean; short: boolean; warnings: { kind: 'look-alike' | 'new-payee' | 'unusual' | 'late'; of?: string }[] }

/** How a person confirms: with the PIN of this device's key, or the passkey of this device (its sheet opens; call it from a tap). */
export type Proof = { pin: string } | { passkey: true }

export type RequestState = 'open' | 'part' | 'paid' | 'declined' | 'cancelled' | 'expired'

/** In what a mandate has its total. */
export type Period = 'once' | 'day' | 'week' | 'month'

/** What a request may ask for instead of money: that the amount is set aside, or that it may be taken, each time, up to `total` in a `period`. Both `until` a time. */
export type Terms = { kind: 'hold'; until: Micros } | { kind: 'mandate'; total: number; period: Period; until: Micros }

/** How a request comes again: this is `turn` (1 is the first) of `times`, and the last one comes then, if nobody ends it before. */
export interface Again { every: 'day' | 'week' | 'month'; turn: number; times: number; last: Micros }

/** Money that somebody asks for; with `terms` it asks for a hold or a mandate, and is `paid` when that was given. */
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
  terms?: Terms
  again?: Again
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
  /** It asks for a hold or a mandate; then it is not `partial` and does not come again. */
  terms?: Terms
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

/** What one owes another in a group: transfers that settle it. `id`: a payment of which it is the `of` pays it. `agree`: how much of it is asked of us and may be set against what others owe us there, if we agree. `once`: how much of it one payment settles, where that is less. */
export interface Debt { id?: string; from: JID; to: JID; amount: number; once?: number; agree?: number }

/** What somebody may take from a wallet, by its owner's signature: up to `amount` each time and `total` in a period. `left` is what may be taken now, `taken` what was in this period, `request` the one that it answers. */
export interface Mandate { id: string; payer: JID; payee: JID; amount: number; unit: string; exponent: number; total?: number; period: Period; until?: Micros; for: string; state: 'open' | 'revoked' | 'expired'; left?: number; taken?: number; request?: string }

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
  /** What the operator said when they decided. */
  decided?: string
  evidence: Evidence[]
}

/** What a side of a dispute has shown: words, and perhaps a file: where it is (with the key, if it is encrypted there), the SHA-256 of its bytes, hexadecimal, its name and its size in bytes. */
export interface Evidence { by: JID; time: Micros; text: string; hash?: string; address?: string; name?: string; size?: number }

/** isHere says whether a file that was shown is encrypted and lies at a host, which is the page's own: nothing else is fetched, as whoever has a server there would learn who looks. */
export const isHere = (address: string, host: string): boolean => address.startsWith(`aesgcm://${host}/`)

/** visible is what the other side calls a file without what is not seen: controls, and marks that turn the direction of what is written (gpj.exe). */
export const visible = (name: string): string => name.replace(/\p{C}/gu, '').trim()

export interface HistoryQuery { unit?: string; /** What was paid, taken or given back of this: the id of a request, a payment, a mandate. */ of?: string; state?: PayState; since?: Micros; until?: Micros; /** Words. */ q?: string; /** `before` of the page that came last. */ before?: string; max?: number }

/** A page of payments, the newest first; `before`: ask with it for older ones, if there are any. */
export interface HistoryPage { payments: Payment[]; before?: string }

/** What to do next to bring money in: open a page, pay a code, or wait. */
export type NextStep = { go: string } | { show: string } | { wait: true }

/** Money that is to come in. `address`: where from, in the network's own form; empty where it does not need one. */
export interface CashInDraft { id: string; rail: string; address: string; amount: number; unit: string }

/** What is asked of the service. It needs the connection, and fails with an error that payTrouble reads. What has an id may be asked again with it: it happens once. */
export interface PayAsks {
  /** Asks for the wallet; it can be watched. */
  wallet(): Promise<Wallet>
  quote(what: { kind: IntentKind; payee: JID; amount: number; unit: string; of?: string }): Promise<Quote>
  /** Payments of ours that wait for a network, also those that other devices began; they are kept, so that they can be watched. */
  underWay(): Promise<Payment[]>
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
  mandates(): Promise<Mandate[]>
  dispute(id: string): Promise<Dispute>
  disputes(): Promise<Dispute[]>
  makeDispute(draft: { id: string; of: string; why: string; amount: number; text: string }): Promise<Dispute>
  addEvidence(dispute: string, evidence: { text: string; hash?: string; address?: string; name?: string; size?: number }): Promise<Dispute>
  settle(dispute: string, by: 'refund' | 'reject' | 'withdraw'): Promise<Dispute>
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
  /** `skew` is what the server's clock is ahead of this device's, as far as is known by then. */
  watchPayment(id: string, show: (payment: Payment | undefined, skew: Micros) => void): Stop
  /** Payments of ours of which the end is not known: signed, sent, waiting, promised; the oldest first. */
  watchPending(show: (payments: Payment[]) => void): Stop
  /** Requests that are kept here, ours and those to us, the newest first, at most 200. */
  watchRequests(show: (requests: PayRequest[]) => void): Stop
  watchRequest(id: string, show: (request: PayRequest | undefined) => void): Stop
  watchSplit(id: string, show: (split: Split | undefined) => void): Stop
  /** Mandates that are kept here, given and received, the newest first, at most 200. */
  watchMandates(show: (mandates: Mandate[]) => void): Stop
  /** Disputes of which something was told here, the newest first. */
  watchDisputes(show: (disputes: Dispute[]) => void): Stop

  /** What this device can do: a key of its own (`pin`, `passkey`), one for payments without network, and whether a passkey could be made here. */
  device(): Promise<{ key?: PayKey['kind']; keyId?: string; offline?: { id: string; cap: number; unit: string }; canPasskey: boolean }>
  /** Makes this device's key and gives it to the service. `name`: what to call the device. A further key of an account waits, or is allowed by another device. */
  setUp(how: { pin: string } | { passkey: true }, name: string): Promise<Wallet>
  /** Signs and keeps a payment; it leaves by itself. It is kept when the promise is fulfilled, and its bubble stands in the chat. With the same draft a second time: the same payment; with the id of another one: `id-taken`. Only what this call has kept comes back with the `tip` of the draft. `stop` ends it with `cancelled` until it is kept, and does nothing after that. */
  send(draft: PayDraft, proof: Proof, stop?: AbortSignal): Promise<Payment>
  /** Keeps that money is to come in by a network; it is asked for by itself, once. What to do next stands in the payment when it is known. With the same draft a second time: the same payment. */
  bringIn(draft: CashInDraft): Promise<Payment>
  /** Tries at once what waits. */
  retry(): void
  /** Signs an order and hands it in. */
  order(order: { kind: 'add-key' | 'drop-key'; key: string } | { kind: 'unfreeze' } | { kind: 'limits'; unit: string; transaction?: number; day?: number } | { kind: 'agree'; group: JID; unit: string; debts: Debt[] }, proof: Proof): Promise<Wallet>
  /** Makes the key of this device for payments without network, with a PIN of its own, up to `cap`; money is put into the pocket with send({ kind: 'reserve' }). */
  setUpOffline(pin: string, cap: number, unit: string, proof: Proof): Promise<Wallet>
  /** Signs a payment without network and keeps it as promised; fails with `over-limit` above what leftOffline says. With the same draft again: what was kept, and no PIN is asked for; with the id of another payment: `id-taken`. */
  promise(draft: PayDraft, pin: string): Promise<Promised>
  /**
   * Takes back what this device has promised. It leaves by itself; until the service has said which was first, it is promised all the same. Fails with `over` for what is no promise any more. Twice is
   * once. A PIN is tried on its own key alone: `offlinePin` on the one that promised, and it fails with `no-key` if that is not here; any other `proof` on the main key.
   */
  takeBack(id: string, proof: Proof | { offlinePin: string }): Promise<void>
  /** Whether what this device has promised is taken back with the PIN for payments without network: the key that promised is here and holds. Otherwise the main key signs. */
  takesBackOffline(id: string): Promise<boolean>
  /** Reads a code that was scanned, and checks its signature; fails with `bad-text`, `bad-signature`, `expired`, `clock`. */
  check(code: string): Promise<Promised>
  /**
   * Keeps a code that was taken; it is handed in when there is a connection, by this device or the payer's. Its bubble stands in the chat with the payer. `sale` is what it is taken for: the id that its
   * payment was given, or one of its own. The same code for the same again is the same payment; one that this device knows otherwise fails with `id-taken`.
   */
  redeem(code: string, sale: string): Promise<Payment>

  /** Makes a split and says so in the group. */
  makeSplit(split: Split): Promise<Split>
  /**
   * Shows words and a file in a dispute: the file is encrypted and put where files of messages are, its key goes with its address to the other side and to the operator. A file that is there
   * already is not put there twice. Fails with `too-large`, `no-room`, `cancelled`, `offline`.
   */
  showFile(dispute: string, text: string, file: File, progress: (done: number, total: number) => void, stop: AbortSignal): Promise<Dispute>
  /** Gets a file that was shown, and checks that it is that: fails with `changed` if it is not, with `gone` if it is there no more, with `elsewhere` if it is not here (isHere), with `too-large`, `cancelled`, `offline`. */
  openFile(piece: Pick<Evidence, 'address' | 'hash' | 'size'>, progress: (done: number, total: number) => void, stop: AbortSignal): Promise<Blob>
  /** Checks a receipt with the service's key: its fields if it is good. */
  checkReceipt(receipt: { text: string; signature: string }): Promise<Record<string, string> | undefined>
  ask<K extends keyof PayAsks>(what: K, ...args: Parameters<PayAsks[K]>): ReturnType<PayAsks[K]>
}

/** Whether a key pays nothing yet: its time has not come; or it had not come when the wallet was frozen, and then no date holds, as it waits anew from when the wallet is open. */
export const keyWaits = ({ ready }: Pick<PayKey, 'ready'>, { frozen, since }: Pick<Wallet, 'frozen' | 'since'>, now: Micros): boolean => ready !== undefined && ready > (frozen ? since ?? now : now)

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

/** An id for a payment, a request, a split or a dispute: more than 131 random bits. It does not begin with a minus, which tables would take for a sum. */
export function newPayId(): string {
  return idOf(crypto.getRandomValues(new Uint8Array(18)))
}

const idOf = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/^-/, '_').slice(0, 22)

/**
 * The id of what follows upon a payment once at most: the tip that is agreed to with it, or the same payment with another fee. It is the same however often it is asked for, and on each device of
 * the account; who does not know the payment's id cannot know it.
 */
export async function nextPayId(what: 'tip' | 'again', id: string, account: JID): Promise<string> {
  return idOf(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`palabre pay 0 ${what}\n${account}\n${id}\n`))))
}
