// The XML of the wire: one element for each WebSocket frame (RFC 7395 §3.3), in the restricted form of RFC 6120 §11. Whatever a peer sends
// is parsed here first, within limits; what is wrong gives undefined and never an exception. Left out on purpose: DTDs, comments,
// processing instructions, entities beyond the predefined five.

/** Longest frame that is read, in UTF-16 code units: twice what the server lets a client send, since it wraps what it forwards. */
export const MAX_FRAME = 1 << 21
/** How deep elements may stand within each other, as at the server. */
export const MAX_DEPTH = 64
/** How many elements one frame may hold. */
export const MAX_ELEMENTS = 20_000
/** How many attributes one element may have, declarations of namespaces included. */
export const MAX_ATTRIBUTES = 64

const XML = 'http://www.w3.org/XML/1998/namespace'
const XMLNS = 'http://www.w3.org/2000/xmlns/'

/** What stands in an element: elements and text. */
export type Node = Element | string

/** One element. Attributes without a prefix have their name as key, xml:lang has `xml:lang`, others `{namespace}name`. */
export class Element {
  readonly ns: string
  readonly name: string
  readonly attrs: Record<string, string>
  readonly nodes: Node[]

  constructor(ns: string, name: string, attrs: Record<string, string> = {}, nodes: Node[] = []) {
    this.ns = ns
    this.name = name
    this.attrs = attrs
    this.nodes = nodes
  }

  /** Says whether it has this name and this namespace. */
  is(name: string, ns: string): boolean {
    return this.name === name && this.ns === ns
  }

  /** An attribute, undefined if it is not there. */
  attr(name: string): string | undefined {
    return Object.hasOwn(this.attrs, name) ? this.attrs[name] : undefined
  }

  /** The child elements, all or those with a name, in a namespace: this element's own unless said otherwise. */
  children(name?: string, ns = this.ns): Element[] {
    return this.nodes.filter((n): n is Element => typeof n !== 'string' && (name === undefined || n.is(name, ns)))
  }

  /** The first child with this name, in this element's own namespace unless said otherwise. */
  child(name: string, ns = this.ns): Element | undefined {
    return this.children(name, ns)[0]
  }

  /** The first child in a namespace, whatever its name. */
  in(ns: string): Element | undefined {
    return this.children().find((c) => c.ns === ns)
  }

  /** All the text that stands directly in it. */
  get text(): string {
    return this.nodes.filter((n) => typeof n === 'string').join('')
  }

  /** The text of the first child with this name, undefined if there is none. */
  textOf(name: string, ns = this.ns): string | undefined {
    return this.child(name, ns)?.text
  }

  toString(): string {
    return serialise(this)
  }
}

/** Builds an element. Attributes and nodes that are undefined, null or false are left out; numbers are written in decimal. */
export function el(
  ns: string, name: string, attrs: Record<string, string | number | undefined> = {}, ...nodes: (Node | number | undefined | null | false)[]
): Element {
  const kept: Record<string, string> = {}
  for (const key in attrs) if (attrs[key] !== undefined) kept[key] = String(attrs[key])
  return new Element(ns, name, kept, nodes.flatMap((n) => n === undefined || n === null || n === false ? [] : typeof n === 'number' ? String(n) : n))
}

// What XML 1.0 §2.2 does not allow, unpaired surrogates included: one such character from a text field would end the stream.
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
const SUSPECT = /[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]/
const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&apos;', '\n': '&#10;', '\t': '&#9;', '\r': '&#13;' }
const escape = (text: string, which: RegExp) =>
  (SUSPECT.test(text) ? text.replace(FORBIDDEN, '\ufffd') : text).replace(which, (c) => ESCAPES[c] ?? c)

