// What a person confirms becomes a text that this device's key signs, and is kept before it leaves.

import type { JID, Micros } from '../model.ts'
import { PayTrouble, leftOffline, newPayId, nextPayId, type CashInDraft, type Pay, type PayDraft, type Payment, type Promised, type Proof, type Wallet } from '../pay.ts'
import { agreedTo, promiseCode, readPromise } from '../pay/sign.ts'
import { BadText, isId, MAX_FOR, readIntent, textTime, writeText } from '../pay/text.ts'
import { look, type Look } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { listOpen, putPay, readPay, type Kept, type OfflineKey } from '../store/pay.ts'
import { exponentsOf } from '../xmpp/pay.ts'
import type { Step } from './apply.ts'
import type { Hand } from './pay-desk.ts'
import { keepPayment } from './pay-keep.ts'
import type { PayKeys } from './pay-keys.ts'

/** How long an intent may be handed in: the service takes fifteen minutes at most, and clocks differ. Microseconds. */
const EXPIRES = 13 * 60e6
/** The same of one without network. */
const EXPIRES_OFFLINE = 7 * 86_400e6 - 3600e6

/** The service takes none that ends later than so. */
const AHEAD = 7 * 86_400e6

type Order = Parameters<Pay['order']>[0]

/** What an order is about, as its text says it. */
async function aboutOf(order: Order): Promise<string> {
  switch (order.kind) {
    case 'unfreeze': return ''
    case 'limits': return `${order.unit} transaction=${order.transaction ?? 0} day=${order.day ?? 0}`
    case 'agree': return `${order.group} ${order.unit} ${await agreedTo(order.debts)}`
    default: return order.key
  }
}

/** Signs for one account. */
export class PaySigning {
  /** Payments that are being signed, by their ids: a second tap is the same payment. */
  private readonly under = new Map<string, Promise<Payment>>()

  constructor(private readonly hand: Hand, private readonly keys: PayKeys) {}

  async send(draft: PayDraft, proof: Proof, stop?: AbortSignal): Promise<Payment> {
    const before = this.under.get(draft.id)
    if (before) return this.sameAs(await before, draft)
    const running = this.signAndKeep(draft, proof, stop).finally(() => this.under.delete(draft.id))
    this.under.set(draft.id, running)
    return running
  }

  private async signAndKeep(draft: PayDraft, proof: Proof, stop?: AbortSignal): Promise<Payment> {
    const before = await this.kept(draft.id)
    if (before) return this.sameAs(before, draft)
    const { hand } = this
    const service = await unlessStopped(hand.service(), stop)
    const now = await hand.now()
    const signed = await unlessStopped(this.keys.sign(proof, (key) => intentText(service, hand.account, draft, now + EXPIRES, key)), stop)
    const payment = await this.paymentOf(draft, 'signed', now)
    const tip = draft.tip && { id: await nextPayId('tip', draft.id, hand.account), amount: draft.tip }
    const kept = await this.keep(payment, { intent: signed, expires: now + EXPIRES, ...(tip ? { tip } : {}) }, { before: ({ payment }) => this.sameAs(payment, draft), new: () => { if (stop?.aborted) throw new PayTrouble({ why: 'cancelled' }) } })
    return tip && kept === payment ? { ...kept, tip } : kept
  }

  /** What is kept, if it is what a draft says. Its fee and words are what was signed first. */
  private sameAs(kept: Payment, { kind, payer = this.hand.account, payee, amount, unit, of = '' }: PayDraft): Payment {
    const moves = kind !== 'void' && kind !== 'revoke'
    if (kept.kind !== kind || kept.payer !== payer || kept.payee !== payee || (kept.of ?? '') !== of || (moves && (kept.amount !== amount || kept.unit !== unit))) throw new PayTrouble({ why: 'id-taken' })
    return kept
  }

  /** Keeps what is to come in by a rail; the tab that leads asks for it. */
  async bringIn({ id, rail, address, amount, unit }: CashInDraft): Promise<Payment> {
    const { hand } = this
    await hand.service()
    const now = await hand.now()
    const payment = await this.paymentOf({ id, kind: 'send', payer: `rail:${rail}`, payee: hand.account, amount, unit, fee: 0, for: '' }, 'signed', now)
    return this.keep({ ...payment, kind: 'cashin' }, { cashin: { rail, address }, expires: now + EXPIRES })
  }

  private async kept(id: string): Promise<Payment | undefined> {
    return (await readPay(look(this.hand.db, ['pay']), 'payment', id))?.payment
  }

  private async paymentOf(draft: PayDraft, state: Payment['state'], now: Micros): Promise<Payment> {
    const { id, kind, payer = this.hand.account, payee, amount, unit, fee, of, until, chat } = draft
    const exponent = exponentsOf((await get(this.hand.db, 'pay'))?.about)(unit)
    return { id, kind, state, payer, payee, amount, unit, exponent, fee, for: draft.for, time: now, ...(of ? { of } : {}), ...(until ? { until } : {}), ...(chat ? { chat } : {}) }
  }

