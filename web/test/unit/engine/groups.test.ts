// Groups of whole clients at the real server: encrypted, in one order on every device, caught up with from their logs, never doubled.
import 'fake-indexeddb/auto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { IDBFactory } from 'fake-indexeddb'
import { GroupSend } from '../../../src/core/engine/group-send.ts'
import { newPlace } from '../../../src/core/groups.ts'
import { BOOKMARKS } from '../../../src/core/xmpp/ns.ts'
import { getItems } from '../../../src/core/xmpp/pubsub.ts'
import { Proxy } from '../xmpp/proxy.ts'
import { Town } from '../xmpp/town.ts'
import { Company, isIn, lines, messages, said } from './company.ts'
import { stubLocks, type Client, type Disk } from './here.ts'

let town: Town
let proxy: Proxy
let here: Company
stubLocks()
beforeAll(async () => {
  town = await Town.found(['romeo', 'juliet', 'nurse', 'tybalt', 'paris', 'rosaline', 'mercutio', 'benvolio'])
  here = new Company(town)
})
afterAll(() => town.end())
beforeEach(async () => { proxy = await Proxy.open(() => town.port) })
afterEach(() => {
  here.end()
  proxy.close()
  vi.unstubAllGlobals()
})

const client: Company['client'] = (...args) => here.client(...args)
const know: Company['know'] = (...args) => here.know(...args)
const group: Company['group'] = (...args) => here.group(...args)

test('three people make a group and talk in it, encrypted, in one order', async () => {
  const [romeo, juliet, nurse] = [await client('romeo'), await client('juliet'), await client('nurse')]
  const jid = await group('Verona', romeo, juliet, nurse)
  expect(await romeo.db.get('chats', jid)).toMatchObject({ kind: 'group', name: 'Verona', protection: 'omemo', group: { affiliation: 'owner', members: 3, settings: { private: true, adds: 'all' } } })
  await romeo.engine.send(jid, { text: 'one' })
  for (const c of [romeo, juliet, nurse]) await c.until(async () => (await said(c, jid)).includes('one'))
  await Promise.all([juliet.engine.send(jid, { text: 'two' }), nurse.engine.send(jid, { text: 'three' })])
  for (const c of [romeo, juliet, nurse]) await c.until(async () => (await said(c, jid)).length === 3 && (await messages(c, jid)).every((m) => m.content.type === 'system' || m.archiveId))
  const first = await said(romeo, jid)
  for (const c of [juliet, nurse]) expect(await said(c, jid)).toEqual(first)
  const one = (await messages(juliet, jid)).find((m) => m.content.type === 'text' && m.content.text === 'one')
  expect(one).toMatchObject({ from: romeo.jid, own: false, protection: 'omemo' })
  expect((await romeo.engine.members(jid)).members.map((m) => [m.jid, m.affiliation])).toEqual([['romeo@localhost', 'owner'], ['juliet@localhost', 'member'], ['nurse@localhost', 'member']])
  expect(await lines(romeo, jid)).toContain('group-added')
}, 60_000)

test('who was offline catches up from the log: everything, in the same order, with the lines of what changed', async () => {
  const disk: Disk = { factory: new IDBFactory() }
  const [romeo, juliet] = [await client('romeo'), await client('juliet')]
  let nurse = await client('nurse', { disk })
  const jid = await group('Orchard', romeo, juliet, nurse)
  await nurse.engine.send(jid, { text: 'here' })
  for (const c of [romeo, juliet]) await c.until(async () => (await said(c, jid)).includes('here'))
  nurse.kill()
  for (let i = 0; i < 30; i++) await (i % 2 ? romeo : juliet).engine.send(jid, { text: `t${i}` })
  await romeo.engine.group('setInfo', jid, { name: 'Garden' })
  await romeo.until(async () => (await said(romeo, jid)).length === 31 && (await messages(romeo, jid)).every((m) => m.archiveId) && (await lines(romeo, jid)).includes('group-name'))
  nurse = await client('nurse', { disk })
  await nurse.until(async () => (await said(nurse, jid)).length === 31 && (await lines(nurse, jid)).includes('group-name'))
  expect(await said(nurse, jid)).toEqual(await said(romeo, jid))
  expect(await said(nurse, jid)).not.toContain('?')
  const chat = await nurse.db.get('chats', jid)
  expect(chat).toMatchObject({ name: 'Garden', unread: 30 })
  await nurse.engine.read(jid, Infinity)
  expect((await nurse.db.get('chats', jid))?.unread).toBe(0)
}, 60_000)

