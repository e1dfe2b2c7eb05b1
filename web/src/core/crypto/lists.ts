// Who can be written to: device lists, which version reaches everybody, and sessions with those who have none yet.

import { accountName, ownAddress, Step, type Device } from './device.ts'
import { answer, refuse } from './failure.ts'
import { maxDevices } from './limits.ts'
import { profileOf, profiles } from './profile.ts'
import { begin, missing } from './send.ts'
import { checkJID } from './session.ts'
import type { Address, Asked, Bundle, Skipped, Version } from './types.ts'

const listAge = 120 // seconds for which a list that was fetched is believed; one that was told is, until the next session
const listAgeEach = 4 // … or so many seconds for each account, in a group: nobody's server is asked for a thousand lists every two minutes
const maxListAge = 3600
const doubtAge = 60 // seconds after which a device that is on no list makes its list doubtful again
const retryAfter = 600 // seconds after which a device without usable keys is asked again
const atOnce = 32 // requests at a time
const patience = 30_000 // milliseconds given to what is asked for
const maxAccounts = 2000 // more than a group may have members
const maxRemembered = 10_000

/** Devices for which something is encrypted in a version. */
export interface Recipients { version: Version; to: Address[] }

/** What the lists of several accounts give: devices that have OMEMO 2, and those that have 0.3 alone. `both`: those of the first that have 0.3 as well. */
export interface Readers { newer: Address[]; older: Address[]; both: Address[] }

/** Lists knows device lists and asks for what is missing. */
export class Lists {
  /** Until when a list is fresh, in seconds. */
  private readonly fresh = new Map<string, number>()
  /** Lists that the server tells in this session: once asked for, they are believed again. */
  private readonly heard = new Set<string>()
  /** How often each was told: an answer is the older one if its list was told since it was asked for. */
  private readonly tellings = new Map<string, number>()
  private readonly failed = new Map<string, number>()
  /** Until when a device that is on no list is known to be on none. */
  private readonly doubted = new Map<string, number>()

  constructor(private readonly d: Device, readonly asked: Asked) {}

  /** A new session with the server: what was told before may have changed unseen. */
  newSession(): void {
    this.fresh.clear()
    this.heard.clear()
    this.failed.clear()
    this.doubted.clear()
  }

  /** A device of an account has written that is on no list that is known here: the lists are asked for before anything more is said to it. Not
   * everybody's lists are told to us. */
  doubt(a: Address): void {
    const key = failedKey('2', a)
    if (this.isAhead(this.doubted.get(key), doubtAge)) return
    this.note(this.doubted, key, this.d.now() + doubtAge)
    for (const p of profiles) this.fresh.delete(`${p.version} ${a.jid}`)
  }

  /** Takes over a list that the server told. */
  async told(jid: string, version: Version, ids: number[]): Promise<void> {
    this.note(this.tellings, `${version} ${jid}`, (this.tellings.get(`${version} ${jid}`) ?? 0) + 1)
    await this.keep(jid, version, ids)
    if (this.heard.size < maxRemembered) this.heard.add(`${version} ${jid}`)
    this.note(this.fresh, `${version} ${jid}`, Infinity)
    for (const id of ids) this.failed.delete(`${version} ${id} ${jid}`)
  }

  private async keep(jid: string, version: Version, ids: number[]): Promise<void> {
    checkJID(jid)
    const { d } = this
    const others = [...new Set(ids)].filter((id) => Number.isInteger(id) && id > 0 && id < 2 ** 31 && !(jid === d.jid && id === d.id))
    if (others.length > maxDevices) refuse('too-large', `${others.length} devices of ${jid}`)
    await d.turn(async () => {
      const step = new Step(d)
      ;(await step.account(jid)).list(profileOf(version), others, d.now())
      await step.commit()
    })
  }

  // Whether a time is still to come; one that is too far ahead comes from a clock that was set back.
  private isAhead(until: number | undefined, most: number): boolean {
    if (until === undefined || until === Infinity) return until !== undefined
    const left = until - this.d.now()
    return left > 0 && left <= most
  }

  private note(table: Map<string, number>, key: string, value: number): void {
    if (table.size >= maxRemembered) table.clear()
    table.set(key, value)
  }

