// Asking for notifications at a good moment: after the first message was sent, once, and never on arrival. A refusal is respected for ever; the
// settings can still turn them on.
import { signal } from '@preact/signals'
import type { Waking } from '../core/model.ts'
import { engine } from './session.ts'

const key = 'notify.asked'
const canAsk = (): boolean => 'Notification' in globalThis && Notification.permission === 'default' && 'serviceWorker' in navigator && 'PushManager' in globalThis

/** Whether the offer to turn notifications on is shown now. */
export const offered = signal(false)

/** offerOnce shows the offer when it makes sense: something was sent, nobody was asked before, and this browser can. */
export function offerOnce(): void {
  if (!offered.value && canAsk() && localStorage.getItem(key) === null) offered.value = true
}

/** declineOffer puts the offer away for good. */
export function declineOffer(): void {
  localStorage.setItem(key, 'no')
  offered.value = false
}

/** wake asks the browser for permission and subscribes; call it from a click. It says how it stands then. */
export async function wake(): Promise<Waking> {
  localStorage.setItem(key, 'yes')
  offered.value = false
  if ('Notification' in globalThis && Notification.permission === 'default') {
    const answer = await Notification.requestPermission()
    if (answer !== 'granted') return { state: answer === 'denied' ? 'denied' : 'off' }
  }
  return engine().setWaking(true)
}