test('connections that break and a server that is killed lose and double nothing', async () => {
  const [tybalt, paris] = [await client('tybalt', { url: () => proxy.url }), await client('paris', { url: () => proxy.url })]
  const jid = await group('Square', tybalt, paris)
  const words: string[] = []
  for (let i = 0; i < 24; i++) {
    words.push(`w${i}`)
    await tybalt.engine.send(jid, { text: words.at(-1) })
    if (i % 6 === 3) proxy.cut()
    if (i === 16) await town.stop()
  }
  await town.start()
  for (const c of [tybalt, paris]) c.engine.reconnect()
  await paris.until(async () => (await said(paris, jid)).length >= words.length)
  await tybalt.until(async () => (await messages(tybalt, jid)).every((m) => m.state !== 'waiting' && m.archiveId))
  for (const c of [tybalt, paris]) expect(await said(c, jid)).toEqual(words)
}, 90_000)

test('tabs that are killed while they send go on: nothing lost, nothing doubled, one order', async () => {
  const disks: Disk[] = [{ factory: new IDBFactory() }, { factory: new IDBFactory() }]
  let [mercutio, benvolio] = [await client('mercutio', { disk: disks[0] }), await client('benvolio', { disk: disks[1] })]
  const jid = await group('Street', mercutio, benvolio)
  const words: string[] = []
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 4; i++) {
      words.push(`r${round} ${i}`)
      await mercutio.engine.send(jid, { text: words.at(-1) })
      if (i === 2) await benvolio.engine.send(jid, { text: `b${round}` })
    }
    mercutio.kill()
    benvolio.kill()
    mercutio = await client('mercutio', { disk: disks[0] })
    benvolio = await client('benvolio', { disk: disks[1] })
  }
  for (const c of [mercutio, benvolio]) await c.until(async () => (await said(c, jid)).length === words.length + 3 && (await messages(c, jid)).every((m) => m.archiveId && m.state !== 'waiting'))
  expect(await said(benvolio, jid)).toEqual(await said(mercutio, jid))
  expect((await said(mercutio, jid)).filter((t) => t.startsWith('r'))).toEqual(words)
}, 90_000)

test('an entry that did not come is missed, and read from the log', async () => {
  const [romeo, juliet] = [await client('romeo'), await client('juliet')]
  const jid = await group('Tomb', romeo, juliet)
  const { groups } = juliet.lead.worker
  const take = groups.take.bind(groups)
  let lost = 0
  groups.take = (stanza) => stanza.attr('from')?.includes('/') && stanza.child('entry', 'urn:palabre:group:0') && lost++ % 2 === 0 ? Promise.resolve() : take(stanza)
  for (let i = 0; i < 6; i++) {
    await romeo.engine.send(jid, { text: `g${i}` })
    await romeo.until(async () => (await messages(romeo, jid)).every((m) => m.archiveId))
  }
  await juliet.until(async () => (await said(juliet, jid)).length === 6)
  expect(lost).toBeGreaterThanOrEqual(6)
  expect(await said(juliet, jid)).toEqual(['g0', 'g1', 'g2', 'g3', 'g4', 'g5'])
}, 60_000)

