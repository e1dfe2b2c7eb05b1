// An object of one tab, used from all: the engine runs where the connection is, and the other tabs call it over a BroadcastChannel. Methods
// that take a function watch: they return how to stop, and outlive the tab that they reach. All others give a promise.

import { safely } from './safely.ts'

/** The tab that was to do it is gone, or never was there: it may have been done or not. The same can be tried again. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** What a method in another tab threw; `name` and `condition` are those of the original. */
export class RemoteError extends Error {
  override readonly name: string
  readonly condition: string | undefined
  constructor(error: { name: string; message: string; condition?: string }) {
    super(error.message)
    this.name = error.name
    this.condition = error.condition
  }
}

interface Channel {
  postMessage(message: unknown): void
  onmessage: ((event: MessageEvent) => void) | null
  close(): void
}

/** How tabs share. */
export interface ShareOptions {
  /** Methods that this tab answers by itself while another leads. */
  local?: Record<string, (...args: never[]) => unknown>
  /** Another tab asked whether this one, which leads, is awake. */
  asked?(): void
  /** Says whether a call may be made a second time when the leader ended before it answered. Without it such a call is Interrupted. */
  again?(name: string, args: unknown[]): boolean
  channel?: Channel
  locks?: Pick<LockManager, 'request'>
}

type Word =
  | { kind: 'lead'; leader: string }
  | { kind: 'gone'; leader: string }
  | { kind: 'who' }
  | { kind: 'call'; to: string; from: string; id: number; at: number; name: string; args: unknown[]; watch?: number[] }
  | { kind: 'got'; to: string; leader: string; id: number }
  | { kind: 'stop'; to: string; from: string; id: number }
  | { kind: 'show'; to: string; leader: string; id: number; which: number; args: unknown[] }
  | { kind: 'done'; to: string; leader: string; id: number; value?: unknown; error?: { name: string; message: string; condition?: string } }

interface Call { name: string; args: unknown[]; begun?: boolean; resolve(value: unknown): void; reject(error: Error): void }
interface Watch { name: string; args: unknown[]; stop?: () => void }
type Methods = Record<string, (...args: unknown[]) => unknown>

/** Calls that may wait for an answer at once. */
const MAX_CALLS = 1000
/** Watches that one other tab may hold. */
const MAX_WATCHES = 1000
/** A call that has waited for so long was written to a tab that slept: another one leads by now. Milliseconds. */
const STALE = 5000

/** One tab's share of the object. */
export class Share<T extends object> {
  /** The object: this tab's own while it leads, the leader's otherwise. */
  readonly proxy: T
  private readonly me = crypto.randomUUID()
  private readonly channel: Channel
  private readonly locks: Pick<LockManager, 'request'>
  private readonly over = new AbortController()
  private target: Methods | undefined
  private leader: string | undefined
  private last = 0
  private readonly calls = new Map<number, Call>()
  private readonly watches = new Map<number, Watch>()
  /** What other tabs watch here: tab → id → how to stop. */
  private readonly guests = new Map<string, Map<number, () => void>>()
  private heard: (() => void)[] = []

  constructor(name: string, private readonly options: ShareOptions = {}) {
    this.channel = options.channel ?? new BroadcastChannel(name)
    this.locks = options.locks ?? navigator.locks
    this.channel.onmessage = (event) => this.hear(event.data as Word)
    this.proxy = new Proxy({} as T, { get: (_, key) => typeof key === 'string' && key !== 'then' ? (...args: unknown[]) => this.use(key, args) : undefined })
    // As long as this tab lives it holds this lock: who gets it knows that the tab is gone.
    void this.locks.request(tabLock(this.me), { signal: this.over.signal }, () => new Promise<void>((resolve) => this.over.signal.addEventListener('abort', () => resolve())))
      .catch(() => undefined)
    this.say({ kind: 'who' })
  }

  /** This tab leads from now on; gives how to end that. What other tabs watch comes again by itself. */
  serve(target: T): () => void {
    this.target = target as Methods
    this.follow(this.me)
    this.say({ kind: 'lead', leader: this.me })
    return () => {
      if (this.target !== target) return
      this.target = undefined
      for (const guest of [...this.guests.keys()]) this.forget(guest)
      this.follow(undefined)
      this.say({ kind: 'gone', leader: this.me })
      this.say({ kind: 'who' })
    }
  }

