// Has the service worker keep what payments need, on a device on which somebody pays.

let told = false

/** keepPages keeps the pages of payments for when there is no network. */
export function keepPages(): void {
  if (told || !('serviceWorker' in navigator)) return
  told = true
  void navigator.serviceWorker.ready.then((r) => r.active?.postMessage({ type: 'paying' })).catch(() => undefined) // a page without a worker keeps nothing
}
