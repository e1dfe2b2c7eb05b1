// How somebody gets an account with an invitation (XEP-0445, XEP-0077), before there is a session; and what people do with the account they
// have: a new password, the end, invitations for others (XEP-0401).

import { domain as domainOf, local } from './jid.ts'
import { execute } from './command.ts'
import { features, next, opening } from './login.ts'
import { PREAUTH, REGISTER } from './ns.ts'
import { Pipe, type Socket } from './pipe.ts'
import type { Session } from './session.ts'
import { errorOf, iq, newID, StanzaError } from './stanza.ts'
import { parseTime } from './time.ts'
import type { Micros } from '../model.ts'
import { el, serialise, type Element } from './xml.ts'

const OPENING = 20_000

/** A stream on which an account can be made. Each call fails with a StanzaError of the server's, or as a login does when the way breaks. */
export interface Registration {
  /**
   * Shows the invitation's token, and gives the name that it is good for alone, if there is one. Errors: `item-not-found` for a token that is
   * unknown, used up or over; `resource-constraint` after too many tries from this address.
   */
  invite(token: string): Promise<{ name?: string }>
  /**
   * Asks whether a name could be had, after invite() (docs/protocol/register-name.md); undefined if it could. Otherwise in the server's words: `taken`,
   * `unusable`. Other errors are thrown; `resource-constraint` after some 60 questions in an hour.
   */
  free(name: string): Promise<{ why: 'taken' | 'unusable'; text: string } | undefined>
  /**
   * Makes the account. Errors: `conflict` when the name is taken or reserved; `not-acceptable` for a name or a password that cannot be used, in the
   * server's words; `item-not-found` when the invitation was used up meanwhile; `not-allowed` without one; `resource-constraint` as above.
   * A connection that breaks after this was sent leaves it open whether there is an account: a login with the password tells.
   */
  create(name: string, password: string): Promise<void>
  close(): void
}

/** Opens a stream to a domain without logging in. */
export async function openRegistration(url: string, domain: string, socket?: Socket): Promise<Registration> {
  const pipe = await Pipe.open(url, [serialise(opening(domain))], OPENING, { socket })
  await features(pipe).catch((error: unknown) => {
    pipe.abort()
    throw error
  })
  const ask = async (type: 'get' | 'set', payload: Element): Promise<Element> => {
    const id = newID()
    pipe.write(iq({ type, id, to: domain }, payload))
    for (;;) {
      const answer = await next(pipe)
      if (answer.attr('id') !== id) continue
      if (answer.attr('type') === 'error') throw errorOf(answer)
      return answer
    }
  }
  return {
    async invite(token) {
      await ask('set', el(PREAUTH, 'preauth', { token }))
      const query = (await ask('get', el(REGISTER, 'query'))).child('query', REGISTER)
      return { name: query?.textOf('username') || undefined }
    },
    async free(name) {
      try {
        await ask('get', el(REGISTER, 'query', {}, el(REGISTER, 'username', {}, name)))
        return undefined
      } catch (error) {
        const why = error instanceof StanzaError ? { conflict: 'taken', 'not-acceptable': 'unusable' }[error.condition] : undefined
        if (!why) throw error
        return { why: why as 'taken' | 'unusable', text: (error as StanzaError).text }
      }
    },
    async create(name, password) {
      await ask('set', credentials(name, password))
    },
    close: () => pipe.close(),
  }
}

const credentials = (name: string, password: string) =>
  el(REGISTER, 'query', {}, el(REGISTER, 'username', {}, name), el(REGISTER, 'password', {}, password))

/** An invitation, as links give it: https://…/invite/TOKEN, or xmpp:…?register;preauth=TOKEN and ?roster;preauth=TOKEN (XEP-0401 §5). */
export interface Invitation {
  /** The server's domain, for an xmpp: link. */
  domain?: string
  token: string
  /** Who invites, and becomes a contact. */
  from?: string
  /** The name that it is for. */
  name?: string
}

/** Reads an invitation, undefined if a text is none. */
export function parseInvitation(link: string): Invitation | undefined {
  const web = /^https:\/\/[^/]+\/invite\/([A-Za-z\d_-]{8,64})\/?$/.exec(link)
  if (web?.[1]) return { token: web[1] }
  const [, address, query] = /^xmpp:([^?/]+)\?((?:register|roster)(?:;.*)?)$/.exec(link) ?? []
  const token = /;preauth=([\w-]{1,64})(?:;|$)/.exec(query ?? '')?.[1]
  let jid: string
  try {
    jid = decodeURIComponent(address ?? '')
  } catch {
    return undefined
  }
  if (!jid || !token) return undefined
  const who = jid.includes('@')
  const roster = query?.startsWith('roster')
  return { domain: domainOf(jid), token, from: who && roster ? jid : undefined, name: who && !roster ? local(jid) : undefined }
}

/** Makes an invitation for somebody who becomes a contact (XEP-0401). Fails with `forbidden` when members may not invite. */
export async function invite(session: Session): Promise<{ uri: string; web?: string; expires?: Micros }> {
  const { values } = await execute(session, 'urn:xmpp:invite#invite')
  const one = (name: string) => values.get(name)?.[0]
  return { uri: one('uri') ?? '', web: one('landing-url'), expires: parseTime(one('expire')) }
}

/**
 * Gives the account a new password. Other sessions end and all tokens are void, so the caller gets a new one at once (login.ts fetchToken).
 * Fails with `not-acceptable` for one that cannot be used, `resource-constraint` after too many.
 */
export async function changePassword(session: Session, password: string): Promise<void> {
  await session.request('set', credentials(local(session.account), password), { to: domainOf(session.account) })
}

/** Deletes the account with all that the server keeps of it. `disconnected` leaves it open whether it was: then the next login is refused. */
export async function deleteAccount(session: Session): Promise<void> {
  await session.request('set', el(REGISTER, 'query', {}, el(REGISTER, 'remove')), { to: domainOf(session.account), seconds: 60 })
}
