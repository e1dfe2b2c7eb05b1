// The worker: takes calls from the tab one by one as they come, asks the tab for what only the server has, and never throws.

import type { Crypto } from './api.ts'
import type { Device } from './device.ts'
import { answer, refuse } from './failure.ts'
import type { Links } from './link.ts'
import { decryptMedia, encryptMedia, newMediaKey } from './media.ts'
import type { EnvelopeRequest, FromWorker, InEnvelope, ToWorker } from './port.ts'
import { Service } from './service.ts'
import type { Asked, DecryptRequest, Own, Result, Sealed } from './types.ts'
import { Vault, vaultTurn } from './vault.ts'

// What is asked for seldom is a chunk of its own.
const trust = () => import('./trust.ts')
const past = () => import('./past.ts')

/** The calls of Crypto as they are done here: they throw instead of returning a Result, and know no XML. */
type Calls = Omit<{ [K in keyof Crypto]: (...args: Parameters<Crypto[K]>) => ResultOf<Crypto[K]> | Promise<ResultOf<Crypto[K]>> }, keyof Enveloped> & Enveloped
interface Enveloped {
  encrypt(request: EnvelopeRequest): Promise<Sealed>
  decrypt(request: DecryptRequest): Promise<InEnvelope>
  decryptMany(requests: DecryptRequest[]): Promise<Result<InEnvelope>[]>
  unstored(): Promise<InEnvelope[]>
}
type ResultOf<F> = F extends (...args: never[]) => Promise<infer R> ? Extract<R, { ok: true }> extends { value: infer T } ? T : never : never

/** Serves one tab through a port: what the worker's own scope is, and what tests have instead. */
export function serve(post: (message: FromWorker) => void): (message: ToWorker) => void {
  const serving = new Serving(post)
  return (message) => serving.take(message)
}

class Serving {
  private service: Service | undefined
  private vault: Vault | undefined
  private opening: Promise<unknown> = Promise.resolve()
  private linking: { to: Device; links: Links } | undefined
  private asks = 0
  private readonly waiting = new Map<number, { resolve(value: unknown): void; reject(): void }>()
  private readonly asked: Asked = {
    devices: (...args) => this.ask('devices', args),
    bundle: (...args) => this.ask('bundle', args),
    knowing: (...args) => this.ask('knowing', args),
  }

  constructor(private readonly post: (message: FromWorker) => void) {}

  private readonly calls: Calls = {
    init: (...args) => this.init(...args),
    newSession: () => this.open().newSession(),
    listed: (...args) => this.open().listed(...args),
    encrypt: (request) => this.open().encrypt(request),
    decrypt: (request) => this.open().decrypt(request),
    decryptMany: (requests) => this.open().decryptMany(requests),
    stored: (keys) => this.open().stored(keys),
    unstored: () => this.open().unstored(),
    beginCatchUp: () => this.open().beginCatchUp(),
    endCatchUp: () => this.open().endCatchUp(),
    maintain: () => this.open().maintain(),
    due: () => this.open().due(),
    published: (...args) => this.open().published(...args),
    reflected: (...args) => this.open().reflected(...args),
    want: (chain) => this.open().want(chain),
    signLabel: (label) => this.open().signLabel(label),
    devices: async (jid) => (await trust()).devicesOf(this.device(), jid),
    learn: (jid) => this.open().learn(jid),
    setTrust: async (...args) => (await trust()).setTrust(this.device(), ...args),
    setLabel: async (...args) => (await trust()).setLabel(this.device(), ...args),
    notices: () => this.open().notices(),
    noticed: (ids) => this.open().noticed(ids),
    trustURI: async () => (await trust()).trustURI(this.device()),
    parseTrustURI: async (uri) => (await trust()).parseTrustURI(uri),
    compare: async (uri) => (await trust()).compare(this.device(), uri),
    safetyNumber: async (jid) => (await trust()).safetyNumber(this.device(), jid),
    verifyNumber: async (...args) => (await trust()).verifyNumber(this.device(), ...args),
    async encryptMedia(file, again) {
      const key = again ?? newMediaKey()
      return { blob: await encryptMedia(file, key), key }
    },
    decryptMedia: (file, key, mime) => decryptMedia(file, key, mime),
    historyState: async () => (await past()).historyState(this.device()),
    newHistoryKey: async () => (await past()).newHistoryKey(this.device()),
    shareHistory: () => this.open().shareHistory(),
    sealChunk: async (...args) => (await past()).sealChunk(this.device(), ...args),
    openChunk: async (...args) => (await past()).openChunk(this.device(), ...args),
    sealIndex: async (index) => (await past()).sealIndex(this.device(), index),
    openIndex: async (...args) => (await past()).openIndex(this.device(), ...args),
    newRecovery: async () => (await past()).newRecovery(this.device()),
    wrapRecovery: async () => (await past()).wrap(this.device()),
    recover: async (...args) => (await past()).recover(this.device(), ...args),
    linkShow: async (...args) => (await this.links()).show(...args),
    linkScan: async (uri) => (await this.links()).scan(uri),
    linkHear: async (...args) => (await this.links()).hear(...args),
    linkConfirm: async (...args) => (await this.links()).confirm(...args),
    linkArrived: async (id) => (await this.links()).arrived(id),
    linkCancel: async (id) => (await this.links()).cancel(id),
    wipe: () => this.wipe(),
  }

  /** Takes a call or an answer; what comes after `init` waits for it. */
  take(message: ToWorker): void {
    if ('answer' in message) return this.answered(message)
    const { id, call, args } = message
    const work = Object.hasOwn(this.calls, call) ? (this.calls[call] as (...args: unknown[]) => unknown) : undefined
    const done = this.opening.then(() => answer(() => (work ?? refuse('malformed', 'no such call'))(...args)))
    if (call === 'init') this.opening = done
    void done.then((result) => this.post({ id, result }))
  }

  private answered(message: Extract<ToWorker, { answer: number }>): void {
    const one = this.waiting.get(message.answer)
    this.waiting.delete(message.answer)
    if (message.found) one?.resolve(message.value)
    else one?.reject()
  }

  private ask<T>(what: keyof Asked, args: unknown[]): Promise<T> {
    return new Promise((resolve, reject) => {
      const n = ++this.asks
      this.waiting.set(n, { resolve: (value) => resolve(value as T), reject: () => reject(new Error(what)) })
      this.post({ ask: n, what, args })
    })
  }

  private open(): Service {
    return this.service ?? refuse('gone', 'no account is open')
  }

  private device(): Device {
    return this.open().device
  }

  private async links(): Promise<Links> {
    const { Links } = await past()
    const to = this.device()
    if (this.linking?.to !== to) this.linking = { to, links: new Links(to) }
    return this.linking.links
  }

  private async init(account: string, taken: number[], only?: number): Promise<Own> {
    this.service = undefined
    this.vault?.close()
    const turn = vaultTurn(account)
    const store = this.vault = await turn(() => Vault.open(account))
    this.service = await Service.open(account, taken, { store, turn }, this.asked, (happened) => this.post({ happened }), only)
    return this.service.own()
  }

  private async wipe(): Promise<void> {
    const { turn } = this.device()
    const old = this.vault
    this.service = undefined
    this.vault = undefined
    await turn(async () => old?.wipe())
  }
}
