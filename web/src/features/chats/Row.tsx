// One chat in the list. Everything it shows is also one label, so that a screen reader hears it as a sentence.
import type { JSX } from 'preact'
import type { Chat, Preview } from '../../core/model.ts'
import { lineText } from '../../app/lines.ts'
import { chatPath, go } from '../../app/router.ts'
import { contactOf, engine, isMuted, nameOf, ready, typing } from '../../app/session.ts'
import { shortTime } from '../../i18n/when.ts'
import { t, type Key } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { hold, swipe } from '../../ui/gestures.ts'
import { Icon, type IconName } from '../../ui/Icon.tsx'
import { openMenu } from '../../ui/overlay.tsx'
import { Ticks } from '../../ui/Ticks.tsx'
import { archive, chatMenu } from './actions.tsx'
import { pick, picked } from './picking.tsx'

const kindIcons: Partial<Record<Preview['content'], IconName>> = {
  image: 'image', video: 'video', file: 'fileText', voice: 'mic', audio: 'music', sticker: 'sticker', location: 'mapPin', contact: 'contact', poll: 'chartBar', event: 'calendar', call: 'phone', split: 'users',
  undecryptable: 'lock',
}

/** previewText is what a message is in the list: its words, or what kind of thing it is. */
export function previewText(last: Preview): string {
  if (last.content === 'system') return (last.line && lineText(last.line)) ?? t('kind.system')
  return last.text || (last.content === 'text' ? '' : t(`kind.${last.content}` as Key))
}

function Line({ chat }: { chat: Chat }): JSX.Element {
  const active = typing.value[chat.jid]?.[0]
  if (active) {
    const words = t(active.what === 'recording' ? 'chats.recording' : 'chats.typing')
    return <span class="tx cut"><span class="typing">{chat.kind === 'group' ? t('chats.who', { name: nameOf(active.jid), text: words }) : words}</span></span>
  }
  if (chat.voice) return <><span class="tx cut"><span class="draft">{t('chats.draft')}</span> <Icon name="mic" kind="k" /> {t('kind.voice')}</span></>
  if (chat.draft?.text) return <span class="tx cut" dir="auto"><span class="draft">{t('chats.draft')}</span> {chat.draft.text}</span>
  const { last } = chat
  if (!last) return <span class="tx cut" />
  const icon = kindIcons[last.content]
  const author = chat.kind === 'group' && !last.own && last.content !== 'system' && (contactOf(last.from)?.name ?? last.author ?? nameOf(last.from))
  return (
    <>
      {last.own && last.state && <Ticks state={last.state} />}
      {icon && <Icon name={icon} kind="k" />}
      <span class="tx cut" dir="auto">{author && <b>{t('chats.by', { name: author })} </b>}{previewText(last)}</span>
    </>
  )
}

function Marks({ chat }: { chat: Chat }): JSX.Element {
  const muted = isMuted(chat)
  return (
    <span class="end">
      {chat.pinned !== undefined && <><Icon name="pin" /><span class="vh">{t('mark.pinned')}</span></>}
      {muted && <><Icon name="bellOff" /><span class="vh">{t('mark.muted')}</span></>}
      {chat.mentioned && <span class={`badge${muted ? ' mut' : ''}`}><Icon name="atSign" /><span class="vh">{t('mark.mentioned')}</span></span>}
      {chat.unread > 0 && <span class={`badge num${muted ? ' mut' : ''}`}><span aria-hidden="true">{chat.unread > 999 ? '999+' : chat.unread}</span><span class="vh">{t('chats.unread', { n: chat.unread })}</span></span>}
      {chat.unread === 0 && chat.markedUnread && <span class={`badge${muted ? ' mut' : ''}`}><span class="vh">{t('mark.unread')}</span></span>}
    </span>
  )
}

/** Row shows a chat; a click opens it, a long press or the right button shows what can be done. */
export function Row({ chat, at }: { chat: Chat; at: boolean }): JSX.Element {
  const selecting = picked.value.size > 0
  const chosen = picked.value.has(chat.jid)
  const open = (event: MouseEvent): void => {
    event.preventDefault()
    event.stopPropagation()
    if (selecting) pick(chat.jid)
    else go(chatPath(chat.jid), { replace: at })
  }
  const unread = chat.unread > 0 || chat.markedUnread
  const online = contactOf(chat.jid)?.presence?.show === 'online'
  const sideways = swipe((way) => {
    if (way === 'end') { if (ready.value) void archive([chat]) }
    else if (ready.value) void engine().setChat(chat.jid, { markedUnread: !unread })
  })
  return (
    <a class={`row${unread ? ' un' : ''}${at ? ' at' : ''}${chosen ? ' picked' : ''}`} href={chatPath(chat.jid)} aria-current={at ? 'page' : undefined} draggable={false}
      onClick={open} {...hold((where) => { if (ready.value) void openMenu(where, chat.name, chatMenu(chat)) })} {...sideways}>
      <Avatar id={chat.jid} name={chat.name} kind={chat.kind} picture={chat.avatar} online={online} />
      {chosen && <span class="pick"><Icon name="check" /><span class="vh">{t('picked')}</span></span>}
      <span class="b">
        {chat.group?.community && <small class="of cut" dir="auto">{nameOf(chat.group.community)}</small>}
        <span class="l1">
          <span class="n cut" dir="auto">{chat.kind === 'self' ? t('chats.self') : chat.name}</span>
          {chat.favourite && <span class="fav"><Icon name="star" full kind="k" /><span class="vh">{t('mark.favourite')}</span></span>}
          <time>{shortTime(chat.last ? chat.time : chat.draft?.time ?? chat.voice?.time ?? chat.time)}</time>
        </span>
        <span class="l2"><Line chat={chat} /><Marks chat={chat} /></span>
      </span>
    </a>
  )
}
