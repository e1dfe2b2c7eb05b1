// What is kept of payments is bounded, and what has no end yet is found however much came after it.
import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Collector, News } from '../../../src/core/engine/changes.ts'
import { payDesk } from '../../../src/core/engine/pay-desk.ts'
import { keepPayment, keepRequest } from '../../../src/core/engine/pay-keep.ts'
import { PayLead } from '../../../src/core/engine/pay-lead.ts'
import { newPayId, type Pay, type PayDraft, type Payment, type PayRequest } from '../../../src/core/pay.ts'
import { databaseName } from '../../../src/core/store/called.ts'
import { change, everything, openAccount, type Database } from '../../../src/core/store/database.ts'
import { keyOf, MAX_ENDED, prunePay, putPay, type KeptPay } from '../../../src/core/store/pay.ts'
import { FakePay } from './service.ts'

const me = 'karim@example', nadia = 'nadia@example'
let service: FakePay
let runs = 0
let db: Database, news: News, lead: PayLead, pay: Pay
const now = () => Date.now() * 1000

beforeEach(async () => {
  service = new FakePay()
  db = await openAccount('kept' + ++runs + '@example')
  news = new News(me + runs)
  const session = service.session(me)
  lead = new PayLead({ db, news, account: me, now, session: () => session })
  pay = payDesk(db, news, me, ((what: keyof typeof lead.asks, ...args: never[]) => (lead.asks[what] as (...all: never[]) => unknown)(...args)) as never, () => Promise.resolve())
})
afterEach(() => {
  lead.end()
  news.close()
  db.close()
})
const until = (check: () => unknown) => vi.waitFor(async () => { if (!await check()) throw new Error('not yet') }, { timeout: 30_000, interval: 10 })
const draft = (): PayDraft => ({ id: newPayId(), kind: 'send', payee: nadia, amount: 500, unit: 'MAD', fee: 0, for: '', chat: nadia })
const paid = (time: number, change: Partial<Payment> = {}): Payment => ({ id: newPayId(), kind: 'send', state: 'done', payer: 'customer@example', payee: me, amount: 500, unit: 'MAD', exponent: 2, fee: 0, for: '', time, ...change })
const asked = (change: Partial<PayRequest> = {}): PayRequest => ({ id: newPayId(), payee: nadia, payer: me, amount: 700, paid: 0, unit: 'MAD', exponent: 2, for: 'rent', partial: false, state: 'open', ...change })

/** As a merchant's device has it after so many sales. */
const sales = (many: number, from = now(), put: (tx: Parameters<typeof putPay>[0], record: KeptPay) => Promise<unknown> = (tx, record) => tx.objectStore('pay').put(record)): Promise<void> =>
  change(db, ['pay'], async (tx) => { for (let i = 0; i < many; i++) { const payment = paid(from + i); await put(tx, { key: keyOf('payment', payment.id), what: 'payment', time: payment.time, payment }) } })

test('a payment that was signed before thousands of others leaves all the same, and is seen to wait until then', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  const one = draft()
  service.next = ['lost']
  await pay.send(one, { pin: '271828' })
  await until(async () => (await db.get('pay', 'payment ' + one.id)) !== undefined)
  await sales(1500)
  let open: Payment[] = []
  const stop = pay.watchPending((all) => { open = all })
  await until(() => open.some((p) => p.id === one.id))
  lead.connected()
  await until(async () => { const r = await db.get('pay', 'payment ' + one.id); return r?.what === 'payment' && r.payment.state === 'done' })
  await until(() => open.length === 0)
  stop()
})

test('thousands of sales leave a bounded number, the newest; what has no end yet stays', async () => {
  const old = paid(1, { state: 'promised', kind: 'offline' }), held = paid(2, { state: 'held', kind: 'hold' })
  await change(db, ['pay'], async (tx) => { for (const payment of [old, held]) await putPay(tx, { key: keyOf('payment', payment.id), what: 'payment', time: payment.time, payment }) })
  const from = now()
  await sales(MAX_ENDED + 1500, from)
  await change(db, ['pay'], prunePay)
  const left = (await db.getAll('pay')).flatMap((r) => r.what === 'payment' ? [r.payment] : [])
  expect(left).toHaveLength(MAX_ENDED + 2)
  expect(left.map((p) => p.id)).toEqual(expect.arrayContaining([old.id, held.id]))
  expect(Math.min(...left.filter((p) => p.state === 'done').map((p) => p.time))).toBe(from + 1500)
})

test('while they come in, no more than a few above the bound are kept', async () => {
  await sales(MAX_ENDED)
  await sales(600, now(), putPay)
  expect(await db.count('pay')).toBeLessThan(MAX_ENDED + 251)
})

test('an open request is shown however many came after it', async () => {
  const old = asked()
  await change(db, ['pay'], async (tx) => {
    await putPay(tx, { key: keyOf('request', old.id), what: 'request', time: 1, request: old })
    for (let i = 0; i < 300; i++) { const request = asked({ state: 'paid' }); await putPay(tx, { key: keyOf('request', request.id), what: 'request', time: now() + i, request }) }
  })
  let seen: PayRequest[] = []
  const stop = pay.watchRequests((all) => { seen = all })
  await until(() => seen.length)
  expect(seen).toHaveLength(201)
  expect(seen.at(-1)?.id).toBe(old.id)
  stop()
})

test('what is told late of something that is kept no longer does not take its bubble back', async () => {
  const tell = (work: (step: Parameters<typeof keepPayment>[0]) => Promise<unknown>) => change(db, everything, (tx) => work({ tx, account: me, now: now(), changes: new Collector() }))
  const done = paid(now(), { payer: nadia, chat: nadia }), declined = asked({ state: 'declined', chat: nadia })
  await tell(async (step) => { await keepPayment(step, done, { time: now(), live: true }); await keepRequest(step, declined, { time: now(), live: true }) })
  await db.clear('pay')
  await tell(async (step) => { await keepPayment(step, { ...done, state: 'waiting' }, { time: now(), live: false }); await keepRequest(step, { ...declined, state: 'open' }, { time: now(), live: false }) })
  expect((await db.getAll('messages')).map((m) => m.content)).toMatchObject(expect.arrayContaining([{ type: 'payment', payment: expect.objectContaining({ state: 'done' }) as Payment }, { type: 'request', request: expect.objectContaining({ state: 'declined' }) as PayRequest }]))
})

test('a database of the version before finds what has no end', async () => {
  const jid = 'older' + ++runs + '@example'
  const [open, over] = [paid(1, { state: 'sent' }), paid(2)]
  await new Promise<void>((done) => {
    const opening = indexedDB.open(databaseName(jid), 5)
    opening.onupgradeneeded = () => {
      const store = opening.result.createObjectStore('pay', { keyPath: 'key' })
      store.createIndex('what', ['what', 'time'])
      for (const payment of [open, over]) store.put({ key: keyOf('payment', payment.id), what: 'payment', time: payment.time, payment })
    }
    opening.onsuccess = () => { opening.result.close(); done() }
  })
  const old = await openAccount(jid)
  expect((await old.getAllFromIndex('pay', 'open')).map((r) => r.key)).toEqual([keyOf('payment', open.id)])
  old.close()
})
