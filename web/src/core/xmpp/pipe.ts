// One WebSocket as a row of frames (RFC 7395): read one by one while logging in, then handed to whoever takes the session over.

import { FRAMING } from './ns.ts'
import { el, parse, serialise, type Element } from './xml.ts'

/** Frames that may wait to be read; a server that sends more before the login ends is not one of ours. */
const MAX_WAITING = 1000

/** The connection is gone: it did not open, was closed, or nothing came in time. */
export class Broken extends Error {
  override readonly name = 'Broken'
}

/** A WebSocket constructor, replaced in tests. */
export type Socket = new (url: string, protocol: string) => WebSocket

/** Frames over one WebSocket. A frame that cannot be read is given as its text. */
export class Pipe {
  /** Called for each frame once set; before, frames wait for read(). */
  private take: ((frame: Element, raw: string) => void) | undefined
  private ended: (() => void) | undefined
  private readonly waiting: string[] = []
  private wake: (() => void) | undefined
  private closed = false
  private readonly socket: WebSocket

  private constructor(url: string, socket: Socket) {
    this.socket = new socket(url, 'xmpp')
    this.socket.onmessage = (event) => this.arrive(event.data)
    this.socket.onclose = this.socket.onerror = () => this.abort()
  }

  /** Opens a WebSocket. `first` goes out as soon as it is open; `within` bounds the opening, in milliseconds; `signal` ends it at any time. */
  static open(url: string, first: string[], within: number, { socket = WebSocket, signal }: { socket?: Socket; signal?: AbortSignal } = {}): Promise<Pipe> {
    return new Promise((resolve, reject) => {
      let pipe: Pipe
      try {
        pipe = new Pipe(url, socket)
      } catch {
        return reject(new Broken('not an address: ' + url.slice(0, 200)))
      }
      const timer = setTimeout(() => pipe.abort(), within)
      signal?.addEventListener('abort', () => pipe.abort())
      pipe.ended = () => {
        clearTimeout(timer)
        reject(new Broken('did not open'))
      }
      pipe.socket.onopen = () => {
        clearTimeout(timer)
        pipe.ended = undefined
        for (const frame of first) pipe.socket.send(frame)
        resolve(pipe)
      }
    })
  }

  private arrive(data: unknown): void {
    if (this.closed) return
    if (typeof data !== 'string' || this.waiting.length >= MAX_WAITING) return this.abort()
    if (this.take) return this.deliver(data)
    this.waiting.push(data)
    this.wake?.()
  }

  private deliver(raw: string): void {
    const frame = parse(raw)
    this.take?.(frame ?? el('', 'unreadable'), raw)
  }

  /** Waits for the next frame, at most so many milliseconds; throws Broken if the connection ends first or the frame cannot be read. */
  async read(within: number): Promise<Element> {
    if (!this.waiting.length && !this.closed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, within)
        this.wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.wake = undefined
    }
    const raw = this.waiting.shift()
    const frame = raw === undefined ? undefined : parse(raw)
    if (!frame) {
      this.abort()
      throw new Broken(raw === undefined ? 'no answer' : 'not XML')
    }
    return frame
  }

  /** Hands all further frames to `take`, those first that wait; `ended` is called once when the connection is gone. */
  handOver(take: (frame: Element, raw: string) => void, ended: () => void): void {
    this.take = take
    this.ended = ended
    for (const raw of this.waiting.splice(0)) this.deliver(raw)
    if (this.closed) ended()
  }

  /** Writes an element as a frame. What cannot be written is lost with the connection. */
  write(e: Element): void {
    if (this.socket.readyState === 1) this.socket.send(serialise(e))
  }

  /** Bytes that the browser has not handed to the network yet. */
  get backlog(): number {
    return this.socket.bufferedAmount
  }

  /** Ends the stream in order (RFC 7395 §3.6). */
  close(): void {
    this.take = undefined
    this.write(el(FRAMING, 'close'))
    this.abort(1000)
  }

  /** Gives the connection up, without waiting for anybody. */
  abort(code?: number): void {
    if (this.closed) return
    this.closed = true
    this.socket.onmessage = this.socket.onclose = this.socket.onerror = this.socket.onopen = null
    this.socket.close(code)
    this.wake?.()
    this.ended?.()
  }
}
