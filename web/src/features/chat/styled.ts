// Message styling (XEP-0393): blocks of preformatted text, quotations, and spans within a line. Places in the text are kept, so that what
// else is known about it (mentions) finds its letters. No DOM; nesting is limited.

/** A piece of styled text. `from` is the offset of its first letter in the whole text. */
export type Styled =
  | { kind: 'text'; text: string; from: number }
  | { kind: 'strong' | 'emphasis' | 'strike'; parts: Styled[] }
  | { kind: 'code'; text: string }
  | { kind: 'pre'; text: string }
  | { kind: 'quote'; parts: Styled[] }

const maxDepth = 5
const spans: Record<string, 'strong' | 'emphasis' | 'strike' | 'code'> = { '*': 'strong', _: 'emphasis', '~': 'strike', '`': 'code' }
const space = /\s/

/** styled reads the blocks of a text. */
export function styled(text: string, from = 0, depth = 0): Styled[] {
  const parts: Styled[] = []
  const lines = text.split('\n')
  let at = from
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? ''
    if (line.startsWith('```')) {
      const end = lines.indexOf('```', i + 1)
      const stop = end < 0 ? lines.length : end
      parts.push({ kind: 'pre', text: lines.slice(i + 1, stop).join('\n') })
      at += lines.slice(i, Math.min(stop + 1, lines.length)).join('\n').length + 1
      i = stop
    } else if (line.startsWith('>') && depth < maxDepth) {
      let stop = i
      while (lines[stop]?.startsWith('>')) stop++
      const inner = lines.slice(i, stop).map((l) => l.replace(/^> ?/, ''))
      parts.push({ kind: 'quote', parts: styled(inner.join('\n'), Number.NaN, depth + 1) })
      at += lines.slice(i, stop).join('\n').length + 1
      i = stop - 1
    } else {
      parts.push(...inline(line, at, depth))
      if (i < lines.length - 1) parts.push({ kind: 'text', text: '\n', from: at + line.length })
      at += line.length + 1
    }
  }
  return joined(parts)
}

/** The spans of one line (XEP-0393 §6.2): opened after a space or another directive, closed before the line's end, never empty. */
function inline(line: string, from: number, depth: number): Styled[] {
  const parts: Styled[] = []
  let plain = 0
  for (let i = 0; i < line.length; i++) {
    const sign = line[i] ?? ''
    const kind = spans[sign]
    if (!kind || depth >= maxDepth || !opens(line, i)) continue
    const end = closing(line, sign, i + 1)
    if (end < 0) continue
    if (i > plain) parts.push({ kind: 'text', text: line.slice(plain, i), from: from + plain })
    const inner = line.slice(i + 1, end)
    parts.push(kind === 'code' ? { kind, text: inner } : { kind, parts: inline(inner, from + i + 1, depth + 1) })
    i = end
    plain = end + 1
  }
  if (plain < line.length) parts.push({ kind: 'text', text: line.slice(plain), from: from + plain })
  return parts
}

function opens(line: string, i: number): boolean {
  const before = line[i - 1], after = line[i + 1]
  return (before === undefined || space.test(before) || before in spans) && after !== undefined && !space.test(after)
}

function closing(line: string, sign: string, start: number): number {
  for (let end = line.indexOf(sign, start); end >= 0; end = line.indexOf(sign, end + 1)) {
    if (end > start && !space.test(line[end - 1] ?? ' ')) return end
    if (end === start) return -1
  }
  return -1
}

/** Neighbouring plain texts are one. */
function joined(parts: Styled[]): Styled[] {
  const out: Styled[] = []
  for (const part of parts) {
    const last = out[out.length - 1]
    if (part.kind === 'text' && last?.kind === 'text') out[out.length - 1] = { ...last, text: last.text + part.text }
    else out.push(part)
  }
  return out
}
