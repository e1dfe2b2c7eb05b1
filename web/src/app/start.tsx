// Puts the parts together in the order in which people notice them.
import { render } from 'preact'
import { firstChats } from '../core/store/first.ts'
import { loadPart, preferred, speak } from '../i18n/t.ts'
import { applyPrefs } from '../ui/prefs.ts'
import { announce } from './announce.ts'
import './install.ts'
import { open } from './open.ts'
import { go, place } from './router.ts'
import { begin, chats, nobody } from './session.ts'
import { Shell } from './Shell.tsx'
import { listen } from './shortcuts.tsx'
import { keepOffline } from './update.ts'
import { exists, load } from './View.tsx'

/** start shows the client: first what was there last time, then the engine. It fulfils when the engine runs or is known not to. */
export async function start(): Promise<void> {
  applyPrefs()
  const texts = speak(preferred()).catch(() => speak('en'))
  const known = await firstChats()
  const opening = known ? undefined : open() // nothing to look at meanwhile
  chats.value ??= known
  await texts
  const root = document.getElementById('app')
  if (!root) return
  render(<Shell />, root)
  listen()
  announce()
  setManifest()
  if (known) await drawn()
  const engine = await (opening ?? open())
  nobody.value = !engine
  if (engine) begin(engine)
  else if (!place.value.route.open && exists('onboarding')) go('/welcome', { replace: true })
  const idle = globalThis.requestIdleCallback ?? ((act: () => void) => setTimeout(act, 300))
  idle(() => { if (engine && localStorage.getItem('palabre.live')) void import('./live.ts').then((live) => live.resume()).catch((error: unknown) => console.warn('live', error)); if (engine && localStorage.getItem('palabre.reminders')) void import('./reminders.ts').then((r) => r.watch()).catch((error: unknown) => console.warn('reminders', error)); if (engine) void load('chat').catch(() => loadPart('chat').catch(() => undefined)); void keepOffline().catch((error: unknown) => console.warn('offline', error)) })
}

const drawnMs = 100

/** When the first picture has been drawn; soon in a page that nobody sees, which draws nothing. */
function drawn(): Promise<void> {
  return new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done))
    setTimeout(done, drawnMs)
  })
}

/** The name under which the app is installed is in the language of the person. */
function setManifest(): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel=manifest]')
  if (link) link.href = `/manifest.${document.documentElement.lang}.webmanifest`
}
