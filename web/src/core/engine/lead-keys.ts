// What is asked of the keys: whose devices can read, whom a person trusts, what came of comparing, and the encrypted history.

import type { Stop } from '../engine.ts'
import type { Comparison, Device, DeviceNotice, JID } from '../model.ts'
import { LeadBase } from './lead-base.ts'
import { value } from './secure.ts'

/** How long what somebody asks for right after they came in waits for the connection, in milliseconds. */
const PATIENCE = 20_000

/** The part of the leading tab that asks the keys. */
export abstract class LeadKeys extends LeadBase {
  async devices(jid: JID): Promise<Device[]> {
    const { crypto } = this.worker.secure
    await crypto.learn(jid)
    return value(await crypto.devices(jid))
  }

  async trust(device: Pick<Device, 'jid' | 'id'>, trust: Device['trust']): Promise<void> {
    const { crypto } = this.worker.secure
    const find = async () => value(await crypto.devices(device.jid)).find((d) => d.id === device.id)
    let known = await find()
    if (!known?.fingerprint) {
      value(await crypto.learn(device.jid))
      known = await find()
    }
    if (!known?.fingerprint) throw new Error('no key of this device has been seen')
    value(await crypto.setTrust({ jid: device.jid, device: device.id }, known.fingerprint, trust))
    this.worker.tellNotices()
    this.worker.sender.wake()
  }

  async safetyNumber(jid: JID): Promise<string> {
    const { crypto } = this.worker.secure
    value(await crypto.learn(jid))
    value(await crypto.learn(this.worker.account))
    return value(await crypto.safetyNumber(jid))
  }

  async verifyNumber(jid: JID, number: string): Promise<void> {
    value(await this.worker.secure.crypto.verifyNumber(jid, number))
  }

  async trustURI(): Promise<string> {
    return value(await this.worker.secure.crypto.trustURI())
  }

  async compare(uri: string): Promise<Comparison> {
    return value(await this.worker.secure.crypto.compare(uri))
  }

  watchNotices(show: (notices: DeviceNotice[]) => void): Stop {
    return this.notices.watch(show)
  }

  async noticed(ids: string[]): Promise<void> {
    value(await this.worker.secure.crypto.noticed(ids))
    this.worker.tellNotices()
  }

  async recoveryCode(): Promise<string> {
    return this.history.recoveryCode(await this.soon(PATIENCE))
  }

  async recover(code: string): Promise<void> {
    return this.history.recover(await this.soon(PATIENCE), code)
  }
}