  /** Keeps what was signed, with its bubble; the tab that leads hands it in. With an id that is there already, that stays. `must` may fail in the same step. */
  private keep(payment: Payment, more: Pick<Kept<'payment'>, 'intent' | 'cashin' | 'expires' | 'code' | 'sale' | 'tip'>, must: { before?: (before: Kept<'payment'>) => void; new?: (tx: Look) => Promise<void> | void } = {}): Promise<Payment> {
    return this.hand.step(async (step) => {
      const before = await readPay(step.tx, 'payment', payment.id)
      if (before) {
        must.before?.(before)
        return before.payment
      }
      await must.new?.(step.tx)
      await keepPayment(step, payment, { time: payment.time, live: true }, more)
      await noMoreWished(step, payment)
      return payment
    }, true)
  }

  async order(order: Order, proof: Proof): Promise<Wallet> {
    return this.handIn(order.kind, await aboutOf(order), proof)
  }

  private async handIn(kind: string, about: string, proof: Proof): Promise<Wallet> {
    const { hand } = this
    const [service, now] = [await hand.service(), await hand.now()]
    const signed = await this.keys.sign(proof, (key) => writeText('order', { service, id: newPayId(), kind, account: hand.account, about, expires: textTime(now + EXPIRES), key }))
    return hand.ask('order', signed)
  }

  setUpOffline(pin: string, cap: number, unit: string, proof: Proof): Promise<Wallet> {
    return this.keys.setUpOffline(pin, cap, unit, async (id, point) => {
      await this.hand.ask('addKey', { kind: 'pin', name: 'offline', public: point })
      return this.handIn('offline', `${id} ${unit} ${cap}`, proof)
    })
  }

  async promise(draft: PayDraft, pin: string): Promise<Promised> {
    const { hand } = this
    const known = await readPay(look(hand.db, ['pay']), 'payment', draft.id)
    if (known) {
      const { payment, code } = known
      if (!code || payment.payee !== draft.payee || payment.amount !== draft.amount || payment.unit !== draft.unit) throw new PayTrouble({ why: 'id-taken' })
      return this.check(code)
    }
    const [service, now] = [await hand.service(), await hand.now()]
    const { signed, key } = await this.keys.signOffline(pin, (key) => {
      if (draft.unit !== key.unit) throw new PayTrouble({ why: 'over-limit', kind: 'offline', left: 0 })
      return intentText(service, hand.account, { ...draft, kind: 'offline', fee: 0 }, now + EXPIRES_OFFLINE, key.id)
    })
    const code = promiseCode(signed.text, signed.signature, key.point)
    const payment = await this.paymentOf({ ...draft, kind: 'offline', fee: 0 }, 'promised', now)
    await this.keep(payment, { intent: signed, expires: now + EXPIRES_OFFLINE, code }, { new: (tx) => this.mustBeLeft(tx, key, draft.amount) })
    return this.check(code)
  }

  /** Whether the key that has promised is here and can sign. */
  async takesBackOffline(id: string): Promise<boolean> {
    return this.keys.hasOffline((await readPay(look(this.hand.db, ['pay']), 'payment', id))?.intent?.key)
  }

  async takeBack(id: string, proof: Proof | { offlinePin: string }): Promise<void> {
    const { hand } = this
    const promise = await readPay(look(hand.db, ['pay']), 'payment', id)
    mustBePromised(promise, hand.account)
    if (promise.payment.back === true) return
    const [service, now] = [await hand.service(), await hand.now()]
    const draft: PayDraft = { id: newPayId(), kind: 'revoke', payee: hand.account, amount: 0, unit: '', fee: 0, of: id, for: '' }
    const expires = now + EXPIRES_OFFLINE
    const text = (key: string) => intentText(service, hand.account, draft, expires, key)
    if ('offlinePin' in proof && !await this.keys.hasOffline(promise.intent?.key)) throw new PayTrouble({ why: 'no-key' })
    const intent = 'offlinePin' in proof ? (await this.keys.signOffline(proof.offlinePin, (key) => text(key.id))).signed : await this.keys.sign(proof, text)
    const payment = await this.paymentOf(draft, 'signed', now)
    await hand.step(async (step) => {
      const still = await readPay(step.tx, 'payment', id)
      mustBePromised(still, hand.account)
      if (still.payment.back === true) return
      const { why: _, ...promised } = still.payment
      await keepPayment(step, { ...promised, back: true }, { time: still.time, live: true }, { back: draft.id })
      await keepPayment(step, payment, { time: now, live: true }, { intent, expires })
    }, true)
  }

