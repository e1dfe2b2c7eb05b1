// What is loaded when the first event or list of votes is looked at, and is not kept for a start without network: until it is here, an event is its words.
import type { JSX } from 'preact'
import { signal } from '@preact/signals'
import type { Content, Message } from '../../core/model.ts'
import { loadPart, t } from '../../i18n/t.ts'
import { toast } from '../../ui/toast.tsx'
import { text } from './Text.tsx'

type Events = typeof import('./Events.tsx')
const events = signal<Events | undefined>(undefined)
let loading: Promise<void> | undefined

function load(): Promise<void> {
  return loading ??= Promise.all([import('./Events.tsx'), loadPart('events')]).then(([found]) => { events.value = found }, (error: unknown) => { loading = undefined; throw error })
}

/** withEvents does something with what is loaded first; when it cannot be had, that is said. */
export function withEvents(use: (events: Events) => void): void {
  load().then(() => { if (events.value) use(events.value) }, (error: unknown) => { console.warn('events', error); toast(t('part.failed')) })
}

/** Event shows an event. */
export function Event({ message, content }: { message: Message; content: Extract<Content, { type: 'event' }> }): JSX.Element {
  const Card = events.value?.EventCard
  if (Card) return <Card message={message} content={content} />
  void load().catch((error: unknown) => console.warn('events', error))
  return <div class="pad">{text(content.body || content.name)}</div>
}
