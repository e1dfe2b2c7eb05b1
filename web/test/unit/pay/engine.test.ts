// Payments of a device and a service that loses answers: what is shown is true at every moment, and there is one payment or none.
import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { Keeper } from '../../../src/core/engine/keep.ts'
import { payDesk } from '../../../src/core/engine/pay-desk.ts'
import { PayLead } from '../../../src/core/engine/pay-lead.ts'
import { unwrapArchived, unwrapLive, type Envelope } from '../../../src/core/engine/unwrap.ts'
import { newPayId, payTrouble, type Pay, type PayDraft, type Payment, type PayState } from '../../../src/core/pay.ts'
import { writeText } from '../../../src/core/pay/text.ts'
import { openAccount, type Database } from '../../../src/core/store/database.ts'
import { el, type Element } from '../../../src/core/xmpp/xml.ts'
import { FakePay, NS } from './service.ts'

const me = 'karim@example', nadia = 'nadia@example'
let service: FakePay
let runs = 0
let db: Database, news: News, lead: PayLead, pay: Pay
const now = () => Date.now() * 1000

/** A tab that leads; what was kept is there when another takes over. */
function begin(online = true): void {
  news = new News(me + ++runs)
  const session = service.session(me)
  lead = new PayLead({ db, news, account: me, now, session: () => { if (!online) throw Object.assign(new Error(), { name: 'Offline' }); return session } })
  pay = payDesk(db, news, me, ((what: keyof typeof lead.asks, ...args: never[]) => (lead.asks[what] as (...all: never[]) => unknown)(...args)) as never, () => Promise.resolve())
}

beforeEach(async () => {
  service = new FakePay()
  db = await openAccount('pay' + ++runs + '@example')
  begin()
})
afterEach(() => {
  vi.useRealTimers()
  lead.end()
  news.close()
  db.close()
})

const draft = (change: Partial<PayDraft> = {}): PayDraft => ({ id: newPayId(), kind: 'send', payee: nadia, amount: 12_500, unit: 'MAD', fee: 0, for: 'Sardines', chat: nadia, ...change })
const kept = async (id: string): Promise<Payment | undefined> => { const r = await db.get('pay', 'payment ' + id); return r?.what === 'payment' ? r.payment : undefined }
const bubbles = async () => (await db.getAll('messages')).flatMap((m) => m.content.type === 'payment' ? [m.content.payment] : [])
const until = (check: () => Promise<boolean>) => vi.waitFor(async () => { if (!await check()) throw new Error('not yet') }, { timeout: 20_000, interval: 10 })
const reaches = (id: string, state: PayState) => until(async () => (await kept(id))?.state === state)

test('a payment is kept before it leaves, is done once, and its bubble says so', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  const seen: PayState[] = []
  const one = draft()
  pay.watchPayment(one.id, (p) => { if (p && seen.at(-1) !== p.state) seen.push(p.state) })
  const [first, second] = await Promise.all([pay.send(one, { pin: '271828' }), pay.send(one, { pin: '271828' })])
  expect(first).toEqual(second)
  expect(first.state).toBe('signed')
  await reaches(one.id, 'done')
  await until(async () => seen.at(-1) === 'done')
  expect(service.handed).toBe(1)
  expect(await bubbles()).toMatchObject([{ id: one.id, state: 'done', amount: 12_500, number: '1', exponent: 2 }])
  expect((await pay.send(one, { pin: '271828' })).state).toBe('done')
  expect(service.done.size).toBe(1)
  const receipt = (await kept(one.id))?.receipt
  expect(receipt && (await pay.checkReceipt(receipt))?.amount).toBe('12500')
  expect(receipt && await pay.checkReceipt({ ...receipt, text: receipt.text.replace('12500', '92500') })).toBeUndefined()
})

test('what is asked is in the language of the screens, in which the service tells its owner things', async () => {
  vi.stubGlobal('document', { documentElement: { lang: 'sw' } })
  try {
    await lead.asks.wallet()
  } finally {
    vi.unstubAllGlobals()
  }
  expect(service.language).toBe('sw')
})

