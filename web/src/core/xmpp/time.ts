// Times of the wire (XEP-0082) and of the client: microseconds since 1970.

import type { Micros } from '../model.ts'

const FORM = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\d*(Z|[+-]\d\d:\d\d)$/

/** Reads a time, undefined for anything else. */
export function parseTime(text: string | undefined): Micros | undefined {
  const [, seconds, fraction = '', zone] = FORM.exec(text ?? '') ?? []
  const millis = seconds ? Date.parse(seconds + (zone ?? '')) : NaN
  return Number.isNaN(millis) ? undefined : millis * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6))
}

/** Writes a time in UTC. */
export function formatTime(time: Micros): string {
  const whole = Math.floor(time / 1e6)
  return new Date(whole * 1000).toISOString().slice(0, 19) + '.' + String(Math.floor(time - whole * 1e6)).padStart(6, '0') + 'Z'
}
