// What both sides show once a link has begun: the code, the digits to compare, how it ended.
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import copyIcon from 'icon:copy'
import type { LinkState } from '../../core/model.ts'
import { connection, ready } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { shortTime } from '../../i18n/when.ts'
import { Banner, Busy, Button } from '../../ui/controls.tsx'
import { Icon, type IconName } from '../../ui/Icon.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { copy } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'

interface StepsProps {
  state: LinkState
  side: 'old' | 'new'
  /** What to do with the code that is shown. */
  show: string
  compared: (same: boolean) => void
  again: () => void
  finish: () => void
  /** Other ways, below the code and below a failure. */
  children?: ComponentChildren
}

/** Steps shows how far a link is. Each new step takes the focus to its title, so that a screen reader says it. */
export function Steps({ state, side, show, compared, again, finish, children }: StepsProps): JSX.Element {
  switch (state.step) {
    case 'starting': return <Busy />
    case 'showing': return <Shown text={state.text} until={state.expires} what={show}>{children}</Shown>
    case 'comparing': return state.agreed ? <Agreed code={state.code} /> : <Compare code={state.code} side={side} compared={compared} />
    case 'done': return (
      <Step icon="circleCheck" kind="ok" title={t('link.done')} text={t(side === 'old' ? 'link.doneGive' : 'link.doneTake')}>
        <Button kind="p" wide act={finish}>{t(side === 'old' ? 'link.finish' : 'link.open')}</Button>
      </Step>
    )
    case 'failed': return (
      <Step icon="circleAlert" kind="bad" title={t('link.failed')} text={t(`link.${state.why}` as Key)}>
        {state.at !== undefined ? <a class="btn p wide" href={state.at} rel="noreferrer">{t('link.there')}</a> : <Button kind="p" icon="refresh" wide act={again}>{t('again')}</Button>}
        {children}
      </Step>
    )
  }
}

interface StepProps { icon?: IconName; kind?: 'ok' | 'bad'; title: string; text?: string; children?: ComponentChildren }

function Step({ icon, kind, title, text, children }: StepProps): JSX.Element {
  const head = useRef<HTMLHeadingElement>(null)
  useEffect(() => { head.current?.focus({ preventScroll: true }) }, [title])
  return (
    <section class="link-step">
      {icon && <span class={`link-sign ${kind ?? ''}`}><Icon name={icon} /></span>}
      <h2 tabIndex={-1} ref={head}>{title}</h2>
      {text && <p>{text}</p>}
      {children}
    </section>
  )
}

function Shown({ text, until, what, children }: { text: string; until: number; what: string; children?: ComponentChildren }): JSX.Element {
  return (
    <section class="link-step">
      <p>{what}</p>
      <Qr text={text} label={t('link.label')} />
      <p class="small">{t('link.warn')} {t('link.until', { time: shortTime(until) })}</p>
      <div class="dos mid">
        <button type="button" class="chip" onClick={() => void copy(text).then((ok) => { if (ok) toast(t('link.copied')) })}><Icon path={copyIcon} />{t('link.copy')}</button>
      </div>
      {children}
    </section>
  )
}

/** The digits in two groups for the eye, one by one for the ear. */
function Digits({ code }: { code: string }): JSX.Element {
  return <p class="digits"><span aria-hidden="true">{code.slice(0, 3)} {code.slice(3)}</span><span class="vh">{[...code].join(' ')}</span></p>
}

// Neither answer is the default one: to agree without having looked must not be the easiest thing to do.
function Compare({ code, side, compared }: { code: string; side: 'old' | 'new'; compared: (same: boolean) => void }): JSX.Element {
  return (
    <Step title={t('link.compare')}>
      <Digits code={code} />
      <p>{t('link.compareText')}{side === 'old' && ` ${t('link.compareGive')}`}</p>
      <div class="link-answers">
        <Button kind="s" icon="check" wide act={() => compared(true)}>{t('link.same')}</Button>
        <Button kind="d" wide act={() => compared(false)}>{t('link.differ')}</Button>
      </div>
    </Step>
  )
}

function Agreed({ code }: { code: string }): JSX.Element {
  return <Step title={t('link.agreed')} text={t('link.agreedText')}><Digits code={code} /><Busy /></Step>
}

/** useLeaving does something when the page is closed or loaded anew: the other device need not wait then. */
export function useLeaving(act: () => void): void {
  const now = useRef(act)
  now.current = act
  useEffect(() => {
    const leave = (): void => now.current()
    addEventListener('pagehide', leave)
    return () => removeEventListener('pagehide', leave)
  }, [])
}

/** NoNet says that there is no connection, as long as there is none. */
export function NoNet(): JSX.Element | null {
  const [online, setOnline] = useState(navigator.onLine)
  useEffect(() => {
    const look = (): void => setOnline(navigator.onLine)
    addEventListener('online', look)
    addEventListener('offline', look)
    return () => { removeEventListener('online', look); removeEventListener('offline', look) }
  }, [])
  const away = !online || (ready.value && (connection.value.state === 'offline' || connection.value.state === 'refused'))
  return away ? <div role="status"><Banner kind="bad" icon="circleAlert" title={t('link.noNet')} text={t('link.noNetText')} /></div> : null
}
