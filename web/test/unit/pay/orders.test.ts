// Orders by which more may be paid than before need the PIN just before them, as a large payment does: each is signed by a key that was opened for it, and for nothing else.
import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { payDesk } from '../../../src/core/engine/pay-desk.ts'
import { PayLead } from '../../../src/core/engine/pay-lead.ts'
import { newPayId, payTrouble, type Pay } from '../../../src/core/pay.ts'
import { readText } from '../../../src/core/pay/text.ts'
import { openAccount, type Database } from '../../../src/core/store/database.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { el, type Element } from '../../../src/core/xmpp/xml.ts'
import { FakePay, NS } from './service.ts'

const me = 'karim@example'
const pin = { pin: '271828' }
let service: FakePay
let runs = 0
let db: Database, news: News, lead: PayLead, pay: Pay
/** What was asked for, and whether the service says that the PIN was given too long ago. */
let asked: string[] = [], late = 0
const answer = Object.getPrototypeOf(new FakePay())['answer'] as (account: string, e: Element, to: string) => Promise<Element>

beforeEach(async () => {
  service = new FakePay()
  asked = []
  late = 0
  service['answer'] = async (account: string, e: Element, to: string) => {
    if (e.ns !== NS) return answer.call(service, account, e, to)
    const order = e.name === 'order' ? readText('order', e.textOf('text') ?? '') : undefined
    asked.push(order ? `order ${order.kind}` : e.name)
    if (order && late-- > 0) throw new StanzaError('not-authorized', 'auth', '', el(NS, 'step-up'))
    return order && order.kind !== 'offline' ? service['wallet']() : answer.call(service, account, e, to)
  }
  const account = 'orders' + ++runs + '@example'
  db = await openAccount(account)
  news = new News(account)
  const session = service.session(me)
  lead = new PayLead({ db, news, account: me, now: () => Date.now() * 1000, session: () => session })
  pay = payDesk(db, news, me, ((what: keyof typeof lead.asks, ...args: never[]) => (lead.asks[what] as (...all: never[]) => unknown)(...args)) as never, () => Promise.resolve())
  await pay.setUp(pin, 'phone')
  asked = []
})
afterEach(() => {
  lead.end()
  news.close()
  db.close()
})
const key = 'AAAAAAAAAAAAAAAAAAAAAA'
const orders: [string, (proof: { pin: string }) => Promise<unknown>][] = [
  ['add-key', (proof) => pay.order({ kind: 'add-key', key }, proof)],
  ['unfreeze', (proof) => pay.order({ kind: 'unfreeze' }, proof)],
  ['limits', (proof) => pay.order({ kind: 'limits', unit: 'MAD', transaction: 500 }, proof)],
  ['offline', (proof) => pay.setUpOffline('314159', 20_000, 'MAD', proof)],
]

test.each(orders)('%s is ordered right after the PIN, and not without it', async (kind, order) => {
  expect(await order({ pin: '999999' }).catch(payTrouble)).toMatchObject({ why: 'wrong-pin' })
  expect(asked.filter((what) => what.startsWith('order'))).toEqual([])
  for (let again = 0; again < 2; again++) { // the PIN of the one before is not that of the next
    asked = []
    await order(pin)
    expect(asked.filter((what) => what === 'unlock' || what.startsWith('order'))).toEqual(['unlock', `order ${kind}`])
  }
})

test.each(orders)('%s that came too long after the PIN is ordered again with it', async (kind, order) => {
  late = 1
  expect(await order(pin).catch(payTrouble)).toMatchObject({ why: 'step-up' })
  await order(pin)
  expect(asked.filter((what) => what === 'unlock' || what.startsWith('order'))).toEqual(['unlock', `order ${kind}`, 'unlock', `order ${kind}`])
})

test('a payment after an order has its own PIN', async () => {
  await pay.order({ kind: 'unfreeze' }, pin)
  await pay.send({ id: newPayId(), kind: 'send', payee: 'nadia@example', amount: 60_000, unit: 'MAD', fee: 0, for: '', chat: 'nadia@example' }, pin)
  expect(asked.filter((what) => what === 'unlock')).toHaveLength(2)
})
