// How long encryption takes, in whichever program runs this: Node, or a worker of a browser.

import { newKeyPair, sign, systemRandom } from '../../src/core/crypto/curve.ts'
import { edKey } from '../../src/core/crypto/curve.ts'
import { openDevice, type Device } from '../../src/core/crypto/device.ts'
import { decryptMedia, encryptMedia, newMediaKey } from '../../src/core/crypto/media.ts'
import { decrypt, decryptAll } from '../../src/core/crypto/receive.ts'
import { begin, encrypt } from '../../src/core/crypto/send.ts'
import { MemoryStore, newTurn } from '../../src/core/crypto/store.ts'
import type { Address, Asked, Bundle, Encrypted } from '../../src/core/crypto/types.ts'
import { Service } from '../../src/core/crypto/service.ts'
import { Vault } from '../../src/core/crypto/vault.ts'
import { encryptedElement } from '../../src/core/xmpp/omemo.ts'
import { bundle, ownAddress } from '../../src/core/crypto/device.ts'

/** Milliseconds by name; the least of several runs, unless said otherwise. */
export type Figures = Record<string, number>

/** Measures everything once: with what is kept encrypted in IndexedDB, or in memory only. */
export async function measure(kept: boolean): Promise<Figures> {
  const out: Figures = {}
  const name = `bench-${Math.random()}@example.org`
  const began = performance.now()
  const vault = kept ? await Vault.open(name) : undefined
  const store = vault ?? new MemoryStore()
  const { device } = await openDevice(name, [], { store, turn: newTurn() })
  out['make a device (200 prekeys)'] = performance.now() - began
  for (const count of [1, 10, 200]) await measureCount(out, device, count)
  await measureReceiving(out, device)
  await measureMedia(out)
  await vault?.wipe()
  await measureGroup(out, kept)
  return rounded(out)
}

async function measureCount(out: Figures, device: Device, count: number): Promise<void> {
  const peers = Array.from({ length: count }, (_, i) => peer(i, count))
  out[`begin with ${count}`] = await once(() => begin(device, peers.map(({ address, bundle }) => ({ to: address, bundle }))))
  const to = peers.map((p) => p.address)
  const body = new TextEncoder().encode('a message of ordinary length, as people write them')
  out[`encrypt for ${count}`] = await least(count > 100 ? 3 : 10, () => encrypt(device, '2', body, to))
}

/** One message to a group of 1,024 with two devices each: all that the worker does, and how large it becomes. What the server is asked is answered at once. */
export async function measureGroup(out: Figures, kept: boolean): Promise<void> {
  const account = `bench-${Math.random()}@example.org`
  const vault = kept ? await Vault.open(account) : undefined
  const pool = Array.from({ length: 16 }, (_, i) => peer(i, 0).bundle)
  const asked: Asked = {
    devices: (jid, version) => Promise.resolve(version === '2' ? [Number(jid.split('@')[0]) * 2 + 1, Number(jid.split('@')[0]) * 2 + 2] : []),
    bundle: (_, device) => Promise.resolve(pool[device % pool.length] ?? peer(0, 0).bundle),
  }
  const service = await Service.open(account, [], { store: vault ?? new MemoryStore(), turn: newTurn() }, asked, () => undefined)
  const request = { to: Array.from({ length: 1023 }, (_, i) => `${i}@example.org`), body: 'x', envelope: new TextEncoder().encode('e'.repeat(600)) }
  const bytes = async () => String(encryptedElement((await service.encrypt(request)).messages[0] ?? { version: '2', sid: 1, keys: [] })).length
  out['group of 1,024, first message'] = await once(async () => { out['its size in KB'] = await bytes() / 1000 })
  out['group of 1,024, next message'] = await least(3, () => service.encrypt(request))
  await vault?.wipe()
}

async function measureReceiving(out: Figures, device: Device): Promise<void> {
  const other = (await openDevice('other@example.org', [], { store: new MemoryStore(), turn: newTurn() })).device
  await begin(other, [{ to: ownAddress(device), bundle: await bundle(device, '2') }])
  const messages: Encrypted[] = []
  for (let i = 0; i < 130; i++) {
    const { message } = await encrypt(other, '2', new TextEncoder().encode(`message ${i}`), [ownAddress(device)])
    if (message) messages.push(message)
  }
  let at = 0
  const next = () => messages[at++] ?? { version: '2' as const, sid: 1, keys: [] }
  await decrypt(device, other.jid, next(), 'first')
  out['decrypt one'] = await least(20, () => decrypt(device, other.jid, next(), `k${at}`))
  const batch = messages.slice(at, at + 100).map((message, i) => ({ from: other.jid, message, key: `b${i}` }))
  out['decrypt 100 at once'] = await once(() => decryptAll(device, batch))
}

async function measureMedia(out: Figures): Promise<void> {
  const key = newMediaKey()
  for (const [megabytes, how] of [[16, 'whole'], [32, 'in pieces']] as const) {
    const file = new Blob([new Uint8Array(megabytes << 20)])
    let sealed = file
    out[`encrypt ${megabytes} MiB ${how}`] = await once(async () => { sealed = await encryptMedia(file, key) })
    out[`decrypt ${megabytes} MiB ${how}`] = await once(() => decryptMedia(sealed, key, ''))
  }
}

// Another device, with one prekey: a hundred would take longer to make than what is measured.
function peer(i: number, of: number): { address: Address; bundle: Bundle } {
  const identity = newKeyPair(systemRandom)
  const signed = newKeyPair(systemRandom).public
  const key = newKeyPair(systemRandom).public
  return {
    address: { jid: `peer${Math.floor(i / 2)}-of-${of}@example.org`, device: i + 1 },
    bundle: {
      version: '2', identity: edKey(identity.private).public, signedPreKey: { id: 1, key: signed },
      signature: sign(identity.private, signed, systemRandom), preKeys: [{ id: 1, key }],
    },
  }
}

async function once(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

async function least(times: number, work: () => Promise<unknown>): Promise<number> {
  let best = Infinity
  for (let i = 0; i < times; i++) best = Math.min(best, await once(work))
  return best
}

function rounded(figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, ms]) => [name, Math.round(ms * 100) / 100]))
}
