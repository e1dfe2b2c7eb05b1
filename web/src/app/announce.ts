// What happens outside the open conversation is told once: the title and the badge count chats, the live region names who wrote.
import { effect } from '@preact/signals'
import { say } from '../ui/toast.tsx'
import { t } from '../i18n/t.ts'
import { place } from './router.ts'
import { chats, engine, isMuted, nameOf, ready, unreadChats } from './session.ts'

/** announce keeps the title, the badge of the app and the live region true. */
export function announce(): void {
  effect(() => {
    const { jid } = place.value.params
    const count = unreadChats.value
    document.title = `${count ? `(${count}) ` : ''}${jid ? `${nameOf(jid)} · ` : ''}Palabre`
  })
  effect(() => { void setBadge(unreadChats.value) })
  effect(() => { place.value.params['jid']; tellLooks() })
  addEventListener('visibilitychange', tellLooks)
  let before: Map<string, string> | undefined
  effect(() => {
    const all = chats.value
    if (!all) return
    const open = place.peek().params['jid']
    const known = before
    before = new Map(all.map((c) => [c.jid, c.last?.id ?? '']))
    if (!known) return
    for (const chat of all) {
      const { last } = chat
      if (last && !last.own && known.get(chat.jid) !== last.id && chat.unread > 0 && chat.jid !== open && !chat.request && !isMuted(chat)) say(t('said.elsewhere', { name: chat.name }))
    }
  })
}

/** Notifications of the chat that somebody looks at have served, also those about what is read already. */
function tellLooks(): void {
  const { jid } = place.peek().params
  if (!jid || document.hidden || !ready.peek()) return
  navigator.serviceWorker?.controller?.postMessage({ type: 'looks', account: engine().account().jid, chat: jid })
}

async function setBadge(count: number): Promise<void> {
  const device = navigator as Navigator & { setAppBadge?: (n: number) => Promise<void> }
  try { await device.setAppBadge?.(count) } catch { /* an app that is not installed has no badge */ }
}