test('who is added later reads from then on; who was removed reads and writes nothing more', async () => {
  const [romeo, juliet, nurse] = [await client('romeo'), await client('juliet'), await client('nurse')]
  const jid = await group('Chapel', romeo, juliet)
  await romeo.engine.send(jid, { text: 'before' })
  await juliet.until(async () => (await said(juliet, jid)).includes('before'))
  await know(juliet, nurse)
  expect(await juliet.engine.group('add', jid, [nurse.jid, 'nobody@localhost'])).toEqual([{ jid: 'nobody@localhost', why: 'unknown' }])
  for (const c of [romeo, nurse]) await c.until(async () => (await c.db.get('members', [jid, nurse.jid])) !== undefined)
  await romeo.engine.send(jid, { text: 'since' })
  for (const c of [juliet, nurse]) await c.until(async () => (await said(c, jid)).includes('since'))
  expect(await said(nurse, jid)).toEqual(['since'])
  await romeo.engine.group('remove', jid, nurse.jid)
  await nurse.until(async () => (await nurse.db.get('chats', jid))?.group?.ended !== undefined)
  expect((await nurse.db.get('chats', jid))?.group).toMatchObject({ affiliation: 'none', ended: { how: 'removed' } })
  await nurse.engine.send(jid, { text: 'am I still there?' })
  await nurse.until(async () => (await messages(nurse, jid)).at(-1)?.state === 'failed')
  expect((await messages(nurse, jid)).at(-1)?.failure).toBe('no-voice')
  await romeo.engine.send(jid, { text: 'she is gone' })
  await juliet.until(async () => (await said(juliet, jid)).includes('she is gone'))
  expect(await said(nurse, jid)).toEqual(['since', 'am I still there?'])
}, 60_000)

test('corrections, reactions, replies, taking back, and taking away reach everybody', async () => {
  const [romeo, juliet, nurse] = [await client('romeo'), await client('juliet'), await client('nurse')]
  const jid = await group('Balcony', romeo, juliet, nurse)
  const find = async (c: Client, text: string) => (await messages(c, jid)).find((m) => m.content.type === 'text' && m.content.text === text)
  const sent = await juliet.engine.send(jid, { text: 'wherefour' })
  await juliet.engine.edit(sent.id, 'wherefore')
  for (const c of [romeo, nurse]) await c.until(async () => !!await find(c, 'wherefore'))
  const target = await find(romeo, 'wherefore')
  await romeo.engine.react(target?.id ?? '', '🌹')
  await romeo.engine.send(jid, { text: 'here', reply: target?.id })
  for (const c of [juliet, nurse]) await c.until(async () => (await find(c, 'wherefore'))?.reactions?.['🌹']?.[0] === romeo.jid && !!await find(c, 'here'))
  expect((await find(nurse, 'here'))?.reply?.id).toBe((await find(nurse, 'wherefore'))?.id)
  expect((await find(juliet, 'here'))?.reply).toMatchObject({ to: juliet.jid })
  expect(await juliet.db.get('chats', jid)).toMatchObject({ mentioned: true, calls: { count: 1, first: (await find(juliet, 'here'))?.id } })
  await juliet.engine.read(jid, Infinity)
  expect((await juliet.db.get('chats', jid))?.calls).toBeUndefined()
  await juliet.engine.remove([sent.id], true)
  for (const c of [romeo, nurse]) await c.until(async () => (await messages(c, jid)).some((m) => m.retracted?.by === juliet.jid))
  await romeo.engine.group('moderate', (await find(romeo, 'here'))?.id ?? '', 'too loud')
  for (const c of [romeo, juliet, nurse]) await c.until(async () => (await said(c, jid)).join() === '-,-')
  expect((await messages(nurse, jid)).filter((m) => m.retracted).at(-1)?.retracted).toMatchObject({ by: romeo.jid, reason: 'too loud' })
  await expect(nurse.engine.group('moderate', (await messages(nurse, jid)).find((m) => m.retracted)?.id ?? '')).rejects.toThrow()
}, 60_000)

