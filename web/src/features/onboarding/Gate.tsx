// What every step before the chats has in common: the mark, a title, what is wrong, and one thing to do.
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Trouble, type TroubleCode } from '../../core/accounts.ts'
import { t, type Key } from '../../i18n/t.ts'
import { back } from '../../app/router.ts'
import { Banner, IconButton } from '../../ui/controls.tsx'
import { Logo } from '../../ui/Logo.tsx'
import './onboarding.css'
import '../../ui/css/pages.css'

interface GateProps {
  title: string
  text?: string | undefined
  /** Which step of how many, for those with several. */
  step?: [number, number]
  trouble?: TroubleCode | undefined
  /** Where the arrow leads; none for steps that cannot be taken back. */
  up?: string
  logo?: boolean
  children: ComponentChildren
}

/** Gate is one step. A new step takes the focus to its title, so that a screen reader begins there. */
export function Gate({ title, text, step, trouble, up, logo, children }: GateProps): JSX.Element {
  const head = useRef<HTMLHeadingElement>(null)
  useEffect(() => { head.current?.focus({ preventScroll: true }) }, [title])
  return (
    <div class="scroll gate">
      <div class="gate-in">
        <div class="gate-head">
          {up ? <IconButton icon="chevronLeft" flip label={t('back')} act={() => back(up)} /> : <span />}
          {step && <Steps n={step[0]} of={step[1]} />}
        </div>
        {logo && <Logo />}
        <h1 tabIndex={-1} ref={head} dir="auto">{title}</h1>
        {text && <p class="lead">{text}</p>}
        {!isSecureContext && trouble !== 'insecure' && <Wrong code="insecure" />}
        {trouble && <Wrong code={trouble} />}
        {children}
      </div>
    </div>
  )
}

function Steps({ n, of }: { n: number; of: number }): JSX.Element {
  return <div class="steps" role="img" aria-label={t('ob.step', { n, of })}>{Array.from({ length: of }, (_, i) => <i key={i} class={i < n ? 'on' : ''} />)}</div>
}

/** Wrong says what happened and what to do, in a sentence each. */
export function Wrong({ code }: { code: TroubleCode }): JSX.Element {
  return <div role="alert"><Banner kind="bad" icon="circleAlert" title={t(`trouble.${code}` as Key)} text={t(`trouble.${code}.do` as Key)} /></div>
}

/** codeOf is why something failed. */
export const codeOf = (error: unknown): TroubleCode => {
  const code = (error as { code?: unknown } | undefined)?.code
  return error instanceof Trouble || (typeof code === 'string' && (error as { name?: unknown }).name === 'Trouble') ? code as TroubleCode : 'server'
}
