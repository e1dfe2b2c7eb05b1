// From an open address to a session: SASL2 (XEP-0388) with Bind 2 (XEP-0386), stream management and carbons within it. With a token
// (XEP-0484) header and login go out together, and one round trip resumes or binds.

import { domain, local } from './jid.ts'
import { BIND2, CARBONS, CSI, FAST, FRAMING, MAM, SASL2, SM, STREAM, STREAMS } from './ns.ts'
import { Broken, Pipe, type Socket } from './pipe.ts'
import { TOKEN, withPassword, withToken, type Exchange, type Offer, type Token } from './sasl.ts'
import { el, serialise, type Element } from './xml.ts'

/** How long the opening and each answer of the server may take, in milliseconds. */
const OPENING = 20_000
const ANSWER = 12_000
/** How long the server shall keep a session that lost its connection, in seconds. */
const KEEP = 600

/** Who logs in, and with what. */
export interface Identity {
  /** Bare address of the account. */
  account: string
  /** The installation: an id made once here (a UUID), which names the device on the server; the names are shown to people. */
  agent: { id: string; software: string; device: string }
  token?: Token
  /** Only for the first login; the token takes its place. */
  password?: string
}

/** What a login led to. */
export interface Welcome {
  pipe: Pipe
  /** Full address; the bare one after `fetchToken`. */
  jid: string
  /** The session from before goes on; `h` is what the server has of it. */
  resumed?: { h: string | undefined }
  /** The session from before is gone; `h` is how far the server had it, if it still knows. */
  lost?: { h: string | undefined }
  /** Stream management, if the server has it; with an id if it can be resumed. */
  managed: boolean
  id?: string
  /** The ids of the archive's first and last messages, '' for an empty one; undefined if the server did not say. */
  archive?: { first: string; last: string }
  token?: Token
}

/** The server has refused: the condition of the login (RFC 6120 §6.5) or of the stream (§4.9), and the server's words. */
export class Refused extends Error {
  override readonly name = 'Refused'
  constructor(readonly what: 'login' | 'stream', readonly condition: string, readonly text = '') {
    super(text ? `${condition}: ${text}` : condition)
  }
}

/** The header of a stream (RFC 7395 §3.4). */
export const opening = (to: string, from?: string): Element => el(FRAMING, 'open', { to, from, version: '1.0', 'xml:lang': 'en' })

/** The condition and text of a stream error. */
export function streamError(e: Element): Refused {
  const condition = e.children(undefined, STREAMS).find((c) => c.ns === STREAMS && c.name !== 'text')?.name
  return new Refused('stream', condition ?? 'undefined-condition', (e.textOf('text', STREAMS) ?? '').slice(0, 500))
}

/** Reads the next element of a login; errors and ends of the stream are thrown. */
export async function next(pipe: Pipe): Promise<Element> {
  const e = await pipe.read(ANSWER)
  if (e.is('error', STREAM)) throw streamError(e)
  if (e.is('close', FRAMING)) throw new Broken('closed by the server')
  return e
}

/** Waits for the server's header and features. */
export async function features(pipe: Pipe): Promise<Element> {
  const header = await next(pipe)
  const found = header.is('open', FRAMING) ? await next(pipe) : header
  if (!found.is('features', STREAM)) throw new Broken('no XMPP stream')
  return found
}

/** How to log in: the session to go on with, whether nobody looks at the screen, what ends the attempt. */
export interface LoginOptions {
  resume?: { id: string; h: number }
  inactive?: boolean
  socket?: Socket
  signal?: AbortSignal
}

/**
 * Logs in at one server. With `resume` it goes on with that session, if the server still has it, and begins a new one otherwise. It throws Refused,
 * SaslError, or Broken; the WebSocket is closed then.
 */
export function logIn(url: string, who: Identity, { resume, inactive, socket, signal }: LoginOptions = {}): Promise<Welcome> {
  const wishes = [
    resume && el(SM, 'resume', { previd: resume.id, h: resume.h }),
    el(BIND2, 'bind', {}, el(BIND2, 'tag', {}, 'palabre'), el(CARBONS, 'enable'),
      el(SM, 'enable', { resume: 'true', max: KEEP }), inactive && el(CSI, 'inactive')),
  ]
  return authenticate(url, who, { wishes, socket, signal })
}

/** Gets a token for a password without beginning a session, as after a new password. */
export async function fetchToken(url: string, who: Identity & { password: string }, socket?: Socket): Promise<Token | undefined> {
  const { pipe, token } = await authenticate(url, { ...who, token: undefined }, { socket })
  pipe.close()
  return token
}

