import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { whyNot } from '../../app/groups.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { back, chatPath } from '../../app/router.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { PictureInput } from '../../ui/PictureInput.tsx'
import { toast } from '../../ui/toast.tsx'
import type { PageProps } from './index.tsx'

/** Edit changes picture, name and description of a group. */
export function Edit({ chat, group }: PageProps): JSX.Element {
  const [name, setName] = useState(chat.name)
  const [text, setText] = useState(group.description ?? '')
  const [picture, setPicture] = useState<Blob | null>()
  const [failed, setFailed] = useState<string>()
  const [busy, setBusy] = useState(false)
  const up = `${chatPath(chat.jid)}/about`
  const save = async (event: Event): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    setFailed(undefined)
    const change = { ...(name.trim() !== chat.name ? { name: name.trim() } : {}), ...(text.trim() !== (group.description ?? '') ? { description: text.trim() } : {}), ...(picture === undefined ? {} : { picture }) }
    try {
      if (Object.keys(change).length) await engine().group('setInfo', chat.jid, change)
      toast(t('gr.saved'))
      back(up)
    } catch (error) { setFailed(whyNot(error)); setBusy(false) }
  }
  return (
    <div class="scroll">
      <PageHead title={t('gr.edit')} up={up} always />
      <form class="page" onSubmit={(e) => void save(e)}>
        <PictureInput id={chat.jid} name={name} picture={picture ?? undefined} shown={picture === null ? undefined : chat.avatar} change={(made) => setPicture(made ?? null)} choose={t('gr.picture')} remove={t('gr.pictureRemove')} />
        <Field label={t('gr.name')} value={name} change={setName} limit={100} required />
        <Field label={t('gr.text')} value={text} change={setText} limit={2048} multiline />
        {failed && <p class="wrong" role="alert">{failed}</p>}
        <Button kind="p" wide submit disabled={busy || !name.trim()}>{t('gr.save')}</Button>
      </form>
    </div>
  )
}
