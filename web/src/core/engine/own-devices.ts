// Which keys belong to which sign-in of the account (docs/protocol/devices.md), so that who is signed out also loses what is encrypted for it: nobody
// encrypts for its keys any more, they are not trusted, and the history gets a new key.

import type { JID, SignedIn } from '../model.ts'
import { change, type Database } from '../store/database.ts'
import { get, type Revoking } from '../store/kv.ts'
import { listAccess, revokeAccess } from '../xmpp/access.ts'
import { parseDevice } from '../xmpp/omemo.ts'
import { getItems, OWN, publish, retractItem } from '../xmpp/pubsub.ts'
import type { Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import { el } from '../xmpp/xml.ts'
import { value, type Secure } from './secure.ts'

const NODE = 'urn:palabre:devices:0'

/** The account's own devices, as one of them sees to it that they come and go rightly. */
export class OwnDevices {
  /** `renew` draws a new key of the history. */
  constructor(private readonly db: Database, private readonly account: JID, private readonly secure: Secure, private readonly renew: () => Promise<void>) {}

  /** A new session is there: our other devices are told which sign-in has our keys, and what was not finished is. */
  async connected(session: Session): Promise<void> {
    await this.tell(session)
    const open = await get(this.db, 'revoking')
    if (!open) return
    // Whether it was done before this tab's forerunner ended, the server knows.
    if ((await listAccess(session)).some((one) => one.id === open.access)) await this.note(undefined)
    else await this.finish(session, open)
  }

  private async tell(session: Session): Promise<void> {
    const device = this.secure.deviceID
    if (!device || await get(this.db, 'told device') === device) return
    const here = (await listAccess(session)).find((one) => one.here)
    if (!here) return
    await publish(session, NODE, el(NODE, 'device', { access: here.id }), OWN, String(device))
    await change(this.db, ['kv'], async (tx) => { await tx.objectStore('kv').put(device, 'told device') })
  }

  /** Which sign-in has the keys of which device, as the devices told. */
  async owners(session: Session): Promise<Map<number, SignedIn>> {
    const list = new Map((await listAccess(session)).map((one) => [one.id, one]))
    return new Map((await this.told(session)).flatMap(({ device, access }) => {
      const owner = list.get(access)
      return owner ? [[device, owner]] : []
    }))
  }

  private async told(session: Session): Promise<{ device: number; access: string }[]> {
    return (await getItems(session, NODE)).flatMap(({ id, payload }) => {
      const device = parseDevice(id)
      return device !== undefined && payload?.is('device', NODE) ? [{ device, access: payload.attr('access') ?? '' }] : []
    })
  }

  /** Takes a device of ours out of the account: it is signed out, with all its keys (gives true), or, as long as nobody knows which sign-in it belongs to,
   * its keys alone are taken away (false). */
  async remove(session: Session, device: number): Promise<boolean> {
    const owner = (await this.owners(session)).get(device)
    if (owner && !owner.here) await this.revoke(session, owner.id, device)
    else await this.take(session, { access: '', devices: [device] })
    return !!owner && !owner.here
  }

  private async take(session: Session, open: Revoking): Promise<void> {
    await this.note(open)
    await this.finish(session, open)
  }

  /** Signs an app of ours out, and its keys with it, `also` among them. Fails with `item-not-found` for one that is gone. */
  async revoke(session: Session, access: string, also?: number): Promise<void> {
    const devices = (await this.told(session)).filter((one) => one.access === access).map((one) => one.device)
    const open: Revoking = { access, devices: [...new Set(also === undefined ? devices : [...devices, also])].filter((id) => id !== this.secure.deviceID) }
    await this.note(open)
    try {
      await revokeAccess(session, access)
    } catch (error) {
      // Only a refusal says that nothing was done; after any other failure the next session looks.
      if (error instanceof StanzaError && !error.temporary) await this.note(undefined)
      throw error
    }
    await this.finish(session, open)
  }

  /** Each step may be done again. */
  private async finish(session: Session, { devices }: Revoking): Promise<void> {
    for (const id of devices) {
      await this.distrust(id)
      await this.secure.remove(session, id)
      await retractItem(session, NODE, String(id))
    }
    await this.renew()
    await this.note(undefined)
  }

  private async distrust(id: number): Promise<void> {
    const { crypto } = this.secure
    const known = value(await crypto.devices(this.account)).find((d) => d.id === id)
    if (known?.fingerprint && known.trust !== 'distrusted') value(await crypto.setTrust({ jid: this.account, device: id }, known.fingerprint, 'distrusted'))
  }

  private async note(open: Revoking | undefined): Promise<void> {
    await change(this.db, ['kv'], async (tx) => {
      if (open) await tx.objectStore('kv').put(open, 'revoking')
      else await tx.objectStore('kv').delete('revoking')
    })
  }
}
