// Waking this browser when it is closed (docs/protocol/web-push.md). A browser has one subscription for all accounts that are signed in here. It is looked
// after at each new session: one that the browser or its service has ended is made anew, so is one for another key of the server, and the server
// is told, which forgets what it knew of this browser before.

import type { JID, Waking } from '../model.ts'
import type { Database } from '../store/database.ts'
import { accountsHere, wakingHere } from '../store/first.ts'
import { choicesOf, get } from '../store/kv.ts'
import { MAX_MUTED, pushKey, subscribePush, testPush, unsubscribePush, type MutedChat } from '../xmpp/push.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import type { Session } from '../xmpp/session.ts'
import type { News } from './changes.ts'

const bytes = (base64url: string) => Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
const base64url = (data: Uint8Array) => btoa(String.fromCharCode(...data)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

/** The channel over which the service worker tells that the subscription is another one (pushsubscriptionchange). */
export const SUBSCRIPTION = 'palabre-subscription'

/** The subscription of this browser for one account. */
export class Push {
  private failed = false
  private readonly stops: (() => void)[]

  constructor(private readonly db: Database, private readonly news: News, private readonly session: () => Session, private readonly account: JID) {
    this.stops = [this.news.listen((c) => { if (c.chats?.length || c.choices) this.mutedMayDiffer() })]
    if (typeof BroadcastChannel === 'undefined') return
    const channel = new BroadcastChannel(SUBSCRIPTION)
    channel.onmessage = () => void this.changed().catch(() => undefined) // told with the next session
    this.stops.push(() => channel.close())
  }

  /** Ends. */
  end(): void {
    clearTimeout(this.timer)
    for (const stop of this.stops.splice(0)) stop()
  }

  private timer: ReturnType<typeof setTimeout> | undefined
  private told = ''

  private async manager(): Promise<PushManager | undefined> {
    if (typeof navigator === 'undefined' || !('serviceWorker' in navigator) || !('PushManager' in globalThis)) return undefined
    return (await navigator.serviceWorker.getRegistration())?.pushManager
  }

  /** How it is. */
  async state(): Promise<Waking> {
    const manager = await this.manager()
    if (!manager) return { state: 'unsupported' }
    if (Notification.permission === 'denied') return { state: 'denied' }
    const subscription = await manager.getSubscription()
    if (this.failed) return { state: 'failed' }
    return subscription && await get(this.db, 'waking') ? { state: 'on', service: new URL(subscription.endpoint).hostname, last: await get(this.db, 'woken') } : { state: 'off' }
  }

  /** Subscribes or unsubscribes; the person was asked for the permission before. */
  async set(on: boolean): Promise<Waking> {
    const manager = await this.manager()
    if (!manager) return { state: 'unsupported' }
    this.failed = false
    try {
      if (on) await this.subscribe(this.session(), manager)
      else await this.unsubscribe(manager)
    } catch (error) {
      this.failed = !(error instanceof DOMException && error.name === 'NotAllowedError')
    }
    return this.state()
  }

  private async subscribe(session: Session, manager: PushManager): Promise<void> {
    const key = await pushKey(session)
    if (!key) throw new StanzaError('feature-not-implemented')
    const applicationServerKey = bytes(key)
    let subscription = await manager.getSubscription()
    const known = subscription?.options.applicationServerKey
    if (subscription && known && base64url(new Uint8Array(known)) !== base64url(applicationServerKey)) {
      await subscription.unsubscribe() // another server's, or an old key
      subscription = null
    }
    subscription ??= await manager.subscribe({ userVisibleOnly: true, applicationServerKey })
    await this.db.put('kv', true, 'waking')
    await this.give(session, subscription)
  }

  private async give(session: Session, subscription: PushSubscription): Promise<void> {
    const { endpoint, keys } = subscription.toJSON()
    const { p256dh, auth } = keys ?? {}
    if (!endpoint || !p256dh || !auth) throw new StanzaError('bad-request')
    const muted = await this.muted()
    this.told = JSON.stringify(muted)
    await subscribePush(session, { endpoint, p256dh, auth }, muted)
  }

  private async muted(): Promise<MutedChat[]> {
    const now = Date.now() * 1000
    const { mentions } = (await choicesOf(this.db)).notify
    return (await this.db.getAll('chats')).filter((c) => c.request || (c.muted ?? 0) > now).slice(0, MAX_MUTED)
      .map(({ jid, kind, muted, request }) => ({ jid, until: request ? Infinity : muted ?? Infinity, ...(kind === 'group' && mentions && !request ? { mentions } : {}) }))
  }

  /** A new session: the subscription is made good if it is not, and the server is told, which knows it by session. Fails when it cannot be had. */
  async renew(session: Session): Promise<void> {
    if (!await get(this.db, 'waking')) return
    const manager = await this.manager()
    if (!manager || Notification.permission !== 'granted') return
    this.failed = false
    try {
      await this.subscribe(session, manager)
    } catch (error) {
      // A session that broke says nothing about the subscription.
      this.failed = !(error instanceof StanzaError && error.condition === 'disconnected')
      throw error
    }
  }

  private changed(): Promise<void> {
    return this.renew(this.session())
  }

  private mutedMayDiffer(): void {
    if (!this.told) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      void (async () => {
        const subscription = await (await this.manager())?.getSubscription()
        if (subscription && JSON.stringify(await this.muted()) !== this.told) await this.give(this.session(), subscription)
      })().catch(() => undefined) // told with the next session
    }, 3000)
  }

  private async unsubscribe(manager: PushManager): Promise<void> {
    const subscription = await manager.getSubscription()
    await this.db.put('kv', false, 'waking')
    if (!subscription) return
    const told = await this.forget(subscription.endpoint)
    // Other accounts here use it too. A server that could not be told goes on until the subscription is gone: theirs is made anew then.
    if (!told || !await this.othersWake()) await subscription.unsubscribe()
  }

  private async forget(endpoint: string): Promise<boolean> {
    try {
      await unsubscribePush(this.session(), endpoint)
      return true
    } catch {
      return false
    }
  }

  private async othersWake(): Promise<boolean> {
    for (const { jid } of await accountsHere()) if (jid !== this.account && await wakingHere(jid)) return true
    return false
  }

  /** Has the server wake this browser once. */
  async test(): Promise<void> {
    const subscription = await (await this.manager())?.getSubscription()
    if (!subscription) throw new StanzaError('item-not-found')
    await testPush(this.session(), subscription.endpoint)
  }
}
