// Which payment keys of somebody stay, to the real server: what one administrator proposes another one approves, and a wallet that no key opened is open.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toText } from '../../../src/core/pay/bytes.ts'
import { makePinKey } from '../../../src/core/pay/pin.ts'
import { adminOf } from '../../../src/core/xmpp/admin.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { Resident, Town } from './town.ts'

const PAY = 'urn:palabre:pay:0'
const OWNER = 'mercutio@localhost'
let town: Town
let romeo: Resident
let juliet: Resident
let mercutio: Resident

beforeAll(async () => {
  town = await Town.found(['romeo', 'juliet', 'mercutio'], "[pay]\nfirst_key = '0s'\n[[pay.units]]\ncode = 'MAD'\n")
  for (const name of ['romeo', 'juliet']) town.run('account', 'admin', name)
  ;[romeo, juliet, mercutio] = await Promise.all([new Resident(town, 'romeo').live(), new Resident(town, 'juliet').live(), new Resident(town, 'mercutio').live()])
})
afterAll(async () => {
  for (const who of [romeo, juliet, mercutio]) who.connection.stop()
  await town.end()
})

/** Adds a key of a device, as the client does, and gives its id. */
async function add(name: string): Promise<string> {
  const { key, parts } = await makePinKey('428519', 1)
  const text = (part: string, value: string) => el(PAY, part, {}, value)
  await tell(el(PAY, 'key', { kind: 'pin', name }, text('public', toText(key.point)), text('salt', parts.salt), text('verifier', parts.verifier), text('share', parts.share)))
  return key.id
}
const tell = (what: ReturnType<typeof el>) => mercutio.connection.request('set', what, { to: 'pay.localhost' })

test('keys are listed, and those that are not named go', async () => {
  const [his, hers] = [adminOf(romeo.connection), adminOf(juliet.connection)]
  expect(await his.keys(OWNER)).toEqual([])
  const known = await add('<Phone> & "more"')
  await tell(el(PAY, 'freeze'))
  const foreign = await add('A thi\u202eef')
  const listed = await his.keys(OWNER)
  expect(listed).toMatchObject([{ id: known, name: '<Phone> & "more"', kind: 'pin', opens: 'true' }, { id: foreign, name: 'A thief', kind: 'pin' }])
  expect(listed[1]?.['opens']).toBeUndefined()
  expect(listed.every((k) => Date.parse(k['added'] ?? '') > 0 && Date.parse(k['ready'] ?? '') > 0)).toBe(true)
  await expect(adminOf(mercutio.connection).keys(OWNER)).rejects.toMatchObject({ condition: 'forbidden' })
  await expect(his.propose({ kind: 'keys', account: OWNER, of: 'nothing', why: 'seen' })).rejects.toMatchObject({ condition: 'item-not-found' })

  await his.propose({ kind: 'keys', account: OWNER, of: foreign, why: 'their papers were seen' })
  const { rows } = await hers.office('proposals')
  expect(rows).toMatchObject([{ kind: 'keys', account: OWNER, of: foreign, by: 'romeo@localhost', words: 'their papers were seen' }])
  await expect(his.decide(rows[0]?.['id'] ?? '', true)).rejects.toMatchObject({ condition: 'not-allowed' })
  await hers.decide(rows[0]?.['id'] ?? '', true)
  expect((await hers.keys(OWNER)).map((k) => k['id'])).toEqual([foreign])
  expect((await hers.purse(OWNER)).facts['frozen']).toBeUndefined()
})

test('with none that stays the owner makes a new one, and one that no key opens is not let go on', async () => {
  const [his, hers] = [adminOf(romeo.connection), adminOf(juliet.connection)]
  await tell(el(PAY, 'freeze'))
  expect((await his.purse(OWNER)).facts['shut']).toBe('true')
  await expect(his.changePurse(OWNER, { do: 'go-on', why: 'asked to' })).rejects.toMatchObject({ condition: 'not-allowed' })
  await his.propose({ kind: 'keys', account: OWNER, of: '', why: 'the PIN is forgotten' })
  const { rows } = await hers.office('proposals')
  expect(rows[0]?.['of'] ?? '').toBe('')
  await hers.decide(rows[0]?.['id'] ?? '', true)
  expect(await his.keys(OWNER)).toEqual([])
  expect((await his.purse(OWNER)).facts['frozen']).toBeUndefined()
  const fresh = await add('A new phone')
  expect((await his.keys(OWNER)).map((k) => k['id'])).toEqual([fresh])
})
