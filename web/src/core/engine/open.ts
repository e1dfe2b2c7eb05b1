// The start of an account's engine in a tab: its database is opened, the other tabs are joined, and the tab that leads connects.

import type { Engine } from '../engine.ts'
import type { AccountSummary } from '../model.ts'
import { joinTabs } from '../net/tabs.ts'
import { watchWake } from '../net/wake.ts'
import { Accounts } from '../store/accounts.ts'
import { openAccount } from '../store/database.ts'
import { News } from './changes.ts'
import { Door, serversOf, summary } from './door.ts'
import { exportAll } from './export.ts'
import { Lead, type Led } from './lead.ts'
import { tabEngine } from './tab.ts'

/** What of the leader may be asked twice without harm, when it ended before it answered. */
const REPEATABLE = new Set<string>([
  'older', 'fetch', 'pause', 'devices', 'safetyNumber', 'trustURI', 'waiting', 'servers', 'sessions', 'waking', 'exportData', 'reconnect', 'noticed', 'chose', 'look',
])

/** The browser and the system, as the list of devices shows them. */
function deviceName(agent: string): string {
  const browser = /(Firefox|Edg|OPR|SamsungBrowser)\//.exec(agent)?.[1] ?? (/Chrome\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : 'Browser')
  const system = /Android|iPhone|iPad|Windows|Mac OS X|CrOS|Linux/.exec(agent)?.[0] ?? ''
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', SamsungBrowser: 'Samsung Internet', 'Mac OS X': 'macOS', CrOS: 'ChromeOS' }
  return [names[browser] ?? browser, names[system] ?? system].filter(Boolean).join(' · ')
}

/** Reaches the leading tab of the account in use. */
let current: Led | undefined

/** What somebody may do who is not in yet. */
export async function openDoor(): Promise<Door> {
  return new Door(await Accounts.open(), { origin: location.origin, fetch: (...args) => fetch(...args), device: deviceName(navigator.userAgent) },
    (code) => current ? current.recover(code) : Promise.reject(new Error('no account is open')))
}

/** Opens the account that was used last; undefined if nobody is signed in here. `gone` is told when it was signed out or removed, in any tab. */
export async function openEngine(version: string, gone: () => void): Promise<Engine | undefined> {
  const accounts = await Accounts.open()
  const registered = (await accounts.all()).find((a) => !a.signedOut)
  if (!registered) return undefined
  const { jid } = registered
  let now: AccountSummary = summary(registered, true)
  const db = await openAccount(jid, gone)
  const news = new News(jid)
  news.listen((c) => { if (c.choices) void accounts.get(jid).then((a) => { if (a) now = summary(a, true) }) })
  const servers = serversOf(accounts, jid, location.origin)
  const joined = joinTabs<Led>(jid, async (signal) => {
    const lead = new Lead({
      accounts, db, news, registered: await accounts.get(jid) ?? registered, version, device: deviceName(navigator.userAgent), servers: () => servers.list(),
      exportData: () => exportAll(db, jid), onGone: gone,
    })
    const stop = watchWake(lead.worker.connection, jid)
    signal.addEventListener('abort', () => {
      stop()
      lead.stop()
    })
    // Not waited for: what is kept can be read, and what is written is kept, before the keys are open.
    void lead.start()
    return lead
  }, { again: (name) => REPEATABLE.has(name) })
  current = joined.engine
  return tabEngine(db, news, () => now, joined.engine)
}
