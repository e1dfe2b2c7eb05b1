import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Access } from '../../core/communities.ts'
import { newPlace } from '../../core/groups.ts'
import { whyNot } from '../../app/groups.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { go } from '../../app/router.ts'
import { engine } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { PictureInput } from '../../ui/PictureInput.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { communityPath } from './paths.ts'

const longestName = 100
const longestText = 2048

/** NewCommunity leads to a community that is empty but for its announcements. */
export function NewCommunity(): JSX.Element {
  const [place] = useState(newPlace)
  const [name, setName] = useState('')
  const [text, setText] = useState('')
  const [picture, setPicture] = useState<Blob>()
  const [access, setAccess] = useState<Access>('invited')
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<string>()
  const make = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!name.trim() || busy) return
    setBusy(true)
    setFailed(undefined)
    try {
      const { jid } = await engine().community('create', { place, name: name.trim(), access, ...(text.trim() ? { description: text.trim() } : {}), ...(picture ? { picture } : {}) })
      go(communityPath(jid), { replace: true })
    } catch (error) { setFailed(whyNot(error)); setBusy(false) }
  }
  return (
    <>
      <PageHead title={t('co.new')} always up="/new" />
      <div class="scroll"><form class="page" onSubmit={(e) => void make(e)}>
        <p class="small">{t('co.what')}</p>
        <PictureInput id={name || 'community'} name={name || '?'} picture={picture} change={setPicture} choose={t('co.picture')} remove={t('co.pictureRemove')} />
        <Field label={t('co.name')} value={name} change={setName} limit={longestName} required focus />
        <Field label={t('co.text')} value={text} change={setText} limit={longestText} multiline />
        <section class="card flat">
          <Radios<Access> label={t('co.access')} value={access} change={setAccess} answers={(['invited', 'ask', 'open'] as const).map((value) => ({ value, label: t(`co.access.${value}` as Key) }))} />
          {access === 'open' && <p class="small">{t('co.openText')}</p>}
        </section>
        {failed && <p class="wrong" role="alert">{failed}</p>}
        <Button kind="p" wide submit disabled={busy || !name.trim()}>{t(busy ? 'busy' : 'co.make')}</Button>
      </form></div>
    </>
  )
}
