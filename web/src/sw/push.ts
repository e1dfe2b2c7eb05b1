// Being woken (docs/protocol/web-push.md): which chat it is about is a name that only this browser and the server understand. The notification
// says who and how many; words stay encrypted until the client is opened.
import { accountsHere, chatsHere, choicesHere, noteWoken } from '../core/store/first.ts'
import type { Chat, JID } from '../core/model.ts'
import { scope, type Clicking, type Pushing } from './scope.ts'

type Text = string | Partial<Record<Intl.LDMLPluralRule, string>>
const all = import.meta.glob<Record<string, Text>>('../i18n/*/push.json', { import: 'default', eager: true })

/** What a wake-up says. Anything else is ignored, and nothing at all means that something has come. */
interface Said { count: number; chat: string; trial: boolean }

const maxBytes = 2048
const maxCount = 9999
const nameBytes = 12

function read(event: Pushing): Said {
  const none = { count: 0, chat: '', trial: false }
  try {
    const text = event.data?.text() ?? ''
    if (text.length > maxBytes) return none
    const said: unknown = JSON.parse(text)
    if (typeof said !== 'object' || said === null) return none
    const count = 'count' in said && typeof said.count === 'number' && said.count > 0 ? Math.min(maxCount, Math.floor(said.count)) : 0
    return { count, chat: 'chat' in said && typeof said.chat === 'string' ? said.chat : '', trial: 'test' in said && said.test === true }
  } catch { return none }
}

/** hiddenName is how the server calls a chat towards this browser. */
export async function hiddenName(auth: BufferSource, jid: JID): Promise<string> {
  const key = await crypto.subtle.importKey('raw', auth, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const name = new Uint8Array(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`palabre chat\0${jid}`))).subarray(0, nameBytes)
  return btoa(String.fromCharCode(...name)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

async function findChat(hidden: string): Promise<{ account: JID; chat: Chat | undefined } | undefined> {
  const accounts = await accountsHere()
  const subscription = await scope.registration.pushManager.getSubscription()
  const auth = subscription?.getKey('auth')
  if (auth && hidden) {
    for (const { jid } of accounts) for (const chat of await chatsHere(jid)) if (await hiddenName(auth, chat.jid) === hidden) return { account: jid, chat }
  }
  return accounts[0] && { account: accounts[0].jid, chat: undefined }
}

function say(language: string, key: string, n = 0): string {
  const texts = all[`../i18n/${language}/push.json`] ?? all['../i18n/en/push.json']
  const found = texts?.[key]
  const text = typeof found === 'object' ? found[new Intl.PluralRules(language).select(n)] ?? found.other : found
  return (text ?? '').replace('{n}', String(n))
}

/** woken shows what has come. Nothing is shown while somebody looks at the client: it tells by itself. */
export async function woken(event: Pushing, language: string): Promise<void> {
  const said = read(event)
  const found = await findChat(said.chat)
  if (found) await noteWoken(found.account, Date.now() * 1000)
  const windows = await scope.clients.matchAll({ type: 'window' })
  if (!said.trial && windows.some((w) => w.visibilityState === 'visible')) return
  const choices = found ? await choicesHere(found.account) : {}
  const named = found?.chat && choices.preview !== false ? found.chat : undefined
  const body = said.trial ? say(language, 'push.trial') : said.count ? say(language, 'push.count', said.count) : say(language, 'push.some')
  await scope.registration.showNotification(named?.name ?? 'Palabre', {
    body, tag: said.chat || 'palabre', lang: language, icon: '/icons/palabre-192.png', badge: '/icons/palabre-192.png', silent: choices.sound === false,
    data: { path: found?.chat ? `/chat/${encodeURIComponent(found.chat.jid)}` : '/' },
  })
}

/** clicked opens what a notification is about, in a window that is there or in a new one. */
export async function clicked(event: Clicking): Promise<void> {
  event.notification.close()
  const data: unknown = event.notification.data
  const path = typeof data === 'object' && data !== null && 'path' in data && typeof data.path === 'string' && data.path.startsWith('/') ? data.path : '/'
  const [window] = await scope.clients.matchAll({ type: 'window' })
  if (!window) { await scope.clients.openWindow(path); return }
  await window.focus()
  window.postMessage({ type: 'go', path })
}
