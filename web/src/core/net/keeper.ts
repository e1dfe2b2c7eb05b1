// Keeps a connection: goes round the servers until one holds it, waits longer after each round that failed, and tries at once when somebody
// comes back.

import { backoff } from './pulse.ts'

/** A try that has taken so long is given up when somebody comes back or the network does; milliseconds. */
const IMPATIENT = 4_000

/** What a keeper needs. `R` is a reason to stop trying. */
export interface Kept<R> {
  /** Addresses in the order in which to try them; asked before each round. */
  servers(): Promise<string[]>
  /**
   * Connects to one, and stays until that ends. `held` says that it was connected: the round is over then. `reason` says that it is no use to go on;
   * with `elsewhere` it may be at another server. It shall end when the signal says so.
   */
  visit(server: string, place: number, signal: AbortSignal): Promise<{ held?: boolean; long?: boolean; reason?: R; elsewhere?: boolean }>
  /** Nothing is tried until then (milliseconds since 1970). */
  waits(until: number): void
  /** It is no use to go on. */
  ends(reason: R): void
}

/** Tries until it is told not to. */
export class Keeper<R> {
  /** Nobody looks: wait longer. */
  hidden = false
  private life: AbortController | undefined
  private tries = 0
  private wake: (() => void) | undefined
  private visiting: { since: number; held: boolean; stop: AbortController } | undefined

  constructor(private readonly kept: Kept<R>) {}

  /** Says whether it tries. */
  get running(): boolean {
    return !!this.life
  }

  /** Begins, if it has not begun. */
  start(): void {
    if (this.life) return
    this.life = new AbortController()
    this.tries = 0
    void this.run(this.life)
  }

  /** Ends, and whatever is under way. */
  stop(): void {
    const life = this.life
    this.life = undefined
    life?.abort()
    this.wake?.()
  }

  /** Tries now: a pause ends, and so does a try that seems stuck. */
  nudge(): void {
    this.tries = 0
    this.wake?.()
    const now = this.visiting
    if (now && !now.held && performance.now() - now.since > IMPATIENT) now.stop.abort()
  }

  /** The visit under way has led to a connection. */
  holds(): void {
    if (this.visiting) this.visiting.held = true
  }

  private async run(life: AbortController): Promise<void> {
    while (this.life === life) {
      const reason = await this.round(life)
      if (this.life !== life) return
      if (reason !== undefined) {
        this.life = undefined
        return this.kept.ends(reason)
      }
      await this.pause()
    }
  }

  /** Visits all servers until one has held a connection; gives the reason if it is no use to go on. */
  private async round(life: AbortController): Promise<R | undefined> {
    let reason: R | undefined
    const servers = await this.kept.servers().catch(() => [])
    for (const [place, server] of servers.entries()) {
      if (this.life !== life) return undefined
      const stop = new AbortController()
      const end = () => stop.abort()
      life.signal.addEventListener('abort', end)
      this.visiting = { since: performance.now(), held: false, stop }
      const came = await this.kept.visit(server, place, stop.signal)
      this.visiting = undefined
      life.signal.removeEventListener('abort', end)
      if (came.long) this.tries = 0
      if (came.held || (came.reason !== undefined && !came.elsewhere)) return came.reason
      reason = came.reason
    }
    return reason
  }

  private pause(): Promise<void> {
    const delay = backoff(this.tries++, this.hidden)
    if (delay > 1000) this.kept.waits(Date.now() + delay)
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay)
      this.wake = () => {
        this.wake = undefined
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
