// Stickers that are kept: as they came, once each, no more than there is room for, and sent again as they are; packs only as they say.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { readContent, writeContent } from '../../../src/core/engine/content.ts'
import { Desk, Unusable } from '../../../src/core/engine/desk.ts'
import { loadPack, MAX_PACK } from '../../../src/core/engine/packs.ts'
import { digest, MAX_STICKER, MAX_STICKERS, Stickers } from '../../../src/core/engine/stickers.ts'
import type { Content } from '../../../src/core/model.ts'
import { openAccount } from '../../../src/core/store/database.ts'
import { message } from '../../../src/core/xmpp/stanza.ts'
import type { Session } from '../../../src/core/xmpp/session.ts'
import { el, parse } from '../../../src/core/xmpp/xml.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'
const silent = { postMessage: () => undefined, onmessage: null, close: () => undefined }

beforeEach(() => { globalThis.indexedDB = new IDBFactory() })

const picture = (text: string, type = 'image/webp') => new Blob([text], { type })

async function shelf() {
  const db = await openAccount(ME)
  const news = new News(ME, silent)
  const desk = new Desk(db, ME, news)
  // What cannot be opened is no picture; what is made is half as long.
  const stickers = new Stickers(db, news, desk, async (blob) => {
    const text = await blob.text()
    return text.startsWith('no') ? undefined : { blob: picture(text.slice(0, text.length / 2)), width: 512, height: 384, thumbhash: 'AAAA' }
  })
  return { db, desk, stickers }
}

test('kept as it came, sent as it was kept, and the draft of the chat stays', async () => {
  const { db, desk, stickers } = await shelf()
  await stickers.keep({ blob: picture('cat cat'), text: '😺' })
  const [kept] = await stickers.all()
  expect(kept).toMatchObject({ name: 'sticker.webp', mime: 'image/webp', size: 7, text: '😺', thumbhash: 'AAAA' })
  await desk.setDraft(HER, { text: 'but soft', time: 1 })
  const sent = await stickers.send(HER, kept?.key ?? '')
  expect(sent.content).toMatchObject({ type: 'sticker', caption: '😺', media: { size: 7, thumbhash: 'AAAA', width: 512, height: 384 } })
  if (sent.content.type !== 'sticker') throw new Error('no sticker')
  expect(await (await db.get('blobs', sent.content.media.key))?.text()).toBe('cat cat')
  expect((await db.get('chats', HER))?.draft?.text).toBe('but soft')
  db.close()
})

test('made of a picture: what is kept is what was made', async () => {
  const { db, stickers } = await shelf()
  await stickers.keep({ blob: picture('cat cat!', 'image/jpeg'), make: true })
  const [kept] = await stickers.all()
  expect(await (await db.get('blobs', kept?.key ?? ''))?.text()).toBe('cat ')
  db.close()
})

test('one that somebody sent is kept with where its pack is', async () => {
  const { db, desk, stickers } = await shelf()
  const { id } = await desk.send(HER, { file: { blob: picture('dog'), name: 'dog.webp', mime: 'image/webp', as: 'sticker', caption: '🐶', pack: { id: 'p' } } })
  await stickers.keep({ message: id })
  expect(await stickers.all()).toMatchObject([{ name: 'dog.webp', text: '🐶', pack: { id: 'p', jid: ME } }])
  const { id: other } = await desk.send(HER, { text: 'no sticker' })
  await expect(stickers.keep({ message: other })).rejects.toThrow(Unusable)
  await expect(stickers.keep({ message: 'gone' })).rejects.toThrow(Unusable)
  db.close()
})

test('each is there once, the newest first, and the first makes room', async () => {
  const { db, stickers } = await shelf()
  for (let i = 0; i <= MAX_STICKERS; i++) await stickers.keep({ blob: picture(`s${i}`) })
  await stickers.keep({ blob: picture('s5') })
  const all = await stickers.all()
  expect(all.length).toBe(MAX_STICKERS)
  expect(all[0]?.key).toBe(`sticker ${await digest(picture('s5'))}`)
  const kept = await db.getAllKeys('blobs')
  expect(kept.length).toBe(MAX_STICKERS)
  expect(kept).not.toContain(`sticker ${await digest(picture('s0'))}`)
  await stickers.drop(all[0]?.key ?? '')
  expect((await db.getAllKeys('files')).length).toBe(MAX_STICKERS - 1)
  db.close()
})

