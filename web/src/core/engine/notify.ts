// Notifications while the client is open and nobody looks at it: the server sees a session then and wakes nobody. The service worker shows them, as it
// shows what wakes it, and takes them away when their chat was read, here or on another device.

import type { JID } from '../model.ts'
import type { Database } from '../store/database.ts'
import { domain, local } from '../xmpp/jid.ts'
import type { News } from './changes.ts'

/** The part of navigator.serviceWorker that is used; replaced in tests. */
export interface Workers { readonly ready: Promise<{ active: { postMessage(message: unknown): void } | null; getNotifications(): Promise<{ data: unknown }[]> }> }

/** Chats that may have a notification at once. */
const MAX_SHOWN = 500

/** Tells the service worker what came and what was read in one account. */
export class Notifier {
  private readonly shown = new Set<JID>()
  private readonly stop: () => void
  private readonly channels: string

  constructor(private readonly account: JID, private readonly db: Database, news: News, private readonly workers: Workers | undefined = globalThis.navigator?.serviceWorker) {
    this.channels = `channels.${domain(account)}`
    this.stop = news.listen((c) => {
      for (const chat of [...c.chats ?? [], ...(c.channels ?? []).map((name) => `${name}@${this.channels}`)]) if (this.shown.has(chat)) void this.look(chat).catch(() => undefined)
    })
    void this.begin().catch(() => undefined)
  }

  /** What was shown while no tab was open may have been read meanwhile. */
  private async begin(): Promise<void> {
    for (const { data } of await (await this.workers?.ready)?.getNotifications() ?? []) {
      if (typeof data !== 'object' || data === null || !('account' in data) || data.account !== this.account || !('chat' in data) || typeof data.chat !== 'string') continue
      this.note(data.chat)
      await this.look(data.chat)
    }
  }

  /** A message came that is new here; `called`: it names us. */
  arrived(chat: JID, called = false): void {
    this.note(chat)
    void this.say('arrived', chat, called ? { called } : {})
  }

  /** Somebody reacted to a message of ours. */
  reacted(chat: JID, emoji: string, text: string): void {
    void this.say('reacted', chat, { emoji, text })
  }

  end(): void {
    this.stop()
  }

  private note(chat: JID): void {
    if (this.shown.size < MAX_SHOWN) this.shown.add(chat)
  }

  private async look(chat: JID): Promise<void> {
    const unread = domain(chat) === this.channels ? (await this.db.get('channels', local(chat)))?.unread : (await this.db.get('chats', chat))?.unread
    if (unread || !this.shown.delete(chat)) return
    await this.say('looks', chat)
  }

  private async say(type: 'arrived' | 'looks' | 'reacted', chat: JID, more: { emoji?: string; text?: string; called?: boolean } = {}): Promise<void> {
    (await this.workers?.ready)?.active?.postMessage({ type, account: this.account, chat, ...more })
  }
}
