// The TypeScript implementation against the Go one, live: two devices that send, lose, reorder, repeat and begin anew at random.
// Run with `npx vitest run --dir test/interop`; it needs Go.

import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hex, text, utf8 } from '../../src/core/crypto/bytes.ts'
import { systemRandom } from '../../src/core/crypto/curve.ts'
import { bundle, openDevice, ownAddress } from '../../src/core/crypto/device.ts'
import { decrypt } from '../../src/core/crypto/receive.ts'
import { begin, encrypt, encryptEmpty } from '../../src/core/crypto/send.ts'
import { MemoryStore, newTurn } from '../../src/core/crypto/store.ts'

const goJID = 'go@example.org'
const webJID = 'web@example.org'
const numbers = { '0.3': 1, '2': 2 }
let folder
let program

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'omemo-peer-'))
  program = join(folder, 'peer')
  execFileSync('go', ['build', '-o', program, './omemo/testdata/peer'], { cwd: new URL('../../..', import.meta.url) })
}, 300_000)
afterAll(() => rmSync(folder, { recursive: true }))

const base64 = (b) => b && Buffer.from(b).toString('base64')
const bytes = (s) => (s === undefined || s === null ? undefined : new Uint8Array(Buffer.from(s, 'base64')))

/** The Go device. */
class Peer {
  constructor() {
    this.process = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]()
  }

  async ask(request) {
    this.process.stdin.write(JSON.stringify(request) + '\n')
    const { value, done } = await this.lines.next()
    if (done) throw new Error('the peer ended')
    return JSON.parse(value)
  }

  async must(request) {
    const got = await this.ask(request)
    if (got.Error) throw new Error(got.Error)
    return got
  }

  end() {
    this.process.stdin.end()
  }
}

const fromGo = {
  bundle: (b, version) => ({
    version, identity: bytes(b.Identity), signature: bytes(b.Signature), signedPreKey: { id: b.SignedPreKey.ID, key: bytes(b.SignedPreKey.Key) },
    preKeys: b.PreKeys.map((k) => ({ id: k.ID, key: bytes(k.Key) })),
  }),
  message: (m, version) => ({
    version, sid: m.SID, keys: m.Keys.map((k) => ({ jid: k.JID, rid: k.RID, exchange: k.Exchange, data: bytes(k.Data) })),
    ...(m.IV ? { iv: bytes(m.IV) } : {}), ...(m.Payload !== null ? { payload: bytes(m.Payload) } : {}),
  }),
}
const toGo = {
  bundle: (b) => ({
    Version: numbers[b.version], Identity: base64(b.identity), Signature: base64(b.signature),
    SignedPreKey: { ID: b.signedPreKey.id, Key: base64(b.signedPreKey.key) }, PreKeys: b.preKeys.map((k) => ({ ID: k.id, Key: base64(k.key) })),
  }),
  message: (m) => ({
    Version: numbers[m.version], SID: m.sid, Keys: m.keys.map((k) => ({ JID: k.jid ?? '', RID: k.rid, Exchange: k.exchange, Data: base64(k.data) })),
    IV: base64(m.iv) ?? null, Payload: m.payload === undefined ? null : base64(m.payload),
  }),
}

/** A sequence that a seed repeats (mulberry32). */
function dice(seed) {
  return (sides) => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % sides
  }
}

describe.each(['0.3', '2'])('OMEMO %s', (version) => {
  test.each([1, 2, 3])('random conversation %d', async (seed) => {
    const peer = new Peer()
    const { Device: device, Identity } = await peer.must({ Do: 'create', JID: goJID })
    const web = (await openDevice(webJID, [], { store: new MemoryStore(), turn: newTurn(), random: systemRandom })).device
    const go = { jid: goJID, device }
    const here = ownAddress(web)
    const goTo = { JID: webJID, Device: here.device }
    const V = numbers[version]
    const roll = dice(seed)
    const flying = { web: [], go: [] } // what is on its way to each
    let sent = 0
    let opened = 0

    const beginWeb = async () => {
      const { Bundle } = await peer.must({ Do: 'bundle', Version: V })
      expect(await begin(web, [{ to: go, bundle: fromGo.bundle(Bundle, version) }])).toEqual([])
    }
    const beginGo = async () => peer.must({ Do: 'begin', To: goTo, Bundle: toGo.bundle(await bundle(web, version)) })
    const sendWeb = async () => {
      const body = `web ${sent++} ✓`
      const { message } = await encrypt(web, version, utf8(body), [go])
      flying.go.push({ body, message: toGo.message(message) })
    }
    const sendGo = async () => {
      const body = `go ${sent++} ✓`
      const { Message } = await peer.must({ Do: 'encrypt', Version: V, To: goTo, Text: body })
      flying.web.push({ body, message: fromGo.message(Message, version) })
    }
    const deliverGo = async (m) => {
      const got = await peer.must({ Do: 'decrypt', JID: webJID, Message: m.message })
      expect(got.Text).toBe(m.body)
      opened++
      expect((await peer.ask({ Do: 'decrypt', JID: webJID, Message: m.message })).Error).toBeDefined()
      if (got.Owes) {
        const { Message } = await peer.must({ Do: 'empty', Version: V, To: goTo })
        flying.web.push({ message: fromGo.message(Message, version) })
      }
    }
    const deliverWeb = async (m) => {
      const got = await decrypt(web, goJID, m.message)
      expect(got.plaintext && text(got.plaintext)).toBe(m.body)
      expect(got.fingerprint).toBe(hex(bytes(Identity)))
      opened++
      await expect(decrypt(web, goJID, m.message)).rejects.toThrow()
      if (got.owesReply) flying.go.push({ message: toGo.message(await encryptEmpty(web, version, go)) })
    }

    await (seed % 2 ? beginWeb : beginGo)()
    if (seed % 2) await sendWeb()
    else await sendGo()
    if (seed % 2) await deliverGo(flying.go.pop())
    else await deliverWeb(flying.web.pop())
    for (let i = 0; i < 250; i++) {
      const what = roll(20)
      const side = roll(2) ? 'web' : 'go'
      if (what === 0) await (side === 'web' ? beginWeb : beginGo)()
      else if (what < 9) await (side === 'web' ? sendWeb : sendGo)()
      else if (flying[side].length > 0) {
        const [m] = flying[side].splice(what < 14 ? 0 : roll(flying[side].length), 1)
        if (what !== 19) await (side === 'web' ? deliverWeb : deliverGo)(m) // 19: lost
      }
    }
    expect(opened).toBeGreaterThan(60)
    peer.end()
  }, 120_000)
})
