// Keys of senders where what reads them cannot be loaded, and for who was away for long: nothing is lost by it.

import { afterEach, expect, test, vi } from 'vitest'
import { utf8 } from '../../../src/core/crypto/bytes.ts'
import { systemRandom } from '../../../src/core/crypto/curve.ts'
import { escapeText, wrap } from '../../../src/core/crypto/envelope.ts'
import type { Service } from '../../../src/core/crypto/service.ts'
import type { Encrypted } from '../../../src/core/crypto/types.ts'
import { Crowd } from './crowd.ts'
import { cloned } from './support.ts'

const chunk = '../../../src/core/crypto/sender-keys.ts'
afterEach(() => { vi.doUnmock(chunk) })

async function pair(): Promise<{ crowd: Crowd; a: Service; b: Service }> {
  const crowd = new Crowd()
  crowd.fill(36)
  return { crowd, a: await crowd.join('romeo@example.org'), b: await crowd.join('juliet@example.org') }
}

test('a message with a chain is read later where what keeps chains cannot be loaded now', async () => {
  const { crowd, a, b } = await pair()
  const first = await crowd.say(a, 'first')
  const second = await crowd.say(a, 'second')
  vi.doMock(chunk, () => { throw new Error('not to be had') })
  for (const message of [first, second]) expect(await crowd.reads(b, { from: a.device.jid, message })).toBe('fault')
  vi.doUnmock(chunk)
  expect(await crowd.reads(b, { from: a.device.jid, message: first })).toBe('first')
  expect(await crowd.reads(b, { from: a.device.jid, message: second })).toBe('second')
})

test('what is said to one alone waits for no such thing', async () => {
  const { crowd, a, b } = await pair()
  const said = "look: <want xmlns='urn:palabre:sender-keys:0'/>"
  const envelope = utf8(wrap(`<body xmlns='jabber:client'>${escapeText(said)}</body>`, a.device.jid, crowd.clock.now, systemRandom))
  const { messages } = await a.encrypt({ to: [b.device.jid], body: said, envelope })
  vi.doMock(chunk, () => { throw new Error('not to be had') })
  const read = await b.decrypt({ key: 'k', from: a.device.jid, message: cloned(messages.at(-1) as Encrypted) })
  expect(read.envelope).toContain(escapeText(said))
})

test('who was away for more than a month reads what was said before, and forgets chains a day later', async () => {
  const { crowd, a, b } = await pair()
  await crowd.say(a, 'first')
  expect(await crowd.reads(b)).toBe('first')
  const said = { from: a.device.jid, message: await crowd.say(a, 'unread') }
  crowd.clock.now += 31 * 86_400
  b.beginCatchUp()
  await b.endCatchUp() // the archive is here, and the logs of groups are read after it
  expect(await crowd.reads(b, said)).toBe('unread')
  crowd.clock.now += 86_400
  await b.maintain()
  expect(await b.device.store.names('chain/', 10)).toEqual([])
})
