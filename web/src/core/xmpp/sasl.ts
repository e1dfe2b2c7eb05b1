// How the client proves who it is: with a password by SCRAM (RFC 5802, RFC 7677), so that the server never sees it, and from then on with a
// token (FAST, XEP-0484). A browser cannot bind to the TLS channel, so there is no -PLUS; PLAIN is never used, whatever a server offers.

import { base64, fromBase64, newID } from './stanza.ts'

/** The token mechanism that needs no channel binding. */
export const TOKEN = 'HT-SHA-256-NONE'
/** The fewest and the most iterations that a server may ask for. */
const ITERATIONS = { least: 4096, most: 1_000_000 }

/** What stands in for the password on later connections; the password itself is kept nowhere. */
export interface Token {
  mechanism: typeof TOKEN
  secret: string
  /** When the server forgets it, as it says (RFC 3339). */
  expiry?: string
}

/** The login cannot go on: `downgrade` if somebody changed the offer on its way, `unproven` if the server did not prove that it knows us. */
export class SaslError extends Error {
  override readonly name = 'SaslError'
  constructor(readonly reason: 'no-mechanism' | 'downgrade' | 'unproven' | 'malformed' | 'password') {
    super(reason)
  }
}

/** What a server offered: names of mechanisms, and the types of channel binding that it announced (XEP-0440). Both are signed. */
export interface Offer {
  mechanisms: string[]
  bindings: string[]
}

/** One attempt to log in. */
export interface Exchange {
  readonly mechanism: string
  /** The initial response, in base64. */
  begin(): Promise<string>
  /** Answers a challenge, both in base64. */
  answer(challenge: string): Promise<string>
  /** Checks what came with the success; throws a SaslError unless the server has proved itself. */
  finish(data: string): Promise<void>
}

const utf8 = new TextEncoder()
const HASHES: Record<string, string> = { 'SCRAM-SHA-256': 'SHA-256', 'SCRAM-SHA-1': 'SHA-1' }

async function hmac(hash: string, secret: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8.encode(text)))
}

/** Prepares a password as the server does (RFC 4013); throws a SaslError for one that cannot be used. */
export function preparePassword(password: string): string {
  const prepared = password
    .replace(/[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g, '')
    .replace(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, ' ').normalize('NFKC')
  if (!prepared || utf8.encode(prepared).length > 1023 || /\p{Cc}/u.test(prepared)) throw new SaslError('password')
  return prepared
}

/** Begins an exchange with a password by the best mechanism on offer; throws a SaslError if there is none. */
export function withPassword(username: string, password: string, offer: Offer): Exchange {
  const mechanism = ['SCRAM-SHA-256', 'SCRAM-SHA-1'].find((name) => offer.mechanisms.includes(name))
  if (!mechanism) throw new SaslError('no-mechanism')
  return new Scram(mechanism, username, preparePassword(password), offer)
}

class Scram implements Exchange {
  private readonly hash: string
  private readonly first: string
  private readonly nonce = newID() + newID()
  private expected = ''

  constructor(readonly mechanism: string, username: string, private readonly password: string, private readonly offer: Offer) {
    this.hash = HASHES[mechanism] ?? ''
    this.first = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${this.nonce}`
  }

  begin(): Promise<string> {
    return Promise.resolve(base64(utf8.encode('n,,' + this.first)))
  }

  async answer(challenge: string): Promise<string> {
    const text = readText(challenge)
    const [, nonce, salt64, count, rest = ''] = /^r=([!-+\--~]+),s=([^,]+),i=([1-9]\d{0,8})((?:,[^]*)?)$/.exec(text) ?? []
    const salt = salt64 && fromBase64(salt64)
    if (!nonce || !salt || !salt.length || !nonce.startsWith(this.nonce) || nonce === this.nonce || /,m=/.test(rest)) throw new SaslError('malformed')
    const iterations = Number(count)
    if (iterations < ITERATIONS.least || iterations > ITERATIONS.most) throw new SaslError('malformed')
    await this.checkOffer(rest)
    const salted = await this.derive(salt, iterations)
    const clientKey = await hmac(this.hash, salted, 'Client Key')
    const stored = new Uint8Array(await crypto.subtle.digest(this.hash, clientKey))
    const bare = `c=biws,r=${nonce}`
    const signed = `${this.first},${text},${bare}`
    const signature = await hmac(this.hash, stored, signed)
    this.expected = base64(await hmac(this.hash, await hmac(this.hash, salted, 'Server Key'), signed))
    return base64(utf8.encode(`${bare},p=${base64(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)))}`))
  }

  /** XEP-0474 §6: the server signs what it has offered. One that does not is believed. */
  private async checkOffer(extensions: string): Promise<void> {
    const said = extensions.split(',').filter((part) => part.startsWith('h='))
    if (!said.length) return
    const { mechanisms, bindings } = this.offer
    const lists = (bindings.length ? [mechanisms, bindings] : [mechanisms]).map((names) => names.slice().sort().join('\x1e'))
    const seen = utf8.encode(lists.join('\x1f'))
    if (said.length > 1 || said[0]?.slice(2) !== base64(new Uint8Array(await crypto.subtle.digest(this.hash, seen)))) throw new SaslError('downgrade')
  }

  private async derive(salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<Uint8Array<ArrayBuffer>> {
    const key = await crypto.subtle.importKey('raw', utf8.encode(this.password), 'PBKDF2', false, ['deriveBits'])
    const bits = this.hash === 'SHA-1' ? 160 : 256
    return new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: this.hash, salt, iterations }, key, bits))
  }

  finish(data: string): Promise<void> {
    const text = readText(data)
    return this.expected && text === 'v=' + this.expected ? Promise.resolve() : Promise.reject(new SaslError('unproven'))
  }
}

function readText(data: string): string {
  const bytes = fromBase64(data)
  if (!bytes || bytes.length > 4096) throw new SaslError('malformed')
  return new TextDecoder().decode(bytes)
}

/** Begins an exchange with a token: one message, and the server's proof with its success. */
export function withToken(username: string, token: Token): Exchange {
  const key = utf8.encode(token.secret)
  return {
    mechanism: token.mechanism,
    async begin() {
      const proof = await hmac('SHA-256', key, 'Initiator')
      return base64(new Uint8Array([...utf8.encode(username), 0, ...proof]))
    },
    answer: () => Promise.reject(new SaslError('malformed')),
    async finish(data) {
      if (data !== base64(await hmac('SHA-256', key, 'Responder'))) throw new SaslError('unproven')
    },
  }
}
