import { expect, it } from 'vitest'
import { found, withMembers } from '../../../src/features/chat/mention.ts'

it('finds the name that is typed after an @', () => {
  expect(found('hello @ka', 9)).toEqual({ from: 6, words: 'ka' })
  expect(found('mail@ka', 7)).toBeUndefined()
})

it('offers those who spoke first, then members, nobody twice and not ourselves', () => {
  const people = withMembers([{ jid: 'karim@b', name: 'Karim' }], [{ jid: 'me@b', nick: 'Me' }, { jid: 'karim@b', nick: 'K' }, { jid: 'kofi@b', nick: 'kofi' }], 'me@b', (_, nick) => nick)
  expect(people).toEqual([{ jid: 'karim@b', name: 'Karim' }, { jid: 'kofi@b', name: 'kofi' }])
})
