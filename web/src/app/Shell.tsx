// The panes around the features: one on a phone, with a bar below; two or three on a desk, with a rail at the side.
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { t } from '../i18n/t.ts'
import { Banner } from '../ui/controls.tsx'
import { Icon } from '../ui/Icon.tsx'
import { Logo } from '../ui/Logo.tsx'
import { layers, Overlays } from '../ui/overlay.tsx'
import { Toasts } from '../ui/toast.tsx'
import { desk, wide } from '../ui/width.ts'
import { follow, place, type Place } from './router.ts'
import { match } from './routes.ts'
import { somethingNew, unreadChats } from './session.ts'
import { tabs } from './tabs.ts'
import { exists, Feature } from './View.tsx'
import { NotifyOffer } from './NotifyOffer.tsx'
import { update, updateWaits } from './update.ts'

type Shown = Pick<Place, 'route' | 'params' | 'path'>
const settings: Shown = { route: { path: '/settings', feature: 'settings', pane: 'list' }, params: {}, path: '/settings' }
const updates: Shown = { route: { path: '/updates', feature: 'updates', pane: 'list' }, params: {}, path: '/updates' }
const home: Shown = { route: { path: '/', feature: 'chats', pane: 'list' }, params: {}, path: '/' }

/** What stands in each pane: the list keeps what it showed last, a detail stands beside its conversation. */
function usePanes(): { list: Shown; main: Shown | undefined; detail: Shown | undefined; full: boolean } {
  const last = useRef<Shown>(home)
  const at = place.value
  const { pane } = at.route
  if (pane === 'list') last.current = at
  else if (pane === 'main' && /^(newchat|groups|communities|broadcast)$/.test(last.current.route.feature)) last.current = home
  else if (at.route.feature === 'channels' && (last.current === home || last.current.path === '/updates/channels/new')) last.current = updates
  else if (pane === 'main' && last.current === home && (at.route.feature === 'settings' || at.route.feature === 'devices')) last.current = settings
  const parent = pane === 'detail' ? parentOf(at) : undefined
  return { list: last.current, main: pane === 'main' || pane === 'full' ? at : parent, detail: pane === 'detail' ? at : undefined, full: pane === 'full' }
}

function parentOf(at: Shown): Shown | undefined {
  const path = at.path.split('/').slice(0, 3).join('/')
  const found = match(path)
  return found && { ...found, path }
}

/** Shell draws everything that people see. */
export function Shell(): JSX.Element {
  const { list, main, detail, full } = usePanes()
  const at = place.value.route
  const isWide = wide.value
  const covered = layers.value.some((l) => l.modal)
  useFocusOnMove()
  return (
    <>
      <div class={`app${isWide ? ' wide' : ''}${desk.value ? ' desk' : ''}${full ? ' full' : ''}${at.open ? ' alone' : ''}${detail ? ' detailed' : ''}`} onClick={follow} inert={covered || undefined}>
        <a class="skip" href="#main" onClick={skip}>{t('skip')}</a>
        {(isWide || !main) && !at.open && <Bar rail={isWide} feature={place.value.route.feature} />}
        {!full && (isWide || !main) && <ListPane list={list} alone={!isWide} />}
        {(isWide || (main && !detail)) && <main class="pane" id="main" tabIndex={-1}>{main ? <Feature {...main} feature={main.route.feature} /> : <Blank />}</main>}
        {detail && isWide && <aside class="pane detail" tabIndex={-1} aria-label={t('pane.detail')}><Feature {...detail} feature={detail.route.feature} /></aside>}
        {detail && !isWide && <main class="pane detail" id="main" tabIndex={-1}><Feature {...detail} feature={detail.route.feature} /></main>}
      </div>
      <Overlays />
      <Toasts />
    </>
  )
}

/** The list is the main thing where nothing stands beside it. */
function ListPane({ list, alone }: { list: Shown; alone: boolean }): JSX.Element {
  const inside = <>{updateNotice()}{list.route.path === '/' && <NotifyOffer />}<Feature {...list} feature={list.route.feature} /></>
  if (alone) return <main class="pane side-list" id="main" tabIndex={-1}>{inside}</main>
  return <section class="pane side-list" aria-label={t('pane.list')}>{inside}</section>
}

function skip(event: MouseEvent): void {
  event.preventDefault()
  const main = document.getElementById('main') ?? document.querySelector<HTMLElement>('.pane')
  main?.focus()
}

/** On a phone a new view takes the focus, so that a screen reader begins at its top; on a desk it stays where it was. */
function useFocusOnMove(): void {
  const path = place.value.path
  const first = useRef(true)
  useEffect(() => {
    if (first.current) { first.current = false; return }
    if (!wide.value && !layers.value.length) document.querySelector<HTMLElement>('.pane h1')?.focus({ preventScroll: true })
  }, [path])
}

function Bar({ rail, feature }: { rail: boolean; feature: string }): JSX.Element {
  return (
    <nav class="bar" aria-label={t('pane.places')}>
      {rail && <Logo />}
      {tabs.filter((tab) => exists(tab.feature)).map((tab) => (
        <a class="tab" key={tab.path} href={tab.path} aria-current={tab.features.includes(feature) ? 'page' : undefined}>
          <span class="ic"><Icon name={tab.icon} />
            {tab.path === '/' && unreadChats.value > 0 && <span class="badge num" aria-hidden="true">{unreadChats.value > 99 ? '99+' : unreadChats.value}</span>}
            {tab.feature === 'updates' && somethingNew.value && <i class="dot" />}
          </span>
          {t(tab.text)}
          {tab.feature === 'updates' && somethingNew.value && <span class="vh">{t('tab.new')}</span>}
          {tab.path === '/' && unreadChats.value > 0 && <span class="vh">{t('chats.unreadChats', { n: unreadChats.value })}</span>}
        </a>
      ))}
    </nav>
  )
}

function updateNotice(): JSX.Element | false {
  return updateWaits.value && <div class="notice"><Banner kind="info" icon="refresh" title={t('update.title')} text={t('update.text')} action={{ label: t('update.now'), act: update }} /></div>
}

function Blank(): JSX.Element {
  return <div class="nothing"><div class="blank"><Logo /><p>{t(desk.value ? 'blank.desk' : 'blank')}</p></div></div>
}
