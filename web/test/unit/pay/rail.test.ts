// Money that comes in by a network outside, with answers that are lost: it is asked for once, what is known of it is shown, and another device can go on with it.
import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { payDesk } from '../../../src/core/engine/pay-desk.ts'
import { PayLead } from '../../../src/core/engine/pay-lead.ts'
import { newPayId, type CashInDraft, type Pay, type Payment } from '../../../src/core/pay.ts'
import { openAccount, type Database } from '../../../src/core/store/database.ts'
import { further } from '../../../src/core/store/pay.ts'
import { readAbout } from '../../../src/core/xmpp/pay.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { FakePay, NS } from './service.ts'

const me = 'karim@example'
let service: FakePay
let runs = 0
const open: { end(): void }[] = []

/** A device of the account, with a tab that leads. */
async function device(): Promise<{ pay: Pay; db: Database; lead: PayLead; news: News; online: (on: boolean) => void }> {
  const db = await openAccount(`rail${++runs}@example`)
  const news = new News(me + runs)
  const session = service.session(me)
  let live = true
  const lead = new PayLead({ db, news, account: me, now: () => Date.now() * 1000, session: () => { if (!live) throw Object.assign(new Error(), { name: 'Offline' }); return session } })
  const pay = payDesk(db, news, me, ((what: keyof typeof lead.asks, ...args: never[]) => (lead.asks[what] as (...all: never[]) => unknown)(...args)) as never, () => Promise.resolve())
  open.push({ end: () => { lead.end(); news.close(); db.close() } })
  return { pay, db, lead, news, online: (on) => { live = on } }
}

beforeEach(() => { service = new FakePay() })
afterEach(() => { for (const one of open.splice(0)) one.end() })

const draft = (change: Partial<CashInDraft> = {}): CashInDraft => ({ id: newPayId(), rail: 'try', address: '+212600000000', amount: 5000, unit: 'MAD', ...change })
const kept = async (db: Database, id: string): Promise<Payment | undefined> => { const r = await db.get('pay', 'payment ' + id); return r?.what === 'payment' ? r.payment : undefined }
const until = (check: () => Promise<boolean>) => vi.waitFor(async () => { if (!await check()) throw new Error('not yet') }, { timeout: 20_000, interval: 10 })

test('what is to come in is kept, asked for once, and says what to do next', async () => {
  const { pay, db } = await device()
  const one = draft()
  const [first, second] = await Promise.all([pay.bringIn(one), pay.bringIn(one)])
  expect(first).toEqual(second)
  expect(first).toMatchObject({ kind: 'cashin', state: 'signed', payer: 'rail:try', payee: me, amount: 5000, exponent: 2 })
  await until(async () => (await kept(db, one.id))?.state === 'waiting')
  expect((await kept(db, one.id))?.next).toEqual({ go: 'https://network.example/pay' })
  expect(service.handed).toBe(1)
  expect(await db.count('messages')).toBe(0) // it belongs to the wallet
})

test('an answer that was lost is asked for, and nothing is asked twice under two names', async () => {
  const { pay, db } = await device()
  service.next = ['lost answer']
  const one = draft()
  await pay.bringIn(one)
  await until(async () => (await kept(db, one.id))?.way === 'submitted')
  expect([service.handed, service.ins.size]).toEqual([1, 1])
  const other = await device()
  service.next = ['lost']
  const two = draft()
  await other.pay.bringIn(two)
  await until(async () => (await kept(other.db, two.id))?.state === 'waiting')
  expect(service.ins.get(two.id)).toMatchObject({ rail: 'try', address: '+212600000000', amount: '5000' })
})

test('what the service refuses has brought nothing', async () => {
  const { pay, db } = await device()
  service.next = [{ refuse: 'no-payee' }]
  const one = draft()
  await pay.bringIn(one)
  await until(async () => (await kept(db, one.id))?.state === 'refused')
  expect((await kept(db, one.id))?.why).toBe('no-payee')
})

test('without network it waits here, also for the next tab', async () => {
  const { pay, db, lead, online } = await device()
  await pay.ask('wallet')
  online(false)
  const one = draft()
  await pay.bringIn(one)
  expect((await kept(db, one.id))?.state).toBe('signed')
  expect(service.handed).toBe(0)
  online(true)
  lead.connected()
  await until(async () => (await kept(db, one.id))?.state === 'waiting')
})

test('another device sees what is under way, what to do, and that nobody knows', async () => {
  const one = draft()
  const first = await device()
  await first.pay.bringIn(one)
  await until(async () => service.ins.has(one.id))
  const other = await device()
  const seen: Payment[][] = []
  const stop = other.pay.watchPending((all) => seen.push(all))
  expect(await other.pay.ask('underWay')).toMatchObject([{ id: one.id, way: 'submitted', next: { go: 'https://network.example/pay' } }])
  await until(async () => seen.at(-1)?.[0]?.id === one.id)
  Object.assign(service.ins.get(one.id) ?? {}, { way: 'unknown', go: undefined })
  expect(await other.pay.ask('lookup', one.id)).toMatchObject({ state: 'waiting', way: 'unknown' })
  Object.assign(service.ins.get(one.id) ?? {}, { state: 'done', way: undefined })
  await other.pay.ask('lookup', one.id)
  await until(async () => seen.at(-1)?.length === 0)
  expect(await kept(other.db, one.id)).not.toHaveProperty('way')
  stop()
})

test('how far it is stays known when something is told that does not say so, and is over with the payment', () => {
  const payment: Payment = { id: newPayId(), kind: 'cashin', state: 'waiting', payer: 'rail:try', payee: me, amount: 5000, unit: 'MAD', exponent: 2, fee: 0, for: '', time: 1 }
  const known = further(payment, { ...payment, way: 'unknown', since: 5, next: { wait: true } })
  expect(further(known, payment)).toMatchObject({ way: 'unknown', since: 5, next: { wait: true } })
  expect(further(known, { ...payment, way: 'accepted' })).not.toHaveProperty('since')
  expect(further(known, { ...payment, state: 'done' })).toEqual({ ...payment, state: 'done' })
})

test('rails are read with what they need, and nothing but https is opened', async () => {
  const about = readAbout('pay.example', el(NS, 'about', {}, el(NS, 'rail', { name: 'mpesa', unit: 'KES', kind: 'momo', title: 'M-Pesa', in: 'true' }), el(NS, 'rail', { name: 'x', kind: 'new', unit: 'MAD', out: 'true' }), el(NS, 'rail', { name: 'no name' })))
  expect(about.rails).toEqual([{ name: 'mpesa', unit: 'KES', kind: 'momo', title: 'M-Pesa', in: true, out: false }, { name: 'x', unit: 'MAD', kind: 'other', title: 'x', in: false, out: true }])
  const { pay, db } = await device()
  const one = draft()
  service.ins.set(one.id, { rail: 'try', address: one.address, amount: '5000', state: 'waiting', go: 'javascript:alert(1)' })
  await pay.ask('lookup', one.id)
  expect((await kept(db, one.id))?.next).toBeUndefined()
})
