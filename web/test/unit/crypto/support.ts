// What the tests of core/crypto share.

import { sha256 } from '@noble/hashes/sha2.js'
import { expect, vi } from 'vitest'
import sharedVectors from '../../../../omemo/testdata/vectors.json'
import { join, utf8, text, hex } from '../../../src/core/crypto/bytes.ts'
import { systemRandom, type Random } from '../../../src/core/crypto/curve.ts'
import { bundle, openDevice, ownAddress, type Device } from '../../../src/core/crypto/device.ts'
import { refusalOf } from '../../../src/core/crypto/failure.ts'
import { decrypt, type Decrypted } from '../../../src/core/crypto/receive.ts'
import { begin, encrypt } from '../../../src/core/crypto/send.ts'
import { MemoryStore, newTurn, type Store } from '../../../src/core/crypto/store.ts'
import type { Address, Bytes, Encrypted, RefusalCode, Version } from '../../../src/core/crypto/types.ts'

// Making a device draws 200 keys, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

export const versions: Version[] = ['0.3', '2']

/** Seconds at which test devices are made: 2026-11-01 12:00 UTC, as in the Go tests. */
export const start = Date.UTC(2026, 10, 1, 12) / 1000

/** Randomness that anyone can repeat, and that remembers what was taken: SHA-256 of a name and a counter, joined. */
export class Drawn {
  private block = 0
  private left: Uint8Array = new Uint8Array(0)
  private taken = ''

  constructor(private readonly name: string) {}

  readonly draw: Random = (size) => {
    while (this.left.length < size) {
      const counter = new Uint8Array(4)
      new DataView(counter.buffer).setUint32(0, this.block++)
      this.left = join(this.left, sha256(join(utf8(this.name), counter)))
    }
    const out = this.left.slice(0, size) as Bytes
    this.left = this.left.slice(size)
    this.taken += hex(out)
    return out
  }

  /** What was drawn since it was last called, in hex. */
  take(): string {
    const out = this.taken
    this.taken = ''
    return out
  }
}

/** A clock that tests move. */
export interface Clock { now: number }

export async function newDevice(jid: string, options: { random?: Random; store?: Store; clock?: Clock } = {}): Promise<Device> {
  const clock = options.clock ?? { now: start }
  const around = { store: options.store ?? new MemoryStore(), turn: newTurn(), random: options.random ?? systemRandom, now: () => clock.now }
  return (await openDevice(jid, [], around)).device
}

/** Begins a session from a published bundle. */
export async function meet(from: Device, to: Device, version: Version): Promise<void> {
  expect(await begin(from, [{ to: ownAddress(to), bundle: await bundle(to, version) }])).toEqual([])
}

/** Encrypts for devices that must all be reached. */
export async function send(from: Device, version: Version, body: string, ...to: Address[]): Promise<Encrypted> {
  const { message, skipped } = await encrypt(from, version, utf8(body), to)
  expect(skipped).toEqual([])
  if (!message) throw new Error('no message')
  return message
}

/** Decrypts what must give a text. */
export async function receive(to: Device, from: Device, m: Encrypted, want: string, key?: string): Promise<Decrypted> {
  const got = await decrypt(to, from.jid, m, key)
  expect(text(got.plaintext ?? new Uint8Array(0))).toBe(want)
  return got
}

/** The code with which something is refused; undefined if it is done. */
export async function codeOf(work: () => unknown): Promise<RefusalCode | undefined> {
  try {
    await work()
    return undefined
  } catch (thrown) {
    return refusalOf(thrown).code
  }
}

/** A structured clone, as what travels through a worker is. */
export function cloned<T>(value: T): T {
  return structuredClone(value)
}

// The file that both implementations share; omemo/testdata/README.md says what everything means.
interface PreKeyVector { id: number; private: string; public: string }
export interface StepVector {
  do: 'begin' | 'encrypt' | 'decrypt'
  by: string
  peer: string
  prekey?: number
  step?: number
  text?: string
  random: string
  message?: { sid: number; rid: number; exchange: boolean; data: string; iv?: string; payload?: string }
  owes_reply?: boolean
  error?: string
}
export interface Vectors {
  signatures: { private?: string; curve_public: string; ed_public: string; message: string; random?: string; signature: string; 'signature_0.3': string }[]
  low_order: string[]
  fingerprints: { identity: string; fingerprint: string; device: number; trust_param: string }[]
  payloads: { version: Version; plaintext: string; random: string; key_part: string; iv?: string; payload: string }[]
  media: { key: string; iv: string; https: string; url: string; plain: string; cipher: string }
  conversations: {
    version: Version
    devices: { jid: string; device: number; identity_private: string; identity: string; signed_prekey: PreKeyVector; signature: string; prekeys: PreKeyVector[] }[]
    steps: StepVector[]
  }[]
}
export const vectors = sharedVectors as unknown as Vectors
