// The connection against servers that break the rules, and what it says of itself then.
import { afterEach, expect, test, vi } from 'vitest'
import { PULSE } from '../../../src/core/net/pulse.ts'
import { Connection, type Link, type Options } from '../../../src/core/xmpp/connection.ts'
import type { Socket } from '../../../src/core/xmpp/pipe.ts'
import { message } from '../../../src/core/xmpp/stanza.ts'
import { el } from '../../../src/core/xmpp/xml.ts'

/** A WebSocket whose other end is a function. */
class Stub {
  static serve: (frame: string, stub: Stub) => void = () => undefined
  static all: Stub[] = []
  readyState = 0
  bufferedAmount = 0
  onopen: (() => void) | null = null
  onclose: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  readonly got: string[] = []

  constructor(readonly url: string) {
    Stub.all.push(this)
    queueMicrotask(() => {
      this.readyState = 1
      this.onopen?.()
    })
  }

  send(frame: string): void {
    this.got.push(frame)
    queueMicrotask(() => Stub.serve(frame, this))
  }

  say(...frames: unknown[]): void {
    for (const data of frames) this.onmessage?.({ data })
  }

  close(): void {
    this.readyState = 3
  }

  drop(): void {
    this.close()
    this.onclose?.()
  }
}

const times = { ...PULSE }
let open: Connection[] = []
afterEach(() => {
  for (const one of open) one.stop()
  open = []
  Stub.all = []
  Object.assign(PULSE, times)
})

const OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='x' id='1' version='1.0'/>"
const features = (inner = '<mechanism>SCRAM-SHA-1</mechanism>') =>
  `<stream:features xmlns:stream='http://etherx.jabber.org/streams'><authentication xmlns='urn:xmpp:sasl:2'>${inner}</authentication></stream:features>`
const SESSION = "<enabled xmlns='urn:xmpp:sm:3' resume='true' id='s1'/>"
// HMAC-SHA-256 of 'Responder' by the key 'secret'.
const PROOF = 'icevAmJ7zemHQaEJDf+yVGEPHjNbvwhuOwLnCK2lpoI='
const success = (inner = `<bound xmlns='urn:xmpp:bind:0'>${SESSION}</bound>`, proof = PROOF) =>
  `<success xmlns='urn:xmpp:sasl:2'><additional-data>${proof}</additional-data><authorization-identifier>me@x/1</authorization-identifier>${inner}</success>`

function connect(serve: (frame: string, stub: Stub) => void, more: Partial<Options> = {}) {
  Stub.serve = serve
  const links: Link[] = []
  const begun: boolean[] = []
  const connection = new Connection({
    who: { account: 'me@x', agent: { id: 'a', software: 's', device: 'd' }, token: { mechanism: 'HT-SHA-256-NONE', secret: 'secret' } },
    servers: () => Promise.resolve(['wss://one/ws']), keepToken: () => undefined, show: (link) => links.push(link), began: (s) => begun.push(s.resumed),
    socket: Stub as unknown as Socket, ...more,
  })
  open.push(connection)
  connection.start()
  return { connection, links, begun, socket: () => Stub.all.at(-1) ?? expect.unreachable() }
}

/** A server that lets everybody in. */
const kind = (then: (frame: string, stub: Stub) => void = () => undefined) => (frame: string, stub: Stub) => {
  if (frame.startsWith('<authenticate')) stub.say(OPEN, features(), success())
  else then(frame, stub)
}
const live = (c: ReturnType<typeof connect>, n = 1) => vi.waitFor(() => expect(c.begun).toHaveLength(n), 20_000)

test('header and login leave together, and the proof is right', async () => {
  const c = connect(kind())
  await live(c)
  const [first, second] = Stub.all[0]?.got ?? []
  expect(first).toMatch(/^<open .*to='x' from='me@x'/)
  expect(second).toContain("mechanism='HT-SHA-256-NONE'")
  expect(second).toContain('<initial-response>bWUACA2fqRfG2mdwLfT/UJDYaTtfjIOMgy1vNmK2gizHprk=</initial-response>') // the name, and HMAC-SHA-256 of 'Initiator'
  expect(second).toContain("<enable xmlns='urn:xmpp:sm:3' resume='true'")
})

