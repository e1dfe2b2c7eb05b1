// Keys of senders (docs/protocol/group-keys.md): one key for a whole group, in groups of hundreds of devices.

import { describe, expect, test } from 'vitest'
import { Crowd } from './crowd.ts'

const romeo = 'romeo@example.org'
const juliet = 'juliet@example.org'

describe('a large group', () => {
  test('the first message has a key for each, and the chain; the next ones have one for all', async () => {
    const crowd = new Crowd()
    crowd.fill(38)
    const [a, b] = [await crowd.join(romeo), await crowd.join(juliet)]
    const first = await crowd.say(a, 'first')
    expect([first.keys.length, first.all?.n]).toEqual([39, 0])
    expect(await crowd.reads(b)).toBe('first')
    for (const body of ['second', 'third']) {
      const next = await crowd.say(a, body)
      expect([next.keys, next.all?.epoch]).toEqual([[], first.all?.epoch])
      expect(await crowd.reads(b)).toBe(body)
      expect(await crowd.reads(b)).toBe('duplicate')
    }
    await crowd.say(b, 'answer')
    expect(await crowd.reads(a)).toBe('answer')
    await crowd.say(b, 'again')
    expect(await crowd.reads(a)).toBe('again')
    expect(crowd.log.at(-1)?.message.keys).toEqual([])
  })
})
