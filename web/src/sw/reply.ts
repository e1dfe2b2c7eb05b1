// What is done with a notification. An answer that is typed into it is kept before anything else, exactly as if it had been written in the chat: in
// the outbox, on the disk. Here are no keys, so that a tab sends it: one that is open at once, otherwise the next one; and the person is told which.
import { answer, left, markRead } from '../core/engine/answer.ts'
import { Accounts } from '../core/store/accounts.ts'
import { accountsHere } from '../core/store/first.ts'
import { scope, type Clicking } from './scope.ts'
import { answerTag, carriedBy, READ, REPLY, say, show, type Carried } from './show.ts'

/** How long an answer may be on its way before the person is told that it waits, in milliseconds; shorter in tests. */
export const ANSWER = { patience: 8000 }

/** clicked does what was chosen in a notification, or opens what it is about. */
export async function clicked(event: Clicking, language: string): Promise<void> {
  const carried = carriedBy(event.notification.data)
  const words = typeof event.reply === 'string' ? event.reply.trim() : ''
  const close = (): void => event.notification.close() // not before what was typed into it is kept
  try {
    if (event.action === REPLY && words && carried.chat) await reply(carried, words, language, close)
    else if (event.action === READ && carried.chat) await read(carried)
    else await open(carried)
  } finally {
    close()
  }
}

/** Opens a part of the client, in a window that is there or in a new one; in the account that it is about. */
async function open({ path, account }: Carried): Promise<void> {
  const about = account !== undefined && await isHere(account) ? account : undefined
  if (about !== undefined) await inUse(about)
  const [window] = await scope.clients.matchAll({ type: 'window' })
  if (!window) { await scope.clients.openWindow(path); return }
  await window.focus()
  window.postMessage({ type: 'go', path, ...(about === undefined ? {} : { account: about }) })
}

/** Makes an account the one that a page opens with. */
async function inUse(account: string): Promise<void> {
  if ((await accountsHere())[0]?.jid === account) return
  const accounts = await Accounts.open()
  await accounts.change(account, { used: Date.now() * 1000 }).finally(() => accounts.close())
}

const isHere = async (account: string | undefined): Promise<boolean> => (await accountsHere()).some((a) => a.jid === account)

async function reply(carried: Carried, words: string, language: string, close: () => void): Promise<void> {
  const { account = '', chat = '', path, upTo = 0 } = carried
  const tell = (title: string, body: string): Promise<void> =>
    show({ language, title: say(language, title), body: say(language, body, { text: words }), tag: answerTag(account, chat), again: false, carried: { path, account, chat } })
  let id: string
  try {
    if (!await isHere(account)) throw new Error('the account is not here any more')
    id = await answer(account, chat, words, upTo)
  } catch (error) {
    console.warn('answer', error)
    return tell('push.lostTitle', 'push.lost') // with the words: they are nowhere else
  }
  close()
  const state = await left(account, id, ANSWER.patience)
  if (state === 'waiting') await tell('push.keptTitle', 'push.kept')
  else if (state === 'failed') await tell('push.failedTitle', 'push.failed')
}

async function read({ account = '', chat = '', upTo = 0 }: Carried): Promise<void> {
  if (upTo && await isHere(account)) await markRead(account, chat, upTo)
}
