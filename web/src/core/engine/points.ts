// Places in a text: here in UTF-16 units, as the language counts; on the wire in code points (XEP-0426), as XEP-0372 and XEP-0428 do.

import type { Message } from '../model.ts'

type Mentions = NonNullable<Message['mentions']>

/** How many code points stand before a place. */
export const toPoints = (text: string, at: number): number => [...text.slice(0, at)].length

/** The place after so many code points; undefined beyond the end. */
export function fromPoints(text: string, points: number): number | undefined {
  let at = 0
  for (let n = 0; n < points; n++) {
    const point = text.codePointAt(at)
    if (point === undefined) return undefined
    at += point > 0xffff ? 2 : 1
  }
  return at
}

/** Who was named in a text and still stands in the corrected one, with who is named anew. What a mention is about is found again by its words. */
export function keptMentions(before: string, mentions: Mentions, after: string, fresh: Mentions): Mentions {
  const out = [...fresh]
  for (const { from, to, jid } of [...mentions].sort((a, b) => a.from - b.from)) {
    const words = before.slice(from, to)
    if (!words) continue
    const taken = (at: number) => out.some((m) => at < m.to && at + words.length > m.from)
    let at = after.indexOf(words)
    while (at >= 0 && taken(at)) at = after.indexOf(words, at + 1)
    if (at >= 0) out.push({ from: at, to: at + words.length, jid })
  }
  return out.sort((a, b) => a.from - b.from)
}
