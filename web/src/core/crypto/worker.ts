// The worker: takes calls from the tab one by one as they come, asks the tab for what only the server has, and never throws.

import type { Crypto } from './api.ts'
import type { Device } from './device.ts'
import { answer, refuse } from './failure.ts'
import type { Links } from './link.ts'
import { decryptMedia, encryptMedia, newMediaKey } from './media.ts'
import type { FromWorker, ToWorker } from './port.ts'
import { Service } from './service.ts'
import type { Asked } from './types.ts'
import { Vault, vaultTurn } from './vault.ts'

// What is asked for seldom is a chunk of its own.
const trust = () => import('./trust.ts')
const past = () => import('./past.ts')

/** The calls of Crypto as they are done here: they throw instead of returning a Result. */
type Calls = { [K in keyof Crypto]: (...args: Parameters<Crypto[K]>) => ResultOf<Crypto[K]> | Promise<ResultOf<Crypto[K]>> }
type ResultOf<F> = F extends (...args: never[]) => Promise<infer R> ? Extract<R, { ok: true }> extends { value: infer T } ? T : never : never

/** Serves one tab through a port: what the worker's own scope is, and what tests make of a MessageChannel. */
export function serve(post: (message: FromWorker) => void): (message: ToWorker) => void {
  let service: Service | undefined
  let vault: Vault | undefined
  let opening: Promise<unknown> = Promise.resolve()
  let asks = 0
  const waiting = new Map<number, { resolve(value: unknown): void; reject(): void }>()

  const ask = <T>(what: 'devices' | 'bundle', args: unknown[]): Promise<T> => new Promise((resolve, reject) => {
    const n = ++asks
    waiting.set(n, { resolve: (value) => resolve(value as T), reject: () => reject(new Error(what)) })
    post({ ask: n, what, args })
  })
  const asked: Asked = {
    devices: (...args) => ask('devices', args),
    bundle: (...args) => ask('bundle', args),
  }
  const open = (): Service => service ?? refuse('gone', 'no account is open')
  const device = () => open().device
  let linking: { to: Device; links: Links } | undefined
  const links = async (): Promise<Links> => {
    const { Links } = await past()
    if (linking?.to !== device()) linking = { to: device(), links: new Links(device()) }
    return linking.links
  }

  const calls: Calls = {
    async init(account, taken) {
      service = undefined
      vault?.close()
      const turn = vaultTurn(account)
      vault = await turn(() => Vault.open(account))
      service = await Service.open(account, taken, { store: vault, turn }, asked, (happened) => post({ happened }))
      return service.own()
    },
    newSession: () => open().newSession(),
    listed: (...args) => open().listed(...args),
    encrypt: (request) => open().encrypt(request),
    decrypt: (request) => open().decrypt(request),
    stored: (keys) => open().stored(keys),
    unstored: () => open().unstored(),
    beginCatchUp: () => open().beginCatchUp(),
    endCatchUp: () => open().endCatchUp(),
    maintain: () => open().maintain(),
    due: () => open().due(),
    published: (...args) => open().published(...args),
    signLabel: (label) => open().signLabel(label),
    devices: async (jid) => (await trust()).devicesOf(device(), jid),
    learn: (jid) => open().learn(jid),
    setTrust: async (...args) => (await trust()).setTrust(device(), ...args),
    setLabel: async (...args) => (await trust()).setLabel(device(), ...args),
    notices: () => open().notices(),
    noticed: (ids) => open().noticed(ids),
    trustURI: async () => (await trust()).trustURI(device()),
    parseTrustURI: async (uri) => (await trust()).parseTrustURI(uri),
    compare: async (uri) => (await trust()).compare(device(), uri),
    safetyNumber: async (jid) => (await trust()).safetyNumber(device(), jid),
    verifyNumber: async (...args) => (await trust()).verifyNumber(device(), ...args),
    async encryptMedia(file) {
      const key = newMediaKey()
      return { blob: await encryptMedia(file, key), key }
    },
    decryptMedia: (file, key, mime) => decryptMedia(file, key, mime),
    historyState: async () => (await past()).historyState(device()),
    newHistoryKey: async () => (await past()).newHistoryKey(device()),
    shareHistory: () => open().shareHistory(),
    sealChunk: async (...args) => (await past()).sealChunk(device(), ...args),
    openChunk: async (...args) => (await past()).openChunk(device(), ...args),
    sealIndex: async (index) => (await past()).sealIndex(device(), index),
    openIndex: async (...args) => (await past()).openIndex(device(), ...args),
    newRecovery: async () => (await past()).newRecovery(device()),
    wrapRecovery: async () => (await past()).wrap(device()),
    recover: async (...args) => (await past()).recover(device(), ...args),
    linkShow: async (...args) => (await links()).show(...args),
    linkScan: async (uri) => (await links()).scan(uri),
    linkHear: async (...args) => (await links()).hear(...args),
    linkConfirm: async (id) => (await links()).confirm(id),
    linkCancel: async (id) => (await links()).cancel(id),
    async wipe() {
      const { turn } = device()
      const old = vault
      service = undefined
      vault = undefined
      await turn(async () => old?.wipe())
    },
  }

  return (message) => {
    if ('answer' in message) {
      const one = waiting.get(message.answer)
      waiting.delete(message.answer)
      if (message.found) one?.resolve(message.value)
      else one?.reject()
      return
    }
    const call = Object.hasOwn(calls, message.call) ? (calls[message.call] as (...args: unknown[]) => unknown) : undefined
    const run = () => answer(() => (call ?? refuse('malformed', 'no such call'))(...message.args))
    const done = opening.then(run)
    if (message.call === 'init') opening = done // whatever comes after waits for it
    void done.then((result) => post({ id: message.id, result }))
  }
}
