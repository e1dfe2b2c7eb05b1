// Payments in the tab that leads: the service is found, asked, and handed what was signed, once and again with the same id, until it has answered. Loaded when it is
// first needed.

import type { JID, Micros } from '../model.ts'
import { PayTrouble, type Payment, type PayReason } from '../pay.ts'
import { change, everything, look, type Database } from '../store/database.ts'
import { get, type Values } from '../store/kv.ts'
import { forgetShare, isOver, isTakeBack, keyOf, listOpen, listPay, prunePay, putPay, readPay, type Kept } from '../store/pay.ts'
import { discover, discoverItems } from '../xmpp/disco.ts'
import { domain } from '../xmpp/jid.ts'
import { exponentsOf, readAbout, readNext, readPayment, readSigned, readTrouble } from '../xmpp/pay.ts'
import type { Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import { el, Element, parse } from '../xmpp/xml.ts'
import type { Step } from './apply.ts'
import { Collector, type News } from './changes.ts'
import { PAY } from './own-ns.ts'
import { asksOf, type LeadAsks } from './pay-ask.ts'
import { keepPayment, showLate } from './pay-keep.ts'
import { checkedPayment, isAnother, readNotice } from './pay-notices.ts'

/** Between two tries of what has no answer, in milliseconds: 2, 4, 8 … 60 s. */
const RETRY = 2000
/** Who signs out waits so long for what can still be handed in, in milliseconds. */
const SHORTLY = 5000
/** How long after its end a payment that nobody knows is known not to come any more: a stanza may be on its way so long. Microseconds. */
const LATE = 60e6
/** The wallet is asked for so long after a change, in milliseconds. */
const SOON = 400
/** A payment with a rail is asked for again after so many milliseconds, besides with each session. */
const RAIL = 120_000

/** Why a promise is not paid that may be paid later. */
const NOT_NOW: PayReason[] = ['insufficient', 'frozen', 'over-limit', 'not-ready', 'no-payee']

/** What is asked, in the language of this device's screens: in it the service tells its owner things. */
function inLanguage(payload: Element): Element {
  const language = globalThis.document?.documentElement.lang
  return language ? new Element(payload.ns, payload.name, { ...payload.attrs, 'xml:lang': language }, payload.nodes) : payload
}

/** What payments need of the tab that leads. */
export interface Around {
  db: Database
  news: News
  account: JID
  now(): Micros
  /** Fails with Offline. */
  session(): Session
}

/** Payments of one account. */
export class PayLead {
  readonly asks: LeadAsks
  private found: Promise<Values['pay']> | undefined
  private running: Promise<void> | undefined
  private again = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private asking: ReturnType<typeof setTimeout> | undefined
  private showing: ReturnType<typeof setTimeout> | undefined
  private tries = 0
  private ended = false
  private readonly stop: () => void

  constructor(readonly around: Around) {
    this.asks = asksOf(this)
    this.stop = around.news.listen((c) => {
      if (c.pay?.includes('')) this.wake()
      if (c.pay?.some((key) => key === 'wallet?' || key.startsWith('payment '))) this.askSoon()
      if (c.chats?.length || c.pay?.includes('unshown')) this.showSoon()
      if (c.pay?.includes('early')) void this.about().then(() => this.openEarly()).catch(() => undefined) // with the next session
    })
  }

  end(): void {
    this.ended = true
    clearTimeout(this.timer)
    clearTimeout(this.asking)
    clearTimeout(this.showing)
    this.stop()
  }

  /** A session is there: what waits is asked for, and leaves. */
  connected(): void {
    this.found = undefined
    this.tries = 0
    void this.about().then(() => this.openEarly(), () => undefined) // asked again with the next session
    this.showSoon()
    void change(this.around.db, ['pay'], async (tx) => { await prunePay(tx); await forgetShare(tx, this.around.now()) }).catch(() => undefined) // with the next session
    this.wake()
  }

  /** The service of our server with what it says of itself. Fails with `none` where there is none. */
  async about(): Promise<Values['pay'] & { service: string; about: NonNullable<Values['pay']['about']> }> {
    const session = this.around.session()
    const found = this.found ??= this.find(session)
    found.catch(() => { if (this.found === found) this.found = undefined })
    const { service, about, ...rest } = await found
    if (!service || !about) throw new PayTrouble({ why: 'none' })
    return { ...rest, service, about }
  }

  private async find(session: Session): Promise<Values['pay']> {
    const { db, news, now } = this.around
    const known = await get(db, 'pay')
    const service = await findService(session, known?.service)
    const asked = service ? await this.request(session, service, 'get', el(PAY, 'about')).catch((error: unknown) => {
      if (known?.service === service && known.about && error instanceof StanzaError && error.condition !== 'disconnected') return undefined // what it said last holds
      throw error
    }) : undefined
    const about = service && asked ? readAbout(service, asked) : service ? known?.about : undefined
    const value: Values['pay'] = { looked: now(), ...(service ? { service } : {}), ...(about ? { about } : {}), ...(known?.wallet && service === known.service ? { wallet: known.wallet } : {}) }
    await change(db, ['kv'], async (tx) => { await tx.objectStore('kv').put(value, 'pay') })
    news.tell({ pay: ['wallet'] })
    return value
  }

  private async request(session: Session, to: string, type: 'get' | 'set', payload: Element): Promise<Element> {
    const answer = (await session.request(type, inLanguage(payload), { to })).in(PAY)
    if (!answer) throw new StanzaError('undefined-condition', 'wait', 'the answer is empty')
    return answer
  }

  /** Asks the service. What it says against it becomes a PayTrouble; that nobody knows stays what it is. */
  async ask(type: 'get' | 'set', payload: Element): Promise<Element> {
    const session = this.around.session()
    const { service } = await this.about()
    try {
      return await this.request(session, service, type, payload)
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error
      const { final, ...trouble } = readTrouble(error)
      if (error.condition === 'item-not-found' && type === 'get' && !error.temporary) throw error // that the service is not there says nothing
      if (!final && trouble.why === 'refused') throw new PayTrouble({ why: error.temporary ? 'offline' : 'refused' })
      throw new PayTrouble(trouble)
    }
  }

  /** What is in the wallet has changed, or may have: it is asked for, once for several changes. */
  private askSoon(): void {
    clearTimeout(this.asking)
    this.asking = setTimeout(() => { void this.asks.wallet().catch(() => undefined) }, SOON) // asked for again when somebody looks
  }

  /** What waits for a group is shown when it is known: looked at once for several changes of chats. */
  private showSoon(): void {
    this.showing ??= setTimeout(() => {
      this.showing = undefined
      void this.someWait().then(async (some) => { if (some) await this.step(showLate) }).catch(() => undefined) // looked at again with the next change
    }, SOON)
  }

  private async someWait(): Promise<boolean> {
    return await look(this.around.db, ['pay']).objectStore('pay').index('what').count(IDBKeyRange.bound(['unshown', -Infinity], ['unshown', Infinity])) > 0
  }

  /** Does one step, and tells what it changed. */
  async step<T>(work: (step: Step) => Promise<T>): Promise<T> {
    const { db, account, news, now } = this.around
    const changes = new Collector()
    const result = await change(db, everything, (tx) => work({ tx, account, now: now(), changes }))
    news.tell(changes.all)
    return result
  }

  /** Notices that came before the service was known. */
  private async openEarly(): Promise<void> {
    const { db } = this.around
    for (const one of await listPay(look(db, ['pay']), 'early')) {
      const stanza = parse(one.xml)
      const keep = stanza && await readNotice(db, this.around.account, { ...one, stanza })
      await this.step(async (step) => {
        await step.tx.objectStore('pay').delete(one.key)
        await keep?.(step)
      })
    }
  }

  /** Something waits to leave. */
  wake(): void {
    clearTimeout(this.timer)
    this.again = true
    this.running ??= this.run().finally(() => { this.running = undefined })
  }

  /** Hands in what waits, as far as that can be done shortly: how many payments are on this device alone then. What is to take one back goes with it. */
  async unsettled(): Promise<number> {
    this.wake()
    let timer: ReturnType<typeof setTimeout> | undefined
    await Promise.race([this.running, new Promise<void>((resolve) => { timer = setTimeout(resolve, SHORTLY) })])
    clearTimeout(timer)
    const open = await listOpen(look(this.around.db, ['pay']), 'payment')
    return open.filter(({ payment, intent, cashin }) => (intent ?? cashin) && payment.state !== 'waiting' && !isTakeBack(payment)).length
  }

  private async run(): Promise<void> {
    while (this.again && !this.ended) {
      this.again = false
      let later: number | undefined
      for (const one of await listOpen(look(this.around.db, ['pay']), 'payment')) {
        if (isOver(one.payment) || !(one.intent ?? one.cashin)) continue
        const left = await this.hand(one).catch(() => true)
        if (!left && one.payment.kind === 'revoke') this.again = true // what it takes back has an end now
        if (left) later = Math.min(later ?? Infinity, one.payment.state === 'waiting' ? RAIL : RETRY * 2 ** Math.min(this.tries, 5))
      }
      if (later !== undefined && !this.ended) {
        this.tries++
        clearTimeout(this.timer)
        this.timer = setTimeout(() => this.wake(), Math.min(later, 60_000))
      }
    }
  }

  /** Hands in one payment, or asks what became of it. True: it has no end yet. */
  private async hand(one: Kept<'payment'>): Promise<boolean> {
    const { now } = this.around
    const { id } = one.payment
    if (one.back) return this.takeBack(one, one.back)
    const over = one.payment.state !== 'promised' && one.expires !== undefined && now() > one.expires // of a promise the service alone decides: clocks are wrong
    if (!one.tried && over) return this.refuse(id, 'expired')
    const what = one.payment.kind === 'tip' && !one.tried ? await readPay(look(this.around.db, ['pay']), 'payment', one.payment.of) : undefined
    if (what?.payment.state === 'refused') return this.refuse(id, 'over') // there is nothing that it could be for
    if (what?.intent && !isOver(what.payment)) return true // the service knows nothing that it could be for, yet
    const { service, about } = await this.about()
    if (one.tried || one.payment.state === 'waiting' || over) {
      const known = await this.lookup(service, about, id)
      if (known) return !isOver(known)
      if (one.payment.state === 'waiting') return true
      if (over) return one.expires !== undefined && now() > one.expires + LATE ? this.refuse(id, 'expired') : true
    }
    if (!await this.noteTried(id)) return true
    return one.cashin ? this.bringIn(service, one.cashin, one.payment) : this.pay(service, about, one)
  }

  /** What is to be taken back is not handed in, unless the service has said that it is over. Refused for another reason, it stays so: its owner sees why, and may try again. */
  private async takeBack(one: Kept<'payment'>, by: string): Promise<boolean> {
    const { id } = one.payment
    const revoke = (await readPay(look(this.around.db, ['pay']), 'payment', by))?.payment
    if (revoke?.state === 'ended') return this.refuse(id, 'taken-back')
    if (revoke && revoke.state !== 'refused') return true
    const { service, about } = await this.about()
    const known = await this.lookup(service, about, id)
    if (known && isOver(known)) return false
    if (!known && one.expires !== undefined && this.around.now() > one.expires + LATE) return this.refuse(id, 'expired')
    const why = revoke?.why ?? one.payment.why ?? 'refused'
    await this.step((step) => why === 'over' ? letGo(step, id, by) : notBack(step, id, by, why))
    if (why === 'over') this.again = true
    return true
  }

  /** What the service knows of a payment; undefined: nothing, or another one of that id. */
  private async lookup(service: string, about: NonNullable<Values['pay']['about']>, id: string): Promise<Payment | undefined> {
    try {
      const told = readPayment(await this.request(this.around.session(), service, 'get', el(PAY, 'lookup', { id })), exponentsOf(about))
      if (told?.id !== id) throw new StanzaError('undefined-condition', 'wait', 'no payment of that id')
      return await this.told(told)
    } catch (error) {
      // Only the service itself says that it knows nothing; that it is not there says nothing.
      if (error instanceof StanzaError && error.condition === 'item-not-found' && error.type !== 'wait') return undefined
      throw error
    }
  }

  /** What the service told of a payment: checked, kept and shown. Undefined: it is another one than what this device hands in under the same id. */
  async told(told: Payment): Promise<Payment | undefined> {
    const { db, now, account } = this.around
    const { about } = await this.about()
    if (await isAnother(db, account, about, told)) return undefined
    const checked = checkedPayment(about, told)
    await this.step((step) => keepPayment(step, checked, { time: checked.time || now(), live: false }))
    return (await readPay(look(db, ['pay']), 'payment', told.id))?.payment ?? checked
  }

  /** It is kept that a payment may have arrived, before it can. False: it is not handed in, since its owner has taken it back meanwhile, or its end came to be known. */
  private noteTried(id: string): Promise<boolean> {
    return this.step(async (step) => {
      const kept = await readPay(step.tx, 'payment', id)
      if (!kept || kept.back || isOver(kept.payment)) return false
      if (kept.tried) return true
      await putPay(step.tx, { ...kept, tried: true })
      if (kept.payment.state === 'signed') await keepPayment(step, { ...kept.payment, state: 'sent' }, { time: kept.time, live: false })
      step.changes.pay(keyOf('payment', id))
      return true
    })
  }

  /** Has a rail asked for money. The same id again is the same transfer. */
  private async bringIn(service: string, { rail, address }: NonNullable<Kept<'payment'>['cashin']>, payment: Payment): Promise<boolean> {
    const { id, amount, unit } = payment
    try {
      const next = readNext(await this.request(this.around.session(), service, 'set', el(PAY, 'cashin', { id, rail, amount, unit, address })))
      await this.told({ ...payment, state: 'waiting', ...(next ? { next } : {}) })
      this.tries = 0
      return true
    } catch (error) {
      const trouble = error instanceof StanzaError ? readTrouble(error) : undefined
      return trouble?.final ? this.refuse(id, trouble.why) : true
    }
  }

  private async pay(service: string, about: NonNullable<Values['pay']['about']>, { intent, payment }: Kept<'payment'>): Promise<boolean> {
    if (!intent) return false
    const { text, signature, key, authenticator, client } = intent
    try {
      const answer = await this.request(this.around.session(), service, 'set', el(PAY, 'pay', {}, el(PAY, 'intent', {}, text), el(PAY, 'signature', { key, authenticator, client }, signature)))
      const receipt = answer.is('receipt', PAY) ? readSigned(answer) : undefined
      const state = /\nstate=(done|held|ended)\n/.exec(receipt?.text ?? '')?.[1] as 'done' | 'held' | 'ended' | undefined
      const whole = readPayment(answer, exponentsOf(about))
      const known = await this.told(whole?.id === payment.id ? whole : { ...payment, state: state ?? 'waiting', ...(receipt ? { receipt } : {}) })
      this.tries = 0
      return !known || !isOver(known)
    } catch (error) {
      const trouble = error instanceof StanzaError ? readTrouble(error) : undefined
      const same = trouble?.final && trouble.why === 'id-taken' ? await this.lookup(service, about, payment.id) : undefined // another device of ours has paid it
      if (same) return !isOver(same)
      if (trouble?.final) return this.refuse(payment.id, trouble.why, trouble.fee)
      if (trouble && NOT_NOW.includes(trouble.why)) await this.notNow(payment.id, trouble.why)
      return true
    }
  }

  /** A promise is not paid now, and nothing is decided: it is handed in again, and meanwhile its owner sees why. */
  private async notNow(id: string, why: PayReason): Promise<void> {
    await this.step(async (step) => {
      const kept = await readPay(step.tx, 'payment', id)
      if (kept?.payment.state === 'promised') await keepPayment(step, { ...kept.payment, why }, { time: kept.time, live: false })
    })
  }

  /** The service has refused it, or it can come no more: nothing was taken. */
  private async refuse(id: string, why: PayReason, feeNow?: number): Promise<false> {
    await this.step(async (step) => {
      const kept = await readPay(step.tx, 'payment', id)
      if (kept) await keepPayment(step, { ...kept.payment, state: 'refused', why, ...(feeNow !== undefined ? { feeNow } : {}) }, { time: kept.time, live: false })
    })
    return false
  }
}

/** What was to be taken back by `by` is handed in like any other promise: the service says what has become of it. */
async function letGo(step: Step, id: string, by: string): Promise<void> {
  const kept = await readPay(step.tx, 'payment', id)
  if (kept?.back !== by) return
  const { back: _, ...rest } = kept
  const { back: __, why: ___, ...payment } = kept.payment
  await putPay(step.tx, rest)
  await keepPayment(step, payment, { time: kept.time, live: false })
}

/** What was to be taken back by `by` could not be, for now. */
async function notBack(step: Step, id: string, by: string, why: PayReason): Promise<void> {
  const kept = await readPay(step.tx, 'payment', id)
  if (kept?.back === by && kept.payment.state === 'promised') await keepPayment(step, { ...kept.payment, back: 'refused', why }, { time: kept.time, live: false })
}

/** The service of our server, undefined if it has none: where it was, at the usual address, or looked for. */
async function findService(session: Session, known: string | undefined): Promise<string | undefined> {
  const home = domain(session.account)
  const tried = new Set<string>()
  const is = async (jid: string): Promise<boolean> => {
    if (tried.has(jid)) return false
    tried.add(jid)
    const about = await discover(session, jid).catch((error: unknown) => {
      if (error instanceof StanzaError && error.temporary) throw error
      return undefined
    })
    return about?.features.has(PAY) ?? false
  }
  if (known && await is(known)) return known
  const items = await discoverItems(session, home)
  if (known && items.includes(known)) return known // it is not there now
  for (const jid of items.sort((a, b) => Number(b.startsWith('pay.')) - Number(a.startsWith('pay.')))) if (!jid.includes('@') && await is(jid)) return jid
  return undefined
}
