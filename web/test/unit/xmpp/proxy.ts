// A way to the server that a test can cut, stall and drop.
import { connect, createServer, type Socket } from 'node:net'

/** Passes bytes on to a port, as a test likes. */
export class Proxy {
  private readonly pairs = new Set<[Socket, Socket]>()
  private stalled = false
  /** Connections that came so far. */
  count = 0
  port = 0
  private readonly server = createServer((near) => this.pass(near))

  private constructor(private readonly target: () => number) {}

  static open(target: () => number): Promise<Proxy> {
    const proxy = new Proxy(target)
    return new Promise((resolve) => proxy.server.listen(0, '127.0.0.1', () => {
      proxy.port = proxy.server.address().port
      resolve(proxy)
    }))
  }

  private pass(near: Socket): void {
    this.count++
    const far = connect(this.target(), '127.0.0.1')
    const pair: [Socket, Socket] = [near, far]
    this.pairs.add(pair)
    const end = () => {
      this.pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    near.on('data', (data) => far.write(data)).on('close', end).on('error', end)
    far.on('data', (data) => near.write(data)).on('close', end).on('error', end)
    if (this.stalled) for (const one of pair) one.pause()
  }

  /** Ends all connections at once. */
  cut(): void {
    for (const pair of [...this.pairs]) for (const one of pair) one.destroy()
  }

  /** Holds everything back, without ending anything. */
  stall(on = true): void {
    this.stalled = on
    for (const pair of this.pairs) for (const one of pair) if (on) one.pause(); else one.resume()
  }

  close(): void {
    this.cut()
    this.server.close()
  }

  get url(): string {
    return `wss://localhost:${this.port}/ws`
  }
}
