// Linking through and through: two devices with real keys, boxes in memory between them, and people who press buttons.
import { describe, expect, test, vi } from 'vitest'
import { historyState, newHistoryKey } from '../../../src/core/crypto/history.ts'
import { answer } from '../../../src/core/crypto/failure.ts'
import { Links } from '../../../src/core/crypto/link.ts'
import type { Device } from '../../../src/core/crypto/device.ts'
import { devicesOf } from '../../../src/core/crypto/trust.ts'
import type { LinkLogin } from '../../../src/core/crypto/types.ts'
import { accountOf, boxesAt, LIFETIME, LinkError, Linking, uriOf, type Begin, type Ending, type Relay, type Side } from '../../../src/core/engine/link.ts'
import type { LinkState } from '../../../src/core/model.ts'
import { newDevice } from '../crypto/support.ts'

const jid = 'romeo@example.org'
const login: LinkLogin = { agent: '8a4c2b6e-0d1f-4a53-9c1e-77f0c3a4b5d6', mechanism: 'HT-SHA-256-NONE', token: 'once' }

/** Boxes as the server has them. */
class Boxes implements Relay {
  letters = new Map<string, string>()
  closed: Ending | 'contested' | undefined
  away = false
  /** How long a letter is waited for, in milliseconds. */
  poll = Infinity
  private age = 0
  private waiting: (() => void)[] = []

  async put(box: string, step: number, letter: string): Promise<void> {
    this.reach()
    const there = this.letters.get(`${box} ${step}`)
    if (there !== undefined && there !== letter) this.close('contested')
    this.reach()
    this.letters.set(`${box} ${step}`, letter)
    this.wake()
  }

  async get(box: string, step: number, signal: AbortSignal): Promise<string | undefined> {
    this.reach()
    const { age, poll } = this
    const began = Date.now()
    while (!this.letters.has(`${box} ${step}`) && !signal.aborted && age === this.age && Date.now() - began < poll) {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve)
        signal.addEventListener('abort', () => resolve())
        if (poll < Infinity) setTimeout(resolve, poll)
      })
      this.reach()
    }
    return this.letters.get(`${box} ${step}`)
  }

  /** The server ends and another one begins, with empty boxes. */
  restart(): void {
    this.letters.clear()
    this.age++
    this.wake()
  }

  async end(_: string, why: Ending): Promise<void> {
    if (this.away) throw new TypeError('no network')
    this.close(why)
  }

  private reach(): void {
    if (this.closed) throw new LinkError(this.closed)
    if (this.away) throw new TypeError('no network')
  }

  private close(why: NonNullable<Boxes['closed']>): void {
    this.closed ??= why
    this.wake()
  }

  private wake(): void { for (const go of this.waiting.splice(0)) go() }
}

/** One side with what its screen showed. */
class Screen {
  readonly states: LinkState[] = []
  readonly linking: Linking
  entered: (LinkLogin | undefined)[] = []
  admitted = 0
  private watchers: (() => void)[] = []
  end: Promise<boolean> | undefined

  constructor(device: Device, role: Side['role'], relay: Relay, more: Partial<Side> = {}) {
    const links = new Links(device)
    this.linking = new Linking({
      role, relay,
      crypto: {
        linkShow: (...args) => answer(() => links.show(...args)), linkScan: (uri) => answer(() => links.scan(uri)), linkHear: (...args) => answer(() => links.hear(...args)),
        linkConfirm: (...args) => answer(() => links.confirm(...args)), linkArrived: (id) => answer(() => links.arrived(id)),
        linkCancel: (id) => answer(() => links.cancel(id)),
      },
      show: (state) => { this.states.push(state); for (const look of this.watchers) look() },
      ...(role === 'old' ? { admit: async () => { this.admitted++; return login } } : { enter: async (given) => { this.entered.push(given) } }),
      ...more,
    })
  }

  begin(begin: Begin): this {
    this.end = this.linking.run(begin)
    return this
  }

  /** Waits until a step is shown. */
  async shows<S extends LinkState['step']>(step: S, holds: (state: Extract<LinkState, { step: S }>) => boolean = () => true): Promise<Extract<LinkState, { step: S }>> {
    for (;;) {
      const found = this.states.find((s): s is Extract<LinkState, { step: S }> => s.step === step && holds(s as Extract<LinkState, { step: S }>))
      if (found) return found
      await new Promise<void>((resolve) => { this.watchers.push(resolve) })
    }
  }

