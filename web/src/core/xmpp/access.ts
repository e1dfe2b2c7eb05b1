// Which apps have access to the account, and how to take it away (XEP-0494).

import type { SignedIn } from '../model.ts'
import { resource } from './jid.ts'
import { ACCESS } from './ns.ts'
import type { Session } from './session.ts'
import { parseTime } from './time.ts'
import { el, type Element } from './xml.ts'

const OWN = 'urn:palabre:devices:0'
const text = (value: string | undefined) => value?.trim().slice(0, 200) || undefined

function parseClient(e: Element, here: string): SignedIn | undefined {
  const id = e.attr('id')
  if (!id) return undefined
  const agent = e.child('user-agent')
  const last = parseTime(e.textOf('last-seen'))
  return {
    id, app: text(agent?.textOf('software')) ?? '', platform: text(agent?.textOf('device')),
    since: parseTime(e.textOf('first-seen')) ?? last ?? 0, lastUsed: last, online: /^(true|1)$/.test(e.attr('connected') ?? ''),
    here: e.children('session', OWN).some((s) => s.attr('resource') === here), password: e.child('auth')?.child('password') ? true : undefined,
  }
}

/** Lists them, at most 200; `app` is '' for one that does not say what it is. */
export async function listAccess(session: Session): Promise<SignedIn[]> {
  const clients = (await session.request('get', el(ACCESS, 'list'))).child('clients', ACCESS)
  const here = resource(session.jid)
  return (clients?.children('client') ?? []).slice(0, 200).flatMap((e) => parseClient(e, here) ?? [])
}

/** Signs an app out. Fails with `item-not-found` for one that is gone. One that knows the password can come back with it, until it is changed. */
export async function revokeAccess(session: Session, id: string): Promise<void> {
  await session.request('set', el(ACCESS, 'revoke', { id }, el(OWN, 'sign-out')))
}
