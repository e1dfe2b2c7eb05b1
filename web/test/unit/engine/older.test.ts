// Somebody reads on two devices: one has OMEMO 2, the other 0.3 alone, as most apps have. The first reads all that was said, the second all that has
// words; and of what was said, nothing but reactions goes in clear.
import 'fake-indexeddb/auto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Content } from '../../../src/core/model.ts'
import { fetchDevices } from '../../../src/core/xmpp/omemo.ts'
import { Town } from '../xmpp/town.ts'
import { Client, stubLocks } from './here.ts'

let town: Town
let romeo: Client
let fresh: Client
let old: Client
/** Every stanza that Romeo sent, as it was written. */
const wire: string[] = []
stubLocks()

beforeAll(async () => {
  town = await Town.found(['romeo', 'juliet'])
  fresh = await (await Client.open(town, 'juliet')).live()
  old = await (await Client.open(town, 'juliet', { older: true })).live()
  romeo = await (await Client.open(town, 'romeo')).live()
  const listed = async (version: '2' | '0.3') => (await fetchDevices(romeo.lead.worker.connection, fresh.jid, version)).length
  await romeo.until(async () => await listed('2') === 1 && await listed('0.3') === 2) // to Romeo, who is nobody to Juliet, they are not told
  const { connection } = romeo.lead.worker
  const send = connection.send.bind(connection)
  connection.send = (stanza, done) => {
    wire.push(String(stanza))
    send(stanza, done)
  }
}, 60_000)
afterAll(async () => {
  for (const client of [romeo, fresh, old]) client.kill()
  await town.end()
})

const contents = async (client: Client) => (await client.messages('romeo')).map((m) => m.content)
/** All that was said so far is everywhere. */
async function settled(): Promise<void> {
  await romeo.until(async () => (await romeo.db.count('outbox')) === 0)
  await romeo.engine.send('juliet@localhost', { text: 'so far' })
  for (const client of [fresh, old]) {
    const before = marks.get(client) ?? 0
    await client.until(async () => (await client.texts('romeo')).filter((t) => t === 'so far').length > before)
    marks.set(client, before + 1)
  }
}
const marks = new Map<Client, number>()
const said = async (client: Client) => (await contents(client)).filter((c) => !(c.type === 'text' && c.text === 'so far') && c.type !== 'system')

const media = { key: 'u https://localhost/x.webp', name: 'verona.webp', mime: 'image/webp', size: 1, url: `aesgcm://localhost/x.webp#${'0'.repeat(24)}${'ab'.repeat(32)}` }
const picture: Content = { type: 'image', media, caption: 'secret balcony' }
const poll: Content = { type: 'poll', question: 'secret question', options: ['yes', 'no'], many: false, votes: {} }

test('a picture keeps its words: beside it where it can, after it where not', async () => {
  await romeo.engine.send('juliet@localhost', { content: picture })
  await settled()
  expect(await said(fresh)).toEqual([expect.objectContaining({ type: 'image', caption: 'secret balcony' })])
  expect(await said(old)).toEqual([expect.objectContaining({ type: 'image' }), { type: 'text', text: 'secret balcony' }])
  expect((await romeo.messages('juliet')).filter((m) => m.content.type === 'image').map((m) => m.state)).toEqual(['sent'])
})

test('other words for it: the picture stays, its words change on both', async () => {
  const [sent] = await romeo.messages('juliet')
  await romeo.engine.edit(sent?.id ?? '', 'secret window')
  await settled()
  expect(await said(fresh)).toEqual([expect.objectContaining({ type: 'image', caption: 'secret window' })])
  expect(await said(old)).toEqual([expect.objectContaining({ type: 'image', media: expect.objectContaining({ url: media.url }) as object }), { type: 'text', text: 'secret window' }])
})

test('who answers the words answers the picture', async () => {
  const words = (await old.messages('romeo')).find((m) => m.content.type === 'text')
  await old.engine.send('romeo@localhost', { text: 'I see', reply: words?.id })
  const [sent] = await romeo.messages('juliet')
  for (const client of [romeo, fresh]) {
    const name = client === romeo ? 'juliet' : 'romeo'
    await client.until(async () => (await client.texts(name)).includes('I see'))
    const answer = (await client.messages(name)).find((m) => m.content.type === 'text' && m.content.text === 'I see')
    expect(answer?.reply?.id).toBe(client === romeo ? sent?.id : (await fresh.messages('romeo')).find((m) => m.content.type === 'image')?.id)
  }
})

test('poll, vote and pin reach who knows them, encrypted; a reaction reaches everybody', async () => {
  const { id } = await romeo.engine.send('juliet@localhost', { content: poll })
  await settled()
  await romeo.engine.vote(id, [1])
  await romeo.engine.pin(id, true)
  await romeo.engine.react(id, '🌹')
  await settled()
  const [read] = (await fresh.messages('romeo')).filter((m) => m.content.type === 'poll')
  expect(read).toMatchObject({ pinned: true, reactions: { '🌹': ['romeo@localhost'] }, content: { ...poll, votes: { 'romeo@localhost': [1] } } })
  const [text] = (await old.messages('romeo')).filter((m) => m.content.type === 'text' && m.content.text.includes('secret question'))
  expect(text).toMatchObject({ reactions: { '🌹': ['romeo@localhost'] }, content: { text: 'secret question\n1. yes\n2. no' } })
})

test('taken back: the words go with the picture', async () => {
  const [sent] = (await romeo.messages('juliet')).filter((m) => m.content.type === 'image')
  await romeo.engine.remove([sent?.id ?? ''], true)
  await settled()
  for (const client of [fresh, old]) {
    const left = (await client.messages('romeo')).filter((m) => !m.retracted).map((m) => JSON.stringify(m.content)).join('\n')
    expect(left).not.toMatch(/balcony|window|verona|x\.webp/)
  }
  expect((await old.messages('romeo')).filter((m) => m.retracted)).toHaveLength(2)
})

test('nothing of it went in clear but the reaction', () => {
  const all = wire.join('\n')
  expect(all).not.toMatch(/secret|aesgcm|webp|urn:palabre:(poll|pin|looks)/)
  expect(all.match(/🌹/g)).toHaveLength(1)
})