test('by a link, let in by an administrator; roles, bans, and a group that is handed on', async () => {
  const [romeo, juliet, rosaline] = [await client('romeo'), await client('juliet'), await client('rosaline')]
  const jid = await group('Feast', romeo, juliet)
  await romeo.engine.group('setSettings', jid, { approval: true })
  const link = await romeo.engine.group('makeLink', jid, { seconds: 3600, uses: 5 })
  expect(await rosaline.engine.group('preview', link.uri ?? '')).toMatchObject({ jid, name: 'Feast', members: 2, joined: false })
  expect(await rosaline.engine.group('join', link.uri ?? '')).toEqual({ jid, waits: true })
  expect(await romeo.engine.group('requests', jid)).toMatchObject([{ jid: rosaline.jid }])
  await romeo.engine.group('decide', jid, rosaline.jid, true)
  await rosaline.until(() => isIn(rosaline, jid))
  await romeo.until(async () => (await romeo.db.get('members', [jid, rosaline.jid])) !== undefined)
  await romeo.engine.send(jid, { text: 'welcome' })
  await rosaline.until(async () => (await said(rosaline, jid)).includes('welcome'))
  await romeo.engine.group('setRole', jid, juliet.jid, 'admin')
  await juliet.until(async () => (await juliet.db.get('chats', jid))?.group?.affiliation === 'admin')
  await romeo.engine.group('setSettings', jid, { writes: 'admins' })
  await rosaline.until(async () => (await rosaline.db.get('chats', jid))?.group?.settings.writes === 'admins')
  await rosaline.engine.send(jid, { text: 'may I?' })
  await rosaline.until(async () => (await messages(rosaline, jid)).at(-1)?.failure === 'no-voice')
  const refused = (await messages(rosaline, jid)).at(-1)?.id
  await romeo.engine.group('setSettings', jid, { writes: 'all' })
  await rosaline.until(async () => (await rosaline.db.get('chats', jid))?.group?.settings.writes === 'all')
  const about = await rosaline.engine.send(jid, { text: 'as I said', reply: refused })
  await rosaline.engine.send(jid, { text: 'hear me' })
  await romeo.until(async () => (await said(romeo, jid)).includes('hear me')) // nothing waits for what was refused
  expect((await messages(rosaline, jid)).find((m) => m.id === about.id)).toMatchObject({ state: 'failed', failure: 'no-voice' })
  await juliet.engine.group('ban', jid, rosaline.jid, 'enough')
  await rosaline.until(async () => (await rosaline.db.get('chats', jid))?.group?.ended?.how === 'banned')
  expect(await romeo.engine.group('banned', jid)).toEqual([rosaline.jid])
  await expect(rosaline.engine.group('join', link.uri ?? '')).rejects.toMatchObject({ condition: 'forbidden' })
  await romeo.engine.group('leave', jid)
  await juliet.until(async () => (await juliet.db.get('chats', jid))?.group?.affiliation === 'owner')
  expect((await romeo.db.get('chats', jid))?.group).toMatchObject({ affiliation: 'none', ended: { how: 'left' } })
  for (const key of ['group-approval-on', 'group-link', 'group-added', 'group-admin', 'group-writes-admins', 'group-banned', 'group-left', 'group-owner']) expect(await lines(juliet, jid)).toContain(key)
}, 60_000)

