// A file goes up from where it stopped, and is done only when the server has said that it is kept.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { getFile, HttpBroken, HttpRefused, putFile } from '../../../src/core/media/http.ts'

const body = new Blob([new Uint8Array(300 << 10)])
const size = body.size

/** What was put: how many bytes, and where. */
interface Sent { bytes: number; range: string | undefined }
let sent: Sent[]
let head: () => Response
/** Nothing moves. */
let stands = false

/** A server that keeps what it gets. */
class Request {
  readonly upload: { onprogress?: (event: { loaded: number }) => void } = {}
  readonly status = 201
  onload: () => void = () => undefined
  onabort: () => void = () => undefined
  private range: string | undefined
  open(method: string): void {
    expect(method).toBe('PUT')
  }
  setRequestHeader(name: string, value: string): void {
    if (name === 'Content-Range') this.range = value
  }
  abort(): void {
    this.onabort()
  }
  send(blob: Blob): void {
    sent.push({ bytes: blob.size, range: this.range })
    if (stands) return
    this.upload.onprogress?.({ loaded: blob.size })
    this.onload()
  }
}

beforeEach(() => {
  sent = []
  stands = false
  vi.stubGlobal('XMLHttpRequest', Request)
  vi.stubGlobal('fetch', async (_: string, how: RequestInit) => {
    expect(how.method).toBe('HEAD')
    return head()
  })
})
afterEach(() => { vi.unstubAllGlobals() })

const answers = (status: number, headers: Record<string, string> = {}) => { head = () => new Response(null, { status, headers }) }
async function puts(): Promise<number> {
  let last = 0
  await putFile('https://x.org/f', {}, body, (done) => { last = done }, new AbortController().signal)
  return last
}

test('a transfer goes on where it stopped', async () => {
  answers(204, { 'Upload-Offset': '1000', 'Upload-Length': String(size) })
  expect(await puts()).toBe(size)
  expect(sent).toEqual([{ bytes: size - 1000, range: `bytes 1000-${size - 1}/${size}` }])
})

test('a small file is asked for when some of it may be there; without an answer nothing is sent', async () => {
  const small = new Blob([new Uint8Array(100)])
  const go = (again: boolean) => putFile('https://x.org/f', {}, small, () => undefined, new AbortController().signal, again)
  head = () => { throw new TypeError('network') }
  await expect(go(true)).rejects.toBeInstanceOf(HttpBroken)
  expect(sent).toEqual([])
  answers(204, { 'Upload-Offset': '60', 'Upload-Length': '100' })
  await go(true)
  await go(false)
  expect(sent).toEqual([{ bytes: 40, range: 'bytes 60-99/100' }, { bytes: 100, range: undefined }])
})

test('a file that is kept is not sent again', async () => {
  answers(200, { 'Upload-Length': String(size) })
  await puts()
  expect(sent).toEqual([])
})

test.each([size, size + 1])('%d bytes that are no file are not taken for one', async (offset) => {
  answers(204, { 'Upload-Offset': String(offset), 'Upload-Length': String(size) })
  await puts()
  expect(sent).toEqual([{ bytes: size, range: undefined }])
})

test.each([
  ['a server that knows nothing of pieces', 404, {}],
  ['one that answers every question', 200, {}],
  ['another file', 200, { 'Upload-Length': '5' }],
  ['nonsense', 204, { 'Upload-Offset': 'x' }],
])('%s gets the whole file', async (_, status, headers) => {
  answers(status, headers as Record<string, string>)
  await puts()
  expect(sent).toEqual([{ bytes: size, range: undefined }])
})

test.each([429, 507])('after %d the server is asked again later', async (status) => {
  answers(status)
  await expect(puts()).rejects.toBeInstanceOf(HttpBroken)
  expect(sent).toEqual([])
})

test.each([403, 404, 410])('a place that was begun and is over (%d) is left before anything is sent to it', async (status) => {
  answers(status)
  await expect(putFile('https://x.org/f', {}, body, () => undefined, new AbortController().signal, true)).rejects.toBeInstanceOf(HttpRefused)
  expect(sent).toEqual([])
})

test('what stands still is given up, and can be tried anew', async () => {
  vi.useFakeTimers()
  try {
    answers(404)
    stands = true
    const putting = expect(puts()).rejects.toBeInstanceOf(HttpBroken)
    await vi.advanceTimersByTimeAsync(200_000)
    await putting
    const kept: Blob[] = []
    vi.stubGlobal('fetch', (_: string, { signal }: RequestInit) => Promise.resolve(new Response(new ReadableStream<Uint8Array>({
      start: (to) => {
        to.enqueue(new Uint8Array(10))
        signal?.addEventListener('abort', () => to.error(new Error('stopped')))
      },
    }), { headers: { 'content-length': '20' } })))
    const getting = expect(getFile('https://x.org/f', undefined, 100, () => undefined, new AbortController().signal, (part) => kept.push(part))).rejects.toBeInstanceOf(HttpBroken)
    await vi.advanceTimersByTimeAsync(200_000)
    await getting
    expect(kept.map((b) => b.size)).toEqual([10])
  } finally {
    vi.useRealTimers()
  }
})
