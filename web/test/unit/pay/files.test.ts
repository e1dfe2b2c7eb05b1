// Files of disputes: what lies on the server says nothing to who has no key, and what is opened is what was shown, or nothing.
import { afterEach, expect, test, vi } from 'vitest'
import { Files } from '../../../src/core/engine/pay-files.ts'
import { HttpRefused, type Http } from '../../../src/core/media/http.ts'
import { pictureType } from '../../../src/core/evidence.ts'
import { payTrouble, visible } from '../../../src/core/pay.ts'
import { readDispute } from '../../../src/core/xmpp/pay.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { NS } from './service.ts'

afterEach(() => { vi.unstubAllGlobals() })

const words = 'The boat was empty.'
const running = (): AbortSignal => new AbortController().signal
const nothing = () => undefined

/** A server with one place after the other. */
function stage() {
  const kept = new Map<string, Blob>()
  const placed: { name: string; size: number }[] = []
  const asked: string[] = []
  const http: Http = {
    put: async (url, _, body, progress) => { progress(body.size); kept.set(url, body) },
    get: async (url) => { asked.push(url); const found = kept.get(url); if (!found) throw new HttpRefused(404); return found },
  }
  const files = new Files((async (what: string, file: { name: string; size: number }) => {
    expect(what).toBe('place')
    placed.push(file)
    const url = `https://files.example/${placed.length}`
    return { put: url, get: url, headers: {} }
  }) as never, async () => http, () => 'files.example')
  return { files, kept, placed, asked }
}

