// Times, durations and sizes as people of a language write them. Times are microseconds since 1970 (core/model.ts).
import { region, t } from './t.ts'

const day = 86_400_000
const cache = new Map<string, Intl.DateTimeFormat>()
const maxCached = 40

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = region.value + JSON.stringify(options)
  let found = cache.get(key)
  if (!found) {
    if (cache.size >= maxCached) cache.clear()
    cache.set(key, found = new Intl.DateTimeFormat(region.value, options))
  }
  return found
}

let relatives: { region: string; format: Intl.RelativeTimeFormat } | undefined

function relative(value: number, unit: Intl.RelativeTimeFormatUnit): string {
  if (relatives?.region !== region.value) relatives = { region: region.value, format: new Intl.RelativeTimeFormat(region.value, { numeric: 'auto' }) }
  return relatives.format.format(value, unit)
}

/** date is a Date of microseconds. */
export const date = (time: number): Date => new Date(time / 1000)

/** now is the time in microseconds by this device's clock. */
export const now = (): number => Date.now() * 1000

/** daysAgo counts the midnights between a time and now. */
export function daysAgo(time: number): number {
  const midnight = (d: Date): number => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime()
  return Math.round((midnight(new Date()) - midnight(date(time))) / day)
}

/** clock is the hour and minute. */
export const clock = (time: number): string => format({ hour: '2-digit', minute: '2-digit' }).format(date(time))

/** shortTime is for lists: the hour today, then yesterday, the weekday, the date. */
export function shortTime(time: number): string {
  const ago = daysAgo(time)
  if (ago <= 0) return clock(time)
  if (ago === 1) return relative(-1, 'day')
  if (ago < 7) return format({ weekday: 'short' }).format(date(time))
  return format({ day: '2-digit', month: '2-digit', year: '2-digit' }).format(date(time))
}

/** dayName is for what divides a conversation into days. */
export function dayName(time: number): string {
  const ago = daysAgo(time)
  if (ago === 0 || ago === 1) return capital(relative(-ago, 'day'))
  if (ago > 0 && ago < 7) return capital(format({ weekday: 'long' }).format(date(time)))
  const sameYear = date(time).getFullYear() === new Date().getFullYear()
  return format({ weekday: 'short', day: 'numeric', month: 'long', ...(sameYear ? {} : { year: 'numeric' }) }).format(date(time))
}

/** fullDate is the date alone. */
export const fullDate = (time: number): string => format({ dateStyle: 'medium' }).format(date(time))

/** fullTime is the date and hour, for details. */
export const fullTime = (time: number): string => format({ dateStyle: 'medium', timeStyle: 'short' }).format(date(time))

/** ago is how long since a time: "5 minutes ago", then the day and hour. */
export function ago(time: number): string {
  const minutes = Math.round((Date.now() - time / 1000) / 60_000)
  if (minutes < 60) return relative(-Math.max(minutes, 0), 'minute')
  return daysAgo(time) === 0 ? clock(time) : t('time.dayAt', { day: shortTime(time), time: clock(time) })
}

/** length is minutes and seconds, as players show them. */
export function length(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

/** size is an amount of bytes in a unit that people read. */
export function size(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
  const step = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** step
  return new Intl.NumberFormat(region.value, { style: 'unit', unit: units[step], unitDisplay: 'short', maximumFractionDigits: value < 10 && step > 1 ? 1 : 0 }).format(value)
}

/** percent is a share of a whole, 0–1, without fractions. */
export const percent = (share: number): string => new Intl.NumberFormat(region.value, { style: 'percent', maximumFractionDigits: 0 }).format(share)

/** listOf joins names: "Amina, Karim and 2 others" is written by who calls, with `others` as the last. */
export const listOf = (names: string[]): string => new Intl.ListFormat(region.value, { type: 'conjunction' }).format(names)

function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase(region.value) + text.slice(1)
}

/** utcDay reads a day that was typed, 2026-11-22, as its beginning in UTC, as it is written on the wire; undefined: that is no day. */
export function utcDay(typed: string): string | undefined {
  const start = `${typed.trim()}T00:00:00Z`
  const time = /^\d{4}-\d\d-\d\dT/.test(start) ? new Date(start) : undefined
  return time && !Number.isNaN(time.getTime()) && time.toISOString().startsWith(typed.trim()) ? start : undefined
}
