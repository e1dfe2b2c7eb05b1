// Tabs that share one engine: who leads, what the others get, and what happens when the leader ends at any moment.
import { afterEach, expect, test, vi } from 'vitest'
import { Candidate } from '../../../src/core/net/leader.ts'
import { Interrupted, Share, type ShareOptions } from '../../../src/core/net/remote.ts'
import { FakeLocks } from './locks.ts'

interface Counter {
  add(n: number): Promise<number>
  fail(): Promise<void>
  never(): Promise<void>
  watch(show: (n: number) => void): () => void
  name(): string
}

/** What the tabs share, kept in one place as the database is. */
class Town implements Counter {
  static total = 0
  watchers = new Set<(n: number) => void>()
  calls = 0
  add(n: number) {
    this.calls++
    Town.total += n
    for (const show of this.watchers) show(Town.total)
    return Promise.resolve(Town.total)
  }
  fail() { return Promise.reject(Object.assign(new Error('no room'), { name: 'QuotaExceededError', condition: 'resource-constraint' })) }
  never() { return new Promise<void>(() => undefined) }
  watch(show: (n: number) => void) {
    this.watchers.add(show)
    show(Town.total)
    return () => { this.watchers.delete(show) }
  }
  name() { return 'leader' }
}

let open: Share<Counter>[] = []
const locks = { value: new FakeLocks() }
afterEach(() => {
  for (const share of open) share.close()
  open = []
  locks.value = new FakeLocks()
  Town.total = 0
})

let name = 0
const room = () => 'tabs-' + name++
function tab(channel: string, options: ShareOptions = {}): Share<Counter> {
  const share = new Share<Counter>(channel, { locks: locks.value, ...options })
  open.push(share)
  return share
}

test('calls, errors and watches reach the leader from another tab', async () => {
  const channel = room()
  const [a, b] = [tab(channel), tab(channel)]
  const early = b.proxy.add(1) // nobody leads yet: it waits
  a.serve(new Town())
  expect(await early).toBe(1)
  expect(await a.proxy.add(1)).toBe(2)
  await expect(b.proxy.fail()).rejects.toMatchObject({ name: 'QuotaExceededError', message: 'no room', condition: 'resource-constraint' })
  const seen: number[] = []
  const stop = b.proxy.watch((n) => seen.push(n))
  await vi.waitFor(() => expect(seen).toEqual([2]), 20_000)
  await b.proxy.add(3)
  await vi.waitFor(() => expect(seen).toEqual([2, 5]), 20_000)
  stop()
  await b.proxy.add(1)
  await b.proxy.add(1)
  expect(seen).toEqual([2, 5])
  expect(await a.proxy.name()).toBe('leader')
  expect(b.proxy).not.toHaveProperty('then')
})

test('the leader is told when another tab asks whether it is awake', async () => {
  const channel = room()
  let asked = 0
  const [a, b] = [tab(channel, { asked: () => { asked++ } }), tab(channel, { asked: () => { asked += 100 } })]
  a.serve(new Town())
  const before = asked
  expect(await b.probe(20_000)).toBe(true)
  expect(asked).toBeGreaterThan(before)
  expect(asked).toBeLessThan(100) // who does not lead is not meant
})

test('watches outlive the leader, and calls that it had begun are interrupted', async () => {
  const channel = room()
  const [a, b, c] = [tab(channel), tab(channel), tab(channel)]
  const first = new Town()
  const end = a.serve(first)
  const seen: number[] = []
  b.proxy.watch((n) => seen.push(n))
  await b.proxy.add(1)
  const begun = b.proxy.never()
  await b.proxy.add(1) // the one before has arrived, too
  end()
  await expect(begun).rejects.toBeInstanceOf(Interrupted)
  const waiting = b.proxy.add(10)
  c.serve(new Town())
  expect(await waiting).toBe(12)
  await vi.waitFor(() => expect(seen.at(-1)).toBe(12), 20_000)
  expect(first.watchers.size).toBe(0)
})

test('a call that the leader never began is made anew, once', async () => {
  const channel = room()
  const [dead, b, c] = [tab(channel), tab(channel), tab(channel)]
  dead.serve(new Town())
  await b.proxy.add(1)
  ;(dead as unknown as { channel: { onmessage: null } }).channel.onmessage = null // it froze
  const call = b.proxy.add(5)
  const next = new Town()
  c.serve(next)
  expect(await call).toBe(6)
  expect(next.calls).toBe(1)
})

test('a call that waited while its leader slept is not made late, a watch is', async () => {
  const channel = room()
  const [a, b] = [tab(channel), tab(channel)]
  const town = new Town()
  a.serve(town)
  await b.proxy.add(1)
  vi.spyOn(Date, 'now').mockReturnValueOnce(Date.now() - 60_000).mockReturnValueOnce(Date.now() - 60_000)
  const late = b.proxy.add(1)
  const seen: number[] = []
  b.proxy.watch((n) => seen.push(n))
  await expect(late).rejects.toBeInstanceOf(Interrupted)
  await vi.waitFor(() => expect(seen).toEqual([1]), 20_000)
  expect(town.calls).toBe(1)
})

test('what may be done twice is', async () => {
  const channel = room()
  const [a, b] = [tab(channel), tab(channel, { again: (method) => method === 'add' })]
  const slow = new Town()
  slow.add = () => new Promise<number>(() => undefined)
  a.serve(slow)
  const call = b.proxy.add(2)
  await expect(b.proxy.fail()).rejects.toBeTruthy()
  b.serve(new Town()) // this very tab takes over
  expect(await call).toBe(2)
})

test('a tab that ends is forgotten', async () => {
  const channel = room()
  const [a, b] = [tab(channel), tab(channel)]
  const town = new Town()
  a.serve(town)
  const seen: number[] = []
  b.proxy.watch((n) => seen.push(n))
  await vi.waitFor(() => expect(town.watchers.size).toBe(1), 20_000)
  b.close()
  await vi.waitFor(() => expect(town.watchers.size).toBe(0), 20_000)
  await expect(b.proxy.add(1)).rejects.toBeInstanceOf(Interrupted)
})

test('one leads at a time; the next takes over; a sleeping leader can be passed over', async () => {
  const led: string[] = []
  const candidate = (who: string) => new Candidate('romeo@localhost', (signal) => {
    led.push(who)
    signal.addEventListener('abort', () => led.push('-' + who))
    return Promise.resolve()
  }, locks.value)
  const [a, b, c] = [candidate('a'), candidate('b'), candidate('c')]
  for (const one of [a, b, c]) void one.start()
  await vi.waitFor(() => expect(a.leads).toBe(true), 20_000)
  expect([b.leads, c.leads]).toEqual([false, false])
  a.stop()
  await vi.waitFor(() => expect(b.leads).toBe(true), 20_000)
  void c.steal()
  await vi.waitFor(() => expect(c.leads).toBe(true), 20_000)
  expect(b.leads).toBe(false)
  c.stop()
  await vi.waitFor(() => expect(b.leads).toBe(true), 20_000) // it stands again
  expect(led.filter((one) => !one.startsWith('-'))).toEqual(['a', 'b', 'c', 'b'])
  expect(led.filter((one) => one.startsWith('-'))).toEqual(['-a', '-b', '-c'])
  b.stop()
})
