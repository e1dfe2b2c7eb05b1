// What notifications look like and say: the words of the person's language, and what can be done with them without opening the client.
import type { Chat, JID } from '../core/model.ts'
import { scope } from './scope.ts'

type Text = string | Partial<Record<Intl.LDMLPluralRule, string>>
const all = import.meta.glob<Record<string, Text>>('../i18n/*/push.json', { import: 'default', eager: true })

/** The names of what can be done with a notification. */
export const REPLY = 'reply'
/** See REPLY. */
export const READ = 'read'

/** What a notification carries, for when it is clicked. It is made here and read here, but passes through the browser. */
export interface Carried {
  path: string
  account?: JID
  chat?: JID
  /** Until when (microseconds, our clock) messages were told of: what can be marked as read. */
  upTo?: number
}

interface Action { action: string; type?: 'button' | 'text'; title: string; placeholder?: string }
/** The compiler's own names leave out what not every browser has. */
interface Options extends NotificationOptions { actions?: Action[]; renotify?: boolean; timestamp?: number }

/** say gives a text in a language, English where that has none; the form that fits `n`, with values put in. */
export function say(language: string, key: string, values: Record<string, string | number> = {}): string {
  const texts = all[`../i18n/${language}/push.json`] ?? all['../i18n/en/push.json']
  const found = texts?.[key]
  const text = typeof found === 'object' ? found[new Intl.PluralRules(language).select(Number(values['n'] ?? 0))] ?? found.other : found
  return (text ?? '').replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}

/** The tag under which the notification of a chat stands: a newer one takes its place. */
export const tagOf = (account: JID, chat: JID): string => `chat ${account} ${chat}`

/** The tag of what is said about an answer. */
export const answerTag = (account: JID, chat: JID): string => `answer ${tagOf(account, chat)}`

/** The tag of reactions to what was said in a chat. */
export const reactionTag = (account: JID, chat: JID): string => `reaction ${tagOf(account, chat)}`

/** The address of a chat within the client. */
export const pathOf = (chat: JID): string => `/chat/${encodeURIComponent(chat)}`

/** The address of a channel within the client. */
export const channelPath = (name: string): string => `/channels/${encodeURIComponent(name)}`

/** What is shown. `chat`: an answer can be typed and the chat be marked as read; only where its name may be seen. */
export interface Showing { language: string; title: string; body: string; tag: string; silent?: boolean; again?: boolean; carried: Carried; chat?: Chat }

/** show shows a notification. Browsers that have no text field in notifications show the button alone, and the answer is typed in the chat. */
export async function show({ language, title, body, tag, silent = false, again = true, carried, chat }: Showing): Promise<void> {
  const actions: Action[] = [
    { action: REPLY, type: 'text', title: say(language, 'push.reply'), placeholder: say(language, 'push.write') },
    { action: READ, title: say(language, 'push.read') },
  ]
  const icon = '/icons/palabre-192.png'
  const options: Options = { body, tag, lang: language, icon, badge: icon, silent, renotify: again && !silent, data: carried, ...(chat && !chat.blocked ? { actions } : {}) }
  await scope.registration.showNotification(title, options)
}

/** carriedBy reads what a notification carries; anything else leads to the list of chats. */
export function carriedBy(data: unknown): Carried {
  if (typeof data !== 'object' || data === null || !('path' in data) || typeof data.path !== 'string' || !/^\/(?!\/)/.test(data.path)) return { path: '/' }
  const text = (name: string): string | undefined => { const value = (data as Record<string, unknown>)[name]; return typeof value === 'string' && value.length <= 3071 ? value : undefined }
  const upTo = 'upTo' in data && typeof data.upTo === 'number' && Number.isFinite(data.upTo) ? data.upTo : undefined
  const [account, chat] = [text('account'), text('chat')]
  return { path: data.path, ...(account && chat ? { account, chat, ...(upTo ? { upTo } : {}) } : {}) }
}
