// Reminders of events on this device. A page can wake nobody while it is closed: what was due meanwhile is told at the next start, unless the event is over.
import { loadPart, t } from '../i18n/t.ts'
import { toast } from '../ui/toast.tsx'
import { chatPath } from './router.ts'

/** A reminder; times in milliseconds, `before` in minutes. */
export interface Reminder { chat: string; name: string; before: number; at: number; starts: number }

const key = 'palabre.reminders'
const most = 200
/** Timers of browsers end at 2^31 milliseconds. */
const longest = 3_600_000
const late = 3_600_000
let timer: ReturnType<typeof setTimeout> | undefined

const isReminder = (r: unknown): r is Reminder => typeof r === 'object' && r !== null && 'at' in r && typeof r.at === 'number' && 'starts' in r && typeof r.starts === 'number' && 'name' in r && typeof r.name === 'string' && 'chat' in r && typeof r.chat === 'string'

function kept(): Record<string, Reminder> {
  try {
    const all: unknown = JSON.parse(localStorage.getItem(key) ?? '{}')
    return typeof all === 'object' && all !== null ? Object.fromEntries(Object.entries(all).filter((one): one is [string, Reminder] => isReminder(one[1])).slice(-most)) : {}
  } catch { return {} }
}

/** reminderOf is when this device reminds of the event of a message. */
export const reminderOf = (message: string): Reminder | undefined => kept()[message]

/** remind keeps a reminder for the event of a message, or takes it away. */
export function remind(message: string, reminder?: Reminder): void {
  const all = kept()
  delete all[message]
  if (reminder) all[message] = reminder
  if (Object.keys(all).length) localStorage.setItem(key, JSON.stringify(all))
  else localStorage.removeItem(key)
  watch()
}

/** watch tells what is due, and waits for what is due next. */
export function watch(): void {
  clearTimeout(timer)
  const now = Date.now()
  let next = Infinity
  for (const [id, one] of Object.entries(kept())) {
    if (one.at > now) { next = Math.min(next, one.at); continue }
    remindNow(id, one, now)
  }
  if (next < Infinity) timer = setTimeout(watch, Math.min(longest, next - now))
}

function remindNow(id: string, one: Reminder, now: number): void {
  const all = kept() // another tab may have told it
  if (!all[id]) return
  delete all[id]
  if (Object.keys(all).length) localStorage.setItem(key, JSON.stringify(all))
  else localStorage.removeItem(key)
  if (one.starts + late < now) return
  void loadPart('events').then(() => tell(id, one)).catch((error: unknown) => console.warn('reminder', error))
}

async function tell(id: string, { name, chat, starts }: Reminder): Promise<void> {
  const minutes = Math.round((starts - Date.now()) / 60_000)
  const text = minutes > 0 ? t('ev.soon', { name, n: minutes }) : t('ev.begins', { name })
  toast(text)
  const worker = await navigator.serviceWorker?.getRegistration()
  if (worker && typeof Notification !== 'undefined' && Notification.permission === 'granted') await worker.showNotification(name, { body: text, tag: `event ${id}`, data: { path: `${chatPath(chat)}/at/${id}` } })
}
