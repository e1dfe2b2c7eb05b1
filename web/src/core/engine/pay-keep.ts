// Keeps what is known of payments, and shows it in the conversations: each payment and request has one bubble, whoever tells of it and however often. For
// notices, for answers of the service, and for what this device does.

import type { Content, JID, Micros } from '../model.ts'
import type { Dispute, Payment, PayRequest, Split } from '../pay.ts'
import { memberOf } from '../store/members.ts'
import { byNames, put } from '../store/messages.ts'
import { senderName } from '../store/names.ts'
import { further, furtherDispute, furtherRequest, furtherSplit, keyOf, putPay, readPay, type Kept } from '../store/pay.ts'
import { apply, type Step } from './apply.ts'
import { row } from './effects.ts'
import type { Letter } from './said.ts'

/** How something was told. */
export interface How { time: Micros; live: boolean; archived?: string; old?: boolean }

/** What belongs to a conversation. The others are the wallet's. */
const SHOWN = new Set<Payment['kind']>(['send', 'tip', 'hold', 'capture', 'refund', 'offline'])
/** Messages with a split that are looked through. */
const MAX_SPLITS = 300

/** Keeps a payment; what else is known of it here stays. Gives the letter of a bubble that is new. */
export async function keepPayment(step: Step, told: Payment, how: How, more: Partial<Pick<Kept<'payment'>, 'intent' | 'expires' | 'code'>> = {}): Promise<Letter | undefined> {
  const before = await readPay(step.tx, 'payment', told.id)
  const payment = further(before?.payment, { ...told, time: told.time || how.time })
  const record: Kept<'payment'> = { ...before, ...more, key: keyOf('payment', payment.id), what: 'payment', time: payment.time, payment }
  if (JSON.stringify(before) === JSON.stringify(record)) return undefined
  await putPay(step.tx, record)
  step.changes.pay(record.key)
  const { chat } = payment
  if (!chat || !SHOWN.has(payment.kind) || !await mayShow(step, chat, payment)) return undefined
  return bubble(step, chat, payment.payer, payment.id, { type: 'payment', payment }, how)
}

/** Keeps a request. One that is a share of a split stands in the split. */
export async function keepRequest(step: Step, told: PayRequest, how: How): Promise<Letter | undefined> {
  const before = await readPay(step.tx, 'request', told.id)
  const request = furtherRequest(before?.request, told)
  if (before && JSON.stringify(before.request) === JSON.stringify(request)) return undefined
  await putPay(step.tx, { key: keyOf('request', request.id), what: 'request', time: before?.time ?? how.time, request })
  step.changes.pay(keyOf('request', request.id))
  const { chat } = request
  if (!chat || request.split || !await mayShow(step, chat, request, true)) return undefined
  return bubble(step, chat, request.payee, request.id, { type: 'request', request }, how)
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
    message.content = { ...message.content, split }
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
  const name = `pay-${id}`
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
