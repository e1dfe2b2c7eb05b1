// The password: made here, shown, changeable, and given to the browser's own store by a form that it recognises.
import type { JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import copyIcon from 'icon:copy'
import dice from 'icon:refresh-cw'
import { t } from '../../i18n/t.ts'
import { Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { toast } from '../../ui/toast.tsx'
import { PasswordInput } from '../../ui/PasswordInput.tsx'
import { makePassword, shortest } from './password.ts'

/** Password is the second step of joining; the account is made when it is done. */
export function Password({ address, busy, done }: { address: string; busy: boolean; done: (password: string) => void }): JSX.Element {
  const [made, setMade] = useState(makePassword)
  const [password, setPassword] = useState(made)
  const [short, setShort] = useState(false)
  const id = useId()
  const own = password !== made
  const another = (): void => { const fresh = makePassword(); setMade(fresh); setPassword(fresh); setShort(false) }
  const send = (event: Event): void => {
    event.preventDefault()
    if ([...password].length < shortest) setShort(true)
    else if (!busy) done(password)
  }
  return (
    <form onSubmit={send}>
      <div class="field"><label for={id}>{t('ob.address')}</label><input id={id} name="username" type="text" autocomplete="username" dir="ltr" value={address} readOnly /></div>
      <PasswordInput label={t('ob.pass')} value={password} change={setPassword} complete="new-password" shown hint={own ? t('ob.passOwn') : t('ob.passHint')} wrong={short ? t('ob.passShort') : undefined} />
      <div class="dos">
        <button type="button" class="chip" onClick={another}><Icon path={dice} />{t('ob.passNew')}</button>
        <button type="button" class="chip" onClick={() => void navigator.clipboard.writeText(password).then(() => toast(t('ob.copied')), () => undefined)}><Icon path={copyIcon} />{t('ob.copy')}</button>
      </div>
      <Button kind="p" submit wide disabled={busy}>{busy ? t('ob.creating') : t('ob.create')}</Button>
    </form>
  )
}

