// Web Locks for tests: exclusive locks with a queue, abort and steal, as the specification has them.

interface Waiter { grant(): void }

/** Locks shared by the tabs of a test. */
export class FakeLocks {
  private readonly held = new Map<string, { lose(error: Error): void }>()
  private readonly queues = new Map<string, Waiter[]>()

  readonly request = ((name: string, options: LockOptions, callback: (lock: unknown) => unknown) => new Promise((resolve, reject) => {
    const run = () => {
      let over = false
      const end = (finish: () => void) => {
        if (over) return
        over = true
        if (this.held.get(name) === mine) this.held.delete(name)
        finish()
        if (!this.held.has(name)) this.queues.get(name)?.shift()?.grant()
      }
      const mine = { lose: (error: Error) => end(() => reject(error)) }
      this.held.set(name, mine)
      Promise.resolve().then(() => callback({ name })).then((value) => end(() => resolve(value)), (error: unknown) => end(() => reject(error)))
    }
    if (options.steal) {
      const before = this.held.get(name)
      run()
      before?.lose(new DOMException('stolen', 'AbortError'))
      return
    }
    if (!this.held.has(name)) return run()
    const queue = this.queues.get(name) ?? []
    this.queues.set(name, queue)
    const waiter: Waiter = { grant: run }
    queue.push(waiter)
    options.signal?.addEventListener('abort', () => {
      const at = queue.indexOf(waiter)
      if (at < 0) return
      queue.splice(at, 1)
      reject(new DOMException('aborted', 'AbortError'))
    })
  })) as unknown as LockManager['request']
}
