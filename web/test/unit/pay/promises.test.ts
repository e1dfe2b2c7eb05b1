// Payments without network at a shop and on a phone: what was promised counts once, and no more is promised than there is.
import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { payDesk } from '../../../src/core/engine/pay-desk.ts'
import { PayDoor } from '../../../src/core/engine/pay-door.ts'
import { PayLead } from '../../../src/core/engine/pay-lead.ts'
import { readNotice } from '../../../src/core/engine/pay-notices.ts'
import { newPayId, payTrouble, promisesOf, type Pay, type PayDraft, type Payment } from '../../../src/core/pay.ts'
import { keyId, toText } from '../../../src/core/pay/bytes.ts'
import { promiseCode, signText } from '../../../src/core/pay/sign.ts'
import { textTime, writeText } from '../../../src/core/pay/text.ts'
import { change, openAccount, type Database } from '../../../src/core/store/database.ts'
import { MAX_ENDED, prunePay, type Kept } from '../../../src/core/store/pay.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { el, type Element } from '../../../src/core/xmpp/xml.ts'
import { counts, sinks, without, type Sale } from '../../../src/features/pay/sale.ts'
import { FakePay, NS } from './service.ts'

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

const until = (check: () => unknown) => vi.waitFor(async () => { if (!await check()) throw new Error('not yet') }, { timeout: 20_000, interval: 10 })
const kept = async (id: string): Promise<Payment | undefined> => { const r = await db.get('pay', 'payment ' + id); return r?.what === 'payment' ? r.payment : undefined }

/** What a customer's phone shows: a promise to the shop. */
async function promiseTo(payee: string, id = newPayId(), life = 86_400e6): Promise<string> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const key = await keyId(point)
  service.keys.set(key, { point: toText(point), wrong: 0 })
  const text = writeText('intent', { service: 'pay.example', id, kind: 'offline', payer: customer, payee, amount: '12500', unit: 'MAD', fee: '0', expires: textTime(now() + life), of: '', until: '', total: '', period: '', for: '', key })
  return promiseCode(text, await signText(pair.privateKey, text), point)
}

test('a promise that was handed in is no payment for anything else', async () => {
  const code = await promiseTo(shop)
  online = false
  const sale = newPayId(), next = newPayId()
  const first = await pay.redeem(code, sale)
  expect(await pay.redeem(code, sale)).toEqual(first) // a second try
  expect(await pay.redeem(code, next).catch(payTrouble)).toEqual({ why: 'id-taken' }) // for the next customer, while nobody was asked
  await change(db, ['kv'], async (tx) => { await tx.objectStore('kv').put(-300e6, 'skew') })
  expect(await pay.redeem(code, next).catch(payTrouble)).toEqual({ why: 'id-taken' }) // nor when the clock was corrected meanwhile
  expect((await db.getAll('pay')).filter((r) => r.what === 'payment')).toHaveLength(1)
  const record = await db.get('pay', 'payment ' + first.id)
  if (record?.what !== 'payment') throw new Error('it is not kept')
  await db.put('pay', { ...record, payment: { ...first, state: 'done', receipt: { text: '', signature: '' } } })
  expect(await pay.redeem(code, next).catch(payTrouble)).toEqual({ why: 'id-taken' })
  expect(await pay.redeem(code, sale)).toMatchObject({ state: 'done' })
  expect(await kept(first.id)).toMatchObject({ state: 'done' })
})

test('a promise that another device of ours has taken, or the payer has handed in, pays for the sale whose id it has alone', async () => {
  const sale = newPayId()
  const code = await promiseTo(shop, sale)
  online = false
  await pay.redeem(code, sale)
  const { sale: _, ...told } = await db.get('pay', 'payment ' + sale) as Kept<'payment'>
  await db.put('pay', told)
  expect(await pay.redeem(code, newPayId()).catch(payTrouble)).toEqual({ why: 'id-taken' })
  expect(await pay.redeem(code, sale)).toEqual(told.payment)
})

