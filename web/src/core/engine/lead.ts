// What only the tab that holds the connection can do for the others: everything that asks the server or the keys. The rest is done in each tab
// (tab.ts), since the database is common to all.

import type { Engine, Stop } from '../engine.ts'
import { browserHttp, type Http } from '../media/http.ts'
import { prepareFilm } from '../media/film.ts'
import { prepareAvatar, prepareImage } from '../media/image.ts'
import type { Choices, Comparison, Connection, Device, DeviceNotice, JID, LinkPreview, LinkState, PackPlace, SignedIn, StickerPack, Waiting, Waking } from '../model.ts'
import { change } from '../store/database.ts'
import { keepFile } from '../store/files.ts'
import { choicesOf, get } from '../store/kv.ts'
import { listAccess } from '../xmpp/access.ts'
import type { Admin } from '../admin.ts'
import type { Groups } from '../groups.ts'
import { isLastShown, showLast } from '../xmpp/last.ts'
import { askCard, makesCards } from '../xmpp/linkcard.ts'
import { fetchToken } from '../xmpp/login.ts'
import { publishAvatar, publishNick } from '../xmpp/profile.ts'
import { changePassword, deleteAccount, invite } from '../xmpp/register.ts'
import { retire } from '../xmpp/presence.ts'
import type { Session } from '../xmpp/session.ts'
import { Worker, type Parts } from './account.ts'
import { Transfers } from './transfers.ts'
import { entering } from './trouble.ts'
import { value } from './secure.ts'
import { readPreview } from './content.ts'
import { History } from './history.ts'
import { Notices } from './notices.ts'
import { OwnDevices } from './own-devices.ts'
import { Trouble } from '../accounts.ts'
import type { Linking } from './link.ts'
import { Push } from './push.ts'

/** How long what a person waits for may wait for the connection, in milliseconds. */
const SOON = 10_000

/** How long what somebody asks for right after they came in waits for the connection, in milliseconds. */
const PATIENCE = 20_000

/** It needs the connection, and there is none now. */
export class Offline extends Error {
  override readonly name = 'Offline'
}

/** The parts of the engine that need the connection or the keys. */
export type Led = Pick<Engine,
  'typing' | 'watchTyping' | 'makesCards' | 'card' | 'fetch' | 'pause' | 'cancel' | 'devices' | 'trust' |
  'safetyNumber' | 'verifyNumber' | 'trustURI' | 'compare' | 'watchNotices' | 'noticed' | 'watchConnection' | 'reconnect' | 'invite' | 'setProfile' | 'changePassword' |
  'deleteAccount' | 'signOut' | 'sessions' | 'revoke' | 'removeDevice' | 'waking' | 'setWaking' | 'testWaking' | 'waiting' | 'servers' | 'exportData' | 'admin' | 'group' | 'stickerPack' | 'recoveryCode' | 'link' | 'linkCompared'
> & {
  /** Reads a page of a chat that is older than what is here; whether there is more. */
  older(jid: JID): Promise<boolean>
  /** A choice was made that the server keeps as well. */
  chose(change: Partial<Choices>): Promise<void>
  /** Somebody looks at a chat: when its contact was there last is asked, if it is not known. */
  look(jid: JID): Promise<void>
  /** Opens the encrypted history with its recovery code. */
  recover(code: string): Promise<void>
}

/** What a leading tab is given besides. */
export interface LeadParts extends Parts {
  http?: Http
  /** The account is gone from this device: the screens begin anew. */
  onGone(): void
  /** Puts all that the account has into one file. */
  exportData(): Promise<Blob>
}

/** The leading tab. */
export class Lead implements Led {
  readonly worker: Worker
  private readonly transfers: Transfers
  private readonly push: Push
  readonly history: History
  private readonly devicesOfOurs: OwnDevices
  private readonly notices: Notices
  private linking: Linking | undefined
  /** What the server said of itself in this session. */
  private cards: Promise<boolean> | undefined

