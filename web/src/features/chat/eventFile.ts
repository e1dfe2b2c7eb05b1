// An event as a file for calendars (RFC 5545), made here.
import type { EventFacts, Message } from '../../core/model.ts'

const stamp = (ms: number): string => new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '')
const dayOf = (day: string): string => day.replaceAll('-', '')
const nextDay = (day: string): string => new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10)
const escape = (text: string): string => text.replace(/[\\;,]/g, (c) => `\\${c}`).replace(/\r?\n/g, '\\n')

/** Lines have at most 75 bytes; a longer one goes on in the next after a space (RFC 5545 §3.1). */
export function fold(line: string): string {
  const encoder = new TextEncoder()
  const out: string[] = []
  let now = '', bytes = 0
  for (const char of line) {
    const more = encoder.encode(char).length
    if (bytes + more > (out.length ? 74 : 75)) { out.push(now); now = ''; bytes = 0 }
    now += char
    bytes += more
  }
  return [...out, now].join('\r\n ')
}

/** calendarFile is the text of the file; `message` gives what makes the event the same one when it is saved again. */
export function calendarFile(event: EventFacts, { id, originId, time, edited }: Pick<Message, 'id' | 'originId' | 'time' | 'edited'>): string {
  const when = event.day === undefined
    ? [`DTSTART:${stamp((event.starts ?? 0) / 1000)}`, ...(event.ends === undefined ? [] : [`DTEND:${stamp(event.ends / 1000)}`])]
    : [`DTSTART;VALUE=DATE:${dayOf(event.day)}`, `DTEND;VALUE=DATE:${dayOf(nextDay(event.until ?? event.day))}`]
  const lines = [
    'BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Palabre//Web//EN', 'BEGIN:VEVENT', `UID:${originId ?? id}`, `DTSTAMP:${stamp((edited ?? time) / 1000)}`,
    `SEQUENCE:${edited ? Math.max(0, Math.floor((edited - time) / 1e6)) : 0}`, ...when, `SUMMARY:${escape(event.name)}`,
    ...(event.place ? [`LOCATION:${escape(event.place)}`] : []), ...(event.latitude === undefined ? [] : [`GEO:${event.latitude};${event.longitude}`]),
    ...(event.description ? [`DESCRIPTION:${escape(event.description)}`] : []), ...(event.cancelled ? ['STATUS:CANCELLED'] : []), 'END:VEVENT', 'END:VCALENDAR',
  ]
  return lines.map((line) => fold(line) + '\r\n').join('')
}