test('a server that does not prove itself is not believed', async () => {
  const c = connect((frame, stub) => { if (frame.startsWith('<authenticate')) stub.say(OPEN, features(), success(undefined, 'AAAA')) })
  await vi.waitFor(() => expect(c.connection.link).toMatchObject({ state: 'refused', reason: 'certificate' }), 20_000)
  expect(c.begun).toEqual([])
})

test('a server that wants the password in the clear does not get it', async () => {
  const c = connect((frame, stub) => { if (frame.startsWith('<open')) stub.say(OPEN, features('<mechanism>PLAIN</mechanism>')) },
    { who: { account: 'me@x', agent: { id: 'a', software: 's', device: 'd' }, password: 'pencil pencil' } })
  await vi.waitFor(() => expect(c.connection.link).toMatchObject({ state: 'refused', reason: 'version' }), 20_000)
  expect(Stub.all.flatMap((s) => s.got).join()).not.toContain('pencil')
})

test('a server without stream management cannot keep the promise', async () => {
  const c = connect((frame, stub) => { if (frame.startsWith('<authenticate')) stub.say(OPEN, features(), success("<bound xmlns='urn:xmpp:bind:0'/>")) })
  await vi.waitFor(() => expect(c.connection.link).toMatchObject({ state: 'refused', reason: 'version' }), 20_000)
})

test.each([
  ['<failure xmlns="urn:xmpp:sasl:2"><not-authorized xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/></failure>', 'password'],
  ['<failure xmlns="urn:xmpp:sasl:2"><account-disabled xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/></failure>', 'account-disabled'],
])('a refusal %s ends the tries', async (failure, reason) => {
  const c = connect((frame, stub) => { if (frame.startsWith('<authenticate')) stub.say(OPEN, features(), failure) })
  await vi.waitFor(() => expect(c.connection.link).toMatchObject({ state: 'refused', reason }), 20_000)
  expect(Stub.all).toHaveLength(1)
})

test.each([
  ['noise', ['hello']], ['no features', [OPEN, '<message/>']], ['bytes', [new Uint8Array(3)]], ['a close', [OPEN, "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"]],
  ['busy', [OPEN, features(), '<failure xmlns="urn:xmpp:sasl:2"><temporary-auth-failure xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/></failure>']],
  ['challenges without end', [OPEN, features(), ...Array<string>(9).fill('<challenge xmlns="urn:xmpp:sasl:2">AAAA</challenge>')]],
  ['another login', [OPEN, features(), '<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>']],
])('%s instead of a login: another server is asked', async (_, frames) => {
  const c = connect((frame, stub) => {
    if (!frame.startsWith('<authenticate')) return
    if (stub.url.includes('one')) stub.say(...frames)
    else stub.say(OPEN, features(), success())
  }, { servers: () => Promise.resolve(['wss://one/ws', 'wss://two/ws']) })
  await live(c)
  expect(c.connection.link).toMatchObject({ state: 'fallback', server: 'wss://two/ws' })
})

