// Who is in a group, a page at a time: a thousand members are never held at once.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Affiliation, Group, Member, MemberPage } from '../../core/groups.ts'
import type { Chat } from '../../core/model.ts'
import { memberMenu } from '../../app/groups.ts'
import { contactOf, engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button, Pill } from '../../ui/controls.tsx'
import { arrows } from '../../ui/focus.ts'
import { Icon } from '../../ui/Icon.tsx'
import { say } from '../../ui/toast.tsx'

const perPage = 25
const searchFrom = 8

/** Where we are: the places at which the pages up to this one begin. */
type Places = (string | undefined)[]

/** Members lists who is in a group, owners and administrators first. */
export function Members({ chat, group }: { chat: Chat; group: Group }): JSX.Element {
  const [words, setWords] = useState('')
  const [places, setPlaces] = useState<Places>([undefined])
  const [page, setPage] = useState<MemberPage>()
  const list = useRef<HTMLUListElement>(null)
  const after = places[places.length - 1]
  useEffect(() => {
    let wanted = true
    engine().members(chat.jid, { limit: perPage, ...(after === undefined ? {} : { after }), ...(words.trim() ? { words: words.trim() } : {}) })
      .then((found) => { if (wanted) setPage(found) }, (error: unknown) => console.warn('members', error))
    return () => { wanted = false }
  }, [chat.jid, after, words, group.version])
  const turn = (to: Places): void => { setPlaces(to); say(t('ab.page', { n: to.length })); list.current?.scrollIntoView({ block: 'nearest' }) }
  const next = page?.next
  return (
    <section class="card flat" aria-labelledby="members-title">
      <h3 class="label2 pad-in" id="members-title">{t('group.members', { n: group.members })}</h3>
      {group.members > searchFrom && (
        <div class="search sunk"><Icon name="search" /><input type="search" dir="auto" aria-label={t('group.find')} placeholder={t('group.find')} value={words} onInput={(e) => { setPlaces([undefined]); setWords(e.currentTarget.value) }} /></div>
      )}
      <ul class="acts members" ref={list} aria-labelledby="members-title" onKeyDown={(e) => { if (list.current) arrows(e, list.current, 'button.act') }}>
        {page?.members.map((m) => <li key={m.jid}><Row chat={chat} member={m} /></li>)}
      </ul>
      {page && !page.members.length && <p class="small">{t(words ? 'ab.membersNone' : 'ab.membersUnknown')}</p>}
      {(next || places.length > 1) && (
        <div class="dos mid">
          <Button kind="t" disabled={places.length < 2} act={() => turn(places.slice(0, -1))}>{t('page.before')}</Button>
          <Button kind="t" disabled={!next} act={() => { if (next) turn([...places, next]) }}>{t('page.next')}</Button>
        </div>
      )}
    </section>
  )
}

/** What somebody's role is called; members have none. */
const roles: Partial<Record<Affiliation, 'ab.owner' | 'ab.admin'>> = { owner: 'ab.owner', admin: 'ab.admin' }

function Row({ chat, member: m }: { chat: Chat; member: Member }): JSX.Element {
  const contact = contactOf(m.jid)
  const own = m.jid === engine().account().jid
  const name = own ? t('ab.you') : contact?.name ?? m.nick
  const role = roles[m.affiliation]
  const under = [name === m.nick || own ? '' : m.nick, ...(m.hats ?? [])].filter(Boolean).join(' · ')
  return (
    <button type="button" class="act" aria-haspopup="menu" onClick={(e) => void memberMenu(chat, m, e.currentTarget)}>
      <Avatar id={m.jid} name={own ? m.nick : name} picture={contact?.avatar} size="s" online={contact?.presence?.show === 'online'} />
      <span class="grow"><span class="cut block" dir="auto">{name}</span>{under && <small class="cut one" dir="auto">{under}</small>}{m.keyless && <small class="keyless">{t('ab.keyless')}</small>}</span>
      {role && <Pill kind={m.affiliation === 'owner' ? 'wait' : 'info'}>{t(role)}</Pill>}
    </button>
  )
}
