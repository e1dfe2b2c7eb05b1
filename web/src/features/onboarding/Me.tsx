// How others see you: a name and a picture, both of which can wait.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { engine } from '../../app/session.ts'
import { go } from '../../app/router.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { PictureInput } from '../../ui/PictureInput.tsx'
import { Gate, Wrong } from './Gate.tsx'
import { nextSteps } from './steps.ts'

/** Me is the third step of joining. */
export function Me({ to }: { to: string | null }): JSX.Element {
  const { jid } = engine().account()
  const [name, setName] = useState('')
  const [picture, setPicture] = useState<Blob>()
  const [failed, setFailed] = useState(false)
  const next = (): void => go(nextSteps('recovery', to), { replace: true })
  const save = async (event: Event): Promise<void> => {
    event.preventDefault()
    setFailed(false)
    try {
      if (name.trim() || picture) await engine().setProfile({ ...(name.trim() ? { name: name.trim() } : {}), ...(picture ? { avatar: picture } : {}) })
      next()
    } catch { setFailed(true) }
  }
  return (
    <Gate title={t('ob.meTitle')} text={t('ob.meText')} step={[3, 4]}>
      <form onSubmit={(e) => void save(e)}>
        <PictureInput id={jid} name={name || (jid.split('@')[0] ?? jid)} picture={picture} change={setPicture} choose={t('ob.photo')} remove={t('ob.photoRemove')} />
        <Field label={t('ob.display')} value={name} change={setName} complete="name" limit={60} />
        {failed && <Wrong code="server" />}
        <Button kind="p" submit wide>{t('ob.next')}</Button>
        <Button kind="t" wide act={next}>{t('ob.later')}</Button>
      </form>
    </Gate>
  )
}
