// What the service of payments tells (docs/protocol/payments.md, "Telling"): no message of a conversation with it, but what is known of a payment, a request, a split,
// shown where it belongs. Nobody else can tell it. Loaded with the first one.

import type { JID } from '../model.ts'
import type { Payment } from '../pay.ts'
import { isFor, readReceipt } from '../pay/sign.ts'
import type { Database } from '../store/database.ts'
import { get, type Values } from '../store/kv.ts'
import { readPay } from '../store/pay.ts'
import { look } from '../store/database.ts'
import { exponentsOf, readDispute, readMandate, readPayment, readRequest, readSplit } from '../xmpp/pay.ts'
import type { Element } from '../xmpp/xml.ts'
import type { Step } from './apply.ts'
import { PAY } from './own-ns.ts'
import { keepEarly, type Notice } from './pay-early.ts'
import { isSameMove, keepDispute, keepMandate, keepPayment, keepRequest, keepSplit } from './pay-keep.ts'
import type { Letter } from './said.ts'

/** A notice that was read: keeps it, and gives the letter of what is new in a conversation. */
export type Ready = (step: Step) => Promise<Letter | undefined>

type Known = Values['pay']

/** Reads a notice and checks its receipt. It needs no connection. */
export async function readNotice(db: Database, account: JID, n: Notice): Promise<Ready> {
  const known = await get(db, 'pay')
  if (!known?.about) return (step) => keepEarly(step, n)
  return n.from === known.service ? ready(db, account, known, n) : () => Promise.resolve(undefined) // nobody else tells such
}

async function ready(db: Database, account: JID, { about }: Known, n: Notice): Promise<Ready> {
  const notice = n.stanza.child('notice', PAY)
  const digits = exponentsOf(about)
  const chat = notice?.attr('chat')
  const within = (e: Element) => chat && !e.attr('chat') ? Object.assign(e, { attrs: { ...e.attrs, chat } }) : e
  const [payment, request, split, dispute, mandate] = ['payment', 'request', 'split', 'dispute', 'mandate'].map((name) => notice?.child(name, PAY))
  const paid = payment && readPayment(within(payment), digits)
  if (paid) {
    if (await isAnother(db, account, about, paid)) return walletOnly
    const checked = checkedPayment(about, paid)
    return (step) => keepPayment(step, checked, n)
  }
  const asked = request && readRequest(within(request), digits)
  if (asked) return (step) => keepRequest(step, asked, n)
  const shared = split && readSplit(split, digits)
  if (shared) return async (step) => { await keepSplit(step, shared, n); return undefined }
  const disputed = dispute && readDispute(dispute, digits)
  if (disputed) return async (step) => { await keepDispute(step, disputed, n); return undefined }
  const allowed = mandate && readMandate(mandate, digits)
  if (allowed) return async (step) => { await keepMandate(step, allowed, n); return undefined }
  return walletOnly
}

/** It is the wallet that has changed, or may have. */
const walletOnly: Ready = (step) => {
  step.changes.pay('wallet?')
  return Promise.resolve(undefined)
}

/** A payment is shown as done when the service has signed that it is. */
export function checkedPayment(about: Known['about'], told: Payment): Payment {
  if (told.state === 'waiting' || told.state === 'refused' || told.kind === 'cashin' || told.kind === 'cashrefund' || !about) return told
  const says = told.receipt && readReceipt(about.key, about.service, told.receipt)
  const fits = says && says.id === told.id && says.payer === told.payer && says.payee === told.payee && says.amount === String(told.amount) && says.unit === told.unit && says.kind === told.kind
    && (told.state !== 'done' || says.state === 'done') // what has ended still has the receipt of when it was held
  if (!fits) {
    const { receipt: _, ...rest } = told
    return { ...rest, state: 'waiting' }
  }
  return { ...told, number: says.number, time: Date.parse(says.time) * 1000 || told.time, for: says.for, fee: Number(says.fee) }
}

/** Says whether this is another payment than the one that this device hands in, under the same id: it says nothing of that one, which the service refuses. What another device of ours has
 * signed for the same is the same. */
export async function isAnother(db: Database, account: JID, about: Known['about'], told: Payment): Promise<boolean> {
  const kept = await readPay(look(db, ['pay']), 'payment', told.id)
  if (!kept?.intent) return false
  if (!isSameMove(kept.payment, told)) return true
  const signer = told.kind === 'capture' || told.kind === 'void' ? told.payee : told.payer
  const says = signer !== account && about && told.receipt && readReceipt(about.key, about.service, told.receipt)
  return !!says && !await isFor(says, kept.intent.text)
}
