// The crypto worker, as the engine calls it. If the worker dies or loses its database, the calls under way are refused with `gone`, and the next
// call begins a new one, with the same device or none.

import { scriptURL } from '../trusted.ts'
import type { Crypto } from './api.ts'
import type { FromWorker, ToWorker } from './port.ts'
import type { Asked, Bundle, Own, Result, Version } from './types.ts'
import workerURL from './start.ts?worker&url'

/** What the engine gives: how to ask the server, and whom to tell. */
export interface Surroundings extends Asked {
  /** There are new notices: ask for them. */
  onNotices(): void
  /** Something has to be sent: ask what is due. */
  onDue(): void
}

/** The part of a Worker that is used, so that tests can give another. */
export interface Port {
  postMessage(message: ToWorker): void
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null
  onerror: ((event: never) => void) | null
  terminate(): void
}

const names = [
  'init', 'newSession', 'listed', 'encrypt', 'decrypt', 'decryptMany', 'stored', 'unstored', 'beginCatchUp', 'endCatchUp', 'maintain', 'due', 'published',
  'signLabel', 'devices', 'learn', 'setTrust', 'setLabel', 'notices', 'noticed', 'trustURI', 'parseTrustURI', 'compare', 'safetyNumber',
  'verifyNumber', 'encryptMedia', 'decryptMedia', 'historyState', 'newHistoryKey', 'shareHistory', 'sealChunk', 'openChunk', 'sealIndex',
  'openIndex', 'newRecovery', 'wrapRecovery', 'recover', 'linkShow', 'linkScan', 'linkHear', 'linkConfirm', 'linkCancel', 'wipe',
] as const satisfies readonly (keyof Crypto)[]

// Fails to compile when a call is missing from the list.
type Missing = Exclude<keyof Crypto, (typeof names)[number]>
const complete: Missing extends never ? true : never = true

function startWorker(): Port {
  return new Worker(scriptURL(workerURL), { type: 'module', name: 'crypto' })
}

/** Begins the worker; it does nothing until `init`. `end` stops it. */
export function openCrypto(around: Surroundings, start: () => Port = startWorker): Crypto & { end(): void } {
  const client = new Client(around, start)
  const calls = Object.fromEntries(names.map((name) => [name, (...args: unknown[]) => client.call(name, args)])) as unknown as Crypto
  return { ...calls, end: () => client.end() }
}

class Client {
  private port: Port | undefined
  private last = 0
  private readonly waiting = new Map<number, (result: Result<unknown>) => void>()
  private opened: unknown[] | undefined
  private ended = !complete

  constructor(private readonly around: Surroundings, private readonly start: () => Port) {}

  async call(name: keyof Crypto, args: unknown[]): Promise<Result<unknown>> {
    if (this.ended) return gone('the worker was ended')
    if (name === 'init') return this.init(args)
    if (name === 'wipe') this.opened = undefined
    if (!this.port) {
      if (!this.begin()) return gone('the worker cannot begin')
      if (this.opened) void this.send('init', this.opened)
    }
    return this.send(name, args)
  }

  private async init(args: unknown[]): Promise<Result<unknown>> {
    this.opened = undefined
    if (!this.port && !this.begin()) return gone('the worker cannot begin')
    const result = await this.send('init', args)
    if (result.ok) this.opened = [args[0], args[1], (result.value as Own).device]
    return result
  }

  end(): void {
    this.ended = true
    this.lose('the worker was ended')
  }

  private begin(): boolean {
    try {
      const port = this.start()
      port.onmessage = ({ data }) => this.hear(data)
      port.onerror = () => this.lose('the worker died')
      this.port = port
      return true
    } catch {
      return false
    }
  }

  private send(call: keyof Crypto, args: unknown[]): Promise<Result<unknown>> {
    return new Promise((resolve) => {
      const id = ++this.last
      this.waiting.set(id, resolve)
      try {
        this.port?.postMessage({ id, call, args })
      } catch {
        this.waiting.delete(id)
        resolve({ ok: false, error: { code: 'malformed', detail: `${call}: cannot be sent` } })
      }
    })
  }

  private hear(message: FromWorker): void {
    if ('id' in message) {
      this.waiting.get(message.id)?.(message.result)
      this.waiting.delete(message.id)
      if (!message.result.ok && message.result.error.code === 'gone') this.lose('the worker lost its keys')
    } else if ('ask' in message) void this.find(message.ask, message.what, message.args)
    else if (message.happened === 'notices') this.around.onNotices()
    else this.around.onDue()
  }

  private async find(ask: number, what: 'devices' | 'bundle', args: unknown[]): Promise<void> {
    const port = this.port
    try {
      const value: number[] | Bundle | null = what === 'devices'
        ? await this.around.devices(...(args as [string, Version])) : await this.around.bundle(...(args as [string, number, Version]))
      port?.postMessage({ answer: ask, found: true, value })
    } catch {
      port?.postMessage({ answer: ask, found: false })
    }
  }

  private lose(why: string): void {
    this.port?.terminate()
    this.port = undefined
    const waiting = [...this.waiting.values()]
    this.waiting.clear()
    for (const resolve of waiting) resolve(gone(why))
  }
}

function gone(detail: string): Result<never> {
  return { ok: false, error: { code: 'gone', detail } }
}