test('a promise is known while it lives, however many payments came after it', async () => {
  const live = await promiseTo(shop), code = await promiseTo(shop)
  const [old, dead] = [await pay.redeem(live, newPayId()), await pay.redeem(code, newPayId())]
  await until(async () => (await kept(old.id))?.state === 'done' && (await kept(dead.id))?.state === 'done')
  online = false
  const record = async (id: string) => await db.get('pay', 'payment ' + id) as Kept<'payment'>
  const { code: _, ...plain } = await record(old.id)
  await db.put('pay', { ...await record(dead.id), expires: now() - 2 * 86_400e6 })
  await change(db, ['pay'], async (tx) => {
    for (let n = 1; n <= MAX_ENDED; n++) await tx.objectStore('pay').put({ ...plain, key: `payment ${n}`, time: now() + n, payment: { ...plain.payment, id: String(n) } })
    await prunePay(tx)
  })
  expect(await pay.redeem(live, newPayId()).catch(payTrouble)).toEqual({ why: 'id-taken' })
  expect(await kept(dead.id)).toBeUndefined()
  expect(await db.count('pay', IDBKeyRange.bound('payment ', 'payment!'))).toBe(MAX_ENDED + 1)
})

test('a sale is paid by what came since it began', () => {
  const began = Date.parse('2026-11-22T12:00:00Z') * 1000
  const sale: Sale = { id: 's'.repeat(22), amount: 12_500, unit: { code: 'MAD', exponent: 2, name: 'Dirham', closed: false }, for: '', began }
  const paid = (time: string, change: Partial<Payment> = {}): Payment => ({
    id: 'p'.repeat(22), kind: 'offline', state: 'done', payer: customer, payee: shop, amount: 12_500, unit: 'MAD', exponent: 2, fee: 0, for: '', time: began + 30e6,
    receipt: { text: `palabre pay 0 receipt\nnumber=7\ntime=${time}\nhash=0\n`, signature: '' }, ...change,
  })
  expect(counts(paid('2026-11-22T12:00:09Z'), sale, shop, 0)).toBe(true)
  expect(counts(paid('2026-11-22T09:41:00Z'), sale, shop, 0)).toBe(false) // an old one, taken by another device
  expect(counts(paid('soon'), sale, shop, 0)).toBe(false)
  expect(counts(paid('2026-11-22T09:41:00Z', { id: sale.id }), sale, shop, 0)).toBe(true)
  // The clock was fast when the sale began, or slow, and that is known since the connection is back.
  expect(counts(paid('2026-11-22T11:59:30Z'), sale, shop, -60e6)).toBe(true)
  expect(counts(paid('2026-11-22T11:58:30Z'), sale, shop, -60e6)).toBe(false)
  expect(counts(paid('2026-11-22T12:00:30Z'), sale, shop, 60e6)).toBe(false)
  for (const other of [{ payee: customer }, { amount: 12_499 }, { unit: 'EUR' }, { state: 'promised' as const }]) expect(counts(paid('2026-11-22T12:00:09Z', other), sale, shop, 0)).toBe(false)
  const { receipt: _, ...bare } = paid('')
  expect(counts(bare, sale, shop, 0)).toBe(false)
  // A promise that will not pay for it is waited for no longer.
  expect(sinks(paid('2026-11-22T12:00:09Z'), sale, shop, 0)).toBeUndefined()
  expect(sinks({ ...bare, state: 'promised' }, sale, shop, 0)).toBeUndefined()
  expect(sinks({ ...bare, state: 'refused' }, sale, shop, 0)).toBe('refused')
  expect(sinks(paid('2026-11-22T09:41:00Z'), sale, shop, 0)).toBe('used')
  expect(without({ ...bare, state: 'refused' }, sale)).toBe(sale)
  const next = without({ ...bare, id: sale.id, state: 'refused' }, sale)
  expect(next).toEqual({ ...sale, id: next.id })
  expect(next.id).not.toBe(sale.id) // its payer has used that one up
})

test('with a payment it is told how far the clock is off as known by then', async () => {
  online = false
  const { id } = await pay.redeem(await promiseTo(shop), newPayId())
  const told: (number | undefined)[] = []
  const stop = pay.watchPayment(id, (payment, skew) => { if (payment?.state === 'done') told.push(skew) })
  await change(db, ['kv'], async (tx) => { await tx.objectStore('kv').put(-60e6, 'skew') }) // the server was asked for its time
  online = true
  lead.connected()
  await until(() => told.length)
  stop()
  expect(told[0]).toBe(-60e6)
})

