// The moments at which a connection should look after itself: somebody comes back to one of the tabs, the network is back. The tab that has
// the connection may be one that nobody sees while another is looked at, so all tabs tell.

/** What is told. */
export interface Awake {
  nudge(): void
  setHidden(hidden: boolean): void
}

/** How often a tab that is looked at says so, and how long that is believed, in milliseconds. */
const SAID = { every: 30_000, good: 75_000 }

interface Word { tab: string; visible: boolean }

const visible = () => document.visibilityState === 'visible'
const channelOf = (account: string) => new BroadcastChannel('palabre-awake-' + account)

/** Lets the other tabs know whether this one is looked at; gives how to stop. */
export function tellAwake(account: string): () => void {
  const channel = channelOf(account)
  const tab = crypto.randomUUID()
  const tell = (is = visible()) => channel.postMessage({ tab, visible: is } satisfies Word)
  const stop = new AbortController()
  const { signal } = stop
  const timer = setInterval(() => { if (visible()) tell() }, SAID.every)
  document.addEventListener('visibilitychange', () => tell(), { signal })
  addEventListener('pageshow', () => tell(), { signal })
  addEventListener('pagehide', () => tell(false), { signal })
  channel.onmessage = (event) => { if (event.data === 'who') tell() }
  tell()
  return () => {
    clearInterval(timer)
    stop.abort()
    tell(false)
    channel.close()
  }
}

/**
 * Tells a connection from now on, and at once how things are; gives how to stop. With `account` other tabs count as well (tellAwake). Nothing is
 * concluded from `offline`: it is wrong too often.
 */
export function watchWake(to: Awake, account?: string): () => void {
  const others = new Map<string, number>()
  const stop = new AbortController()
  const { signal } = stop
  const look = () => {
    for (const [tab, said] of others) if (Date.now() - said > SAID.good) others.delete(tab)
    to.setHidden(!visible() && !others.size)
  }
  const back = () => {
    look()
    if (visible()) to.nudge()
  }
  document.addEventListener('visibilitychange', back, { signal })
  document.addEventListener('resume', back, { signal })
  addEventListener('pageshow', (event) => { if (event.persisted) back() }, { signal })
  addEventListener('online', () => to.nudge(), { signal })
  look()
  if (!account) return () => stop.abort()
  const channel = channelOf(account)
  channel.onmessage = (event: MessageEvent<Word | 'who'>) => {
    if (event.data === 'who') return
    const { tab, visible: is } = event.data
    const fresh = is && !others.has(tab)
    if (is) others.set(tab, Date.now())
    else others.delete(tab)
    look()
    if (fresh) to.nudge()
  }
  channel.postMessage('who')
  const timer = setInterval(look, SAID.every)
  return () => {
    stop.abort()
    clearInterval(timer)
    channel.close()
  }
}
