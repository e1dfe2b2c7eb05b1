// Settings: the list of pages, and each page.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import activity from 'icon:activity'
import bell from 'icon:bell'
import disk from 'icon:database'
import globe from 'icon:languages'
import help from 'icon:life-buoy'
import key from 'icon:key-round'
import keyboard from 'icon:keyboard'
import laptop from 'icon:monitor-smartphone'
import palette from 'icon:palette'
import privacy from 'icon:eye'
import purse from 'icon:wallet'
import wrench from 'icon:wrench'
import type { AccountSummary } from '../../core/model.ts'
import { accounts as openAccounts } from '../../app/open.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { go, place } from '../../app/router.ts'
import { engine, ready } from '../../app/session.ts'
import { exists, type ViewProps } from '../../app/View.tsx'
import { language, languages, t, type Key } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Empty } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { Peer } from '../../ui/Peer.tsx'
import { Data } from './Data.tsx'
import { Help } from './Help.tsx'
import { Keys } from './Keys.tsx'
import { Language } from './Language.tsx'
import { later } from './later.tsx'
import { Looks } from './Looks.tsx'
import { Notify } from './Notify.tsx'
import { Privacy } from './Privacy.tsx'
import { Kept } from './Storage.tsx'
import '../../ui/css/pages.css'
import './settings.css'

const Account = later(async () => (await import('./Account.tsx')).Account)
const Profile = later(async () => (await import('./Profile.tsx')).Profile)
const About = later(async () => (await import('./About.tsx')).About)

const pages: Record<string, { title: Key; view: () => JSX.Element; up?: string }> = {
  profile: { title: 'set.profile', view: Profile }, privacy: { title: 'set.privacy', view: Privacy }, notify: { title: 'set.notify', view: Notify },
  chats: { title: 'set.chats', view: Looks }, data: { title: 'set.data', view: Data }, storage: { title: 'sto.title', view: Kept, up: '/settings/data' }, language: { title: 'set.language', view: Language },
  account: { title: 'set.account', view: Account }, keys: { title: 'set.keys', view: Keys }, help: { title: 'set.help', view: Help }, about: { title: 'set.about', view: About },
}

/** Settings shows the list, or the page that the address names. */
export default function Settings({ params }: ViewProps): JSX.Element {
  const name = params['page']
  if (!name) return <List />
  const page = pages[name]
  if (!page) return <Empty title={t('part.failed')} />
  const View = page.view
  return <div class="scroll"><PageHead title={t(page.title)} up={page.up ?? '/settings'} {...(page.up ? { always: true } : {})} /><div class="page">{ready.value ? <View key={name} /> : null}</div></div>
}

interface Entry { path: string; icon: string; title: Key; sub?: Key; feature?: string }
const entries: Entry[] = [
  { path: '/settings/privacy', icon: privacy, title: 'set.privacy', sub: 'set.privacySub' },
  { path: '/settings/notify', icon: bell, title: 'set.notify', sub: 'set.notifySub' },
  { path: '/settings/chats', icon: palette, title: 'set.chats', sub: 'set.chatsSub' },
  { path: '/settings/data', icon: disk, title: 'set.data', sub: 'set.dataSub' },
  { path: '/devices', icon: laptop, title: 'set.devices', sub: 'set.devicesSub', feature: 'devices' },
  { path: '/settings/account', icon: key, title: 'set.account', sub: 'set.accountSub' },
  { path: '/settings/language', icon: globe, title: 'set.language' },
  { path: '/settings/keys', icon: keyboard, title: 'set.keys', sub: 'set.keysSub' },
  { path: '/happening', icon: activity, title: 'chats.connection', sub: 'set.connectionSub', feature: 'happening' },
  { path: '/settings/help', icon: help, title: 'set.help', sub: 'set.helpSub' },
]

function List(): JSX.Element {
  if (!ready.value) return <PageHead title={t('tab.settings')} root />
  return <Places />
}

function Places(): JSX.Element {
  const [me, setMe] = useState(() => engine().account())
  const [pays, setPays] = useState(false)
  useEffect(() => engine().watchAccount(setMe), [])
  useEffect(() => { engine().pays().then(setPays, () => undefined) }, [])
  const at = (path: string): 'page' | undefined => (place.value.path === path ? 'page' : undefined)
  return (
    <>
      <PageHead title={t('tab.settings')} root />
      <div class="sheet-top"><div class="scroll list-in">
        <a class="act me" href="/settings/profile" aria-current={at('/settings/profile')}>
          <Avatar id={me.jid} name={me.name} picture={me.avatar} /><span class="grow"><b class="cut one" dir="auto">{me.name}</b><small class="cut one"><bdi dir="ltr">{me.jid}</bdi></small></span><Icon name="qr" kind="go" />
        </a>
        <nav aria-label={t('tab.settings')}>
          {pays && exists('pay') && <Line entry={{ path: '/pay', icon: purse, title: 'set.pay', sub: 'set.paySub' }} at={at('/pay')} />}
          {entries.filter((e) => !e.feature || exists(e.feature)).map((e) => <Line key={e.path} entry={e} at={at(e.path)} />)}
          {me.admin && exists('admin') && <Line entry={{ path: '/admin', icon: wrench, title: 'set.admin' }} at={undefined} />}
          <a class="act" href="/settings/about" aria-current={at('/settings/about')}><span class="tile"><Icon name="info" /></span><span class="grow">{t('set.about')}<small>{t('set.aboutSub')}</small></span></a>
        </nav>
        <Others />
      </div></div>
    </>
  )
}

function Line({ entry: e, at }: { entry: Entry; at: 'page' | undefined }): JSX.Element {
  const sub = e.path === '/settings/language' ? languages[language.value] : e.sub && t(e.sub)
  return <a class="act" href={e.path} aria-current={at}><span class="tile"><Icon path={e.icon} /></span><span class="grow">{t(e.title)}<small>{sub}</small></span></a>
}

/** The other accounts of this browser. */
function Others(): JSX.Element {
  const [all, setAll] = useState<AccountSummary[]>([])
  useEffect(() => { openAccounts().then((a) => a.list()).then(setAll, () => undefined) }, [])
  const use = async (jid: string): Promise<void> => { await (await openAccounts()).use(jid); location.assign('/') }
  return (
    <>
      <h2>{t('set.accounts')}</h2>
      {all.filter((a) => !a.active).map((a) => (
        <Peer key={a.jid} id={a.jid} name={a.name} picture={a.avatar} under={<bdi dir="ltr">{a.jid}</bdi>}>
          <button type="button" class="btn s" onClick={() => void use(a.jid)}>{t('set.change')}<span class="vh"> {a.name}</span></button>
        </Peer>
      ))}
      <button type="button" class="act" onClick={() => go('/welcome')}><span class="tile"><Icon name="userPlus" /></span><span class="grow">{t('set.addAccount')}</span></button>
    </>
  )
}
