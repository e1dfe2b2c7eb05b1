// The page in which the real worker is tested: an engine reduced to what it asks of the crypto client. The server is the test's.

import { base64url, unbase64url } from '../../src/core/crypto/bytes.ts'
import { openCrypto } from '../../src/core/crypto/client.ts'
import type { Bundle, Result } from '../../src/core/crypto/types.ts'
import { vaultName } from '../../src/core/crypto/vault.ts'

type Json = string
declare global {
  interface Window {
    server(what: string, ...args: (string | number)[]): Promise<Json>
    page: typeof page
  }
}

// Bytes become {"$":"base64url"} on their way to the test and back.
const pack = (value: unknown): Json => JSON.stringify(value, (_, v: unknown) => (v instanceof Uint8Array ? { $: base64url(v) } : v))
const unpack = <T>(json: Json): T => JSON.parse(json, (_, v: unknown) => {
  const { $ } = (v ?? {}) as { $?: unknown }
  return typeof $ === 'string' ? unbase64url($) : v
}) as T

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.detail}`)
  return result.value
}

const open = new Map<string, ReturnType<typeof openCrypto>>()
const versions = ['0.3', '2'] as const

const page = {
  async start(jid: string): Promise<number> {
    const crypto = openCrypto({
      devices: async (jid, version) => unpack<number[]>(await window.server('list', version, jid)),
      bundle: async (jid, device, version) => unpack<Bundle | null>(await window.server('bundle', version, device, jid)),
      onNotices: () => undefined,
      onDue: () => undefined,
    })
    open.set(jid, crypto)
    const own = must(await crypto.init(jid, []))
    for (const version of versions) {
      const list = must(await crypto.listed(jid, version, unpack<number[]>(await window.server('list', version, jid))))
      for (const p of must(await crypto.due()).publications) {
        await window.server('publish', p.version, p.device, jid, pack(p.bundle))
        must(await crypto.published(p.version, p.mark))
      }
      if (list) await window.server('publishList', version, jid, pack(list))
    }
    return own.device
  },
  async encrypt(jid: string, to: string, body: string): Promise<Json> {
    const sealed = must(await (open.get(jid) as NonNullable<ReturnType<typeof openCrypto>>).encrypt({ to: [to], body, content: `<body xmlns='jabber:client'>${body}</body>` }))
    return pack(sealed.messages[0])
  },
  async decrypt(jid: string, from: string, key: string, message: Json): Promise<string> {
    const opened = await open.get(jid)?.decrypt({ key, from, message: unpack(message) })
    if (!opened) return 'not open'
    return opened.ok ? opened.value.body ?? '' : opened.error.code
  },
  async unstored(jid: string): Promise<(string | undefined)[]> {
    return must(await (open.get(jid) as NonNullable<ReturnType<typeof openCrypto>>).unstored()).map((o) => o.body)
  },
  /** What of the database can be read without the worker. */
  async stolen(jid: string): Promise<{ exported: string; found: boolean }> {
    const db = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open(vaultName(jid))
      request.onsuccess = () => resolve(request.result)
    })
    const all = (store: string) => new Promise<unknown[]>((resolve) => {
      const request = db.transaction(store).objectStore(store).getAll()
      request.onsuccess = () => resolve(request.result as unknown[])
    })
    const [key] = (await all('keys')) as CryptoKey[]
    const exported = key ? await crypto.subtle.exportKey('raw', key).then(() => 'yes', (e: Error) => e.name) : 'no key'
    const values = (await all('values')) as { data: ArrayBuffer }[]
    const found = values.some(({ data }) => new TextDecoder('latin1').decode(data).includes('secret'))
    db.close()
    return { exported, found }
  },
}
window.page = page