test('a promise that is not paid now is kept with the reason, and handed in again until it is', async () => {
  service.next = [{ refuse: 'frozen', type: 'wait' }, { refuse: 'insufficient', type: 'wait' }]
  const { id } = await pay.redeem(await promiseTo(shop), newPayId())
  await until(async () => (await kept(id))?.why === 'frozen')
  expect(await kept(id)).toMatchObject({ state: 'promised' })
  lead.connected()
  await until(async () => (await kept(id))?.why === 'insufficient')
  lead.connected()
  await until(async () => (await kept(id))?.state === 'done')
  expect(await kept(id)).not.toHaveProperty('why')
  expect(service.handed).toBe(3)
})

test('a promise whose id its payer uses for something else is handed in, and shown as what it was', async () => {
  const handed: string[] = []
  for (const [how, change] of [['asked', { amount: '1' }], ['told', { amount: '1' }], ['asked', { kind: 'offline', for: 'another' }], ['told', { kind: 'offline', for: 'another' }]] as const) {
    online = false
    const { id } = await pay.redeem(await promiseTo(shop), newPayId())
    await service.elsewhere({ id, payer: customer, payee: shop, ...change })
    if (how === 'told') {
      const told = service.payment(id)
      const stanza = el('jabber:client', 'message', { from: 'pay.example', to: shop }, el(NS, 'notice', { id: 'n-' + 'a'.repeat(20) }, told))
      const keep = await readNotice(db, shop, { from: 'pay.example', stanza, time: now(), live: true })
      await lead.step(keep)
      expect(await kept(id)).toMatchObject({ kind: 'offline', state: 'promised', amount: 12_500 })
    } else {
      const record = await db.get('pay', 'payment ' + id)
      if (record?.what !== 'payment') throw new Error('it is not kept')
      await db.put('pay', { ...record, tried: true })
    }
    online = true
    lead.connected()
    await until(async () => (await kept(id))?.state === 'refused')
    expect(await kept(id)).toMatchObject({ kind: 'offline', why: 'id-taken', amount: 12_500 })
    expect(await pay.ask('lookup', id)).toBeUndefined()
    handed.push(id)
  }
  expect(service.handed).toBe(handed.length)
  expect((await db.getAll('messages')).map((m) => m.content.type === 'payment' && [m.content.payment.state, m.content.payment.amount])).toEqual(handed.map(() => ['refused', 12_500]))
})

test('a promise is handed in whatever the clock of the device says, as the service alone decides that it is over', async () => {
  let ahead = 3 * 86_400e6 // the clock has jumped, and the server was not asked for the time yet
  const taken = async () => {
    online = false
    const { id } = await pay.redeem(await promiseTo(shop), newPayId())
    online = true
    return id
  }
  const first = await taken()
  lead.around.now = () => now() + ahead
  lead.connected()
  await until(async () => (await kept(first))?.state === 'done')
  service.next = Array.from({ length: 20 }, () => ({ refuse: 'frozen', type: 'wait' }))
  const second = await taken()
  lead.connected()
  await until(async () => (await kept(second))?.why === 'frozen')
  expect(await kept(second)).toMatchObject({ state: 'promised' })
  ahead = 0
  service.next = [{ refuse: 'expired' }]
  lead.connected()
  await until(async () => (await kept(second))?.state === 'refused')
  expect(await kept(second)).toMatchObject({ why: 'expired' })
})

test('a promise of a key that was dropped is over', async () => {
  service.next = [{ refuse: 'frozen', type: 'wait' }, { refuse: 'no-key' }]
  const { id } = await pay.redeem(await promiseTo(shop), newPayId())
  await until(async () => (await kept(id))?.why === 'frozen')
  lead.connected()
  await until(async () => (await kept(id))?.state === 'refused')
  expect(await kept(id)).toMatchObject({ why: 'no-key' })
})

/** This account's own phone has a key for payments without network. */
async function phone(): Promise<void> {
  await pay.setUp({ pin: '271828' }, 'phone')
  await pay.setUpOffline('314159', 20_000, 'MAD', { pin: '271828' })
}
const draft = (change: Partial<PayDraft> = {}): PayDraft => ({ id: newPayId(), kind: 'offline', payee: customer, amount: 5_000, unit: 'MAD', fee: 0, for: 'Bread', chat: customer, ...change })

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