test('whoever owes a lot in a group sees all of it', async () => {
  service.debts = Array.from({ length: 5 }, () => newPayId())
  expect((await lead.asks.debts('friends@groups.example', 'MAD')).map(({ id }) => id)).toEqual(service.debts)
})

test('an answer that was lost is asked for, and nothing is paid twice', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  service.next = ['lost answer']
  const one = draft()
  await pay.send(one, { pin: '271828' })
  await reaches(one.id, 'sent')
  await reaches(one.id, 'done')
  expect([service.handed, service.done.size]).toEqual([1, 1])
  expect(service.lookups).toBeGreaterThan(0)
})

test('what never arrived leaves again with the same id', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  service.next = ['lost']
  const one = draft()
  await pay.send(one, { pin: '271828' })
  await reaches(one.id, 'done')
  expect([service.handed, service.done.size, service.lookups]).toEqual([1, 1, 1])
})

test('what another device of ours has paid under the same id is done, whichever of the two was handed in', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  const same = { payer: me, payee: nadia, for: 'Sardines' }
  const [lost, late, told, less] = [draft(), draft(), draft(), draft()]
  service.next = ['lost']
  await pay.send(lost, { pin: '271828' })
  await reaches(lost.id, 'sent')
  await service.elsewhere({ id: lost.id, ...same })
  await reaches(lost.id, 'done') // it was asked for
  await service.elsewhere({ id: late.id, ...same })
  await pay.send(late, { pin: '271828' })
  await reaches(late.id, 'done') // it was refused, and then asked for
  await service.elsewhere({ id: told.id, ...same })
  service.next = ['lost']
  await pay.send(told, { pin: '271828' })
  await reaches(told.id, 'sent')
  await hear([unwrapLive(notice('pay.example', 'n-' + 'e'.repeat(20), nadia, service.payment(told.id)), me, now())])
  await reaches(told.id, 'done')
  await service.elsewhere({ id: less.id, ...same, amount: '100' })
  await pay.send(less, { pin: '271828' })
  await reaches(less.id, 'refused') // another amount is another payment
  const shown = await bubbles()
  expect([lost, late, told, less].map((one) => shown.find(({ id }) => id === one.id))).toMatchObject([...Array.from({ length: 3 }, () => ({ state: 'done', amount: 12_500, receipt: {} })), { state: 'refused', amount: 12_500, why: 'id-taken' }])
  expect(shown).toHaveLength(4)
})

test('what ends a hold is found again after a lost answer, though it moves nothing', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  const one = draft({ kind: 'void', payer: nadia, payee: me, of: newPayId() })
  service.next = ['lost answer']
  await pay.send(one, { pin: '271828' })
  await reaches(one.id, 'done')
  expect(service.done.get(one.id)?.intent).toMatchObject({ kind: 'void', amount: '0', unit: '' })
  expect(service.handed).toBe(1)
})

test('a tab that dies leaves what it signed to the next one, which asks first', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  service.next = ['lost answer']
  const one = draft()
  await pay.send(one, { pin: '271828' })
  await reaches(one.id, 'sent')
  await until(() => Promise.resolve(service.done.size === 1)) // it has arrived
  lead.end()
  begin()
  lead.connected()
  await reaches(one.id, 'done')
  expect([service.handed, service.done.size]).toEqual([1, 1])
  expect(await bubbles()).toHaveLength(1)
})

test('while the service is away nothing is known, and it is said so', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  service.next = ['lost answer']
  const one = draft()
  await pay.send(one, { pin: '271828' })
  await reaches(one.id, 'sent')
  await until(() => Promise.resolve(service.done.size === 1))
  service.away = true
  lead.wake()
  await until(async () => (await kept(one.id))?.state === 'sent')
  service.away = false
  lead.connected()
  await reaches(one.id, 'done')
  expect(service.done.size).toBe(1)
})

test('what the service refuses stays refused, with its reason', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  service.next = [{ refuse: 'insufficient' }]
  const one = draft()
  await pay.send(one, { pin: '271828' })
  await reaches(one.id, 'refused')
  expect(await bubbles()).toMatchObject([{ state: 'refused', why: 'insufficient' }])
  lead.wake()
  expect(service.done.size).toBe(0)
})

