// EMVCo customer-presented mode (EMV QRCPS CPM 1.1): what a customer shows and a shop scans, to ask them for money. Base64 of BER-TLV; ours has an application template with an identifier
// of our own, the customer's name and address. It says who they are and allows nothing: what is asked is confirmed on the customer's own phone.
import { CodeError, need } from './wrong.ts'

/** Customer is who shows a code. */
export interface Customer { jid: string; name: string }

const maxCode = 512
const format = 'CPV01'
/** F (not registered, proprietary) and our name. */
const application = [0xf0, 0x50, 0x41, 0x4c, 0x41, 0x42, 0x52, 0x45]

/** isCustomer tells whether a code begins as one that a customer shows. */
export const isCustomer = (code: string): boolean => code.startsWith('hQVDUFYwM')

type Node = readonly [tag: number, value: Uint8Array]

/** readCustomer reads a code; one of another network is refused as unknown. */
export function readCustomer(code: string): Customer {
  need(code.length <= maxCode, 'too-long')
  let bytes: Uint8Array
  try { bytes = Uint8Array.from(atob(code), (c) => c.charCodeAt(0)) } catch { throw new CodeError('broken') }
  need(btoa(String.fromCharCode(...bytes)) === code, 'broken')
  const [first, ...rest] = read(bytes)
  need(first?.[0] === 0x85 && textOf(first[1]) === format, 'unknown', '85')
  for (const [tag, value] of rest) {
    if (tag !== 0x61) continue
    const inside = new Map(read(value))
    if (!application.every((byte, i) => inside.get(0x4f)?.[i] === byte)) continue
    const address = textOf(inside.get(0x5f50) ?? new Uint8Array())
    need(/^xmpp:[^\s@/?]{1,64}@[^\s@/?]{1,253}$/u.test(address), 'broken', '5F50')
    return { jid: address.slice(5), name: textOf(inside.get(0x5f20) ?? new Uint8Array()) }
  }
  throw new CodeError('unknown', '61')
}

/** writeCustomer writes a code; a name is cut to 26 bytes, as the specification has it. */
export function writeCustomer({ jid, name }: Customer): string {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
  let called = [...name]
  while (encode(called.join('')).length > 26) called = called.slice(0, -1)
  const inside = join([[0x4f, Uint8Array.from(application)], [0x50, encode('Palabre')], [0x5f20, encode(called.join(''))], [0x5f50, encode(`xmpp:${jid}`)]])
  const code = btoa(String.fromCharCode(...join([[0x85, encode(format)], [0x61, inside]])))
  need(code.length <= maxCode, 'too-long')
  return code
}

function textOf(bytes: Uint8Array): string {
  try { return new TextDecoder('utf-8', { fatal: true }).decode(bytes) } catch { throw new CodeError('broken') }
}

/** read reads objects one behind the other: tags of one or two bytes, lengths of one to three. */
function read(bytes: Uint8Array): Node[] {
  const found: Node[] = []
  let at = 0
  const next = (): number => { const byte = bytes[at++]; if (byte === undefined) throw new CodeError('broken'); return byte }
  while (at < bytes.length) {
    let tag = next()
    if ((tag & 0x1f) === 0x1f) tag = (tag << 8) | next()
    let length = next()
    if (length === 0x81) length = next()
    else if (length === 0x82) length = (next() << 8) | next()
    else need(length < 0x80, 'broken')
    need(at + length <= bytes.length, 'broken')
    found.push([tag, bytes.slice(at, at + length)])
    at += length
  }
  return found
}

function join(nodes: Node[]): Uint8Array {
  return Uint8Array.from(nodes.flatMap(([tag, value]) => {
    if (!value.length) return []
    const length = value.length < 0x80 ? [value.length] : value.length < 0x100 ? [0x81, value.length] : [0x82, value.length >> 8, value.length & 0xff]
    return [...(tag > 0xff ? [tag >> 8, tag & 0xff] : [tag]), ...length, ...value]
  }))
}
