// The few names of a service worker that are used here; the compiler knows either pages or workers, not both at once.

export interface Lasting extends Event { waitUntil(work: Promise<unknown>): void }
export interface Fetching extends Lasting { readonly request: Request; respondWith(response: Promise<Response>): void }
export interface Saying extends Lasting { readonly data: unknown }

export interface Scope {
  readonly location: Location
  readonly clients: { claim(): Promise<void> }
  readonly registration: ServiceWorkerRegistration
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', act: (event: Lasting) => void): void
  addEventListener(type: 'fetch', act: (event: Fetching) => void): void
  addEventListener(type: 'message', act: (event: Saying) => void): void
}

/** The worker that we are. */
export const scope = globalThis as unknown as Scope
