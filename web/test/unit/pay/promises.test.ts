// Payments without network at a shop and on a phone: what was promised counts once, and no more is promised than there is.
import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { payDesk } from '../../../src/core/engine/pay-desk.ts'
import { PayLead } from '../../../src/core/engine/pay-lead.ts'
import { newPayId, payTrouble, promisesOf, type Pay, type PayDraft, type Payment } from '../../../src/core/pay.ts'
import { keyId, promiseCode, signText, toText } from '../../../src/core/pay/sign.ts'
import { textTime, writeText } from '../../../src/core/pay/text.ts'
import { openAccount, type Database } from '../../../src/core/store/database.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import type { Element } from '../../../src/core/xmpp/xml.ts'
import { counts, type Sale } from '../../../src/features/pay/sale.ts'
import { FakePay } from './service.ts'

const shop = 'nadia@example', customer = 'karim@example'
let service: FakePay
let runs = 0
let db: Database, news: News, lead: PayLead, pay: Pay
let online = true
const now = () => Date.now() * 1000

beforeEach(async () => {
  online = true
  service = new FakePay()
  db = await openAccount('promises' + ++runs + '@example')
  news = new News(shop + runs)
  const session = service.session(shop)
  lead = new PayLead({ db, news, account: shop, now, session: () => { if (!online) throw Object.assign(new Error(), { name: 'Offline' }); return session } })
  pay = payDesk(db, news, shop, ((what: keyof typeof lead.asks, ...args: never[]) => (lead.asks[what] as (...all: never[]) => unknown)(...args)) as never, () => Promise.resolve())
})
afterEach(() => {
  lead.end()
  news.close()
  db.close()
})

const kept = async (id: string): Promise<Payment | undefined> => { const r = await db.get('pay', 'payment ' + id); return r?.what === 'payment' ? r.payment : undefined }

/** What a customer's phone shows: a promise to the shop. */
async function promiseTo(payee: string, id = newPayId()): Promise<string> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const key = await keyId(point)
  service.keys.set(key, { point: toText(point), wrong: 0 })
  const text = writeText('intent', { service: 'pay.example', id, kind: 'offline', payer: customer, payee, amount: '12500', unit: 'MAD', fee: '0', expires: textTime(now() + 86_400e6), of: '', until: '', total: '', period: '', for: '', key })
  return promiseCode(text, await signText(pair.privateKey, text), point)
}

test('a promise that was handed in is no payment for anything else', async () => {
  const code = await promiseTo(shop)
  online = false
  const first = await pay.redeem(code)
  expect(await pay.redeem(code)).toEqual(first) // a second try
  expect(await pay.redeem(code, first.time)).toEqual(first) // of the same sale
  expect(await pay.redeem(code, first.time + 1).catch(payTrouble)).toEqual({ why: 'id-taken' }) // for the next customer, while nobody was asked
  expect((await db.getAll('pay')).filter((r) => r.what === 'payment')).toHaveLength(1)
  const record = await db.get('pay', 'payment ' + first.id)
  if (record?.what !== 'payment') throw new Error('it is not kept')
  await db.put('pay', { ...record, payment: { ...first, state: 'done', receipt: { text: '', signature: '' } } })
  expect(await pay.redeem(code).catch(payTrouble)).toEqual({ why: 'id-taken' })
  expect(await kept(first.id)).toMatchObject({ state: 'done' })
})

test('a sale is paid by what came since it began', () => {
  const began = Date.parse('2026-11-22T12:00:00Z') * 1000
  const sale: Sale = { id: 's'.repeat(22), amount: 12_500, unit: { code: 'MAD', exponent: 2, name: 'Dirham', closed: false }, for: '', began }
  const paid = (time: string, change: Partial<Payment> = {}): Payment => ({
    id: 'p'.repeat(22), kind: 'offline', state: 'done', payer: customer, payee: shop, amount: 12_500, unit: 'MAD', exponent: 2, fee: 0, for: '', time: began + 30e6,
    receipt: { text: `palabre pay 0 receipt\nnumber=7\ntime=${time}\nhash=0\n`, signature: '' }, ...change,
  })
  expect(counts(paid('2026-11-22T12:00:09Z'), sale, shop)).toBe(true)
  expect(counts(paid('2026-11-22T09:41:00Z'), sale, shop)).toBe(false) // an old one, taken by another device
  expect(counts(paid('soon'), sale, shop)).toBe(false)
  expect(counts(paid('2026-11-22T09:41:00Z', { id: sale.id }), sale, shop)).toBe(true)
  for (const other of [{ payee: customer }, { amount: 12_499 }, { unit: 'EUR' }, { state: 'promised' as const }]) expect(counts(paid('2026-11-22T12:00:09Z', other), sale, shop)).toBe(false)
  const { receipt: _, ...bare } = paid('')
  expect(counts(bare, sale, shop)).toBe(false)
})

