// Who is writing just now. Nothing of it is kept.

import type { JID } from '../model.ts'
import { hint } from '../xmpp/ids.ts'
import { STATES } from '../xmpp/ns.ts'
import type { Session } from '../xmpp/session.ts'
import { message, newID } from '../xmpp/stanza.ts'
import { el } from '../xmpp/xml.ts'
import { RECORDING } from './own-ns.ts'

/** A state that is not said again holds for so long, in milliseconds. */
const HOLDS = 30_000
/** Chats in which somebody may be seen writing at once. */
const MAX = 200

/** Who writes, by chat. */
export type Writers = Record<JID, { jid: JID; what: 'composing' | 'recording' }[]>

/** Who writes in the chats of one account. */
export class Typing {
  private readonly writers = new Map<JID, { jid: JID; what: 'composing' | 'recording'; timer: ReturnType<typeof setTimeout> }>()
  private readonly shows = new Set<(who: Writers) => void>()
  private said = new Map<JID, string>()

  /** Calls back at once and on every change. */
  watch(show: (who: Writers) => void): () => void {
    this.shows.add(show)
    show(this.all())
    return () => { this.shows.delete(show) }
  }

  private all(): Writers {
    return Object.fromEntries([...this.writers].map(([chat, { jid, what }]) => [chat, [{ jid, what }]]))
  }

  /** Somebody writes, or stops: `paused`, or a message of theirs came. */
  heard(chat: JID, jid: JID, what: 'composing' | 'recording' | 'paused'): void {
    const before = this.writers.get(chat)
    if (what === 'paused' && !before) return
    clearTimeout(before?.timer)
    this.writers.delete(chat)
    if (what !== 'paused' && this.writers.size < MAX) this.writers.set(chat, { jid, what, timer: setTimeout(() => this.heard(chat, jid, 'paused'), HOLDS) })
    for (const show of this.shows) show(this.all())
  }

  /** Tells a contact that we write, or have stopped; only over a connection that is there, since later it would be wrong. */
  say(session: Session | undefined, chat: JID, what: 'composing' | 'recording' | 'paused', group = false): void {
    if (!session?.live || chat === session.account || (what === 'paused' && !this.said.has(chat))) return
    if (what === 'paused') this.said.delete(chat)
    else this.said.set(chat, what)
    session.send(message({ to: chat, id: newID(), ...(group ? { type: 'groupchat' } : {}) }, el(STATES, what === 'paused' ? 'paused' : 'composing'), what === 'recording' && el(RECORDING, 'recording'), hint('no-store')))
  }

  /** A message has left: that ends the writing, and says so by itself. */
  sent(chat: JID): void {
    this.said.delete(chat)
  }

  end(): void {
    for (const { timer } of this.writers.values()) clearTimeout(timer)
    this.writers.clear()
    this.shows.clear()
  }
}