  /** Divides the devices of accounts among the versions: OMEMO 2 for all that have it, which hides everything, and 0.3, which hides the text alone, for
   * those that have nothing else. Our own device is left out. */
  async recipients(jids: string[]): Promise<Readers> {
    const accounts = [...new Set([...jids, this.d.jid])]
    if (accounts.length > maxAccounts) refuse('too-large', `${accounts.length} accounts`)
    await this.refresh(accounts)
    const out: Readers = { newer: [], older: [], both: [] }
    for (const { jid, ids03, ids2 } of await this.read(accounts)) {
      const address = (device: number) => ({ jid, device })
      out.newer.push(...ids2.map(address))
      out.older.push(...ids03.filter((id) => !ids2.includes(id)).map(address))
      out.both.push(...ids03.filter((id) => ids2.includes(id)).map(address))
    }
    return out
  }

  /** Those of `to` whose keys nobody refuses. */
  trusted(to: Address[]): Promise<Address[]> {
    return this.d.turn(async () => {
      const step = new Step(this.d)
      await step.preload([...new Set(to.map((a) => accountName(a.jid)))])
      const out: Address[] = []
      for (const a of to) if ((await step.account(a.jid)).accepts(a.device)) out.push(a)
      return out
    })
  }

  private read(accounts: string[]): Promise<{ jid: string; ids03: number[]; ids2: number[] }[]> {
    return this.d.turn(async () => {
      const seen = await new Step(this.d).seen(accounts)
      return [...seen].map(([jid, { ids03, ids2 }]) => ({ jid, ids03, ids2 }))
    })
  }

  // Asks for lists that are not fresh. What cannot be had now leaves the list as it was known.
  private async refresh(accounts: string[]): Promise<void> {
    const age = Math.max(listAge, Math.min(maxListAge, listAgeEach * accounts.length))
    const stale = accounts.flatMap((jid) => profiles.map((p) => ({ jid, version: p.version }))).filter(({ jid, version }) => {
      return !this.isAhead(this.fresh.get(`${version} ${jid}`), age)
    })
    await several(stale, async ({ jid, version }) => {
      const name = `${version} ${jid}`
      const before = this.tellings.get(name)
      const ids = await ask(() => this.asked.devices(jid, version))
      if (!ids || this.tellings.get(name) !== before) return
      await this.keep(jid, version, ids)
      this.note(this.fresh, name, this.heard.has(name) ? Infinity : this.d.now() + age)
    })
  }

  /** Begins sessions with those devices that have none. It says which have no keys that can be used; they are not asked for again for a while. */
  async meet({ version, to }: Recipients): Promise<Skipped[]> {
    const wanted = await missing(this.d, version, to)
    const skipped: Skipped[] = []
    const bundles: { to: Address; bundle: Bundle }[] = []
    await several(wanted, async (a) => {
      const bundle = await this.bundle(version, a)
      if (bundle) bundles.push({ to: a, bundle })
      else skipped.push({ ...a, reason: 'no-bundle' })
    })
    if (bundles.length > 0) skipped.push(...await begin(this.d, bundles))
    for (const a of skipped) this.note(this.failed, failedKey(version, a), this.d.now() + retryAfter)
    return skipped
  }

  private async bundle(version: Version, a: Address): Promise<Bundle | undefined> {
    if (this.isAhead(this.failed.get(failedKey(version, a)), retryAfter)) return undefined
    const bundle = await ask(() => this.asked.bundle(a.jid, a.device, version))
    return bundle?.version === version ? bundle : undefined
  }

  /** Begins a session anew, whether there is one or not; tells whether it could. */
  async mend(version: Version, a: Address): Promise<boolean> {
    const own = ownAddress(this.d)
    if (a.jid === own.jid && a.device === own.device) return false
    const bundle = await ask(() => this.asked.bundle(a.jid, a.device, version))
    return bundle?.version === version && (await begin(this.d, [{ to: a, bundle }])).length === 0
  }

  /** Fetches the keys of all listed devices of an account that have not been seen, so that they can be compared. */
  async learn(jid: string): Promise<void> {
    const { newer, older } = await this.recipients([jid])
    await this.meet({ version: '2', to: newer })
    await this.meet({ version: '0.3', to: older })
  }
}

function failedKey(version: Version, a: Address): string {
  return `${version} ${a.device} ${a.jid}`
}

/** What was asked for, or nothing if it is not to be had now. */
export async function ask<T>(work: () => Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<undefined>((resolve) => { timer = setTimeout(() => resolve(undefined), patience) })
  const found = await Promise.race([answer(work), timeout])
  clearTimeout(timer)
  return found?.ok ? found.value : undefined
}

/** Runs work for all items, a limited number at a time. */
export async function several<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items].reverse()
  const run = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, run))
}