test('a stranger is invited, not added: they come in when they say so, or decline; the group is known by its picture and bookmark', async () => {
  vi.stubGlobal('createImageBitmap', () => Promise.resolve({ width: 1, height: 1, close: () => undefined }))
  vi.stubGlobal('OffscreenCanvas', class {
    getContext() { return null }
    convertToBlob() { return Promise.resolve(new Blob([new Uint8Array([0, 1, 2])], { type: 'image/jpeg' })) }
  })
  const [romeo, tybalt, paris] = [await client('romeo'), await client('tybalt'), await client('paris')]
  const { jid } = await romeo.engine.group('create', { name: 'Duel', members: [tybalt.jid, paris.jid], picture: new Blob([new Uint8Array([0, 1, 2])], { type: 'image/png' }) })
  for (const c of [tybalt, paris]) await c.until(async () => (await c.db.get('chats', jid))?.group?.invited?.by === romeo.jid)
  expect(await tybalt.db.get('chats', jid)).toMatchObject({ name: 'Duel', group: { affiliation: 'none' } })
  expect((await romeo.engine.group('invitations', jid)).map((one) => one.jid).sort()).toEqual([paris.jid, tybalt.jid])
  await romeo.engine.send(jid, { text: 'before you came' })
  await romeo.until(async () => (await messages(romeo, jid)).some((m) => m.content.type === 'text' && m.archiveId))
  expect(await tybalt.engine.group('join', jid)).toEqual({ jid, waits: false })
  await tybalt.until(() => isIn(tybalt, jid))
  await romeo.until(async () => (await romeo.db.get('members', [jid, tybalt.jid])) !== undefined)
  await romeo.engine.send(jid, { text: 'have at thee' })
  await tybalt.until(async () => (await said(tybalt, jid)).join() === 'have at thee')
  await tybalt.until(async () => (await tybalt.db.get('chats', jid))?.avatar !== undefined)
  await paris.engine.group('decline', jid)
  await romeo.until(async () => (await romeo.engine.group('invitations', jid)).length === 0)
  expect((await paris.db.get('chats', jid))?.last).toBeUndefined()
  await romeo.until(async () => (await getItems(romeo.lead.worker.connection, BOOKMARKS, { ids: [jid] })).length === 1)
}, 60_000)

test('what is made again after an answer that was lost is no second group, and no second community', async () => {
  const [romeo, juliet] = [await client('romeo'), await client('juliet')]
  const wanted = { place: newPlace(), name: 'Once', members: [juliet.jid] }
  const first = await romeo.engine.group('create', { ...wanted, members: [] }) // who was to be in it was not said any more
  expect(await romeo.engine.group('create', wanted)).toEqual({ jid: first.jid, refused: [] })
  await juliet.until(async () => (await juliet.db.get('chats', first.jid)) !== undefined)
  const town = { place: newPlace(), name: 'Town', access: 'invited' as const }
  expect(await romeo.engine.community('create', town)).toEqual(await romeo.engine.community('create', town))
  await romeo.until(async () => (await romeo.db.getAll('chats')).filter((c) => c.name === 'Once' || c.name === 'Town').length === 2)
  expect((await romeo.db.getAll('chats')).filter((c) => c.name === 'Once').map((c) => c.jid)).toEqual([first.jid])
}, 60_000)

test('a slow group: what is said too soon waits and leaves by itself', async () => {
  const [romeo, juliet] = [await client('romeo'), await client('juliet')]
  const jid = await group('Slow', romeo, juliet)
  await romeo.engine.group('setSettings', jid, { slow: 3 })
  await juliet.until(async () => (await juliet.db.get('chats', jid))?.group?.settings.slow === 3)
  for (const text of ['one', 'two']) await juliet.engine.send(jid, { text })
  await romeo.until(async () => (await said(romeo, jid)).join() === 'one,two')
  const [one, two] = (await messages(romeo, jid)).filter((m) => m.content.type === 'text')
  expect((two?.order ?? 0) - (one?.order ?? 0)).toBeGreaterThanOrEqual(3e6)
  await juliet.until(async () => (await messages(juliet, jid)).every((m) => m.state !== 'waiting' && m.state !== 'failed'))
}, 60_000)