test('another tab took the session: it is not fought over', async () => {
  const c = connect(kind())
  await live(c)
  c.socket().say("<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
  await vi.waitFor(() => expect(c.connection.link).toMatchObject({ state: 'refused', reason: 'replaced' }), 20_000)
  expect(Stub.all).toHaveLength(1)
})

test('what no parser can read is counted and does no harm', async () => {
  const c = connect(kind())
  await live(c)
  const got: string[] = []
  c.connection.on('message', (m) => { got.push(m.attr('id') ?? '') })
  c.connection.on('message', () => { throw new Error('a mistake in a handler') })
  const errors: unknown[] = []
  const listen = (error: unknown) => errors.push(error)
  const { on, off } = process as unknown as Record<'on' | 'off', (event: string, listener: (error: unknown) => void) => void>
  const before = (process as unknown as { rawListeners(e: string): ((error: unknown) => void)[] }).rawListeners('uncaughtException')
  for (const one of before) off.call(process, 'uncaughtException', one)
  on.call(process, 'uncaughtException', listen)
  c.socket().say("<message xmlns='jabber:client' id='1'/>", "<message xmlns='jabber:client' id='2'><a></message>", '<x>', '<presence xmlns="jabber:client">' + '<a>'.repeat(100) + '</presence>',
    "<message xmlns='jabber:client' id='3'/>", "<r xmlns='urn:xmpp:sm:3'/>")
  await vi.waitFor(() => expect(c.socket().got).toContain("<a xmlns='urn:xmpp:sm:3' h='4'/>"), 20_000)
  await vi.waitFor(() => expect(errors).toHaveLength(2), 20_000)
  off.call(process, 'uncaughtException', listen)
  for (const one of before) on.call(process, 'uncaughtException', one)
  expect(got).toEqual(['1', '3'])
})

test('a count beyond what was sent ends the session, and all is given back', async () => {
  const c = connect(kind())
  await live(c)
  const fates: boolean[] = []
  c.connection.send(message({ to: 'you@x' }), (ok) => fates.push(ok))
  c.socket().say("<a xmlns='urn:xmpp:sm:3' h='7'/>")
  expect(fates).toEqual([false])
  await live(c, 2)
  expect(c.begun).toEqual([false, false])
})

test('a session that cannot go on: what the server had is told from what it had not, and what is sent anew leaves', async () => {
  let logins = 0
  const c = connect((frame, stub) => {
    if (!frame.startsWith('<authenticate')) return
    stub.say(OPEN, features(), success(logins++ ? `<failed xmlns='urn:xmpp:sm:3' h='1'/><bound xmlns='urn:xmpp:bind:0'>${SESSION}</bound>` : undefined))
  })
  await live(c)
  const fates: [string, boolean][] = []
  const send = (id: string): void => c.connection.send(message({ id, to: 'you@x' }), (ok) => {
    fates.push([id, ok])
    if (id === 'b' && !ok) send('again')
  })
  send('a')
  send('b')
  const asked = c.connection.request('get', el('urn:xmpp:ping', 'ping'))
  c.socket().drop()
  send('c')
  await expect(asked).rejects.toMatchObject({ condition: 'disconnected', temporary: true })
  await live(c, 2)
  expect(fates).toEqual([['a', true], ['b', false], ['c', false]])
  expect(c.socket().got.filter((f) => f.startsWith('<message')).map((f) => /id='(\w+)'/.exec(f)?.[1])).toEqual(['again'])
})

test('only whom we asked can answer', async () => {
  const c = connect(kind())
  await live(c)
  const answer = c.connection.request('get', el('urn:xmpp:ping', 'ping'), { to: 'You@X/phone', seconds: 1 })
  const id = /id='([^']+)'/.exec(c.socket().got.find((f) => f.startsWith('<iq')) ?? '')?.[1] ?? ''
  for (const from of ["from='evil@x'", "from='you@x'", "from='me@x'", '']) c.socket().say(`<iq xmlns='jabber:client' type='result' id='${id}' ${from}/>`)
  c.socket().say(`<iq xmlns='jabber:client' type='result' id='${id}' from='you@x/phone'><good xmlns='u'/></iq>`)
  expect(String(await answer)).toContain('good')
  await expect(c.connection.request('get', el('urn:xmpp:ping', 'ping'), { seconds: 0.05 })).rejects.toMatchObject({ condition: 'timeout' })
})

test('a server that says nothing at all is given up', async () => {
  PULSE.answer = 500
  const c = connect(kind())
  await live(c)
  c.connection.send(message({ to: 'you@x' }))
  await live(c, 2)
  expect(c.connection.link.state).toBe('live')
})