test('a file is encrypted where it lies, and both sides open it with its address', async () => {
  const { files, kept, placed } = stage()
  const file = new File([words], 'quay at noon.txt')
  const shown = await files.put(file, nothing, running())
  expect(shown).toMatchObject({ name: 'quay at noon.txt', size: words.length })
  expect(shown.address).toMatch(/^aesgcm:\/\/files\.example\/1#[\da-f]{88}$/)
  expect(placed[0]?.name).toMatch(/^[\da-f-]{36}\.txt$/) // the server learns no name
  expect(await kept.get('https://files.example/1')?.text()).not.toContain('boat')
  expect(await (await files.get(shown, nothing, running())).text()).toBe(words)
  expect(await files.put(file, nothing, running())).toEqual(shown) // its words were refused, and it is shown again
  expect(placed.length).toBe(1)
})

/** A browser that opens photos, and draws them anew as WebP. */
function drawsPhotos() {
  vi.stubGlobal('createImageBitmap', async (file: Blob) => {
    if (!pictureType(new Uint8Array(await file.slice(0, 12).arrayBuffer()))) throw new DOMException('no picture', 'InvalidStateError')
    return { width: 4000, height: 3000, close: nothing }
  })
  vi.stubGlobal('OffscreenCanvas', class {
    constructor(readonly width: number, readonly height: number) {}
    getContext() { return { drawImage: nothing, getImageData: (_x: number, _y: number, width: number, height: number) => ({ data: new Uint8ClampedArray(width * height * 4) }) } }
    convertToBlob({ type }: { type: string }) { return Promise.resolve(new Blob([`RIFF    WEBP ${this.width}x${this.height}`], { type })) }
  })
}

test('a photo leaves without what the camera wrote into it, as in messages; what is no photo leaves as it is', async () => {
  drawsPhotos()
  const { files, placed } = stage()
  for (const type of ['image/jpeg', '']) {
    const photo = new File([Uint8Array.of(0xff, 0xd8, 0xff, 0xe1), 'Exif GPSLatitude=31.512'], 'the scales.jpeg', { type })
    const shown = await files.put(photo, nothing, running())
    const opened = await (await files.get(shown, nothing, running())).text()
    expect(opened).toBe('RIFF    WEBP 2560x1920') // the hash and the size are of this
    expect(shown).toMatchObject({ name: 'the scales.webp', size: opened.length })
    expect(placed.at(-1)?.name).toMatch(/\.webp$/)
    expect(await files.put(photo, nothing, running())).toEqual(shown)
  }
  const ticket = await files.put(new File([words], 'ticket.pdf', { type: 'application/pdf' }), nothing, running())
  expect(await (await files.get(ticket, nothing, running())).text()).toBe(words)
  expect(ticket.name).toBe('ticket.pdf')
})

test('a file that is another one than was shown is not opened', async () => {
  const { files, kept } = stage()
  const one = await files.put(new File([words], 'a.txt'), nothing, running())
  const other = await files.put(new File(['It was on the quay.'], 'b.txt'), nothing, running())
  const why = (piece: Parameters<Files['get']>[0]) => files.get(piece, nothing, running()).then(() => 'opened', (error: unknown) => payTrouble(error).why)
  expect(await why({ ...one, hash: other.hash })).toBe('changed')
  expect(await why({ ...one, address: other.address })).toBe('changed')
  expect(await why({ address: one.address, hash: '' })).toBe('changed')
  const bytes = new Uint8Array(await (kept.get('https://files.example/1') ?? new Blob()).arrayBuffer())
  bytes[0] = (bytes[0] ?? 0) ^ 1
  kept.set('https://files.example/1', new Blob([bytes]))
  expect(await why(one)).toBe('changed')
  kept.delete('https://files.example/2')
  expect(await why(other)).toBe('gone')
  expect(await why({ address: 'aesgcm://files.example/1#0011', hash: one.hash })).toBe('changed')
})

test('a file of another size than was said is not opened', async () => {
  const { files } = stage()
  const one = await files.put(new File([words], 'a.txt'), nothing, running())
  expect(await files.get({ ...one, size: words.length + 1 }, nothing, running()).then(() => 'opened', (error: unknown) => payTrouble(error).why)).toBe('changed')
})

test('an address that the other side chose is not fetched', async () => {
  const { files, asked } = stage()
  const one = await files.put(new File([words], 'a.txt'), nothing, running())
  const secret = one.address.split('#')[1] ?? ''
  for (const address of [`aesgcm://spy.example/1#${secret}`, `aesgcm://files.example.spy.example/1#${secret}`, `aesgcm://files.example@spy.example/1#${secret}`, `aesgcm://files.example:8443/1#${secret}`,
    'https://files.example/1', 'https://spy.example/1', 'file:///etc/passwd', '']) {
    expect(await files.get({ address, hash: one.hash }, nothing, running()).then(() => 'opened', (error: unknown) => payTrouble(error).why), address).toBe('elsewhere')
  }
  expect(asked).toEqual([])
})

test('what a file is called says what it is', async () => {
  expect(visible('\u202Egpj\u202C.exe\u0000\n')).toBe('gpj.exe')
  expect(visible('\u2066quai\u200B à midi 🐟.jpg')).toBe('quai à midi 🐟.jpg')
  const { files } = stage()
  expect((await files.put(new File([words], '\u202Egpj.exe'), nothing, running())).name).toBe('gpj.exe')
  const told = el(NS, 'dispute', { id: 'a'.repeat(22), of: 'p', by: 'karim@example', amount: 1, unit: 'MAD', state: 'open' }, ...['\u202Egpj.exe', '\u202E'].map((name) => el(NS, 'evidence', { by: 'karim@example', name })))
  expect(readDispute(told, () => 2)?.evidence.map((e) => e.name)).toEqual(['gpj.exe', undefined])
})

test('RIFF alone is no picture', () => {
  const of = (text: string) => pictureType(Uint8Array.from(text, (c) => c.charCodeAt(0)))
  expect(['\x89PNG\r\n\x1a\n', '\xff\xd8\xff\xe0', 'GIF89a', 'RIFF\x00\n\x01\xffWEBP'].map(of)).toEqual(['image/png', 'image/jpeg', 'image/gif', 'image/webp'])
  expect(['RIFF\x00\x00\x01\x00WAVE', 'RIFF\x00\x00\x01\x00AVI ', 'RIFF', '', '<svg xmlns', 'x\x89PNG'].map(of)).toEqual(Array(6).fill(undefined))
})

test('what is too large, empty or stopped does not leave', async () => {
  const { files, placed } = stage()
  const why = (file: File, stop = running()) => files.put(file, nothing, stop).then(() => 'put', (error: unknown) => payTrouble(error).why)
  expect(await why(new File([], 'empty'))).toBe('too-large')
  expect(await why(Object.defineProperty(new File(['x'], 'large'), 'size', { value: 25_000_001 }))).toBe('too-large')
  expect(placed).toEqual([])
  expect(await why(new File(['x'], 'stopped'), AbortSignal.abort())).toBe('cancelled')
})
