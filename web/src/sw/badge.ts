// The number on the app's icon while no page is open to keep it: chats with something new, as far as it is known here, and those that were told of since.
import { accountsHere, chatsHere } from '../core/store/first.ts'
import { scope } from './scope.ts'
import { carriedBy } from './show.ts'

/** count is how many chats have something new. */
export async function count(): Promise<number> {
  const fresh = new Set<string>()
  const now = Date.now() * 1000
  for (const { jid } of await accountsHere()) {
    for (const c of await chatsHere(jid)) if ((c.unread > 0 || c.markedUnread) && !c.archived && !c.blocked && !c.request && (c.muted ?? 0) <= now) fresh.add(`${jid} ${c.jid}`)
  }
  for (const { data } of await scope.registration.getNotifications()) {
    const { account, chat, upTo } = carriedBy(data)
    if (account && chat && upTo) fresh.add(`${account} ${chat}`)
  }
  return fresh.size
}

/** showCount puts it on the icon, where the browser has that. An app that is not installed has no icon. */
export async function showCount(): Promise<void> {
  const device = globalThis.navigator as Navigator & { setAppBadge?: (n: number) => Promise<void> } | undefined
  if (!device?.setAppBadge) return
  try {
    await device.setAppBadge(await count())
  } catch { /* not installed */ }
}
