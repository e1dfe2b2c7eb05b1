// The browser or its push service gives this browser another address, or ends the one that it had. A tab tells the server; where none is open the
// new address is kept by the browser itself, and the next start tells it (core/engine/push.ts).
import { SUBSCRIPTION } from '../core/engine/push.ts'
import { accountsHere, wakingHere } from '../core/store/first.ts'
import { scope, type Renewing } from './scope.ts'
import { say, show } from './show.ts'

/** renewed subscribes anew where the browser has not done it, and tells the tabs. Without any, nobody wakes this browser until it is opened: that is said. */
export async function renewed(event: Renewing, language: string): Promise<void> {
  if (!await wanted()) return
  const before = event.oldSubscription?.options.applicationServerKey
  const now = event.newSubscription ?? await scope.registration.pushManager.getSubscription() ??
    (before ? await scope.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: before }).catch(() => undefined) : undefined)
  if (now) {
    const channel = new BroadcastChannel(SUBSCRIPTION)
    channel.postMessage('changed')
    channel.close()
  }
  if ((await scope.clients.matchAll({ type: 'window' })).length) return
  await show({ language, title: 'Palabre', body: say(language, 'push.renew'), tag: 'palabre', again: false, carried: { path: '/' } })
}

async function wanted(): Promise<boolean> {
  for (const { jid } of await accountsHere()) if (await wakingHere(jid)) return true
  return false
}
