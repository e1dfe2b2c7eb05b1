// The service worker: the client opens without network, a new version waits until a person agrees, what wakes a closed browser is shown, and what is
// done with a notification is kept.
import { match } from '../app/routes.ts'
import { showCount } from './badge.ts'
import { arrived, looks, reacted, woken } from './push.ts'
import { renewed } from './renew.ts'
import { clicked } from './reply.ts'
import { scope } from './scope.ts'
import { answer, keep, keepLanguage, keepPaying, languageHere, tidy, type Build } from './keep.ts'

declare const __BUILD__: Build

const build = __BUILD__

scope.addEventListener('install', (event) => { event.waitUntil(keep(build)) })
scope.addEventListener('activate', (event) => { event.waitUntil(tidy(build).then(() => scope.clients.claim())) })

scope.addEventListener('message', (event) => {
  const message: unknown = event.data
  if (typeof message !== 'object' || message === null || !('type' in message)) return
  if (message.type === 'activate') void scope.skipWaiting()
  else if (message.type === 'arrived' || message.type === 'looks' || message.type === 'reacted') event.waitUntil(aboutChat(message))
  else if (message.type === 'paying') event.waitUntil(keepPaying(build).catch(() => undefined))
  else if (message.type === 'language' && 'language' in message && typeof message.language === 'string') event.waitUntil(keepLanguage(build, message.language).catch(() => undefined))
})

scope.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== scope.location.origin) return
  if (request.mode === 'navigate') { if (match(url.pathname)) event.respondWith(page(request)) }
  else if (kept(url.pathname)) event.respondWith(file(request, url.pathname))
})

// What was kept of the language may be gone; an answer must not be lost for that.
const spoken = (): Promise<string> => languageHere().catch(() => 'en')

scope.addEventListener('push', (event) => { event.waitUntil(spoken().then((language) => woken(event, language)).then(showCount)) })
scope.addEventListener('notificationclick', (event) => { event.waitUntil(spoken().then((language) => clicked(event, language)).then(showCount)) })
scope.addEventListener('pushsubscriptionchange', (event) => { event.waitUntil(spoken().then((language) => renewed(event, language))) })

/** A tab says that something came in a chat, that somebody reacted in it, or that a person reads it. */
async function aboutChat(message: object & Record<'type', unknown>): Promise<void> {
  const { type, account, chat, emoji, text, called } = { account: undefined, chat: undefined, emoji: undefined, text: undefined, called: undefined, ...message }
  if (typeof account !== 'string' || typeof chat !== 'string') return
  if (type === 'arrived') await arrived(account, chat, await spoken(), called === true)
  else if (type === 'reacted') { if (typeof emoji === 'string' && typeof text === 'string') await reacted(account, chat, emoji, text, await spoken()) }
  else await looks(account, chat)
}

const kept = (path: string): boolean => path.startsWith('/assets/') || build.files.includes(path.slice(1))

/** The page is always the one of this version, at once; a newer one comes as a new service worker. */
async function page(request: Request): Promise<Response> {
  return await answer(build, '/') ?? fetch(request)
}

async function file(request: Request, path: string): Promise<Response> {
  return await answer(build, path) ?? fetch(request)
}