  get last(): LinkState | undefined { return this.states.at(-1) }
}

async function devices(): Promise<{ old: Device; fresh: Device }> {
  const clock = { now: Math.floor(Date.now() / 1000) }
  const [old, fresh] = await Promise.all([newDevice(jid, { clock }), newDevice(jid, { clock })])
  await newHistoryKey(old)
  return { old, fresh }
}

/** Both up to the six digits; `shower` is whose code it is. */
async function upToDigits(shower: 'old' | 'new', more: { old?: Partial<Side>; new?: Partial<Side> } = {}, relay = new Boxes()) {
  const { old, fresh } = await devices()
  const giver = new Screen(old, 'old', relay, more.old), taker = new Screen(fresh, 'new', relay, more.new)
  const [first, second] = shower === 'old' ? [giver, taker] : [taker, giver]
  first.begin({ address: jid, text: (uri) => (shower === 'old' ? `https://chat.example/link#${uri}` : uri) })
  const { text } = await first.shows('showing')
  second.begin({ scanned: text })
  const [a, b] = [await giver.shows('comparing'), await taker.shows('comparing')]
  expect(a.code).toMatch(/^\d{6}$/)
  expect(b.code).toBe(a.code)
  return { old, fresh, relay, giver, taker, text, code: a.code }
}

