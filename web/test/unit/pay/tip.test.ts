// What codes ask for on top of their amounts, tips that leave after what they are for and once, and what is weighed before a payment is confirmed.
import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { mayPayAgain } from '../../../src/app/pay.ts'
import { News } from '../../../src/core/engine/changes.ts'
import { payDesk } from '../../../src/core/engine/pay-desk.ts'
import { PayLead } from '../../../src/core/engine/pay-lead.ts'
import { newPayId, nextPayId, payTrouble, type Pay, type PayDraft, type Payment, type Wallet } from '../../../src/core/pay.ts'
import { readMerchant, writeMerchant, type Merchant } from '../../../src/core/qr/merchant.ts'
import { openAccount, type Database } from '../../../src/core/store/database.ts'
import { further } from '../../../src/core/store/pay.ts'
import { readQuote } from '../../../src/core/xmpp/pay.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { el, type Element } from '../../../src/core/xmpp/xml.ts'
import { feeOn, partOf } from '../../../src/features/pay/tip.ts'
import { haveOf, isPlain, isShort } from '../../../src/features/pay/weigh.ts'
import { FakePay, NS } from './service.ts'

const shop: Merchant = { accounts: [{ name: 'dev.palabre.pay', fields: { '01': 'atlas@example' } }], category: '0000', currency: 'MAD', amount: '40.00', country: 'MA', name: 'Atlas', city: 'Agadir', additional: {} }
const tipOf = (tip: Merchant['tip']): Merchant['tip'] => readMerchant(writeMerchant({ ...shop, ...(tip ? { tip } : {}) })).tip

test('a fee of the code is part of what is owed, and a tip is nobody’s but the customer’s to give', () => {
  expect(feeOn(4000, tipOf({ fixed: '1.50' }), 2)).toBe(150)
  expect(feeOn(4000, tipOf({ percent: '2.5' }), 2)).toBe(100)
  expect(feeOn(4000, tipOf({ ask: true }), 2)).toBe(0)
  expect(feeOn(4000, tipOf(undefined), 2)).toBe(0)
  expect(() => feeOn(4000, { fixed: '1.5' }, 0)).toThrow() // the unit has no such part
})

test('parts of a hundred are exact, half up', () => {
  expect([partOf(1, '50'), partOf(1, '49.99'), partOf(333, '15'), partOf(12_345, '2.55'), partOf(2 ** 53, '99.99')]).toEqual([1, 0, 50, 315, Number((2n ** 53n * 9999n + 5000n) / 10_000n)])
})

const me = 'karim@example', shopkeeper = 'atlas@example', pin = { pin: '271828' }
let service: FakePay
let runs = 0
const open: (() => void)[] = []

/** A device of the account, with a key of its own. */
async function device(): Promise<{ pay: Pay; db: Database; lead: PayLead }> {
  const db = await openAccount(`tips${++runs}@example`)
  const news = new News(`tips${runs}`)
  const session = service.session(me)
  const lead = new PayLead({ db, news, account: me, now: () => Date.now() * 1000, session: () => session })
  const pay = payDesk(db, news, me, ((what: keyof typeof lead.asks, ...args: never[]) => (lead.asks[what] as (...all: never[]) => unknown)(...args)) as never, () => Promise.resolve())
  open.push(() => { lead.end(); news.close(); db.close() })
  await pay.setUp(pin, 'phone')
  return { pay, db, lead }
}

beforeEach(() => { service = new FakePay() })
afterEach(() => { for (const end of open.splice(0)) end() })

