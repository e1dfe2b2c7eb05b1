// The test vectors of docs/protocol/group-keys.md, as others would build it.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sha256 } from '@noble/hashes/sha2.js'
import { hex, text, unhex } from '../../../src/core/crypto/bytes.ts'
import { edKey } from '../../../src/core/crypto/curve.ts'
import { advance, derive } from '../../../src/core/crypto/kdf.ts'
import { checkSign, contextOf, openForAll, walk } from '../../../src/core/crypto/sender-chain.ts'

type Vector = Record<'group' | 'sender' | 'epoch' | 'chain_at_0' | 'chain_at_17' | 'chain_at_18' | 'seed' | 'payload' | 'payload_sha256' | 'key' | 'iv' | 'context' | 'key_part' | 'data' | 'public' | 'sign', string> & { sid: number; n: number }

const doc = readFileSync(new URL('../../../../docs/protocol/group-keys.md', import.meta.url), 'utf8')
const v = JSON.parse(/```json\n([^`]+)```/.exec(doc)?.[1] ?? '{}') as Vector

test('the vectors of the specification', async () => {
  const at = walk(unhex(v.chain_at_0), v.n)
  expect(hex(at)).toBe(v.chain_at_17)
  const { seed, next } = advance(at)
  expect([hex(seed), hex(next)]).toEqual([v.seed, v.chain_at_18])
  const [payload, by] = [unhex(v.payload), { room: v.group, jid: v.sender, device: v.sid, epoch: v.epoch }]
  expect(hex(sha256(payload))).toBe(v.payload_sha256)
  expect(hex(derive(seed, sha256(payload), 'Palabre Sender Key', 44))).toBe(v.key + v.iv)
  expect([hex(contextOf(by, v.n)), text(contextOf(by, v.n))]).toEqual([v.context, ['urn:palabre:sender-keys:0', v.group, v.sender, '27183', v.epoch, '17'].join('\n')])
  const all = { epoch: v.epoch, n: v.n, data: unhex(v.data), sign: unhex(v.sign) }
  expect(hex(await openForAll(by, all, seed, payload))).toBe(v.key_part)
  expect(hex(edKey(Uint8Array.from({ length: 32 }, (_, i) => i + 1)).public)).toBe(v.public)
  await checkSign(by, all, payload, unhex(v.public))
  await expect(checkSign({ ...by, jid: 'tybalt@example' }, all, payload, unhex(v.public))).rejects.toThrow('signature')
  // Without the platform's signatures, ours say the same.
  const native = crypto.subtle.importKey.bind(crypto.subtle)
  crypto.subtle.importKey = (() => Promise.reject(new Error('not here'))) as never
  try {
    await checkSign(by, all, payload, unhex(v.public))
    await expect(checkSign({ ...by, device: 1 }, all, payload, unhex(v.public))).rejects.toThrow('signature')
  } finally {
    crypto.subtle.importKey = native
  }
})
