// Statuses in lists and in words on the wire: who stands where, and what strangers write.
import { describe, expect, it } from 'vitest'
import { byPeople, type Status } from '../../../src/core/status.ts'
import { parse } from '../../../src/core/xmpp/xml.ts'
import { readStatus, sealedOf, writeStatus } from '../../../src/core/xmpp/status.ts'
import { readingTime } from '../../../src/features/status/reading.ts'

const one = (author: string, posted: number, more: Partial<Status> = {}): Status => ({ id: `${author}${posted}`, author, own: author === 'me', posted, expires: posted + 100, colour: 0, seen: false, content: { type: 'text', text: 'x' }, ...more })
const jids = (people: { jid: string }[]): string[] => people.map((p) => p.jid)

describe('the list', () => {
  it('has ours first, then who told something new, the newest first, then those looked at, then muted ones', () => {
    const all = [one('a', 1), one('b', 2, { seen: true }), one('me', 3, { seen: true }), one('c', 4, { seen: true }), one('d', 5), one('e', 6, { muted: true }), one('c', 7, { seen: true }), one('a', 8, { seen: true })]
    const { own, fresh, seen, muted } = byPeople(all)
    expect(own.map((s) => s.posted)).toEqual([3])
    expect(jids(fresh)).toEqual(['a', 'd']) // one of two of hers was not looked at
    expect(jids(seen)).toEqual(['c', 'b'])
    expect(jids(muted)).toEqual(['e'])
    expect(fresh[0]?.statuses.map((s) => s.posted)).toEqual([1, 8])
  })

  it('is empty without any', () => { expect(byPeople([])).toEqual({ own: [], fresh: [], seen: [], muted: [] }) })
})

describe('words', () => {
  it('stand long enough to be read, and not for ever', () => {
    expect(readingTime('')).toBeGreaterThanOrEqual(5)
    expect(readingTime('a'.repeat(100))).toBeGreaterThan(readingTime('a'))
    expect(readingTime('a'.repeat(10_000))).toBeLessThanOrEqual(15)
  })
})

const content = (inner: string): ReturnType<typeof parse> => parse(`<content xmlns='urn:xmpp:sce:1'>${inner}</content>`)
const read = (inner: string): ReturnType<typeof readStatus> => { const e = content(inner); return e && readStatus(e, undefined) }
const facts = `<status xmlns='urn:palabre:status:0' posted='2026-11-21T12:00:00Z' colour='2'/>`

describe('what is encrypted', () => {
  it('is read as it was written', () => {
    const posted = Date.parse('2026-11-21T12:00:00Z') * 1000
    expect(read(writeStatus({ type: 'text', text: 'a <b> & "c"' }, 7, posted))).toEqual({ content: { type: 'text', text: 'a <b> & "c"' }, colour: 7, posted })
    const media = { key: 'x', name: 'p.webp', mime: 'image/webp', size: 10, width: 3, height: 4, url: 'aesgcm://x.org/p.webp#' + '0'.repeat(88) }
    expect(read(writeStatus({ type: 'image', media, caption: 'words' }, 0, posted))).toMatchObject({ content: { type: 'image', caption: 'words', media: { url: media.url, width: 3, height: 4 } } })
  })

  it('is no status without saying so, without content, or with what statuses do not hold', () => {
    expect(read(`<body xmlns='jabber:client'>x</body>`)).toBeUndefined()
    expect(read(facts)).toBeUndefined()
    expect(read(`<body xmlns='jabber:client'>1. a</body><poll xmlns='urn:palabre:poll:0'><question>q</question><option>a</option><option>b</option></poll>${facts}`)).toBeUndefined()
    expect(read(`<body xmlns='jabber:client'>xmpp:a@b?roster</body>${facts}`)).toBeUndefined()
  })

  it.each([['-1', 0], ['10', 0], ['1.5', 0], ['9', 9], ['', 0], ['red', 0], ['1e0', 1]])('has a colour that there is, also where it says %s', (said, colour) => {
    expect(read(`<body xmlns='jabber:client'>x</body><status xmlns='urn:palabre:status:0' colour='${said}'/>`)?.colour).toBe(colour)
  })

  it('has no time where it says none that is one', () => {
    expect(read(`<body xmlns='jabber:client'>x</body><status xmlns='urn:palabre:status:0' posted='soon'/>`)).toEqual({ content: { type: 'text', text: 'x' }, colour: 0 })
  })

  it('counts only when its author encrypted it', () => {
    const item = parse(`<encrypted xmlns='urn:xmpp:pte:0' by='romeo@x' type='urn:xmpp:omemo:2'/>`)
    expect(sealedOf(item, 'romeo@x')).toBe(item)
    expect(sealedOf(item, 'juliet@x')).toBeUndefined()
    expect(sealedOf(parse(`<entry xmlns='http://www.w3.org/2005/Atom'/>`), 'romeo@x')).toBeUndefined()
    expect(sealedOf(undefined, 'romeo@x')).toBeUndefined()
  })
})
