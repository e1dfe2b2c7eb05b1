// Groups that show no addresses: people are who they are, whatever they are called.
import 'fake-indexeddb/auto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Town } from '../xmpp/town.ts'
import { Company, messages, said } from './company.ts'
import { stubLocks, type Client } from './here.ts'

let town: Town
let here: Company
stubLocks()
beforeAll(async () => {
  town = await Town.found(['romeo', 'juliet', 'nurse'])
  here = new Company(town)
})
afterAll(() => town.end())
afterEach(() => here.end())

const says = async (c: Client, jid: string, text: string) => (await messages(c, jid)).find((m) => m.content.type === 'text' && m.content.text === text)

test('who is called otherwise stays the same; who takes an old name is somebody else; what we said is ours', async () => {
  const [romeo, juliet, nurse] = [await here.client('romeo'), await here.client('juliet'), await here.client('nurse')]
  const jid = await here.group('Masks', romeo, juliet, nurse)
  await romeo.engine.group('setSettings', jid, { anonymous: true })
  for (const c of [juliet, nurse]) await c.until(async () => (await c.db.get('chats', jid))?.group?.settings.anonymous === true)
  for (const c of [juliet, nurse]) await c.lead.worker.groups.here()
  await juliet.engine.send(jid, { text: 'mine' })
  const one = await nurse.engine.send(jid, { text: 'one' })
  await juliet.until(async () => !!await says(juliet, jid, 'one'))
  await nurse.engine.group('setNick', jid, 'Angelica')
  await juliet.engine.group('setNick', jid, 'Capulet')
  await nurse.engine.edit(one.id, 'uno')
  await nurse.engine.send(jid, { text: 'two' })
  await juliet.until(async () => !!await says(juliet, jid, 'two') && !!await says(juliet, jid, 'uno'))
  expect((await says(juliet, jid, 'two'))?.from).toBe((await says(juliet, jid, 'uno'))?.from)
  await romeo.engine.group('setNick', jid, 'nurse')
  await romeo.engine.send(jid, { text: 'disguised' })
  await juliet.until(async () => !!await says(juliet, jid, 'disguised'))
  expect((await says(juliet, jid, 'disguised'))?.from).not.toBe((await says(juliet, jid, 'uno'))?.from)

  const fresh = await here.client('juliet')
  await fresh.until(async () => !!await says(fresh, jid, 'disguised'))
  expect((await messages(fresh, jid)).flatMap((m) => m.own && m.content.type === 'text' ? m.content.text : [])).toEqual(['mine'])
  expect(await said(fresh, jid)).toEqual(['mine', 'uno', 'two', 'disguised'])
}, 60_000)
