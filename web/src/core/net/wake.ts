// The moments at which a connection should look after itself: somebody comes back to the page, the network is back.

/** What is told. */
export interface Awake {
  nudge(): void
  setHidden(hidden: boolean): void
}

/** Tells from now on, and at once how things are; gives how to stop. Nothing is concluded from `offline`: it is wrong too often. */
export function watchWake(to: Awake): () => void {
  const stop = new AbortController()
  const { signal } = stop
  const look = () => {
    to.setHidden(document.visibilityState === 'hidden')
    if (document.visibilityState === 'visible') to.nudge()
  }
  to.setHidden(document.visibilityState === 'hidden')
  document.addEventListener('visibilitychange', look, { signal })
  document.addEventListener('resume', look, { signal })
  addEventListener('pageshow', (event) => { if (event.persisted) look() }, { signal })
  addEventListener('online', () => to.nudge(), { signal })
  return () => stop.abort()
}