const until = (check: () => unknown) => vi.waitFor(async () => { if (!await check()) throw new Error('not yet') }, { timeout: 20_000, interval: 10 })
const kept = async (db: Database, id: string): Promise<Payment | undefined> => { const r = await db.get('pay', 'payment ' + id); return r?.what === 'payment' ? r.payment : undefined }
const bill = (change: Partial<PayDraft> = {}): PayDraft => ({ id: newPayId(), kind: 'send', payee: shopkeeper, amount: 4000, unit: 'MAD', fee: 0, for: '', ...change })
const tipFor = ({ id: of }: PayDraft, { id, amount }: NonNullable<Payment['tip']>): PayDraft => bill({ id, kind: 'tip', amount, of })

/** What a screen is told of a payment. */
async function shown(pay: Pay, id: string): Promise<Payment | undefined> {
  let stop = (): void => undefined
  const told = await new Promise<Payment | undefined>((tell) => { stop = pay.watchPayment(id, tell) })
  stop()
  return told
}

test('a tip leaves when the payment that it is for has an answer', async () => {
  const { pay } = await device()
  service.next = ['lost'] // the payment does not arrive the first time
  const main = bill({ tip: 400 })
  const { tip } = await pay.send(main, pin)
  if (!tip) throw new Error('no tip')
  await pay.send(tipFor(main, tip), pin)
  await until(() => service.done.size === 2)
  expect([...service.done.keys()]).toEqual([main.id, tip.id])
})

test('a code that is seen twice gives one tip, and what has other content is no payment of that id', async () => {
  const { pay, db } = await device()
  const main = bill({ tip: 400 })
  const { tip } = await pay.send(main, pin)
  if (!tip) throw new Error('no tip')
  expect(tip).toEqual({ id: await nextPayId('tip', main.id, me), amount: 400 })
  expect(tip.id).toMatch(/^[\w][\w-]{21}$/)
  expect(new Set([main.id, tip.id, await nextPayId('again', main.id, me), await nextPayId('tip', main.id, shopkeeper), await nextPayId('tip', newPayId(), me)]).size).toBe(5)
  await pay.send(tipFor(main, tip), pin)
  await until(async () => (await kept(db, tip.id))?.state === 'done')
  const second = await pay.send({ ...main, tip: 600 }, pin)
  expect([second.state, second.tip]).toEqual(['done', undefined])
  for (const change of [{ amount: 4001 }, { payee: 'souk@example' }, { unit: 'EUR' }, { of: newPayId() }, { kind: 'hold' as const }]) expect(await pay.send({ ...main, ...change }, pin).catch(payTrouble)).toEqual({ why: 'id-taken' })
  expect([...service.done.keys()]).toEqual([main.id, tip.id])
  // Also while the first is being signed.
  const other = bill()
  const both = await Promise.all([pay.send(other, pin), pay.send({ ...other, amount: 1 }, pin).catch(payTrouble)])
  expect(both).toMatchObject([{ id: other.id, amount: 4000 }, { why: 'id-taken' }])
})

test('a tip is not given when what it is for is refused', async () => {
  const { pay, db } = await device()
  service.next = [{ refuse: 'id-taken' }] // another device has paid it
  const main = bill({ tip: 400 })
  const { tip } = await pay.send(main, pin)
  if (!tip) throw new Error('no tip')
  await pay.send(tipFor(main, tip), pin)
  await until(async () => (await kept(db, tip.id))?.state === 'refused')
  expect([(await kept(db, main.id))?.why, (await kept(db, tip.id))?.why]).toEqual(['id-taken', 'over'])
  expect([service.handed, service.done.size]).toEqual([1, 0])
})

test('a tip that was agreed to and not signed is known to be missing until it is signed', async () => {
  const { pay, db } = await device()
  const main = bill({ tip: 400 })
  await pay.send(main, pin)
  await until(async () => (await kept(db, main.id))?.state === 'done') // and here the tab dies
  const { tip, state } = await shown(pay, main.id) ?? {}
  expect([state, tip]).toEqual(['done', { id: await nextPayId('tip', main.id, me), amount: 400 }])
  if (!tip) throw new Error('no tip')
  await Promise.all([pay.send(tipFor(main, tip), pin), pay.send(tipFor(main, tip), pin)]) // by the button of the receipt
  expect(await shown(pay, main.id)).not.toHaveProperty('tip')
  await until(async () => (await kept(db, tip.id))?.state === 'done')
  expect(service.done.size).toBe(2)
})

