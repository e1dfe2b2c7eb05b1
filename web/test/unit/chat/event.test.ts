// When events are, in zones whose clocks change, in words and in files for calendars.
import { beforeEach, expect, test } from 'vitest'
import { calendarFile, fold } from '../../../src/features/chat/eventFile.ts'
import { bodyOf, clockIn, elsewhereText, endOf, inZone, isZone, leaf, whenText } from '../../../src/features/chat/eventWords.ts'
import { language, region } from '../../../src/i18n/t.ts'
import { readEvent, writeEvent } from '../../../src/core/engine/event.ts'
import type { EventFacts } from '../../../src/core/model.ts'
import { CLIENT } from '../../../src/core/xmpp/ns.ts'
import { el, parse } from '../../../src/core/xmpp/xml.ts'

const micros = (iso: string): number => Date.parse(iso) * 1000
const party: EventFacts = { name: 'Summer party', starts: micros('2027-06-05T16:00:00Z'), ends: micros('2027-06-05T22:00:00Z'), zone: 'Europe/Zurich', place: 'Town hall', description: 'Bring something for the grill.', guests: true }

beforeEach(() => { language.value = 'en'; region.value = 'en-GB' })

test('what clocks show in a zone is the right moment, in summer, in winter and around a change', () => {
  expect(inZone('2027-06-05', '18:00', 'Europe/Zurich')).toBe(micros('2027-06-05T16:00:00Z'))
  expect(inZone('2027-12-05', '18:00', 'Europe/Zurich')).toBe(micros('2027-12-05T17:00:00Z'))
  expect(inZone('2027-03-28', '03:30', 'Europe/Zurich')).toBe(micros('2027-03-28T01:30:00Z')) // the clocks have just gone forward
  expect(inZone('2027-06-05', '00:15', 'Asia/Kathmandu')).toBe(micros('2027-06-04T18:30:00Z'))
  expect(inZone('', '18:00', 'Europe/Zurich')).toBeUndefined()
  for (const zone of ['America/St_Johns', 'Pacific/Kiritimati', 'Africa/Casablanca', 'UTC']) {
    for (let hour = 0; hour < 24 * 366; hour += 61) {
      const ms = Date.UTC(2027, 0, 1) + hour * 3_600_000
      const [day = '', time = ''] = clockIn(ms, zone).split('T')
      const back = (inZone(day, time, zone) ?? NaN) / 1000
      expect(clockIn(back, zone), `${zone} ${day} ${time}`).toBe(`${day}T${time}`)
    }
  }
})

test('the body says what, when in its own zone, and where', () => {
  expect(bodyOf(party, 'Cancelled')).toMatch(/^Summer party\nSaturday,? 5 June 2027.*18:00–00:00 \(Europe\/Zurich\)\nTown hall\nBring something for the grill\.$/)
  expect(whenText({ ...party, ends: micros('2027-06-07T10:00:00Z') }, 'Europe/Zurich')).toMatch(/5 June.*18:00.*7 June.*12:00/)
  expect(bodyOf({ ...party, cancelled: true }, 'Cancelled').split('\n')[1]).toBe('Cancelled')
  expect(bodyOf({ name: 'Fair', day: '2027-07-01', until: '2027-07-03', guests: false }, '')).toMatch(/^Fair\n.*1\sJuly.*3\sJuly\s2027$/)
})

test('the own time stands beside that of the place only where clocks differ', () => {
  expect(elsewhereText({ ...party, zone: Intl.DateTimeFormat().resolvedOptions().timeZone })).toBeUndefined()
  expect(elsewhereText({ ...party, zone: 'Pacific/Kiritimati' })).toMatch(/6 Jun.*06:00.*\(Pacific\/Kiritimati\)/)
  expect(elsewhereText({ ...party, zone: 'No/Where' })).toBeUndefined()
  expect(isZone('No/Where')).toBe(false)
  expect(leaf({ name: '', day: '2027-07-01', guests: false })).toEqual({ day: '1', month: 'Jul' })
})

