// What is written is read again as it was, and what others write makes sense or is left out.
import { expect, test } from 'vitest'
import { readContent, writeContent } from '../../../src/core/engine/content.ts'
import { read } from '../../../src/core/engine/read.ts'
import { write } from '../../../src/core/engine/write.ts'
import { readAddress, secretAddress } from '../../../src/core/media/address.ts'
import { thumbhash } from '../../../src/core/media/thumb.ts'
import { MAX_POSTER, type Content } from '../../../src/core/model.ts'
import type { KeptMessage } from '../../../src/core/store/database.ts'
import { message } from '../../../src/core/xmpp/stanza.ts'
import { el, parse } from '../../../src/core/xmpp/xml.ts'

const SECRET = '0'.repeat(24) + 'ab'.repeat(32)
const FILE = `aesgcm://example.org/upload/x/photo.webp#${SECRET}`
const media = (more: object) => ({ key: 'u https://example.org/upload/x/photo.webp', name: 'photo.webp', mime: 'image/webp', size: 81_000, url: FILE, ...more })

/** Writes a content as a stanza, sends it through XML, and reads it. */
function around(content: Content): Content | undefined {
  const { body, elements } = writeContent(content)
  const stanza = parse(message({}, el('jabber:client', 'body', {}, body), ...elements).toString())
  return stanza && readContent(stanza.textOf('body'), stanza)
}

/** A text with cards, as somebody else's app sends them. */
function carded(text: string, ...cards: { about: string; title?: string; images?: string[] }[]): Content | undefined {
  const [rdf, og] = ['http://www.w3.org/1999/02/22-rdf-syntax-ns#', 'https://ogp.me/ns#']
  const elements = cards.map(({ about, title, images = [] }) => el(rdf, 'Description', { [`{${rdf}}about`]: about }, title && el(og, 'title', {}, title), ...images.map((i) => el(og, 'image', {}, i))))
  const stanza = parse(message({}, el('jabber:client', 'body', {}, text), ...elements).toString())
  return stanza && readContent(text, stanza)
}

test('of a card only a picture that came with it is shown, whichever it is', () => {
  const about = 'https://example.org/a'
  const images = ['https://spy.example/pixel.png', 'cid:sha-256+e3b0@bob.xmpp.org', 'data:image/svg+xml;base64,PHN2Zz4=', 'data:image/jpeg,raw', 'data:image/jpeg;base64,/9j/4AAQ']
  expect(carded('see https://example.org/a now', { about, title: 'A', images })).toEqual({ type: 'text', text: 'see https://example.org/a now', preview: { url: about, title: 'A', image: images[4] } })
  expect(carded('see https://example.org/a now', { about, title: 'A', images: images.slice(0, 4) })).toEqual({ type: 'text', text: 'see https://example.org/a now', preview: { url: about, title: 'A' } })
  expect(carded(about, { about, title: 'A', images: ['data:image/png;base64,' + 'A'.repeat(70_000)] })).toMatchObject({ preview: { title: 'A' } })
})

test.each([
  ['another address than the text', 'https://bank.example/', { about: 'https://evil.example/', title: 'Bank' }],
  ['a name before the host', 'https://bank.example@evil.example/', { about: 'https://bank.example@evil.example/', title: 'Bank' }],
  ['no address of the web', 'javascript:alert(1)', { about: 'javascript:alert(1)', title: 'x' }],
  ['no title', 'https://a.example/', { about: 'https://a.example/' }],
  ['an address beyond all measure', 'https://a.example/' + 'a'.repeat(3000), { about: 'https://a.example/' + 'a'.repeat(3000), title: 'x' }],
])('a card with %s is none', (_, text, card) => {
  expect(carded(text, card)).toEqual({ type: 'text', text })
})

test('the card that fits the text is taken, of a few', () => {
  expect(carded('https://b.example', { about: 'https://a.example/', title: 'A' }, { about: 'https://b.example/', title: 'B' })).toMatchObject({ preview: { title: 'B' } })
  const many = Array.from({ length: 30 }, (_, i) => ({ about: `https://a${i}.example/`, title: 'A' }))
  expect(carded('https://a29.example/', ...many)).toEqual({ type: 'text', text: 'https://a29.example/' })
})

