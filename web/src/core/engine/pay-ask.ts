// What is asked of the service of payments (docs/protocol/payments.md, "Asking").

import type { JID } from '../model.ts'
import { PayTrouble, type Debt, type PayAsks, type Wallet } from '../pay.ts'
import { change, look } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { readPay } from '../store/pay.ts'
import { exponentsOf, payTime, readDebts, readDispute, readMandate, readPayment, readQuote, readRequest, readSplit, readWallet, type Exponents } from '../xmpp/pay.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import { findUpload, requestSlot, UploadRefused, type Slot } from '../xmpp/upload.ts'
import { el, type Element } from '../xmpp/xml.ts'
import { PAY } from './own-ns.ts'
import { checkedPayment } from './pay-notices.ts'
import { keepDispute, keepMandate, keepRequest, keepSplit } from './pay-keep.ts'
import type { PayLead } from './pay-lead.ts'

/** What the engine itself asks besides. */
export interface LeadAsks extends PayAsks {
  /** The share of a key, for its verifier. */
  unlock(key: string, verifier: string): Promise<string>
  /** Gives the service the public part of a key. */
  addKey(key: { kind: 'pin' | 'passkey'; name: string; public: string; salt?: string; verifier?: string; share?: string; credential?: string }): Promise<Wallet>
  /** A place for a file that is shown in a dispute. */
  place(file: { name: string; size: number }): Promise<Slot>
  /** Hands in an order. */
  order(order: { text: string; signature: string; key: string; authenticator?: string; client?: string }): Promise<Wallet>
}

const text = (name: string, value: string | undefined) => value !== undefined && el(PAY, name, {}, value)
const flag = (on: boolean): string | undefined => on ? 'true' : undefined

/** Payments under way that are asked about at once. */
const MAX_UNDER = 20

/** All that is asked. */
export function asksOf(lead: PayLead): LeadAsks {
  return { ...ofWallet(lead), ...ofRequests(lead), ...ofDisputes(lead) }
}

/** Reads what cannot be missing. */
function need<T>(found: T | undefined): T {
  if (found === undefined) throw new PayTrouble({ why: 'refused' })
  return found
}

const digitsOf = async (lead: PayLead): Promise<Exponents> => exponentsOf((await lead.about()).about)
const child = (answer: Element, name: string): Element => answer.name === name ? answer : answer.child(name, PAY) ?? answer
const some = <T>(answer: Element, name: string, digits: Exponents, read: (e: Element, digits: Exponents) => T | undefined): T[] => answer.children(name, PAY).slice(0, 500).flatMap((e) => read(e, digits) ?? [])
const moreOf = (answer: Element): { before?: string } => answer.attr('more') ? { before: answer.attr('more') } : {}
const how = (lead: PayLead) => ({ time: lead.around.now(), live: false })

/** The wallet as it was answered: it is kept, and everybody who watches it told. */
async function keepWallet(lead: PayLead, answer: Element): Promise<Wallet> {
  const { db, news, now } = lead.around
  const known = await lead.about()
  const keys = await readPay(look(db, ['pay']), 'keys')
  const here = [keys?.main?.id, keys?.offline?.id].flatMap((id) => id ?? [])
  const wallet = readWallet(known.about, child(answer, 'wallet'), here, now())
  await change(db, ['kv'], async (tx) => { await tx.objectStore('kv').put({ ...await get(tx, 'pay'), ...known, wallet }, 'pay') })
  news.tell({ pay: ['wallet'] })
  return wallet
}

type OfWallet = Pick<LeadAsks, 'wallet' | 'quote' | 'lookup' | 'history' | 'freeze' | 'unlock' | 'addKey' | 'order' | 'mandates'> & Pick<LeadAsks, 'underWay'>

function ofWallet(lead: PayLead): OfWallet {
  let asked: Promise<Wallet> | undefined
  return {
    // Several screens ask at once: one question is under way.
    wallet: () => asked ??= lead.ask('get', el(PAY, 'wallet')).then((answer) => keepWallet(lead, answer)).finally(() => { asked = undefined }),
    freeze: async () => keepWallet(lead, await lead.ask('set', el(PAY, 'freeze'))),
    quote: async ({ kind, payee, amount, unit, of }) => readQuote(await lead.ask('get', el(PAY, 'quote', { kind, payee, amount, unit, of }))),
    lookup: async (id) => {
      try {
        return await lead.told(need(readPayment(await lead.ask('get', el(PAY, 'lookup', { id })), await digitsOf(lead))))
      } catch (error) {
        if (error instanceof StanzaError && error.condition === 'item-not-found') return undefined
        throw error
      }
    },
    history: async ({ unit, of, state, since, until, q, before, max = 50 }) => {
      const answer = await lead.ask('get', el(PAY, 'history', { unit, of, state, since: payTime(since), until: payTime(until), q, before, max }))
      const told = some(answer, 'payment', await digitsOf(lead), readPayment)
      const { about } = await lead.about()
      return { payments: told.map((one) => checkedPayment(about, one)), ...moreOf(answer) }
    },
    unlock: async (key, verifier) => need((await lead.ask('set', el(PAY, 'unlock', { key, verifier }))).text.trim() || undefined),
    addKey: async ({ kind, name, public: point, salt, verifier, share, credential }) => keepWallet(lead, await lead.ask('set',
      el(PAY, 'key', { kind, name }, text('public', point), text('salt', salt), text('verifier', verifier), text('share', share), text('credential', credential)))),
    order: async (order) => keepWallet(lead, await lead.ask('set', el(PAY, 'order', {}, text('text', order.text),
      el(PAY, 'signature', { key: order.key, authenticator: order.authenticator, client: order.client }, order.signature)))),
    underWay: async () => {
      const answer = await lead.ask('get', el(PAY, 'history', { state: 'waiting', max: MAX_UNDER }))
      const ids = some(answer, 'payment', await digitsOf(lead), readPayment).filter((one) => one.state === 'waiting').slice(0, MAX_UNDER)
      // The history does not say how far they are.
      return Promise.all(ids.map(async (one) => await lead.asks.lookup(one.id) ?? one))
    },
    mandates: async () => {
      const mandates = some(await lead.ask('get', el(PAY, 'mandates')), 'mandate', await digitsOf(lead), readMandate)
      await lead.step(async (step) => { for (const one of mandates.toReversed()) await keepMandate(step, one, how(lead)) })
      return mandates
    },
  }
}

