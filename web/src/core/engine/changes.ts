// What changed in the database, told to those who show it, in this tab and in the others: each reads again what it shows.

import type { JID } from '../model.ts'

/** What one step changed. */
export interface Changes {
  /** Chats whose row changed. */
  chats?: JID[]
  /** Ids of messages that are new or changed, by chat. */
  messages?: Record<JID, string[]>
  removed?: Record<JID, string[]>
  contacts?: boolean
  outbox?: boolean
  choices?: boolean
  /** Something was decided about chats that other devices have to be told. */
  settings?: boolean
  /** Names of channels of which something changed; '' when something of ours is to leave. */
  channels?: string[]
  /** Keys of what changed in the store of payments; `wallet`, and `wallet?` when it is to be asked for; '' when something of ours is to leave. */
  pay?: string[]
  /** What stands in the updates: statuses, channels. */
  updates?: boolean
}

interface Channel {
  postMessage(message: unknown): void
  onmessage: ((event: MessageEvent) => void) | null
  close(): void
}

/** Collects what a step changes. */
export class Collector {
  private readonly chats = new Set<JID>()
  private readonly messages = new Map<JID, Set<string>>()
  private readonly removed = new Map<JID, Set<string>>()
  private readonly pays = new Set<string>()
  private readonly flags: Pick<Changes, 'contacts' | 'outbox' | 'choices' | 'settings' | 'updates'> = {}

  chat(jid: JID): void {
    this.chats.add(jid)
  }

  message(chat: JID, id: string): void {
    this.messages.set(chat, (this.messages.get(chat) ?? new Set()).add(id))
  }

  remove(chat: JID, ids: string[]): void {
    const set = this.removed.get(chat) ?? new Set()
    for (const id of ids) set.add(id)
    this.removed.set(chat, set)
  }

  pay(key: string): void {
    this.pays.add(key)
  }

  mark(what: 'contacts' | 'outbox' | 'choices' | 'settings' | 'updates'): void {
    this.flags[what] = true
  }

  /** All of it, undefined for nothing. */
  get all(): Changes | undefined {
    const lists = (map: Map<JID, Set<string>>) => Object.fromEntries([...map].map(([jid, ids]) => [jid, [...ids]]))
    if (!this.chats.size && !this.messages.size && !this.removed.size && !this.pays.size && !Object.keys(this.flags).length) return undefined
    return { chats: [...this.chats], messages: lists(this.messages), removed: lists(this.removed), ...(this.pays.size ? { pay: [...this.pays] } : {}), ...this.flags }
  }
}

/** Tells changes within this tab and to the account's other tabs. */
export class News {
  private readonly listeners = new Set<(changes: Changes) => void>()
  private readonly channel: Channel | undefined
  private readonly soon = new Map<ReturnType<typeof setTimeout>, Changes>()

  constructor(account: JID, channel?: Channel) {
    this.channel = channel ?? (typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('palabre-news-' + account))
    if (this.channel) this.channel.onmessage = ({ data }) => this.hear(data as Changes)
  }

  /** Hears of every change from now on. */
  listen(listener: (changes: Changes) => void): () => void {
    this.listeners.add(listener)
    return () => { this.listeners.delete(listener) }
  }

  /** Tells what a step changed. */
  tell(changes: Changes | undefined): void {
    if (!changes) return
    this.hear(changes)
    this.channel?.postMessage(changes)
  }

  /** Tells what a step changed as soon as who asked for it has gone on; at the latest before it is closed. */
  tellSoon(changes: Changes | undefined): void {
    if (!changes) return
    const timer = setTimeout(() => {
      this.soon.delete(timer)
      this.tell(changes)
    })
    this.soon.set(timer, changes)
  }

  close(): void {
    for (const [timer, changes] of this.soon) {
      clearTimeout(timer)
      this.tell(changes)
    }
    this.soon.clear()
    this.listeners.clear()
    this.channel?.close()
  }

  private hear(changes: Changes): void {
    for (const listener of [...this.listeners]) {
      try {
        listener(changes)
      } catch (error) {
        queueMicrotask(() => { throw error })
      }
    }
  }
}
