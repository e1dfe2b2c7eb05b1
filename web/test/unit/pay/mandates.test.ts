// Holds and mandates as this device knows them: asked for by a request that is no request for money, kept with what was taken, and ended for good.
import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { Keeper } from '../../../src/core/engine/keep.ts'
import { payDesk } from '../../../src/core/engine/pay-desk.ts'
import { PayLead } from '../../../src/core/engine/pay-lead.ts'
import { unwrapLive } from '../../../src/core/engine/unwrap.ts'
import { keyWaits, newPayId, type Mandate, type Pay } from '../../../src/core/pay.ts'
import { openAccount, type Database } from '../../../src/core/store/database.ts'
import { exponentsOf, readMandate, readRequest, readWallet } from '../../../src/core/xmpp/pay.ts'
import { el, type Element } from '../../../src/core/xmpp/xml.ts'
import { FakePay, NS } from './service.ts'

const me = 'karim@example', shop = 'shop@example'
const digits = exponentsOf(undefined)
const request = (change: Record<string, string> = {}): Element => el(NS, 'request', { id: 'r'.repeat(22), payee: shop, payer: me, amount: '3000', paid: '0', unit: 'MAD', state: 'open', kind: 'mandate', total: '5000', period: 'month', until: '2027-01-01T00:00:00Z', ...change })
const mandate = (change: Record<string, string> = {}): Element => el(NS, 'mandate', { id: 'm'.repeat(22), payer: me, payee: shop, amount: '3000', total: '5000', unit: 'MAD', period: 'month', until: '2027-01-01T00:00:00Z', state: 'open', left: '3000', taken: '0', request: 'r'.repeat(22), ...change })

test('a request for a mandate or a hold has its terms, and one of another kind is none', () => {
  const until = Date.parse('2027-01-01T00:00:00Z') * 1000
  expect(readRequest(request(), digits)?.terms).toEqual({ kind: 'mandate', total: 5000, period: 'month', until })
  expect(readRequest(request({ kind: 'hold' }), digits)?.terms).toEqual({ kind: 'hold', until })
  for (const wrong of [{ kind: 'loan' }, { until: 'soon' }, { period: 'hour' }, { total: '0' }] as Record<string, string>[]) expect(readRequest(request(wrong), digits)).toBeUndefined() // it would look like one for money
  expect(readMandate(mandate({ state: 'strange' }), digits)).toBeUndefined()
})

test('what is held cannot be spent', () => {
  const about = { service: 'pay.example', key: '', units: [], rails: [], levels: [] }
  expect(readWallet(about, el(NS, 'wallet', {}, el(NS, 'balance', { unit: 'MAD', amount: '10000', held: '4000', pocket: '500' })), [], 0).balances).toEqual([{ unit: 'MAD', amount: 6000, held: 4000, pocket: 500 }])
})

test('while a wallet is frozen, a key that did not work then has no date from which it does', () => {
  const about = { service: 'pay.example', key: '', units: [], rails: [], levels: [] }
  const at = (time: string): number => Date.parse(time) * 1000
  const read = (attrs: Record<string, string>) => readWallet(about, el(NS, 'wallet', attrs), [], 0)
  const frozen = read({ frozen: 'true', since: '2026-11-20T12:00:00Z' })
  const open = read({ since: '2026-11-20T12:00:00Z' })
  expect([frozen.since, open.since]).toEqual([at('2026-11-20T12:00:00Z'), undefined])
  const [older, newer, now] = [{ ready: at('2026-11-20T11:59:59Z') }, { ready: at('2026-11-20T13:00:00Z') }, at('2026-11-22T12:00:00Z')]
  expect([keyWaits(older, frozen, now), keyWaits(newer, frozen, now), keyWaits(newer, open, now), keyWaits({ ready: now + 1 }, open, now), keyWaits({}, frozen, now)]).toEqual([false, true, false, true, false])
})

let service: FakePay, db: Database, news: News, lead: PayLead, pay: Pay, keeper: Keeper
let runs = 0

