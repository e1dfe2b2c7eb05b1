// What somebody in a group says to one person alone (XEP-0045 §7.5). This client does not do that: what is written in a group goes to everybody, so what was
// said to us alone by another app must not look as if all had heard it, nor be answered there. It becomes a line that says so, which has no answer.

import { textOf, sayShortly } from '../store/preview.ts'
import { domain } from '../xmpp/jid.ts'
import { archivePlace, type Step } from './apply.ts'
import { groupChat, putLine } from './group-change.ts'
import type { Letter } from './said.ts'

const MAX_TEXT = 2000

/** Says whether a letter was said by, or to, one person in a group: one that is known, or one of our server, of which it comes to know first. */
export async function isWhisper(step: Pick<Step, 'tx' | 'account'>, { group, chat, alone }: Letter): Promise<boolean> {
  if (group || !alone) return false
  const known = await step.tx.objectStore('chats').get(chat)
  return known ? known.kind === 'group' : alone.marked && domain(chat).endsWith('.' + domain(step.account))
}

/** Keeps what it says as a line of the group. All that is not words is for nobody: it would be about what everybody sees. */
export async function whisper(step: Step, letter: Letter): Promise<void> {
  const said = letter.says.find((s) => s.what === 'content')
  if (!said || !letter.alone) return
  const chat = await groupChat(step, letter.chat)
  const text = (said.content.type === 'undecryptable' ? '' : textOf(said.content) ?? sayShortly(said.content)).slice(0, MAX_TEXT) || '…'
  const put = await putLine(step, chat, { key: letter.own ? 'group-whispered' : 'group-whisper', values: { who: letter.alone.nick, text } }, letter, archivePlace(letter.archived) ?? letter.time, 0)
  if (put && !letter.own && !letter.old) chat.markedUnread = true
  await step.tx.objectStore('chats').put(chat)
  step.changes.chat(chat.jid)
}
