// The service worker keeps the client for a start without network. A new version waits until a person agrees, so that nothing changes under
// an open page (WEB.md §1.2).
import { signal } from '@preact/signals'
import { scriptURL } from '../core/trusted.ts'
import { language } from '../i18n/t.ts'
import { go } from './router.ts'
import { engine, ready } from './session.ts'

/** Whether a newer version is here and waits. */
export const updateWaits = signal(false)
let waiting: ServiceWorker | null = null

/** keepOffline registers the service worker and watches for newer versions. It does nothing where there are none. */
export async function keepOffline(): Promise<void> {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
  const registration = await navigator.serviceWorker.register(scriptURL('/sw.js'))
  void navigator.serviceWorker.ready.then((r) => r.active?.postMessage({ type: 'language', language: language.value }))
  const notice = (worker: ServiceWorker | null): void => { if (worker && navigator.serviceWorker.controller) { waiting = worker; updateWaits.value = true } }
  notice(registration.waiting)
  registration.addEventListener('updatefound', () => {
    const fresh = registration.installing
    fresh?.addEventListener('statechange', () => { if (fresh.state === 'installed') notice(fresh) })
  })
  navigator.serviceWorker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (typeof data !== 'object' || data === null || !('type' in data) || data.type !== 'go' || !('path' in data) || typeof data.path !== 'string') return
    // Of another account, which is the one in use now: the page begins anew with it.
    if ('account' in data && data.account !== (ready.value ? engine().account().jid : undefined)) location.assign(data.path)
    else go(data.path)
  })
  let reloading = false
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (!reloading && waiting) { reloading = true; location.reload() }
  })
}

/** update changes to the newer version: the page is loaded again as soon as it is in charge. */
export function update(): void {
  waiting?.postMessage({ type: 'activate' })
}
