// Waking this browser when it is closed (docs/protocol/web-push.md).

import type { Waking } from '../model.ts'
import type { Database } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { MAX_MUTED, pushKey, subscribePush, testPush, unsubscribePush, type MutedChat } from '../xmpp/push.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import type { Session } from '../xmpp/session.ts'
import type { News } from './changes.ts'

const bytes = (base64url: string) => Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
const base64url = (data: Uint8Array) => btoa(String.fromCharCode(...data)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

/** The subscription of this browser for one account. */
export class Push {
  private failed = false

  constructor(private readonly db: Database, private readonly news: News, private readonly session: () => Session) {
    this.news.listen((c) => { if (c.chats?.length) this.mutedMayDiffer() })
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
    return (await this.db.getAll('chats')).filter((c) => (c.muted ?? 0) > now).slice(0, MAX_MUTED).map(({ jid, muted }) => ({ jid, until: muted ?? Infinity }))
  }

  /** A new session: the server is told again, since it knows the subscription by session. */
  async renew(session: Session): Promise<void> {
    if (!await get(this.db, 'waking')) return
    const subscription = await (await this.manager())?.getSubscription()
    if (subscription) await this.give(session, subscription)
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
    await unsubscribePush(this.session(), subscription.endpoint).catch(() => undefined)
    await subscription.unsubscribe()
  }

  /** Has the server wake this browser once. */
  async test(): Promise<void> {
    const subscription = await (await this.manager())?.getSubscription()
    if (!subscription) throw new StanzaError('item-not-found')
    await testPush(this.session(), subscription.endpoint)
  }
}
