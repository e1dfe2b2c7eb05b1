// When a connection counts as dead, and how long to wait before the next try.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Keeper } from '../../../src/core/net/keeper.ts'
import { backoff, Pulse, PULSE } from '../../../src/core/net/pulse.ts'

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => { vi.useRealTimers() })

function watched() {
  const seen = { asked: 0, dead: 0, left: 0 }
  const pulse: Pulse = new Pulse(() => { seen.asked++; pulse.asked() }, () => seen.dead++, () => seen.left)
  return { pulse, seen }
}

test('silence is asked about, and no answer is the end', () => {
  const { pulse, seen } = watched()
  vi.advanceTimersByTime(PULSE.idle + 100)
  expect(seen).toMatchObject({ asked: 1, dead: 0 })
  pulse.answered()
  vi.advanceTimersByTime(PULSE.idle - 100)
  expect(seen.asked).toBe(1)
  vi.advanceTimersByTime(200 + PULSE.answer)
  expect(seen).toMatchObject({ asked: 2, dead: 1 })
  vi.advanceTimersByTime(1e6)
  expect(seen).toMatchObject({ asked: 2, dead: 1 })
})

test('what arrives or leaves keeps it alive, but not for ever', () => {
  const { pulse, seen } = watched()
  pulse.asked()
  for (let i = 0; i < 4; i++) {
    vi.advanceTimersByTime(PULSE.answer - 1000)
    pulse.heard()
  }
  expect(seen.dead).toBe(0)
  vi.advanceTimersByTime(PULSE.most)
  expect(seen.dead).toBe(1)

  const slow = watched()
  slow.seen.left = 1000
  slow.pulse.asked()
  slow.seen.left = 900
  vi.advanceTimersByTime(PULSE.answer + 100)
  expect(slow.seen.dead).toBe(0)
  vi.advanceTimersByTime(PULSE.answer + 100)
  expect(slow.seen.dead).toBe(1)
})

test('who comes back wants to know soon', () => {
  const { pulse, seen } = watched()
  pulse.hidden = true
  vi.advanceTimersByTime(PULSE.hidden - 1000)
  expect(seen.asked).toBe(0)
  pulse.hurry()
  expect(seen.asked).toBe(1)
  vi.advanceTimersByTime(PULSE.hurry + 100)
  expect(seen.dead).toBe(1)
})

test('after a sleep the answer may be waiting: it is looked at first, once', () => {
  const { pulse, seen } = watched()
  pulse.asked()
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 3600_000)
  vi.advanceTimersByTime(PULSE.answer)
  expect(seen.dead).toBe(0)
  vi.mocked(performance.now).mockReturnValue(performance.now() + PULSE.hurry + 60_000)
  vi.advanceTimersByTime(PULSE.hurry)
  expect(seen.dead).toBe(1)
  vi.mocked(performance.now).mockRestore()
})

test('the pauses grow, and are never the same for all', () => {
  expect(backoff(0, false, () => 0.5)).toBe(500)
  expect([1, 2, 3].map((n) => backoff(n, false, () => 1))).toEqual([2000, 4000, 8000])
  expect(backoff(20, false, () => 1)).toBe(20_000)
  expect(backoff(20, true, () => 0)).toBe(150_000)
})

test('all servers are tried, then there is a pause, that a nudge ends', async () => {
  const tried: string[] = []
  const keeper = new Keeper<string>({
    servers: () => Promise.resolve(['a', 'b']),
    visit: (server) => { tried.push(server); return Promise.resolve({ reason: 'certificate', elsewhere: tried.length < 5 }) },
    waits: () => tried.push('pause'),
    ends: (reason) => tried.push(reason),
  })
  keeper.start()
  await vi.advanceTimersByTimeAsync(0)
  expect(tried).toEqual(['a', 'b', 'certificate'])

  const more: string[] = []
  const other = new Keeper<string>({
    servers: () => Promise.resolve(['a', 'b']), visit: (server) => { more.push(server); return Promise.resolve({}) },
    waits: () => undefined, ends: () => undefined,
  })
  other.start()
  for (let i = 0; i < 5; i++) await vi.advanceTimersByTimeAsync(70_000)
  const before = more.length
  other.nudge()
  await vi.advanceTimersByTimeAsync(0)
  expect(more.length).toBe(before + 2)
  other.stop()
  await vi.advanceTimersByTimeAsync(1e6)
  expect(more.length).toBe(before + 2)
})

test('a try that hangs is given up when somebody comes back; one that holds is not', async () => {
  const signals: AbortSignal[] = []
  const keeper: Keeper<string> = new Keeper<string>({
    servers: () => Promise.resolve(['a']),
    visit: (_, __, signal) => {
      signals.push(signal)
      if (signals.length === 2) keeper.holds()
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve({})))
    },
    waits: () => undefined, ends: () => undefined,
  })
  keeper.start()
  await vi.advanceTimersByTimeAsync(1000)
  keeper.nudge()
  expect(signals[0]?.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(5000)
  keeper.nudge()
  expect(signals[0]?.aborted).toBe(true)
  await vi.advanceTimersByTimeAsync(10_000)
  keeper.nudge()
  expect(signals[1]?.aborted).toBe(false)
  keeper.stop()
  expect(signals[1]?.aborted).toBe(true)
})
