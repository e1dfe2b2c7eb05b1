// Waking this device when the page is closed (docs/protocol/web-push.md).

import type { Micros } from '../model.ts'
import { WEB_PUSH } from './ns.ts'
import type { Session } from './session.ts'
import { base64 } from './stanza.ts'
import { formatTime } from './time.ts'
import { el } from './xml.ts'

/** A browser's subscription, as PushSubscription.toJSON gives it. */
export interface Subscription { endpoint: string; p256dh: string; auth: string }

/** A chat that shall not wake the browser, until a time or, with Infinity, for good; with `mentions` what names the account does all the same. */
export interface MutedChat { jid: string; until: Micros; mentions?: boolean }

/** Muted chats that the server keeps for one browser. */
export const MAX_MUTED = 200

/** The server's key for the browser's `applicationServerKey`: base64url of 65 bytes. undefined if the server gives none that is. */
export async function pushKey(session: Session): Promise<string | undefined> {
  const key = (await session.request('get', el(WEB_PUSH, 'key'))).textOf('key', WEB_PUSH)
  return key && /^[\w-]{87}$/.test(key) ? key : undefined
}

const fromURL64 = (text: string) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))

/** What a chat is called in wake-ups for this browser, so that the push service does not learn who it is with. */
export async function chatName(auth: string, jid: string): Promise<string> {
  const key = await crypto.subtle.importKey('raw', fromURL64(auth), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode('palabre chat\0' + jid)))
  return base64(mac.subarray(0, 12)).replaceAll('+', '-').replaceAll('/', '_')
}

/**
 * Gives the server the browser's subscription, with the chats that shall not wake it (the first 200); again when these change. Fails with
 * `bad-request`, or `resource-constraint` when the account has too many devices to wake.
 */
export async function subscribePush(session: Session, { endpoint, p256dh, auth }: Subscription, muted: MutedChat[] = []): Promise<void> {
  const chats = await Promise.all(muted.slice(0, MAX_MUTED).map(async ({ jid, until, mentions }) =>
    el(WEB_PUSH, 'muted', { until: Number.isFinite(until) ? formatTime(until) : undefined, mentions: mentions ? 'true' : undefined }, await chatName(auth, jid))))
  await session.request('set', el(WEB_PUSH, 'subscribe', {}, el(WEB_PUSH, 'endpoint', {}, endpoint),
    el(WEB_PUSH, 'p256dh', {}, p256dh), el(WEB_PUSH, 'auth', {}, auth), ...chats))
}

/** Has the browser woken once, to see that it works. Fails with `resource-constraint` within 20 s of the last time. */
export async function testPush(session: Session, endpoint: string): Promise<void> {
  await session.request('set', el(WEB_PUSH, 'test', {}, el(WEB_PUSH, 'endpoint', {}, endpoint)))
}

/** Ends a subscription. */
export async function unsubscribePush(session: Session, endpoint: string): Promise<void> {
  await session.request('set', el(WEB_PUSH, 'unsubscribe', {}, el(WEB_PUSH, 'endpoint', {}, endpoint)))
}