test('an open group is not encrypted, and says so; who has no keys is told of, and stops nobody', async () => {
  const [mercutio, benvolio] = [await client('mercutio'), await client('benvolio')]
  const jid = await group('Market', mercutio, benvolio)
  await mercutio.engine.group('setSettings', jid, { private: false, listed: true })
  await benvolio.until(async () => (await benvolio.db.get('chats', jid))?.protection === 'none')
  for (const key of ['group-open', 'group-listed']) expect(await lines(benvolio, jid)).toContain(key)
  await mercutio.engine.group('setSettings', jid, { anonymous: true })
  await benvolio.until(async () => (await lines(benvolio, jid)).includes('group-veiled'))
  await mercutio.engine.group('setSettings', jid, { anonymous: false })
  await benvolio.until(async () => (await lines(benvolio, jid)).includes('group-unveiled'))
  await benvolio.engine.send(jid, { text: 'for all' })
  await mercutio.until(async () => (await said(mercutio, jid)).includes('for all'))
  expect((await messages(mercutio, jid)).find((m) => m.content.type === 'text')?.protection).toBe('none')
  expect((await mercutio.engine.group('find')).groups).toContainEqual({ jid, name: 'Market' })
  const other = await group('Crypt', mercutio, benvolio)
  const { worker } = mercutio.lead
  const help = new GroupSend(mercutio.db, mercutio.jid, worker.groups, mercutio.news, () => worker.now(), () => undefined)
  for (let i = 0; i < 2; i++) await help.keyless(other, [benvolio.jid])
  expect((await lines(mercutio, other)).filter((key) => key === 'group-keyless')).toEqual(['group-keyless'])
  expect((await mercutio.engine.members(other, { words: 'benv' })).members).toMatchObject([{ jid: benvolio.jid, keyless: true }])
  await help.keyless(other, [])
  expect((await mercutio.engine.members(other, { words: 'benv' })).members[0]?.keyless).toBeUndefined()
}, 60_000)

test('a member who is removed while they write: what was ticked is in the log of the others, once, and the rest has failed', async () => {
  const [romeo, juliet, nurse] = [await client('romeo'), await client('juliet'), await client('nurse')]
  const jid = await group('Gate', romeo, juliet, nurse)
  const words = Array.from({ length: 10 }, (_, i) => `n${i}`)
  for (const [i, text] of words.entries()) {
    await nurse.engine.send(jid, { text })
    if (i === 4) void romeo.engine.group('remove', jid, nurse.jid)
  }
  await nurse.until(async () => (await messages(nurse, jid)).every((m) => m.state !== 'waiting') && (await nurse.db.get('chats', jid))?.group?.ended !== undefined)
  const ticked = (await messages(nurse, jid)).flatMap((m) => m.state === 'sent' && m.content.type === 'text' ? m.content.text : [])
  expect(words.filter((w) => ticked.includes(w))).toEqual(ticked)
  await romeo.engine.send(jid, { text: 'end' })
  await juliet.until(async () => (await said(juliet, jid)).includes('end'))
  expect((await said(juliet, jid)).filter((t) => t !== 'end')).toEqual(ticked)
}, 60_000)

test('two devices of one person: what one has read the other has, and what one says', async () => {
  const [romeo, one, two] = [await client('romeo'), await client('juliet'), await client('juliet')]
  const jid = await group('Window', romeo, one)
  await two.until(() => isIn(two, jid))
  await romeo.until(async () => (await romeo.engine.devices(one.jid)).filter((d) => d.active).map((d) => d.id).filter((id) => [one, two].some((c) => c.lead.worker.secure.deviceID === id)).length === 2)
  await romeo.engine.send(jid, { text: 'light' })
  for (const c of [one, two]) await c.until(async () => (await said(c, jid)).includes('light') && (await c.db.get('chats', jid))?.unread === 1)
  await one.engine.read(jid, Infinity)
  await two.until(async () => (await two.db.get('chats', jid))?.unread === 0)
  await one.engine.send(jid, { text: 'night' })
  await two.until(async () => (await said(two, jid)).includes('night'))
  expect((await messages(two, jid)).at(-1)).toMatchObject({ own: true, from: one.jid, state: 'sent' })
}, 60_000)
