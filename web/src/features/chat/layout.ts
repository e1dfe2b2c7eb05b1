// What stands between messages and which of them belong together: days, the line above what is unread, runs of one speaker.
import type { Message } from '../../core/model.ts'

/** One line of the conversation. */
export type Line =
  | { kind: 'day'; key: string; time: number }
  | { kind: 'unread'; key: string; count: number }
  | { kind: 'message'; key: string; message: Message; first: boolean; position: number }

const runGap = 10 * 60_000_000

const midnight = (time: number): number => new Date(time / 1000).setHours(0, 0, 0, 0)
const alone = (m: Message): boolean => m.content.type === 'system'
const speaker = (m: Message): string => `${m.from}/${m.author ?? ''}`

/** layout puts messages into lines, oldest first. */
export function layout(messages: Message[], firstUnread: string | undefined): Line[] {
  const lines: Line[] = []
  let day = NaN
  let before: Message | undefined
  messages.forEach((message, i) => {
    const today = midnight(message.time)
    if (today !== day) { lines.push({ kind: 'day', key: `d${today}`, time: message.time }); before = undefined }
    day = today
    if (message.id === firstUnread) { lines.push({ kind: 'unread', key: 'unread', count: messages.slice(i).filter((m) => !m.own).length }); before = undefined }
    const first = !before || alone(before) || speaker(before) !== speaker(message) || before.own !== message.own || message.time - before.time > runGap
    lines.push({ kind: 'message', key: message.id, message, first, position: i + 1 })
    before = message
  })
  return lines
}
