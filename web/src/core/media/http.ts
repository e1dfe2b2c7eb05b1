// Bytes over HTTP, with how far they are and a way to stop. Both ways go on where they stopped, where the server can.

/** It was refused for good: the same request will be refused again. */
export class HttpRefused extends Error {
  override readonly name = 'HttpRefused'
  constructor(readonly status: number) {
    super('HTTP ' + status)
  }
}

/** Nothing came of it this time: there is no connection, it broke, or the server cannot do it now. */
export class HttpBroken extends Error {
  override readonly name = 'HttpBroken'
}

/** How bytes travel; replaced in tests. */
export interface Http {
  /** Puts a file there; `again`: some of it may be there from before. Fails with HttpRefused, HttpBroken, or the signal's reason. */
  put(url: string, headers: Record<string, string>, body: Blob, progress: (done: number) => void, signal: AbortSignal, again?: boolean): Promise<void>
  /** Gets a file; `from` is what was got before. `keep` is given what is there when it ends early. At most `limit` bytes. */
  get(url: string, from: Blob | undefined, limit: number, progress: (done: number, total: number) => void, signal: AbortSignal, keep: (part: Blob) => void): Promise<Blob>
}

const isFinal = (status: number) => status >= 400 && status < 500 && status !== 408 && status !== 429

/** How long a transfer may stand still before it is tried anew, in milliseconds: an old connection may be dead without a word. */
const STILL = 120_000
/** How long the server may take for what is not a transfer, or to keep a file that has come. */
const ANSWER = 300_000

/** Ends a request when the caller stops it, or when it has stood still for too long. */
class Moving {
  private readonly stop = new AbortController()
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly abort = () => this.stop.abort()

  constructor(private readonly caller: AbortSignal, ms: number) {
    caller.addEventListener('abort', this.abort)
    if (caller.aborted) this.abort()
    this.moved(ms)
  }

  get signal(): AbortSignal {
    return this.stop.signal
  }

  /** It moves: it may stand still for so long from now on. */
  moved(ms = STILL): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(this.abort, ms)
  }

  over(): void {
    clearTimeout(this.timer)
    this.caller.removeEventListener('abort', this.abort)
  }
}

/** Files from this size on are worth a question before: they can go on where they stopped (docs/protocol/upload-resume.md). */
const WORTH = 256 << 10

/** Puts a file. A server that takes pieces is asked how much it has already, and gets the rest; another one gets all of it. */
export async function putFile(
  url: string, headers: Record<string, string>, body: Blob, progress: (done: number) => void, signal: AbortSignal, again = false,
): Promise<void> {
  const there = body.size < WORTH && !again ? undefined : await askFor(url, signal, again)
  if (there?.kept && there.size === body.size) return
  if (there && !there.kept) progress(there.size)
  // Bytes that are all there and are no file are of no use: only an answer that the file is kept counts.
  if (!there || there.kept || there.size >= body.size) return put(url, headers, body, progress, signal)
  const range = `bytes ${there.size}-${body.size - 1}/${body.size}`
  await put(url, { ...headers, 'Content-Range': range }, body.slice(there.size, undefined, body.type), (done) => progress(there.size + done), signal)
}

/** How much of a file is there, and whether it is kept; undefined if the server does not say so: then it takes whole files only. No answer is none:
 * sent whole, the file would begin anew. */
async function askFor(url: string, signal: AbortSignal, again: boolean): Promise<{ kept: boolean; size: number } | undefined> {
  const moving = new Moving(signal, ANSWER)
  const answer = await fetch(url, { method: 'HEAD', credentials: 'omit', referrerPolicy: 'no-referrer', signal: moving.signal })
    .catch(() => { throw new HttpBroken('no connection') }).finally(() => moving.over())
  // The place where it was begun is over: better known now than after the whole file was sent to it.
  if (again && /^(403|404|410)$/.test(String(answer.status))) throw new HttpRefused(answer.status)
  // Not now: another transfer is about to end, or what is there could not be made a file yet.
  if (answer.status === 429 || answer.status === 507) throw new HttpBroken('HTTP ' + answer.status)
  const kept = answer.status === 200
  const size = kept || answer.status === 204 ? answer.headers.get(kept ? 'upload-length' : 'upload-offset') : undefined
  return size && /^\d{1,15}$/.test(size) ? { kept, size: Number(size) } : undefined
}

