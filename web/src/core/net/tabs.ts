// All tabs of an account as one: the engine runs in the tab that leads, and every tab uses it as if it were its own.

import { Candidate } from './leader.ts'
import { Share, type ShareOptions } from './remote.ts'
import { tellAwake } from './wake.ts'

/** How often a tab that somebody looks at makes sure that the leader is awake, and how long that may take to answer, in milliseconds. */
export const LOOK = { every: 10_000, answer: 3000 }

/** An account's engine in this tab. */
export interface Joined<T> {
  engine: T
  /** Says whether it runs here. */
  readonly leads: boolean
  /** Leaves; another tab takes over if there is one. */
  stop(): void
}

/**
 * Joins the account's other tabs. `begin` makes the engine when this tab leads; it shall end all that it does when its signal says so, within two
 * seconds: another tab begins then.
 */
export function joinTabs<T extends object>(account: string, begin: (signal: AbortSignal) => Promise<T>, options: ShareOptions = {}): Joined<T> {
  const share = new Share<T>('palabre-' + account, options)
  const candidate = new Candidate(account, async (signal) => {
    const engine = await begin(signal)
    if (signal.aborted) return
    signal.addEventListener('abort', share.serve(engine))
  }, options.locks)
  void candidate.start()
  const quiet = tellAwake(account)
  const over = new AbortController()
  let missed = 0
  const look = async () => {
    if (candidate.leads || document.visibilityState !== 'visible') return void (missed = 0)
    missed = await share.probe(LOOK.answer) ? 0 : missed + 1
    if (missed >= 2 && !over.signal.aborted) {
      missed = 0
      void candidate.steal()
    }
  }
  const lookTwice = () => void look().then(() => missed ? look() : undefined)
  lookTwice()
  const timer = setInterval(() => void look(), LOOK.every)
  document.addEventListener('visibilitychange', lookTwice, { signal: over.signal })
  return {
    engine: share.proxy,
    get leads() { return candidate.leads },
    stop() {
      over.abort()
      quiet()
      clearInterval(timer)
      candidate.stop()
      share.close()
    },
  }
}
