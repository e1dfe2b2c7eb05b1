// Linking a device, as both sides go through it: the steps of docs/protocol/encrypted-history.md §5, carried by boxes of the server
// (docs/protocol/device-link.md), with a person who compares six digits in between. link-give.ts and link-take.ts are what the two sides add.

import type { Crypto } from '../crypto/api.ts'
import type { LinkLogin, LinkMessage, LinkRole, LinkStep, RefusalCode, Result } from '../crypto/types.ts'
import type { LinkFailure, LinkState } from '../model.ts'

/** How long a code is good for, in milliseconds. */
export const LIFETIME = 300_000
/** How long the server may stay silent before it counts as away, and between two tries, in milliseconds. */
const PATIENCE = 20_000
const AGAIN = 1000

/** Why it ended, thrown. */
export class LinkError extends Error {
  override readonly name = 'LinkError'
  constructor(readonly why: LinkFailure, readonly at?: string) {
    super(why)
  }
}

/** What the other device is told when one ends it. */
export type Ending = 'cancelled' | 'differing' | 'over'

/** Carries letters between the two devices. A rejection with a LinkError is final; any other means that nothing came through, and is tried again. */
export interface Relay {
  put(box: string, step: number, letter: string): Promise<void>
  /** Undefined when none has come yet. */
  get(box: string, step: number, signal: AbortSignal): Promise<string | undefined>
  end(box: string, why: Ending): Promise<void>
}

/** The boxes of a server (docs/protocol/device-link.md §3). */
export function boxesAt(origin: string, ask: typeof fetch): Relay {
  const to = async (method: string, path: string, more: RequestInit = {}): Promise<Response> => {
    const answer = await ask(`${origin}/linking/${path}`, { method, credentials: 'omit', cache: 'no-store', ...more })
    if (answer.status === 410) throw new LinkError(closed(await answer.text()))
    if (answer.status === 429) throw new LinkError('busy')
    if (answer.status >= 500) throw new Error(`status ${answer.status}`)
    if (!answer.ok) throw new LinkError('server')
    return answer
  }
  return {
    put: async (box, step, letter) => { await to('PUT', `${box}/${step}`, { body: letter, signal: AbortSignal.timeout(PATIENCE) }) },
    get: async (box, step, signal) => {
      const answer = await to('GET', `${box}/${step}`, { signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]) })
      return answer.status === 200 ? answer.text() : undefined
    },
    end: async (box, why) => { await to('DELETE', `${box}${why === 'cancelled' ? '' : `?why=${why}`}`, { keepalive: true }) },
  }
}

const closed = (said: string): LinkFailure => said === 'differing' || said === 'contested' || said === 'over' ? said : 'cancelled'

/** What a side needs. */
export interface Side {
  role: LinkRole
  crypto: Pick<Crypto, 'linkShow' | 'linkScan' | 'linkHear' | 'linkConfirm' | 'linkArrived' | 'linkCancel'>
  relay: Relay
  show(state: LinkState): void
  /** On the older device, when a person agreed: makes what the new one logs in with, and all that it shall find ready. */
  admit?(): Promise<LinkLogin>
  /**
   * On the older device, when it ended after a way in may have been made, and the new device did not say that it is in: true if it is in all the same; otherwise it
   * cannot come in any more. It takes until the server can be asked, or the way in has ended by itself.
   */
  settle?(): Promise<boolean>
  /** On the new device, when the keys are there: gets in. */
  enter?(login: LinkLogin | undefined): Promise<void>
}

/** How it begins: with a code that is shown for an account's address, or with one that was scanned. */
export type Begin = { address: string; text(uri: string): string } | { scanned: string }

/** One hand-over on one side. */
export class Linking {
  private box = ''
  private ended = false
  /** Both agreed, and this device gets in: that is done or fails, but is not cancelled. */
  private entering = false
  /** A way in may be out there. */
  private giving = false
  private readonly over = new AbortController()
  private readonly expires = Date.now() + LIFETIME
  private timer: ReturnType<typeof setTimeout> | undefined
  private fail: (error: unknown) => void = () => undefined
  private agree: () => void = () => undefined
  private readonly agreed = new Promise<void>((resolve) => { this.agree = resolve })
  private code: string | undefined
  /** The last letter that this side left. */
  private said: LinkMessage | undefined

