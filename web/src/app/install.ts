// Adding the client to the home screen. Browsers offer it once, early; the offer is kept until a person wants it.
import { signal } from '@preact/signals'

interface InstallEvent extends Event { prompt(): Promise<void>; userChoice: Promise<{ outcome: 'accepted' | 'dismissed' }> }

let offer: InstallEvent | undefined
/** Whether the browser offers to install now. */
export const installable = signal(false)

/** installed is whether we run from the home screen already. */
export const installed = (): boolean => matchMedia('(display-mode: standalone)').matches || (navigator as { standalone?: boolean }).standalone === true

/** iosWeb is whether this is a browser of an iPhone or iPad, which installs by its share menu only. */
export const iosWeb = (): boolean => /iPhone|iPad|iPod/.test(navigator.userAgent) || (navigator.platform === 'MacIntel' && navigator.maxTouchPoints > 1)

addEventListener('beforeinstallprompt', (event) => {
  event.preventDefault()
  offer = event as InstallEvent
  installable.value = true
})
addEventListener('appinstalled', () => { offer = undefined; installable.value = false })

/** install has the browser ask; false when the person would rather not. */
export async function install(): Promise<boolean> {
  const asked = offer
  if (!asked) return false
  offer = undefined
  installable.value = false
  await asked.prompt()
  return (await asked.userChoice).outcome === 'accepted'
}