test('a promise is taken back without network, is not handed in meanwhile, and is refused once the service has said so', async () => {
  await phone()
  online = false
  const one = draft()
  await pay.promise(one, '314159')
  expect(await pay.takeBack(one.id, { offlinePin: '000000' }).catch(payTrouble)).toMatchObject({ why: 'wrong-pin' })
  expect((await kept(one.id))?.back).toBeUndefined()
  await Promise.all([pay.takeBack(one.id, { offlinePin: '314159' }), pay.takeBack(one.id, { offlinePin: '314159' }).catch(() => undefined)])
  await pay.takeBack(one.id, { offlinePin: '' }) // twice is once
  expect(await kept(one.id)).toMatchObject({ state: 'promised', back: true })
  expect((await db.getAll('pay')).filter((r) => r.what === 'payment' && r.payment.kind === 'revoke')).toHaveLength(1)
  let open: Payment[] = []
  const stop = pay.watchPending((all) => { open = all })
  await until(() => open.length === 1 && open[0]?.id === one.id) // still counted, and nothing else is shown
  service.next = ['lost answer']
  online = true
  lead.connected()
  await until(async () => (await kept(one.id))?.state === 'refused')
  stop()
  expect(await kept(one.id)).toMatchObject({ state: 'refused', why: 'taken-back' })
  expect((await db.getAll('messages')).map((m) => m.content)).toMatchObject([{ type: 'payment', payment: { state: 'refused', why: 'taken-back' } }])
  expect([...service.done.values()].map((d) => d.intent.kind)).toEqual(['revoke'])
  expect(await pay.takeBack(one.id, { offlinePin: '314159' }).catch(payTrouble)).toEqual({ why: 'over' })
})

test('what is taken back while something else is handed in is not handed in after it', async () => {
  await phone()
  online = false
  const [first, second] = [draft({ amount: 100 }), draft()]
  await pay.promise(first, '314159')
  await pay.promise(second, '314159')
  const answer = Object.getPrototypeOf(service)['answer'] as (account: string, e: Element, to: string) => Promise<Element>
  let [reached, go] = [false, () => undefined as void]
  const slow = new Promise<void>((resolve) => { go = resolve })
  service['answer'] = async (account: string, e: Element, to: string) => {
    if (e.name === 'pay' && !reached) {
      reached = true
      await slow
    }
    return answer.call(service, account, e, to)
  }
  online = true
  lead.connected()
  await until(() => reached)
  // Which of the two is under way is by chance: the other one waits behind it.
  const records = await db.getAll('pay')
  const behind = records.some((r) => r.what === 'payment' && r.payment.id === second.id && r.tried) ? first : second
  await pay.takeBack(behind.id, { offlinePin: '314159' })
  expect(await kept(behind.id)).toMatchObject({ state: 'promised', back: true })
  go()
  await until(async () => (await kept(behind.id))?.state === 'refused')
  expect(await kept(behind.id)).toMatchObject({ why: 'taken-back' })
  expect(await kept(behind === second ? first.id : second.id)).toMatchObject({ state: 'done' })
  expect([...service.done.values()].map((d) => d.intent.kind)).toEqual(['offline', 'revoke'])
})

test('before somebody signs out what waits is handed in, and what cannot be is counted', async () => {
  const door = new PayDoor(lead.around)
  try {
    expect(await door.unsettled()).toBe(0)
    await phone()
    online = false
    const one = draft()
    await pay.promise(one, '314159')
    await pay.promise(draft({ amount: 700 }), '314159')
    await pay.takeBack(one.id, { offlinePin: '314159' }) // what takes it back is no other payment
    await pay.redeem(await promiseTo(shop), newPayId())
    await pay.bringIn({ id: newPayId(), rail: 'try', address: '+212600000000', amount: 5_000, unit: 'MAD' })
    expect(await door.unsettled()).toBe(4)
    online = true
    service.away = true
    expect(await door.unsettled()).toBe(4)
    service.away = false
    expect(await door.unsettled()).toBe(0) // what waits for a rail the service knows
    expect((await db.getAll('pay')).flatMap((r) => r.what === 'payment' ? [r.payment.state] : []).sort()).toEqual(['done', 'done', 'ended', 'refused', 'waiting'])
  } finally {
    door.end()
  }
})

