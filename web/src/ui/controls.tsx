// Small controls: buttons, pills, banners, fields, switches.
import type { ComponentChildren, JSX } from 'preact'
import { useId } from 'preact/hooks'
import { t } from '../i18n/t.ts'
import { Icon, type IconName } from './Icon.tsx'

interface ButtonProps {
  /** p: the one thing to do; s: another; g: quiet with a border; t: only text; d: takes something away. */
  kind?: 'p' | 's' | 'g' | 't' | 'd'
  icon?: IconName
  act?: (event: MouseEvent) => void
  disabled?: boolean | undefined
  wide?: boolean
  submit?: boolean
  children: ComponentChildren
}

/** Button does one thing, named by its text. */
export function Button({ kind = 's', icon, act, disabled, wide, submit, children }: ButtonProps): JSX.Element {
  return (
    <button type={submit ? 'submit' : 'button'} class={`btn ${kind}${wide ? ' wide' : ''}`} onClick={act} disabled={disabled}>
      {icon && <Icon name={icon} />}{children}
    </button>
  )
}

interface IconButtonProps {
  icon?: IconName
  path?: string
  label: string
  act: (event: MouseEvent) => void
  flip?: boolean
  kind?: string
  pressed?: boolean | undefined
  expanded?: boolean
  menu?: boolean
  disabled?: boolean
}

/** IconButton is a round button of 44 px with an icon; its label is what it is called and what the pointer shows. */
export function IconButton({ icon, path, label, act, flip, kind, pressed, expanded, menu, disabled }: IconButtonProps): JSX.Element {
  return (
    <button type="button" class={`ib${kind ? ` ${kind}` : ''}`} aria-label={label} title={label} onClick={act} disabled={disabled}
      aria-pressed={pressed} aria-expanded={expanded} aria-haspopup={menu ? 'menu' : undefined}>
      <Icon {...(icon ? { name: icon } : {})} {...(path ? { path } : {})} flip={flip ?? false} />
    </button>
  )
}

/** Pill is a short state, in a colour and a word. */
export function Pill({ kind, icon, live, children }: { kind?: 'ok' | 'wait' | 'bad' | 'info'; icon?: IconName; live?: boolean; children: ComponentChildren }): JSX.Element {
  return <span class={`pill${kind ? ` ${kind}` : ''}${live ? ' live' : ''}`}>{icon && <Icon name={icon} />}{children}</span>
}

interface BannerProps {
  kind?: 'info' | 'ok' | 'bad'
  icon: IconName
  title: string
  text?: string
  count?: string | undefined
  action?: { label: string; act: () => void } | undefined
}

/** Banner says what happened, what is kept, and what can be done. */
export function Banner({ kind, icon, title, text, count, action }: BannerProps): JSX.Element {
  return (
    <div class={`net${kind ? ` ${kind}` : ''}`}>
      <Icon name={icon} />
      <div><b>{title}</b>{text}</div>
      {count && <span class="num">{count}</span>}
      {action && <button type="button" class="do" onClick={action.act}>{action.label}</button>}
    </div>
  )
}

interface FieldProps {
  label: string
  hint?: string
  wrong?: string | undefined
  value: string
  change: (value: string) => void
  type?: 'text' | 'password' | 'email' | 'url' | 'search' | 'number' | 'tel'
  complete?: string
  multiline?: boolean
  required?: boolean
  limit?: number
  ltr?: boolean
  /** Only digits are typed: phones show these keys. */
  digits?: boolean
  focus?: boolean
}

/** Field asks for a text; what is wrong with it is said below and to screen readers. */
export function Field({ label, hint, wrong, value, change, type = 'text', complete, multiline, required, limit, ltr, digits, focus }: FieldProps): JSX.Element {
  const id = useId()
  const described = [hint && `${id}h`, wrong && `${id}w`].filter(Boolean).join(' ') || undefined
  const common = {
    id, value, required, maxLength: limit, 'aria-invalid': wrong ? true : undefined, 'aria-describedby': described,
    dir: ltr ? 'ltr' as const : 'auto' as const, autofocus: focus, autocomplete: complete ?? 'off', inputMode: digits ? 'numeric' as const : undefined,
    onInput: (e: { currentTarget: { value: string } }) => change(e.currentTarget.value),
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {multiline ? <textarea rows={3} {...common} /> : <input type={type as 'text'} autocapitalize={ltr ? 'none' : undefined} spellcheck={ltr ? false : undefined} {...common} />}
      {hint && <span class="hint" id={`${id}h`}>{hint}</span>}
      {wrong && <span class="wrong" id={`${id}w`} role="alert">{wrong}</span>}
    </div>
  )
}

/** Switch turns something on or off at once. */
export function Switch({ label, hint, on, change }: { label: string; hint?: string; on: boolean; change: (on: boolean) => void }): JSX.Element {
  return (
    <button type="button" class="switch" role="switch" aria-checked={on} onClick={() => change(!on)}>
      <span>{label}{hint && <small>{hint}</small>}</span><span class="knob" />
    </button>
  )
}

/** Empty says what would be here, and the one thing to do. */
export function Empty({ title, text, children, drawing }: { title: string; text?: string; drawing?: JSX.Element; children?: ComponentChildren }): JSX.Element {
  return <div class="empty">{drawing}<h2>{title}</h2>{text && <p>{text}</p>}{children}</div>
}

/** Busy is shown while something is awaited for longer than a blink. */
export function Busy(): JSX.Element {
  return <div class="blank" role="status"><span class="spin" /><span class="vh">{t('busy')}</span></div>
}
