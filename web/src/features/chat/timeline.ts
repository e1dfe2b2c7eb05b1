// The part of a conversation that is in the page: a window over its messages that grows by pages at both ends and never holds more than a
// few hundred (WEB.md §2.4). It knows no DOM.
import { batch, signal } from '@preact/signals'
import type { Engine, Stop } from '../../core/engine.ts'
import type { Chat, JID, Message } from '../../core/model.ts'

const atOpen = 60
const more = 40
const most = 200

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
  private readonly stop: Stop

  constructor(private readonly engine: Engine, private readonly jid: JID) {
    this.stop = engine.watchMessages(jid, (changed, removed) => this.apply(changed, removed))
  }

  /** open shows the window around a message, or at the first unread, or at the end. */
  async open(chat: Chat | undefined, around?: string | number): Promise<void> {
    const window = await this.engine.page(this.jid, { limit: atOpen, ...(around === undefined ? {} : { around }) })
    this.before()
    batch(() => {
      this.messages.value = window.messages
      this.older.value = window.older
      this.newer.value = window.newer
      if (!this.loaded.value) this.firstUnread.value = firstUnread(window.messages, chat)
      this.loaded.value = true
    })
  }

  /** end shows the newest messages. */
  async end(): Promise<void> {
    if (this.newer.value) {
      const window = await this.engine.page(this.jid, { before: Number.MAX_SAFE_INTEGER, limit: atOpen })
      batch(() => { this.messages.value = window.messages; this.older.value = window.older; this.newer.value = false })
    }
    this.unseen.value = 0
  }

  /** loadOlder adds a page above; what is too much below leaves. */
  loadOlder(): Promise<void> {
    const first = this.messages.value[0]
    return this.extend(this.older.value && first ? { before: first.order } : undefined, (window, all) => {
      const joined = [...window.messages, ...all]
      this.older.value = window.older
      if (joined.length > most) { this.newer.value = true; joined.length = most }
      return joined
    })
  }

  /** loadNewer adds a page below; what is too much above leaves. */
  loadNewer(): Promise<void> {
    const last = this.messages.value[this.messages.value.length - 1]
    return this.extend(this.newer.value && last ? { after: last.order } : undefined, (window, all) => {
      const joined = [...all, ...window.messages]
      this.newer.value = window.newer
      if (joined.length > most) { this.older.value = true; return joined.slice(-most) }
      return joined
    })
  }

  private async extend(at: { before: number } | { after: number } | undefined, join: (window: { messages: Message[]; older: boolean; newer: boolean }, all: Message[]) => Message[]): Promise<void> {
    if (!at || this.busy) return
    this.busy = true
    try {
      const window = await this.engine.page(this.jid, { ...at, limit: more })
      const known = new Set(this.messages.value.map((m) => m.id))
      this.before()
      batch(() => { this.messages.value = join({ ...window, messages: window.messages.filter((m) => !known.has(m.id)) }, this.messages.value) })
    } finally { this.busy = false }
  }

  private apply(changed: Message[], removed: string[]): void {
    if (!this.loaded.value) return
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
