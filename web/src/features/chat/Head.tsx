// Who one is talking with, whether they are there, and how the talk is protected.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import copyPath from 'icon:copy'
import calendarPath from 'icon:calendar'
import banPath from 'icon:ban'
import leavePath from 'icon:log-out'
import downloadPath from 'icon:download'
import walletPath from 'icon:wallet'
import type { Chat } from '../../core/model.ts'
import { isIn, leaveGroup, mayAdd, mayWrite } from '../../app/groups.ts'
import { back, chatPath, go } from '../../app/router.ts'
import { contactOf, engine, typing, isMuted } from '../../app/session.ts'
import { exists } from '../../app/View.tsx'
import { ago } from '../../i18n/when.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { IconButton } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { openMenu, type Item } from '../../ui/overlay.tsx'
import { wide } from '../../ui/width.ts'
import { copy, removeMessages } from './actions.tsx'
import { askDate, askExpiry, askMute, blockContact, saveChat } from './chatActions.tsx'
import { forward } from './Forward.tsx'
import { called } from './label.ts'
import { broadcast, wantBroadcast } from './late.ts'
import { chosen, deselect, selected } from './state.ts'

/** Head is the top of a conversation. */
export function Head({ chat }: { chat: Chat }): JSX.Element {
  const list = chat.kind === 'broadcast'
  useEffect(() => { if (list) wantBroadcast() }, [list])
  const name = chat.kind === 'self' ? t('chats.self') : chat.name
  const inside = (
    <>
      <Avatar id={chat.jid} name={chat.name} kind={chat.kind} picture={chat.avatar} size="s" />
      <span><h1 class="nm" tabIndex={-1}><span class="cut" dir="auto">{name}</span></h1><span class="sub"><Sub chat={chat} /></span></span>
    </>
  )
  return (
    <header class="hd">
      {!wide.value && <IconButton icon="chevronLeft" flip label={t('back')} act={() => back('/')} />}
      {exists('about') ? <a class="who" href={`${chatPath(chat.jid)}/${list ? 'list' : 'about'}`}>{inside}</a> : <div class="who">{inside}</div>}
      <PayHere chat={chat} />
      <IconButton icon="ellipsis" label={t('chat.menu')} menu act={(e) => void openMenu(e.currentTarget as HTMLElement, t('chat.menu'), items(chat))} />
    </header>
  )
}

/** Paying is one tap away from who is talked with, and sharing a bill from a group, where there is a service for it. */
function PayHere({ chat }: { chat: Chat }): JSX.Element | null {
  const [pays, setPays] = useState(false)
  const fits = exists('pay') && !chat.blocked && (chat.kind === 'person' || chat.kind === 'business' || (chat.group !== undefined && isIn(chat.group)))
  useEffect(() => { if (fits) engine().pays().then(setPays, () => undefined) }, [fits])
  if (!fits || !pays) return null
  return <IconButton path={walletPath} label={t(chat.group ? 'attach.split' : 'attach.pay')} act={() => go(`/pay/${chat.group ? 'split' : 'to'}/${encodeURIComponent(chat.jid)}`)} />
}

function Sub({ chat }: { chat: Chat }): JSX.Element {
  const active = typing.value[chat.jid] ?? []
  const first = active[0]
  if (first) {
    const what = t(first.what === 'recording' ? 'chats.recording' : 'chats.typing')
    return <span class="typing cut" role="status">{chat.kind === 'group' ? t('chats.who', { name: called(first.jid), text: what }) : what}</span>
  }
  if (chat.group && !isIn(chat.group)) return <span class="cut">{t('head.over')}</span>
  if (chat.protection === 'none') return <><Icon name="lockOpen" /><span class="warn cut">{[t('head.open'), presence(chat)].filter(Boolean).join(' · ')}</span></>
  return <><Icon name="lock" /><span class="cut">{[t('head.encrypted'), presence(chat)].filter(Boolean).join(' · ')}</span></>
}

function presence(chat: Chat): string {
  if (chat.kind === 'broadcast') return broadcast.value?.people(chat) ?? ''
  if (chat.group) return t('group.members', { n: chat.group.members })
  if (chat.kind === 'self' || chat.kind === 'group') return ''
  const contact = contactOf(chat.jid)
  if (contact?.presence?.show === 'online') return t('head.online')
  if (contact?.presence?.status) return contact.presence.status.slice(0, 60)
  return contact?.lastSeen ? t('head.seen', { when: ago(contact.lastSeen) }) : ''
}

function items(chat: Chat): Item[] {
  const list: Item[] = []
  const many = chat.kind === 'broadcast'
  if (exists('about')) list.push({ label: t('chat.about'), icon: 'info', act: () => go(`${chatPath(chat.jid)}/${many ? 'list' : 'about'}`) })
  if (exists('groups') && chat.group && mayAdd(chat.group)) list.push({ label: t('chat.addPeople'), icon: 'userPlus', act: () => go(`${chatPath(chat.jid)}/group/add`) })
  if (exists('security') && !many && chat.kind !== 'self' && chat.kind !== 'group') list.push({ label: t('chat.security'), icon: 'shield', act: () => go(`${chatPath(chat.jid)}/security`) })
  if (exists('search')) list.push({ label: t('chat.search'), icon: 'search', act: () => go(`/search?in=${encodeURIComponent(chat.jid)}`) })
  list.push({ label: t('chat.date'), path: calendarPath, act: () => void askDate() })
  if (!many) list.push({ label: t(isMuted(chat) ? 'act.unmute' : 'act.mute'), icon: 'bellOff', act: () => void askMute(chat) })
  if (mayWrite(chat) && !many) list.push({ label: t('chat.expires'), icon: 'clock', act: () => void askExpiry(chat) })
  list.push({ label: t('chat.export'), path: downloadPath, act: () => void saveChat(chat) })
  if (chat.kind === 'person' || chat.kind === 'business') list.push({ label: t(chat.blocked ? 'act.unblock' : 'act.block'), path: banPath, line: true, danger: true, act: () => void (chat.blocked ? engine().unblock(chat.jid) : blockContact(chat)) })
  if (chat.group && isIn(chat.group)) list.push({ label: t('group.leave'), path: leavePath, line: true, danger: true, act: () => void leaveGroup(chat) })
  return list
}

/** SelectionHead is the top while messages are selected. */
export function SelectionHead(): JSX.Element {
  const all = chosen()
  const then = (act: () => unknown) => (): void => { void act(); deselect() }
  const usable = all.filter((m) => !m.retracted && m.content.type !== 'system' && m.content.type !== 'undecryptable' && m.content.type !== 'once')
  return (
    <div class="picking" role="toolbar" aria-label={t('select.tools')} onKeyDown={(e) => { if (e.key === 'Escape') { e.stopPropagation(); deselect() } }}>
      <IconButton icon="x" label={t('pick.stop')} act={deselect} />
      <h1 class="num" tabIndex={-1}><span aria-hidden="true">{selected.value.size}</span><span class="vh" role="status">{t('pick.count', { n: selected.value.size })}</span></h1>
      <IconButton path={copyPath} label={t('act.copy')} act={then(() => copy(all))} />
      <IconButton icon="star" label={t('act.star')} act={then(() => engine().star(all.map((m) => m.id), !all.every((m) => m.starred)))} />
      <IconButton icon="forward" label={t('act.forward')} disabled={!usable.length} act={then(() => forward(usable))} />
      <IconButton icon="trash" label={t('act.delete')} act={then(() => removeMessages(all))} />
    </div>
  )
}
