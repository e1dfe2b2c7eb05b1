// A new group: who is in it, then what it is called and what holds in it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { MAX_ADDED, MAX_GROUP, newPlace, type NotAdded } from '../../core/groups.ts'
import type { JID } from '../../core/model.ts'
import { whyNot } from '../../app/groups.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { chatPath, go } from '../../app/router.ts'
import { engine, nameOf, ready } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { Button, Field, IconButton, Switch } from '../../ui/controls.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { PictureInput } from '../../ui/PictureInput.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { People } from './People.tsx'

const longestName = 100
const longestText = 2048

/** NewGroup leads to a group that is open. */
export function NewGroup(): JSX.Element {
  const [place] = useState(newPlace)
  const [members, setMembers] = useState<JID[]>([])
  const [named, setNamed] = useState(false)
  if (!ready.value) return <div class="blank" />
  if (named) return <Naming place={place} members={members} back={() => setNamed(false)} />
  return (
    <>
      <PageHead title={t('chats.newGroup')} always up="/new" />
      <People chosen={members} change={setMembers} max={MAX_GROUP} most={MAX_ADDED} />
      <div class="bottom"><Button kind="p" wide act={() => setNamed(true)}>{members.length ? t('gr.nextWith', { n: members.length }) : t('gr.nextAlone')}</Button></div>
    </>
  )
}

function Naming({ place, members, back }: { place: string; members: JID[]; back: () => void }): JSX.Element {
  const [name, setName] = useState('')
  const [text, setText] = useState('')
  const [picture, setPicture] = useState<Blob>()
  const [kind, setKind] = useState<'private' | 'open'>('private')
  const [news, setNews] = useState(false)
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<string>()
  const make = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!name.trim() || busy) return
    setBusy(true)
    setFailed(undefined)
    try {
      const { jid, refused } = await engine().group('create', {
        place, name: name.trim(), members, ...(text.trim() ? { description: text.trim() } : {}), ...(picture ? { picture } : {}),
        settings: { private: kind === 'private', listed: kind === 'open', writes: news ? 'admins' : 'all' },
      })
      go(chatPath(jid), { replace: true })
      if (refused.length) await showRefused(refused)
    } catch (error) { setFailed(whyNot(error)); setBusy(false) }
  }
  return (
    <>
      <header class="top"><IconButton icon="chevronLeft" label={t('back')} flip kind="back" act={back} /><h1 class="grow" tabIndex={-1}>{t('chats.newGroup')}</h1></header>
      <div class="scroll"><form class="page" onSubmit={(e) => void make(e)}>
        <PictureInput id={name || 'group'} name={name || '?'} picture={picture} change={setPicture} choose={t('gr.picture')} remove={t('gr.pictureRemove')} />
        <Field label={t('gr.name')} value={name} change={setName} limit={longestName} required focus />
        <Field label={t('gr.text')} value={text} change={setText} limit={longestText} multiline />
        <section class="card flat">
          <Radios label={t('gr.kind')} value={kind} change={setKind} answers={[{ value: 'private', label: t('gr.private') }, { value: 'open', label: t('gr.open') }]} />
          <p class="small">{t(kind === 'private' ? 'gr.privateText' : 'gr.openText')}</p>
          <Switch label={t('gr.news')} hint={t('gr.newsText')} on={news} change={setNews} />
        </section>
        <p class="small">{t('gr.with', { n: members.length })}</p>
        {members.length > 0 && <p class="small">{t('gr.invites')}</p>}
        {failed && <p class="wrong" role="alert">{failed}</p>}
        <Button kind="p" wide submit disabled={busy}>{t(busy ? 'busy' : 'gr.make')}</Button>
      </form></div>
    </>
  )
}

/** showRefused names those who could not be made members, and why. */
export function showRefused(refused: NotAdded[]): Promise<void> {
  return over((close) => (
    <Sheet title={t('gr.refused', { n: refused.length })} close={close}>
      <ul class="list-plain">{refused.map((one) => <li key={one.jid}><span dir="auto">{nameOf(one.jid)}</span><small>{t(`gr.refused.${one.why}` as Key)}</small></li>)}</ul>
      <div class="do"><Button kind="p" act={close}>{t('close')}</Button></div>
    </Sheet>
  ))
}