  /** In the step that keeps a promise: two tabs cannot both promise the same money. */
  private async mustBeLeft(tx: Look, key: OfflineKey, amount: number): Promise<void> {
    const pending = (await listOpen(tx, 'payment')).map(({ payment }) => payment)
    const left = leftOffline(key, (await get(tx, 'pay'))?.wallet, pending, this.hand.account)
    if (amount > left) throw new PayTrouble({ why: 'over-limit', kind: 'offline', left })
  }

  async check(code: string): Promise<Promised> {
    const { fields } = await readPromise(code.trim()).catch((error: unknown) => {
      throw new PayTrouble({ why: error instanceof BadText && error.message === 'bad-signature' ? 'bad-signature' : 'bad-text' })
    })
    const known = await get(this.hand.db, 'pay')
    const expires = Date.parse(fields.expires) * 1000
    if (known?.service && known.service !== fields.service) throw new PayTrouble({ why: 'bad-text' })
    if (expires < await this.hand.now()) throw new PayTrouble({ why: 'expired' })
    if (expires > await this.hand.now() + AHEAD) throw new PayTrouble({ why: 'clock' })
    return { id: fields.id, payer: fields.payer, payee: fields.payee, amount: Number(fields.amount), unit: fields.unit, exponent: exponentsOf(known?.about)(fields.unit), for: fields.for, expires, key: fields.key, code: code.trim() }
  }

  async redeem(code: string, sale: string): Promise<Payment> {
    const { hand } = this
    const promised = await this.check(code)
    const { text, signature, fields } = await readPromise(promised.code)
    if (promised.payee !== hand.account && promised.payer !== hand.account) throw new PayTrouble({ why: 'bad-text' })
    const other: JID = promised.payee === hand.account ? promised.payer : promised.payee
    const { id, payer, payee, amount, unit, exponent, expires } = promised
    const payment: Payment = { id, kind: 'offline', state: 'promised', payer, payee, amount, unit, exponent, fee: Number(fields.fee), for: fields.for, time: await hand.now(), chat: other, ...(fields.of ? { of: fields.of } : {}) }
    return this.keep(payment, { intent: { text, signature, key: fields.key }, expires, code: promised.code, sale }, { before: (before) => { if (before.sale !== sale && id !== sale) throw new PayTrouble({ why: 'id-taken' }) } })
  }
}

/** A tip that is kept is no more one that is only wished. */
async function noMoreWished(step: Step, { id, kind, of }: Payment): Promise<void> {
  const what = kind === 'tip' && of ? await readPay(step.tx, 'payment', of) : undefined
  if (what?.tip?.id !== id) return
  const { tip: _, ...rest } = what
  await putPay(step.tx, rest)
  step.changes.pay(what.key)
}

/** Fails with `over` for what nobody can take back. */
function mustBePromised(kept: Kept<'payment'> | undefined, account: JID): asserts kept is Kept<'payment'> {
  if (kept?.payment.kind !== 'offline' || kept.payment.payer !== account || kept.payment.state !== 'promised') throw new PayTrouble({ why: 'over' })
}

/** What comes of something, unless it is stopped before: then it fails with `cancelled` at once, and what comes of it later is nothing. */
async function unlessStopped<T>(work: Promise<T>, stop: AbortSignal | undefined): Promise<T> {
  if (!stop) return work
  let end = (): void => undefined
  const stopped = new Promise<never>((_, fail) => {
    end = () => fail(new PayTrouble({ why: 'cancelled' }))
    if (stop.aborted) end()
    else stop.addEventListener('abort', end)
  })
  return Promise.race([work, stopped]).finally(() => stop.removeEventListener('abort', end))
}

/** The text of an intent. Fails with `bad-text` for what the contract does not allow. */
function intentText(service: string, account: JID, draft: PayDraft, expires: Micros, key: string): string {
  const { id, kind, payer = account, payee, amount, unit, fee, of = '', until, total, period = '' } = draft
  const bare = kind === 'void' || kind === 'revoke'
  const text = writeText('intent', {
    service, id, kind, payer, payee, amount: bare ? '0' : String(amount), unit: bare ? '' : unit, fee: bare ? '0' : String(fee), expires: textTime(expires), of,
    until: until === undefined ? '' : textTime(until), total: total === undefined ? '' : String(total), period, for: cutTo(draft.for, MAX_FOR), key,
  })
  try {
    if (!isId(id)) throw new BadText('id')
    readIntent(text)
  } catch {
    throw new PayTrouble({ why: 'bad-text' })
  }
  return text
}

/** As many whole characters as have room in so many bytes. */
function cutTo(text: string, bytes: number): string {
  let out = ''
  let size = 0
  for (const char of text) {
    size += new TextEncoder().encode(char).length
    if (size > bytes) break
    out += char
  }
  return out
}
