// Being woken (docs/protocol/web-push.md): which chat it is about is a name that only this browser and the server understand. The notification
// says who and how many; words stay encrypted until the client is opened. Where a tab runs that nobody looks at, it has decrypted what came,
// and the notification shows it if the person wants that.
import { accountsHere, channelsHere, chatsHere, choicesHere, contactsHere, noteWoken, wakingHere, type ChannelHere } from '../core/store/first.ts'
import { withDefaults } from '../core/store/kv.ts'
import type { Chat, Choices, JID } from '../core/model.ts'
import { scope, type Pushing } from './scope.ts'
import { answerTag, channelPath, pathOf, reactionTag, say, show, tagOf } from './show.ts'

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

/** Whose chat a wake-up is about; `contact`: somebody's who is one and has no chat yet. */
interface Found { account: JID; chat: Chat | undefined; contact: boolean; channel?: ChannelHere }

async function findChat(hidden: string): Promise<Found | undefined> {
  const accounts = await accountsHere()
  const subscription = await scope.registration.pushManager.getSubscription()
  const auth = subscription?.getKey('auth')
  if (auth && hidden) {
    for (const { jid } of accounts) for (const chat of await chatsHere(jid)) if (await hiddenName(auth, chat.jid) === hidden) return { account: jid, chat, contact: true }
    for (const { jid } of accounts) for (const contact of await contactsHere(jid)) if (await hiddenName(auth, contact.jid) === hidden) return { account: jid, chat: undefined, contact: true }
    for (const { jid } of accounts) for (const channel of await channelsHere(jid)) if (await hiddenName(auth, channel.address) === hidden) return { account: jid, chat: undefined, contact: true, channel }
  }
  return accounts[0] && { account: accounts[0].jid, chat: undefined, contact: false }
}

/** Whether somebody looks at the account: the pages show the one in use, and no other is connected. A chat that nobody here knows may be of any. */
async function looksAt(account: JID, known: boolean): Promise<boolean> {
  const [first, ...others] = await accountsHere()
  return (known ? first?.jid === account : !others.length) && await looked()
}

const looked = async (): Promise<boolean> => (await scope.clients.matchAll({ type: 'window' })).some((w) => w.visibilityState === 'visible')

/** woken shows what has come. Nothing is shown while somebody looks at the account: the client tells by itself. */
export async function woken(event: Pushing, language: string): Promise<void> {
  const said = read(event)
  const found = await findChat(said.chat)
  const now = Date.now() * 1000
  if (found) await noteWoken(found.account, now)
  if (!said.trial && await (found ? looksAt(found.account, found.contact) : looked())) return
  const choices = withDefaults(found && await choicesHere(found.account))
  const request = found?.chat ? !!found.chat.request : !!said.chat && !found?.contact && !choices.strangers // a browser that was woken has to show something: without a sound
  const chat = found?.chat && choices.preview && !request ? found.chat : undefined
  const body = said.trial ? say(language, 'push.trial') : said.count ? say(language, 'push.count', { n: said.count }) : say(language, 'push.some')
  if (found?.channel && !said.trial) return showChannel(found.account, found.channel, choices, language)
  const carried = found?.chat ? { path: pathOf(found.chat.jid), account: found.account, chat: found.chat.jid, upTo: now } : { path: '/' }
  const tag = found?.chat ? tagOf(found.account, found.chat.jid) : said.chat || 'palabre'
  await show({ language, title: chat?.name ?? 'Palabre', body, tag, silent: !choices.sound || request || !wants(found?.chat, choices), carried, ...(chat ? { chat } : {}) })
}

/** Something was published in a channel. */
function showChannel(account: JID, { address, name, title, unread, text }: ChannelHere, { preview, sound }: Choices, language: string, here = false): Promise<void> {
  const body = here && preview && text ? text : unread && here ? say(language, 'push.count', { n: unread }) : say(language, 'push.some')
  return show({ language, title: preview ? title : 'Palabre', body, tag: tagOf(account, address), silent: !sound, carried: { path: channelPath(name), account, chat: address } })
}

/** Whether a person wants to be told of such a chat. A browser that was woken has to show something: then it makes no sound. */
const wants = (chat: Chat | undefined, { notify }: Choices): boolean => !chat || (chat.kind === 'group' ? notify.groups : notify.people)

/** arrived shows a message that came while the client is open and nobody looks at it. The server wakes nobody then: it sees a session. One that names us
 * (`called`) is shown of a muted chat, too, unless a person does not want that. */
export async function arrived(account: JID, jid: JID, language: string, called = false): Promise<void> {
  if (Notification.permission !== 'granted' || await wakingHere(account) === false || await looked()) return
  const [chats, choices] = [await chatsHere(account), withDefaults(await choicesHere(account))]
  const chat = chats.find((c) => c.jid === jid)
  const channel = (await channelsHere(account)).find((c) => c.address === jid)
  if (channel?.unread && (chat?.muted ?? 0) <= Date.now() * 1000) return showChannel(account, channel, choices, language, true)
  const muted = (chat?.muted ?? 0) > Date.now() * 1000 && !(called && choices.notify.mentions)
  if (!chat || !chat.unread || chat.blocked || chat.request || muted || !wants(chat, choices)) return
  const named = choices.preview ? chat : undefined
  const body = (named?.last && !named.last.own && named.last.content !== 'system' && named.last.text) || say(language, 'push.count', { n: chat.unread })
  const carried = { path: pathOf(jid), account, chat: jid, upTo: Math.max(chat.time, Date.now() * 1000) }
  await show({ language, title: await titleOf(account, named, language), body, tag: tagOf(account, jid), silent: !choices.sound, carried, ...(named ? { chat: named } : {}) })
}

/** Whose message it is: of a group also who said it. */
async function titleOf(account: JID, chat: Chat | undefined, language: string): Promise<string> {
  const last = chat?.last
  if (!chat || chat.kind !== 'group' || !last || last.own || last.content === 'system') return chat?.name ?? 'Palabre'
  const contact = (await contactsHere(account)).find((c) => c.jid === last.from)
  const name = contact?.name ?? last.author ?? contact?.nick
  return name ? say(language, 'push.inGroup', { name, group: chat.name }) : chat.name
}

/** reacted shows a reaction to a message of one's own (`text`) that came while the client is open and nobody looks at it. */
export async function reacted(account: JID, jid: JID, emoji: string, text: string, language: string): Promise<void> {
  if (Notification.permission !== 'granted' || await wakingHere(account) === false || await looked()) return
  const [chats, choices] = [await chatsHere(account), withDefaults(await choicesHere(account))]
  const chat = chats.find((c) => c.jid === jid)
  if (!chat || !choices.notify.reactions || chat.blocked || chat.request || (chat.muted ?? 0) > Date.now() * 1000) return
  const body = choices.preview && text ? say(language, 'push.reactedTo', { emoji, text }) : say(language, 'push.reacted', { emoji })
  await show({ language, title: choices.preview ? chat.name : 'Palabre', body, tag: reactionTag(account, jid), silent: !choices.sound, carried: { path: pathOf(jid), account, chat: jid } })
}

/** looks takes the notifications of a chat away that somebody reads now, also that an answer waits: the client itself says so. */
export async function looks(account: JID, jid: JID): Promise<void> {
  for (const tag of [tagOf(account, jid), answerTag(account, jid), reactionTag(account, jid)]) for (const one of await scope.registration.getNotifications({ tag })) one.close()
}
