// Reminders of events: each device's own business (docs/protocol/polls-and-events.md). They are kept on this device and told while the client is open here.
import type { Content, Message } from '../../core/model.ts'
import { remind, reminderOf } from '../../app/reminders.ts'
import { t } from '../../i18n/t.ts'
import { choose } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'

/** Minutes before an event. */
const spans = [0, 15, 60, 1440] as const

/** askReminder asks when this device is to remind of an event. */
export async function askReminder(message: Message, event: Extract<Content, { type: 'event' }>): Promise<void> {
  const starts = event.starts === undefined ? new Date(`${event.day}T09:00`).getTime() : event.starts / 1000
  const set = reminderOf(message.id)
  const left = spans.filter((n) => starts - n * 60_000 > Date.now())
  if (!left.length && !set) { toast(t('ev.past')); return }
  const answer = await choose({
    title: t('ev.remind'), text: t('ev.remindText'),
    answers: [...left.map((n) => ({ value: String(n), label: t(n === 0 ? 'ev.remind0' : n === 15 ? 'ev.remind15' : n === 60 ? 'ev.remind60' : 'ev.remind1440'), main: set?.before === n })), ...(set ? [{ value: 'none', label: t('ev.remindNone') }] : [])],
  })
  if (!answer) return
  if (answer === 'none') { remind(message.id); return }
  if (typeof Notification !== 'undefined' && Notification.permission === 'default') await Notification.requestPermission()
  remind(message.id, { chat: message.chat, name: event.name, before: Number(answer), at: starts - Number(answer) * 60_000, starts })
  toast(t('ev.reminds'))
}
