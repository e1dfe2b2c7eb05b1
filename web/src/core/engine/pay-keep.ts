// Keeps what is known of payments, and shows it in the conversations: each payment and request has one bubble, whoever tells of it and however often. For
// notices, for answers of the service, and for what this device does.

import type { Content, JID, Micros } from '../model.ts'
import type { Dispute, Mandate, Payment, PayRequest, Split } from '../pay.ts'
import { memberOf } from '../store/members.ts'
import { byNames, put } from '../store/messages.ts'
import { senderName } from '../store/names.ts'
import { further, furtherDispute, furtherMandate, furtherRequest, furtherSplit, keyOf, listPay, putPay, readPay, type Kept, type KeptPay } from '../store/pay.ts'
import { apply, type Step } from './apply.ts'
import { row } from './effects.ts'
import type { Letter } from './said.ts'

/** How something was told. */
export interface How { time: Micros; live: boolean; archived?: string; old?: boolean }

/** What belongs to a conversation. The others are the wallet's. */
const SHOWN = new Set<Payment['kind']>(['send', 'tip', 'hold', 'capture', 'refund', 'offline'])
/** What waits for its group. */
const MAX_UNSHOWN = 500
/** Messages with a split that are looked through. */
const MAX_SPLITS = 300

/** Says whether two payments move the same. What ends something moves nothing, whatever is shown with it. */
export function isSameMove(a: Payment, b: Payment): boolean {
  const moves = a.kind !== 'void' && a.kind !== 'revoke'
  return a.kind === b.kind && a.payer === b.payer && a.payee === b.payee && (a.of ?? '') === (b.of ?? '') && (!moves || (a.amount === b.amount && a.unit === b.unit))
}

/** Keeps a payment; what else is known of it here stays. What this device has signed or taken becomes no other one. Gives the letter of a bubble that is new. */
export async function keepPayment(step: Step, told: Payment, how: How, more: Partial<Pick<Kept<'payment'>, 'intent' | 'expires' | 'code' | 'sale' | 'back' | 'cashin' | 'tip'>> = {}): Promise<Letter | undefined> {
  const before = await readPay(step.tx, 'payment', told.id)
  if (before?.intent && !isSameMove(before.payment, told)) return undefined
  const payment = further(before?.payment ?? await shownAs(step, told.payer, told.id, 'payment'), { ...told, time: told.time || how.time })
  const record: Kept<'payment'> = { ...before, ...more, key: keyOf('payment', payment.id), what: 'payment', time: payment.time, payment }
  if (JSON.stringify(before) === JSON.stringify(record)) return undefined
  await putPay(step.tx, record)
  step.changes.pay(record.key)
  return show(step, record, how)
}

/** Keeps a request. One that is a share of a split stands in the split. */
export async function keepRequest(step: Step, told: PayRequest, how: How): Promise<Letter | undefined> {
  const before = await readPay(step.tx, 'request', told.id)
  const request = furtherRequest(before?.request ?? await shownAs(step, told.payee, told.id, 'request'), told)
  if (before && JSON.stringify(before.request) === JSON.stringify(request)) return undefined
  const record: Kept<'request'> = { key: keyOf('request', request.id), what: 'request', time: before?.time ?? how.time, request }
  await putPay(step.tx, record)
  step.changes.pay(record.key)
  return show(step, record, how)
}

/** Keeps a split; the messages that say so in the group show it. */
export async function keepSplit(step: Step, told: Split, how: How): Promise<void> {
  const before = await readPay(step.tx, 'split', told.id)
  const split = furtherSplit(before?.split, told)
  if (!before || JSON.stringify(before.split) !== JSON.stringify(split)) {
    await putPay(step.tx, { key: keyOf('split', split.id), what: 'split', time: before?.time ?? how.time, split })
    step.changes.pay(keyOf('split', split.id))
  }
  let cursor = await step.tx.objectStore('messages').index('kinds').openCursor(IDBKeyRange.bound(['split', -Infinity], ['split', Infinity]), 'prev')
  for (let looked = 0; cursor && looked < MAX_SPLITS; looked++, cursor = await cursor.continue()) {
    const message = cursor.value
    if (message.content.type !== 'split' || message.content.id !== split.id || message.chat !== split.group || JSON.stringify(message.content.split) === JSON.stringify(split)) continue
    message.content = { ...message.content, split: before ? split : furtherSplit(message.content.split, split) }
    await put(step.tx, message, true)
    step.changes.message(message.chat, message.id)
    await row(step, message)
  }
}

/** Keeps a dispute. */
export async function keepDispute(step: Step, told: Dispute, how: How): Promise<void> {
  const before = await readPay(step.tx, 'dispute', told.id)
  const dispute = furtherDispute(before?.dispute, told)
  if (before && JSON.stringify(before.dispute) === JSON.stringify(dispute)) return
  await putPay(step.tx, { key: keyOf('dispute', dispute.id), what: 'dispute', time: before?.time ?? how.time, dispute })
  step.changes.pay(keyOf('dispute', dispute.id))
}

