// Bytes over HTTP, with how far they are and a way to stop: up in one piece (XEP-0363 has no other), down from where it stopped.

/** It was refused for good: the same request will be refused again. */
export class HttpRefused extends Error {
  override readonly name = 'HttpRefused'
  constructor(readonly status: number) {
    super('HTTP ' + status)
  }
}

/** Nothing came of it this time. */
export class HttpBroken extends Error {
  override readonly name = 'HttpBroken'
}

/** How bytes travel; replaced in tests. */
export interface Http {
  /** Puts a file there. Fails with HttpRefused, HttpBroken, or the signal's reason. */
  put(url: string, headers: Record<string, string>, body: Blob, progress: (done: number) => void, signal: AbortSignal): Promise<void>
  /** Gets a file; `from` is what was got before. `keep` is given what is there when it ends early. At most `limit` bytes. */
  get(url: string, from: Blob | undefined, limit: number, progress: (done: number, total: number) => void, signal: AbortSignal, keep: (part: Blob) => void): Promise<Blob>
}

const isFinal = (status: number) => status >= 400 && status < 500 && status !== 408 && status !== 429

/** Puts a file with XMLHttpRequest, which alone tells how much has left. */
export function put(url: string, headers: Record<string, string>, body: Blob, progress: (done: number) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('PUT', url)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.setRequestHeader('Content-Type', body.type || 'application/octet-stream')
    request.upload.onprogress = (event) => progress(event.loaded)
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve()
      else reject(isFinal(request.status) ? new HttpRefused(request.status) : new HttpBroken('HTTP ' + request.status))
    }
    request.onerror = request.ontimeout = () => reject(new HttpBroken('no connection'))
    request.onabort = () => reject(new HttpBroken('stopped'))
    signal.addEventListener('abort', () => request.abort())
    if (signal.aborted) request.abort()
    else request.send(body)
  })
}

/** Gets a file. A server that knows ranges (RFC 9110 §14) sends what is missing, another one all of it anew. */
export async function getFile(
  url: string, from: Blob | undefined, limit: number, progress: (done: number, total: number) => void, signal: AbortSignal, keep: (part: Blob) => void,
): Promise<Blob> {
  const answer = await fetch(url, {
    credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer', signal, ...(from?.size ? { headers: { Range: `bytes=${from.size}-` } } : {}),
  }).catch(() => { throw new HttpBroken('no connection') })
  const begins = /^bytes (\d+)-/.exec(answer.headers.get('content-range') ?? '')?.[1]
  const goesOn = answer.status === 206 && !!from && Number(begins) === from.size
  if (answer.status === 416 || (answer.status === 206 && !goesOn)) {
    await answer.body?.cancel()
    if (from) return getFile(url, undefined, limit, progress, signal, keep)
    throw new HttpRefused(answer.status)
  }
  if (!answer.ok || !answer.body) throw isFinal(answer.status) ? new HttpRefused(answer.status) : new HttpBroken('HTTP ' + answer.status)
  const parts: Blob[] = goesOn && from ? [from] : []
  let done = parts[0]?.size ?? 0
  const total = done + Number(answer.headers.get('content-length') ?? 0)
  const reader = answer.body.getReader()
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
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
export const browserHttp: Http = { put, get: getFile }