  constructor(private readonly side: Side) {}

  /** Goes through all of it, and fulfils when it has ended, however it did: what is shown says how. */
  async run(begin: Begin): Promise<boolean> {
    if (this.ended) return false // stopped before it began
    const failed = new Promise<never>((_, reject) => { this.fail = reject })
    this.timer = setTimeout(() => this.fail(new LinkError('over')), LIFETIME)
    try {
      this.side.show({ step: 'starting' })
      const steps = this.steps(begin)
      steps.catch(() => undefined)
      await Promise.race([steps, failed])
      if (!this.ended) this.side.show({ step: 'done' })
      return !this.ended
    } catch (error) {
      const arrived = await this.close(error)
      if (!this.ended) this.side.show(arrived ? { step: 'done' } : failure(error))
      return arrived
    } finally {
      this.ended = true
      clearTimeout(this.timer)
      this.over.abort()
    }
  }

  /** A person compared what the two devices show. Digits that are not those of this hand-over change nothing. */
  compared(same: boolean, code = this.code): void {
    if (!this.code || code !== this.code) return
    if (same) this.agree()
    else this.fail(new LinkError('differing'))
  }

  /** Cancels it; the other device is told. */
  stop(): void {
    if (this.ended || this.entering) return
    this.ended = true
    this.fail(new LinkError('cancelled'))
  }

  /** Tells the other device that it is over, and sees to it that nothing is half done: gives whether the new device is in all the same. */
  private async close(error: unknown): Promise<boolean> {
    clearTimeout(this.timer)
    this.over.abort()
    if (!this.box) return false
    const why = error instanceof LinkError && (error.why === 'differing' || error.why === 'over') ? error.why : 'cancelled'
    void this.tellEnd(why)
    const arrived = this.giving && await this.side.settle?.().catch(() => false) === true
    if (arrived) await this.side.crypto.linkArrived(this.box)
    else await this.side.crypto.linkCancel(this.box)
    return arrived
  }

  /** Tries for a while, for the other device waits; if nothing comes through, it sees it end by its age. */
  private async tellEnd(why: Ending): Promise<void> {
    for (const since = Date.now(); Date.now() - since < PATIENCE;) {
      const began = Date.now()
      try {
        return await this.side.relay.end(this.box, why)
      } catch (error) {
        if (error instanceof LinkError) return // it is over there already
        await rest(began)
      }
    }
  }

  private async steps(begin: Begin): Promise<void> {
    const { code, send } = 'scanned' in begin ? await this.scan(begin.scanned) : await this.showCode(begin)
    if (send) await this.say(send)
    if (!code) throw new LinkError('server')
    this.code = code
    if (this.side.role === 'old') await this.give(code)
    else await this.take(code)
  }

  private async showCode({ address, text }: Extract<Begin, { address: string }>): Promise<LinkStep> {
    const { id, uri } = of(await this.side.crypto.linkShow(this.side.role, address))
    this.box = id
    this.side.show({ step: 'showing', text: text(uri), expires: this.expires * 1000 })
    return this.hear(1, await this.next(1))
  }

  private async scan(scanned: string): Promise<LinkStep> {
    const uri = uriOf(scanned, this.side.role)
    const { id, send } = of(await this.side.crypto.linkScan(uri))
    this.box = id
    if (send) await this.say(send)
    return this.hear(2, await this.next(2))
  }

  /** The older device's part, from the digits on. */
  private async give(code: string): Promise<void> {
    const done = this.next(4) // asked for at once, for the other device may cancel while a person compares
    await this.compare(code, done)
    if (this.ended) throw new LinkError('cancelled')
    this.giving = true
    const login = await this.side.admit?.()
    if (this.over.signal.aborted) throw new LinkError('cancelled') // it has ended meanwhile, and is being settled
    const { send } = of(await this.side.crypto.linkConfirm(this.box, login))
    if (send) await this.say(send)
    await this.hear(4, await done)
  }

