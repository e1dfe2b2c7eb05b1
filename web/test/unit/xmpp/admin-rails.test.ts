// What two administrators say about a transfer of which nobody knows, to the real server: it is agreed to, withdrawn or refused.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adminOf } from '../../../src/core/xmpp/admin.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { Resident, Town } from './town.ts'

const PAY = 'urn:palabre:pay:0'
const LOST = 'nobody-answers-for-this-one'
let town: Town
let romeo: Resident
let juliet: Resident

beforeAll(async () => {
  town = await Town.found(['romeo', 'juliet'], "[[pay.units]]\ncode = 'MAD'\n[pay.rail.try.sandbox]\nurl = 'http://127.0.0.1:1'\nunits = ['MAD']\n")
  for (const name of ['romeo', 'juliet']) town.run('account', 'admin', name)
  ;[romeo, juliet] = await Promise.all([new Resident(town, 'romeo').live(), new Resident(town, 'juliet').live()])
  await juliet.connection.request('set', el(PAY, 'cashin', { id: LOST, rail: 'try', amount: 5000, unit: 'MAD', address: '+212600000001' }), { to: 'pay.localhost' })
})
afterAll(async () => {
  for (const who of [romeo, juliet]) who.connection.stop()
  await town.end()
})

test('a verdict is withdrawn by who has proposed it, refused by another one, or agreed to', async () => {
  const [his, hers] = [adminOf(romeo.connection), adminOf(juliet.connection)]
  const propound = async (): Promise<string> => {
    await his.propound({ id: LOST, state: 'settled', why: 'seen in their pages' })
    const open = await hers.verdicts(false)
    expect(open).toMatchObject([{ id: LOST, state: 'settled', by: 'romeo@localhost', words: 'seen in their pages' }])
    return open[0]?.['number'] ?? ''
  }
  for (const [who, jid] of [[his, 'romeo@localhost'], [hers, 'juliet@localhost']] as const) {
    const number = await propound()
    await who.disagree(number)
    expect(await hers.verdicts(false)).toEqual([])
    expect((await his.verdicts(true))[0]).toMatchObject({ number, by: 'romeo@localhost', approver: jid, declined: 'true' })
    await expect(his.disagree(number)).rejects.toMatchObject({ condition: 'not-acceptable' })
    await expect(hers.agree(number)).rejects.toMatchObject({ condition: 'not-acceptable' })
  }
  expect((await his.rails()).unknown).toMatchObject([{ id: LOST }])
  const number = await propound()
  await expect(his.agree(number)).rejects.toMatchObject({ condition: 'not-allowed' })
  await hers.agree(number)
  expect((await his.rails()).unknown).toEqual([])
  expect((await his.verdicts(true))[0]?.['declined']).toBeUndefined()
  await expect(his.disagree(number)).rejects.toMatchObject({ condition: 'not-acceptable' })
})
