// A large group: a few devices that are real, and many of which only the keys are there. Its log gives everybody the same messages in the same order.

import { utf8 } from '../../../src/core/crypto/bytes.ts'
import { edKey, newKeyPair, sign, systemRandom } from '../../../src/core/crypto/curve.ts'
import { wrap } from '../../../src/core/crypto/envelope.ts'
import type { InEnvelope } from '../../../src/core/crypto/port.ts'
import { Service } from '../../../src/core/crypto/service.ts'
import { MemoryStore, newTurn, type Store } from '../../../src/core/crypto/store.ts'
import type { Asked, Bundle, Encrypted, Result, Sealed, Version } from '../../../src/core/crypto/types.ts'
import { cloned, start } from './support.ts'

export const room = 'verona@groups.example'

/** The keys of a device that never says anything. */
function silent(version: Version): Bundle {
  const identity = newKeyPair(systemRandom)
  const [signed, key] = [newKeyPair(systemRandom).public, newKeyPair(systemRandom).public]
  const prefixed = (k: Uint8Array<ArrayBuffer>) => version === '2' ? k : Uint8Array.of(5, ...k)
  return {
    version, identity: version === '2' ? edKey(identity.private).public : prefixed(identity.public), signedPreKey: { id: 1, key: prefixed(signed) },
    signature: sign(identity.private, prefixed(signed), systemRandom), preKeys: [{ id: 1, key: prefixed(key) }],
  }
}

const pools: Record<Version, Bundle[]> = { '0.3': [], '2': [] }

/** One of a few of those: to make hundreds takes longer than what is tested. */
function oneOf(version: Version, i: number): Bundle {
  return pools[version][i % 8] ??= silent(version)
}

/** An entry of the group's log. */
export interface Said { from: string; message: Encrypted }

export class Crowd {
  readonly bundles = new Map<string, Bundle>()
  readonly lists = new Map<string, number[]>()
  readonly know = new Map<string, number[]>()
  readonly clock = { now: start }
  readonly log: Said[] = []
  members: string[] = []
  asked = { devices: 0, bundle: 0, knowing: 0 }
  private count = 0

  readonly around: Asked = {
    devices: (jid, version) => { this.asked.devices++; return Promise.resolve(this.lists.get(`${version} ${jid}`) ?? []) },
    bundle: (jid, device, version) => { this.asked.bundle++; return Promise.resolve(this.bundles.get(`${version} ${device} ${jid}`) ?? null) },
    knowing: (jid) => { this.asked.knowing++; return Promise.resolve(this.know.get(jid) ?? []) },
  }

  /** A device that is really there. */
  async join(jid: string, { knows = true, store = new MemoryStore() as Store, versions = ['0.3', '2'] as Version[] } = {}): Promise<Service> {
    const service = await this.open(jid, store)
    const { id } = service.device
    for (const { version, bundle, mark } of (await service.due()).publications) {
      await service.published(version, mark)
      if (!versions.includes(version)) continue
      this.bundles.set(`${version} ${id} ${jid}`, bundle)
      this.list(jid, version, id)
    }
    if (knows) this.know.set(jid, [...this.know.get(jid) ?? [], id])
    if (!this.members.includes(jid)) this.members.push(jid)
    return service
  }

  open(jid: string, store: Store): Promise<Service> {
    return Service.open(jid, [], { store, turn: newTurn(), now: () => this.clock.now }, this.around, () => undefined)
  }

  private list(jid: string, version: Version, id: number): void {
    this.lists.set(`${version} ${jid}`, [...this.lists.get(`${version} ${jid}`) ?? [], id])
  }

  /** So many accounts of which only keys are there. */
  fill(accounts: number, { devices = 1, knows = true, version = '2' as Version } = {}): void {
    for (let i = 0; i < accounts; i++) {
      const jid = `silent${this.count++}@example.org`
      for (let device = 1; device <= devices; device++) {
        this.bundles.set(`${version} ${device} ${jid}`, oneOf(version, this.count + device))
        this.list(jid, version, device)
        if (knows) this.know.set(jid, [...this.know.get(jid) ?? [], device])
      }
      this.members.push(jid)
    }
  }

  /** Encrypts a text for all members. */
  seal(from: Service, body: string): Promise<Sealed> {
    const to = this.members.filter((jid) => jid !== from.device.jid)
    return from.encrypt({ to, body, room, envelope: utf8(wrap(`<body xmlns='jabber:client'>${body}</body>`, from.device.jid, this.clock.now, systemRandom, room)) })
  }

  /** Says it: it is in the log, and the sender sees it there. */
  async say(from: Service, body: string): Promise<Encrypted> {
    this.clock.now++
    const { messages } = await this.seal(from, body)
    const message = messages.at(-1)
    if (!message) throw new Error('nothing was said')
    return this.place(from, message)
  }

  async place(from: Service, message: Encrypted): Promise<Encrypted> {
    this.log.push({ from: from.device.jid, message })
    if (message.all) await from.reflected(room, message.all.epoch, message.all.n)
    return message
  }

  hear(who: Service, said: Said, key = `k${this.count++}`, at = room): Promise<Result<InEnvelope>> {
    return who.decryptMany([{ key, from: said.from, room: at, message: cloned(said.message) }]).then(([one]) => one ?? { ok: false, error: { code: 'fault', detail: '' } })
  }

  /** What a device reads of the last entry: its text, or why not. */
  async reads(who: Service, said = this.log.at(-1), at = room): Promise<string | undefined> {
    if (!said) throw new Error('nothing was said')
    const one = await this.hear(who, said, undefined, at)
    return one.ok ? /<body[^>]*>([^<]*)</.exec(one.value.envelope ?? '')?.[1] ?? one.value.body : one.error.code
  }

  /** Gives what two devices say to each other to its account, until nothing is due. */
  async settle(...ends: Service[]): Promise<number> {
    let sent = 0
    for (let again = true; again;) {
      again = false
      for (const end of ends) {
        const { answers, publications } = await end.due()
        for (const { version, bundle, mark } of publications) {
          this.bundles.set(`${version} ${end.device.id} ${end.device.jid}`, bundle)
          await end.published(version, mark)
        }
        for (const { to, message } of answers) {
          again = true
          sent++
          for (const other of ends) if (other !== end && other.device.jid === to) await other.decryptMany([{ key: `d${this.count++}`, from: end.device.jid, message: cloned(message) }])
        }
      }
    }
    return sent
  }
}
