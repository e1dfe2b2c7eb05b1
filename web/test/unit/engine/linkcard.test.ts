// Cards of links, whole: a page, the server that reads it for one client, and the other client, which is shown the card and fetches nothing.
import 'fake-indexeddb/auto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { lineOf, parseLine } from '../../../src/core/engine/history-lines.ts'
import { fromBase64, StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { Town } from '../xmpp/town.ts'
import { Client, stubLocks } from './here.ts'

/** A PNG of 40 × 40. */
const PICTURE = fromBase64('iVBORw0KGgoAAAANSUhEUgAAACgAAAAoCAMAAAC7IEhfAAAAA1BMVEXIQCDz0ZXvAAAAFUlEQVR42mNgGAWjYBSMglEwCmgHAAZoAAFIOgNnAAAAAElFTkSuQmCC')

let site: Server
let base = ''
let read: string[] = []
let town: Town
let off: Town
const open: Client[] = []
stubLocks()

beforeAll(async () => {
  site = createServer((request, response) => {
    read.push(request.url ?? '')
    if (request.url === '/picture') return void response.setHeader('content-type', 'image/png').end(PICTURE)
    if (request.url !== '/page') return void response.writeHead(404).end()
    response.setHeader('content-type', 'text/html').end('<title>The orchard</title><meta name=description content="A wall &amp; a window"><meta property=og:site_name content=Verona><meta property=og:image content=/picture>')
  })
  await new Promise<void>((resolve) => { site.listen(0, '127.0.0.1', resolve) })
  base = `http://127.0.0.1:${site.address().port}`
  ;[town, off] = await Promise.all([Town.found(['romeo', 'juliet'], '[linkcard]\nallow_private = true'), Town.found(['romeo'], '[linkcard]\nenabled = false')])
})
afterAll(() => {
  site.close()
  return Promise.all([town.end(), off.end()])
})
afterEach(() => {
  for (const client of open.splice(0)) client.kill()
  read = []
})

async function client(name: string, where = town): Promise<Client> {
  const one = await Client.open(where, name)
  open.push(one)
  return one
}

/** All that the server has in its database. */
const onDisk = (): string => {
  const data = join(town.folder, 'data')
  return readdirSync(data).filter((name) => name.startsWith('palabre.db')).map((name) => readFileSync(join(data, name), 'latin1')).join('')
}

test('a card goes encrypted with its message, through a correction, and into the history', async () => {
  const [romeo, juliet] = [await client('romeo'), await client('juliet')]
  await Promise.all([romeo.live(), juliet.live()])
  const url = base + '/page'
  expect(await romeo.engine.makesCards()).toBe(true)
  expect(read).toEqual([])
  const preview = await romeo.engine.card(url)
  expect(preview).toMatchObject({ url, title: 'The orchard', description: 'A wall & a window', site: 'Verona' })
  expect(preview?.image).toMatch(/^data:image\/jpeg;base64,/)
  expect(read).toEqual(['/page', '/picture'])
  expect(await romeo.engine.card(base + '/none')).toBeUndefined()
  expect(await romeo.engine.card(base + '/picture')).toBeUndefined()
  read = []

  const text = `come to ${url}`
  const sent = await romeo.engine.send(juliet.jid, { text, content: { type: 'text', text, ...(preview ? { preview } : {}) } })
  await juliet.until(async () => (await juliet.texts('romeo')).length === 1)
  const [got] = await juliet.messages('romeo')
  expect(got).toMatchObject({ content: { type: 'text', text, preview }, protection: 'omemo' })
  const kept = onDisk()
  expect(kept).toContain('urn:xmpp:omemo:2')
  expect(kept).not.toContain('orchard')

  await romeo.engine.edit(sent.id, `hurry to ${url}`, preview)
  await juliet.until(async () => !!(await juliet.messages('romeo'))[0]?.edited)
  expect((await juliet.messages('romeo'))[0]?.content).toEqual({ type: 'text', text: `hurry to ${url}`, preview })
  expect((await romeo.messages('juliet'))[0]?.content).toEqual({ type: 'text', text: `hurry to ${url}`, preview })

  const [now] = await juliet.db.getAll('messages')
  const line = now && parseLine(lineOf(now), juliet.jid)
  expect(line?.content).toEqual({ type: 'text', text: `hurry to ${url}`, preview: { ...preview, image: undefined } })

  await romeo.engine.edit(sent.id, 'stay away', preview)
  await juliet.until(async () => (await juliet.texts('romeo'))[0] === 'stay away')
  expect((await juliet.messages('romeo'))[0]?.content).toEqual({ type: 'text', text: 'stay away' })
  expect(read).toEqual([]) // nobody but the sender's server has read anything
})

test('a message that has not left yet is corrected with its card', async () => {
  const romeo = await client('romeo')
  const preview = { url: 'https://a.example/', title: 'A' }
  const sent = await romeo.engine.send('juliet@localhost', { text: 'soon' })
  await romeo.engine.edit(sent.id, 'see https://a.example/', preview)
  expect((await romeo.db.get('messages', sent.id))?.content).toEqual({ type: 'text', text: 'see https://a.example/', preview })
})

test('a card for what does not stand in the text is left out', async () => {
  const romeo = await client('romeo')
  const preview = { url: 'https://a.example/', title: 'A' }
  const sent = await romeo.engine.send('juliet@localhost', { content: { type: 'text', text: 'see https://b.example/', preview } })
  expect(sent.content).toEqual({ type: 'text', text: 'see https://b.example/' })
})

test('a server that reads no pages says so', async () => {
  const romeo = await client('romeo', off)
  await romeo.live()
  expect(await romeo.engine.makesCards()).toBe(false)
  await expect(romeo.engine.card(base + '/page')).rejects.toBeInstanceOf(StanzaError)
  expect(read).toEqual([])
})
