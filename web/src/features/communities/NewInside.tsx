import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Access } from '../../core/communities.ts'
import { newPlace } from '../../core/groups.ts'
import { whyNot } from '../../app/groups.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { chatPath, go } from '../../app/router.ts'
import { engine } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { communityPath } from './paths.ts'

/** NewInside makes a group that belongs to a community from its beginning. */
export function NewInside({ jid }: { jid: string }): JSX.Element {
  const [place] = useState(newPlace)
  const [name, setName] = useState('')
  const [text, setText] = useState('')
  const [join, setJoin] = useState<Access>('open')
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<string>()
  const [made, setMade] = useState<string>()
  const make = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!name.trim() || busy) return
    setBusy(true)
    setFailed(undefined)
    try {
      // Once it is there, only what failed is tried again.
      const group = made ?? (await engine().group('create', { place, name: name.trim(), members: [], ...(text.trim() ? { description: text.trim() } : {}), settings: { private: true, approval: join === 'ask' } })).jid
      setMade(group)
      await engine().community('add', jid, group, join)
      go(chatPath(group), { replace: true })
    } catch (error) { setFailed(whyNot(error)); setBusy(false) }
  }
  return (
    <div class="scroll">
      <PageHead title={t('co.newInside')} always up={communityPath(jid)} />
      <form class="page" onSubmit={(e) => void make(e)}>
        <Field label={t('co.groupName')} value={name} change={setName} limit={100} required focus />
        <Field label={t('co.groupText')} value={text} change={setText} limit={2048} multiline />
        <section class="card flat"><Radios<Access> label={t('co.how')} value={join} change={setJoin} answers={(['open', 'ask', 'invited'] as const).map((value) => ({ value, label: t(`co.how.${value}` as Key) }))} /></section>
        {failed && <p class="wrong" role="alert">{failed}</p>}
        <Button kind="p" wide submit disabled={busy || !name.trim()}>{t(busy ? 'busy' : 'co.groupMake')}</Button>
      </form>
    </div>
  )
}
