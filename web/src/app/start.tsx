// Puts the parts together in the order in which people notice them.
import { render } from 'preact'
import { firstChats } from '../core/store/first.ts'
import { loadPart, preferred, speak } from '../i18n/t.ts'
import { applyPrefs } from '../ui/prefs.ts'
import { announce } from './announce.ts'
import './install.ts'
import { open } from './open.ts'
import { go, place } from './router.ts'
import { begin, chats } from './session.ts'
import { Shell } from './Shell.tsx'
import { listen } from './shortcuts.tsx'
import { keepOffline } from './update.ts'
import { exists, load } from './View.tsx'

/** start shows the client. It fulfils when the engine runs or is known not to. */
export async function start(): Promise<void> {
  applyPrefs()
  const opening = open()
  const first = firstChats().then((known) => { if (known) chats.value ??= known })
  await speak(preferred()).catch(() => speak('en'))
  const root = document.getElementById('app')
  if (!root) return
  await first
  render(<Shell />, root)
  listen()
  announce()
  setManifest()
  const engine = await opening
  if (engine) begin(engine)
  else if (!place.value.route.open && exists('onboarding')) go('/welcome', { replace: true })
  const idle = globalThis.requestIdleCallback ?? ((act: () => void) => setTimeout(act, 300))
  idle(() => { if (engine) void load('chat').catch(() => loadPart('chat').catch(() => undefined)); void keepOffline().catch((error: unknown) => console.warn('offline', error)) })
}

/** The name under which the app is installed is in the language of the person. */
function setManifest(): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel=manifest]')
  if (link) link.href = `/manifest.${document.documentElement.lang}.webmanifest`
}
