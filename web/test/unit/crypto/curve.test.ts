import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { expect, test } from 'vitest'
import { hex, unhex, utf8 } from '../../../src/core/crypto/bytes.ts'
import { agree, curveOf, edKey, edwardsOf, isReduced, newKeyPair, sign, systemRandom, verify } from '../../../src/core/crypto/curve.ts'
import { profileOf } from '../../../src/core/crypto/profile.ts'
import { agreement, invert, P } from '../../../src/core/crypto/x25519.ts'

test('RFC 7748 §5.2', () => {
  const [k, u] = ['a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4', 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c']
  expect(hex(agreement(unhex(k), unhex(u)))).toBe('c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552')
  const [k2, u2] = ['4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d', 'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493']
  expect(hex(agreement(unhex(k2), unhex(u2)))).toBe('95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957')
})

test('as another implementation has it', () => {
  for (let i = 0; i < 40; i++) {
    const a = newKeyPair(systemRandom)
    const b = newKeyPair(systemRandom)
    expect(hex(a.public)).toBe(hex(x25519.getPublicKey(a.private)))
    expect(hex(agree(a.private, b.public))).toBe(hex(x25519.getSharedSecret(b.private, a.public)))
    const ed = edKey(a.private).public
    expect(hex(curveOf(ed))).toBe(hex(a.public))
    expect(hex(edwardsOf(a.public, 0))).toBe(hex(ed))
    expect(hex(ed25519.utils.toMontgomery(ed))).toBe(hex(a.public))
    const message = systemRandom(i)
    const signature = sign(a.private, message, systemRandom)
    expect(ed25519.verify(signature, message, ed)).toBe(true)
    const theirs = ed25519.keygen()
    const identity = { curve: curveOf(theirs.publicKey), ed: theirs.publicKey }
    verify(profileOf('2'), identity, message, ed25519.sign(message, theirs.secretKey))
  }
})

test('signatures with S beyond the order are refused', () => {
  const pair = newKeyPair(systemRandom)
  const { public: ed } = edKey(pair.private)
  const signature = sign(pair.private, utf8('x'), systemRandom)
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  let s = BigInt('0x' + hex(signature.slice(32).reverse())) + order
  for (let i = 32; i < 64; i++, s >>= 8n) signature[i] = Number(s & 255n)
  expect(() => verify(profileOf('2'), { curve: pair.public, ed }, utf8('x'), signature)).toThrow('does not verify')
})

test('keys that are not reduced, or not on the curve', () => {
  const unreduced = unhex('f0' + 'ff'.repeat(30) + '7f')
  expect([isReduced(unreduced), isReduced(unhex('ec' + 'ff'.repeat(30) + '7f')), isReduced(unhex('00'.repeat(31) + '80'))]).toEqual([false, true, false])
  expect(() => edwardsOf(unreduced, 0)).toThrow()
  expect(() => edwardsOf(unhex('02' + '00'.repeat(31)), 0)).toThrow('curve') // on the twist
  expect(() => curveOf(unhex('02' + '00'.repeat(31)))).toThrow()
  expect(() => curveOf(unhex('ee' + 'ff'.repeat(30) + '7f'))).toThrow() // y = 1, not reduced
  expect(invert(0n)).toBe(0n)
  expect((invert(5n) * 5n) % P).toBe(1n)
})
