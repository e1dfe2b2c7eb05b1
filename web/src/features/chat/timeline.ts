// The part of a conversation that is in the page: a window over its messages that grows by pages at both ends and never holds more than a
// few hundred (WEB.md §2.4). It knows no DOM.
import { batch, signal } from '@preact/signals'
import type { Engine, Stop, Window } from '../../core/engine.ts'
import type { Chat, JID, Message } from '../../core/model.ts'

const atOpen = 40
const more = 40 // fewer pages are fewer frames that come late while somebody scrolls
const most = 200

/** A page that was read, and what was told meanwhile: it may be newer than the page. */
interface Read { window: Window; late: [changed: Message[], removed: string[]][] }

export class Timeline {
  readonly messages = signal<Message[]>([])
  readonly older = signal(false)
  readonly newer = signal(false)
  readonly loaded = signal(false)
  /** Id of the first message that was unread when the chat was opened. */
  readonly firstUnread = signal<string | undefined>(undefined)
  /** Messages of others that came after what is in the window, or below what is seen. */
  readonly unseen = signal(0)
  /** Called before the window changes, so that the screen can hold its place. */
  before: () => void = () => undefined
  /** Called with messages that have just come, oldest first. */
  arrived: (fresh: Message[]) => void = () => undefined
  private busy = false
  private readonly readers = new Set<Read['late']>()
  private readonly stop: Stop

  constructor(private readonly engine: Engine, private readonly jid: JID) {
    this.stop = engine.watchMessages(jid, (changed, removed) => this.changed(changed, removed))
  }

  /** open shows the window at the first unread message, or at the end: what is on this device, at once; what is older in the archive comes after.
   * `known` is the chat as it is kept. */
  async open(known: Promise<Chat | undefined>): Promise<void> {
    const [read, chat] = await Promise.all([this.read({ limit: atOpen }), known])
    this.show(read, () => { this.firstUnread.value = firstUnread(read.window.messages, chat) })
    if (read.window.messages.length < atOpen) await this.loadOlder()
  }

  /** around shows the window around a message or a place, which may have to come from the archive first. False, and nothing changes, when it cannot be had. */
  async around(place: string | number): Promise<boolean> {
    const read = await this.read({ limit: atOpen, around: place })
    if (read.window.missing) return false
    this.show(read)
    return true
  }

  /** end shows the newest messages. */
  async end(): Promise<void> {
    if (this.newer.value) this.show(await this.read({ before: Number.MAX_SAFE_INTEGER, limit: atOpen }))
    this.unseen.value = 0
  }

  /** A page, and what changed while it was read. */
  private async read(at: Parameters<Engine['page']>[1]): Promise<Read> {
    const late: Read['late'] = []
    this.readers.add(late)
    try { return { window: await this.engine.page(this.jid, at), late } } finally { this.readers.delete(late) }
  }

  private show({ window, late }: Read, besides: () => void = () => undefined): void {
    this.before()
    batch(() => {
      this.messages.value = window.messages
      this.older.value = window.older
      this.newer.value = window.newer
      this.loaded.value = true
      besides()
    })
    for (const [changed, removed] of late) this.apply(changed, removed)
  }

  /** loadOlder adds a page above; what is too much below leaves. */
  loadOlder(): Promise<void> {
    const before = this.messages.value[0]?.order ?? Number.MAX_SAFE_INTEGER
    return this.extend(this.older.value && this.loaded.value ? { before } : undefined, (window, fresh, all) => {
      this.older.value = window.older
      const joined = [...fresh, ...all]
      if (joined.length > most) { this.newer.value = true; joined.length = most }
      return joined
    })
  }

  /** loadNewer adds a page below; what is too much above leaves. */
  loadNewer(): Promise<void> {
    const last = this.messages.value[this.messages.value.length - 1]
    return this.extend(this.newer.value && last ? { after: last.order } : undefined, (window, fresh, all) => {
      this.newer.value = window.newer
      const joined = [...all, ...fresh]
      if (joined.length > most) { this.older.value = true; return joined.slice(-most) }
      return joined
    })
  }

  private async extend(at: { before: number } | { after: number } | undefined, join: (window: Window, fresh: Message[], all: Message[]) => Message[]): Promise<void> {
    if (!at || this.busy) return
    this.busy = true
    try {
      const { window, late } = await this.read({ ...at, limit: more })
      const all = this.messages.value
      const known = new Set(all.map((m) => m.id))
      const fresh = window.messages.filter((m) => !known.has(m.id))
      this.before()
      batch(() => { const joined = join(window, fresh, all); if (fresh.length) this.messages.value = joined })
      for (const [changed, removed] of late) this.apply(changed, removed)
    } finally { this.busy = false }
  }

  /** sent shows a message that was just kept, before the engine tells of it. */
  sent(message: Message): void {
    if (this.loaded.value && message.chat === this.jid && !this.messages.value.some((m) => m.id === message.id)) this.apply([message], [])
  }

  private changed(changed: Message[], removed: string[]): void {
    for (const late of this.readers) late.push([changed, removed])
    if (this.loaded.value) this.apply(changed, removed)
  }

  private apply(changed: Message[], removed: string[]): void {
    const all = new Map(this.messages.value.map((m) => [m.id, m]))
    const gone = removed.filter((id) => all.delete(id)).length
    const fresh: Message[] = []
    let touched = gone > 0
    for (const m of changed) {
      if (!all.has(m.id)) { if (!this.belongs(m)) { if (!m.own) this.unseen.value++; continue } fresh.push(m) }
      all.set(m.id, m)
      touched = true
    }
    if (!touched) return
    this.before()
    let sorted = [...all.values()].sort((a, b) => a.order - b.order)
    if (sorted.length > most) { sorted = sorted.slice(-most); this.older.value = true }
    this.messages.value = sorted
    if (fresh.length) this.arrived(fresh)
  }

  /** A new message belongs into the window when nothing that is not loaded stands between. */
  private belongs(m: Message): boolean {
    const all = this.messages.value
    const first = all[0], last = all[all.length - 1]
    if (!first || !last) return !this.newer.value
    return (!this.newer.value || m.order <= last.order) && (!this.older.value || m.order >= first.order)
  }

  close(): void { this.stop() }
}

function firstUnread(messages: Message[], chat: Chat | undefined): string | undefined {
  if (!chat?.unread) return undefined
  const { readUpTo } = chat
  if (readUpTo !== undefined) return messages.find((m) => !m.own && m.order > readUpTo)?.id
  const others = messages.filter((m) => !m.own)
  return others[Math.max(0, others.length - chat.unread)]?.id
}
