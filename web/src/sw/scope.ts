// The few names of a service worker that are used here; the compiler knows either pages or workers, not both at once.

export interface Lasting extends Event { waitUntil(work: Promise<unknown>): void }
export interface Fetching extends Lasting { readonly request: Request; respondWith(response: Promise<Response>): void }
export interface Saying extends Lasting { readonly data: unknown }
export interface Pushing extends Lasting { readonly data: { text(): string } | null }
/** A click on a notification; `reply` is what was typed into it, where the browser has that. */
export interface Clicking extends Lasting { readonly notification: Notification; readonly action: string; readonly reply?: string | null }
/** The push subscription is another one; browsers give neither, one or both. */
export interface Renewing extends Lasting { readonly oldSubscription?: PushSubscription | null; readonly newSubscription?: PushSubscription | null }

/** A window of the client. */
export interface Window {
  readonly visibilityState: DocumentVisibilityState
  focus(): Promise<Window>
  postMessage(message: unknown): void
}

export interface Scope {
  readonly location: Location
  readonly clients: { claim(): Promise<void>; matchAll(options: { type: 'window' }): Promise<Window[]>; openWindow(path: string): Promise<Window | null> }
  readonly registration: ServiceWorkerRegistration
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', act: (event: Lasting) => void): void
  addEventListener(type: 'fetch', act: (event: Fetching) => void): void
  addEventListener(type: 'message', act: (event: Saying) => void): void
  addEventListener(type: 'push', act: (event: Pushing) => void): void
  addEventListener(type: 'notificationclick', act: (event: Clicking) => void): void
  addEventListener(type: 'pushsubscriptionchange', act: (event: Renewing) => void): void
}

/** The worker that we are. */
export const scope = globalThis as unknown as Scope