test.each<Content>([
  { type: 'text', text: 'a\n<b> & "c" 👍' },
  { type: 'text', text: 'see https://example.org/', preview: { url: 'https://example.org/', title: 'T', description: 'D', image: 'data:image/png;base64,AAAA' } },
  { type: 'image', media: media({ width: 1280, height: 960, thumbhash: 'HBkSHYSIeHiPiHh8eJd4eTN0EEQG' }), caption: 'the sea' },
  { type: 'voice', media: media({ mime: 'audio/mp4', name: 'voice.m4a', seconds: 24.5, waveform: [0, 3, 15] }) },
  { type: 'video', media: media({ mime: 'video/mp4', name: 'a.mp4' }) },
  { type: 'file', media: media({ mime: 'application/pdf', name: 'a b.pdf' }) },
  { type: 'location', latitude: 33.5731, longitude: -7.5898, accuracy: 12, label: 'Casablanca' },
  { type: 'contact', jid: 'juliet@example.org', name: 'Juliet & Co' },
  { type: 'poll', question: 'When?', options: ['today', 'tomorrow'], many: false, votes: {} },
])('$type is read as it was written', (content) => expect(around(content)).toEqual(content))

test('what other apps send is understood', () => {
  const of = (body: string, ...more: ReturnType<typeof el>[]) => readContent(body, message({}, ...more))
  expect(of(FILE)).toMatchObject({ type: 'image', media: { mime: 'image/webp', name: 'photo.webp', url: FILE } })
  expect(of(FILE + '\ndata:image/jpeg,abc')).toMatchObject({ type: 'image' })
  expect(of('https://example.org/a.jpg')).toMatchObject({ type: 'text' })
  expect(of('https://example.org/a.jpg', el('jabber:x:oob', 'x', {}, el('jabber:x:oob', 'url', {}, 'https://example.org/a.jpg')))).toMatchObject({ type: 'image' })
  expect(of('geo:52.5,13.4;u=30')).toEqual({ type: 'location', latitude: 52.5, longitude: 13.4, accuracy: 30 })
  expect(of('xmpp:a@b.example')).toMatchObject({ type: 'contact', jid: 'a@b.example' })
})

test.each(['geo:95,0', 'geo:1', 'xmpp:b.example', 'xmpp:room@b.example?join', 'aesgcm:nothing', 'javascript:alert(1)'])('%s is only text', (body) =>
  expect(readContent(body, message({}))?.type).toBe('text'))

test('a name cannot be a path or hide its ending', () => {
  const name = `a/../b\u202egpj.exe`
  const found = around({ type: 'file', media: media({ name, mime: 'application/x-msdownload' }) })
  expect(found).toMatchObject({ type: 'file', media: { name: 'a_.._b_gpj.exe' } })
})

test('addresses with a secret are read strictly', () => {
  const found = readAddress(FILE)
  expect(found?.url).toBe('https://example.org/upload/x/photo.webp')
  expect(found?.key && secretAddress(found.url, found.key)).toBe(FILE)
  expect(readAddress(FILE.slice(0, -2))).toBeUndefined()
  expect(readAddress('aesgcm://example.org/x')).toBeUndefined()
  expect(readAddress('http://example.org/x')).toBeUndefined()
})

test('a reply carries its quote for other apps, and mentions stay in their place', () => {
  const text = '@Juliet yes'
  const base = { chat: 'j@example.org', order: 1, time: 1, from: 'me@example.org', own: true, names: [], shelves: [], protection: 'none' } as const
  const answered = { ...base, id: 'b', originId: 'their-id', content: { type: 'text', text: 'shall\nwe 👍?' } } as unknown as KeptMessage
  const mine = { ...base, id: 'a', content: { type: 'text', text }, reply: { id: 'b', to: 'j@example.org', text: '' }, mentions: [{ from: 0, to: 7, jid: 'j@example.org' }] } as unknown as KeptMessage
  const out = write({ what: 'message' }, { id: 'a', message: mine, answered, account: 'me@example.org' })
  expect(out?.body).toBe('> shall\n> we 👍?\n' + text)
  const stanza = parse(message({ id: 'a' }, el('jabber:client', 'body', {}, out?.body), ...out?.inner ?? [], ...out?.outer ?? []).toString())
  expect(stanza && read({ outer: stanza, encrypted: false })).toEqual([
    { what: 'content', content: { type: 'text', text }, reply: { id: 'their-id', to: 'j@example.org' }, mentions: [{ from: 0, to: 7, jid: 'j@example.org' }] },
  ])
})

