// Stream management against a simple model: what is sent, acknowledged, resumed and given up in any order.
import { expect, test } from 'vitest'
import { Ledger, MAX_UNACKED } from '../../../src/core/xmpp/sm.ts'
import { message } from '../../../src/core/xmpp/stanza.ts'

const stanza = (id: number) => message({ id: String(id) })

test('each stanza has one fate, in order, and the count turns over at 2^32', () => {
  const ledger = new Ledger('x')
  const fates: [number, boolean][] = []
  let sent = 0
  let server = 0
  let state = 1
  const roll = (n: number) => {
    state = (state * 1664525 + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  for (let i = 0; i < 5000; i++) {
    if (roll(2)) {
      const id = sent
      if (ledger.sent(stanza(id), (ok) => fates.push([id, ok]))) sent++
    } else {
      server = Math.min(sent, server + roll(20))
      expect(ledger.acknowledge(String(server))).toBe(true)
      expect(fates).toHaveLength(server)
      expect(ledger.again().map((s) => Number(s.attr('id')))).toEqual(Array.from({ length: sent - server }, (_, k) => server + k))
    }
  }
  for (const wrong of [String(sent + 1), '-1', 'x', undefined]) expect(ledger.acknowledge(wrong)).toBe(false)
  ledger.end()
  expect(fates).toEqual(Array.from({ length: sent }, (_, id) => [id, id < server]))
})

test('the count turns over', () => {
  const ledger = new Ledger('x')
  Object.assign(ledger, { acked: 2 ** 32 - 2 })
  const fates: boolean[] = []
  for (let i = 0; i < 4; i++) ledger.sent(stanza(i), (ok) => fates.push(ok))
  expect(ledger.acknowledge('1')).toBe(true)
  expect(fates).toEqual([true, true, true])
})

test('it is bounded', () => {
  const ledger = new Ledger('x')
  for (let i = 0; i < MAX_UNACKED; i++) expect(ledger.sent(stanza(i))).toBe(true)
  expect(ledger.sent(stanza(0))).toBe(false)
  expect(ledger.waiting).toBe(MAX_UNACKED)
})

test('only what is handled counts, and only up to the first that is not', () => {
  const ledger = new Ledger('x')
  const [a, b, c] = [ledger.arrived(), ledger.arrived(), ledger.arrived()]
  b()
  expect([ledger.h, ledger.settled]).toEqual([0, false])
  a()
  expect(ledger.h).toBe(2)
  c()
  expect([ledger.h, ledger.settled]).toEqual([3, true])
})

test('what was not handled when the session is resumed counts once, when it comes again', () => {
  const ledger = new Ledger('x')
  const [a, b] = [ledger.arrived(), ledger.arrived()]
  a()
  expect(ledger.resume()).toBe(1)
  const again = ledger.arrived()
  b()
  expect(ledger.h).toBe(1)
  again()
  expect([ledger.h, ledger.settled]).toEqual([2, true])
})
