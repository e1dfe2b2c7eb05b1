// The list of chats: what is new, with whom, and what can be done with a chat without opening it.
import { computed, signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Chat } from '../../core/model.ts'
import { ConnectionBanner, ConnectionPill } from '../../app/Connection.tsx'
import { go, place } from '../../app/router.ts'
import { chats, engine, ready } from '../../app/session.ts'
import { showShortcuts } from '../../app/shortcuts.tsx'
import { exists, Feature, load, type ViewProps } from '../../app/View.tsx'
import { t, type Key } from '../../i18n/t.ts'
import { Button, Empty, IconButton } from '../../ui/controls.tsx'
import { arrows } from '../../ui/focus.ts'
import { Icon } from '../../ui/Icon.tsx'
import { openMenu, type Item } from '../../ui/overlay.tsx'
import { plain } from '../../ui/plain.ts'
import { Rows } from '../../ui/Rows.tsx'
import { TalkDrawing } from '../../ui/drawings.tsx'
import { lists } from './lists.ts'
import { Picking, picked } from './picking.tsx'
import { Row } from './Row.tsx'

type Filter = 'all' | 'unread' | 'groups' | 'business' | 'favourites'
const filters: Filter[] = ['all', 'unread', 'groups', 'business', 'favourites']

/** What is shown of the list; a list of one's own by its name. */
const filter = signal<Filter | { list: string }>('all')
const words = signal('')

const isUnread = (chat: Chat): boolean => chat.unread > 0 || chat.markedUnread === true

const passes: Record<Filter, (chat: Chat) => boolean> = {
  all: () => true,
  unread: isUnread,
  groups: (chat) => chat.kind === 'group',
  business: (chat) => chat.kind === 'business',
  favourites: (chat) => chat.favourite === true,
}

/** Lists of one's own that have a chat here. */
const ownLists = computed(() => lists.value.filter((name) => (chats.value ?? []).some((c) => partOf(c) === 'list' && c.lists?.includes(name))))
/** What is shown in truth: a list that no chat is on any more shows all. */
const chosen = computed(() => (typeof filter.value === 'object' && !ownLists.value.includes(filter.value.list) ? 'all' : filter.value))

const isShown = (chat: Chat): boolean => (typeof chosen.value === 'string' ? passes[chosen.value](chat) : chat.lists?.includes(chosen.value.list) === true)

/** plain makes words comparable: no case, no accents. */

/** Where a chat stands: in the list itself, or apart. */
type Part = 'list' | 'archive' | 'requests'
const partOf = (chat: Chat): Part => (chat.request ? 'requests' : chat.archived ? 'archive' : 'list')

function select(part: Part): Chat[] {
  const wanted = plain(words.value.trim())
  const all = (chats.value ?? []).filter((c) => (c.request ?? false) === (part === 'requests'))
  if (wanted) return all.filter((c) => plain(c.name).includes(wanted) || c.jid.includes(wanted))
  return all.filter((c) => partOf(c) === part && (part !== 'list' || isShown(c)))
}

const unreadCount = computed(() => (chats.value ?? []).filter((c) => isUnread(c) && partOf(c) === 'list').length)
const archivedCount = computed(() => (chats.value ?? []).filter((c) => partOf(c) === 'archive').length)
const requestCount = computed(() => (chats.value ?? []).filter((c) => c.request && !c.blocked).length)

/** Chats is the first screen: every conversation, the newest first. */
export default function Chats({ path }: ViewProps): JSX.Element {
  const part: Part = path === '/archive' ? 'archive' : path === '/requests' ? 'requests' : 'list'
  const shown = select(part)
  const root = useRef<HTMLDivElement>(null)
  const searching = words.value.trim() !== ''
  const folds = part === 'list' && !searching && chosen.value === 'all' // also where all chats stand apart
  const key = (event: KeyboardEvent): void => { if (root.current && (event.target as Element).closest('.row')) arrows(event, root.current, '.row') }
  return (
    <>
      {picked.value.size > 0 ? <Picking /> : <Head part={part} />}
      <Find />
      {part === 'list' && !searching && <Filters />}
      <div class="sheet-top" ref={root} onKeyDown={key}>
        <div class="list-banner"><ConnectionBanner /></div>
        <OwnDevices />
        {chats.value && (shown.length === 0
          ? <>{folds && <Folds />}<Nothing searching={searching} part={part} /></>
          : <Rows items={shown} label={t(titles[part])} keyOf={(c) => c.jid} draw={(chat) => <Row chat={chat} at={place.value.params['jid'] === chat.jid} />}
              head={folds && <Folds />}
              foot={searching && exists('search') && <a class="foldline" href={`/search?q=${encodeURIComponent(words.value)}`}><Icon name="search" />{t('chats.searchMessages', { words: words.value })}</a>} />)}
        <a class="fab" href="/new" aria-label={t('chats.new')} title={t('chats.new')}><Icon name="plus" /></a>
      </div>
    </>
  )
}

/** A new device of one's own account stands above everything, until a person has decided about it. */
function OwnDevices(): JSX.Element | null {
  const [shown, setShown] = useState(false)
  const show = (is: boolean): void => {
    if (is) load('newdevice').then(() => setShown(true), () => undefined) // told again with the next change
    else setShown(false)
  }
  useEffect(() => ready.value ? engine().watchNotices((all) => show(all.some((n) => n.own))) : undefined, [ready.value])
  return shown ? <div class="list-banner"><Feature feature="newdevice" params={{}} path="" /></div> : null
}

