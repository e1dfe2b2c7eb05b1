// Beginning a talk: with a contact, with an address, by a code, or by inviting somebody who is not here yet.
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import copyPath from 'icon:copy'
import scanPath from 'icon:scan-qr-code'
import type { Contact } from '../../core/model.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { groupIn } from '../../app/groups.ts'
import { chatPath, go } from '../../app/router.ts'
import { contacts, engine, ready } from '../../app/session.ts'
import { exists, type ViewProps } from '../../app/View.tsx'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button } from '../../ui/controls.tsx'
import { Icon, type IconName } from '../../ui/Icon.tsx'
import { plain } from '../../ui/plain.ts'
import { scan } from '../../ui/Scan.tsx'
import { toast } from '../../ui/toast.tsx'
import { addressIn } from './address.ts'
import { Code } from './Code.tsx'

const words = signal('')
const nameOf = (c: Contact): string => c.name ?? c.nick ?? c.jid

/** NewChat offers the ways to begin. */
export default function NewChat({ params }: ViewProps): JSX.Element {
  if (!ready.value) return <div class="blank" />
  if (params['way'] === 'code') return <Code />
  const wanted = plain(words.value.trim())
  const found = contacts.value.filter((c) => !wanted || plain(nameOf(c)).includes(wanted) || c.jid.includes(wanted)).sort((a, b) => nameOf(a).localeCompare(nameOf(b)))
  const group = groupIn(words.value)
  const address = group ? undefined : addressIn(words.value)
  return (
    <>
      <PageHead title={t('chats.new')} always />
      <form class="find" onSubmit={(e) => { e.preventDefault(); if (group) { words.value = ''; go(group) } else if (address) void begin(address) }}>
        <div class="search">
          <Icon name="search" />
          <input type="search" dir={words.value ? 'auto' : undefined} autocapitalize="none" spellcheck={false} placeholder={t('new.search')} aria-label={t('new.search')} value={words.value} onInput={(e) => { words.value = e.currentTarget.value }} />
        </div>
      </form>
      <div class="sheet-top">
        <div class="scroll">
          {address && !contacts.value.some((c) => c.jid === address) && <ul class="acts"><li><Act icon="message" title={t('new.write', { address })} text={t('new.writeText')} act={() => void begin(address)} /></li></ul>}
          {!wanted && <Ways />}
          <h2 class="part">{t('new.contacts')}</h2>
          {found.length === 0 && <p class="pickwarn">{t(wanted ? 'new.noneFound' : 'new.noContacts')}</p>}
          <ul class="acts">
            {found.slice(0, 200).map((c) => (
              <li key={c.jid}><a class="act" href={chatPath(c.jid)}><Avatar id={c.jid} name={nameOf(c)} picture={c.avatar} size="s" online={c.presence?.show === 'online'} /><span class="grow"><span class="cut block" dir="auto">{nameOf(c)}</span><small class="cut" dir="ltr">{c.jid}</small></span></a></li>
            ))}
          </ul>
        </div>
      </div>
    </>
  )
}

function Ways(): JSX.Element {
  return (
    <ul class="acts">
      <li><Act path={scanPath} title={t('new.scan')} text={t('new.scanText')} act={() => void scanned()} /></li>
      <li><Act icon="qr" title={t('chats.myCode')} text={t('new.codeText')} act={() => go('/new/code')} /></li>
      <li><Act icon="userPlus" title={t('new.invite')} text={t('new.inviteText')} act={() => void share()} /></li>
      {exists('groups') && <li><Act icon="users" title={t('chats.newGroup')} text={t('new.groupText')} act={() => go('/groups/new')} /></li>}
      {exists('broadcast') && <li><Act icon="radio" title={t('new.broadcast')} text={t('new.broadcastText')} act={() => go('/broadcast/new')} /></li>}
      {exists('groups') && <li><Act icon="search" title={t('new.findGroups')} text={t('new.findGroupsText')} act={() => go('/groups/find')} /></li>}
      {exists('communities') && <li><Act icon="users" title={t('new.community')} text={t('new.communityText')} act={() => go('/communities/new')} /></li>}
      {exists('communities') && <li><Act icon="search" title={t('new.findCommunities')} text={t('new.findCommunitiesText')} act={() => go('/communities/find')} /></li>}
      <li><Act icon="star" title={t('chats.self')} text={t('new.selfText')} act={() => go(chatPath(engine().account().jid))} /></li>
    </ul>
  )
}

function Act({ icon, path, title, text, act }: { icon?: IconName; path?: string; title: string; text: string; act: () => void }): JSX.Element {
  return <button type="button" class="act" onClick={act}><span class="tile"><Icon {...(icon ? { name: icon } : {})} {...(path ? { path } : {})} /></span><span class="grow"><b class="cut block" dir="auto">{title}</b><small>{text}</small></span></button>
}

/** Adding is asked for at once, and kept; writing does not wait for the answer. */
async function begin(address: string): Promise<void> {
  words.value = ''
  go(chatPath(address))
  try { await engine().addContact(address) } catch (error) { console.warn('add contact', error); toast(t('new.notAdded')) }
}

async function scanned(): Promise<void> {
  const text = await scan(t('new.scan'))
  if (text === undefined) return
  const group = groupIn(text)
  const address = addressIn(text)
  if (group) go(group)
  else if (address) await begin(address)
  else if (URL.canParse(text) && new URL(text).origin === location.origin) go(new URL(text).pathname)
  else toast(t('new.unknownCode'))
}

/** share hands an invitation to whatever the device shares with, or to the clipboard. */
export async function share(): Promise<void> {
  try {
    const { link } = await engine().invite()
    const text = t('new.shareText', { name: engine().account().name, link })
    if (navigator.share) await navigator.share({ text })
    else { await navigator.clipboard.writeText(link); toast(t('new.linkCopied')) }
  } catch (error) {
    if ((error as Error).name !== 'AbortError') { console.warn('invite', error); toast(t('new.noInvite')) }
  }
}

/** CopyButton puts a text on the clipboard. */
export function CopyButton({ text, label }: { text: string; label: string }): JSX.Element {
  const [done, setDone] = useState(false)
  const act = (): void => void navigator.clipboard.writeText(text).then(() => { setDone(true); toast(t('new.linkCopied')) })
  return <Button kind="g" act={act}>{done ? <Icon name="check" /> : <Icon path={copyPath} />}{label}</Button>
}
