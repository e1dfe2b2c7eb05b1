// The name of a chat towards this browser is what the server makes (docs/protocol/web-push.md; feature/push has the same).
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { expect, it, vi } from 'vitest'

it('names a chat as the server does', async () => {
  vi.stubGlobal('registration', {})
  const { hiddenName } = await import('../../../src/sw/push.ts')
  const auth = new Uint8Array(16).map((_, i) => i * 11)
  const mac = hmac(sha256, auth, new TextEncoder().encode('palabre chat\0nadia@palabre.example')).subarray(0, 12)
  const wanted = btoa(String.fromCharCode(...mac)).replaceAll('+', '-').replaceAll('/', '_')
  expect(await hiddenName(auth, 'nadia@palabre.example')).toBe(wanted)
  expect(wanted).toHaveLength(16)
})
