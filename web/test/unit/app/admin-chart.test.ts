// The line of a small chart: gaps stay gaps, what is alone is seen, nothing is drawn outside.
import { expect, test } from 'vitest'
import { line } from '../../../src/features/admin/chart.tsx'

test('gaps stay gaps', () => {
  expect(line([1, 1, null, 1, 1], 1)).toBe('M0 2L30 2M90 2L120 2')
})
test('a value that is alone is a dash', () => {
  expect(line([null, 5, null], 10)).toBe('M60 18h1')
})
test('nothing is drawn of nothing', () => {
  expect(line([], 0)).toBe('')
  expect(line([null, null], 0)).toBe('')
})
test('zero lies on the ground, also when all is zero', () => {
  expect(line([0, 0], 0)).toBe('M0 34L120 34')
})
