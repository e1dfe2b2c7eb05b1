// The way to channels in the tab that leads: what they need is loaded when a person looks at them, when the account is known to follow some, or when
// something comes of one; until then they cost nothing.

import type { ChannelAsks } from '../channels.ts'
import { CHANNEL } from '../xmpp/ns.ts'
import type { Element } from '../xmpp/xml.ts'
import type { Around, ChannelLead } from './channel-lead.ts'

/** The channels of one account. */
export class ChannelDoor {
  private opened: Promise<ChannelLead> | undefined
  private lead: ChannelLead | undefined

  private readonly stop: () => void

  constructor(private readonly around: Around) {
    this.stop = around.news.listen((c) => { if (!this.lead && c.channels?.includes('')) void this.open().then((lead) => lead.connected(true)).catch(() => undefined) }) // the next session does it
  }

  /** A session is there. */
  async connected(resumed: boolean): Promise<void> {
    const { db } = this.around
    if (!this.lead && !await db.get('kv', 'channels') && !await db.count('publishing')) return
    ;(await this.open()).connected(resumed)
  }

  /** Takes a message, if it is of a channel. */
  async hear(stanza: Element): Promise<void> {
    if (!this.lead && !stanza.child('entry', CHANNEL)) return
    await (await this.open()).hear(stanza)
  }

  /** Asks or does one thing. */
  async ask<K extends keyof ChannelAsks>(what: K, args: Parameters<ChannelAsks[K]>): Promise<Awaited<ReturnType<ChannelAsks[K]>>> {
    const ask = (await this.open()).asks[what] as (...args: Parameters<ChannelAsks[K]>) => Promise<Awaited<ReturnType<ChannelAsks[K]>>>
    return ask(...args)
  }

  private open(): Promise<ChannelLead> {
    const opened = this.opened ??= import('./channel-lead.ts').then(({ ChannelLead }) => this.lead = new ChannelLead(this.around))
    opened.catch(() => { this.opened = undefined })
    return opened
  }

  end(): void {
    this.stop()
    this.lead?.end()
  }
}
