// A network outside that is none, as the sandbox rail talks to it (docs/rails/sandbox.md): each transfer does what its address says, or what a test decides later.
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'

/** Yesterday in UTC, as 2026-11-21. */
export const yesterday = () => new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)

/**
 * Network takes transfers. What the address begins with is how it goes: `ok` settles at once, `past` too, and says that it did at noon (UTC) of yesterday, `refuse` refuses, `wait` is accepted until a test decides, `page` and `code` say so with what the person has to
 * do, `lost` keeps the transfer and answers nobody about it until `find`.
 */
export class Network {
  static async make(secret) {
    const network = new Network()
    network.secret = secret
    network.transfers = new Map()
    network.http = createServer((request, answer) => network.serve(request, answer))
    await new Promise((done) => network.http.listen(0, '127.0.0.1', done))
    return network
  }

  get url() { return `http://127.0.0.1:${this.http.address().port}` }

  /** The transfers that have an address. */
  at(address) { return [...this.transfers.values()].filter((one) => one.address === address) }

  async serve(request, answer) {
    let body = ''
    for await (const part of request) body += part
    const [, what, id] = request.url.split(/[/?]/)
    if (what === 'statement') return this.say(answer, [])
    const asked = request.method === 'POST' ? JSON.parse(body) : undefined
    const one = this.transfers.get(asked?.id ?? id) ?? (asked && this.begin(asked))
    if (one) one.asked++
    if (one?.lost) return request.socket.destroy()
    return one ? this.say(answer, one) : this.say(answer, {}, 404)
  }

  begin({ id, kind, amount, unit, address }) {
    const how = /^[a-z]*/.exec(address)[0]
    const state = { ok: 'settled', past: 'settled', refuse: 'rejected' }[how] ?? 'accepted'
    const at = how === 'past' ? `${yesterday()}T12:00:00Z` : new Date().toISOString()
    const one = { id, kind, amount, unit, address, state, number: `S${this.transfers.size + 1}`, asked: 0, lost: how === 'lost', ...(state === 'settled' ? { at } : {}),
      ...(how === 'page' ? { go: 'https://network.example/pay/1' } : how === 'code' ? { show: '00020126330014BR.GOV.BCB.PIX0111nadia@test5204000053039865802BR6304ABCD' } : {}) }
    this.transfers.set(id, one)
    return one
  }

  say(answer, what, code = 200) {
    answer.writeHead(code, { 'Content-Type': 'application/json' })
    answer.end(JSON.stringify(what))
  }

  /** Decides about the transfers of an address, and tells the server by a webhook. */
  async decide(address, change, callback) {
    for (const one of this.at(address)) {
      Object.assign(one, { lost: false, at: new Date().toISOString(), ...change })
      const body = JSON.stringify(one)
      const event = `${one.number}-${one.state}-${one.returned ?? 0}`
      const answer = await fetch(callback, { method: 'POST', body, headers: { 'Sandbox-Event': event, 'Sandbox-Signature': createHmac('sha256', this.secret).update(`${event}\n${body}`).digest('hex') } })
      if (!answer.ok) throw new Error(`the webhook was not taken: ${answer.status}`)
    }
  }

  end() { this.http.close(); this.http.closeAllConnections() }
}