test('what is refused because of its fee says what it is now, and is paid again once', async () => {
  const { pay, db } = await device()
  const answer = Object.getPrototypeOf(service)['answer'] as (account: string, e: Element, to: string) => Promise<Element>
  let refused = 0
  service['answer'] = async (account: string, e: Element, to: string) => {
    if (e.name === 'pay' && !refused++) throw new StanzaError('not-acceptable', 'cancel', '', el(NS, 'fee-changed', { fee: '150' }))
    return answer.call(service, account, e, to)
  }
  const main = bill()
  await pay.send(main, pin)
  await until(async () => (await kept(db, main.id))?.state === 'refused')
  const first = await kept(db, main.id)
  if (!first) throw new Error('not kept')
  expect(first).toMatchObject({ why: 'fee-changed', feeNow: 150 })
  const { feeNow: _, ...told } = first
  expect(further(first, told)).toEqual(first) // as the service tells it, without the fee
  expect(further(first, { ...told, state: 'done' })).not.toHaveProperty('feeNow')
  expect([mayPayAgain(first, me), mayPayAgain(first, shopkeeper), mayPayAgain({ ...first, why: 'insufficient' }, me), mayPayAgain({ ...first, kind: 'mandate' }, me), mayPayAgain({ ...first, why: 'step-up' }, me)]).toEqual([true, false, false, false, true])
  const again = { ...main, id: await nextPayId('again', main.id, me), fee: 150 }
  for (let i = 0; i < 2; i++) await pay.send(again, pin)
  await until(async () => (await kept(db, again.id))?.state === 'done')
  expect([...service.done.keys()]).toEqual([again.id])
})

test('what there is to weigh is weighed: too little money, a name that is not ours, a fee', () => {
  const quote = readQuote(el(NS, 'quote', { fee: '100', name: 'Atlas', short: 'true' }))
  expect(quote).toMatchObject({ fee: 100, short: true })
  expect(readQuote(el(NS, 'quote', { fee: '100' })).short).toBe(false)
  const wallet = { balances: [{ unit: 'MAD', amount: 4000, held: 0, pocket: 900 }] } as unknown as Wallet
  expect([haveOf(wallet, 'MAD'), haveOf(wallet, 'EUR'), haveOf(undefined, 'MAD')]).toEqual([4000, 0, undefined])
  const enough = { short: false }
  expect([isShort('send', enough, 4000, 4000), isShort('send', enough, 4001, 4000), isShort('send', { short: true }, 4000, 9000), isShort('send', enough, 9999, undefined)]).toEqual([false, true, true, false])
  for (const kind of ['capture', 'release', 'mandate'] as const) expect(isShort(kind, enough, 9999, 1), kind).toBe(false)
  const [plain, atlas] = [{ name: '', warnings: [] }, { name: 'Atlas', known: true }]
  expect([isPlain(bill(), plain, atlas, 0), isPlain(bill(), { ...plain, name: 'Atlas' }, atlas, 0)]).toEqual([true, true])
  for (const kind of ['cashout', 'capture', 'refund', 'reserve', 'hold', 'tip'] as const) expect(isPlain(bill({ kind }), plain, atlas, 0), kind).toBe(false)
  expect(isPlain(bill(), { ...plain, name: 'Atlsa' }, atlas, 0)).toBe(false)
  expect(isPlain(bill(), plain, { ...atlas, known: false }, 0)).toBe(false)
  expect(isPlain(bill(), plain, atlas, 1)).toBe(false)
  expect(isPlain(bill(), { ...plain, warnings: [{ kind: 'late' }] }, atlas, 0)).toBe(false)
})
