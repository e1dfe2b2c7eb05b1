// Signatures of posts (docs/protocol/channels.md, "Signatures"): the bytes that are signed, making and checking.

import { hashes, getPublicKey, signAsync, verifyAsync } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { signatureOf } from './channels.ts'
import { CHANNEL } from './ns.ts'
import { base64, fromBase64 } from './stanza.ts'
import { el, Element } from './xml.ts'

hashes.sha512 = sha512
hashes.sha512Async = (message) => Promise.resolve(sha512(message))

/** The node at which an account publishes its keys, and the namespace of what is in it. */
export const KEYS = 'urn:palabre:signing-keys:0'
const XML = 'http://www.w3.org/XML/1998/namespace'
const encoder = new TextEncoder()

const net = (text: string): string => `${encoder.encode(text).length}:${text},`

/** Compares as UTF-8 does, byte by byte. */
function compare(a: string, b: string): number {
  const [x, y] = [encoder.encode(a), encoder.encode(b)]
  for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return (x[i] ?? 0) - (y[i] ?? 0)
  return x.length - y.length
}

/** An attribute's namespace, name and value. */
function attributes(e: Element): [string, string, string][] {
  const all = Object.entries(e.attrs).map(([key, value]): [string, string, string] => {
    const [, ns, name] = /^\{(.*)\}(.+)$/.exec(key) ?? []
    return name ? [ns ?? '', name, value] : key.startsWith('xml:') ? [XML, key.slice(4), value] : ['', key, value]
  })
  return all.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
}

function canonical(e: Element, top: boolean): string {
  let out = '(' + net(e.ns) + net(e.name)
  for (const [ns, name, value] of attributes(e)) out += '@' + net(ns) + net(name) + net(value)
  let text = ''
  const flush = () => {
    if (text) out += 't' + net(text)
    text = ''
  }
  for (const node of e.nodes) {
    if (typeof node === 'string') text += node
    else if (!top || !node.is('signature', CHANNEL)) {
      flush()
      out += canonical(node, false)
    }
  }
  flush()
  return out + ')'
}

/** The bytes that the signature of a post is for. `channel` is its address, NAME@channels.example. */
export const signedBytes = (channel: string, item: string, entry: Element): Uint8Array => encoder.encode(`${CHANNEL}#signed\n` + net(channel) + net(item) + canonical(entry, true))

/** The name of a public key: its SHA-256 in base64 for addresses, without padding. */
export async function fingerprint(key: Uint8Array<ArrayBuffer>): Promise<string> {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', key))
  return base64(sum).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** The public key of a private one of 32 bytes. */
export const publicKey = (seed: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(getPublicKey(seed))

/** Signs a post: gives its entry with the signature in it. The entry must be as it was parsed, so that what is signed is what leaves. */
export async function sign(seed: Uint8Array, by: string, channel: string, item: string, entry: Element): Promise<Element> {
  const value = base64(await signAsync(signedBytes(channel, item, entry), seed))
  return new Element(entry.ns, entry.name, entry.attrs, [...entry.nodes, el(CHANNEL, 'signature', { by, key: await fingerprint(publicKey(seed)) }, value)])
}

/** Whether the signature in a post is by this public key, given in base64. */
export async function fits(key: string, channel: string, item: string, entry: Element): Promise<boolean> {
  const [value, bytes] = [fromBase64(signatureOf(entry)?.value ?? ''), fromBase64(key)]
  if (value?.length !== 64 || bytes?.length !== 32) return false
  try {
    return await verifyAsync(value, signedBytes(channel, item, entry), bytes, { zip215: false })
  } catch {
    return false // no point of the curve
  }
}
