// What a person has to see about devices, as the screens get it. Of one's own devices the key is fetched before a notice is shown, for one that was let
// in by another of ours is known by its key, and no news; and the server is asked which sign-in it belongs to, so that a person knows what they decide.

import type { Crypto } from '../crypto/api.ts'
import type { Stop } from '../engine.ts'
import type { DeviceNotice, JID, SignedIn } from '../model.ts'

/** When it is asked again which sign-in a device belongs to: it tells that soon after it has come, in milliseconds. */
const AGAIN = [3000, 10_000, 30_000, 120_000]

/** The notices of one account. */
export class Notices {
  private readonly watchers = new Set<(notices: DeviceNotice[]) => void>()
  /** Notices whose key was asked for. */
  private readonly sought = new Set<string>()
  private seeking = false
  private owners = new Map<number, SignedIn>()
  private tries = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private turn = 0

  /** `owners` asks the server which sign-in has the keys of which device. */
  constructor(
    private readonly account: JID, private readonly crypto: Pick<Crypto, 'notices' | 'learn'>, private readonly ask: () => Promise<Map<number, SignedIn>>,
  ) {}

  /** Shows them now and whenever they change. */
  watch(show: (notices: DeviceNotice[]) => void): Stop {
    this.watchers.add(show)
    void this.tell()
    return () => { this.watchers.delete(show) }
  }

  /** There is something new, or something was decided, or a session began. */
  changed(): void {
    clearTimeout(this.timer) // what was to be asked later is asked now
    this.timer = undefined
    this.tries = 0
    void this.tell()
  }

  end(): void {
    this.watchers.clear()
    clearTimeout(this.timer)
  }

  private async tell(): Promise<void> {
    const turn = ++this.turn
    const kept = await this.crypto.notices()
    if (!kept.ok || turn !== this.turn) return
    const unseen = kept.value.filter((n) => n.own && !n.fingerprint && !this.sought.has(n.id))
    if (unseen.length) void this.seek(unseen)
    const ready = kept.value.filter((n) => !unseen.includes(n))
    for (const show of [...this.watchers]) show(ready.map((n) => this.named(n)))
    if (ready.some((n) => n.own && !this.owners.has(n.device))) this.nameSoon()
  }

  private named(notice: DeviceNotice): DeviceNotice {
    const owner = notice.own ? this.owners.get(notice.device) : undefined
    if (!owner) return notice
    return { ...notice, app: owner.app, ...(owner.platform ? { platform: owner.platform } : {}) }
  }

  /** Fetches the keys of our own devices; without a connection the notice is shown without. */
  private async seek(unseen: DeviceNotice[]): Promise<void> {
    if (this.seeking) return
    this.seeking = true
    await this.crypto.learn(this.account)
    this.seeking = false
    for (const { id } of unseen) this.sought.add(id)
    void this.tell()
  }

  private nameSoon(): void {
    const wait = this.tries === 0 ? 0 : AGAIN[this.tries - 1]
    if (wait === undefined || this.timer !== undefined) return
    this.tries++
    this.timer = setTimeout(() => {
      Promise.resolve().then(() => this.ask()).then((owners) => { this.owners = owners }, () => undefined).finally(() => {
        this.timer = undefined
        void this.tell()
      })
    }, wait)
  }
}