/** Sends one body with XMLHttpRequest, which alone tells how much has left. */
export function put(url: string, headers: Record<string, string>, body: Blob, progress: (done: number) => void, signal: AbortSignal): Promise<void> {
  const moving = new Moving(signal, STILL)
  return new Promise<void>((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('PUT', url)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.setRequestHeader('Content-Type', body.type || 'application/octet-stream')
    request.upload.onprogress = (event) => {
      moving.moved(event.loaded < body.size ? STILL : ANSWER)
      progress(event.loaded)
    }
    request.onload = () => {
      // 202: a piece was kept, and it was not the last. 409: it is not where we thought; 400 for a piece: it was broken off. The next try asks.
      const again = request.status === 409 || (request.status === 400 && 'Content-Range' in headers)
      if (request.status >= 200 && request.status < 300 && request.status !== 202) resolve()
      else reject(isFinal(request.status) && !again ? new HttpRefused(request.status) : new HttpBroken('HTTP ' + request.status))
    }
    request.onerror = request.ontimeout = () => reject(new HttpBroken('no connection'))
    request.onabort = () => reject(new HttpBroken('stopped'))
    moving.signal.addEventListener('abort', () => request.abort())
    if (moving.signal.aborted) reject(new HttpBroken('stopped'))
    else request.send(body)
  }).finally(() => moving.over())
}

/** Gets a file. A server that knows ranges (RFC 9110 §14) sends what is missing, another one all of it anew. */
export async function getFile(
  url: string, from: Blob | undefined, limit: number, progress: (done: number, total: number) => void, signal: AbortSignal, keep: (part: Blob) => void,
): Promise<Blob> {
  const moving = new Moving(signal, ANSWER)
  try {
    return await getMoving(url, from, limit, progress, moving, keep)
  } finally {
    moving.over()
  }
}

async function getMoving(
  url: string, from: Blob | undefined, limit: number, progress: (done: number, total: number) => void, moving: Moving, keep: (part: Blob) => void,
): Promise<Blob> {
  const answer = await fetch(url, {
    credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer', signal: moving.signal, ...(from?.size ? { headers: { Range: `bytes=${from.size}-` } } : {}),
  }).catch(() => { throw new HttpBroken('no connection') })
  const begins = /^bytes (\d+)-/.exec(answer.headers.get('content-range') ?? '')?.[1]
  const goesOn = answer.status === 206 && !!from && Number(begins) === from.size
  if (answer.status === 416 || (answer.status === 206 && !goesOn)) {
    await answer.body?.cancel()
    if (from) return getMoving(url, undefined, limit, progress, moving, keep)
    throw new HttpRefused(answer.status)
  }
  if (!answer.ok || !answer.body) throw isFinal(answer.status) ? new HttpRefused(answer.status) : new HttpBroken('HTTP ' + answer.status)
  const parts: Blob[] = goesOn && from ? [from] : []
  let done = parts[0]?.size ?? 0
  const total = done + Number(answer.headers.get('content-length') ?? 0)
  const reader = answer.body.getReader()
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      moving.moved()
      done += piece.value.length
      if (done > limit) throw new HttpRefused(413)
      parts.push(new Blob([piece.value as Uint8Array<ArrayBuffer>]))
      progress(done, total)
    }
  } catch (error) {
    if (error instanceof HttpRefused) throw error
    keep(new Blob(parts))
    throw new HttpBroken('ended early')
  }
  if (total > done) {
    keep(new Blob(parts))
    throw new HttpBroken('ended early')
  }
  return new Blob(parts)
}

/** HTTP of the browser. */
export const browserHttp: Http = { put: putFile, get: getFile }