/** This account's own phone has a key for payments without network. */
async function phone(): Promise<void> {
  await pay.setUp({ pin: '271828' }, 'phone')
  await pay.setUpOffline('314159', 20_000, 'MAD', { pin: '271828' })
}
const draft = (change: Partial<PayDraft> = {}): PayDraft => ({ id: newPayId(), kind: 'offline', payee: customer, amount: 5_000, unit: 'MAD', fee: 0, for: 'Bread', chat: customer, ...change })
const until = (check: () => unknown) => vi.waitFor(async () => { if (!await check()) throw new Error('not yet') }, { timeout: 20_000, interval: 10 })

test('a promise whose code was put away is listed, and shown again as it was, until it is over', async () => {
  await phone()
  online = false
  const [one, other] = [draft(), draft({ amount: 700 })]
  const promised = await pay.promise(one, '314159')
  await pay.promise(other, '314159')
  let open: Payment[] = []
  const stop = pay.watchPending((all) => { open = promisesOf(all, shop) })
  await until(() => open.length === 2)
  expect(open).toMatchObject([{ id: one.id, amount: 5_000, payee: customer }, { id: other.id }])
  const { id, payee, amount, unit } = open[0] ?? one
  expect(await pay.promise({ id, kind: 'offline', payee, amount, unit, fee: 0, for: '' }, '')).toEqual(promised)
  expect(promisesOf(open, customer)).toEqual([])
  // The number of another purchase is no way to this one's code.
  for (const change of [{ amount: 700 }, { payee: 'souk@example' }, { unit: 'EUR' }]) expect(await pay.promise({ ...one, ...change }, '314159').catch(payTrouble)).toEqual({ why: 'id-taken' })
  online = true
  lead.connected()
  await until(() => open.length === 0)
  stop()
})

test('no more is promised in all than the key allows, and than the pocket held', async () => {
  await phone()
  online = false
  const most = (change: Partial<PayDraft>) => pay.promise(draft(change), '314159').catch(payTrouble)
  expect(await most({ amount: 20_001 })).toEqual({ why: 'over-limit', kind: 'offline', left: 20_000 })
  expect(await most({ amount: 1, unit: 'EUR' })).toMatchObject({ why: 'over-limit', left: 0 })
  const first = draft({ amount: 15_000 })
  await pay.promise(first, '314159')
  expect(await most({ amount: 5_001 })).toEqual({ why: 'over-limit', kind: 'offline', left: 5_000 })
  const both = await Promise.all([most({ amount: 5_000 }), most({ amount: 5_000 })]) // at once, as two tabs would
  expect(both.filter((one) => 'code' in one)).toHaveLength(1)
  expect(await most({ amount: 1 })).toMatchObject({ why: 'over-limit', left: 0 })
  expect(await pay.promise(first, '')).toMatchObject({ id: first.id }) // what was promised is shown all the same
  service.pocket = 1_000
  online = true
  lead.connected()
  await until(async () => (await kept(first.id))?.state === 'done')
  await pay.ask('wallet')
  await until(async () => (await db.getAll('pay')).every((r) => r.what !== 'payment' || r.payment.state === 'done'))
  online = false
  expect(await most({ amount: 1_001 })).toEqual({ why: 'over-limit', kind: 'offline', left: 1_000 })
  expect(await most({ amount: 1_000 })).toMatchObject({ amount: 1_000 })
})

test('a key for payments without network is used only while the service is known to allow it', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  const answer = Object.getPrototypeOf(service)['answer'] as (account: string, e: Element, to: string) => Promise<Element>
  const loses = (arrives: boolean) => {
    service['answer'] = async (account: string, e: Element, to: string) => {
      if (e.name !== 'order') return answer.call(service, account, e, to)
      if (arrives) await answer.call(service, account, e, to)
      throw new StanzaError('timeout', 'wait')
    }
  }
  const setUp = () => pay.setUpOffline('314159', 20_000, 'MAD', { pin: '271828' })
  loses(false)
  expect(await setUp().catch(payTrouble)).toEqual({ why: 'offline' })
  expect((await pay.device()).offline).toBeUndefined()
  expect(await pay.promise(draft(), '314159').catch(payTrouble)).toEqual({ why: 'no-key' })
  loses(true)
  await setUp() // the wallet says that it was allowed
  const made = (await pay.device()).offline
  expect(made).toMatchObject({ cap: 20_000, unit: 'MAD' })
  service['answer'] = answer
  expect(await pay.promise(draft(), '314159')).toMatchObject({ amount: 5_000 })
  service.keys.delete(made?.id ?? '') // from another device
  await pay.ask('wallet')
  expect((await pay.device()).offline).toBeUndefined()
  expect(await pay.promise(draft(), '314159').catch(payTrouble)).toEqual({ why: 'no-key' })
})
