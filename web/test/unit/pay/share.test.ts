// How bills are divided: whatever it is, the parts add up to the total.
import { expect, test } from 'vitest'
import { byItems, byParts, equal, sum } from '../../../src/features/pay/share.ts'

/** Numbers that look random and are the same each time. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed
  for (;;) { state = (state * 1103515245 + 12345) % 2147483648; yield state }
}

test('equal parts differ by one at most', () => {
  expect(equal(48000, 4)).toEqual([12000, 12000, 12000, 12000])
  expect(equal(100, 3)).toEqual([34, 33, 33])
  expect(equal(2, 3)).toEqual([1, 1, 0])
  expect(equal(5, 0)).toEqual([])
  const more = numbers(7)
  for (let i = 0; i < 500; i++) {
    const [total, people] = [more.next().value * 1000, 1 + (more.next().value % 50)]
    const parts = equal(total, people)
    expect(sum(parts)).toBe(total)
    expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1)
  }
})

test('in proportion, to the last cent, also with very large amounts', () => {
  expect(byParts(100, [1, 1, 1])).toEqual([34, 33, 33])
  expect(byParts(48000, [2, 1, 1])).toEqual([24000, 12000, 12000])
  expect(byParts(10, [0, 3])).toEqual([0, 10])
  expect(byParts(10, [0, 0])).toEqual([0, 0])
  expect(sum(byParts(2 ** 53 - 1, [3, 5, 7]))).toBe(2 ** 53 - 1)
  const more = numbers(11)
  for (let i = 0; i < 500; i++) {
    const parts = Array.from({ length: 1 + (more.next().value % 20) }, () => more.next().value % 1000)
    if (!sum(parts)) continue
    const total = more.next().value
    const shares = byParts(total, parts)
    expect(sum(shares)).toBe(total)
    shares.forEach((share, j) => expect(Math.abs(share - total * (parts[j] ?? 0) / sum(parts))).toBeLessThan(1))
  }
})

test('who had what, with the service spread over it', () => {
  const people = ['a@x', 'b@x', 'c@x']
  const items = [{ name: 'Tagine', amount: 9000, who: ['a@x'] }, { name: 'Tea', amount: 1000, who: ['a@x', 'b@x', 'c@x'] }, { name: 'Fish', amount: 8000, who: ['b@x', 'stranger@x'] }]
  const exact = byItems(18000, people, items)
  expect(exact?.map((one) => one.amount)).toEqual([9334, 8333, 333])
  expect(exact?.[1]?.items).toEqual([{ name: 'Tea', amount: 333 }, { name: 'Fish', amount: 8000 }])
  const withTip = byItems(19800, people, items)
  expect(sum(withTip?.map((one) => one.amount) ?? [])).toBe(19800)
  expect(withTip?.[0]?.amount).toBe(10268)
  expect(byItems(100, people, [])).toBeUndefined()
  expect(byItems(100, people, [{ name: 'Nobody', amount: 5, who: [] }])).toBeUndefined()
})
