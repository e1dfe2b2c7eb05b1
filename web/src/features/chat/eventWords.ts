// When an event is, in words of a language: for the card in the reader's own time, for the body of the message in the event's.
import type { EventFacts } from '../../core/model.ts'
import { language, region } from '../../i18n/t.ts'
import { date } from '../../i18n/when.ts'

const onDay: Intl.DateTimeFormatOptions = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }
const aDay = 86_400_000_000
const atTime: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' }

/** ownZone is the time zone of this device. */
export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone

/** isZone is whether the browser knows a time zone. */
export function isZone(zone: string | undefined): zone is string {
  try { return zone !== undefined && Boolean(new Intl.DateTimeFormat('en', { timeZone: zone })) } catch { return false }
}

/** dayStart is the first moment of a day, as the days of events count: wherever one is. */
const dayStart = (day: string): Date => new Date(`${day}T00:00:00Z`)

/** whenText says when an event is; `zone` is the time zone in which that is said, of an event that lasts whole days it makes no difference. */
export function whenText(event: EventFacts, zone = ownZone(), short = false): string {
  const locale = region.value || language.value
  const day = short ? { weekday: 'short', day: 'numeric', month: 'short' } as const : onDay
  if (event.day !== undefined) {
    const whole = new Intl.DateTimeFormat(locale, { ...day, timeZone: 'UTC' })
    return event.until === undefined ? whole.format(dayStart(event.day)) : whole.formatRange(dayStart(event.day), dayStart(event.until))
  }
  const starts = date(event.starts ?? 0)
  const timeZone = isZone(zone) ? zone : 'UTC'
  const format = new Intl.DateTimeFormat(locale, { ...day, ...atTime, timeZone })
  if (event.ends === undefined || event.starts === undefined) return format.format(starts)
  // Who goes home after midnight was there on one day.
  if (event.ends - event.starts < aDay) return `${format.format(starts)}–${new Intl.DateTimeFormat(locale, { ...atTime, timeZone }).format(date(event.ends))}`
  return format.formatRange(starts, date(event.ends))
}

/** elsewhereText says the hours in the event's own zone, where its clocks show others than the reader's. */
export function elsewhereText(event: EventFacts): string | undefined {
  const { starts, zone } = event
  if (starts === undefined || !isZone(zone)) return undefined
  const there = whenText(event, zone, true)
  return there === whenText(event, undefined, true) ? undefined : `${there} (${zone})`
}

/** bodyOf is what apps show that do not know events, in the language of who makes it and the event's own zone. */
export function bodyOf(event: EventFacts, cancelled: string): string {
  const when = event.day === undefined && event.zone ? `${whenText(event, event.zone)} (${event.zone})` : whenText(event)
  return [event.name, ...(event.cancelled ? [cancelled] : []), when, event.place, event.description].filter(Boolean).join('\n')
}

/** leaf is the day and month of a calendar's leaf, in the reader's time. */
export function leaf(event: EventFacts): { day: string; month: string } {
  const at = event.day === undefined ? date(event.starts ?? 0) : dayStart(event.day)
  const zone = event.day === undefined ? {} : { timeZone: 'UTC' }
  const part = (options: Intl.DateTimeFormatOptions): string => new Intl.DateTimeFormat(region.value, { ...options, ...zone }).format(at)
  return { day: part({ day: 'numeric' }), month: part({ month: 'short' }) }
}

/** endOf is when an event is over, in milliseconds; of one without an end two hours after it begins. */
export function endOf(event: EventFacts): number {
  if (event.day !== undefined) return dayStart(event.until ?? event.day).getTime() + 36 * 3_600_000
  return (event.ends ?? (event.starts ?? 0) + 7_200_000_000) / 1000
}

/** inZone is the moment at which clocks of a zone show a day and time; undefined for what is no time. */
export function inZone(day: string, time: string, zone: string): number | undefined {
  const wanted = Date.parse(`${day}T${time}:00Z`)
  if (Number.isNaN(wanted)) return undefined
  let at = wanted
  for (let i = 0; i < 2; i++) at -= Date.parse(`${clockIn(at, zone)}:00Z`) - wanted // twice: the first guess may lie on the other side of a change of the clocks
  return at * 1000
}

/** clockIn is what clocks of a zone show, as YYYY-MM-DDTHH:MM. */
export function clockIn(ms: number, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' }).formatToParts(ms)
  const part = (type: string): string => parts.find((p) => p.type === type)?.value ?? ''
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`
}
