// Making an event, and changing one's own.
import type { JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import type { Content, EventFacts, JID } from '../../core/model.ts'
import { where } from '../../app/live.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field, Switch } from '../../ui/controls.tsx'
import { Sheet } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { bodyOf, clockIn, inZone, isZone, ownZone } from './eventWords.ts'
import './events.css'

type Event = Extract<Content, { type: 'event' }>
/** What stands in the fields. */
interface Draft { name: string; whole: boolean; day: string; time: string; endDay: string; endTime: string; zone: string; place: string; map: string; text: string; guests: boolean; places: string }

const hour = 3_600_000
const longest = 31 * 24 * hour
const coordinates = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*[,;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/

function draftOf(event: Event | undefined): Draft {
  const zone = event && isZone(event.zone) ? event.zone : ownZone()
  const next = Math.ceil((Date.now() + 24 * hour) / hour) * hour
  const [day = '', time = ''] = clockIn(event?.starts === undefined ? next : event.starts / 1000, zone).split('T')
  const [endDay = '', endTime = ''] = event?.ends === undefined ? [] : clockIn(event.ends / 1000, zone).split('T')
  const map = event?.latitude === undefined ? '' : `${event.latitude}, ${event.longitude}`
  return {
    name: event?.name ?? '', whole: event?.day !== undefined, day: event?.day ?? day, time, endDay: event?.until ?? endDay, endTime, zone, place: event?.place ?? '', map,
    text: event?.description ?? '', guests: event?.guests ?? false, places: event?.places ? String(event.places) : '',
  }
}

/** factsOf reads the fields; what is wrong with them is named. */
export function factsOf(d: Draft): EventFacts | 'ends' | 'time' | 'map' {
  const facts: EventFacts = { name: d.name.trim(), guests: d.guests }
  if (d.whole) {
    if (!d.day || (d.endDay && (d.endDay < d.day || Date.parse(d.endDay) - Date.parse(d.day) > longest))) return d.day ? 'ends' : 'time'
    Object.assign(facts, { day: d.day, ...(d.endDay > d.day ? { until: d.endDay } : {}) })
  } else {
    const starts = inZone(d.day, d.time, d.zone)
    if (starts === undefined) return 'time'
    const ends = d.endTime ? inZone(d.endDay || d.day, d.endTime, d.zone) : undefined
    if ((d.endTime && ends === undefined) || (ends !== undefined && (ends <= starts || ends - starts > longest * 1000))) return 'ends'
    Object.assign(facts, { starts, zone: d.zone, ...(ends === undefined ? {} : { ends }) })
  }
  const [, lat, lon] = coordinates.exec(d.map) ?? []
  if (d.map.trim() && !(Math.abs(Number(lat ?? NaN)) <= 90 && Math.abs(Number(lon ?? NaN)) <= 180)) return 'map'
  const places = Math.floor(Number(d.places))
  return {
    ...facts, ...(d.place.trim() ? { place: d.place.trim() } : {}), ...(d.map.trim() ? { latitude: Number(lat), longitude: Number(lon) } : {}), ...(d.text.trim() ? { description: d.text.trim() } : {}),
    ...(places > 0 ? { places: Math.min(places, 10_000) } : {}),
  }
}

/** MakeEvent asks for all of an event. */
export function MakeEvent({ jid, close, change, cancel }: { jid: JID; close: () => void; change?: { id: string; event: Event }; cancel?: () => void }): JSX.Element {
  const [d, setDraft] = useState(() => draftOf(change?.event))
  const set = (part: Partial<Draft>): void => setDraft((before) => ({ ...before, ...part }))
  const facts = factsOf(d)
  const wrong = typeof facts === 'string' ? facts : undefined
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    if (typeof facts === 'string') return
    const content: Event = { type: 'event', ...facts, body: bodyOf(facts, t('ev.cancelled')), answers: {} }
    close()
    try { await (change ? engine().changeEvent(change.id, content) : engine().send(jid, { content })) } catch (error) { console.error('event', error); toast(t('notKept')) }
  }
  return (
    <Sheet title={t(change ? 'ev.change' : 'ev.make')} close={close}>
      <form class="form scroll ev-form" onSubmit={(e) => void send(e)}>
        <Field label={t('ev.name')} value={d.name} change={(name) => set({ name })} limit={200} required focus={!change} />
        <Switch label={t('ev.wholeDay')} on={d.whole} change={(whole) => set({ whole })} />
        <div class="ev-pair">
          <When label={t('ev.startDay')} type="date" value={d.day} change={(day) => set({ day })} required />
          {!d.whole && <When label={t('ev.startTime')} type="time" value={d.time} change={(time) => set({ time })} required />}
        </div>
        <div class="ev-pair">
          <When label={t('ev.endDay')} type="date" value={d.endDay} change={(endDay) => set({ endDay })} min={d.day} wrong={wrong === 'ends' ? t('ev.wrongEnds') : undefined} />
          {!d.whole && <When label={t('ev.endTime')} type="time" value={d.endTime} change={(endTime) => set({ endTime })} />}
        </div>
        {!d.whole && <Zone value={d.zone} change={(zone) => set({ zone })} />}
        <Field label={t('ev.place')} value={d.place} change={(place) => set({ place })} limit={200} />
        <Field label={t('ev.map')} hint={t('ev.mapHint')} value={d.map} change={(map) => set({ map })} limit={60} ltr wrong={wrong === 'map' ? t('ev.mapWrong') : undefined} />
        <Button kind="t" icon="mapPin" act={() => void here(set)}>{t('ev.mapHere')}</Button>
        <Field label={t('ev.text')} value={d.text} change={(text) => set({ text })} limit={2000} multiline />
        <Switch label={t('ev.guests')} on={d.guests} change={(guests) => set({ guests })} />
        <Field label={t('ev.places')} hint={t('ev.placesHint')} type="number" value={d.places} change={(places) => set({ places })} />
        {cancel && <Button kind="d" act={cancel}>{t('ev.cancel')}</Button>}
        <div class="do"><Button kind="t" act={close}>{t('cancel')}</Button><Button kind="p" submit disabled={!d.name.trim() || wrong !== undefined}>{t(change ? 'ev.save' : 'send')}</Button></div>
      </form>
    </Sheet>
  )
}

async function here(set: (part: Partial<Draft>) => void): Promise<void> {
  try { const { latitude, longitude } = await where(); set({ map: `${latitude.toFixed(6)}, ${longitude.toFixed(6)}` }) } catch { toast(t('place.refused')) }
}

function When({ label, type, value, change, required, min, wrong }: { label: string; type: 'date' | 'time'; value: string; change: (value: string) => void; required?: boolean; min?: string; wrong?: string | undefined }): JSX.Element {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} type={type} value={value} required={required} min={min} aria-invalid={wrong ? true : undefined} aria-describedby={wrong ? `${id}w` : undefined} onInput={(e) => change(e.currentTarget.value)} />
      {wrong && <span class="wrong" id={`${id}w`} role="alert">{wrong}</span>}
    </div>
  )
}

function Zone({ value, change }: { value: string; change: (zone: string) => void }): JSX.Element {
  const id = useId()
  const [zones] = useState(() => [...new Set([value, ownZone(), ...Intl.supportedValuesOf('timeZone'), 'UTC'])])
  return (
    <div class="field">
      <label for={id}>{t('ev.zone')}</label>
      <select id={id} value={value} onChange={(e) => change(e.currentTarget.value)}>{zones.map((zone) => <option key={zone} value={zone}>{zone.replaceAll('_', ' ')}</option>)}</select>
    </div>
  )
}
