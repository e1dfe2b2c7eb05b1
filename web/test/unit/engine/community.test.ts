// A community with more devices than can be encrypted for: a line says so once, and what failed goes in clear only when a person sends it again.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { Desk } from '../../../src/core/engine/desk.ts'
import { GroupLogs } from '../../../src/core/engine/group-logs.ts'
import { GroupSend } from '../../../src/core/engine/group-send.ts'
import { changeGroup } from '../../../src/core/engine/group-change.ts'
import { Collector } from '../../../src/core/engine/changes.ts'
import type { Letter } from '../../../src/core/engine/said.ts'
import { change, everything, openAccount, type Database } from '../../../src/core/store/database.ts'
import { closed, type GroupChange } from '../../../src/core/xmpp/groups.ts'

const ME = 'romeo@example.org'
const TOWN = 'town@groups.example.org'
let db: Database
let news: News
const silent = { postMessage: () => undefined, onmessage: null, close: () => undefined }

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  db = await openAccount(ME)
  news = new News(ME, silent)
  await db.put('chats', { jid: TOWN, kind: 'group', name: 'Town', time: 1, unread: 0, protection: 'omemo', group: { members: 4000, affiliation: 'owner', kind: 'community', settings: { ...closed, writes: 'admins' }, version: 1 } })
})
afterEach(() => { news.close(); db.close() })

const lines = async (): Promise<string[]> => (await db.getAll('messages')).sort((a, b) => a.order - b.order).flatMap(({ content }) => content.type === 'system' ? [content.key] : [])

test('what does not fit fails, a line says why, and it leaves in clear when it is sent again', async () => {
  const opener = { open: () => Promise.resolve(undefined), stored: () => Promise.resolve(), crypto: { beginCatchUp: () => Promise.resolve(), endCatchUp: () => Promise.resolve() } }
  const help = new GroupSend(db, ME, new GroupLogs(db, ME, opener, news, {}, () => Date.now() * 1000), news, () => Date.now() * 1000, () => undefined)
  const desk = new Desk(db, ME, news)
  const sent = await desk.send(TOWN, { text: 'school begins' })
  expect(sent.protection).toBe('omemo')
  await help.large(TOWN)
  await help.large(TOWN)
  expect(await lines()).toEqual(['group-large'])
  expect(await db.get('chats', TOWN)).toMatchObject({ protection: 'none', group: { large: true } })
  const kept = await db.get('messages', sent.id)
  if (!kept) throw new Error('it is gone')
  expect(kept.protection).toBe('omemo') // nobody has decided anything about it yet
  await db.put('messages', { ...kept, state: 'failed', failure: 'too-large' })
  await desk.retry(sent.id)
  expect(await db.get('messages', sent.id)).toMatchObject({ protection: 'none', state: 'waiting' })
  expect((await desk.send(TOWN, { text: 'again' })).protection).toBe('none')
  // What can be opened once goes encrypted or not at all.
  await db.put('messages', { ...kept, state: 'failed', failure: 'too-large', content: { type: 'once', as: 'image', file: { key: 'f', name: 'f', mime: 'image/webp', url: 'https://example.org/f', size: 9 } } })
  await desk.retry(sent.id)
  expect(await db.get('messages', sent.id)).toMatchObject({ protection: 'omemo', state: 'waiting' })
})

test('a group of it is told of when it comes and goes, and not again when something else holds of it', async () => {
  const garden = 'garden@groups.example.org'
  let place = 1_790_000_000_000_000
  const tell = (what: GroupChange): Promise<void> => change(db, everything, (tx) => {
    place += 1000
    const letter: Letter = { chat: TOWN, from: TOWN, group: { nick: '' }, own: false, ids: [], archived: String(place), time: place, live: true, wantsReceipt: false, wantsMarker: false, protection: 'none', says: [] }
    return changeGroup({ tx, account: ME, now: place, changes: new Collector() }, letter, what)
  })
  for (const what of ['group-added', 'group-added', 'group-removed', 'group-added']) await tell({ what, by: ME, who: [], jid: garden, name: 'Garden' })
  expect(await lines()).toEqual(['group-inside', 'group-outside', 'group-inside'])
  expect((await db.get('chats', TOWN))?.group?.inside).toEqual([garden])
  await tell({ what: 'community', by: ME, who: [], jid: 'county@groups.example.org' })
  expect((await db.get('chats', TOWN))?.group?.community).toBe('county@groups.example.org')
  await tell({ what: 'community', by: ME, who: [] })
  expect((await db.get('chats', TOWN))?.group).not.toHaveProperty('community')
})
