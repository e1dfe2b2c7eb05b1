// Somebody at a desktop app that nobody here wrote: Gajim, without a screen, as test/interop drives it.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { authority, password } from './terminal.mjs'

const interop = new URL('../../../test/interop/', import.meta.url).pathname

/** installGajim brings Gajim and its OMEMO from Debian, where they are lacking. */
export function installGajim() {
  const needed = ['gajim', 'gajim-omemo', 'xvfb', 'dbus', 'openssl']
  const lacking = needed.filter((name) => !/ok installed/.test(spawnSync('dpkg-query', ['-W', '-f=${Status}', name]).stdout?.toString() ?? ''))
  if (!lacking.length) return
  if (process.getuid?.() !== 0) throw new Error(`needed: ${lacking.join(', ')}`)
  const run = (...args) => execFileSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  run('update', '-qq')
  run('install', '-y', '-qq', '--no-install-recommends', ...lacking)
}

/** Gajim is one device of one account; its keys last until close(), so that it can quit and start again. It comes into every group that it is invited to. */
export class Gajim {
  waiting = []

  /** `contact` is somebody with whom OMEMO is on. */
  constructor(server, jid, contact) {
    this.jid = jid
    this.state = mkdtempSync(join(tmpdir(), 'palabre-gajim-'))
    const env = { ...process.env, XMPP_DOMAIN: 'localhost', XMPP_HOST: '127.0.0.1', XMPP_PORT: String(server.appPort), XMPP_TLS_PORT: String(server.port), XMPP_CA: authority(server),
      XMPP_PASSWORD: password, INTEROP_STATE: this.state, PYTHONDONTWRITEBYTECODE: '1' }
    this.child = spawn('/usr/bin/python3', [join(interop, 'apps/gajim_lines.py'), jid, contact], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    this.ended = new Promise((done) => this.child.once('exit', done))
    createInterface({ input: this.child.stdout }).on('line', (line) => this.waiting.shift()?.(JSON.parse(line)))
    this.child.once('exit', (code) => { for (const done of this.waiting.splice(0)) done({ error: `Gajim's driver ended (${code})` }) })
  }

  async do(...what) {
    const answer = new Promise((done) => this.waiting.push(done))
    this.child.stdin.write(`${JSON.stringify(what)}\n`)
    const { is, error } = await answer
    if (error) throw new Error(error)
    return is
  }

  start() { return this.do('start') }
  quit() { return this.do('quit') }
  say(group, text) { return this.do('send_to_group', group, text) }
  /** Waits until a text is in its history once, and came encrypted. */
  hears(text) { return this.do('await_message', text) }

  async close() {
    this.child.stdin.end()
    await this.ended
    rmSync(this.state, { recursive: true, force: true })
  }
}
