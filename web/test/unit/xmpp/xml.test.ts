import { expect, test } from 'vitest'
import { el, Element, MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, MAX_FRAME, parse, serialise, type Node } from '../../../src/core/xmpp/xml.ts'

const xml = (text: string) => parse(text)?.toString()

test('elements are read with their namespaces, and written with as few as need be', () => {
  expect(xml("<a xmlns='x'><b/><c xmlns='y'>t<d xmlns='x'/></c></a>")).toBe("<a xmlns='x'><b/><c xmlns='y'>t<d xmlns='x'/></c></a>")
  expect(xml("<p:a xmlns:p='x' xmlns='y'><b/><p:c/></p:a>")).toBe("<a xmlns='x'><b xmlns='y'/><c/></a>")
  expect(xml("<a xmlns='x' xml:lang='fr' p:q='1' xmlns:p='z'/>")).toBe("<a xmlns='x' xml:lang='fr' xmlns:n0='z' n0:q='1'/>")
  expect(xml("<a xmlns='x'><b xmlns=''/></a>")).toBe("<a xmlns='x'><b xmlns=''/></a>")
  const e = parse("<message xmlns='jabber:client' to=\"a\"><body>1</body><x xmlns='u'><y>2</y></x>text<body>3</body></message>")
  expect(e?.textOf('body')).toBe('1')
  expect(e?.children('body').map((b) => b.text)).toEqual(['1', '3'])
  expect(e?.child('x')).toBeUndefined()
  expect(e?.child('x', 'u')?.textOf('y')).toBe('2')
  expect(e?.in('u')?.name).toBe('x')
  expect(e?.text).toBe('text')
  expect(e?.attr('toString')).toBeUndefined()
})

test('text and attributes keep what they hold', () => {
  expect(parse('<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;</a>')?.text).toBe('<>&"\'A😀')
  expect(parse('<a><![CDATA[<b>&amp;]]>x</a>')?.text).toBe('<b>&amp;x')
  expect(parse('<a>1\r\n2\r3</a>')?.text).toBe('1\n2\n3')
  expect(parse("<a b='1\n2&#10;3'/>")?.attr('b')).toBe('1 2\n3')
  expect(parse(" \n<a/>\t")?.name).toBe('a')
})

