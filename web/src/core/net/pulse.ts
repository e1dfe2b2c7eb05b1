// Whether the other side is still there. Browsers notice a dead connection after minutes or never, so only one thing counts: that an answer comes
// after we have asked. Nothing is asked while data arrives by itself.

/** Times in milliseconds. */
export const PULSE = {
  /** A connection on which nothing comes for so long after a question is dead. */
  answer: 12_000,
  /** The same when a person has just come back to look. */
  hurry: 5_000,
  /** After so long a silence we ask. */
  idle: 45_000,
  /** The same while nobody looks. */
  hidden: 240_000,
  /** Whatever else comes: a question that is not answered for so long. */
  most: 60_000,
}

/** Watches one connection. */
export class Pulse {
  private lastHeard = performance.now()
  private askedAt: number | undefined
  private limit = PULSE.answer
  private quiet = PULSE.idle
  private backlog = 0
  private graced = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private due = 0

  /** `ask` sends a question, `dead` is called once when no answer came, `left` says how many bytes still wait in the browser. */
  constructor(private readonly ask: () => void, private readonly dead: () => void, private readonly left: () => number) {
    this.arm()
  }

  /** Something came. */
  heard(): void {
    this.lastHeard = performance.now()
  }

  /** A question was sent. */
  asked(): void {
    if (this.askedAt !== undefined) return
    this.askedAt = performance.now()
    this.backlog = this.left()
    this.graced = false
    this.arm()
  }

  /** The question was answered. */
  answered(): void {
    this.heard()
    this.askedAt = undefined
    this.limit = PULSE.answer
  }

  /** Nobody looks: ask less often. */
  set hidden(hidden: boolean) {
    this.quiet = hidden ? PULSE.hidden : PULSE.idle
    this.arm()
  }

  /** Asks now, and wants an answer soon. */
  hurry(): void {
    this.limit = PULSE.hurry
    if (this.askedAt !== undefined) this.askedAt = this.lastHeard = performance.now()
    this.ask()
    this.arm()
  }

  /** Watches no more. */
  stop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.due = Infinity
  }

  private arm(): void {
    if (this.due === Infinity) return
    clearTimeout(this.timer)
    const now = performance.now()
    const at = this.askedAt === undefined ? this.lastHeard + this.quiet : Math.min(Math.max(this.askedAt, this.lastHeard) + this.limit, this.askedAt + PULSE.most)
    this.due = Math.max(at, now + 50)
    this.timer = setTimeout(() => this.look(), this.due - now)
  }

  private look(): void {
    const now = performance.now()
    if (this.askedAt === undefined) {
      if (now >= this.lastHeard + this.quiet) this.ask()
    } else if (now > this.due + 3000 && !this.graced) { // the page slept: what came meanwhile has not been read yet
      this.graced = true
      this.askedAt = this.lastHeard = now
      this.limit = PULSE.hurry
    } else if (this.isDead(now)) {
      this.stop()
      return this.dead()
    }
    this.arm()
  }

  /** Says whether nothing came for too long. On a slow way that something leaves by, the wait begins anew. */
  private isDead(now: number): boolean {
    const { askedAt = now } = this
    if (now >= askedAt + PULSE.most) return true
    if (now < Math.max(askedAt, this.lastHeard) + this.limit) return false
    const left = this.left()
    if (left >= this.backlog) return true
    this.backlog = left
    this.lastHeard = now
    return false
  }
}

/** How long to wait before try number `n` (from 0), in milliseconds: at once but not all together, then longer and longer; who looks at it waits 20 s at most. */
export function backoff(n: number, hidden: boolean, random = Math.random): number {
  const most = Math.min(1000 * 2 ** n, hidden ? 300_000 : 20_000)
  return n === 0 ? most * random() : most * (0.5 + random() / 2)
}
