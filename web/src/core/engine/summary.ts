// What is known of an account before it is open: how it is listed, and where its servers are.

import type { AccountSummary, JID } from '../model.ts'
import { Servers } from '../net/servers.ts'
import type { Account, Accounts } from '../store/accounts.ts'
import { domain } from '../xmpp/jid.ts'

/** An account as screens list it. */
export const summary = (a: Account, active: boolean): AccountSummary =>
  ({ jid: a.jid, name: a.name || (a.jid.split('@')[0] ?? a.jid), active, ...(a.avatar ? { avatar: a.avatar } : {}), ...(a.admin ? { admin: true } : {}) })

/** The servers of an account, with the address beside this page among them. */
export function serversOf(accounts: Accounts, jid: JID, origin: string): Servers {
  const host = domain(jid)
  const { hostname } = new URL(origin)
  const kept = { get: (key: string) => accounts.value(key), set: (key: string, value: unknown) => accounts.setValue(key, value) }
  return new Servers(host, kept, origin.replace(/^http/, 'ws') + '/ws', hostname === host ? origin : 'https://' + host)
}

/** The browser and the system, as the list of devices shows them. */
export function deviceName(agent: string): string {
  const browser = /(Firefox|Edg|OPR|SamsungBrowser)\//.exec(agent)?.[1] ?? (/Chrome\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : 'Browser')
  const system = /Android|iPhone|iPad|Windows|Mac OS X|CrOS|Linux/.exec(agent)?.[0] ?? ''
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', SamsungBrowser: 'Samsung Internet', 'Mac OS X': 'macOS', CrOS: 'ChromeOS' }
  return [names[browser] ?? browser, names[system] ?? system].filter(Boolean).join(' · ')
}