type OfRequests = Pick<LeadAsks, 'request' | 'requests' | 'makeRequest' | 'decline' | 'cancel' | 'remind' | 'split' | 'splits' | 'makeSplit' | 'debts'>

function ofRequests(lead: PayLead): OfRequests {
  const request = async (answer: Element) => {
    const found = need(readRequest(child(answer, 'request'), await digitsOf(lead)))
    await lead.step((step) => keepRequest(step, found, how(lead)))
    return found
  }
  const split = async (answer: Element) => {
    const found = need(readSplit(child(answer, 'split'), await digitsOf(lead)))
    await lead.step((step) => keepSplit(step, found, how(lead)))
    return found
  }
  return {
    request: async (id) => request(await lead.ask('get', el(PAY, 'request', { id }))),
    requests: async ({ state, before, max = 50 }) => {
      const answer = await lead.ask('get', el(PAY, 'requests', { state, before, max }))
      const requests = some(answer, 'request', await digitsOf(lead), readRequest)
      await lead.step(async (step) => { for (const one of requests) await keepRequest(step, one, how(lead)) })
      return { requests, ...moreOf(answer) }
    },
    makeRequest: async ({ id, payer, amount, unit, expires, for: what, partial, every, times, chat, terms }) => request(await lead.ask('set',
      el(PAY, 'request', { id, payer, amount, unit, expires: payTime(expires), for: what, partial: flag(partial), every, times, chat, ...(terms && { ...terms, until: payTime(terms.until) }) }))),
    decline: async (id, why) => request(await lead.ask('set', el(PAY, 'decline', { id, why }))),
    cancel: async (id) => {
      const answer = await lead.ask('set', el(PAY, 'cancel', { id }))
      return answer.name === 'split' ? split(answer) : request(answer)
    },
    remind: async (id) => { await lead.ask('set', el(PAY, 'remind', { id })) },
    split: async (id) => split(await lead.ask('get', el(PAY, 'split', { id }))),
    splits: async (group) => some(await lead.ask('get', el(PAY, 'splits', { group })), 'split', await digitsOf(lead), readSplit),
    makeSplit: async ({ id, group, total, unit, for: what, by, payee, shares }) => split(await lead.ask('set', el(PAY, 'split', { id, group, total, unit, for: what, by, payee },
      ...shares.map(({ jid, amount, parts, items }) => el(PAY, 'share', { jid, amount, parts }, ...items.map((item) => el(PAY, 'item', { name: item.name, amount: item.amount }))))))),
    debts: async (group, unit) => allDebts(lead, group, unit, await lead.ask('get', el(PAY, 'debts', { group, unit }))),
  }
}

/** The most pages of debts that are asked for: who owes more has settled nothing for years. */
const DEBT_PAGES = 20

/** All debts of a group, of which the first page is there. */
async function allDebts(lead: PayLead, group: JID, unit: string, first: Element): Promise<Debt[]> {
  const debts = readDebts(first)
  for (let [page, before] = [1, moreOf(first).before]; before && page < DEBT_PAGES; page++) {
    const answer = await lead.ask('get', el(PAY, 'debts', { group, unit, before }))
    debts.push(...readDebts(answer))
    before = moreOf(answer).before
  }
  return debts
}

type OfDisputes = Pick<LeadAsks, 'dispute' | 'disputes' | 'makeDispute' | 'addEvidence' | 'place' | 'settle'>

function ofDisputes(lead: PayLead): OfDisputes {
  const dispute = async (answer: Element) => {
    const found = need(readDispute(child(answer, 'dispute'), await digitsOf(lead)))
    await lead.step((step) => keepDispute(step, found, how(lead)))
    return found
  }
  return {
    dispute: async (id) => dispute(await lead.ask('get', el(PAY, 'dispute', { id }))),
    disputes: async () => some(await lead.ask('get', el(PAY, 'disputes')), 'dispute', await digitsOf(lead), readDispute),
    makeDispute: async ({ id, of, why, amount, text: words }) => dispute(await lead.ask('set', el(PAY, 'dispute', { id, of, why, amount }, words))),
    addEvidence: async (id, { text: words, hash, address, name, size }) => dispute(await lead.ask('set', el(PAY, 'evidence', { dispute: id, hash, address, name, size }, words))),
    place: async (file) => {
      const session = lead.around.session()
      const service = await findUpload(session)
      if (!service) throw new PayTrouble({ why: 'refused' })
      if (service.max !== undefined && file.size > service.max) throw new PayTrouble({ why: 'too-large' })
      return requestSlot(session, service, { ...file, mime: 'application/octet-stream' }).catch((error: unknown) => {
        throw error instanceof UploadRefused ? new PayTrouble({ why: error.reason === 'too-large' ? 'too-large' : error.reason === 'quota' ? 'no-room' : 'refused' }) : error
      })
    },
    settle: async (id, by) => dispute(await lead.ask('set', el(PAY, 'settle', { dispute: id, by }))),
  }
}
