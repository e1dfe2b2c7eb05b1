// The way to the encrypted history in the tab that leads: what writes and reads it is loaded when the archive was read to its end, or when something is asked
// of it. All of it needs the connection, so none of it is kept for a start without network.

import type { Element } from '../xmpp/xml.ts'
import type { Session } from '../xmpp/session.ts'
import type { History, HistoryParts } from './history.ts'
import { HISTORY } from './own-ns.ts'

/** The encrypted history of one account, as the engine asks for it. */
export class HistoryDoor {
  private opened: Promise<History> | undefined
  private history: History | undefined
  private ended = false

  constructor(private readonly parts: HistoryParts) {}

  /** The archive was read to its end. */
  caughtUp(): void { void this.soon((history) => history.caughtUp()) }

  /** Another device of ours gave us the keys. */
  haveKeys(): void { void this.soon((history) => history.haveKeys()) }

  /** Another device is there that may want what is not written yet. Fulfilled when it was tried. */
  now(): Promise<void> { return this.soon((history) => history.now()) }

  /** Nobody looks any more, and this device may end. */
  leave(): void { this.history?.leave() }

  /** Hears what our other devices say about it. */
  hear(stanza: Element): void {
    if (stanza.attr('type') === 'headline' && stanza.children().some((child) => child.ns === HISTORY)) void this.soon((history) => history.hear(stanza))
  }

  /** Has a key, and all that is written, for a device that is about to get it. */
  async ready(): Promise<void> { await (await this.open()).ready() }

  /** A device was removed from the account. */
  async renew(): Promise<void> { await (await this.open()).renew() }

  /** Makes a recovery code. */
  async recoveryCode(session: Session): Promise<string> { return (await this.open()).recoveryCode(session) }

  /** Opens the history with its code. Fails with the worker's refusal for a wrong one. */
  async recover(session: Session, code: string): Promise<void> { await (await this.open()).recover(session, code) }

  end(): void {
    this.ended = true
    this.history?.end()
  }

  private async soon(work: (history: History) => unknown): Promise<void> {
    try {
      await work(await this.open())
    } catch (error) { console.warn('history', error) } // the next session does it
  }

  private open(): Promise<History> {
    const opened = this.opened ??= import('./history.ts').then(({ History }) => {
      const history = this.history = new History(this.parts)
      if (this.ended) history.end()
      return history
    })
    opened.catch(() => { this.opened = undefined })
    return opened
  }
}