  constructor(private readonly parts: LeadParts) {
    this.worker = new Worker(parts)
    const { worker } = this
    this.transfers = new Transfers(parts.db, worker.desk, parts.news, {
      session: () => this.session(), crypto: worker.secure.crypto, http: parts.http ?? browserHttp, prepare: prepareImage,
      prepareVideo: async (...args) => {
        this.session() // what makes videos smaller may have to be loaded: not without a connection
        return prepareFilm(...args)
      },
      now: () => worker.now(), full: (full) => worker.line.setFull(full),
    })
    worker.upload = (message) => this.transfers.upload(message)
    this.push = new Push(parts.db, parts.news, () => this.session(), worker.account)
    this.history = new History(parts.db, worker.account, worker.secure, parts.news, () => worker.connection.live ? worker.connection : undefined,
      (session, since) => worker.inbox.lookFor(session, since))
    this.devicesOfOurs = new OwnDevices(parts.db, worker.account, worker.secure, () => this.history.renew())
    this.notices = new Notices(worker.account, worker.secure.crypto, () => this.devicesOfOurs.owners(this.session()))
    worker.onNotices(() => this.notices.changed())
    worker.onCaughtUp.add(() => {
      this.notices.changed()
      this.history.caughtUp()
      void this.devicesOfOurs.connected(worker.connection).catch(() => undefined) // the next session does it
    })
    worker.connection.on('message', (stanza) => { this.history.hear(stanza) })
    worker.secure.onOwnDevice = () => { void this.history.now() }
    worker.secure.onKeys = () => this.history.haveKeys()
    worker.onSession.add((session, resumed) => {
      this.transfers.connected(resumed)
      if (resumed) return
      this.cards = undefined
      void this.push.renew(session).catch(() => undefined)
      void this.readChoices().catch(() => undefined)
    })
  }

  /** Begins to work. Without keys nothing can be read, so a failure ends it. */
  start(): Promise<void> {
    void this.transfers.begun().catch(() => undefined)
    return this.worker.start()
  }

  stop(): void {
    this.notices.end()
    this.history.end()
    this.push.end()
    this.transfers.end()
    this.worker.stop()
  }

  /** Whether nobody looks at any tab: what waits to be written into the history is written before the browser may end us. */
  setHidden(hidden: boolean): void {
    this.worker.connection.setHidden(hidden)
    if (hidden) this.history.leave()
  }

  /** A tab that somebody looks at is there: what waits for a timer of this one, which may be slow, goes on. */
  tick(): void {
    this.worker.sender.tick()
  }

  private session() {
    const { connection } = this.worker
    if (!connection.live) throw new Offline()
    return connection
  }

  /** The session, or the one that comes soon: what is asked right after the start shall not fail because it was quick. */
  private soon() {
    const { connection, onSession } = this.worker
    if (connection.live) return Promise.resolve(connection)
    return new Promise<typeof connection>((resolve, reject) => {
      const came = () => {
        clearTimeout(timer)
        onSession.delete(came)
        resolve(connection)
      }
      const timer = setTimeout(() => {
        onSession.delete(came)
        reject(new Offline())
      }, SOON)
      onSession.add(came)
    })
  }

  /** The session, as soon as there is one; for what is asked right after somebody came in. */
  private whenLive(): Promise<Session> {
    const { connection, onSession } = this.worker
    if (connection.live) return Promise.resolve(connection)
    return new Promise((resolve, reject) => {
      const end = () => {
        onSession.delete(came)
        clearTimeout(timer)
      }
      const came = () => {
        end()
        resolve(connection)
      }
      const timer = setTimeout(() => {
        end()
        reject(new Offline())
      }, PATIENCE)
      onSession.add(came)
    })
  }

  async older(jid: JID): Promise<boolean> {
    const { connection, groups, inbox } = this.worker
    if (!connection.live) return false
    return await this.isGroup(jid) ? groups.older(jid) : inbox.older(jid)
  }

  private async isGroup(jid: JID): Promise<boolean> {
    return (await this.parts.db.get('chats', jid))?.kind === 'group'
  }

