// What can be done with a chat from the list, alone or with several at once.
import type { Chat } from '../../core/model.ts'
import { isIn, leaveGroup } from '../../app/groups.ts'
import { go, place } from '../../app/router.ts'
import { engine, isMuted } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { now } from '../../i18n/when.ts'
import { choose, confirm, type Item } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { askLists } from './lists.ts'
import { pick } from './picking.tsx'

const hour = 3_600_000_000

/** pin keeps chats at the top of the list, or lets them go. */
export async function pin(chats: Chat[], on: boolean): Promise<void> {
  for (const c of chats) await engine().setChat(c.jid, { pinned: on ? now() : undefined })
}

/** archive puts chats away; they can be brought back at once. */
export async function archive(chats: Chat[]): Promise<void> {
  const on = !chats.every((c) => c.archived)
  const set = async (archived: boolean): Promise<void> => { for (const c of chats) await engine().setChat(c.jid, { archived }) }
  await set(on)
  toast(t(on ? 'done.archived' : 'done.unarchived', { n: chats.length }), { label: t('undo'), act: () => void set(!on) })
}

/** mute asks for how long chats are to make no sound. */
export async function mute(chats: Chat[]): Promise<void> {
  if (chats.every(isMuted)) { for (const c of chats) await engine().setChat(c.jid, { muted: undefined }); return }
  const span = await choose({
    title: t('mute.title'), text: t('mute.text'),
    answers: [{ value: '8', label: t('mute.hours', { n: 8 }) }, { value: '168', label: t('mute.week') }, { value: 'always', label: t('mute.always') }],
  })
  if (!span) return
  const until = span === 'always' ? Infinity : now() + Number(span) * hour
  for (const c of chats) await engine().setChat(c.jid, { muted: until })
}

/** markRead turns unread chats into read ones, or marks read ones to come back to. */
export async function markRead(chats: Chat[]): Promise<void> {
  const unread = chats.some((c) => c.unread > 0 || c.markedUnread)
  for (const c of chats) {
    if (!unread) { await engine().setChat(c.jid, { markedUnread: true }); continue }
    if (c.unread > 0) await engine().read(c.jid, Infinity)
    if (c.markedUnread) await engine().setChat(c.jid, { markedUnread: false })
  }
}

/** clear empties chats on this account's devices, after asking. */
export async function clear(chats: Chat[]): Promise<void> {
  const sure = await confirm({ title: t('clear.title', { n: chats.length, name: chats[0]?.name ?? '' }), text: t('clear.text'), yes: t('clear.yes'), danger: true })
  if (!sure) return
  for (const c of chats) await engine().clearChat(c.jid)
  toast(t('done.cleared'))
}

/** remove clears chats and takes them out of the list. */
export async function remove(chats: Chat[]): Promise<void> {
  const sure = await confirm({ title: t('remove.title', { n: chats.length, name: chats[0]?.name ?? '' }), text: t('remove.text'), yes: t('remove.yes'), danger: true })
  if (!sure) return
  for (const c of chats) {
    await engine().clearChat(c.jid)
    if (c.voice) await engine().dropVoice(c.jid, c.voice.id)
    await engine().setChat(c.jid, { archived: true, pinned: undefined })
    if (place.value.params['jid'] === c.jid) go('/', { replace: true })
  }
}

/** chatMenu is what a long press on a chat offers. */
export function chatMenu(chat: Chat): Item[] {
  const one = [chat]
  const unread = chat.unread > 0 || chat.markedUnread
  return [
    { label: t(chat.pinned === undefined ? 'act.pin' : 'act.unpin'), icon: chat.pinned === undefined ? 'pin' : 'pinOff', act: () => void pin(one, chat.pinned === undefined) },
    { label: t(unread ? 'act.markRead' : 'act.markUnread'), icon: unread ? 'mailOpen' : 'mail', act: () => void markRead(one) },
    { label: t(isMuted(chat) ? 'act.unmute' : 'act.mute'), icon: 'bellOff', act: () => void mute(one) },
    { label: t(chat.favourite ? 'act.unfavourite' : 'act.favourite'), icon: 'star', act: () => void engine().setChat(chat.jid, { favourite: !chat.favourite }) },
    { label: t('act.lists'), icon: 'fileText', act: () => void askLists(chat) },
    { label: t(chat.archived ? 'act.unarchive' : 'act.archive'), icon: 'archive', act: () => void archive(one) },
    { label: t('act.select'), icon: 'circleCheck', act: () => pick(chat.jid) },
    ...(chat.group && isIn(chat.group) ? [{ label: t('group.leave'), icon: 'users' as const, act: () => void leaveGroup(chat), line: true }] : []),
    { label: t('act.clear'), icon: 'x', act: () => void clear(one), line: true },
    { label: t('act.delete'), icon: 'trash', act: () => void remove(one), danger: true },
  ]
}
