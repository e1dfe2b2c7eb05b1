// The part of a message around what was found.

const before = 30
const most = 160

/** A piece of a text, marked when it is what was searched for. */
export interface Part { text: string; marked: boolean }

/** excerpt cuts a text down to about 160 characters around the first mark, and splits it at the marks. Marks outside the text are passed over. */
export function excerpt(text: string, marks: [number, number][]): Part[] {
  const good = marks.filter(([a, b]) => a >= 0 && b > a && b <= text.length).sort((x, y) => x[0] - y[0])
  const first = good[0]?.[0] ?? 0
  const start = first > before + 10 ? first - before : 0
  const end = Math.min(text.length, start + most)
  const parts: Part[] = start > 0 ? [{ text: '…', marked: false }] : []
  let at = start
  for (const [from, to] of good) {
    if (from < at || from >= end) continue
    if (from > at) parts.push({ text: text.slice(at, from), marked: false })
    parts.push({ text: text.slice(from, Math.min(to, end)), marked: true })
    at = Math.min(to, end)
  }
  if (at < end) parts.push({ text: text.slice(at, end), marked: false })
  if (end < text.length) parts.push({ text: '…', marked: false })
  return parts
}