test('whole days are over wherever one is, and others two hours after they began unless they say', () => {
  expect(endOf({ name: '', day: '2027-07-01', guests: false })).toBe(Date.parse('2027-07-02T12:00:00Z'))
  expect(endOf(party)).toBe(Date.parse('2027-06-05T22:00:00Z'))
  expect(endOf({ ...party, ends: undefined } as unknown as EventFacts)).toBe(Date.parse('2027-06-05T18:00:00Z'))
})

test('a file for calendars has the same event again when it is changed, and no line that is too long', () => {
  const message = { id: 'x', originId: 'one', time: micros('2027-01-01T00:00:00Z') }
  const file = calendarFile({ ...party, name: 'Fest; mit, Allen', description: 'a\nb\\c', latitude: 47.37, longitude: 8.54 }, message)
  expect(file).toContain('\r\nUID:one\r\nDTSTAMP:20270101T000000Z\r\nSEQUENCE:0\r\nDTSTART:20270605T160000Z\r\nDTEND:20270605T220000Z\r\nSUMMARY:Fest\\; mit\\, Allen\r\nLOCATION:Town hall\r\nGEO:47.37;8.54\r\nDESCRIPTION:a\\nb\\\\c\r\n')
  expect(calendarFile({ ...party, cancelled: true }, { ...message, edited: message.time + 60e6 })).toMatch(/SEQUENCE:60[^]*STATUS:CANCELLED/)
  expect(calendarFile({ name: 'Fair', day: '2027-07-01', until: '2027-07-31', guests: false }, message)).toContain('DTSTART;VALUE=DATE:20270701\r\nDTEND;VALUE=DATE:20270801\r\n')
  const folded = fold('DESCRIPTION:' + 'سوق الخضار 🍅 '.repeat(40))
  expect(folded.split('\r\n').every((line) => new TextEncoder().encode(line).length <= 75)).toBe(true)
  expect(folded.replaceAll('\r\n ', '')).toBe('DESCRIPTION:' + 'سوق الخضار 🍅 '.repeat(40))
})

test('an event is on the wire as the protocol says, and nonsense in it is left out', () => {
  const content = { type: 'event' as const, ...party, latitude: 47.37, longitude: 8.54, places: 40, body: 'Summer party', answers: {} }
  const { body, elements } = writeEvent(content)
  expect(String(elements[0])).toContain(`starts='2027-06-05T16:00:00`)
  expect(readEvent(body, el(CLIENT, 'message', {}, ...elements))).toEqual(content)
  const read = (attrs: string, inside = '<name>x</name>') => readEvent('x', parse(`<message xmlns='${CLIENT}'><event xmlns='urn:palabre:event:0' ${attrs}>${inside}</event></message>`) ?? el(CLIENT, 'message'))
  expect(read(`starts='2027-06-05T16:00:00Z'`, '')).toBeUndefined()
  expect(read('')).toBeUndefined()
  expect(read(`starts='2027-06-05T16:00:00Z' ends='2027-06-05T15:00:00Z' zone='../../etc' places='0' guests='yes' until='2027-07-01'`)).toEqual({ type: 'event', name: 'x', starts: party.starts, guests: false, body: 'x', answers: {} })
  expect(read(`starts='2027-06-05T16:00:00Z' ends='2027-08-05T16:00:00Z'`)).not.toHaveProperty('ends')
  expect(read(`day='2027-13-45'`)).toBeUndefined()
  expect(read(`day='2027-06-05' until='2027-06-04' ends='2027-06-05T15:00:00Z'`)).toEqual({ type: 'event', name: 'x', day: '2027-06-05', guests: false, body: 'x', answers: {} })
  expect(read(`day='2027-06-05' cancelled='true' places='10001'`, `<name>${'y'.repeat(300)}</name><place><geoloc xmlns='http://jabber.org/protocol/geoloc'><lat>91</lat><lon>8</lon></geoloc></place>`)).toEqual({ type: 'event', name: 'y'.repeat(200), day: '2027-06-05', cancelled: true, guests: false, body: 'x', answers: {} })
})