  /** Asks whether there is a leader that answers within so many milliseconds. */
  probe(within: number): Promise<boolean> {
    if (this.target) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), within)
      this.heard.push(() => {
        clearTimeout(timer)
        resolve(true)
      })
      this.say({ kind: 'who' })
    })
  }

  /** Ends this tab's part. */
  close(): void {
    for (const guest of [...this.guests.keys()]) this.forget(guest)
    for (const call of this.calls.values()) call.reject(new Interrupted())
    for (const watch of this.watches.values()) watch.stop?.()
    this.calls.clear()
    this.watches.clear()
    this.over.abort()
    this.channel.onmessage = null
    this.channel.close()
  }

  private say(word: Word): void {
    if (!this.over.signal.aborted) this.channel.postMessage(word)
  }

  private use(name: string, args: unknown[]): unknown {
    if (args.some((a) => typeof a === 'function')) return this.watch(name, args)
    const method = this.target?.[name]
    if (this.target && method) return method.apply(this.target, args)
    const local = this.options.local?.[name]
    if (local) return local(...args as never[])
    const answer = new Promise<unknown>((resolve, reject) => {
      if (this.calls.size >= MAX_CALLS || this.over.signal.aborted) return reject(new Interrupted())
      const id = ++this.last
      this.calls.set(id, { name, args, resolve, reject })
      this.post(id)
    })
    answer.catch(() => undefined) // who does not wait for it does not want to know
    return answer
  }

  private watch(name: string, args: unknown[]): () => void {
    const id = ++this.last
    const watch: Watch = { name, args }
    this.watches.set(id, watch)
    this.begin(id, watch)
    return () => {
      if (!this.watches.delete(id)) return
      watch.stop?.()
    }
  }

  /** Lets a watch begin at whoever leads now. */
  private begin(id: number, watch: Watch): void {
    const { name, args } = watch
    watch.stop = undefined
    if (this.target) {
      safely(() => {
        const stop = this.target?.[name]?.apply(this.target, args)
        watch.stop = typeof stop === 'function' ? () => { stop() } : undefined
      })
    } else if (this.leader) {
      const to = this.leader
      const functions = args.flatMap((a, i) => typeof a === 'function' ? i : [])
      this.say({ kind: 'call', to, from: this.me, id, at: Date.now(), name, args: args.map((a) => typeof a === 'function' ? null : a), watch: functions })
      watch.stop = () => this.say({ kind: 'stop', to, from: this.me, id })
    }
  }

  private post(id: number): void {
    const call = this.calls.get(id)
    if (!call || !this.leader) return
    try {
      this.say({ kind: 'call', to: this.leader, from: this.me, id, at: Date.now(), name: call.name, args: call.args })
    } catch (error) { // an argument that cannot be sent
      this.calls.delete(id)
      call.reject(error instanceof Error ? error : new Interrupted())
    }
  }

  /** Turns to another leader. */
  private follow(leader: string | undefined): void {
    if (leader === this.leader) return
    this.leader = leader
    for (const [id, call] of [...this.calls]) this.repeat(id, call)
    for (const [id, watch] of this.watches) {
      if (this.target) watch.stop = undefined
      this.begin(id, watch)
    }
  }

  /** Makes a call anew that the leader before may have got, if that does no harm. */
  private repeat(id: number, call: Call): void {
    if (call.begun && !this.options.again?.(call.name, call.args)) {
      this.calls.delete(id)
      return call.reject(new Interrupted())
    }
    call.begun = false
    if (!this.target) return this.post(id)
    this.calls.delete(id)
    Promise.resolve().then(() => this.target?.[call.name]?.(...call.args)).then(call.resolve, call.reject)
  }

  private hear(word: Word): void {
    if (word.kind === 'who') {
      if (!this.target) return
      this.say({ kind: 'lead', leader: this.me })
      safely(() => this.options.asked?.())
    } else if (word.kind === 'lead') {
      if (this.target) return // this tab is told by its lock when it does not lead any more
      this.follow(word.leader)
      for (const call of this.heard.splice(0)) call()
    } else if (word.kind === 'gone') {
      if (word.leader === this.leader) this.follow(undefined)
    } else if (word.to === this.me) {
      if (word.kind === 'call') void this.serveCall(word)
      else if (word.kind === 'stop') this.drop(word.from, word.id)
      else if (word.leader === this.leader) this.take(word)
    }
  }

  private take(word: Word & { kind: 'got' | 'show' | 'done' }): void {
    if (word.kind === 'got') {
      const call = this.calls.get(word.id)
      if (call) call.begun = true
      return
    }
    if (word.kind === 'show') {
      const show = this.watches.get(word.id)?.args[word.which]
      if (typeof show === 'function') show(...word.args)
      return
    }
    const call = this.calls.get(word.id)
    this.calls.delete(word.id)
    if (word.error) call?.reject(word.error.name === 'Interrupted' ? new Interrupted() : new RemoteError(word.error))
    else call?.resolve(word.value)
  }

  /** Does what another tab wants. */
  private async serveCall(word: Word & { kind: 'call' }): Promise<void> {
    const method = this.target?.[word.name]
    const answer = { kind: 'done', to: word.from, leader: this.me, id: word.id } as const
    try {
      if (method && word.watch) return this.serveWatch(word, method)
      if (!method || Math.abs(Date.now() - word.at) > STALE) throw new Interrupted()
      this.say({ kind: 'got', to: word.from, leader: this.me, id: word.id })
      this.say({ ...answer, value: await method.apply(this.target, word.args) })
    } catch (error) {
      const { name = 'Error', message = '', condition } = error as { name?: string; message?: string; condition?: string }
      this.say({ ...answer, error: { name, message, condition } })
    }
  }

  private serveWatch(word: Word & { kind: 'call' }, method: (...args: unknown[]) => unknown): void {
    const { from, id } = word
    const held = this.welcome(from)
    if (held.size >= MAX_WATCHES) return
    this.drop(from, id)
    const args = word.args.map((arg, which) => word.watch?.includes(which)
      ? (...shown: unknown[]) => this.say({ kind: 'show', to: from, leader: this.me, id, which, args: shown }) : arg)
    const stop = method.apply(this.target, args)
    held.set(id, () => { if (typeof stop === 'function') stop() })
  }

  private drop(guest: string, id: number): void {
    const stop = this.guests.get(guest)?.get(id)
    this.guests.get(guest)?.delete(id)
    stop?.()
  }

  private welcome(guest: string): Map<number, () => void> {
    let held = this.guests.get(guest)
    if (!held) {
      this.guests.set(guest, held = new Map())
      void this.locks.request(tabLock(guest), { signal: this.over.signal }, () => this.forget(guest)).catch(() => undefined)
    }
    return held
  }

  private forget(guest: string): void {
    for (const stop of this.guests.get(guest)?.values() ?? []) stop()
    this.guests.delete(guest)
  }
}

const tabLock = (tab: string) => 'palabre-tab-' + tab
