// Waking this device when the page is closed (docs/protocol/web-push.md).

import { WEB_PUSH } from './ns.ts'
import type { Session } from './session.ts'
import { el } from './xml.ts'

/** The server's key for the browser's `applicationServerKey`: base64url of 65 bytes. undefined if the server gives none that is. */
export async function pushKey(session: Session): Promise<string | undefined> {
  const key = (await session.request('get', el(WEB_PUSH, 'key'))).textOf('key', WEB_PUSH)
  return key && /^[\w-]{87}$/.test(key) ? key : undefined
}

/** Gives the server the browser's subscription (PushSubscription.toJSON). Fails with `bad-request`, or `resource-constraint` with too many devices. */
export async function subscribePush(session: Session, subscription: { endpoint: string; p256dh: string; auth: string }): Promise<void> {
  await session.request('set', el(WEB_PUSH, 'subscribe', {}, el(WEB_PUSH, 'endpoint', {}, subscription.endpoint),
    el(WEB_PUSH, 'p256dh', {}, subscription.p256dh), el(WEB_PUSH, 'auth', {}, subscription.auth)))
}

/** Ends a subscription. */
export async function unsubscribePush(session: Session, endpoint: string): Promise<void> {
  await session.request('set', el(WEB_PUSH, 'unsubscribe', {}, el(WEB_PUSH, 'endpoint', {}, endpoint)))
}
