// The key of a device when answers are lost: there is one key, its PIN is the one that was chosen first, and the device finds out by itself.
import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { payDesk } from '../../../src/core/engine/pay-desk.ts'
import { PayLead } from '../../../src/core/engine/pay-lead.ts'
import { newPayId, payTrouble, type Pay, type PayDraft } from '../../../src/core/pay.ts'
import { openAccount, type Database } from '../../../src/core/store/database.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { el, type Element } from '../../../src/core/xmpp/xml.ts'
import { FakePay, NS } from './service.ts'

const me = 'karim@example', nadia = 'nadia@example'
let service: FakePay
let runs = 0
let db: Database, news: News, lead: PayLead, pay: Pay
let online = true
const now = () => Date.now() * 1000
const answer = Object.getPrototypeOf(new FakePay())['answer'] as (account: string, e: Element, to: string) => Promise<Element>

/** A tab; what was kept is there when the page is loaded again. */
function begin(): void {
  news = new News(me + ++runs)
  const session = service.session(me)
  lead = new PayLead({ db, news, account: me, now, session: () => { if (!online) throw Object.assign(new Error(), { name: 'Offline' }); return session } })
  pay = payDesk(db, news, me, ((what: keyof typeof lead.asks, ...args: never[]) => (lead.asks[what] as (...all: never[]) => unknown)(...args)) as never, () => Promise.resolve())
}
function reload(): void {
  lead.end()
  news.close()
  begin()
}
/** What comes of the next keys that are handed in. */
function keys(...how: ('lost' | 'lost answer' | 'refused')[]): void {
  service['answer'] = async (account: string, e: Element, to: string) => {
    const next = e.name === 'key' ? how.shift() : undefined
    if (next === 'refused') throw new StanzaError('bad-request', 'cancel', '', el(NS, 'bad-text'))
    if (next !== 'lost') { const said = await answer.call(service, account, e, to); if (!next) return said }
    throw new StanzaError('timeout', 'wait')
  }
}
beforeEach(async () => {
  online = true
  service = new FakePay()
  db = await openAccount('keys' + ++runs + '@example')
  begin()
})
afterEach(() => {
  lead.end()
  news.close()
  db.close()
})
const until = (check: () => unknown) => vi.waitFor(async () => { if (!await check()) throw new Error('not yet') }, { timeout: 20_000, interval: 10 })
const draft = (): PayDraft => ({ id: newPayId(), kind: 'send', payee: nadia, amount: 12_500, unit: 'MAD', fee: 0, for: '', chat: nadia })
const kept = async () => { const r = await db.get('pay', 'keys '); return r?.what === 'keys' ? r : undefined }

test('a lost answer about a key: the first PIN holds, whoever chooses another is told, and there is one key', async () => {
  keys('lost answer')
  expect(await pay.setUp({ pin: '271828' }, 'phone').catch(payTrouble)).toEqual({ why: 'offline' })
  expect(service.keys.size).toBe(1)
  expect(await pay.setUp({ pin: '314159' }, 'phone').catch(payTrouble)).toEqual({ why: 'key-made' })
  expect(await pay.device()).toMatchObject({ key: 'pin' })
  expect(await pay.send(draft(), { pin: '314159' }).catch(payTrouble)).toMatchObject({ why: 'wrong-pin' })
  expect(await pay.send(draft(), { pin: '271828' })).toMatchObject({ state: 'signed' })
  expect(service.keys.size).toBe(1)
})

test('after a reload the device asks what became of its key, and needs no PIN for that', async () => {
  keys('lost answer')
  await pay.setUp({ pin: '271828' }, 'phone').catch(payTrouble)
  reload()
  expect((await pay.device()).key).toBeUndefined()
  await until(async () => (await pay.device()).key === 'pin')
  expect(await kept()).not.toHaveProperty('asked') // the share is the service's alone from now on
  expect(await pay.send(draft(), { pin: '271828' })).toMatchObject({ state: 'signed' })
})

test('a key that never arrived is handed in again as the same one, also by a page that was loaded anew', async () => {
  keys('lost', 'lost')
  await pay.setUp({ pin: '271828' }, 'phone').catch(payTrouble)
  const first = (await kept())?.main?.id
  expect(await pay.setUp({ pin: '271828' }, 'phone').catch(payTrouble)).toEqual({ why: 'offline' })
  reload()
  await pay.setUp({ pin: '271828' }, 'phone')
  expect([...service.keys.keys()]).toEqual([first])
  expect((await pay.device()).keyId).toBe(first)
})

