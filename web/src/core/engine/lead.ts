// What only the tab that holds the connection can do for the others: everything that asks the server or the keys. The rest is done in each tab
// (tab.ts), since the database is common to all.

import type { Admin } from '../admin.ts'
import type { Communities } from '../communities.ts'
import type { ChannelAsks } from '../channels.ts'
import type { Engine, Stop } from '../engine.ts'
import type { Groups } from '../groups.ts'
import { browserHttp } from '../media/http.ts'
import { isBroadcast, type Choices, type Connection, type JID, type LinkPreview, type PackPlace, type StickerPack, type Waiting, type Waking } from '../model.ts'
import type { Audience } from '../status.ts'
import { choicesOf } from '../store/kv.ts'
import { showLast } from '../xmpp/last.ts'
import { askCard, makesCards } from '../xmpp/linkcard.ts'
import { readPreview } from './content.ts'
import type { Around } from './group-ask.ts'
import { LeadAccount } from './lead-account.ts'
import type { LeadAsks } from './pay-ask.ts'
import { readyFile } from './ready.ts'

export { Offline, type LeadParts } from './lead-base.ts'
/** How bytes travel and photos are made ready, for what a tab does itself (pay-files.ts): a part of its own would be one more to keep. */
export { browserHttp, readyFile }

/** The parts of the engine that need the connection or the keys. */
export type Led = Pick<Engine,
  'typing' | 'watchTyping' | 'makesCards' | 'card' | 'fetch' | 'pause' | 'cancel' | 'openOnce' | 'devices' | 'trust' |
  'safetyNumber' | 'verifyNumber' | 'trustURI' | 'compare' | 'watchNotices' | 'noticed' | 'watchConnection' | 'reconnect' | 'invite' | 'setProfile' | 'changePassword' |
  'deleteAccount' | 'signOut' | 'unsettled' | 'sessions' | 'revoke' | 'removeDevice' | 'waking' | 'setWaking' | 'testWaking' | 'waiting' | 'servers' | 'exportData' | 'admin' | 'group' | 'community' | 'stickerPack' | 'recoveryCode' | 'link' | 'linkCompared'
> & {
  /** Asks or does one thing about channels. */
  channel<K extends keyof ChannelAsks>(what: K, ...args: Parameters<ChannelAsks[K]>): ReturnType<ChannelAsks[K]>
  /** Asks or does one thing about payments. */
  pay<K extends keyof LeadAsks>(what: K, ...args: Parameters<LeadAsks[K]>): ReturnType<LeadAsks[K]>
  /** Reads a page of a chat that is older than what is here; whether there is more. */
  older(jid: JID): Promise<boolean>
  /** A choice was made that the server keeps as well. */
  chose(change: Partial<Choices>): Promise<void>
  /** Somebody looks at a chat: when its contact was there last is asked, if it is not known. */
  look(jid: JID): Promise<void>
  /** Gets what is not here of a status. */
  fetchStatus(author: JID, id: string): Promise<void>
  /** Whom statuses were for last, as the account keeps it. */
  statusAudience(): Promise<Audience | undefined>
  /** Opens the encrypted history with its recovery code. */
  recover(code: string): Promise<void>
}

/** The leading tab. */
export class Lead extends LeadAccount implements Led {
  async older(jid: JID): Promise<boolean> {
    const { connection, groups, inbox } = this.worker
    if (!connection.live) return false
    return await this.isGroup(jid) ? groups.older(jid) : inbox.older(jid)
  }

  private async isGroup(jid: JID): Promise<boolean> {
    return (await this.parts.db.get('chats', jid))?.kind === 'group'
  }

  async look(jid: JID): Promise<void> {
    if (this.worker.connection.live && !isBroadcast(jid) && !await this.isGroup(jid)) await this.worker.people.askLastSeen(jid)
  }

  typing(jid: JID, what: 'composing' | 'recording' | 'paused'): void {
    if (isBroadcast(jid)) return
    void Promise.all([choicesOf(this.parts.db), this.isGroup(jid)]).then(([choices, group]) => { if (choices.typing) this.worker.typing.say(this.worker.connection, jid, what, group) })
  }

  watchTyping(show: Parameters<Engine['watchTyping']>[0]): Stop {
    return this.worker.typing.watch(show)
  }

