// The places at the bottom of a phone and at the side of a desk. A place whose feature is not in this build is not shown.
import type { Key } from '../i18n/t.ts'
import type { IconName } from '../ui/Icon.tsx'

export interface Tab { path: string; feature: string; icon: IconName; text: Key; features: string[] }

/** The tabs, with the features that belong under each. */
export const tabs: Tab[] = [
  { path: '/', feature: 'chats', icon: 'message', text: 'tab.chats', features: ['chats', 'chat', 'newchat', 'search', 'about', 'security', 'media', 'groups', 'communities', 'broadcast', 'pay'] },
  { path: '/contacts', feature: 'contacts', icon: 'users', text: 'tab.contacts', features: ['contacts'] },
  { path: '/updates', feature: 'updates', icon: 'updates', text: 'tab.updates', features: ['updates', 'status', 'channels'] },
  { path: '/settings', feature: 'settings', icon: 'settings', text: 'tab.settings', features: ['settings', 'devices', 'link', 'happening', 'admin'] },
]