test('what is no picture, or too large, is not kept', async () => {
  const { db, stickers } = await shelf()
  await expect(stickers.keep({ blob: picture('no picture') })).rejects.toThrow(Unusable)
  await expect(stickers.keep({ blob: picture('x', 'image/svg+xml') })).rejects.toThrow(Unusable)
  await expect(stickers.keep({ blob: picture('x'.repeat(MAX_STICKER + 1)) })).rejects.toThrow(Unusable)
  expect(await stickers.all()).toEqual([])
  db.close()
})

test('where the pack of a sticker is goes with it', () => {
  const url = `aesgcm://example.org/u/cat.webp#${'0'.repeat(24)}${'ab'.repeat(32)}`
  const pack = { id: 'EpRv28DHHzFrE4zd+xaNpVb4', jid: HER, node: 'urn:example:packs' }
  const content: Content = { type: 'sticker', media: { key: 'm', name: 'cat.webp', mime: 'image/webp', size: 3, url, pack } }
  const { body, elements } = writeContent(content)
  const stanza = parse(message({}, el('jabber:client', 'body', {}, body), ...elements).toString())
  expect(stanza && readContent(stanza.textOf('body'), stanza)).toMatchObject({ type: 'sticker', media: { pack } })
})

/** A server that has one pack, and its pictures. */
async function published(items: { text: string; picture: string; told?: string; url?: string }[], restricted = false) {
  const [stickers, file, hashes, sfs, data] = ['urn:xmpp:stickers:0', 'urn:xmpp:file:metadata:0', 'urn:xmpp:hashes:2', 'urn:xmpp:sfs:0', 'http://jabber.org/protocol/url-data']
  const parts = await Promise.all(items.map(async (item, i) => el(stickers, 'item', {},
    el(file, 'file', {}, el(file, 'media-type', {}, 'image/png'), el(file, 'desc', {}, item.text), el(hashes, 'hash', { algo: 'sha-256' }, item.told ?? await digest(picture(item.picture)))),
    el(sfs, 'sources', {}, el(data, 'url-data', { target: item.url ?? `https://example.org/p/${i}` })))))
  const pack = el(stickers, 'pack', {}, el(stickers, 'name', {}, 'Marsey the Cat'), restricted && el(stickers, 'restricted'), ...parts)
  const pubsub = 'http://jabber.org/protocol/pubsub'
  const asked: string[] = []
  const session = { account: ME, request: (_: string, payload: { toString(): string }, { to }: { to?: string } = {}) => {
    asked.push(`${to} ${payload.toString()}`)
    return Promise.resolve(el('jabber:client', 'iq', {}, el(pubsub, 'pubsub', {}, el(pubsub, 'items', {}, el(pubsub, 'item', { id: 'p' }, pack)))))
  } } as unknown as Session
  const http = { get: (url: string) => Promise.resolve(picture(items[Number(/\d+$/.exec(url)?.[0])]?.picture ?? '', '')) }
  return { session, http, asked }
}

test('a pack is read with its pictures; what is not what the pack says is missing', async () => {
  const { session, http, asked } = await published([{ text: '👍', picture: 'up' }, { text: '😘', picture: 'kiss', told: 'AAAA' }, { text: '🙈', picture: 'monkey' }])
  const pack = await loadPack(session, http, { id: 'p', jid: HER })
  expect(pack).toMatchObject({ name: 'Marsey the Cat', restricted: false, missing: 1 })
  expect(await Promise.all(pack?.stickers.map(async (s) => [s.text, await s.blob.text(), s.blob.type]) ?? [])).toEqual([['👍', 'up', 'image/png'], ['🙈', 'monkey', 'image/png']])
  expect(asked[0]).toContain(HER)
  expect(await loadPack(session, http, { id: 'another', jid: HER })).toBeUndefined()
})

test('a pack may not be added, be endless, or lead elsewhere than the web', async () => {
  const many = await published(Array.from({ length: MAX_PACK + 5 }, (_, i) => ({ text: '', picture: `p${i}` })), true)
  expect(await loadPack(many.session, many.http, { id: 'p', jid: HER })).toMatchObject({ restricted: true, missing: 0, stickers: { length: MAX_PACK } })
  const odd = await published([{ text: '', picture: 'a', url: 'file:///etc/passwd' }, { text: '', picture: 'b', url: 'javascript:alert(1)' }])
  expect(await loadPack(odd.session, odd.http, { id: 'p', jid: HER })).toBeUndefined()
})
