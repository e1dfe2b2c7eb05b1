// Every address of the client, in one list. A feature is a folder with index.tsx (default export: a component that gets `params`), loaded when
// it is first needed together with its part of the texts (i18n/<language>/<feature>.json); without the folder its addresses do not exist.

/** Where a view stands: beside others in the list, the main or the detail pane, or alone. */
export type Pane = 'list' | 'main' | 'detail' | 'full'

export interface Route {
  path: string
  feature: string
  pane: Pane
  /** May be seen by who is not signed in. */
  open?: boolean
}

export const routes: Route[] = [
  { path: '/', feature: 'chats', pane: 'list' },
  { path: '/archive', feature: 'chats', pane: 'list' },
  { path: '/requests', feature: 'chats', pane: 'list' },
  { path: '/new', feature: 'newchat', pane: 'list' },
  { path: '/new/:way', feature: 'newchat', pane: 'list' },
  { path: '/search', feature: 'search', pane: 'list' },
  { path: '/contacts', feature: 'contacts', pane: 'list' },
  { path: '/contacts/:jid', feature: 'about', pane: 'main' },
  { path: '/groups/new', feature: 'groups', pane: 'list' },
  { path: '/groups/find', feature: 'groups', pane: 'list' },
  { path: '/communities/new', feature: 'communities', pane: 'list' },
  { path: '/communities/find', feature: 'communities', pane: 'list' },
  { path: '/communities/:jid', feature: 'communities', pane: 'main' },
  { path: '/communities/:jid/:page', feature: 'communities', pane: 'main' },
  { path: '/g', feature: 'groups', pane: 'full', open: true },
  { path: '/chat/:jid/group/:page', feature: 'groups', pane: 'detail' },
  { path: '/chat/:jid', feature: 'chat', pane: 'main' },
  { path: '/chat/:jid/at/:message', feature: 'chat', pane: 'main' },
  { path: '/broadcast/new', feature: 'broadcast', pane: 'list' },
  { path: '/chat/:jid/list', feature: 'broadcast', pane: 'detail' },
  { path: '/chat/:jid/about', feature: 'about', pane: 'detail' },
  { path: '/chat/:jid/security', feature: 'security', pane: 'detail' },
  { path: '/chat/:jid/media', feature: 'media', pane: 'detail' },
  { path: '/updates', feature: 'updates', pane: 'list' },
  { path: '/updates/channels', feature: 'channels', pane: 'list' },
  { path: '/updates/channels/new', feature: 'channels', pane: 'list' },
  { path: '/channels/:name', feature: 'channels', pane: 'main' },
  { path: '/channels/:name/about', feature: 'channels', pane: 'detail' },
  { path: '/channels/:name/:page', feature: 'channels', pane: 'detail' },
  { path: '/settings', feature: 'settings', pane: 'list' },
  { path: '/settings/:page', feature: 'settings', pane: 'main' },
  { path: '/devices', feature: 'devices', pane: 'main' },
  { path: '/devices/link', feature: 'link', pane: 'main' },
  { path: '/pay', feature: 'pay', pane: 'main' },
  { path: '/pay/:page', feature: 'pay', pane: 'main' },
  { path: '/pay/:page/:id', feature: 'pay', pane: 'main' },
  { path: '/happening', feature: 'happening', pane: 'main' },
  { path: '/admin', feature: 'admin', pane: 'full' },
  { path: '/admin/:page', feature: 'admin', pane: 'full' },
  { path: '/welcome', feature: 'onboarding', pane: 'full', open: true },
  { path: '/join/:token', feature: 'onboarding', pane: 'full', open: true },
  { path: '/invite/:token', feature: 'onboarding', pane: 'full', open: true },
  { path: '/signin', feature: 'onboarding', pane: 'full', open: true },
  { path: '/link', feature: 'link', pane: 'full', open: true },
]

export type Params = Record<string, string>

/** match finds the route of a path and what stands in its places; undefined for none. */
export function match(path: string): { route: Route; params: Params } | undefined {
  const parts = split(path)
  for (const route of routes) {
    const wanted = split(route.path)
    if (wanted.length !== parts.length) continue
    const params: Params = {}
    if (wanted.every((w, i) => take(w, parts[i] ?? '', params))) return { route, params }
  }
  return undefined
}

const split = (path: string): string[] => path.split('/').filter(Boolean)

function take(wanted: string, part: string, params: Params): boolean {
  if (!wanted.startsWith(':')) return wanted === part
  try { params[wanted.slice(1)] = decodeURIComponent(part) } catch { return false }
  return true
}
