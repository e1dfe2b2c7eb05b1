// About a group: what it is, who is in it, and what can be done about it. What only works with the server is in the feature "groups".
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import ban from 'icon:ban'
import download from 'icon:download'
import leavePath from 'icon:log-out'
import linkPath from 'icon:link'
import pencil from 'icon:pencil'
import timer from 'icon:timer'
import waits from 'icon:user-check'
import type { Group } from '../../core/groups.ts'
import type { Chat } from '../../core/model.ts'
import { destroyGroup, isIn, leads, leaveGroup, mayAdd, mayEdit, mayWrite } from '../../app/groups.ts'
import { useAsked } from '../../app/asked.tsx'
import { PageHead } from '../../app/PageHead.tsx'
import { chatPath, go } from '../../app/router.ts'
import { engine, isMuted, nameOf } from '../../app/session.ts'
import { exists } from '../../app/View.tsx'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Pill } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import * as acts from './acts.tsx'
import { Members } from './Members.tsx'
import { Act, Go, Quick, Shared } from './parts.tsx'

/** GroupPage is the page about a group. */
export function GroupPage({ chat, group }: { chat: Chat; group: Group }): JSX.Element {
  const { jid } = chat
  const to = (page: string): string => `${chatPath(jid)}/group/${page}`
  return (
    <div class="scroll">
      <PageHead title={t('ab.details')} up={chatPath(jid)} always />
      <div class="page">
        <Face chat={chat} group={group} />
        <div class="quick">
          {exists('groups') && mayAdd(group) && <Quick icon="userPlus" label={t('ab.addPeople')} act={() => go(to('add'))} />}
          <Quick icon="search" label={t('ab.find')} act={() => go(`/search?in=${encodeURIComponent(jid)}`)} />
          <Quick icon="bellOff" label={t(isMuted(chat) ? 'ab.unmute' : 'ab.mute')} act={() => void engine().setChat(jid, { muted: isMuted(chat) ? undefined : Infinity })} />
        </div>
        {exists('communities') && isIn(group) && <Parent jid={group.kind ? jid : group.community} />}
        {exists('groups') && isIn(group) && <Managing jid={jid} group={group} to={to} />}
        <Members chat={chat} group={group} />
        <Shared jid={jid} />
        <Rest chat={chat} group={group} />
      </div>
    </div>
  )
}

/** The community that it belongs to, or whose announcements it is. */
function Parent({ jid }: { jid: string | undefined }): JSX.Element | null {
  if (!jid) return null
  return <section class="card flat"><Go icon="users" label={t('ab.community')} text={nameOf(jid)} to={`/communities/${encodeURIComponent(jid)}`} /></section>
}

function Face({ chat, group }: { chat: Chat; group: Group }): JSX.Element {
  const encrypted = chat.protection === 'omemo'
  return (
    <div class="face">
      <Avatar id={chat.jid} name={chat.name} kind="group" picture={chat.avatar} size="l" />
      <h2 dir="auto">{chat.name}</h2>
      <p>{t('group.members', { n: group.members })}</p>
      <div class="dos mid">
        <Pill kind={encrypted ? 'ok' : 'wait'} icon={encrypted ? 'lock' : 'lockOpen'}>{t(encrypted ? 'ab.groupPrivate' : 'ab.groupOpen')}</Pill>
        {group.settings.writes === 'admins' && <Pill kind="info">{t('ab.groupNews')}</Pill>}
      </div>
      {group.description && <Description text={group.description} />}
      {!isIn(group) && <p class="warn"><Icon name="info" /> {t('ab.groupOver')}</p>}
    </div>
  )
}

const long = 180

function Description({ text }: { text: string }): JSX.Element {
  const [open, setOpen] = useState(text.length <= long)
  return <p class="about-group" dir="auto">{open ? text : `${text.slice(0, long)}… `}{!open && <button type="button" class="plain" onClick={() => setOpen(true)}>{t('ab.more')}</button>}</p>
}

function Managing({ jid, group, to }: { jid: string; group: Group; to: (page: string) => string }): JSX.Element | null {
  const waiting = useAsked(async () => leads(group) && group.settings.approval ? (await engine().group('requests', jid)).length : 0, [jid, group.version]).value
  if (!mayEdit(group) && !mayAdd(group) && !leads(group)) return null
  return (
    <section class="card flat">
      {mayEdit(group) && <Go path={pencil} label={t('ab.groupEdit')} to={to('edit')} />}
      {group.affiliation === 'owner' && <Go icon="settings" label={t('ab.groupSettings')} text={t('ab.groupSettingsText')} to={to('settings')} />}
      {mayAdd(group) && <Go path={linkPath} label={t('ab.groupLinks')} text={t('ab.groupLinksText')} to={to('links')} />}
      {leads(group) && <Go path={waits} label={t('ab.groupRequests')} text={waiting ? t('ab.groupWaiting', { n: waiting }) : undefined} to={to('requests')} />}
      {leads(group) && <Go path={ban} label={t('ab.groupBanned')} to={to('banned')} />}
    </section>
  )
}

function Rest({ chat, group }: { chat: Chat; group: Group }): JSX.Element {
  const { jid, name } = chat
  const expires = acts.spans.find((s) => s.seconds === (chat.expires ?? 0))
  return (
    <section class="card flat">
      {mayWrite(chat) && <Act path={timer} label={t('ab.expires')} text={expires ? t(expires.text) : ''} act={() => acts.chooseSpan(jid, chat.expires ?? 0)} />}
      <Act path={download} label={t('ab.export')} act={() => acts.exportChat(jid, name)} />
      <Act icon="x" label={t('ab.clear')} act={() => void acts.clear(jid, name)} bad />
      {isIn(group) && <Act path={leavePath} label={t('group.leave')} act={() => void leaveGroup(chat)} bad />}
      {isIn(group) && group.affiliation === 'owner' && <Act icon="trash" label={t('ab.groupDestroy')} act={() => void destroyGroup(chat)} bad />}
    </section>
  )
}