/** Keeps a mandate. What is shown of it in a conversation is the request that it answers. */
export async function keepMandate(step: Step, told: Mandate, how: How): Promise<void> {
  const before = await readPay(step.tx, 'mandate', told.id)
  const mandate = furtherMandate(before?.mandate, told)
  if (before && JSON.stringify(before.mandate) === JSON.stringify(mandate)) return
  await putPay(step.tx, { key: keyOf('mandate', mandate.id), what: 'mandate', time: before?.time ?? how.time, mandate })
  step.changes.pay(keyOf('mandate', mandate.id))
}

/** What its bubble shows of something that is kept no longer: what is told late of it does not take it back. */
async function shownAs(step: Step, from: JID, id: string, type: 'payment'): Promise<Payment | undefined>
async function shownAs(step: Step, from: JID, id: string, type: 'request'): Promise<PayRequest | undefined>
async function shownAs(step: Step, from: JID, id: string, type: 'payment' | 'request'): Promise<Payment | PayRequest | undefined> {
  const content = (await byNames(step.tx, [senderName(from, nameOf(id))]))?.content
  return content?.type !== type ? undefined : content.type === 'payment' ? content.payment : content.type === 'request' ? content.request : undefined
}

const nameOf = (id: string): string => `pay-${id}`

/** Shows something in its conversation, if it may be shown there; what belongs to a group that is not known here yet waits for it. */
async function show(step: Step, record: KeptPay, how: How): Promise<Letter | undefined> {
  if (record.what !== 'payment' && record.what !== 'request') return undefined
  const about = record.what === 'payment' ? record.payment : record.request
  const { chat } = about
  if (!chat || ('kind' in about ? !SHOWN.has(about.kind) : about.split !== undefined)) return undefined
  if (await mayShow(step, chat, about, record.what === 'request'))
    return record.what === 'payment' ? bubble(step, chat, record.payment.payer, about.id, { type: 'payment', payment: record.payment }, how) : bubble(step, chat, record.request.payee, about.id, { type: 'request', request: record.request }, how)
  if (!await step.tx.objectStore('chats').get(chat) && await step.tx.objectStore('pay').index('what').count(IDBKeyRange.bound(['unshown', -Infinity], ['unshown', Infinity])) < MAX_UNSHOWN) {
    await putPay(step.tx, { key: keyOf('unshown', record.key), what: 'unshown', time: how.time, of: record.key, live: how.live, ...(how.archived ? { archived: how.archived } : {}), ...(how.old ? { old: true } : {}) })
    step.changes.pay('unshown')
  }
  return undefined
}

/** Shows what has waited for its group, where that is known now. */
export async function showLate(step: Step): Promise<void> {
  for (const waits of await listPay(step.tx, 'unshown', MAX_UNSHOWN)) {
    const record = await step.tx.objectStore('pay').get(waits.of)
    const chat = record?.what === 'payment' ? record.payment.chat : record?.what === 'request' ? record.request.chat : undefined
    if (chat && !await step.tx.objectStore('chats').get(chat)) continue
    await step.tx.objectStore('pay').delete(waits.key)
    if (record) await show(step, record, waits)
  }
}

/** In a group each sees what they did with a member of it, or what is asked of them; what others did, the split says. Elsewhere it stands in the conversation with the other party alone: who
 * asks says where, and may name anybody. */
async function mayShow(step: Step, chat: JID, { payer, payee }: { payer: JID; payee: JID }, asked = false): Promise<boolean> {
  const other = payer === step.account ? payee : payer
  const found = await step.tx.objectStore('chats').get(chat)
  if (found?.kind !== 'group') return chat === other && chat !== step.account && chat.includes('@')
  if (!asked && payer !== step.account) return false
  return !await step.tx.objectStore('kv').get(`members ${chat}`) || !!await memberOf(step.tx, chat, other)
}

/** Puts what is known into its bubble; gives the letter of one that is new. */
async function bubble(step: Step, chat: JID, from: JID, id: string, content: Content, how: How): Promise<Letter | undefined> {
  const name = nameOf(id)
  const message = await byNames(step.tx, [senderName(from, name)])
  if (message) {
    if (message.retracted || message.chat !== chat) return undefined
    message.content = content
    await put(step.tx, message, true)
    step.changes.message(message.chat, message.id)
    await row(step, message)
    return undefined
  }
  const letter: Letter = {
    chat, from, own: from === step.account, ids: [name], time: how.time, live: how.live, wantsReceipt: false, wantsMarker: false, protection: 'none', says: [{ what: 'content', content }],
    ...(how.archived ? { archived: how.archived } : {}), ...(how.old ? { old: true } : {}),
  }
  await apply(step, letter)
  return letter
}
