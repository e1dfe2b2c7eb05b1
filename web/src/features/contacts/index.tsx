// The people one knows: who asks, who is here, and how to add and invite others.
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Contact, DeviceNotice } from '../../core/model.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { place } from '../../app/router.ts'
import { calledOf, contacts, engine, nameOf, ready } from '../../app/session.ts'
import { language, t } from '../../i18n/t.ts'
import { ago, listOf } from '../../i18n/when.ts'
import { Banner, Button, Empty, IconButton } from '../../ui/controls.tsx'
import { TalkDrawing } from '../../ui/drawings.tsx'
import { arrows } from '../../ui/focus.ts'
import { Icon } from '../../ui/Icon.tsx'
import { Peer } from '../../ui/Peer.tsx'
import { plain } from '../../ui/plain.ts'
import { toast } from '../../ui/toast.tsx'
import '../../ui/css/pages.css'
import { add } from './add.tsx'
import { inviteSomebody } from './invite.tsx'

const words = signal('')
const maxShown = 500

/** belongs is whether somebody stands among the people: known, asked, or about to be; and who could not be added, so that it is seen. */
const belongs = (c: Contact): boolean => c.subscription !== 'none' || c.asks === 'out' || /^(add|rename|accept)$/.test(c.waits ?? c.refused ?? '')

function select(): Contact[] {
  const wanted = plain(words.value.trim())
  const order = new Intl.Collator(language.value)
  return contacts.value.filter((c) => belongs(c) && (!wanted || plain(calledOf(c)).includes(wanted) || c.jid.includes(wanted)))
    .sort((a, b) => order.compare(calledOf(a), calledOf(b)))
}

/** Contacts is the list of people. */
export default function Contacts(): JSX.Element {
  const root = useRef<HTMLDivElement>(null)
  const asking = contacts.value.filter((c) => c.asks === 'in')
  const people = select()
  const none = people.length === 0
  return (
    <>
      <PageHead title={t('con.title')} root>
        <IconButton icon="userPlus" label={t('con.add')} act={add} />
      </PageHead>
      <div class="find"><div class="search"><Icon name="search" /><input type="search" dir="auto" aria-label={t('con.search')} placeholder={t('con.search')} value={words.value} onInput={(e) => { words.value = e.currentTarget.value }} /></div></div>
      <div class="sheet-top" ref={root} onKeyDown={(e) => { if (root.current && (e.target as Element).closest('.peer')) arrows(e, root.current, 'a.peer') }}>
        <div class="scroll list-in">
          {ready.value && <News />}
          {asking.length > 0 && <><h2>{t('con.requests')}</h2><ul>{asking.map((c) => <li key={c.jid}><Request contact={c} /></li>)}</ul></>}
          {!none && <><h2>{t('con.people')}</h2><ul aria-label={t('con.people')}>{people.slice(0, maxShown).map((c) => <li key={c.jid}><Person contact={c} /></li>)}</ul></>}
          {none && <Nothing />}
          {!none && <button type="button" class="act" onClick={inviteSomebody}><span class="tile"><Icon name="mail" /></span><span class="grow">{t('con.invite')}</span></button>}
        </div>
      </div>
    </>
  )
}

function Nothing(): JSX.Element {
  if (words.value.trim()) return <Empty title={t('con.noneFound')} />
  return <Empty drawing={<TalkDrawing />} title={t('con.none')} text={t('con.noneText')}><Button kind="p" icon="userPlus" act={add}>{t('con.add')}</Button><Button kind="t" act={inviteSomebody}>{t('con.invite')}</Button></Empty>
}

function Person({ contact: c }: { contact: Contact }): JSX.Element {
  const show = c.presence?.show
  const under = c.waits ? t('con.waits') : c.refused ? t('con.refusedBy') : c.asks === 'out' ? t('con.asked') : c.presence?.status || (show === 'online' ? t('con.online') : show === 'away' ? t('con.away') : c.lastSeen !== undefined ? t('con.seen', { time: ago(c.lastSeen) }) : c.jid)
  return <Peer id={c.jid} name={calledOf(c)} picture={c.avatar} online={show === 'online'} under={<>{c.waits && <Icon name="clock" />}<bdi>{under}</bdi></>} href={`/contacts/${encodeURIComponent(c.jid)}`} at={place.value.params['jid'] === c.jid} />
}

function Request({ contact: c }: { contact: Contact }): JSX.Element {
  const name = c.nick ?? c.jid
  const answer = (yes: boolean): void => { engine().answerContact(c.jid, yes).catch(() => toast(t('con.failed'))) }
  return (
    <Peer id={c.jid} name={name} picture={c.avatar} under={t('con.wants')}>
      <button type="button" class="btn p" onClick={() => answer(true)}>{t('con.accept')}<span class="vh"> {name}</span></button>
      <button type="button" class="btn t" onClick={() => answer(false)}>{t('con.refuse')}<span class="vh"> {name}</span></button>
    </Peer>
  )
}

/** New devices of contacts are never silent: here is who has one. */
function News(): JSX.Element | null {
  const [news, setNews] = useState<DeviceNotice[]>([])
  useEffect(() => engine().watchNotices((all) => setNews(all.filter((n) => !n.own))), [])
  const waits = news.filter((n) => n.trust === 'undecided' || n.trust === 'distrusted')
  return <><NewsOf news={waits} text="con.newsWaits" /><NewsOf news={news.filter((n) => !waits.includes(n))} text="con.newsText" /></>
}

function NewsOf({ news, text }: { news: DeviceNotice[]; text: 'con.newsWaits' | 'con.newsText' }): JSX.Element | null {
  const [first] = news
  if (!first) return null
  const names = [...new Set(news.map((n) => nameOf(n.jid)))].slice(0, 5)
  return <a class="news" href={`/chat/${encodeURIComponent(first.jid)}/security`}><Banner icon="shieldAlert" title={t('con.news', { n: news.length })} text={t(text, { names: listOf(names) })} /></a>
}