const titles = { list: 'chats.title', archive: 'chats.archive', requests: 'chats.requests' } as const

function Head({ part }: { part: Part }): JSX.Element {
  if (part !== 'list') return <header class="top"><IconButton icon="chevronLeft" label={t('back')} flip kind="back" act={() => go('/')} /><h1 tabIndex={-1}>{t(titles[part])}</h1></header>
  return (
    <header class="top">
      <h1 tabIndex={-1}>{t('chats.title')}</h1>
      <ConnectionPill />
      <IconButton icon="qr" label={t('chats.myCode')} kind="push" act={() => go('/new/code')} />
      <IconButton icon="ellipsis" label={t('menu')} menu act={(e) => void openMenu(e.currentTarget as HTMLElement, t('menu'), items())} />
    </header>
  )
}

function items(): Item[] {
  const list: Item[] = [{ label: t('chats.new'), icon: 'plus', act: () => go('/new') }]
  if (exists('groups')) list.push({ label: t('chats.newGroup'), icon: 'users', act: () => go('/groups/new') })
  list.push({ label: t('chats.archive'), icon: 'archive', act: () => go('/archive') })
  if (exists('devices')) list.push({ label: t('chats.devices'), icon: 'qr', act: () => go('/devices') })
  if (exists('happening')) list.push({ label: t('chats.connection'), icon: 'activity', act: () => go('/happening') })
  if (exists('settings')) list.push({ label: t('tab.settings'), icon: 'settings', act: () => go('/settings') })
  list.push({ label: t('keys.title'), icon: 'info', act: showShortcuts, line: true })
  return list
}

function Find(): JSX.Element {
  const deeper = (event: Event): void => {
    event.preventDefault()
    if (exists('search') && words.value.trim()) go(`/search?q=${encodeURIComponent(words.value)}`)
  }
  return (
    <form class="find" role="search" onSubmit={deeper}>
      <div class="search">
        <Icon name="search" />
        <input type="search" enterkeyhint="search" dir={words.value ? 'auto' : undefined} placeholder={t('chats.search')} aria-label={t('chats.search')} value={words.value} onInput={(e) => { words.value = e.currentTarget.value }}
          onKeyDown={(e) => { if (e.key === 'Escape' && words.value) { e.stopPropagation(); e.preventDefault(); words.value = '' } }} />
        {words.value && <IconButton icon="x" label={t('clear')} act={() => { words.value = '' }} />}
      </div>
    </form>
  )
}

/** What nobody here has yet is no choice; what is chosen stays one. */
const isOffered = (f: Filter): boolean => (f !== 'groups' && f !== 'business') || f === filter.value || (chats.value ?? []).some((c) => partOf(c) === 'list' && passes[f](c))

function Filters(): JSX.Element {
  return (
    <div class="chips" role="group" aria-label={t('chats.filters')}>
      {filters.filter(isOffered).map((f) => (
        <button type="button" class="chip" key={f} aria-pressed={chosen.value === f} onClick={() => { filter.value = f }}>
          {t(`filter.${f}` as Key)}{f === 'unread' && unreadCount.value > 0 && <b class="num">{unreadCount.value}</b>}
        </button>
      ))}
      {ownLists.value.map((name) => {
        const on = typeof chosen.value === 'object' && chosen.value.list === name
        return <button type="button" class="chip" key={`list ${name}`} aria-pressed={on} dir="auto" onClick={() => { filter.value = on ? 'all' : { list: name } }}>{name}</button>
      })}
    </div>
  )
}

/** What stands apart from the list, and how much of it. */
function Folds(): JSX.Element {
  return (
    <>
      {requestCount.value > 0 && <a class="foldline" href="/requests"><Icon name="userPlus" />{t('chats.requests')}<span class="num">{requestCount.value}</span></a>}
      {archivedCount.value > 0 && <a class="foldline" href="/archive"><Icon name="archive" />{t('chats.archive')}<span class="num">{archivedCount.value}</span></a>}
    </>
  )
}

function Nothing({ searching, part }: { searching: boolean; part: Part }): JSX.Element {
  if (searching) {
    return (
      <Empty title={t('chats.noneFound')} text={t('chats.noneFoundText', { words: words.value })}>
        {exists('search') && <Button kind="p" icon="search" act={() => go(`/search?q=${encodeURIComponent(words.value)}`)}>{t('chats.searchInMessages')}</Button>}
      </Empty>
    )
  }
  if (part === 'archive') return <Empty title={t('chats.noArchive')} text={t('chats.noArchiveText')} />
  if (part === 'requests') return <Empty title={t('chats.noRequests')} text={t('chats.noRequestsText')} />
  if (typeof filter.value === 'string' && filter.value !== 'all' && (chats.value?.length ?? 0) > 0) {
    return <Empty title={t(`none.${filter.value}` as Key)}><Button kind="s" act={() => { filter.value = 'all' }}>{t('filter.showAll')}</Button></Empty>
  }
  return (
    <Empty drawing={<TalkDrawing />} title={t('chats.none')} text={t('chats.noneText')}>
      <Button kind="p" icon="qr" act={() => go('/new/code')}>{t('chats.showCode')}</Button>
      <Button kind="t" act={() => go('/new')}>{t('chats.new')}</Button>
    </Empty>
  )
}
