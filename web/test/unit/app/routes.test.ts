import { expect, it } from 'vitest'
import { match, routes } from '../../../src/app/routes.ts'
import { tabs } from '../../../src/app/tabs.ts'
import { addressIn } from '../../../src/features/newchat/address.ts'
import { found } from '../../../src/features/chat/mention.ts'

it('finds a route and what stands in its places', () => {
  expect(match('/')?.route.feature).toBe('chats')
  expect(match('/chat/nadia%40palabre.example/at/m%2F1')).toMatchObject({ route: { feature: 'chat' }, params: { jid: 'nadia@palabre.example', message: 'm/1' } })
  expect(match('/chat/%E0%A4%A')).toBeUndefined()
  expect(match('/nowhere/at/all')).toBeUndefined()
})

it('has each address once', () => {
  const shapes = routes.map((r) => r.path.replace(/:\w+/g, ':'))
  expect(new Set(shapes).size).toBe(shapes.length)
})

it('has each view beside others under one of the places', () => {
  for (const { path, feature, pane } of routes) if (pane !== 'full') expect(tabs.filter((tab) => tab.features.includes(feature)), path).toHaveLength(1)
})

it.each([
  ['nadia@palabre.example', 'nadia@palabre.example'],
  ['  Nadia@Palabre.Example/phone ', 'nadia@palabre.example'],
  ['xmpp:nadia@palabre.example?message;body=x', 'nadia@palabre.example'],
  ['xmpp:nadia%C3%A9@palabre.example', 'nadiaé@palabre.example'],
  ['xmpp:%E0%A4%A', undefined],
  ['https://palabre.example/invite/abc', undefined],
  ['two words@palabre.example', undefined],
  ['nobody', undefined],
  ['a@b@c', undefined],
])('reads the address in %s', (text, wanted) => { expect(addressIn(text)).toBe(wanted) })

it.each([
  ['@', 1, { from: 0, words: '' }],
  ['hello @ka', 9, { from: 6, words: 'ka' }],
  ['hello @कर', 9, { from: 6, words: 'कर' }],
  ['mail a@b', 8, undefined],
  ['@karim is here', 14, undefined],
])('finds who is named in %s', (text, caret, wanted) => { expect(found(text, caret)).toEqual(wanted) })