test('whoever was first at the service has it: a promise that was handed in before is paid, also when it was to be taken back', async () => {
  await phone()
  online = false
  const one = draft()
  await pay.promise(one, '314159')
  const record = await db.get('pay', 'payment ' + one.id)
  if (record?.what !== 'payment' || !record.intent) throw new Error('it is not kept')
  await pay.takeBack(one.id, { offlinePin: '314159' })
  const { text, signature, key } = record.intent
  await service.session(shop).request('set', el(NS, 'pay', {}, el(NS, 'intent', {}, text), el(NS, 'signature', { key }, signature)), { to: 'pay.example' }) // by who was promised it
  online = true
  lead.connected()
  await until(async () => (await kept(one.id))?.state === 'done')
  expect((await kept(one.id))?.receipt).toBeDefined()
  expect((await kept(one.id))?.back).toBeUndefined()
})

test('taking back that is refused makes no payment: its owner sees why, and takes it back once more', async () => {
  await phone()
  online = false
  const one = draft()
  await pay.promise(one, '314159')
  await pay.takeBack(one.id, { offlinePin: '314159' })
  service.next = [{ refuse: 'frozen' }]
  online = true
  lead.connected()
  await until(async () => (await kept(one.id))?.back === 'refused')
  expect(await kept(one.id)).toMatchObject({ state: 'promised', why: 'frozen' })
  const [handed, asked] = [service.handed, service.lookups]
  lead.connected()
  await until(() => service.lookups > asked)
  lead.connected() // and again
  await until(() => service.lookups > asked + 1)
  expect([service.handed, service.done.size]).toEqual([handed, 0]) // only asked for, and not handed in
  await pay.takeBack(one.id, { offlinePin: '314159' })
  await until(async () => (await kept(one.id))?.state === 'refused')
  expect(await kept(one.id)).toMatchObject({ why: 'taken-back' })
  expect([...service.done.values()].map((d) => d.intent.kind)).toEqual(['revoke'])
})

test('what the service says is over is handed in once more, since only the service knows what has become of it', async () => {
  await phone()
  online = false
  const one = draft()
  await pay.promise(one, '314159')
  await pay.takeBack(one.id, { offlinePin: '314159' })
  service.next = [{ refuse: 'over' }, { refuse: 'taken-back' }]
  online = true
  lead.connected()
  await until(async () => (await kept(one.id))?.state === 'refused')
  expect(await kept(one.id)).toMatchObject({ why: 'taken-back' })
})

test('a PIN is tried on the key that it is for, and on no other', async () => {
  await phone()
  const one = draft()
  online = false
  await pay.promise(one, '314159')
  expect(await pay.takesBackOffline(one.id)).toBe(true)
  const wrong = async () => { const keys = await db.get('pay', 'keys '); return keys?.what === 'keys' ? keys.offline?.wrong : undefined }
  online = true
  expect(await pay.takeBack(one.id, { pin: '000000' }).catch(payTrouble)).toMatchObject({ why: 'wrong-pin' }) // of the main key
  expect(await wrong()).toBe(0)
  online = false
  const keys = await db.get('pay', 'keys ')
  if (keys?.what !== 'keys') throw new Error('there are no keys')
  const { offline: _, ...rest } = keys
  await db.put('pay', rest) // after five wrong ones
  expect(await pay.takesBackOffline(one.id)).toBe(false)
  const unlocked = [...service.keys.values()].map((key) => key.wrong)
  online = true
  expect(await pay.takeBack(one.id, { offlinePin: '314159' }).catch(payTrouble)).toEqual({ why: 'no-key' })
  expect([...service.keys.values()].map((key) => key.wrong)).toEqual(unlocked)
  await pay.takeBack(one.id, { pin: '271828' })
  await until(async () => (await kept(one.id))?.state === 'refused')
  expect(await kept(one.id)).toMatchObject({ why: 'taken-back' })
})

test('a promise of a phone whose clock is wrong is refused at the counter, before the goods are given', async () => {
  const real = Date.now()
  vi.spyOn(Date, 'now').mockReturnValue(real + 3 * 86_400_000)
  const ahead = await promiseTo(shop, newPayId(), 7 * 86_400e6)
  vi.spyOn(Date, 'now').mockReturnValue(real - 8 * 86_400_000)
  const behind = await promiseTo(shop, newPayId(), 7 * 86_400e6)
  vi.restoreAllMocks()
  expect(await pay.check(ahead).catch(payTrouble)).toEqual({ why: 'clock' })
  expect(await pay.check(behind).catch(payTrouble)).toEqual({ why: 'expired' })
  expect(await pay.redeem(ahead, newPayId()).catch(payTrouble)).toEqual({ why: 'clock' })
})
