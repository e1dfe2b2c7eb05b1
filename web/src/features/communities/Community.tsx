// The page of a community: what it is, its announcements, and its groups, those that one is in and those that one may come into.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import newsPath from 'icon:megaphone'
import leavePath from 'icon:log-out'
import linkPath from 'icon:link'
import type { Access, CommunityGroup } from '../../core/communities.ts'
import type { Group } from '../../core/groups.ts'
import type { Chat } from '../../core/model.ts'
import { useAsked, Waiting } from '../../app/asked.tsx'
import { destroyGroup, isIn, leads, leaveGroup, tried, whyNot } from '../../app/groups.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { chatPath, go } from '../../app/router.ts'
import { chatOf, chats, engine, nameOf } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button, IconButton, Pill } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { choose, confirm, openMenu, type Item } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { communityPath } from './paths.ts'

/** Community is the page of one that we are in, or may come into. */
export function Community({ jid }: { jid: string }): JSX.Element {
  const [chat, setChat] = useState<Chat | undefined>(chatOf(jid))
  useEffect(() => engine().watchChat(jid, setChat), [jid])
  return (
    <div class="scroll">
      <PageHead title={t('co.title')} up="/" />
      <div class="page">{chat?.group && isIn(chat.group) ? <Inside chat={chat} group={chat.group} /> : <Outside jid={jid} />}</div>
    </div>
  )
}

function Face({ jid, name, members, description, picture, pill }: { jid: string; name: string; members: number; description?: string | undefined; picture?: string | undefined; pill?: string }): JSX.Element {
  return (
    <div class="face">
      <Avatar id={jid} name={name} kind="group" picture={picture} size="l" />
      <h2 dir="auto">{name}</h2>
      <p>{t('co.members', { n: members })}</p>
      {pill && <div class="dos mid"><Pill kind="info">{pill}</Pill></div>}
      {description && <p class="about-co" dir="auto">{description}</p>}
    </div>
  )
}

/** What one sees who is not in it. */
function Outside({ jid }: { jid: string }): JSX.Element {
  const asked = useAsked(() => engine().community('about', jid), [jid])
  const [state, setState] = useState<'asking' | 'busy' | 'waits'>('asking')
  const [failed, setFailed] = useState<string>()
  const about = asked.value
  if (!about) return <Waiting asked={asked} />
  const join = async (): Promise<void> => {
    setState('busy')
    setFailed(undefined)
    try { setState((await engine().community('join', jid)).waits ? 'waits' : 'asking') } catch (error) { setFailed(whyNot(error)); setState('asking') }
  }
  const back = async (): Promise<void> => { if (await tried(engine().community('leave', jid))) setState('asking') }
  return (
    <>
      <Face {...about} pill={t(`co.access.${about.access}` as Key)} />
      {failed && <p class="wrong" role="alert">{failed}</p>}
      {state === 'waits' ? <><p class="small mid" role="status">{t('co.waits')}</p><Button kind="g" wide act={() => void back()}>{t('co.waitNot')}</Button></>
        : about.access === 'invited' ? <p class="small mid">{t('co.invitedOnly')}</p>
        : <Button kind="p" wide disabled={state === 'busy'} act={() => void join()}>{t(state === 'busy' ? 'busy' : about.access === 'ask' ? 'co.ask' : 'co.join')}</Button>}
    </>
  )
}

/** The groups of it that are in the list of chats: they are there without a connection. */
const own = (jid: string): Chat[] => (chats.value ?? []).filter((c) => c.group?.community === jid && isIn(c.group))

function Inside({ chat, group }: { chat: Chat; group: Group }): JSX.Element {
  const { jid } = chat
  const mine = own(jid)
  const asked = useAsked(() => engine().community('groups', jid), [jid, group.version, mine.map((c) => c.jid).join(' ')])
  const all = asked.value?.filter((g) => !g.announcements)
  const inside = new Map(mine.map((c) => [c.jid, c]))
  const others = all?.filter((g) => !inside.has(g.jid)) ?? []
  return (
    <>
      <Face jid={jid} name={chat.name} members={group.members} description={group.description} picture={chat.avatar} />
      {group.invited && <Invited chat={chat} />}
      <section class="card flat">
        <a class="act" href={chatPath(jid)}><span class="tile news"><Icon path={newsPath} /></span><span class="grow"><b class="cut block">{t('co.news')}</b><small class="cut one">{t(leads(group) ? 'co.newsYou' : 'co.newsText')}</small></span><Unread chat={chat} /></a>
      </section>
      <section class="card flat" aria-labelledby="co-mine">
        <h3 class="label2 pad-in" id="co-mine">{t('co.mine', { n: mine.length })}</h3>
        {!mine.length && <p class="small">{t('co.mineNone')}</p>}
        <ul class="acts">{mine.map((c) => <li key={c.jid} class="co-row"><OwnRow chat={c} /><Manage community={chat} group={all?.find((g) => g.jid === c.jid)} again={asked.again} /></li>)}</ul>
      </section>
      {others.length > 0 && (
        <section class="card flat" aria-labelledby="co-others">
          <h3 class="label2 pad-in" id="co-others">{t('co.others')}</h3>
          <ul class="acts">{others.map((g) => <li key={g.jid} class="co-row"><OtherRow group={g} /><Manage community={chat} group={g} again={asked.again} /></li>)}</ul>
        </section>
      )}
      {!all && <Waiting asked={asked} />}
      <Acts chat={chat} group={group} />
    </>
  )
}

