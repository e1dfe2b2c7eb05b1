// The real server in a process of its own, with a data folder of its own, and the bad network before it.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The program under test, and the proxy: test/e2e/run makes both and says where they are. */
const palabre = process.env.PALABRE
const proxy = process.env.PROXY
if (!palabre || !proxy) throw new Error('PALABRE and PROXY name the programs: begin these tests with test/e2e/run')

/** Another version of the program, whose client is the same but for the name of its version: `is` becomes `other`, which is as long. Gives its path. */
export function anotherVersion(folder, is, other) {
  const bytes = readFileSync(palabre)
  const [from, to] = [Buffer.from(is), Buffer.from(other)]
  let found = 0
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + to.length), found++) to.copy(bytes, at)
  if (!found || from.length !== to.length) throw new Error(`no version ${is} in the program`)
  const path = join(folder, 'another-palabre')
  writeFileSync(path, bytes, { mode: 0o755 })
  return path
}

/** freePort finds a port that nobody uses now. */
export function freePort() {
  return new Promise((done, failed) => {
    const probe = createServer()
    probe.once('error', failed)
    probe.listen(0, '127.0.0.1', () => { const { port } = probe.address(); probe.close(() => done(port)) })
  })
}

/** Server is one data folder and at most one process that serves it at a port. */
export class Server {
  process
  /** The program that the next start runs. */
  program = palabre
  folder = mkdtempSync(join(tmpdir(), 'palabre-e2e-'))
  said = ''

  /** Makes a server that listens at its port; `public` is the port that people use, if there is a proxy between. */
  static async make({ open, more = '', data, port } = {}) {
    const server = new Server()
    server.port = port ?? await freePort()
    server.data = data ?? join(server.folder, 'data')
    server.open = open ?? server.port
    server.configure(more)
    return server
  }

  configure(more = '') {
    const { c2s = '', rest = '', listen = [] } = typeof more === 'string' ? { rest: more } : more
    writeFileSync(this.config, `data = "${this.data}"\n[http]\nlisten = ['127.0.0.1:${this.port}']\nlocal = ''\nurl = 'https://localhost:${this.open}'\n` +
      `[c2s]\nlisten = ${JSON.stringify(listen)}\nlisten_tls = []\nwebsocket_url = 'wss://localhost:${this.open}/ws'\n${c2s}\n[account]\niterations = 4096\n${rest}\n`)
  }

  get config() { return join(this.folder, 'palabre.toml') }
  get origin() { return `https://localhost:${this.open}` }

  /** Runs a subcommand and gives what it printed. */
  run(...args) {
    const [command, ...rest] = args
    return execFileSync(palabre, [command, ...rest], { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] }).toString()
  }

  /** Puts money into wallets, before the first start: `give('MAD', { 'karim@localhost': 50000 })`, in the smallest part of the unit. */
  give(unit, wallets) {
    execFileSync(process.env.GIVE, ['-db', join(this.data, 'palabre.db'), unit, ...Object.entries(wallets).flatMap(([who, amount]) => [who, String(amount)])], { stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** Starts the process; fulfils when it listens, or with `standby` when it waits. */
  start({ standby = false } = {}) {
    return new Promise((done, failed) => {
      const child = this.process = spawn(this.program, ['serve', '-config', this.config, ...(standby ? ['-standby'] : [])], { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] })
      let said = ''
      const hear = (data) => {
        said += data
        this.said = (this.said + data).slice(-20_000)
        if (said.includes(standby ? 'waiting to take over' : 'palabre invite makes links')) done()
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.on('exit', (code) => failed(new Error(`the server ended (${code}): ${said}`)))
    })
  }

  /** Ends the process, as kill -9 does unless said otherwise. */
  stop(signal = 'SIGKILL') {
    const child = this.process
    if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
    return new Promise((done) => { child.once('exit', done); child.kill(signal) })
  }

  /** Makes an invitation and gives its address on this server. */
  invite(...args) {
    const said = this.run('invite', '-config', this.config, '-json', ...args)
    return JSON.parse(said).web
  }

  /** Ends everything and deletes it. */
  async end() {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** The last lines that it said. */
  get lines() { return this.said.split('\n').slice(-15).join('\n') }
}

/** Proxy is the bad network (proxy/main.go): `await bad.tell('stall')`. */
export class Proxy {
  static async make(to) {
    const bad = new Proxy()
    bad.child = spawn(proxy, ['-to', `127.0.0.1:${to}`], { stdio: ['pipe', 'pipe', 'inherit'] })
    bad.waiting = []
    let rest = ''
    bad.child.stdout.on('data', (data) => {
      const lines = (rest + data).split('\n')
      rest = lines.pop()
      for (const line of lines) bad.waiting.shift()?.(line)
    })
    bad.port = Number((await bad.answer()).split(':').pop())
    return bad
  }

  answer() { return new Promise((done) => this.waiting.push(done)) }

  /** Tells it one line and waits until it was done. */
  async tell(line) {
    const answer = this.answer()
    this.child.stdin.write(`${line}\n`)
    const said = await answer
    if (said !== 'ok' && !/^\d+$/.test(said)) throw new Error(said)
    return said
  }

  end() { this.child.stdin.end() }
}

/** A file of the tests. */
export const fixture = (name) => readFileSync(new URL(`fixtures/${name}`, import.meta.url))