test('a wrong PIN signs nothing', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  const wrong = await pay.send(draft(), { pin: '999999' }).catch(payTrouble)
  expect(wrong).toMatchObject({ why: 'wrong-pin', left: 4 })
  expect(await pay.send(draft(), { pin: '123' }).catch(payTrouble)).toMatchObject({ why: 'pin-short' })
  expect(await db.count('messages')).toBe(0)
})

test('who cancels while it is being signed has paid nothing, however late the answer; once it is kept, nothing stops it', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  let answered = (): void => undefined
  const slow = new Promise<void>((go) => { answered = go })
  const answer = Object.getPrototypeOf(service)['answer'] as (account: string, e: Element, to: string) => Promise<Element>
  let unlocks = 0
  service['answer'] = async (account: string, e: Element, to: string) => { if (e.name === 'unlock' && ++unlocks === 1) await slow; return answer.call(service, account, e, to) }
  const [one, stop] = [draft(), new AbortController()]
  const cancelled = pay.send(one, { pin: '271828' }, stop.signal).catch(payTrouble)
  await until(() => Promise.resolve(unlocks === 1))
  stop.abort()
  expect(await cancelled).toEqual({ why: 'cancelled' })
  const other = draft()
  const sent = pay.send(other, { pin: '271828' })
  answered()
  await sent
  await reaches(other.id, 'done')
  expect([await kept(one.id), service.handed]).toEqual([undefined, 1])
  // The same again is a payment like any other, and its signal comes too late.
  const late = new AbortController()
  expect(await pay.send(one, { pin: '271828' }, late.signal)).toMatchObject({ id: one.id, state: 'signed' })
  late.abort()
  await reaches(one.id, 'done')
  expect(service.handed).toBe(2)
})

test('without a key, and for what the contract does not allow, nothing is signed', async () => {
  await pay.ask('wallet')
  expect(await pay.send(draft(), { pin: '271828' }).catch(payTrouble)).toMatchObject({ why: 'no-key' })
  await pay.setUp({ pin: '271828' }, 'phone')
  for (const bad of [{ amount: 0 }, { amount: -5 }, { amount: 1.5 }, { amount: 2 ** 53 + 2 }, { unit: 'dirham' }, { id: 'short' }, { of: 'x' }]) expect(await pay.send(draft(bad), { pin: '271828' }).catch(payTrouble)).toMatchObject({ why: 'bad-text' })
})

/** What comes of a notice at another device of the account, or at the payee's. */
async function hear(envelopes: (Envelope | undefined)[], account = me): Promise<string[]> {
  const heard: string[] = []
  const opener = { open: () => Promise.resolve(undefined), stored: () => Promise.resolve(), crypto: { beginCatchUp: () => Promise.resolve(), endCatchUp: () => Promise.resolve() } }
  await new Keeper(db, account, opener, news, { arrived: (l) => heard.push(l.chat) }, now).keep(envelopes.flatMap((e) => e ?? []))
  return heard
}
const notice = (from: string, id: string, chat: string, ...children: (Element | undefined)[]) =>
  el('jabber:client', 'message', { from, to: me, type: 'chat', id }, el('jabber:client', 'body', {}, 'paid'), el(NS, 'notice', { id, chat }, ...children))

test('notices are shown in the conversation, once, live or from the archive, and only go forward', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  const one = draft()
  await pay.send(one, { pin: '271828' })
  await reaches(one.id, 'done')
  for (const store of ['pay', 'messages', 'chats'] as const) await db.clear(store) // another device
  const told = notice('pay.example', 'n-aaaaaaaaaaaaaaaaaaaa', nadia, service.payment(one.id))
  await hear([unwrapLive(told, me, now())])
  await hear([unwrapArchived({ id: '1795435500123456', time: 1_795_435_500_123_456, stanza: told }, me), unwrapLive(told, me, now())])
  expect(await bubbles()).toMatchObject([{ id: one.id, state: 'done', chat: nadia }])
  const [message] = await db.getAll('messages')
  expect(message).toMatchObject({ chat: nadia, own: true, from: me })
  const older = notice('pay.example', 'n-bbbbbbbbbbbbbbbbbbbb', nadia, el(NS, 'payment', { ...service.payment(one.id)?.attrs, state: 'waiting' }))
  await hear([unwrapLive(older, me, now())])
  expect(await bubbles()).toMatchObject([{ state: 'done' }])
  expect((await db.getAll('chats')).map((c) => c.jid)).toEqual([nadia])
})