/** Gets the token that takes the place of a short-lived one, without beginning a session; the same one if the server keeps to it. */
export async function renewToken(url: string, who: Identity & { token: Token }, socket?: Socket): Promise<Token> {
  const { pipe, token } = await authenticate(url, who, { socket })
  pipe.close()
  return token ?? who.token
}

/** Takes this installation's tokens away from the server (XEP-0484 §3.4), as when somebody signs out. */
export async function dropToken(url: string, who: Identity & { token: Token }, socket?: Socket): Promise<void> {
  const { pipe } = await authenticate(url, who, { socket, invalidate: true })
  pipe.close()
}

interface Plan { wishes?: (Element | undefined)[]; invalidate?: boolean; socket?: Socket; signal?: AbortSignal }

async function authenticate(url: string, who: Identity, plan: Plan): Promise<Welcome> {
  const header = serialise(opening(domain(who.account), who.account))
  let exchange: Exchange | undefined = who.token && withToken(local(who.account), who.token)
  const early = exchange && await request(exchange, who, plan)
  const pipe = await Pipe.open(url, early ? [header, serialise(early)] : [header], OPENING, plan)
  try {
    const offered = await features(pipe)
    if (!exchange) {
      exchange = withPassword(local(who.account), who.password ?? '', offerOf(offered))
      pipe.write(await request(exchange, who, plan))
    }
    return welcome(pipe, await converse(pipe, exchange), who)
  } catch (error) {
    pipe.abort()
    throw error
  }
}

function offerOf(offered: Element): Offer {
  const bindings = offered.child('sasl-channel-binding', 'urn:xmpp:sasl-cb:0')?.children('channel-binding') ?? []
  return {
    mechanisms: offered.child('authentication', SASL2)?.children('mechanism').map((m) => m.text) ?? [],
    bindings: bindings.map((b) => b.attr('type') ?? ''),
  }
}

async function request(exchange: Exchange, who: Identity, { wishes = [], invalidate }: Plan): Promise<Element> {
  const { id, software, device } = who.agent
  const token = exchange.mechanism === TOKEN
  return el(SASL2, 'authenticate', { mechanism: exchange.mechanism },
    el(SASL2, 'initial-response', {}, await exchange.begin()),
    el(SASL2, 'user-agent', { id }, el(SASL2, 'software', {}, software), el(SASL2, 'device', {}, device)),
    token ? el(FAST, 'fast', { invalidate: invalidate ? 'true' : undefined }) : el(FAST, 'request-token', { mechanism: TOKEN }),
    ...wishes)
}

/** Takes the exchange to its end and gives the `<success/>`. */
async function converse(pipe: Pipe, exchange: Exchange): Promise<Element> {
  for (let turn = 0; turn < 5; turn++) {
    const e = await next(pipe)
    if (e.is('challenge', SASL2)) {
      pipe.write(el(SASL2, 'response', {}, await exchange.answer(e.text)))
    } else if (e.is('success', SASL2)) {
      await exchange.finish(e.textOf('additional-data') ?? '')
      return e
    } else if (e.is('failure', SASL2)) {
      throw new Refused('login', e.children().find((c) => c.name !== 'text')?.name ?? 'not-authorized', (e.textOf('text') ?? '').slice(0, 500))
    } else throw new Broken(`<${e.name}> in the middle of a login`)
  }
  throw new Broken('a login without end')
}

/** Reads what the success brought. */
function welcome(pipe: Pipe, success: Element, who: Identity): Welcome {
  const bound = success.child('bound', BIND2)
  const enabled = bound?.child('enabled', SM)
  const resumed = success.child('resumed', SM)
  const lost = success.child('failed', SM)
  const fresh = success.child('token', FAST)
  const secret = fresh?.attr('token')
  const archive = bound?.child('metadata', MAM)
  return {
    pipe, jid: success.textOf('authorization-identifier') || who.account,
    resumed: resumed && { h: resumed.attr('h') }, lost: lost && { h: lost.attr('h') },
    managed: !!enabled, id: enabled?.attr('resume') === 'true' || enabled?.attr('resume') === '1' ? enabled.attr('id') : undefined,
    archive: archive && { first: archive.child('start')?.attr('id') ?? '', last: archive.child('end')?.attr('id') ?? '' },
    token: secret ? { mechanism: TOKEN, secret, expiry: fresh?.attr('expiry') } : undefined,
  }
}
