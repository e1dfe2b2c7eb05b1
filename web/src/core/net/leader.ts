// Which tab has the connection. All tabs of an account ask for one Web Lock; who gets it leads, until it closes. A tab that a person looks at
// takes the lead from one that the browser has put to sleep and that does not answer.

/** The part of Web Locks that is used; replaced in tests. */
export type Locks = Pick<LockManager, 'request'>

/** What a tab does while it leads. `signal` ends it: then another tab leads already, or is about to. */
export type Lead = (signal: AbortSignal) => Promise<void>

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))


/** One tab's part in choosing a leader. */
export class Candidate {
  private readonly stopped = new AbortController()
  private leading = false

  /** `lead` is called when this tab leads, again after it lost the lead and got it back; it shall end what it has begun soon after its signal. */
  constructor(private readonly account: string, private readonly lead: Lead, private readonly locks: Locks = navigator.locks) {}

  /** Says whether this tab leads. */
  get leads(): boolean {
    return this.leading
  }

  /** Stands for the lead until stop(). */
  async start(): Promise<void> {
    while (!this.stopped.signal.aborted) await this.wait({ signal: this.stopped.signal })
  }

  /** Takes the lead from a tab that does not answer. Its own `lead` is told through the signal as soon as it wakes. */
  async steal(): Promise<void> {
    if (!this.leading && !this.stopped.signal.aborted) await this.wait({ steal: true })
  }

  /** Gives the lead up, and does not stand any more. */
  stop(): void {
    this.stopped.abort()
  }

  private async wait(options: LockOptions): Promise<void> {
    const over = new AbortController()
    const end = () => over.abort()
    this.stopped.signal.addEventListener('abort', end)
    try {
      await this.locks.request('palabre-' + this.account, options, async () => {
        if (this.stopped.signal.aborted) return
        this.leading = true
        const lost = new Promise<void>((resolve) => over.signal.addEventListener('abort', () => resolve()))
        const led = this.lead(over.signal)
        await Promise.race([lost, led.then(() => lost)])
        await Promise.race([led, pause(2000)]) // let it end what it has begun before another tab begins
      })
    } catch (error) {
      // Stopped, or stolen: both are AbortErrors. Anything else is the leader's own failure: another tab, or this one anew, takes its place.
      if (!(error instanceof DOMException)) {
        queueMicrotask(() => { throw error })
        await pause(1000)
      }
    } finally {
      this.leading = false
      over.abort()
      this.stopped.signal.removeEventListener('abort', end)
    }
  }
}
