// A real server in a process of its own, with accounts, for tests.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection, type Link, type Options } from '../../../src/core/xmpp/connection.ts'
import type { Element } from '../../../src/core/xmpp/xml.ts'
import type { Token } from '../../../src/core/xmpp/sasl.ts'

/** The password of all accounts of a town. */
export const PASSWORD = 'but soft, what light'

process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0' // the certificate of a test server is its own

/** Builds the program, once for a file of tests; PALABRE names one that is there already. */
function program(): string {
  if (built) return built
  if (process.env['PALABRE']) return built = process.env['PALABRE']
  const out = join(mkdtempSync(join(tmpdir(), 'palabre-web-')), 'palabre')
  execFileSync('go', ['build', '-o', out, './cmd/palabre'], { cwd: new URL('../../../..', import.meta.url).pathname, stdio: 'inherit' })
  return built = out
}
let built = ''

/** A running server. */
export class Town {
  private process: ChildProcess | undefined
  port = 0
  /** The invitation that it printed, while it had no account. */
  invitation = ''

  private constructor(readonly folder: string) {}

  /** Starts a server with these accounts; `more` is configuration. */
  static async found(names: string[], more = ''): Promise<Town> {
    const town = new Town(mkdtempSync(join(tmpdir(), 'palabre-town-')))
    writeFileSync(town.path('password'), PASSWORD)
    town.configure(more)
    for (const name of names) town.run('account', 'add', '--password-file', town.path('password'), name)
    await town.start()
    town.configure(more)
    return town
  }

  private path(name: string): string {
    return join(this.folder, name)
  }

  private configure(more: string): void {
    writeFileSync(this.path('palabre.toml'), `data = "${this.path('data')}"\n${more}\n[http]\nlisten = ['127.0.0.1:${this.port}']\nlocal = ''\n` +
      `[c2s]\nlisten = []\nlisten_tls = []\n[account]\niterations = 4096\n`)
  }

  /** Runs a subcommand of the program and gives what it printed. */
  run(...args: string[]): string {
    return execFileSync(program(), args, { cwd: this.folder, stdio: ['ignore', 'pipe', 'ignore'] }).toString()
  }

  /** The same with something to read. */
  runWith(input: string, ...args: string[]): string {
    return execFileSync(program(), args, { cwd: this.folder, input }).toString()
  }

  /** Starts the server, at the port that it had. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = this.process = spawn(program(), ['serve'], { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] })
      let said = ''
      const hear = (data: { toString(): string }) => {
        said += String(data)
        const port = /HTTPS\s+127\.0\.0\.1:(\d+)/.exec(said)?.[1]
        this.invitation = /preauth=(\w+)/.exec(said)?.[1] ?? this.invitation
        if (!port || !said.includes('palabre invite makes links')) return
        this.port = Number(port)
        resolve()
      }
      child.stdout?.on('data', hear)
      child.stderr?.on('data', hear)
      child.on('exit', () => reject(new Error('the server ended: ' + said)))
    })
  }

  /** Ends the server as kill -9 does, or in order. */
  stop(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.process
    if (!child || child.exitCode !== null) return Promise.resolve()
    return new Promise((resolve) => {
      child.once('exit', () => resolve())
      child.kill(signal)
    })
  }

  /** Ends the server and all that it kept. */
  async end(): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
    if (built && !process.env['PALABRE']) rmSync(join(built, '..'), { recursive: true, force: true })
    built = ''
  }

  get url(): string {
    return `wss://localhost:${this.port}/ws`
  }
}

/** A client of a town that notes what it is told. */
export class Resident {
  readonly links: Link[] = []
  readonly begun: Parameters<Options['began']>[0][] = []
  token: Token | undefined
  readonly connection: Connection
  servers: string[]
  readonly agent: string
  private watchers = new Set<() => void>()

  constructor(town: Town, name: string, more: Partial<Options> & { token?: Token; agent?: string } = {}) {
    this.servers = [town.url]
    this.agent = more.agent ?? crypto.randomUUID()
    this.connection = new Connection({
      who: {
        account: name + '@localhost', agent: { id: this.agent, software: 'Palabre Web', device: 'test' },
        token: more.token, password: more.token ? undefined : PASSWORD,
      },
      servers: () => Promise.resolve(this.servers),
      keepToken: (token) => { this.token = token },
      show: (link) => { this.links.push(link); this.changed() },
      began: (session) => { this.begun.push(session); this.changed() },
      ...more,
    })
  }

  /** Has the waiting tests look again. */
  changed(): void {
    for (const look of [...this.watchers]) look()
  }

  /** Waits until something is true; looked at whenever this client is told something. */
  until(what: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!what()) return
        this.watchers.delete(look)
        resolve()
      }
      this.watchers.add(look)
      look()
    })
  }

  /** Connects and waits for a session. */
  async live(): Promise<this> {
    const before = this.begun.length
    this.connection.start()
    await this.until(() => this.begun.length > before)
    return this
  }

  /** Waits for the next message or presence that a test likes. */
  next(kind: 'message' | 'presence', like: (stanza: Element) => boolean = () => true) {
    return new Promise<Element>((resolve) => {
      const stop = this.connection.on(kind, (stanza) => {
        if (!like(stanza)) return
        stop()
        resolve(stanza)
      })
    })
  }
}
