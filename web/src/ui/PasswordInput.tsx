import type { JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import eye from 'icon:eye'
import eyeOff from 'icon:eye-off'
import { t } from '../i18n/t.ts'
import { IconButton } from './controls.tsx'
import './css/pages.css'

interface PasswordProps {
  label: string
  value: string
  change: (value: string) => void
  complete: 'new-password' | 'current-password'
  /** It is readable from the start. */
  shown?: boolean
  hint?: string
  wrong?: string | undefined
}

/** PasswordInput asks for a password and can show it. Its name and autocomplete are those that password stores know. */
export function PasswordInput({ label, value, change, complete, shown = false, hint, wrong }: PasswordProps): JSX.Element {
  const [visible, setVisible] = useState(shown)
  const id = useId()
  const described = [hint && `${id}h`, wrong && `${id}w`].filter(Boolean).join(' ') || undefined
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="with-eye">
        <input id={id} name="password" type={(visible ? 'text' : 'password') as 'text'} autocomplete={complete} value={value} required maxLength={200} dir="ltr" autocapitalize="none" spellcheck={false}
          aria-invalid={wrong ? true : undefined} aria-describedby={described} onInput={(e) => change(e.currentTarget.value)} />
        <IconButton path={visible ? eyeOff : eye} label={t(visible ? 'pass.hide' : 'pass.show')} act={() => setVisible(!visible)} />
      </div>
      {hint && <span class="hint" id={`${id}h`}>{hint}</span>}
      {wrong && <span class="wrong" id={`${id}w`} role="alert">{wrong}</span>}
    </div>
  )
}