  async recoveryCode(): Promise<string> {
    return this.history.recoveryCode(await this.whenLive())
  }

  async recover(code: string): Promise<void> {
    return this.history.recover(await this.whenLive(), code)
  }

  async look(jid: JID): Promise<void> {
    if (this.worker.connection.live && !await this.isGroup(jid)) await this.worker.people.askLastSeen(jid)
  }

  typing(jid: JID, what: 'composing' | 'recording' | 'paused'): void {
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

  async devices(jid: JID): Promise<Device[]> {
    const { crypto } = this.worker.secure
    await crypto.learn(jid)
    return value(await crypto.devices(jid))
  }

  async trust(device: Pick<Device, 'jid' | 'id'>, trust: Device['trust']): Promise<void> {
    const { crypto } = this.worker.secure
    const find = async () => value(await crypto.devices(device.jid)).find((d) => d.id === device.id)
    let known = await find()
    if (!known?.fingerprint) {
      value(await crypto.learn(device.jid))
      known = await find()
    }
    if (!known?.fingerprint) throw new Error('no key of this device has been seen')
    value(await crypto.setTrust({ jid: device.jid, device: device.id }, known.fingerprint, trust))
    this.worker.tellNotices()
    this.worker.sender.wake()
  }

  async safetyNumber(jid: JID): Promise<string> {
    const { crypto } = this.worker.secure
    value(await crypto.learn(jid))
    value(await crypto.learn(this.worker.account))
    return value(await crypto.safetyNumber(jid))
  }

  async verifyNumber(jid: JID, number: string): Promise<void> {
    value(await this.worker.secure.crypto.verifyNumber(jid, number))
  }

  async trustURI(): Promise<string> {
    return value(await this.worker.secure.crypto.trustURI())
  }

  async compare(uri: string): Promise<Comparison> {
    return value(await this.worker.secure.crypto.compare(uri))
  }

  watchNotices(show: (notices: DeviceNotice[]) => void): Stop {
    return this.notices.watch(show)
  }

  async noticed(ids: string[]): Promise<void> {
    value(await this.worker.secure.crypto.noticed(ids))
    this.worker.tellNotices()
  }

  watchConnection(show: (connection: Connection) => void): Stop {
    return this.worker.line.watch(show)
  }

  reconnect(): void {
    this.worker.connection.reconnect()
  }

  async invite(): ReturnType<Engine['invite']> {
    const { uri, web, expires } = await invite(await this.soon())
    return { link: web ?? uri, ...(expires ? { expires } : {}) }
  }

  async setProfile(profile: { name?: string; avatar?: Blob | null }): Promise<void> {
    const session = await this.soon()
    const { db, accounts, news } = this.parts
    const now = { ...await get(db, 'profile') }
    if (profile.name !== undefined) {
      await publishNick(session, profile.name.trim().slice(0, 200))
      now.name = profile.name.trim().slice(0, 200) || undefined
    }
    if (profile.avatar !== undefined) {
      const picture = profile.avatar && await prepareAvatar(profile.avatar)
      if (profile.avatar && !picture) throw new Error('no picture')
      const info = await publishAvatar(session, picture ?? null)
      now.avatar = info && `avatar ${info.id}`
      if (info && picture) await change(db, ['files', 'blobs'], (tx) => keepFile(tx, { key: `avatar ${info.id}`, only: false, used: this.worker.now() }, picture.blob))
    }
    await change(db, ['kv'], async (tx) => { await tx.objectStore('kv').put(now, 'profile') })
    await accounts.change(this.worker.account, { name: now.name, avatar: now.avatar })
    news.tell({ choices: true })
  }

  /** The old password is proved by a login before it is changed: whoever finds an open screen shall not lock its owner out. */
  async changePassword(old: string, fresh: string): Promise<void> {
    await this.prove(old)
    await changePassword(this.session(), fresh)
    await this.worker.connection.renew(fresh).catch((error: unknown) => console.warn('a token for the new password', error)) // it is changed all the same
  }

  /** Fails with Trouble: `password` for a wrong one, `unreachable` without a connection. */
  private async prove(password: string): Promise<void> {
    const { parts, worker } = this
    const [first] = await parts.servers()
    const server = worker.connection.link.server ?? first
    if (!server || !worker.connection.live) throw new Trouble('unreachable')
    await fetchToken(server, { account: worker.account, agent: { id: crypto.randomUUID(), software: 'Palabre Web', device: parts.device }, password }, parts.socket).catch((error: unknown) => { throw entering(error) })
  }

  async deleteAccount(password: string): Promise<void> {
    await this.prove(password)
    await deleteAccount(this.session())
    await this.forget(true)
  }

  /** Ends the session; with `wipe` nothing of the account stays on this device. What waits to leave is lost with it. */
  async signOut(wipe: boolean): Promise<void> {
    const { connection } = this.worker
    await this.push.set(false).catch(() => undefined) // without connection too: the subscription ends, and the server learns it from the push service
    if (connection.live) retire(connection)
    await connection.signOut()
    await this.forget(wipe)
  }

  private async forget(wipe: boolean): Promise<void> {
    const { accounts, db } = this.parts
    const { account } = this.worker
    if (wipe) await this.worker.secure.crypto.wipe()
    this.stop()
    await accounts.change(account, { token: undefined, signedOut: true })
    if (wipe) {
      db.close()
      await accounts.remove(account)
    }
    this.parts.onGone()
  }

  async sessions(): Promise<SignedIn[]> {
    return listAccess(await this.soon())
  }

  async revoke(id: string): Promise<void> {
    return this.devicesOfOurs.revoke(this.session(), id)
  }

  async removeDevice(id: number): Promise<boolean> {
    const signedOut = await this.devicesOfOurs.remove(this.session(), id)
    this.worker.tellNotices()
    return signedOut
  }

  link(scanned: string | undefined, show: (state: LinkState) => void): Stop {
    let stopped = false
    let mine: Linking | undefined
    this.linking?.stop()
    void import('./link-give.ts').then(({ giveAccount }) => {
      if (stopped) return
      const { account, secure: { crypto } } = this.worker
      mine = this.linking = giveAccount({ account, crypto, session: () => this.session(), prepare: () => this.history.ready() }, scanned, show)
    }, () => show({ step: 'failed', why: 'offline' }))
    return () => {
      stopped = true
      mine?.stop()
    }
  }

  linkCompared(code: string, same: boolean): Promise<void> {
    this.linking?.compared(same, code)
    return Promise.resolve()
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
    const asked = async () => {
      const { adminOf } = await import('../xmpp/admin.ts') // for few people
      const ask = adminOf(this.session())[what] as (...args: Parameters<Admin[K]>) => Promise<unknown>
      return ask(...args)
    }
    return asked() as ReturnType<Admin[K]>
  }

  group<K extends keyof Groups>(what: K, ...args: Parameters<Groups[K]>): ReturnType<Groups[K]> {
    const asked = async () => {
      const { groupsOf } = await import('./group-ask.ts')
      await this.soon()
      const { account, groups } = this.worker
      const ask = groupsOf({ db: this.parts.db, account, session: () => this.session(), service: () => groups.service(), here: () => groups.here() })[what] as (...args: Parameters<Groups[K]>) => Promise<unknown>
      return ask(...args)
    }
    return asked() as ReturnType<Groups[K]>
  }

  async chose(now: Partial<Choices>): Promise<void> {
    if (now.lastSeen !== undefined && this.worker.connection.live) await showLast(this.session(), now.lastSeen)
  }

  /** What the server keeps of the choices. */
  private async readChoices(): Promise<void> {
    const { db, news } = this.parts
    const lastSeen = await isLastShown(this.worker.connection)
    if ((await choicesOf(db)).lastSeen === lastSeen) return
    await change(db, ['kv'], async (tx) => { await tx.objectStore('kv').put({ ...await get(tx, 'choices'), lastSeen }, 'choices') })
    news.tell({ choices: true })
  }
}

