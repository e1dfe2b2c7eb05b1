// The crypto worker, as the engine calls it. If the worker dies or loses its database, the calls under way are refused with `gone`, and the next
// call begins a new one, with the same device or none.

import { scriptURL } from '../trusted.ts'
import type { Crypto } from './api.ts'
import { utf8 } from './bytes.ts'
import { unwrap, wrap } from './envelope.ts'
import { answer } from './failure.ts'
import type { FromWorker, InEnvelope, ToWorker } from './port.ts'
import type { Asked, Bytes, Opened, Own, Result, Sealed } from './types.ts'
import workerURL from './start.ts?worker&url'

/** What the engine gives: how to ask the server, and whom to tell. */
export interface Surroundings extends Asked {
  /** There are new notices: ask for them. */
  onNotices(): void
  /** Something has to be sent: ask what is due. */
  onDue(): void
  /** Another device of ours gave us keys of the history. */
  onKeys?(): void
}

/** The part of a Worker that is used, so that tests can give another. */
export interface Port {
  postMessage(message: ToWorker): void
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null
  onerror: ((event: never) => void) | null
  terminate(): void
}

const names = [
  'init', 'newSession', 'listed', 'encrypt', 'decrypt', 'decryptMany', 'stored', 'unstored', 'beginCatchUp', 'endCatchUp', 'maintain', 'due', 'published', 'reflected', 'want',
  'signLabel', 'devices', 'learn', 'setTrust', 'setLabel', 'notices', 'noticed', 'trustURI', 'parseTrustURI', 'compare', 'safetyNumber',
  'verifyNumber', 'encryptMedia', 'decryptMedia', 'historyState', 'newHistoryKey', 'shareHistory', 'sealChunk', 'openChunk', 'sealIndex',
  'openIndex', 'newRecovery', 'wrapRecovery', 'recover', 'linkShow', 'linkScan', 'linkHear', 'linkConfirm', 'linkArrived', 'linkCancel', 'wipe',
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
  return { ...calls, ...withEnvelopes(client), end: () => client.end() }
}

// The calls whose messages are put into envelopes and taken out of them here.
function withEnvelopes(client: Client): Pick<Crypto, 'encrypt' | 'decrypt' | 'decryptMany' | 'unstored'> {
  const call = <T>(name: keyof Crypto, ...args: unknown[]) => client.call(name, args) as Promise<Result<T>>
  const open = async (opened: InEnvelope): Promise<Result<Opened>> => {
    const out = await answer(() => taken(opened))
    if (!out.ok && out.error.code !== 'fault') await call('stored', [opened.key]) // it will never be readable
    return out
  }
  const openAll = (list: Result<InEnvelope>[]) => Promise.all(list.map((one) => (one.ok ? open(one.value) : one)))
  return {
    async encrypt({ content, room, ...request }) {
      const envelope = await answer(() => utf8(wrap(content, client.account, Date.now() / 1000, random, room)))
      return envelope.ok ? call<Sealed>('encrypt', { ...request, ...(room === undefined ? {} : { room }), envelope: envelope.value }) : envelope
    },
    async decrypt(request) {
      const opened = await call<InEnvelope>('decrypt', request)
      return opened.ok ? open(opened.value) : opened
    },
    async decryptMany(requests) {
      const list = await call<Result<InEnvelope>[]>('decryptMany', requests)
      return list.ok ? { ok: true, value: await openAll(list.value) } : list
    },
    async unstored() {
      const list = await call<InEnvelope[]>('unstored')
      if (!list.ok) return list
      const opened = await openAll(list.value.map((value) => ({ ok: true, value })))
      return { ok: true, value: opened.flatMap((one) => (one.ok ? [one.value] : [])) }
    },
  }
}

const random = (size: number): Bytes => crypto.getRandomValues(new Uint8Array(size))

function taken({ envelope, room, ...opened }: InEnvelope): Opened {
  return envelope === undefined ? opened : { ...opened, ...unwrap(envelope, opened.sender.jid, room) }
}

class Client {
  private port: Port | undefined
  private last = 0
  private readonly waiting = new Map<number, (result: Result<unknown>) => void>()
  private opened: unknown[] | undefined
  private ended = !complete
  /** The account that was opened last. */
  account = ''

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
    this.account = String(args[0])
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
      // Before any were opened it has none to lose: who asked too early must not end the opening that is under way.
      if (this.opened && !message.result.ok && message.result.error.code === 'gone') this.lose('the worker lost its keys')
    } else if ('ask' in message) void this.find(message.ask, message.what, message.args)
    else if (message.happened === 'notices') this.around.onNotices()
    else if (message.happened === 'keys') this.around.onKeys?.()
    else this.around.onDue()
  }

  private async find(ask: number, what: keyof Asked, args: unknown[]): Promise<void> {
    const port = this.port
    try {
      const work = this.around[what] as ((...args: unknown[]) => Promise<unknown>) | undefined
      const value = await work?.apply(this.around, args)
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
