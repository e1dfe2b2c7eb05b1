import { expect, test } from 'vitest'
import { mediaURL, parseMediaURL } from '../../../src/core/crypto/aesgcm.ts'
import { hex, unhex } from '../../../src/core/crypto/bytes.ts'
import { decryptMedia, encryptMedia } from '../../../src/core/crypto/media.ts'
import { codeOf, vectors } from './support.ts'

const v = vectors.media
const key = { key: unhex(v.key), iv: unhex(v.iv) }

async function hexOf(blob: Blob): Promise<string> {
  return hex(new Uint8Array(await blob.arrayBuffer()))
}

test('the shared vector', async () => {
  expect(mediaURL(v.https, key)).toBe(v.url)
  expect(parseMediaURL(v.url)).toEqual({ https: v.https, key })
  expect(parseMediaURL(v.url + '\ndata:image/jpeg,xyz')).toEqual({ https: v.https, key })
  expect(await hexOf(await encryptMedia(new Blob([v.plain]), key))).toBe(v.cipher)
  expect(await hexOf(await encryptMedia(new Blob([v.plain]), key, 16, 0))).toBe(v.cipher)
  expect(await (await decryptMedia(new Blob([unhex(v.cipher)]), key, 'text/plain', 16, 0)).text()).toBe(v.plain)
})

test.each([12, 16])('pieces give what the platform gives, iv of %d bytes', async (size) => {
  const plain = new Blob([crypto.getRandomValues(new Uint8Array(1000))])
  const k = { key: crypto.getRandomValues(new Uint8Array(32)), iv: crypto.getRandomValues(new Uint8Array(size)) }
  const whole = await encryptMedia(plain, k)
  for (const piece of [16, 160, 992, 1008]) {
    expect(await hexOf(await encryptMedia(plain, k, piece, 0))).toBe(await hexOf(whole))
    expect(await hexOf(await decryptMedia(whole, k, '', piece, 0))).toBe(await hexOf(plain))
  }
  for (const at of [0, 500, 1015]) {
    const bad = new Uint8Array(await whole.arrayBuffer())
    bad[at] = (bad[at] ?? 0) ^ 1
    for (const limit of [0, 4096]) expect(await codeOf(() => decryptMedia(new Blob([bad]), k, '', 160, limit))).toBe('decrypt')
  }
  expect(await codeOf(() => decryptMedia(whole.slice(0, 15), k, ''))).toBe('malformed')
})

test('what is no address of a file', () => {
  expect(mediaURL('http://example.org/1', key)).toBeUndefined()
  expect(mediaURL('https://example.org/1#x', key)).toBeUndefined()
  const digits = '0'.repeat(88)
  for (const bad of [
    '', 'hello', v.https, v.url.slice(0, -1), v.url + '00', `aesgcm:///x#${digits}`, `aesgcm://a b/#${digits}`, `aesgcm://a/#${digits}\nhello`,
    `aesgcm://a/#${digits}\ndata:image/jpeg,x\nmore`, `javascript:alert(1)#${digits}`, ` ${v.url}`,
  ]) expect(parseMediaURL(bad), bad).toBeUndefined()
})