test('what was encrypted counts before what stands beside it in clear', () => {
  const outer = message({ id: 'x' }, el('jabber:client', 'body', {}, 'cannot be read'), el('urn:xmpp:reply:0', 'reply', { id: 'forged' }))
  const content = el('urn:xmpp:sce:1', 'content', {}, el('jabber:client', 'body', {}, 'secret'), el('urn:xmpp:reply:0', 'reply', { id: 'real' }))
  expect(read({ outer, content, encrypted: true })).toEqual([{ what: 'content', content: { type: 'text', text: 'secret' }, reply: { id: 'real', to: undefined } }])
  expect(read({ outer, encrypted: true })).toEqual([])
})

test('a server cannot put content beside a text that is encrypted, nor make a correction of a message', () => {
  const poll = el('urn:palabre:poll:0', 'poll', {}, el('urn:palabre:poll:0', 'question', {}, 'forged'), ...['a', 'b'].map((o) => el('urn:palabre:poll:0', 'option', {}, o)))
  const replace = el('urn:xmpp:message-correct:0', 'replace', { id: 'earlier' })
  expect(read({ outer: message({ id: 'x' }, poll), body: 'real', encrypted: true })).toEqual([{ what: 'content', content: { type: 'text', text: 'real' } }])
  const content = el('urn:xmpp:sce:1', 'content', {}, el('jabber:client', 'body', {}, 'real'))
  expect(read({ outer: message({ id: 'x' }, poll, replace), content, encrypted: true })).toEqual([{ what: 'content', content: { type: 'text', text: 'real' } }])
})

test('beside a text that OMEMO 0.3 encrypted nobody votes, answers, closes, opens or has seen anything', () => {
  const [poll, event, once, status] = ['poll', 'event', 'view-once', 'status'].map((name) => `urn:palabre:${name}:0`) as [string, string, string, string]
  const forged = [el(poll, 'vote', { id: 'a' }, el(poll, 'option', {}, '0')), el(event, 'answer', { id: 'a', going: 'no' }), el(poll, 'close', { id: 'a' }), el(once, 'opened', { id: 'a' }),
    el(status, 'seen', {}, el(status, 'item', { id: 'a' }))]
  for (const one of forged) {
    expect(read({ outer: message({ id: 'x' }, one), body: 'real', encrypted: true })).toEqual([{ what: 'content', content: { type: 'text', text: 'real' } }])
    expect(read({ outer: message({ id: 'x' }), content: el('urn:xmpp:sce:1', 'content', {}, one), encrypted: true })).toHaveLength(1)
  }
})

test('a status that a server hands over as a message says nothing', () => {
  const content = el('urn:xmpp:sce:1', 'content', {}, el('jabber:client', 'body', {}, 'for all'), el('urn:palabre:status:0', 'status', { posted: '2026-11-21T12:00:00Z' }))
  expect(read({ outer: message({ id: 'x' }), content, encrypted: true })).toEqual([])
})

test('a picture of one colour has a hash that says so', () => {
  const red = new Uint8ClampedArray(16 * 8 * 4).map((_, i) => [255, 0, 0, 255][i % 4] ?? 0)
  const hash = atob(thumbhash(16, 8, red))
  expect(hash.length).toBeLessThanOrEqual(30)
  expect((hash.charCodeAt(0) & 63) / 63).toBeCloseTo(1 / 3, 1)
  expect(() => thumbhash(65, 1, red)).toThrow(RangeError)
})

test('the poster of a video goes with it; what is no small picture in the message is left out', () => {
  const film = (poster: string) => around({ type: 'video', media: media({ name: 'film.mp4', mime: 'video/mp4', seconds: 12.5, width: 1280, height: 720, poster }) })
  const poster = 'data:image/webp;base64,UklGRg=='
  expect(film(poster)).toMatchObject({ type: 'video', media: { poster, seconds: 12.5, width: 1280, height: 720 } })
  for (const bad of ['https://spy.example/p.png', 'data:image/svg+xml;base64,PHN2Zz4=', 'data:text/html;base64,PGI+', `data:image/webp;base64,${'A'.repeat(MAX_POSTER)}`]) {
    expect(film(bad)).not.toHaveProperty('media.poster')
  }
  expect(around({ type: 'file', media: media({ name: 'a.bin', mime: 'application/octet-stream', poster }) })).not.toHaveProperty('media.poster')
})
