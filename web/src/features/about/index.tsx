// About one person or group: who it is, what was shared, how it is protected, and what can be done about it.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import flag from 'icon:ban'
import timer from 'icon:timer'
import pencil from 'icon:pencil'
import download from 'icon:download'
import wallet from 'icon:wallet'
import type { Chat, Contact } from '../../core/model.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { chatPath, go, place } from '../../app/router.ts'
import { chatOf, contactOf, engine, isMuted, nameOf } from '../../app/session.ts'
import { exists, type ViewProps } from '../../app/View.tsx'
import { t } from '../../i18n/t.ts'
import { ago } from '../../i18n/when.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { copy } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'
import * as acts from './acts.tsx'
import { GroupPage } from './Group.tsx'
import { Act, Quick, Shared } from './parts.tsx'
import '../../ui/css/pages.css'
import './about.css'

/** About is the page of a chat's other side. */
export default function About({ params }: ViewProps): JSX.Element {
  const jid = params['jid'] ?? ''
  const [chat, setChat] = useState<Chat | undefined>(chatOf(jid))
  const [pays, setPays] = useState(false)
  useEffect(() => engine().watchChat(jid, setChat), [jid])
  const person = chat?.kind !== 'group' && chat?.kind !== 'self' && chat?.kind !== 'broadcast'
  useEffect(() => { if (person && exists('pay')) engine().pays().then(setPays, () => undefined) }, [person])
  const contact = contactOf(jid)
  const name = nameOf(jid)
  const detail = place.value.route.pane === 'detail'
  if (chat?.group) return <GroupPage key={jid} chat={chat} group={chat.group} />
  return (
    <div class="scroll">
      <PageHead title={t('ab.details')} up={detail ? chatPath(jid) : '/contacts'} always={detail} />
      <div class="page" key={jid}>
        <Face jid={jid} name={name} chat={chat} contact={contact} />
        <div class="quick">
          {!detail && <Quick icon="message" label={t('ab.write')} act={() => go(chatPath(jid))} />}
          {pays && person && !chat?.blocked && <Quick path={wallet} label={t('ab.pay')} act={() => go(`/pay/to/${encodeURIComponent(jid)}`)} />}
          <Quick icon="search" label={t('ab.find')} act={() => go(`/search?in=${encodeURIComponent(jid)}`)} />
          {chat && <Quick icon="bellOff" label={t(isMuted(chat) ? 'ab.unmute' : 'ab.mute')} act={() => void engine().setChat(jid, { muted: isMuted(chat) ? undefined : Infinity })} />}
        </div>
        <Shared jid={jid} />
        {chat?.kind !== 'group' && chat?.kind !== 'self' && <Protection jid={jid} chat={chat} />}
        <Rest jid={jid} name={name} chat={chat} contact={contact} />
      </div>
    </div>
  )
}

function Face({ jid, name, chat, contact }: { jid: string; name: string; chat: Chat | undefined; contact: Contact | undefined }): JSX.Element {
  const show = contact?.presence?.show
  const under = contact?.presence?.status ?? (show === 'online' ? t('ab.online') : show === 'away' ? t('ab.away') : contact?.lastSeen !== undefined ? t('ab.seen', { time: ago(contact.lastSeen) }) : undefined)
  return (
    <div class="face">
      <Avatar id={jid} name={name} kind={chat?.kind ?? 'person'} picture={contact?.avatar ?? chat?.avatar} online={show === 'online'} size="l" />
      <h2 dir="auto">{name}</h2>
      <p><bdi dir="ltr">{jid}</bdi> <button type="button" class="plain" onClick={() => void copy(jid).then((done) => { if (done) toast(t('ab.copied')) })}>{t('ab.copy')}</button></p>
      {under && <p dir="auto">{under}</p>}
      {contact?.waits && <p><Icon name="clock" /> {t('ab.waits')}</p>}
      {contact?.refused && <p class="warn"><Icon name="info" /> {t('ab.refusedBy')}</p>}
      {chat?.blocked && <p class="warn"><Icon path={flag} /> {t('ab.blocked')}</p>}
    </div>
  )
}

function Protection({ jid, chat }: { jid: string; chat: Chat | undefined }): JSX.Element {
  const plain = chat?.protection === 'none'
  const expires = acts.spans.find((s) => s.seconds === (chat?.expires ?? 0))
  return (
    <section class="card flat">
      <a class="act" href={`/chat/${encodeURIComponent(jid)}/security`}>
        <span class="tile"><Icon name={plain ? 'lockOpen' : 'lock'} /></span><span class="grow">{t(plain ? 'ab.plain' : 'ab.encrypted')}<small>{t(plain ? 'ab.plainText' : 'ab.encryptedText')}</small></span><Icon name="chevronRight" flip kind="go" />
      </a>
      <button type="button" class="act" onClick={() => acts.chooseSpan(jid, chat?.expires ?? 0)}><span class="tile"><Icon path={timer} /></span><span class="grow">{t('ab.expires')}<small>{expires ? t(expires.text) : ''}</small></span></button>
    </section>
  )
}

function Rest({ jid, name, chat, contact }: { jid: string; name: string; chat: Chat | undefined; contact: Contact | undefined }): JSX.Element {
  const person = chat?.kind !== 'group' && chat?.kind !== 'self'
  const known = contact && contact.subscription !== 'none'
  return (
    <section class="card flat">
      {contact?.asks === 'in' && <Act icon="check" label={t('ab.accept')} act={() => acts.attempt(engine().answerContact(jid, true), undefined, true)} />}
      {person && !known && <Act icon="userPlus" label={t('ab.add')} act={() => acts.attempt(engine().addContact(jid), t('ab.added'), true)} />}
      {person && <Act path={pencil} label={t('ab.rename')} act={() => acts.rename(jid, contact?.name ?? name)} />}
      <Act icon="qr" label={t('ab.share')} act={() => acts.showCode(jid, name)} />
      {chat && <Act path={download} label={t('ab.export')} act={() => acts.exportChat(jid, name)} />}
      {chat && <Act icon="x" label={t('ab.clear')} act={() => void acts.clear(jid, name)} bad />}
      {known && <Act icon="trash" label={t('ab.removeContact')} act={() => void acts.removeContact(jid, name)} bad />}
      {person && (chat?.blocked ? <Act icon="undo" label={t('ab.unblock')} act={() => acts.attempt(engine().unblock(jid), undefined, true)} /> : <Act path={flag} label={t('ab.block')} act={() => acts.block(jid, name)} bad />)}
    </section>
  )
}
