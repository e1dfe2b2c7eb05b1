import { describe, expect, test } from 'vitest'
import { hex, text, unhex, utf8 } from '../../../src/core/crypto/bytes.ts'
import { agree, curveOf, edKey, edwardsOf, isLowOrder, pairOf, sign, verify } from '../../../src/core/crypto/curve.ts'
import { bundle, type Device } from '../../../src/core/crypto/device.ts'
import { fingerprint, keyToWire, parseTrustParam, trustParam } from '../../../src/core/crypto/identity.ts'
import { seal, unseal } from '../../../src/core/crypto/payload.ts'
import { poolOf } from '../../../src/core/crypto/prekeys.ts'
import { profileOf } from '../../../src/core/crypto/profile.ts'
import { decrypt } from '../../../src/core/crypto/receive.ts'
import { loadOwner } from '../../../src/core/crypto/saved.ts'
import { begin, encrypt, encryptEmpty } from '../../../src/core/crypto/send.ts'
import { MemoryStore } from '../../../src/core/crypto/store.ts'
import type { Encrypted } from '../../../src/core/crypto/types.ts'
import { codeOf, Drawn, newDevice, vectors, type StepVector, type Vectors } from './support.ts'

describe('signatures', () => {
  test.each(vectors.signatures)('$ed_public', (v) => {
    const identity = { curve: unhex(v.curve_public), ed: unhex(v.ed_public) }
    if (v.private && v.random) {
      const random = unhex(v.random)
      expect(hex(pairOf(unhex(v.private)).public)).toBe(v.curve_public)
      expect(hex(edKey(unhex(v.private)).public)).toBe(v.ed_public)
      expect(hex(sign(unhex(v.private), unhex(v.message), () => random))).toBe(v.signature)
    }
    expect(hex(curveOf(identity.ed))).toBe(v.curve_public)
    expect(hex(edwardsOf(identity.curve, identity.ed[31] ?? 0))).toBe(v.ed_public)
    verify(profileOf('2'), identity, unhex(v.message), unhex(v.signature))
    verify(profileOf('0.3'), identity, unhex(v.message), unhex(v['signature_0.3']))
    for (const version of ['0.3', '2'] as const) {
      expect(() => verify(profileOf(version), identity, utf8('another'), unhex(v.signature))).toThrow('verify')
    }
  })
})

test.each(vectors.low_order)('low order %s', (point) => {
  const key = unhex(point)
  for (const top of [0, 0x80]) {
    key[31] = ((key[31] ?? 0) & 0x7f) | top
    expect(isLowOrder(key)).toBe(true)
    expect(() => agree(new Uint8Array(32).fill(7), key)).toThrow('low order')
    expect(() => edwardsOf(key, 0)).toThrow()
  }
})

test.each(vectors.fingerprints)('fingerprint $identity', (v) => {
  expect(fingerprint(v.identity)).toBe(v.fingerprint)
  expect(trustParam(v.device, unhex(v.identity))).toBe(v.trust_param)
  expect(parseTrustParam(v.trust_param)).toEqual({ device: v.device, fingerprint: v.identity })
})

test.each(vectors.payloads)('payload $version $plaintext', async (v) => {
  let left = unhex(v.random)
  const p = profileOf(v.version)
  const sealed = await seal(p, utf8(v.plaintext), (size) => {
    const out = left.slice(0, size)
    left = left.slice(size)
    return out
  })
  expect(left.length).toBe(0)
  expect([hex(sealed.keyPart), hex(sealed.payload ?? left), sealed.iv && hex(sealed.iv)]).toEqual([v.key_part, v.payload, v.iv])
  expect(text(await unseal(p, { keyPart: unhex(v.key_part), payload: unhex(v.payload), ...(v.iv ? { iv: unhex(v.iv) } : {}) }))).toBe(v.plaintext)
})

type Conversation = Vectors['conversations'][number]

/** Plays one conversation and checks every byte of it, of what is drawn too. */
class Play {
  readonly devices = new Map<string, { device: Device; random: Drawn }>()
  readonly sent = new Map<number, Encrypted>()

  constructor(readonly v: Conversation) {}

  async make(): Promise<void> {
    for (const want of this.v.devices) {
      const random = new Drawn(`${this.v.version} ${want.jid}`)
      const store = new MemoryStore()
      const device = await newDevice(want.jid, { random: random.draw, store })
      const owner = loadOwner(store.values.get('device') ?? new Uint8Array(0))
      const p = profileOf(this.v.version)
      const pool = poolOf(owner, p)
      const shown = (k: { id: number; private: Uint8Array; public: Uint8Array }) =>
        ({ id: k.id, private: hex(k.private), public: hex(keyToWire(p, new Uint8Array(k.public))) })
      const own = await bundle(device, this.v.version)
      expect({
        jid: device.jid, device: device.id, identity_private: hex(device.secret.private), identity: hex(own.identity),
        signed_prekey: pool.signed.map(shown)[0], signature: hex(own.signature), prekeys: pool.oneTime.slice(0, 5).map(shown),
      }).toEqual(want)
      random.take()
      this.devices.set(want.jid, { device, random })
    }
  }

  who(jid: string): { device: Device; random: Drawn } {
    const found = this.devices.get(jid)
    if (!found) throw new Error(jid)
    return found
  }

  async take(step: StepVector, n: number): Promise<void> {
    if (step.do === 'begin') await this.begin(step)
    if (step.do === 'encrypt') await this.encrypt(step, n)
    if (step.do === 'decrypt') await this.decrypt(step)
    expect(this.who(step.by).random.take(), `random of step ${n}`).toBe(step.random)
  }

  async begin(step: StepVector): Promise<void> {
    const { device: peer } = this.who(step.peer)
    const b = await bundle(peer, this.v.version)
    b.preKeys = b.preKeys.filter((k) => k.id === step.prekey)
    expect(await begin(this.who(step.by).device, [{ to: { jid: peer.jid, device: peer.id }, bundle: b }])).toEqual([])
  }

  async encrypt(step: StepVector, n: number): Promise<void> {
    const { device } = this.who(step.by)
    const { device: peer } = this.who(step.peer)
    const to = { jid: peer.jid, device: peer.id }
    const m = step.text === undefined
      ? await encryptEmpty(device, this.v.version, to)
      : (await encrypt(device, this.v.version, utf8(step.text), [to])).message
    if (!m) throw new Error('nobody to encrypt for')
    const k = m.keys[0]
    expect({
      sid: m.sid, rid: k?.rid, exchange: k?.exchange, data: k && hex(k.data),
      ...(m.iv ? { iv: hex(m.iv) } : {}), ...(m.payload ? { payload: hex(m.payload) } : {}),
    }, `step ${n}`).toEqual(step.message)
    this.sent.set(n, m)
  }

  async decrypt(step: StepVector): Promise<void> {
    const m = this.sent.get(step.step ?? -1)
    if (!m) throw new Error('decrypts what was not sent')
    const { device } = this.who(step.by)
    if (step.error) {
      expect((await codeOf(() => decrypt(device, step.peer, m)))?.replace('-', ' ')).toBe(step.error)
      return
    }
    const got = await decrypt(device, step.peer, m)
    expect(got.plaintext && text(got.plaintext)).toBe(step.text)
    expect(got.owesReply).toBe(step.owes_reply ?? false)
  }
}

test.each(vectors.conversations)('conversation in $version', async (v) => {
  const play = new Play(v)
  await play.make()
  for (const [n, step] of v.steps.entries()) await play.take(step, n)
})
