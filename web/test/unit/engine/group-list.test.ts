// What the service of groups answers is older than what the log of a group told while the answer was on its way.
import 'fake-indexeddb/auto'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { IDBFactory } from 'fake-indexeddb'
import { GroupList } from '../../../src/core/engine/group-list.ts'
import { change } from '../../../src/core/store/database.ts'
import { forgetKnown } from '../../../src/core/store/members.ts'
import type { Element } from '../../../src/core/xmpp/xml.ts'
import { Town } from '../xmpp/town.ts'
import { Company, isIn } from './company.ts'
import { stubLocks, type Client, type Disk } from './here.ts'

let town: Town
let here: Company
stubLocks()
beforeAll(async () => {
  town = await Town.found(['romeo', 'juliet', 'nurse'])
  here = new Company(town)
})
afterAll(() => town.end())
afterEach(() => {
  here.end()
  vi.restoreAllMocks()
})

/** Does something between the first answer of this kind and who asked. */
function meanwhile(c: Client, which: (payload: Element) => boolean, work: () => Promise<void>): void {
  const { connection } = c.lead.worker
  const request = connection.request.bind(connection)
  let done = false
  vi.spyOn(connection, 'request').mockImplementation(async (type, payload, options) => {
    const answer = await request(type, payload, options)
    if (!done && which(payload)) {
      done = true
      await work()
    }
    return answer
  })
}

test('who went while the members were asked for is not put back', async () => {
  const [romeo, juliet, nurse] = [await here.client('romeo'), await here.client('juliet'), await here.client('nurse')]
  const jid = await here.group('Pages', romeo, juliet, nurse)
  const gone = async () => await juliet.db.get('members', [jid, nurse.jid]) === undefined
  meanwhile(juliet, (payload) => payload.child('item')?.attr('affiliation') === 'member', async () => {
    await romeo.engine.group('remove', jid, nurse.jid)
    await juliet.until(gone)
  })
  await change(juliet.db, ['kv'], (tx) => forgetKnown(tx, jid))
  await juliet.lead.worker.groups.members(jid)
  expect(await gone()).toBe(true)
  expect((await juliet.engine.members(jid)).members.map((m) => m.jid).sort()).toEqual([juliet.jid, romeo.jid])
}, 60_000)

test('who was taken out while the groups were listed is out; a group that one came into meanwhile is not missing', async () => {
  const [romeo, juliet] = [await here.client('romeo'), await here.client('juliet')]
  const jid = await here.group('List', romeo, juliet)
  const ended = async () => (await juliet.db.get('chats', jid))?.group?.ended
  meanwhile(juliet, (payload) => payload.name === 'attend', async () => {
    await romeo.engine.group('remove', jid, juliet.jid)
    await juliet.until(async () => await ended() !== undefined)
  })
  await juliet.lead.worker.groups.here()
  expect(await ended()).toMatchObject({ how: 'removed' })

  const { db, news } = romeo
  const list = new GroupList(db, romeo.jid, news, () => 0)
  const before = await list.versions()
  await romeo.engine.group('setInfo', jid, { name: 'Listed' })
  await romeo.until(async () => (await db.get('chats', jid))?.name === 'Listed')
  await list.missing(new Set(), before)
  expect((await db.get('chats', jid))?.group).toMatchObject({ affiliation: 'owner' })
  await list.missing(new Set(), await list.versions())
  expect((await db.get('chats', jid))?.group).toMatchObject({ affiliation: 'none', ended: { how: 'removed' } })
}, 60_000)

test('who comes back after having been away from a group knows its name, settings and members as they are', async () => {
  const disk: Disk = { factory: new IDBFactory() }
  const [romeo, nurse] = [await here.client('romeo'), await here.client('nurse')]
  let juliet = await here.client('juliet', { disk })
  const jid = await here.group('Before', romeo, juliet)
  await juliet.until(async () => await juliet.db.get('kv', `log ${jid}`) !== undefined)
  juliet.kill()
  await romeo.engine.group('remove', jid, juliet.jid)
  await romeo.engine.group('setInfo', jid, { name: 'Since', description: 'another one' })
  await romeo.engine.group('setSettings', jid, { writes: 'admins' })
  await here.know(romeo, nurse)
  await romeo.engine.group('add', jid, [nurse.jid, juliet.jid])
  juliet = await here.client('juliet', { disk })
  await juliet.until(async () => await isIn(juliet, jid) && (await juliet.db.get('members', [jid, nurse.jid])) !== undefined)
  await juliet.until(async () => (await juliet.db.get('chats', jid))?.name === 'Since')
  expect(await juliet.db.get('chats', jid)).toMatchObject({ group: { description: 'another one', settings: { writes: 'admins' }, members: 3 } })
}, 60_000)
