// The start of an account's engine in a tab: its database is opened, the other tabs are joined, and the tab that leads connects.

import type { Engine } from '../engine.ts'
import type { AccountSummary } from '../model.ts'
import { joinTabs } from '../net/tabs.ts'
import { watchWake } from '../net/wake.ts'
import { Accounts } from '../store/accounts.ts'
import { openAccount } from '../store/database.ts'
import { News } from './changes.ts'
import { setCurrent } from './current.ts'
import { Notifier } from './notify.ts'
import { deviceName, serversOf, summary } from './summary.ts'
import type { Led } from './lead.ts'
import { tabEngine } from './tab.ts'

/** What of the leader may be asked twice without harm, when it ended before it answered. */
const REPEATABLE = new Set<string>([
  'older', 'fetch', 'pause', 'devices', 'safetyNumber', 'trustURI', 'waiting', 'servers', 'sessions', 'waking', 'exportData', 'reconnect', 'noticed', 'chose', 'look', 'stickerPack', 'makesCards', 'card',
])

/** Opens the account that was used last; undefined if nobody is signed in here. `gone` is told when it was signed out or removed, in any tab. */
export async function openEngine(version: string, gone: () => void): Promise<Engine | undefined> {
  const accounts = await Accounts.open()
  const registered = (await accounts.all()).find((a) => !a.signedOut)
  if (!registered) return undefined
  const { jid } = registered
  let now: AccountSummary = summary(registered, true)
  let tick = () => {}
  const db = await openAccount(jid, gone)
  const news = new News(jid)
  const watching = new Set<(account: AccountSummary) => void>()
  news.listen((c) => {
    if (c.choices) void accounts.get(jid).then((a) => {
      if (!a) return
      now = summary(a, true)
      for (const show of watching) show(now)
    })
  })
  const servers = serversOf(accounts, jid, location.origin)
  const joined = joinTabs<Led>(jid, async (signal) => {
    const { Lead } = await import('./lead.ts') // most of the code, and not needed for the first picture
    const notifier = new Notifier(jid, db, news)
    const lead = new Lead({
      accounts, db, news, registered: await accounts.get(jid) ?? registered, version, device: deviceName(navigator.userAgent), servers: () => servers.list(),
      exportData: async () => (await import('./export.ts')).exportAll(db, jid), onGone: gone, onMessage: (chat, called) => notifier.arrived(chat, called),
      onReaction: (chat, emoji, text) => notifier.reacted(chat, emoji, text),
    })
    const stop = watchWake({ nudge: () => lead.worker.connection.nudge(), setHidden: (hidden) => lead.setHidden(hidden) }, jid)
    tick = () => lead.tick()
    signal.addEventListener('abort', () => {
      tick = () => {}
      stop()
      notifier.end()
      lead.stop()
    })
    // Not waited for: what is kept can be read, and what is written is kept, before the keys are open.
    void lead.start()
    return lead
  }, { again: (name) => REPEATABLE.has(name), asked: () => tick() })
  setCurrent(joined.engine)
  return tabEngine(db, news, () => now, joined.engine, (show) => {
    watching.add(show)
    show(now)
    return () => { watching.delete(show) }
  })
}
