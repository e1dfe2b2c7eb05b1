// What can be done with messages: the menu of one, and what is done with several.
import type { JSX } from 'preact'
import copyPath from 'icon:copy'
import editPath from 'icon:pencil'
import gavelPath from 'icon:gavel'
import replyPath from 'icon:reply'
import smilePath from 'icon:smile-plus'
import type { Message } from '../../core/model.ts'
import { isIn, leads, moderate } from '../../app/groups.ts'
import { chatPath, go } from '../../app/router.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Icon } from '../../ui/Icon.tsx'
import { choose, openMenu, over, Sheet, type Item } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { forward } from './Forward.tsx'
import { showInfo } from './Info.tsx'
import { answer } from './input.ts'
import { authorOf, contentText } from './label.ts'
import { editing, open as openChat, replying, select } from './state.ts'
import { EmojiPicker } from '../../ui/EmojiPicker.tsx'

const quick = ['👍', '❤️', '😂', '😮', '😢', '🙏']

/** messageMenu shows what can be done with a message. */
export function messageMenu(m: Message, at: { x: number; y: number }): void {
  void openMenu(at, t('message.menu'), items(m), m.retracted || m.copies || m.content.type === 'system' ? undefined : (close) => <Quick message={m} close={close} />)
}

function items(m: Message): Item[] {
  const list: Item[] = []
  const gone = m.retracted !== undefined, system = m.content.type === 'system'
  if (m.state === 'failed') list.push({ label: t('again'), icon: 'refresh', act: () => void engine().retry(m.id) })
  if ('media' in m.content && m.content.media.transfer && m.content.media.transfer.state !== 'done') list.push({ label: t('transfer.cancel'), icon: 'x', act: () => void engine().cancel(m.id) })
  if (!gone && !system) {
    list.push({ label: t('act.reply'), path: replyPath, act: () => answer(m) })
    if (m.content.type !== 'undecryptable' && m.content.type !== 'once') list.push({ label: t('act.forward'), icon: 'forward', act: () => void forward([m]) })
    if (m.content.type !== 'once' && contentText(m.content)) list.push({ label: t('act.copy'), path: copyPath, act: () => void copy([m]) })
    if (m.own && !m.copies && m.content.type === 'text') list.push({ label: t('act.edit'), path: editPath, act: () => edit(m) })
    list.push(...stickerItems(m))
    list.push({ label: t(m.starred ? 'act.unstar' : 'act.star'), icon: 'star', act: () => void engine().star([m.id], !m.starred) })
    if (!m.copies) list.push({ label: t(m.pinned ? 'act.unpinHere' : 'act.pinHere'), icon: m.pinned ? 'pinOff' : 'pin', act: () => void engine().pin(m.id, !m.pinned) })
    list.push({ label: t('act.info'), icon: 'info', act: () => void showInfo(m) })
  }
  list.push({ label: t('act.select'), icon: 'circleCheck', act: () => select(m.id) })
  const { group, kind } = openChat.value ?? {}
  if (kind === 'group' && !m.own && !system && !m.from.includes('/')) list.push({ label: t('act.writeTo', { name: authorOf(m) }), icon: 'message', act: () => go(chatPath(m.from)) })
  if (group && isIn(group) && leads(group) && !m.own && !gone && !system && m.stanzaId) list.push({ label: t('act.takeAway'), path: gavelPath, danger: true, line: true, act: () => void moderate(m.id, authorOf(m)) })
  list.push({ label: t('act.delete'), icon: 'trash', danger: true, line: true, act: () => void removeMessages([m]) })
  return list
}

/** What can be done with a sticker: kept, and its pack looked at. */
function stickerItems(m: Message): Item[] {
  if (m.content.type !== 'sticker') return []
  const { pack } = m.content.media
  const shelf = (use: (s: typeof import('./Stickers.tsx')) => unknown): void => void import('./Stickers.tsx').then(use).catch((error: unknown) => { console.warn('stickers', error); toast(t('part.failed')) })
  return [
    { label: t('stick.keep'), icon: 'sticker', act: () => shelf((s) => s.keepFrom(m)) },
    ...(pack ? [{ label: t('stick.pack'), icon: 'image' as const, act: () => shelf((s) => s.showPack({ jid: m.from, ...pack })) }] : []),
  ]
}

function Quick({ message: m, close }: { message: Message; close: () => void }): JSX.Element {
  const mine = Object.entries(m.reactions ?? {}).find(([, who]) => who.includes(engine().account().jid))?.[0]
  const react = (emoji: string): void => { close(); void engine().react(m.id, mine === emoji ? null : emoji) }
  const more = (): void => { close(); void pickReaction(m) }
  return (
    <div class="quick" role="group" aria-label={t('act.react')}>
      {quick.map((emoji) => <button type="button" key={emoji} role="menuitemradio" aria-checked={mine === emoji} tabIndex={-1} onClick={() => react(emoji)} aria-label={t('act.reactWith', { emoji })}>{emoji}</button>)}
      <button type="button" role="menuitem" tabIndex={-1} onClick={more} aria-label={t('act.reactMore')}><Icon path={smilePath} /></button>
    </div>
  )
}

/** pickReaction lets a person react with any emoji. */
function pickReaction(m: Message): Promise<void> {
  return over((close) => <Sheet title={t('act.react')} close={close}><EmojiPicker pick={(emoji) => { close(); void engine().react(m.id, emoji) }} /></Sheet>)
}

/** edit begins the correction of a message of one's own. */
export function edit(m: Message): void {
  replying.value = undefined
  editing.value = m
}

/** copy puts the words of messages on the clipboard. */
export async function copy(messages: Message[]): Promise<void> {
  const text = messages.filter((m) => !m.retracted).map((m) => contentText(m.content)).join('\n')
  try {
    await navigator.clipboard.writeText(text)
    toast(t('copied'))
  } catch { toast(t('copyFailed')) }
}

/** removeMessages deletes messages here, or for everybody where they are all one's own. */
export async function removeMessages(messages: Message[]): Promise<void> {
  const ids = messages.map((m) => m.id)
  const mine = messages.every((m) => m.own && !m.retracted && m.state !== 'failed' && m.content.type !== 'payment' && m.content.type !== 'request')
  const toSelf = openChat.value?.kind === 'self'
  const answer = await choose({
    title: t('delete.title', { n: ids.length }), text: t(mine && !toSelf ? 'delete.text' : 'delete.textHere'),
    answers: [{ value: 'me', label: t('delete.me'), danger: true }, ...(mine && !toSelf ? [{ value: 'all' as const, label: t('delete.all'), danger: true }] : [])],
  })
  if (!answer) return
  await engine().remove(ids, answer === 'all')
  toast(t('delete.done', { n: ids.length }))
}
