// Stanzas and their errors (RFC 6120 §8).

import { CLIENT, STANZAS } from './ns.ts'
import { el, Element, type Node } from './xml.ts'

type Attributes = { to?: string; from?: string; id?: string; type?: string }
type Child = Node | undefined | null | false

/** Builds a message; type `chat` unless said otherwise. */
export const message = (attrs: Attributes, ...children: Child[]): Element => el(CLIENT, 'message', { type: 'chat', ...attrs }, ...children)

/** Builds a presence. */
export const presence = (attrs: Attributes = {}, ...children: Child[]): Element => el(CLIENT, 'presence', attrs, ...children)

/** Builds an iq. */
export const iq = (attrs: Attributes, ...children: Child[]): Element => el(CLIENT, 'iq', attrs, ...children)

/** Says whether an element is a message, presence or iq: those are counted by stream management. */
export const isStanza = (e: Element): boolean => e.ns === CLIENT && /^(message|presence|iq)$/.test(e.name)

/** A fresh id: 96 random bits in 16 letters, digits, - and _. */
export function newID(): string {
  return base64(crypto.getRandomValues(new Uint8Array(12))).replaceAll('+', '-').replaceAll('/', '_')
}

/** Writes bytes in base64 (RFC 4648 §4). */
export function base64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return btoa(text)
}

/** Reads base64, white space allowed; undefined for anything else. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const packed = text.replace(/\s+/g, '')
  if (packed.length % 4 || !/^[A-Za-z\d+/]*={0,2}$/.test(packed)) return undefined
  try {
    return Uint8Array.from(atob(packed), (c) => c.charCodeAt(0))
  } catch {
    return undefined // padding in a wrong place
  }
}

/** An error that somebody answered with (RFC 6120 §8.3), or one of our own: condition `timeout` or `disconnected`. */
export class StanzaError extends Error {
  override readonly name = 'StanzaError'
  /** The condition, as `item-not-found`. */
  readonly condition: string
  /** `auth`, `cancel`, `continue`, `modify` or `wait`. */
  readonly type: string
  /** What the other side says in words; for the log. */
  readonly text: string
  /** The application's own condition, if there is one. */
  readonly detail: Element | undefined

  constructor(condition: string, type = 'cancel', text = '', detail?: Element) {
    super(text ? `${condition}: ${text}` : condition)
    this.condition = condition
    this.type = type
    this.text = text
    this.detail = detail
  }

  /** Says whether the same can be tried again without a change: nothing was decided against it. */
  get temporary(): boolean {
    return this.type === 'wait'
  }
}

/** The error in a stanza of type error; `undefined-condition` if it says none. */
export function errorOf(stanza: Element): StanzaError {
  const error = stanza.child('error')
  let condition = 'undefined-condition'
  let detail: Element | undefined
  for (const child of error?.children() ?? []) {
    if (child.ns !== STANZAS) detail ??= child
    else if (child.name !== 'text') condition = child.name
  }
  return new StanzaError(condition, error?.attr('type') ?? 'cancel', (error?.textOf('text', STANZAS) ?? '').slice(0, 1000), detail)
}

/** The answer to a request that cannot be served. */
export function errorReply(request: Element, condition: string, type = 'cancel'): Element {
  const { from, id } = request.attrs
  return iq({ to: from, id, type: 'error' }, el(CLIENT, 'error', { type }, el(STANZAS, condition)))
}