test('what was chosen without a connection has never left: another PIN takes its place', async () => {
  online = false
  expect(await pay.setUp({ pin: '271828' }, 'phone').catch(payTrouble)).toEqual({ why: 'offline' })
  online = true
  await pay.setUp({ pin: '314159' }, 'phone')
  expect(service.keys.size).toBe(1)
  expect(await pay.send(draft(), { pin: '314159' })).toMatchObject({ state: 'signed' })
})

test('a device that has its key makes no other, from two tabs neither; one that was dropped is replaced', async () => {
  const both = await Promise.all([pay.setUp({ pin: '271828' }, 'phone').catch(payTrouble), pay.setUp({ pin: '314159' }, 'phone').catch(payTrouble)])
  expect(both.filter((one) => 'why' in one)).toEqual([{ why: 'key-made' }])
  expect(await pay.setUp({ pin: '577215' }, 'phone').catch(payTrouble)).toEqual({ why: 'key-made' })
  expect(service.keys.size).toBe(1)
  service.keys.clear()
  await pay.ask('wallet')
  expect((await pay.device()).key).toBeUndefined()
  await pay.setUp({ pin: '577215' }, 'phone')
  expect(await pay.send(draft(), { pin: '577215' })).toMatchObject({ state: 'signed' })
})

test('a key that the service does not want leaves no trace, and the next one is another', async () => {
  keys('refused')
  expect(await pay.setUp({ pin: '271828' }, 'phone').catch(payTrouble)).toEqual({ why: 'bad-text' })
  await pay.setUp({ pin: '314159' }, 'phone')
  expect(service.keys.size).toBe(1)
})

test('a share that the service has not confirmed stays for minutes only; then a key is one if the service has it', async () => {
  const later = () => vi.spyOn(Date, 'now').mockReturnValue(real + 6 * 60_000)
  const real = Date.now()
  keys('lost answer')
  await pay.setUp({ pin: '271828' }, 'phone').catch(payTrouble)
  online = false
  reload()
  await pay.device()
  expect((await kept())?.asked?.parts).toBeDefined() // it may be asked for again
  later()
  reload()
  await until(async () => (await kept())?.asked && !(await kept())?.asked?.parts)
  expect(await pay.setUp({ pin: '271828' }, 'phone').catch(payTrouble)).toEqual({ why: 'offline' })
  online = true
  expect(await pay.setUp({ pin: '314159' }, 'phone').catch(payTrouble)).toEqual({ why: 'key-made' }) // the service has it, with the PIN that was chosen first
  expect(await pay.send(draft(), { pin: '271828' })).toMatchObject({ state: 'signed' })
  expect(service.keys.size).toBe(1)
  vi.restoreAllMocks()
})

test('a key whose share was forgotten before the service had it makes room for another', async () => {
  const real = Date.now()
  keys('lost')
  await pay.setUp({ pin: '271828' }, 'phone').catch(payTrouble)
  const first = (await kept())?.main?.id
  vi.spyOn(Date, 'now').mockReturnValue(real + 6 * 60_000)
  lead.connected() // also where nobody opens payments
  await until(async () => (await kept())?.asked && !(await kept())?.asked?.parts)
  await pay.setUp({ pin: '314159' }, 'phone')
  expect(service.keys.size).toBe(1)
  expect(service.keys.has(first ?? '')).toBe(false)
  expect(await pay.send(draft(), { pin: '314159' })).toMatchObject({ state: 'signed' })
  vi.restoreAllMocks()
})

test('a key for payments without network whose order was lost is the same one the second time', async () => {
  await pay.setUp({ pin: '271828' }, 'phone')
  service['answer'] = async (account: string, e: Element, to: string) => { if (e.name === 'order') throw new StanzaError('timeout', 'wait'); return answer.call(service, account, e, to) }
  expect(await pay.setUpOffline('314159', 20_000, 'MAD', { pin: '271828' }).catch(payTrouble)).toEqual({ why: 'offline' })
  service['answer'] = answer
  reload()
  await pay.setUpOffline('314159', 20_000, 'MAD', { pin: '271828' })
  expect(service.keys.size).toBe(2)
  expect((await pay.device()).offline).toMatchObject({ cap: 20_000 })
})
