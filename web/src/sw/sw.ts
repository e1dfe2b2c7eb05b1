// The service worker: the client opens without network, a new version waits until a person agrees, and what wakes a closed browser is shown.
import { match } from '../app/routes.ts'
import { clicked, woken } from './push.ts'
import { scope } from './scope.ts'
import { answer, keep, keepLanguage, languageHere, tidy, type Build } from './keep.ts'

declare const __BUILD__: Build

const build = __BUILD__

scope.addEventListener('install', (event) => { event.waitUntil(keep(build)) })
scope.addEventListener('activate', (event) => { event.waitUntil(tidy(build).then(() => scope.clients.claim())) })

scope.addEventListener('message', (event) => {
  const message: unknown = event.data
  if (typeof message !== 'object' || message === null || !('type' in message)) return
  if (message.type === 'activate') void scope.skipWaiting()
  else if (message.type === 'language' && 'language' in message && typeof message.language === 'string') event.waitUntil(keepLanguage(build, message.language).catch(() => undefined))
})

scope.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== scope.location.origin) return
  if (request.mode === 'navigate') { if (match(url.pathname)) event.respondWith(page(request)) }
  else if (kept(url.pathname)) event.respondWith(file(request, url.pathname))
})

scope.addEventListener('push', (event) => { event.waitUntil(languageHere().then((language) => woken(event, language))) })
scope.addEventListener('notificationclick', (event) => { event.waitUntil(clicked(event)) })

const kept = (path: string): boolean => path.startsWith('/assets/') || build.files.includes(path.slice(1))

/** The page is always the one of this version, at once; a newer one comes as a new service worker. */
async function page(request: Request): Promise<Response> {
  return await answer(build, '/') ?? fetch(request)
}

async function file(request: Request, path: string): Promise<Response> {
  return await answer(build, path) ?? fetch(request)
}