beforeEach(async () => {
  service = new FakePay()
  db = await openAccount(`mandates${++runs}@example`)
  news = new News(me + runs)
  const session = service.session(me)
  lead = new PayLead({ db, news, account: me, now: () => Date.now() * 1000, session: () => session })
  pay = payDesk(db, news, me, ((what: keyof typeof lead.asks, ...args: never[]) => (lead.asks[what] as (...all: never[]) => unknown)(...args)) as never, () => Promise.resolve())
  const opener = { open: () => Promise.resolve(undefined), stored: () => Promise.resolve(), crypto: { beginCatchUp: () => Promise.resolve(), endCatchUp: () => Promise.resolve() } }
  keeper = new Keeper(db, me, opener, news, { arrived: () => undefined }, () => Date.now() * 1000)
  await pay.ask('wallet')
})
afterEach(() => {
  lead.end()
  news.close()
  db.close()
})

const tell = async (id: string, child: Element): Promise<void> => {
  const envelope = unwrapLive(el('jabber:client', 'message', { type: 'chat', from: 'pay.example', to: me, id }, el('jabber:client', 'body', {}, 'words'), el(NS, 'notice', { id, chat: shop }, child)), me, Date.now() * 1000)
  if (envelope) await keeper.keep([envelope])
}
const until = (check: () => boolean | Promise<boolean>) => vi.waitFor(async () => { if (!await check()) throw new Error('not yet') }, { timeout: 20_000, interval: 10 })

test('who is asked sees one bubble, which says when it was allowed; a mandate that has ended stays so', async () => {
  let seen: Mandate[] = []
  pay.watchMandates((all) => { seen = all })
  await tell('n1', request())
  await until(async () => (await db.getAll('messages')).length === 1)
  await tell('n2', request({ state: 'paid' }))
  await tell('n3', mandate())
  await until(() => seen[0]?.request === 'r'.repeat(22))
  await tell('n4', mandate({ left: '0', taken: '5000' }))
  await until(() => seen[0]?.taken === 5000)
  await tell('n5', mandate({ state: 'revoked', left: '0' }))
  await until(() => seen[0]?.state === 'revoked')
  await tell('n6', mandate()) // late
  await until(async () => (await db.get('pay', `mandate ${'m'.repeat(22)}`)) !== undefined)
  expect(seen).toMatchObject([{ state: 'revoked' }])
  expect((await db.getAll('messages')).map((m) => m.content)).toMatchObject([{ type: 'request', request: { state: 'paid', terms: { kind: 'mandate' } } }])
})

test('a mandate, what ends it, and what takes by it are signed as the contract has them', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  const proof = { pin: '271828' }
  const given = newPayId()
  const ends = Date.parse('2027-01-01T00:00:00Z') * 1000
  await pay.send({ id: given, kind: 'mandate', payee: shop, amount: 3000, unit: 'MAD', fee: 0, of: 'r'.repeat(22), for: 'Power', until: ends, total: 5000, period: 'month', chat: shop }, proof)
  const revoked = newPayId(), taken = newPayId()
  await pay.send({ id: revoked, kind: 'revoke', payee: shop, amount: 0, unit: '', fee: 0, of: given, for: '' }, proof)
  await pay.send({ id: taken, kind: 'capture', payer: shop, payee: me, amount: 100, unit: 'MAD', fee: 0, of: given, for: '', chat: shop }, proof)
  await until(() => service.done.size === 3)
  expect(service.done.get(given)?.intent).toMatchObject({ kind: 'mandate', total: '5000', period: 'month', until: '2027-01-01T00:00:00Z', of: 'r'.repeat(22) })
  expect(service.done.get(revoked)?.intent).toMatchObject({ kind: 'revoke', amount: '0', unit: '', of: given })
  expect(service.done.get(taken)?.intent).toMatchObject({ kind: 'capture', payer: shop, payee: me, of: given })
})
