// What stands between messages and which of them belong together: days, the line above what is unread, runs of one speaker.
import type { Message } from '../../core/model.ts'

/** One line of the conversation. */
export type Line =
  | { kind: 'day'; key: string; time: number }
  | { kind: 'unread'; key: string; count: number }
  | { kind: 'message'; key: string; message: Message; first: boolean; position: number | undefined }

const runGap = 10 * 60_000_000

const midnight = (time: number): number => new Date(time / 1000).setHours(0, 0, 0, 0)
const alone = (m: Message): boolean => m.content.type === 'system'
const speaker = (m: Message): string => `${m.from}/${m.author ?? ''}`
/** Lines that nobody wrote belong together, and what one person says. */
const together = (a: Message, b: Message): boolean => (alone(a) ? alone(b) : speaker(a) === speaker(b) && a.own === b.own)

/** layout puts messages into lines, oldest first. Where they are all there are (`whole`) each has its position. A line
 * of `old` that says the same is taken again, so that it is not drawn again. */
export function layout(messages: Message[], firstUnread: string | undefined, whole = true, old: Line[] = []): Line[] {
  const known = new Map(old.map((l) => [l.key, l]))
  const lines: Line[] = []
  const add = (line: Line): void => {
    const same = known.get(line.key)
    lines.push(same && alike(same, line) ? same : line)
  }
  let day = NaN
  let before: Message | undefined
  messages.forEach((message, i) => {
    const today = midnight(message.time)
    if (today !== day) { add({ kind: 'day', key: `d${today}`, time: message.time }); before = undefined }
    day = today
    if (message.id === firstUnread) { add({ kind: 'unread', key: 'unread', count: messages.slice(i).filter((m) => !m.own).length }); before = undefined }
    const first = !before || !together(before, message) || message.time - before.time > runGap
    add({ kind: 'message', key: message.id, message, first, position: whole ? i + 1 : undefined })
    before = message
  })
  return lines
}

function alike(a: Line, b: Line): boolean {
  const other: Record<string, unknown> = { ...b }
  return Object.entries(a).every(([key, value]) => other[key] === value)
}