  async makesCards(): Promise<boolean> {
    const asked = this.cards ??= makesCards(this.session())
    try {
      return await asked
    } catch (error) {
      if (this.cards === asked) this.cards = undefined
      throw error
    }
  }

  async card(url: string): Promise<LinkPreview | undefined> {
    const answer = await askCard(this.session(), url)
    return answer && readPreview(url, answer).preview
  }

  fetch(id: string, most?: number): Promise<void> {
    return this.transfers.fetch(id, most)
  }

  pause(id: string): Promise<void> {
    return this.transfers.pause(id)
  }

  cancel(id: string): Promise<void> {
    return this.transfers.cancel(id)
  }

  async openOnce(id: string): Promise<Blob> {
    const { openOnce } = await import('./once.ts') // seldom, and never without the server
    this.session()
    return openOnce({ ...this.parts, http: this.parts.http ?? browserHttp, crypto: this.worker.secure.crypto, now: () => this.worker.now() }, id)
  }

  watchConnection(show: (connection: Connection) => void): Stop {
    return this.worker.line.watch(show)
  }

  reconnect(): void {
    this.worker.connection.reconnect()
  }

  waking(): Promise<Waking> {
    return this.push.state()
  }

  setWaking(on: boolean): Promise<Waking> {
    return this.push.set(on)
  }

  testWaking(): Promise<void> {
    return this.push.test()
  }

  waiting(): Promise<Waiting[]> {
    return this.worker.line.waiting()
  }

  servers(): Promise<string[]> {
    return this.parts.servers()
  }

  async stickerPack(place: PackPlace & { jid: JID }): Promise<StickerPack | undefined> {
    return (await import('./packs.ts')).loadPack(this.session(), this.parts.http ?? browserHttp, place)
  }

  exportData(): Promise<Blob> {
    return this.parts.exportData()
  }

  admin<K extends keyof Admin>(what: K, ...args: Parameters<Admin[K]>): ReturnType<Admin[K]> {
    return this.asked(async () => (await import('../xmpp/admin.ts')).adminOf(this.session()), what, args) as ReturnType<Admin[K]> // for few people
  }

  group<K extends keyof Groups>(what: K, ...args: Parameters<Groups[K]>): ReturnType<Groups[K]> {
    return this.asked(async () => {
      const { groupsOf } = await import('./group-ask.ts')
      await this.soon()
      return groupsOf(this.around())
    }, what, args) as ReturnType<Groups[K]>
  }

  async fetchStatus(author: JID, id: string): Promise<void> {
    this.session()
    return (await this.status()).fetch(author, id)
  }

  async statusAudience(): Promise<Audience | undefined> {
    this.session()
    return (await this.status()).audience()
  }

  channel<K extends keyof ChannelAsks>(what: K, ...args: Parameters<ChannelAsks[K]>): ReturnType<ChannelAsks[K]> {
    return this.soon().then(() => this.channels.ask(what, args)) as ReturnType<ChannelAsks[K]>
  }

  pay<K extends keyof LeadAsks>(what: K, ...args: Parameters<LeadAsks[K]>): ReturnType<LeadAsks[K]> {
    return this.soon().then(() => this.payments.ask(what, args)) as ReturnType<LeadAsks[K]>
  }

  unsettled(): Promise<number> {
    return this.payments.unsettled()
  }

  community<K extends keyof Communities>(what: K, ...args: Parameters<Communities[K]>): ReturnType<Communities[K]> {
    return this.asked(async () => {
      const { communitiesOf } = await import('./community-ask.ts')
      await this.soon()
      return communitiesOf(this.around())
    }, what, args) as ReturnType<Communities[K]>
  }

  /** Asks one thing of what is loaded when it is first asked for. */
  private async asked<A extends object>(of: () => Promise<A>, what: keyof A, args: unknown[]): Promise<unknown> {
    const ask = (await of())[what] as (...args: unknown[]) => Promise<unknown>
    return ask(...args)
  }

  private around(): Around {
    const { account, groups } = this.worker
    return { db: this.parts.db, account, session: () => this.session(), service: () => groups.service(), here: () => groups.here(), clear: (jid) => this.worker.desk.clear(jid) }
  }

  async chose(now: Partial<Choices>): Promise<void> {
    if (now.lastSeen !== undefined && this.worker.connection.live) await showLast(this.session(), now.lastSeen)
  }
}
