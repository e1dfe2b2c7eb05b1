// XEP-0393, with the examples of its text.
import { describe, expect, it } from 'vitest'
import { styled, type Styled } from '../../../src/features/chat/styled.ts'

/** A short way to write what was read. */
function plain(parts: Styled[]): string {
  return parts.map((p) => {
    switch (p.kind) {
      case 'text': return p.text
      case 'strong': return `<b>${plain(p.parts)}</b>`
      case 'emphasis': return `<i>${plain(p.parts)}</i>`
      case 'strike': return `<s>${plain(p.parts)}</s>`
      case 'code': return `<c>${p.text}</c>`
      case 'pre': return `<pre>${p.text}</pre>`
      case 'quote': return `<q>${plain(p.parts)}</q>`
    }
  }).join('')
}

describe('spans', () => {
  it.each([
    ['*strong* and _emphasis_ and ~strike~ and `code`', '<b>strong</b> and <i>emphasis</i> and <s>strike</s> and <c>code</c>'],
    ['*strong*plain*', '<b>strong</b>plain*'],
    ['* plain *strong*', '* plain <b>strong</b>'],
    ['not strong*', 'not strong*'],
    ['*not strong', '*not strong'],
    ['*not \n strong', '*not \n strong'],
    ['**', '**'],
    ['***', '***'],
    ['****', '****'],
    ['_*both*_', '<i><b>both</b></i>'],
    ['`*not strong*`', '<c>*not strong*</c>'],
    ['snake_case_name', 'snake_case_name'],
    ['2 * 3 * 4', '2 * 3 * 4'],
  ])('%s', (text, wanted) => { expect(plain(styled(text))).toBe(wanted) })
})

describe('blocks', () => {
  it.each([
    ['```\nlet *x* = 1\n```\nafter', '<pre>let *x* = 1</pre>after'],
    ['```rust\nunclosed', '<pre>unclosed</pre>'],
    ['> said\n> *twice*\nanswer', '<q>said\n<b>twice</b></q>answer'],
    ['>> inner\n> outer', '<q><q>inner</q>outer</q>'],
  ])('%s', (text, wanted) => { expect(plain(styled(text))).toBe(wanted) })

  it('ends quotations of quotations somewhere', () => {
    expect(() => styled('>'.repeat(50_000))).not.toThrow()
  })
})

it('knows where in the text its letters are', () => {
  const text = 'one\n*two* three'
  const places: [string, number][] = []
  const walk = (parts: Styled[]): void => { for (const p of parts) { if (p.kind === 'text') places.push([p.text, p.from]); else if ('parts' in p) walk(p.parts) } }
  walk(styled(text))
  for (const [piece, from] of places) expect(text.slice(from, from + piece.length)).toBe(piece)
  expect(places.map(([piece]) => piece)).toEqual(['one\n', 'two', ' three'])
})

it('is quick with what is made to be slow', () => {
  const begun = performance.now()
  styled('*_~`'.repeat(4000))
  expect(performance.now() - begun).toBeLessThan(15_000)
})
