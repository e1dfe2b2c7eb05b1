// A pack of stickers at somebody's account on the real server, looked at by somebody who is no contact of theirs.
import 'fake-indexeddb/auto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { digest } from '../../../src/core/engine/stickers.ts'
import { HttpRefused, type Http } from '../../../src/core/media/http.ts'
import { STICKERS } from '../../../src/core/xmpp/ns.ts'
import { OPEN, publish } from '../../../src/core/xmpp/pubsub.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { Town } from '../xmpp/town.ts'
import { Client, stubLocks } from './here.ts'

const [FILE, HASHES, SFS, URL_DATA] = ['urn:xmpp:file:metadata:0', 'urn:xmpp:hashes:2', 'urn:xmpp:sfs:0', 'http://jabber.org/protocol/url-data']
const ID = 'EpRv28DHHzFrE4zd+xaNpVb4'
let town: Town
const open: Client[] = []
stubLocks()
beforeAll(async () => { town = await Town.found(['romeo', 'juliet']) })
afterAll(() => town.end())
afterEach(() => { for (const client of open.splice(0)) client.kill() })

const pictures: Record<string, string> = { 'https://example.org/up.png': 'thumbs up', 'https://example.org/kiss.png': 'kiss' }
const http: Http = {
  put: () => Promise.reject(new HttpRefused(403)),
  get: (url) => url in pictures ? Promise.resolve(new Blob([pictures[url] ?? ''])) : Promise.reject(new HttpRefused(404)),
}

async function item(text: string, url: string, picture: string) {
  const file = el(FILE, 'file', {}, el(FILE, 'media-type', {}, 'image/png'), el(FILE, 'desc', {}, text), el(HASHES, 'hash', { algo: 'sha-256' }, await digest(new Blob([picture]))))
  return el(STICKERS, 'item', {}, file, el(SFS, 'sources', {}, el(URL_DATA, 'url-data', { target: url })))
}

test('what one publishes the other sees, picture by picture', async () => {
  const romeo = await Client.open(town, 'romeo')
  open.push(romeo)
  await romeo.live()
  const items = await Promise.all([item('👍', 'https://example.org/up.png', 'thumbs up'), item('😘', 'https://example.org/kiss.png', 'another kiss'), item('🐱', 'https://example.org/none.png', 'cat')])
  const pack = el(STICKERS, 'pack', {}, el(STICKERS, 'name', {}, 'Marsey the Cat'), el(STICKERS, 'summary', {}, 'Be cute'), ...items)
  await publish(romeo.lead.worker.connection, STICKERS, pack, OPEN, ID)
  const juliet = await Client.open(town, 'juliet', { http })
  open.push(juliet)
  await juliet.live()
  const found = await juliet.engine.stickerPack({ id: ID, jid: 'romeo@localhost' })
  expect(found).toMatchObject({ name: 'Marsey the Cat', summary: 'Be cute', restricted: false, missing: 2 })
  expect(await Promise.all(found?.stickers.map(async ({ text, blob }) => [text, await blob.text(), blob.type]) ?? [])).toEqual([['👍', 'thumbs up', 'image/png']])
  expect(await juliet.engine.stickerPack({ id: 'another', jid: 'romeo@localhost' })).toBeUndefined()
  expect(await juliet.engine.stickerPack({ id: ID, jid: 'romeo@localhost', node: 'urn:example:none' })).toBeUndefined()
})
