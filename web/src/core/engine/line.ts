// The connection as the screens see it: how it is, and what waits to leave.

import type { Stop } from '../engine.ts'
import type { Connection as Model, Waiting } from '../model.ts'
import type { Database } from '../store/database.ts'
import { errands, waiting } from '../store/outbox.ts'
import { mediaOf } from '../store/messages.ts'
import { sayShortly } from '../store/preview.ts'
import type { Link } from '../xmpp/connection.ts'
import type { News } from './changes.ts'
import { isContactErrand } from './contacts.ts'
import { soon } from './views.ts'

const MAX_WAITING = 200

/** The line of one account. */
export class Line {
  private link: Link = { state: 'offline', since: Date.now() * 1000 }
  private full = false
  private readonly shows = new Set<(now: Model) => void>()
  private readonly update: () => void
  private readonly stop: Stop

  constructor(private readonly db: Database, news: News) {
    this.update = soon(async () => {
      const now = await this.now()
      for (const show of this.shows) show(now)
    })
    this.stop = news.listen((c) => { if (c.outbox) this.update() })
  }

  /** The state has changed. */
  show(link: Link): void {
    this.link = link
    this.update()
  }

  /** What comes can (not) be kept. */
  setFull(full: boolean): void {
    if (full === this.full) return
    this.full = full
    this.update()
  }

  /** How it is now. */
  async now(): Promise<Model> {
    return { ...this.link, ...await waiting(this.db), ...(this.full ? { full: true } : {}) }
  }

  /** Calls back at once and on every change. */
  watch(show: (now: Model) => void): Stop {
    this.shows.add(show)
    this.update()
    return () => { this.shows.delete(show) }
  }

  /** What waits to leave or for a person, the oldest first; at most 200. */
  async waiting(): Promise<Waiting[]> {
    const out: Waiting[] = []
    for (const e of await errands(this.db)) {
      if (out.length >= MAX_WAITING) break
      if (/^(receipt|displayed|played|timer|seen|opened)$/.test(e.task.what) || (e.task.what === 'caption' && e.state !== 'failed')) continue
      if (isContactErrand(e)) {
        out.push({ id: `${e.message} ${e.seq}`, chat: e.chat, text: '', since: e.since, step: e.task.act.do })
        continue
      }
      const message = await this.db.get('messages', e.message)
      const transfer = message && mediaOf(message.content)?.transfer
      const text = e.task.what === 'edit' ? e.task.text.slice(0, 200) : e.task.what === 'react' ? e.task.emoji.join('') : message ? sayShortly(message.content) : ''
      out.push({ id: e.message, chat: e.chat, text, since: e.since, ...(transfer ? { transfer } : {}), ...(e.state === 'failed' ? { failure: e.failure ?? 'server' } : {}) })
    }
    return out
  }

  end(): void {
    this.stop()
    this.shows.clear()
  }
}
