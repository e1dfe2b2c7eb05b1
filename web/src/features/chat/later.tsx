// What is loaded when the first event or list of votes is looked at, and is not kept for a start without network: until it is here, an event is its words.
import type { JSX } from 'preact'
import { signal } from '@preact/signals'
import { moneyText, type Content, type Message } from '../../core/model.ts'
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

type Cards = typeof import('./MoneyCards.tsx')
const cards = signal<Cards | undefined>(undefined)
let loadingCards: Promise<void> | undefined

/** Money shows a payment, a request or a split; until its part is here, it is its words. */
export function Money({ message, content }: { message: Message; content: Extract<Content, { type: 'payment' | 'request' | 'split' }> }): JSX.Element {
  const part = cards.value
  if (part && content.type === 'payment') return <part.PaymentCard message={message} payment={content.payment} />
  if (part && content.type === 'request') return <part.RequestCard message={message} request={content.request} />
  if (part && content.type === 'split') return <part.SplitCard message={message} content={content} />
  void (loadingCards ??= Promise.all([import('./MoneyCards.tsx'), loadPart('pay'), loadPart('paycards')]).then(([found]) => { cards.value = found }))
    .catch((error: unknown) => { loadingCards = undefined; console.warn('pay', error) })
  return <div class="pad">{text(moneyText(content))}</div>
}

/** Event shows an event. */
export function Event({ message, content }: { message: Message; content: Extract<Content, { type: 'event' }> }): JSX.Element {
  const Card = events.value?.EventCard
  if (Card) return <Card message={message} content={content} />
  void load().catch((error: unknown) => console.warn('events', error))
  return <div class="pad">{text(content.body || content.name)}</div>
}
