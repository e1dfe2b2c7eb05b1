// What stands about chats in bookmarks and in our own node: read and written beside what other apps keep there.
import { expect, test } from 'vitest'
import { BOOKMARKS, NOTIFICATIONS } from '../../../src/core/xmpp/ns.ts'
import { chatElement, decide, fieldsOf, merge, parseChat, readExtensions, writeExtensions, type Decisions } from '../../../src/core/xmpp/settings.ts'
import { el, parse as readXML } from '../../../src/core/xmpp/xml.ts'

const at = 1_795_000_000_123_456
const parse = (text: string) => {
  const e = readXML(text)
  if (!e) throw new Error(text)
  return e
}
const extensions = (inner: string) => parse(`<extensions xmlns='${BOOKMARKS}'>${inner}</extensions>`)
const notify = (inner: string) => `<notify xmlns='${NOTIFICATIONS}'>${inner}</notify>`

test('what is written is read again, to the microsecond', () => {
  const decisions = decide({ pinned: at - 5, archived: false, favourite: true, muted: Infinity }, at)
  const item = { id: 'juliet@example.org', payload: parse(chatElement(decisions).toString()) }
  expect(parseChat(item)).toEqual({ jid: 'juliet@example.org', told: decisions })
  expect(decisions.archived).toEqual({ value: undefined, at })
})

test('lists are told by name, tidy and few', () => {
  const told = (value: string) => parseChat({ id: 'x@y', payload: parse(`<chat xmlns='urn:palabre:chats:0'><set name='lists' value='${value}' at='2026-11-21T12:00:00Z'/></chat>`) })?.told
  const decisions = decide({ lists: ['Work', 'Family, far', ' Family far ', ''] }, at)
  expect(decisions.lists?.value).toBe('Family far,Work')
  expect(parseChat({ id: 'x@y', payload: parse(chatElement(decisions).toString()) })?.told).toEqual(decisions)
  expect(fieldsOf(decisions)).toEqual({ lists: ['Family far', 'Work'] })
  expect(fieldsOf(decide({ lists: [] }, at))).toEqual({ lists: undefined })
  expect(told(' b ,, a\u202e, b')?.lists?.value).toBe('a,b')
  expect(String(told(Array.from({ length: 50 }, (_, i) => `list ${i}`).join(','))?.lists?.value).split(',')).toHaveLength(20)
})

test('what is no such thing changes nothing', () => {
  expect(parseChat({ id: 'juliet@example.org', payload: el('urn:x', 'chat') })).toBeUndefined()
  expect(parseChat({ id: 'a@b@c', payload: chatElement({}) })).toBeUndefined()
  const odd = parse(`<chat xmlns='urn:palabre:chats:0'><set name='pinned' value='soon' at='2026-11-21T12:00:00Z'/><set name='muted' at='yesterday'/><set name='colour' value='red' at='2026-11-21T12:00:00Z'/></chat>`)
  expect(Object.keys(parseChat({ id: 'x@y', payload: odd })?.told ?? {})).toEqual(['pinned'])
})

test('the later decision holds, for each thing by itself; what was not told is known', () => {
  const ours: Decisions = { muted: { value: Infinity, at: 10 }, pinned: { value: 3, at: 3 } }
  const told: Decisions = { muted: { at: 5 }, pinned: { at: 7 } }
  expect(merge(ours, told)).toEqual({ all: { muted: { value: Infinity, at: 10 }, pinned: { at: 7 } }, newer: true })
  expect(merge(told, ours)).toEqual({ all: { muted: { value: Infinity, at: 10 }, pinned: { at: 7 } }, newer: true })
  expect(merge({ muted: { value: Infinity, at: 9 } }, { muted: { value: Infinity, at: 8 } }).newer).toBe(false) // it says the same
  expect(merge({ pinned: { value: 1, at: 5 } }, { pinned: { value: 2, at: 5 } }).all.pinned?.value).toBe(2)
})

test('a pinned and muted room reads so in other apps, and what they keep stays', () => {
  const before = extensions(`<state xmlns='http://myclient.example/bookmark/state' minimized='true'/>${notify("<on-mention><advanced><x xmlns='urn:other'/></advanced></on-mention><always identity-category='client' identity-type='pc'/>")}`)
  const after = writeExtensions(before, decide({ pinned: at, muted: Infinity }, at))
  const text = after.toString()
  expect(text).toContain('minimized')
  expect(after.child('pinned', 'urn:xmpp:bookmarks-pinning:0')).toBeDefined()
  const never = after.child('notify', NOTIFICATIONS)?.child('never')
  expect(never?.child('advanced')?.child('x', 'urn:other')).toBeDefined()
  expect(after.child('notify', NOTIFICATIONS)?.children().map((e) => [e.name, e.attr('identity-type')])).toEqual([['always', 'pc'], ['never', undefined]])
  expect(readExtensions(parse(text), 1)).toEqual(decide({ pinned: at, muted: Infinity }, at))
  const off = writeExtensions(after, decide({ pinned: undefined, muted: undefined }, at + 1))
  expect(off.child('pinned', 'urn:xmpp:bookmarks-pinning:0')).toBeUndefined()
  expect(off.child('notify', NOTIFICATIONS)?.children().map((e) => e.name)).toEqual(['always', 'always'])
})

test('a mute until a time is told to our own apps alone: no other would end it', () => {
  const after = writeExtensions(undefined, decide({ muted: at }, at))
  expect(after.child('notify', NOTIFICATIONS)).toBeUndefined()
  expect(readExtensions(after, 1).muted).toEqual({ value: at, at })
})

test('what another app decided since is taken, and what holds for this kind of app goes first', () => {
  const ours = writeExtensions(undefined, decide({ muted: undefined, pinned: undefined }, at)).nodes.join('')
  const theirs = readExtensions(extensions(`${ours}<pinned xmlns='urn:xmpp:bookmarks-pinning:0'/>${notify('<never/>')}`), at + 9)
  expect(theirs).toEqual({ muted: { value: Infinity, at: at + 9 }, pinned: { value: at + 9, at: at + 9 } })
  expect(readExtensions(extensions(notify("<never/><always identity-category='client' identity-type='web'/>")), at).muted).toBeUndefined()
  expect(readExtensions(extensions(notify("<always/><never identity-category='client'/>")), at).muted?.value).toBe(Infinity)
})