test('what anybody else says of payments is nothing, or a message of theirs', async () => {
  await pay.ask('wallet')
  const forged = el(NS, 'payment', { id: 'f'.repeat(20), kind: 'send', state: 'done', payer: nadia, payee: me, amount: 99_900, unit: 'MAD', fee: 0, for: '', time: '2026-11-22T12:00:00Z', number: '1' })
  expect(await hear([unwrapLive(notice('pay.evil.example', 'n-cccccccccccccccccccc', nadia, forged), me, now())])).toEqual([])
  expect(await db.count('messages')).toBe(0)
  await hear([unwrapLive(notice('mallory@example/x', 'n-dddddddddddddddddddd', nadia, forged), me, now())])
  expect((await db.getAll('messages')).map((m) => [m.chat, m.content.type])).toEqual([['mallory@example', 'text']])
  // Even the service is not believed without its signature.
  await hear([unwrapLive(notice('pay.example', 'n-eeeeeeeeeeeeeeeeeeee', nadia, forged), me, now())])
  expect(await bubbles()).toMatchObject([{ state: 'waiting' }])
})

test('a notice that comes before the service is known waits for that', async () => {
  const request = el(NS, 'request', { id: 'r'.repeat(20), payee: nadia, payer: me, amount: 700, paid: 0, unit: 'MAD', for: 'tea', state: 'open' })
  const from = (who: string, id: string) => unwrapLive(notice(who, id, nadia, request), me, now())
  await hear([from('pay.example', 'n-ffffffffffffffffffff'), from('pay.evil.example', 'n-gggggggggggggggggggg')])
  expect(await db.count('messages')).toBe(0)
  lead.connected()
  await until(async () => await db.count('messages') === 1)
  expect((await db.getAll('messages'))[0]?.content).toMatchObject({ type: 'request', request: { state: 'open', amount: 700 } })
  const paid = el(NS, 'request', { ...request.attrs, paid: '700', state: 'paid' })
  await hear([unwrapLive(notice('pay.example', 'n-hhhhhhhhhhhhhhhhhhhh', nadia, paid), me, now())])
  await hear([from('pay.example', 'n-ffffffffffffffffffff')])
  expect((await db.getAll('messages')).map((m) => m.content)).toMatchObject([{ request: { state: 'paid', paid: 700 } }])
  expect((await db.getAll('pay')).filter((r) => r.what === 'early')).toEqual([])
})

test('a promise without network is signed without the service, counted, and handed in once', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  const { keys } = service
  await pay.setUpOffline('314159', 20_000, 'MAD', { pin: '271828' })
  expect(keys.size).toBe(2)
  service.away = true
  const one = draft({ fee: 0 })
  for (const left of [4, 3]) expect(await pay.promise(one, '000000').catch(payTrouble)).toMatchObject({ why: 'wrong-pin', left })
  const promised = await pay.promise(one, '314159')
  expect(promised).toMatchObject({ payer: me, payee: nadia, amount: 12_500 })
  expect(await bubbles()).toMatchObject([{ state: 'promised', kind: 'offline' }])
  expect((await pay.promise(one, '314159')).code).toBe(promised.code)
  expect(await pay.promise(draft({ amount: 20_001 }), '314159').catch(payTrouble)).toMatchObject({ why: 'over-limit' })
  service.away = false
  lead.connected()
  await reaches(one.id, 'done')
  expect(service.done.size).toBe(1)
  for (let i = 0; i < 5; i++) await pay.promise(draft(), '000000').catch(() => undefined)
  expect(await pay.promise(draft(), '314159').catch(payTrouble)).toMatchObject({ why: 'no-key' })
})

