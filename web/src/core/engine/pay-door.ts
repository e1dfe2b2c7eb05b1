// The way to payments in the tab that leads: what they need is loaded when somebody uses them, when something of this device waits for its answer, and once in a while to
// look whether the server has them.

import { look } from '../store/database.ts'
import { get } from '../store/kv.ts'
import type { LeadAsks } from './pay-ask.ts'
import type { Around, PayLead } from './pay-lead.ts'

/** How long it is not looked again whether a server has payments, in microseconds. */
const FRESH = 86_400e6

/** The payments of one account. */
export class PayDoor {
  private opened: Promise<PayLead> | undefined
  private lead: PayLead | undefined
  private readonly stop: () => void

  constructor(private readonly around: Around) {
    this.stop = around.news.listen((c) => { if (!this.lead && c.pay?.some((key) => key === '' || key === 'early' || key === 'unshown' || key === 'wallet?')) void this.begin() })
  }

  /** A session is there. */
  async connected(): Promise<void> {
    const { db, now } = this.around
    const known = await get(db, 'pay')
    if (this.lead || !known || known.looked < now() - (known.service ? FRESH : FRESH / 24) || await look(db, ['pay']).objectStore('pay').count()) await this.begin()
  }

  private begin(): Promise<void> {
    return this.open().then((lead) => lead.connected()).catch(() => undefined) // the next session does it
  }

  /** Asks or does one thing. */
  async ask<K extends keyof LeadAsks>(what: K, args: Parameters<LeadAsks[K]>): Promise<Awaited<ReturnType<LeadAsks[K]>>> {
    const ask = (await this.open()).asks[what] as (...args: Parameters<LeadAsks[K]>) => Promise<Awaited<ReturnType<LeadAsks[K]>>>
    return ask(...args)
  }

  /** Hands in what waits, as far as that can be done shortly: how many payments are on this device alone then. */
  async unsettled(): Promise<number> {
    const open = await look(this.around.db, ['pay']).objectStore('pay').index('open').count(IDBKeyRange.bound(['payment', -Infinity], ['payment', Infinity]))
    return open && this.open().then((lead) => lead.unsettled()).catch(() => open)
  }

  private open(): Promise<PayLead> {
    const opened = this.opened ??= import('./pay-lead.ts').then(({ PayLead }) => this.lead = new PayLead(this.around))
    opened.catch(() => { this.opened = undefined })
    return opened
  }

  end(): void {
    this.stop()
    this.lead?.end()
  }
}
