// An event in its bubble: what, when and where, whether one comes, and who else does.
import type { JSX } from 'preact'
import calendarPath from 'icon:calendar-plus'
import bellPath from 'icon:bell'
import clockPath from 'icon:globe'
import pencilPath from 'icon:pencil'
import { MAX_GUESTS, type Answer, type Content, type Going, type Message } from '../../core/model.ts'
import { mayWrite } from '../../app/groups.ts'
import { engine } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { IconButton } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { confirm, over } from '../../ui/overlay.tsx'
import { saveAs } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'
import { calendarFile } from './eventFile.ts'
import { WhoComes } from './EventList.tsx'
import { MakeEvent } from './EventMake.tsx'
import { bodyOf, elsewhereText, endOf, leaf, whenText } from './eventWords.ts'
import { open } from './state.ts'
import { text } from './Text.tsx'
import './events.css'

type Event = Extract<Content, { type: 'event' }>

/** EventCard shows an event; a click answers, another takes the answer back. */
export function EventCard({ message, content: event }: { message: Message; content: Event }): JSX.Element {
  const { day, month } = leaf(event)
  const there = elsewhereText(event)
  const over = endOf(event) < Date.now()
  const mine = event.answers[engine().account().jid]
  return (
    <div class={`event${event.cancelled ? ' off' : ''}`}>
      <div class="ev-top">
        <span class="leaf" aria-hidden="true"><small>{month}</small><b>{day}</b></span>
        <span class="grow"><b dir="auto">{event.name}</b><small dir="auto">{whenText(event)}</small></span>
      </div>
      {there && <p class="ev-line"><Icon path={clockPath} /><span dir="auto">{there}</span></p>}
      <Where event={event} />
      {event.description && <div class="ev-text">{text(event.description)}</div>}
      {event.cancelled ? <p class="ev-off"><Icon name="circleAlert" />{t('ev.cancelled')}</p> : over ? <p class="ev-off">{t('ev.past')}</p>
        : <Answering message={message} event={event} mine={mine} />}
      <Counts event={event} message={message} />
      <Below message={message} event={event} over={over} />
    </div>
  )
}

function Where({ event }: { event: Event }): JSX.Element | null {
  if (!event.place && event.latitude === undefined) return null
  const map = event.latitude === undefined ? undefined : `geo:${event.latitude},${event.longitude}`
  const name = <span dir="auto">{event.place ?? `${event.latitude?.toFixed(5)}, ${event.longitude?.toFixed(5)}`}</span>
  return <p class="ev-line"><Icon name="mapPin" />{map ? <a href={map}>{name}</a> : name}</p>
}

const answers: Going[] = ['yes', 'maybe', 'no']

function Answering({ message, event, mine }: { message: Message; event: Event; mine: Answer | undefined }): JSX.Element | null {
  const chat = open.value
  if (!chat || !mayWrite(chat) || message.state === 'failed') return null
  const say = (going: Going | null, guests = 0): void => void engine().answer(message.id, going, guests).catch((error: unknown) => { console.error('answer', error); toast(t('notKept')) })
  return (
    <>
      {mine?.stale && <p class="ev-again" role="status">{t('ev.askAgain')}</p>}
      <div class="ev-answers" role="radiogroup" aria-label={t('ev.going')}>
        {answers.map((going) => (
          <button type="button" key={going} role="radio" class={`btn g ${going}`} aria-checked={mine?.going === going} onClick={() => say(mine?.going === going && !mine.stale ? null : going, mine?.going === 'yes' && going === 'yes' ? mine.guests : 0)}>{t(`ev.${going}` as Key)}</button>
        ))}
      </div>
      {event.guests && mine?.going === 'yes' && (
        <div class="ev-with" role="group" aria-label={t('ev.with')}>
          <span>{t('ev.with')}</span>
          <button type="button" class="ib" aria-label={t('ev.less')} disabled={mine.guests < 1} onClick={() => say('yes', mine.guests - 1)}><span aria-hidden="true">−</span></button>
          <b class="num" role="status">{mine.guests}</b>
          <IconButton icon="plus" label={t('ev.more')} disabled={mine.guests >= MAX_GUESTS} act={() => say('yes', mine.guests + 1)} />
        </div>
      )}
      {mine?.waits && <p class="ev-again" role="status">{mine.waits > mine.guests ? t('ev.youWait') : t('ev.youWaitSome', { n: mine.waits })}</p>}
    </>
  )
}

/** How many people come, with those whom they bring. */
function Counts({ event, message }: { event: Event; message: Message }): JSX.Element {
  const all = Object.values(event.answers)
  const waits = all.reduce((sum, a) => sum + (a.waits ?? 0), 0)
  const comes = all.reduce((sum, a) => sum + (a.going === 'yes' ? 1 + a.guests : 0), 0) - waits
  const maybe = all.filter((a) => a.going === 'maybe').length
  const no = all.filter((a) => a.going === 'no').length
  if (!all.length) return <p class="ev-none">{event.places ? t('ev.of', { n: 0, places: event.places }) : t('ev.none')}</p>
  const parts = [...(event.places ? [t('ev.of', { n: comes, places: event.places })] : comes ? [t('ev.comes', { n: comes })] : []), ...(waits ? [t('ev.waiting', { n: waits })] : []), ...(maybe ? [t('ev.maybes', { n: maybe })] : []), ...(no ? [t('ev.nos', { n: no })] : [])]
  return <button type="button" class="ev-counts" onClick={() => void over((close) => <WhoComes id={message.id} first={event} close={close} />)}><span>{parts.join(' · ')}</span><Icon name="chevronRight" flip /></button>
}

function Below({ message, event, over: past }: { message: Message; event: Event; over: boolean }): JSX.Element {
  const save = (): void => saveAs(new Blob([calendarFile(event, message)], { type: 'text/calendar' }), `${event.name}.ics`)
  const chat = open.value
  return (
    <div class="ev-below">
      {!past && <IconButton path={calendarPath} label={t('ev.calendar')} act={save} />}
      {!past && !event.cancelled && <IconButton path={bellPath} label={t('ev.remind')} act={() => void import('./eventRemind.tsx').then((r) => r.askReminder(message, event), () => toast(t('part.failed')))} />}
      {message.own && !past && !event.cancelled && chat && mayWrite(chat) && <IconButton path={pencilPath} label={t('ev.change')} act={() => void over((close) => <MakeEvent jid={message.chat} close={close} change={{ id: message.id, event }} cancel={() => { close(); void cancel(message, event) }} />)} />}
    </div>
  )
}

async function cancel(message: Message, event: Event): Promise<void> {
  if (!await confirm({ title: t('ev.cancelTitle'), text: t('ev.cancelText'), yes: t('ev.cancelYes'), danger: true })) return
  const off: Event = { ...event, cancelled: true }
  try { await engine().changeEvent(message.id, { ...off, body: bodyOf(off, t('ev.cancelled')) }) } catch (error) { console.error('event', error); toast(t('notKept')) }
}

