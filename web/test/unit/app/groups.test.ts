import { beforeEach, expect, it, vi } from 'vitest'
import type { Chat } from '../../../src/core/model.ts'
import type { Group } from '../../../src/core/groups.ts'

const kept = new Map<string, string>()
vi.stubGlobal('location', { origin: 'https://town.example' })
vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => { kept.set(key, value) }, removeItem: (key: string) => { kept.delete(key) } })
vi.stubGlobal('document', { documentElement: { dataset: {} } })
const { forgetLink, groupIn, groupPath, groupWeb, isIn, keepLink, keptLink, mayAdd, mayEdit, mayWrite } = await import('../../../src/app/groups.ts')

const settings: Group['settings'] = { private: true, listed: false, writes: 'all', adds: 'all', edits: 'all', approval: false, history: false, slow: 0, anonymous: false }
const group = (more: Partial<Group> = {}): Group => ({ members: 3, affiliation: 'member', settings, version: 1, ...more })
const chat = (more: Partial<Chat> = {}): Chat => ({ jid: 'g@groups.town.example', kind: 'group', name: 'G', time: 0, unread: 0, protection: 'omemo', group: group(), ...more })

beforeEach(() => { kept.clear(); vi.useRealTimers() })

it('lets members write, administrators alone where that is so, and nobody who is not in it', () => {
  expect(mayWrite(chat())).toBe(true)
  const news = { ...settings, writes: 'admins' as const }
  expect(mayWrite(chat({ group: group({ settings: news }) }))).toBe(false)
  expect(mayWrite(chat({ group: group({ settings: news, affiliation: 'admin' }) }))).toBe(true)
  expect(mayWrite(chat({ group: group({ affiliation: 'none' }) }))).toBe(false)
  expect(mayWrite(chat({ group: group({ ended: { how: 'destroyed' } }) }))).toBe(false)
  expect(mayWrite(chat({ request: true }))).toBe(false)
  expect(mayWrite({ jid: 'a@b', kind: 'person', name: 'A', time: 0, unread: 0, protection: 'omemo' })).toBe(true)
})

it('tells who adds and who edits', () => {
  const admins = { ...settings, adds: 'admins' as const, edits: 'admins' as const }
  for (const may of [mayAdd, mayEdit]) {
    expect(may(group())).toBe(true)
    expect(may(group({ settings: admins }))).toBe(false)
    expect(may(group({ settings: admins, affiliation: 'owner' }))).toBe(true)
    expect(may(group({ affiliation: 'owner', ended: { how: 'removed' } }))).toBe(false)
  }
  expect(isIn(group({ affiliation: 'outcast' }))).toBe(false)
})

it('knows the link of a group from an address, and from the pages of others', () => {
  const link = 'xmpp:verona@groups.town.example?join;token=abc'
  expect(groupIn(` ${link} `)).toBe('/g#verona@groups.town.example?join;token=abc')
  expect(groupIn(groupWeb(link))).toBe(groupPath(link))
  expect(groupIn(`${location.origin}/channel/town-of-verona`)).toBe('/channels/town-of-verona')
  for (const other of ['https://other.example/channel/town', `${location.origin}/channel/a/b`, `${location.origin}/channel/Town`]) expect(groupIn(other)).toBeUndefined()
  for (const other of ['xmpp:romeo@town.example', 'xmpp:romeo@town.example?message;body=join', 'romeo@town.example', 'https://elsewhere.example/g#verona@groups.town.example', 'https://town.example/g', 'https://town.example/join/abc', '']) {
    expect(groupIn(other), other).toBeUndefined()
  }
})

it('keeps a link for a day, until it is forgotten', () => {
  vi.useFakeTimers()
  keepLink('verona@groups.town.example')
  expect(keptLink()).toBe('verona@groups.town.example')
  vi.setSystemTime(Date.now() + 86_500_000)
  expect(keptLink()).toBeUndefined()
  vi.useRealTimers()
  keepLink('again@groups.town.example')
  forgetLink()
  expect(keptLink()).toBeUndefined()
  kept.set('group.link', '{"link":5}')
  expect(keptLink()).toBeUndefined()
})

it('has a sentence for each line of a group', async () => {
  const { readFileSync } = await import('node:fs')
  const source = readFileSync(new URL('../../../src/core/groups.ts', import.meta.url), 'utf8')
  const keys = [...source.slice(source.indexOf('export type GroupLine')).matchAll(/'(group-[\w-]+)'/g)].map((m) => m[1])
  const texts = JSON.parse(readFileSync(new URL('../../../src/i18n/en/chat.json', import.meta.url), 'utf8')) as Record<string, unknown>
  expect(keys.length).toBeGreaterThan(30)
  expect(keys.filter((key) => !(`system.${key}` in texts))).toEqual([])
})