test('who asks for money cannot choose in whose conversation that stands', async () => {
  await pay.ask('wallet')
  const verona = 'verona@groups.example', mallory = 'mallory@example'
  const ask = (letter: string, payee: string, chat: string) => hear([unwrapLive(notice('pay.example', 'n-' + letter.repeat(20), chat, el(NS, 'request', { id: letter.repeat(20), payee, payer: me, amount: 700, paid: 0, unit: 'MAD', for: 'rent', state: 'open', chat })), me, now())])
  const shown = async () => (await db.getAll('messages')).map((m) => [m.from, m.chat])
  await ask('i', mallory, 'mum@example')
  await ask('j', mallory, verona) // a group that is not known here
  expect(await shown()).toEqual([])
  await db.put('chats', { jid: verona, kind: 'group', name: 'Verona', time: 1, unread: 0, protection: 'none' })
  await db.put('kv', true, `members ${verona}`)
  await db.put('members', { group: verona, jid: nadia, nick: 'nadia', affiliation: 'member', rank: 2, sort: 'nadia' })
  await ask('k', mallory, verona)
  expect(await shown()).toEqual([])
  await ask('l', nadia, verona)
  await ask('m', mallory, mallory)
  expect(await shown()).toEqual(expect.arrayContaining([[nadia, verona], [mallory, mallory]]))
})

test('what belongs to a group that is not known here yet is shown in it as soon as it is, and only what may be', async () => {
  await pay.ask('wallet')
  const verona = 'verona@groups.example', mallory = 'mallory@example'
  const ask = (letter: string, payee: string, state = 'open', live = true) => {
    const told = notice('pay.example', 'n-' + letter.repeat(19) + state[0], verona, el(NS, 'request', { id: letter.repeat(20), payee, payer: me, amount: 700, paid: 0, unit: 'MAD', for: 'dinner', state, chat: verona }))
    return hear([live ? unwrapLive(told, me, now()) : unwrapArchived({ id: '1795435500123456', time: 1_795_435_500_123_456, stanza: told }, me)])
  }
  await ask('a', nadia, 'open', false)
  await ask('b', mallory)
  await ask('c', nadia)
  await ask('c', nadia, 'paid')
  expect(await db.count('messages')).toBe(0)
  lead.connected() // nothing is known of the group yet
  await pay.ask('wallet')
  expect(await db.count('messages')).toBe(0)
  await db.put('chats', { jid: verona, kind: 'group', name: 'Verona', time: 1, unread: 0, protection: 'none' })
  await db.put('kv', true, `members ${verona}`)
  await db.put('members', { group: verona, jid: nadia, nick: 'nadia', affiliation: 'member', rank: 2, sort: 'nadia' })
  news.tell({ chats: [verona] })
  await until(async () => await db.count('messages') === 2)
  await until(async () => (await db.getAll('pay')).every((r) => r.what !== 'unshown'))
  expect((await db.getAll('messages')).map((m) => [m.chat, m.from, m.content.type === 'request' && m.content.request.state]).sort()).toEqual([[verona, nadia, 'open'], [verona, nadia, 'paid']])
})

test('a receipt that says held is none for what is told as done', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  const one = draft({ kind: 'hold', until: now() + 86_400_000_000 })
  await pay.send(one, { pin: '271828' })
  await reaches(one.id, 'done')
  for (const store of ['pay', 'messages', 'chats'] as const) await db.clear(store) // another device
  const found = service.done.get(one.id)
  if (!found) throw new Error('not paid')
  found.receipt = await service.receipt(found.intent, writeText('intent', found.intent), 'held')
  const told = async (letter: string, state: PayState) => { found.state = state; await hear([unwrapLive(notice('pay.example', 'n-' + letter.repeat(20), nadia, service.payment(one.id)), me, now())]); return (await kept(one.id))?.state }
  expect(await told('o', 'done')).toBe('waiting')
  expect(await told('p', 'held')).toBe('held')
  expect(await told('q', 'ended')).toBe('ended')
})