  /** The new device's part. */
  private async take(code: string): Promise<void> {
    const offer = this.next(3)
    await this.compare(code, offer)
    of(await this.side.crypto.linkConfirm(this.box))
    const letter = await offer
    if (this.ended) throw new LinkError('cancelled')
    this.entering = true // from here on it gets in or fails
    clearTimeout(this.timer)
    const { send, login } = await this.hear(3, letter)
    await this.side.enter?.(login)
    // It is in. The other device only does not hear of it when this does not come through.
    if (send) await this.say(send).catch(() => undefined)
  }

  private async compare(code: string, meanwhile: Promise<unknown>): Promise<void> {
    this.side.show({ step: 'comparing', code, agreed: false, expires: this.expires * 1000 })
    await Promise.race([this.agreed, meanwhile.then(() => this.agreed)])
    if (!this.ended) this.side.show({ step: 'comparing', code, agreed: true, expires: this.expires * 1000 })
  }

  private async hear(step: LinkMessage['step'], data: string): Promise<LinkStep> {
    return of(await this.side.crypto.linkHear(this.box, { step, data }))
  }

  private async say(letter: LinkMessage): Promise<void> {
    if (this.ended) throw new LinkError('cancelled') // nothing is given away after that
    this.said = letter
    await this.patiently(() => this.side.relay.put(this.box, letter.step, letter.data))
  }

  /** Waits for the other device's letter. */
  private next(step: number): Promise<string> {
    const waiting = (async () => {
      for (;;) {
        const began = Date.now()
        const letter = await this.patiently(() => this.side.relay.get(this.box, step, this.over.signal))
        if (letter !== undefined) return letter
        if (this.over.signal.aborted) throw new LinkError('over')
        await rest(began) // the server waits for us, but whatever stands between may not
        if (this.said) await this.say(this.said) // boxes do not outlive the server; where it is still there this changes nothing
      }
    })()
    waiting.catch(() => undefined) // told where it is waited for
    return waiting
  }

  /** Tries again what did not come through, for a while. */
  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let since = Date.now(); ;) {
      const began = Date.now()
      try {
        return await work()
      } catch (error) {
        if (error instanceof LinkError) throw error
        if (this.over.signal.aborted) throw new LinkError('over')
        if (Date.now() - since >= PATIENCE) throw new LinkError('offline')
        await rest(began)
      }
    }
  }
}

/** Lets some time pass between two tries that began so long ago. */
const rest = (began: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, AGAIN - (Date.now() - began))))

const form = /xmpp:([^?#/]+)\?link;v=0;role=(new|old);[\w;=-]+$/

/** The code in what was scanned or pasted, for the side that scanned it. Throws a LinkError for anything else. */
export function uriOf(scanned: string, role: LinkRole): string {
  const found = form.exec(scanned.trim().slice(0, 4096))
  if (!found) throw new LinkError('malformed')
  if (found[2] === role) throw new LinkError('own')
  return found[0]
}

/** The account that a code is for. */
export function accountOf(uri: string): string {
  return decodeURI(form.exec(uri)?.[1] ?? '')
}

const reasons: Partial<Record<RefusalCode, LinkFailure>> = {
  'malformed': 'malformed', 'not-for-us': 'account', 'distrusted': 'contested', 'no-session': 'over', 'decrypt': 'contested', 'storage': 'storage', 'too-large': 'busy',
}

function of<T>(result: Result<T>): T {
  if (!result.ok) throw new LinkError(reasons[result.error.code] ?? 'server')
  return result.value
}

function failure(error: unknown): LinkState {
  if (!(error instanceof LinkError)) console.warn('link', error)
  return error instanceof LinkError ? { step: 'failed', why: error.why, ...(error.at ? { at: error.at } : {}) } : { step: 'failed', why: 'server' }
}