/** Writes an element. `inherited` is the namespace that is the default where it will stand: none for a frame of its own. */
export function serialise(e: Element, inherited = ''): string {
  let out = '<' + e.name
  if (e.ns !== inherited) out += attribute('xmlns', e.ns)
  let prefixes = 0
  for (const key in e.attrs) {
    const [, ns, name] = /^\{(.*)\}(.+)$/.exec(key) ?? []
    if (name) {
      const prefix = 'n' + prefixes++
      out += attribute('xmlns:' + prefix, ns ?? '') + attribute(prefix + ':' + name, e.attrs[key] ?? '')
    } else out += attribute(key, e.attrs[key] ?? '')
  }
  if (!e.nodes.length) return out + '/>'
  out += '>'
  for (const n of e.nodes) out += typeof n === 'string' ? escape(n, /[&<>\r]/g) : serialise(n, e.ns)
  return out + '</' + e.name + '>'
}

const attribute = (name: string, value: string) => ` ${name}='${escape(value, /[&<'\n\t\r]/g)}'`

const START = 'A-Za-z_\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c\\u200d\\u2070-\\u218f' +
  '\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd'
const NAME = `[${START}][${START}\\w.\\u00b7\\u0300-\\u036f-]*`
const QNAME = new RegExp(`(?:(${NAME}):)?(${NAME})`, 'y')
const SPACE = /[ \t\r\n]*/y
const NAMED: Record<string, string | undefined> = { __proto__: null as never, lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** The character for what stands between & and ;, undefined if there is none or XML does not allow it. */
function reference(name: string): string | undefined {
  const number = /^#(?:(\d+)|x([\da-fA-F]+))$/.exec(name)
  if (!number) return NAMED[name]
  const code = number[1] ? parseInt(number[1], 10) : parseInt(number[2] ?? '', 16)
  const char = code <= 0x10ffff ? String.fromCodePoint(code) : '\0'
  return char.search(FORBIDDEN) < 0 ? char : undefined
}

interface Frame { element: Element; prefix: string; scope: Map<string, string> }

/** Reads the one element of a frame; undefined if it is not well-formed, holds what is not allowed, or is beyond the limits. */
export function parse(frame: string): Element | undefined {
  if (frame.length > MAX_FRAME || (SUSPECT.test(frame) && frame.search(FORBIDDEN) >= 0)) return undefined
  return new Parser(frame).read()
}

class Parser {
  private at = 0
  private count = 0
  private failed = false
  private readonly stack: Frame[] = []
  private root: Element | undefined

  constructor(private readonly input: string) {}

  read(): Element | undefined {
    while (!this.failed && this.at < this.input.length) {
      const open = this.input.indexOf('<', this.at)
      const until = open < 0 ? this.input.length : open
      if (until > this.at) this.text(this.input.slice(this.at, until))
      this.at = until
      if (open < 0) break
      if (this.input.startsWith('</', open)) this.close()
      else if (this.input.startsWith('<![CDATA[', open)) this.cdata()
      else this.open()
    }
    return this.failed || this.stack.length ? undefined : this.root
  }

  private fail(): undefined {
    this.failed = true
  }

  private add(node: Node): void {
    const top = this.stack.at(-1)
    if (top) top.element.nodes.push(node)
    else if (typeof node !== 'string' && !this.root) this.root = node
    else if (typeof node !== 'string' || /[^ \t\r\n]/.test(node)) this.fail()
  }

  private text(raw: string): void {
    const text = raw.includes(']]>') ? undefined : this.decode(raw.replace(/\r\n?/g, '\n'))
    if (text === undefined) this.fail()
    else this.add(text)
  }

  private cdata(): void {
    const end = this.input.indexOf(']]>', this.at)
    if (end < 0 || !this.stack.length) return this.fail()
    this.add(this.input.slice(this.at + 9, end).replace(/\r\n?/g, '\n'))
    this.at = end + 3
  }

  /** Replaces references; undefined if one is not known or stands for what XML does not allow. */
  private decode(raw: string): string | undefined {
    let out = ''
    let from = 0
    for (let at = raw.indexOf('&'); at >= 0; at = raw.indexOf('&', from)) {
      const end = raw.indexOf(';', at)
      const char = end < 0 || end > at + 9 ? undefined : reference(raw.slice(at + 1, end))
      if (char === undefined) return undefined
      out += raw.slice(from, at) + char
      from = end + 1
    }
    return from ? out + raw.slice(from) : raw
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.input)
    if (found) this.at = pattern.lastIndex
    return found
  }

  private close(): void {
    this.at += 2
    const name = this.match(QNAME)
    this.match(SPACE)
    const top = this.stack.pop()
    if (!name || !top || name[2] !== top.element.name || (name[1] ?? '') !== top.prefix || this.input[this.at] !== '>') return this.fail()
    this.at++
  }

  private open(): void {
    this.at++
    const name = this.match(QNAME)
    if (!name || ++this.count > MAX_ELEMENTS || this.stack.length >= MAX_DEPTH) return this.fail()
    const raw = this.attributes()
    if (!raw) return
    const scope = this.declare(raw)
    const prefix = name[1] ?? ''
    const ns = prefix === 'xml' ? XML : scope.get(prefix)
    if (ns === undefined && prefix) return this.fail()
    const attrs = this.resolve(raw, scope)
    if (!attrs) return
    const element = new Element(ns ?? '', name[2] ?? '', attrs)
    this.add(element)
    if (this.input.startsWith('/>', this.at)) this.at += 2
    else if (this.input[this.at++] === '>') this.stack.push({ element, prefix, scope })
    else this.fail()
  }

  /** Reads attributes as [prefix, name, value] up to the end of the tag. */
  private attributes(): [string, string, string][] | undefined {
    const out: [string, string, string][] = []
    for (;;) {
      const space = this.match(SPACE)?.[0]
      const next = this.input[this.at]
      if (next === '>' || next === '/') return out
      const name = space ? this.match(QNAME) : null
      this.match(SPACE)
      if (!name || out.length >= MAX_ATTRIBUTES || this.input[this.at++] !== '=') return this.fail()
      this.match(SPACE)
      const quote = this.input[this.at]
      const end = quote === '"' || quote === "'" ? this.input.indexOf(quote, this.at + 1) : -1
      const value = end < 0 ? '<' : this.input.slice(this.at + 1, end)
      const decoded = value.includes('<') ? undefined : this.decode(value.replace(/\r\n|[\r\n\t]/g, ' '))
      if (decoded === undefined) return this.fail()
      out.push([name[1] ?? '', name[2] ?? '', decoded])
      this.at = end + 1
    }
  }

  /** The namespaces that hold within an element. */
  private declare(raw: [string, string, string][]): Map<string, string> {
    const outer = this.stack.at(-1)?.scope
    let scope = outer
    for (const [prefix, name, value] of raw) {
      const declared = prefix === 'xmlns' ? name : prefix === '' && name === 'xmlns' ? '' : undefined
      if (declared === undefined) continue
      if (scope === outer) scope = new Map(outer)
      if (declared.startsWith('xml') || value === XML || value === XMLNS || (declared && !value)) this.fail()
      scope?.set(declared, value)
    }
    return scope ?? new Map()
  }

  private resolve(raw: [string, string, string][], scope: Map<string, string>): Record<string, string> | undefined {
    const attrs: Record<string, string> = {}
    for (const [prefix, name, value] of raw) {
      if (prefix === 'xmlns' || (!prefix && name === 'xmlns')) continue
      const ns = scope.get(prefix)
      const key = !prefix ? name : prefix === 'xml' ? 'xml:' + name : ns === undefined ? undefined : `{${ns}}${name}`
      if (key === undefined || Object.hasOwn(attrs, key)) return this.fail()
      if (key === '__proto__') continue
      attrs[key] = value
    }
    return attrs
  }
}
