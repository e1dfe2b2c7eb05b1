// What is asked about the account: who it is for others, its password, its end, and where it is signed in.

import { Trouble } from '../accounts.ts'
import type { Engine, Stop } from '../engine.ts'
import { prepareAvatar } from '../media/image.ts'
import type { LinkState, SignedIn } from '../model.ts'
import { change } from '../store/database.ts'
import { keepFile } from '../store/files.ts'
import { get } from '../store/kv.ts'
import { listAccess } from '../xmpp/access.ts'
import { fetchToken } from '../xmpp/login.ts'
import { retire } from '../xmpp/presence.ts'
import { publishAvatar, publishNick } from '../xmpp/profile.ts'
import { changePassword, deleteAccount, invite } from '../xmpp/register.ts'
import { LeadKeys } from './lead-keys.ts'
import type { Linking } from './link.ts'
import { entering } from './trouble.ts'

/** The part of the leading tab that is about the account. */
export abstract class LeadAccount extends LeadKeys {
  private linking: Linking | undefined

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
}