/** Who came in with a group, or was added, sees who did it. */
function Invited({ chat }: { chat: Chat }): JSX.Element {
  return <p class="small mid">{t('co.invited', { name: nameOf(chat.group?.invited?.by ?? '') })}</p>
}

function Unread({ chat }: { chat: Chat }): JSX.Element | null {
  if (!chat.unread) return null
  return <span class="badge num"><span aria-hidden="true">{chat.unread > 999 ? '999+' : chat.unread}</span><span class="vh">{t('chats.unread', { n: chat.unread })}</span></span>
}

function OwnRow({ chat: c }: { chat: Chat }): JSX.Element {
  return <a class="act" href={chatPath(c.jid)}><Avatar id={c.jid} name={c.name} kind="group" picture={c.avatar} size="s" /><span class="grow"><b class="cut block" dir="auto">{c.name}</b><small class="cut one">{t('group.members', { n: c.group?.members ?? 0 })}</small></span><Unread chat={c} /></a>
}

function OtherRow({ group: g }: { group: CommunityGroup }): JSX.Element {
  const [state, setState] = useState<'asking' | 'busy' | 'waits'>('asking')
  const join = async (): Promise<void> => {
    setState('busy')
    try {
      const { waits } = await engine().group('join', g.jid)
      setState(waits ? 'waits' : 'asking')
      if (!waits) go(chatPath(g.jid))
    } catch (error) { toast(whyNot(error)); setState('asking') }
  }
  const under = [t('group.members', { n: g.members }), g.description].filter(Boolean).join(' · ')
  return (
    <div class="act">
      <Avatar id={g.jid} name={g.name} kind="group" size="s" />
      <span class="grow"><b class="cut block" dir="auto">{g.name}</b><small class="cut one" dir="auto">{under}</small></span>
      {state === 'waits' ? <span class="co-state" role="status">{t('co.waiting')}</span> : g.join === 'invited' ? <span class="co-state">{t('co.byInvitation')}</span>
        : <Button kind="s" disabled={state === 'busy'} act={() => void join()}>{t(g.join === 'ask' ? 'co.askShort' : 'co.joinShort')}</Button>}
    </div>
  )
}

/** What administrators of the community do with a group in it. */
function Manage({ community, group, again }: { community: Chat; group: CommunityGroup | undefined; again: () => void }): JSX.Element | null {
  if (!group || !community.group || !(leads(community.group) || group.affiliation === 'owner')) return null
  const then = (work: Promise<unknown>): void => void tried(work, t('co.done')).then((well) => { if (well) again() })
  const list: Item[] = []
  if (leads(community.group) && group.affiliation === 'owner') list.push({ label: t('co.how'), icon: 'userPlus', act: () => void how(community.jid, group, then) })
  list.push({ label: t('co.take'), icon: 'x', danger: true, act: () => void take(community, group, then) })
  return <IconButton icon="ellipsis" label={t('co.menu', { name: group.name })} menu act={(e) => void openMenu(e.currentTarget as HTMLElement, t('co.menu', { name: group.name }), list)} />
}

async function how(jid: string, group: CommunityGroup, then: (work: Promise<unknown>) => void): Promise<void> {
  const answers = (['open', 'ask', 'invited'] as const).map((value) => ({ value, label: t(`co.how.${value}` as Key), main: group.join === value }))
  const answer = await choose<Access>({ title: t('co.howTitle', { name: group.name }), text: t('co.howText'), answers })
  if (answer) then(setJoin(jid, group.jid, answer))
}

/** A group that is come into by asking lets administrators approve; that is its own setting. */
export async function setJoin(jid: string, group: string, join: Access): Promise<void> {
  if (join !== 'open') await engine().group('setSettings', group, { approval: join === 'ask' })
  await engine().community('add', jid, group, join)
}

async function take(community: Chat, group: CommunityGroup, then: (work: Promise<unknown>) => void): Promise<void> {
  if (await confirm({ title: t('co.takeTitle', { name: group.name }), text: t('co.takeText'), yes: t('co.take'), danger: true })) then(engine().community('take', community.jid, group.jid))
}

function Acts({ chat, group }: { chat: Chat; group: Group }): JSX.Element {
  const { jid } = chat
  const line = (icon: JSX.Element, label: string, to: string): JSX.Element => <a class="act" href={to}><span class="tile">{icon}</span><span class="grow">{label}</span><Icon name="chevronRight" flip kind="go" /></a>
  return (
    <section class="card flat">
      {leads(group) && line(<Icon name="plus" />, t('co.newInside'), communityPath(jid, 'new'))}
      {leads(group) && line(<Icon name="users" />, t('co.addGroup'), communityPath(jid, 'add'))}
      {line(<Icon name="user" />, t('co.people'), `${chatPath(jid)}/about`)}
      {leads(group) && line(<Icon path={linkPath} />, t('co.links'), `${chatPath(jid)}/group/links`)}
      <button type="button" class="act bad" onClick={() => void leaveGroup(chat)}><span class="tile"><Icon path={leavePath} /></span><span class="grow">{t('co.leave')}</span></button>
      {group.affiliation === 'owner' && <button type="button" class="act bad" onClick={() => void destroyGroup(chat)}><span class="tile"><Icon name="trash" /></span><span class="grow">{t('co.end')}</span></button>}
    </section>
  )
}