test('what is not well-formed or not allowed is refused', () => {
  for (const bad of [
    '', ' ', 'text', '<', '<a', '<a>', '</a>', '<a></b>', '<a/><b/>', '<a/>x', '<a><b></a></b>', '<a b/>', '<a b=1/>', "<a b='1'c='2'/>", "<a b='1' b='2'/>",
    "<a b='<'/>", '<a>&x;</a>', '<a>&</a>', '<a>&;</a>', '<a>&#;</a>', '<a>&#x;</a>', '<a>&#1x;</a>', '<a>&toString;</a>', '<a>&__proto__;</a>', '<a>&#00000000065;</a>', '<a>&#0;</a>', '<a>&#x110000;</a>', '<a>&#xD800;</a>', '<a>&#xFFFE;</a>', '<a>]]></a>', '<a>\0</a>', '<a>\x1b</a>', '<a>\ud800</a>',
    '<!-- --><a/>', '<a><!-- --></a>', '<?xml version="1.0"?><a/>', '<a><?x?></a>', '<!DOCTYPE a><a/>', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', '<a><![CDATA[</a>', '<![CDATA[x]]>',
    '<p:a/>', '<a p:b="1"/>', "<a xmlns:p=''/>", "<a xmlns:xml='y'/>", "<a xmlns:xmlns='y'/>", "<a xmlns='http://www.w3.org/2000/xmlns/'/>", "<a xmlns:p='x' xmlns:q='x' p:b='1' q:b='2'/>",
    "<a xmlns:p='x' xmlns:q='x'><p:b></q:b></a>", '<1/>', '<a:b:c/>', '< a/>', '<a / >', "<a b='1", '<a><', '<a></', '<a></a', '<-/>',
  ]) expect(parse(bad), bad).toBeUndefined()
})

test('the limits hold', () => {
  const deep = (n: number) => '<a>'.repeat(n) + '</a>'.repeat(n)
  expect(parse(deep(MAX_DEPTH))).toBeDefined()
  expect(parse(deep(MAX_DEPTH + 1))).toBeUndefined()
  expect(parse('<a>' + '<b/>'.repeat(MAX_ELEMENTS - 1) + '</a>')).toBeDefined()
  expect(parse('<a>' + '<b/>'.repeat(MAX_ELEMENTS) + '</a>')).toBeUndefined()
  const wide = (n: number) => '<a' + Array.from({ length: n }, (_, i) => ` b${i}=''`).join('') + '/>'
  expect(parse(wide(MAX_ATTRIBUTES))).toBeDefined()
  expect(parse(wide(MAX_ATTRIBUTES + 1))).toBeUndefined()
  expect(parse('<a>' + 'x'.repeat(MAX_FRAME) + '</a>')).toBeUndefined()
})

test('what a person types cannot break the stream', () => {
  const e = el('x', 'a', { b: '\0\'"<&>\n\t\r\ud800\uffff' }, '\x01<&>"\'\r\n\udc00]]>', '😀')
  const again = parse(serialise(e))
  expect(again?.text).toBe('\ufffd<&>"\'\r\n\ufffd]]>😀')
  expect(again?.attr('b')).toBe('\ufffd\'"<&>\n\t\r\ufffd\ufffd')
})

/** Numbers that look random and are the same each time. */
function dice(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (state * 1664525 + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

function anyElement(roll: (n: number) => number, depth = 0): Element {
  const word = () => ['a', 'b-c', 'd.e', 'é', '_1', '名'][roll(6)] ?? 'a'
  const text = () => Array.from({ length: roll(12) }, () => ['x', '<', '&', '\'', '"', '\n', '\r', '\t', ']]>', 'é', '😀', ' '][roll(12)]).join('')
  const ns = ['', 'x', 'jabber:client', 'urn:a&b'][roll(4)] ?? ''
  const attrs: Record<string, string> = {}
  for (let i = roll(4); i > 0; i--) attrs[[word(), 'xml:lang', '{urn:z}q', '{urn:y}q'][roll(4)] ?? 'a'] = text()
  const nodes: Node[] = []
  for (let i = depth < 5 ? roll(5) : 0; i > 0; i--) {
    const one = roll(2) ? anyElement(roll, depth + 1) : text()
    if (typeof one === 'string' && (!one || typeof nodes.at(-1) === 'string')) continue
    nodes.push(one)
  }
  return new Element(ns, word(), attrs, nodes)
}

test('any element comes back as it went', () => {
  const roll = dice(1)
  for (let i = 0; i < 2000; i++) {
    const e = anyElement(roll)
    expect(parse(serialise(e))).toEqual(e)
  }
})

test('nothing that comes makes the parser throw or hang, and what it takes it can write again', () => {
  const roll = dice(2)
  const pieces = ['<', '>', '/', '=', "'", '"', '&', ';', '&#', 'x', 'a', ' ', '<a', "<a b='", '</a>', '/>', '<![CDATA[', ']]>', '<!--', 'xmlns', 'xmlns:p=', 'p:', '&lt;', '😀', '\ud800', '\0']
  for (let i = 0; i < 20_000; i++) {
    let text = roll(2) ? serialise(anyElement(roll)) : ''
    for (let n = roll(6); n >= 0; n--) {
      const at = roll(text.length + 1)
      text = text.slice(0, at) + (roll(3) ? pieces[roll(pieces.length)] : '') + text.slice(at + roll(4))
    }
    const e = parse(text)
    if (e) expect(parse(serialise(e))).toEqual(e)
  }
})

test('long input is read in linear time', () => {
  for (const text of ['<a b="' + '&amp;'.repeat(300_000) + '"/>', '<a>' + '&lt;'.repeat(400_000) + '</a>', '<' + 'a'.repeat(1_500_000), '<a' + ' '.repeat(1_500_000), '<a b=' + '"'.repeat(1_000_000)]) {
    const before = performance.now()
    parse(text)
    expect(performance.now() - before).toBeLessThan(15_000) // 0.1 s where nothing else runs
  }
})
