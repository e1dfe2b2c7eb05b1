// People at a terminal: Profanity in a tmux window of its own, typed to and read like a person would, and `palabre chat` as a pipe. Both reach the
// server by its port for apps, and check its certificate.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { patience, until } from './person.mjs'

const program = process.env.PALABRE
/** The password of all accounts that addAccount makes. */
export const password = 'Pa-18-labre'
const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
const has = (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0

/** install brings Profanity and what drives it from Debian, where they are lacking. */
export function install() {
  const needed = { profanity: 'profanity', tmux: 'tmux', openssl: 'openssl' }
  const lacking = Object.keys(needed).filter((name) => !has(name)).map((name) => needed[name])
  if (!lacking.length) return
  if (process.getuid?.() !== 0 || !has('apt-get')) throw new Error(`needed: ${lacking.join(', ')}`)
  const run = (...args) => execFileSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  run('update', '-qq')
  run('install', '-y', '-qq', '--no-install-recommends', ...lacking)
}

/** addAccount makes an account with the server's own command and gives its address. */
export function addAccount(server, name) {
  execFileSync(program, ['account', 'add', '-config', server.config, name], { cwd: server.folder, input: `${password}\n`, stdio: ['pipe', 'pipe', 'pipe'] })
  return `${name}@localhost`
}

/** Where the authority of a server's certificate is. */
export const authority = (server) => join(server.data, 'certificates/own/ca.crt')

/** Profanity is one device of one account; its keys last until close(), so that it can quit and start again. */
export class Profanity {
  constructor(server, jid) {
    this.jid = jid
    this.home = mkdtempSync(join(tmpdir(), 'palabre-profanity-'))
    this.log = join(this.home, 'profanity.log')
    this.socket = join(this.home, 'tmux')
    const certs = join(this.home, 'certs')
    mkdirSync(certs)
    writeFileSync(join(certs, 'authority.pem'), readFileSync(authority(server)))
    execFileSync('openssl', ['rehash', certs])
    this.write('config/profanity/profrc', `[ui]\nsplash=false\ntips=false\nwrap=false\nhistory=false\n[logging]\nchlog=true\n[connection]\ntls.certpath=${certs}\n` +
      '[omemo]\npolicy=automatic\ntrustmode=blind\nlog=on\n')
    this.write('data/profanity/accounts', `[app]\nenabled=true\njid=${jid}\nserver=127.0.0.1\nport=${server.appPort}\npassword=${password}\nresource=terminal\ntls.policy=force\nmuc.nick=terminal\n`)
  }

  write(path, text) {
    mkdirSync(dirname(join(this.home, path)), { recursive: true })
    writeFileSync(join(this.home, path), text)
  }

  tmux(...args) { return execFileSync('tmux', ['-S', this.socket, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }).toString() }
  get running() { return spawnSync('tmux', ['-S', this.socket, 'has-session']).status === 0 }
  get screen() { return this.tmux('capture-pane', '-p', '-J').trimEnd() }

  type(line) {
    this.tmux('send-keys', '-l', line)
    this.tmux('send-keys', 'Enter')
  }

  /** Logs in, and makes keys the first time. */
  async start() {
    const env = { ...process.env, HOME: this.home, XDG_CONFIG_HOME: `${this.home}/config`, XDG_DATA_HOME: `${this.home}/data`, TERM: 'screen-256color', LC_ALL: 'C.UTF-8' }
    delete env.TMUX
    this.begun = existsSync(this.log) ? readFileSync(this.log, 'utf8').length : 0
    execFileSync('tmux', ['-S', this.socket, '-f', '/dev/null', 'new-session', '-d', '-x', '220', '-y', '200', `profanity -l DEBUG -f ${this.log} -a app`], { env })
    await this.sees(/logged in successfully/)
    if (this.device) return
    this.type('/omemo gen')
    this.device = (await this.sees(/OMEMO.*generated. Your Device ID is (\d+)/))[1]
  }

  /** Waits until something stands on the screen. */
  sees(pattern, timeout = patience) {
    return until(`${pattern} is on the screen of ${this.jid}`, () => pattern.exec(this.screen), timeout).catch((error) => { throw new Error(`${error.message}\n${this.evidence}`) })
  }

  /** Waits until a message is there, marked as encrypted. One's own sender is called me. */
  hears(sender, text) { return this.sees(new RegExp(`~ ${escape(sender)}(/.+?)?: .*${escape(text)}`, 'm')) }

  /** Opens the window of a contact, turns OMEMO on in it, and waits for a session with a device of theirs: what is typed before is not sent. */
  async encrypt(jid) {
    this.type(`/msg ${jid}`)
    await this.sees(new RegExp(`^ *${escape(jid)}`, 'm'))
    if (!this.screen.includes('[OMEMO]')) this.type('/omemo start')
    await this.sees(new RegExp(`^ *${escape(jid)}.*\\[OMEMO\\]`, 'm'))
    await until(`Profanity has a session with ${jid}`, () => readFileSync(this.log, 'utf8').slice(this.begun).includes(`session with ${jid} device`))
  }

  /** How often a text is on the screen. */
  times(text) { return this.screen.split(text).length - 1 }

  /** Says whether a text ever went over the wire as it is: the debug log holds every byte of the stream. */
  inClear(text) { return readFileSync(this.log, 'utf8').split('\n').some((line) => /SENT:|RECV:/.test(line) && line.includes(text)) }

  get evidence() {
    const traffic = readFileSync(this.log, 'utf8').split('\n').filter((line) => /SENT:|RECV:/.test(line)).map((line) => line.slice(0, 400))
    return ['--- screen', ...this.screen.split('\n').filter((line) => line.trim()), '--- traffic', ...traffic.slice(-20)].join('\n')
  }

  async quit() {
    this.type('/quit')
    await until('Profanity has quit', () => !this.running)
  }

  close() {
    if (this.running) this.tmux('kill-server')
    rmSync(this.home, { recursive: true, force: true })
  }
}

/** Pipe is `palabre chat` on one device of one account. */
export class Pipe {
  constructor(server, jid) {
    Object.assign(this, { jid, home: mkdtempSync(join(tmpdir(), 'palabre-pipe-')), at: ['-server', `127.0.0.1:${server.appPort}`, '-method', 'starttls', '-ca', authority(server)] })
  }

  run(input, verb, ...args) {
    return execFileSync(program, ['chat', verb, ...this.at, ...args], { input, timeout: 60_000, stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, HOME: this.home, XDG_DATA_HOME: `${this.home}/data`, PALABRE_PASSWORD: password, PALABRE_ACCOUNT: this.jid } }).toString()
  }

  /** Returns when the server has acknowledged the text. */
  send(to, text) { this.run(text, 'send', '-to', to) }

  /** What the server had kept since the last time. */
  collect() { return this.run('', 'receive', '-json', '-once').split('\n').filter(Boolean).map((line) => JSON.parse(line)) }

  close() { if (existsSync(this.home)) rmSync(this.home, { recursive: true, force: true }) }
}
