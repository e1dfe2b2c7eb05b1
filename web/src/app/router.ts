// The address bar and the browser's Back. One Back closes what lies over the panes; the next leaves the conversation; the list comes last.
import { effect, signal } from '@preact/signals'
import { closeTop, layers } from '../ui/overlay.tsx'
import { match, type Params, type Route } from './routes.ts'

export interface Place { route: Route; params: Params; path: string; query: URLSearchParams }

interface Kept { depth: number; guard?: boolean }

const home: Route = { path: '/', feature: 'chats', pane: 'list' }
/** Where we are. */
export const place = signal<Place>(read())
let depth = (history.state as Kept | null)?.depth ?? 0
let guarded = (history.state as Kept | null)?.guard ?? false

function read(): Place {
  const path = location.pathname
  return { ...(match(path) ?? { route: home, params: {} }), path, query: new URLSearchParams(location.search) }
}

/** go moves to a path of routes.ts; `replace` leaves no way back to where we were. */
export function go(path: string, options: { replace?: boolean } = {}): void {
  if (path === location.pathname + location.search) return
  if (!options.replace) depth++
  if (options.replace || guarded) history.replaceState({ depth }, '', path)
  else history.pushState({ depth }, '', path)
  guarded = false
  place.value = read()
}

/** back goes to where we came from, or to a path when we came from outside. */
export function back(otherwise = '/'): void {
  if (depth > 0) history.back()
  else go(otherwise, { replace: true })
}

/** chatPath is the address of a conversation, at a message if one is named. */
export function chatPath(jid: string, message?: string): string {
  return `/chat/${encodeURIComponent(jid)}${message ? `/at/${encodeURIComponent(message)}` : ''}`
}

/** follow makes plain links inside the client change the place without loading the page again. */
export function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const link = (event.target as Element | null)?.closest('a')
  if (!link || link.target || link.origin !== location.origin || !match(link.pathname)) return
  event.preventDefault()
  go(link.pathname + link.search + link.hash)
}

// What lies over the panes gets a place in the history of its own, so that Back closes it wherever we are.
effect(() => {
  if (!layers.value.length || guarded) return
  guarded = true
  history.pushState({ depth, guard: true }, '', location.href)
})

addEventListener('popstate', (event) => {
  const fromGuard = guarded
  guarded = false
  if (closeTop()) return
  if (fromGuard && location.pathname === place.value.path) { history.back(); return }
  depth = (event.state as Kept | null)?.depth ?? 0
  place.value = read()
})