describe('linking', () => {
  test.each(['old', 'new'] as const)('the %s device shows the code; both agree, and the new one is in with the keys', async (shower) => {
    const { old, fresh, giver, taker } = await upToDigits(shower)
    expect(giver.admitted).toBe(0)
    taker.linking.compared(true)
    await taker.shows('comparing', (s) => s.agreed)
    expect((await historyState(fresh)).keys).toEqual([]) // not before the old one agreed
    giver.linking.compared(true)
    expect(await Promise.all([giver.end, taker.end])).toEqual([true, true])
    expect([giver.last, taker.last]).toEqual([{ step: 'done' }, { step: 'done' }])
    expect(taker.entered).toEqual([login])
    expect((await historyState(fresh)).keys).toEqual((await historyState(old)).keys)
  })

  test('a server that begins anew with empty boxes is no harm', async () => {
    class Falling extends Boxes {
      private fell = new Set<number>()
      override poll = 100
      override async get(box: string, step: number, signal: AbortSignal): Promise<string | undefined> {
        const letter = await super.get(box, step, signal)
        if (letter === undefined || step === 4 || this.fell.has(step)) return letter
        this.fell.add(step)
        this.restart() // before the letter is out
        return undefined
      }
    }
    const { giver, taker } = await upToDigits('old', {}, new Falling())
    giver.linking.compared(true)
    taker.linking.compared(true)
    expect(await Promise.all([giver.end, taker.end])).toEqual([true, true])
  }, 30_000)

  test('digits of another hand-over agree to nothing', async () => {
    const { giver, taker, code } = await upToDigits('old')
    giver.linking.compared(true, code === '000000' ? '111111' : '000000')
    expect(giver.last).toMatchObject({ step: 'comparing', agreed: false })
    giver.linking.stop()
    await Promise.all([giver.end, taker.end])
    expect(giver.admitted).toBe(0)
  })

  test.each(['giver', 'taker'] as const)('other digits on the %s end it on both, and nothing is handed over', async (who) => {
    const sides = await upToDigits('old')
    sides.giver.linking.compared(who !== 'giver')
    sides[who].linking.compared(false)
    expect(await Promise.all([sides.giver.end, sides.taker.end])).toEqual([false, false])
    expect(sides.giver.last).toEqual({ step: 'failed', why: 'differing' })
    expect(sides.taker.last).toEqual({ step: 'failed', why: 'differing' })
    expect((await historyState(sides.fresh)).keys).toEqual([])
    expect(sides.taker.entered).toEqual([])
  })

  test('who leaves cancels it for the other', async () => {
    const { giver, taker } = await upToDigits('new')
    taker.linking.stop()
    expect(await giver.end).toBe(false)
    expect(giver.last).toEqual({ step: 'failed', why: 'cancelled' })
    expect(taker.last?.step).toBe('comparing') // who left needs to be told nothing
    expect(giver.admitted).toBe(0)
  })

  test('both leave at once: each is told nothing, the other nothing wrong, and nothing was handed over', async () => {
    const { giver, taker, old, fresh } = await upToDigits('old')
    giver.linking.stop()
    taker.linking.stop()
    expect(await Promise.all([giver.end, taker.end])).toEqual([false, false])
    expect([giver.last?.step, taker.last?.step]).toEqual(['comparing', 'comparing'])
    expect(giver.admitted).toBe(0)
    for (const d of [old, fresh]) expect((await devicesOf(d, jid)).slice(1)).toEqual([])
  })

  test('one agrees and the other sees other digits in the same moment: it fails on both, and no device is verified', async () => {
    const settled: string[] = []
    const { giver, taker, old, fresh } = await upToDigits('old', { old: { settle: async () => { settled.push('out'); return false } } })
    giver.linking.compared(true)
    taker.linking.compared(false)
    expect(await Promise.all([giver.end, taker.end])).toEqual([false, false])
    expect([giver.last, taker.last]).toEqual([{ step: 'failed', why: 'differing' }, { step: 'failed', why: 'differing' }])
    expect(settled).toEqual(giver.admitted ? ['out'] : [])
    for (const d of [old, fresh]) expect((await devicesOf(d, jid)).slice(1)).toEqual([])
    expect((await historyState(fresh)).keys).toEqual([])
  })

  test('the code ends while a person compares: both say that it is over', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    try {
      const { giver, taker } = await upToDigits('old')
      giver.linking.compared(true)
      await vi.advanceTimersByTimeAsync(LIFETIME + 10)
      expect(await Promise.all([giver.end, taker.end])).toEqual([false, false])
      expect([giver.last, taker.last]).toEqual([{ step: 'failed', why: 'over' }, { step: 'failed', why: 'over' }])
      expect(taker.entered).toEqual([])
    } finally { vi.useRealTimers() }
  })

  test('the last letter is lost: the older device asks the server whether the new one is in, and verifies it then', async () => {
    const { giver, taker, relay, old, fresh } = await upToDigits('old', { old: { settle: async () => true } })
    const put = relay.put.bind(relay)
    relay.put = async (box, step, letter) => {
      if (step === 4) await relay.end(box, 'over')
      return put(box, step, letter)
    }
    giver.linking.compared(true)
    taker.linking.compared(true)
    expect(await Promise.all([giver.end, taker.end])).toEqual([true, true])
    expect([giver.last, taker.last]).toEqual([{ step: 'done' }, { step: 'done' }])
    for (const [d, other] of [[old, fresh], [fresh, old]] as const) expect((await devicesOf(d, jid)).slice(1)).toMatchObject([{ id: other.id, trust: 'verified' }])
  })

  test('the connection is lost between the agreement and the keys: nothing comes in later, and the new device is told', async () => {
    const asked: string[] = []
    const boxes = new Boxes()
    const { giver, taker, fresh } = await upToDigits('old', { old: {
      admit: async () => { boxes.away = true; throw new LinkError('offline') },
      settle: async () => { asked.push('settled'); boxes.away = false; return false },
    } }, boxes)
    giver.linking.compared(true)
    taker.linking.compared(true)
    expect(await Promise.all([giver.end, taker.end])).toEqual([false, false])
    expect(giver.last).toEqual({ step: 'failed', why: 'offline' })
    expect(taker.last).toEqual({ step: 'failed', why: 'cancelled' }) // told when there was a network again
    expect(asked).toEqual(['settled'])
    expect((await historyState(fresh)).keys).toEqual([])
  })

  test('a third device with the same code ends it for all', async () => {
    const { giver, taker, relay, text } = await upToDigits('old')
    const third = new Screen((await devices()).fresh, 'new', relay).begin({ scanned: text })
    await Promise.all([giver.end, taker.end, third.end])
    for (const screen of [giver, taker, third]) expect(screen.last).toEqual({ step: 'failed', why: 'contested' })
  })

  test('a server that gives no token, and a device that cannot get in, are said', async () => {
    const noToken = await upToDigits('old', { old: { admit: () => Promise.reject(new LinkError('offline')) } })
    noToken.giver.linking.compared(true)
    await noToken.giver.end
    expect(noToken.giver.last).toEqual({ step: 'failed', why: 'offline' })
    await noToken.taker.end
    expect(noToken.taker.last).toEqual({ step: 'failed', why: 'cancelled' })
    const noWay = await upToDigits('old', { new: { enter: () => Promise.reject(new LinkError('server')) } })
    noWay.giver.linking.compared(true)
    noWay.taker.linking.compared(true)
    expect(await Promise.all([noWay.giver.end, noWay.taker.end])).toEqual([false, false])
    expect(noWay.taker.last).toEqual({ step: 'failed', why: 'server' })
  })

  test('codes for the other side, of other accounts, and what is none', async () => {
    const { old, fresh } = await devices()
    const shown = (role: 'old' | 'new', of: Device, account = jid) => new Links(of).show(role, account).uri
    const cases: [Side['role'], string, string][] = [
      ['new', shown('new', fresh), 'own'], ['old', shown('old', old), 'own'], ['old', shown('new', fresh, 'juliet@example.org'), 'account'],
      ['new', 'https://chat.example/join/abcdefgh', 'malformed'], ['new', '', 'malformed'], ['new', shown('old', old).replace('v=0', 'v=1'), 'malformed'], ['new', 'x'.repeat(100_000), 'malformed'],
    ]
    for (const [role, scanned, why] of cases) {
      const screen = new Screen(role === 'old' ? old : fresh, role, new Boxes()).begin({ scanned })
      expect(await screen.end).toBe(false)
      expect(screen.last).toEqual({ step: 'failed', why })
    }
    expect(accountOf(uriOf(`https://chat.example/link#${shown('old', old)}`, 'new'))).toBe(jid)
  })

  test('a code ends, and a server that stays away is said', async () => {
    const { old } = await devices()
    vi.useFakeTimers()
    try {
      const late = new Screen(old, 'old', new Boxes()).begin({ address: jid, text: (uri) => uri })
      await vi.advanceTimersByTimeAsync(LIFETIME - 1)
      expect(late.last?.step).toBe('showing')
      await vi.advanceTimersByTimeAsync(2)
      expect(late.last).toEqual({ step: 'failed', why: 'over' })
      const relay = new Boxes()
      relay.away = true
      const alone = new Screen(old, 'old', relay).begin({ address: jid, text: (uri) => uri })
      await vi.advanceTimersByTimeAsync(10_000)
      expect(alone.last?.step).toBe('showing') // a moment without network ends nothing
      await vi.advanceTimersByTimeAsync(15_000)
      expect(alone.last).toEqual({ step: 'failed', why: 'offline' })
    } finally { vi.useRealTimers() }
  })
})

