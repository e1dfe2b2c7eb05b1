// An event between the model and the wire (docs/protocol/polls-and-events.md).

import type { Content } from '../model.ts'
import { GEOLOC } from '../xmpp/ns.ts'
import { formatTime, parseTime } from '../xmpp/time.ts'
import { el, type Element } from '../xmpp/xml.ts'
import { EVENT } from './own-ns.ts'

type Event = Extract<Content, { type: 'event' }>

const ZONE = /^[A-Za-z][\w+-]*(\/[\w+-]+){0,2}$/
const DAY = /^\d{4}-\d\d-\d\d$/
/** Events last at most 31 days, in microseconds. */
const MAX_LASTS = 31 * 86_400e6
const MAX_PLACES = 10_000

const dayOf = (text: string | undefined): string | undefined => text && DAY.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined

/** Reads an event; undefined for what has no name or no time. `text` is its body. */
export function readEvent(text: string, e: Element): Event | undefined {
  const event = e.child('event', EVENT)
  const name = event?.textOf('name')?.trim().slice(0, 200)
  const [starts, day] = [parseTime(event?.attr('starts')), dayOf(event?.attr('day'))]
  if (!event || !name || (starts === undefined && !day)) return undefined
  const [zone, places] = [event.attr('zone'), Number(event.attr('places'))]
  const facts: Partial<Event> = {
    ...(starts === undefined ? daysOf(day, dayOf(event.attr('until'))) : timesOf(starts, parseTime(event.attr('ends')))), ...placeOf(event.child('place')),
    description: event.textOf('description')?.trim().slice(0, 2000) || undefined, zone: zone && zone.length <= 64 && ZONE.test(zone) ? zone : undefined,
    places: Number.isInteger(places) && places > 0 && places <= MAX_PLACES ? places : undefined, cancelled: event.attr('cancelled') === 'true' || undefined,
  }
  return { type: 'event', name, guests: event.attr('guests') === 'true', body: text.slice(0, 5000), answers: {}, ...Object.fromEntries(Object.entries(facts).filter(([, v]) => v !== undefined)) }
}

const daysOf = (day: string | undefined, until: string | undefined) => ({ day, until: day && until && until > day ? until : undefined })
const timesOf = (starts: number, ends: number | undefined) => ({ starts, ends: ends !== undefined && ends > starts && ends <= starts + MAX_LASTS ? ends : undefined })

function placeOf(place: Element | undefined): Pick<Event, 'place' | 'latitude' | 'longitude'> {
  const map = place?.child('geoloc', GEOLOC)
  const [latitude, longitude] = [Number(map?.textOf('lat') || NaN), Number(map?.textOf('lon') || NaN)]
  const text = place?.text.trim().slice(0, 200)
  return { ...(text ? { place: text } : {}), ...(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : {}) }
}

/** Writes an event: the body in its author's words, and the facts. */
export function writeEvent(c: Event): { body: string; elements: Element[] } {
  const at = (time: number | undefined) => time === undefined ? undefined : formatTime(time)
  const part = (name: string, value: number | undefined) => value === undefined ? undefined : el(GEOLOC, name, {}, value)
  const map = c.latitude === undefined ? undefined : el(GEOLOC, 'geoloc', {}, part('lat', c.latitude), part('lon', c.longitude))
  const facts = {
    starts: at(c.starts), ends: at(c.ends), day: c.day, until: c.until, zone: c.zone, guests: c.guests ? 'true' : undefined, places: c.places, cancelled: c.cancelled ? 'true' : undefined,
  }
  return {
    body: c.body,
    elements: [el(EVENT, 'event', facts, el(EVENT, 'name', {}, c.name), c.description && el(EVENT, 'description', {}, c.description), (c.place || map) && el(EVENT, 'place', {}, c.place, map))],
  }
}