describe('boxes', () => {
  /** A server that answers so, and what it was asked. */
  function server(status: number, body = ''): { relay: Relay; asked: string[] } {
    const asked: string[] = []
    const ask = ((url: string, init: RequestInit) => {
      asked.push(`${init.method} ${url}${init.body ? ` ${String(init.body)}` : ''}`)
      return Promise.resolve(new Response(status === 204 ? null : body, { status }))
    }) as typeof fetch
    return { relay: boxesAt('https://chat.example', ask), asked }
  }
  const never = new AbortController().signal

  test('ask as the server wants it', async () => {
    const { relay, asked } = server(204)
    await relay.put('0123456789abcdef', 1, 'aGk')
    expect(await relay.get('0123456789abcdef', 2, never)).toBeUndefined()
    await relay.end('0123456789abcdef', 'differing')
    await relay.end('0123456789abcdef', 'cancelled')
    const at = 'https://chat.example/linking/0123456789abcdef'
    expect(asked).toEqual([`PUT ${at}/1 aGk`, `GET ${at}/2`, `DELETE ${at}?why=differing`, `DELETE ${at}`])
    expect(await server(200, 'aGk').relay.get('0123456789abcdef', 2, never)).toBe('aGk')
  })

  test.each([[410, 'differing', 'differing'], [410, 'contested', 'contested'], [410, 'cancelled', 'cancelled'], [410, '<p>', 'cancelled'], [429, '', 'busy'], [404, '', 'server']])('%i %s is %s', async (status, body, why) => {
    await expect(server(status, body).relay.get('0123456789abcdef', 2, never)).rejects.toMatchObject({ name: 'LinkError', why })
  })

  test('a server in trouble is tried again', async () => {
    await expect(server(502).relay.put('0123456789abcdef', 1, 'aGk')).rejects.not.toBeInstanceOf(LinkError)
  })
})
