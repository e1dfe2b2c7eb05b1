// How the connection is, in one word beside the title and in one sentence where something can be done or is kept.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { connection } from './session.ts'
import { exists } from './View.tsx'
import { go } from './router.ts'
import { t, type Key } from '../i18n/t.ts'
import { Banner, Pill } from '../ui/controls.tsx'
import { engine, ready } from './session.ts'

const kinds = { live: 'ok', fallback: 'wait', connecting: 'info', offline: 'wait', refused: 'bad' } as const

/** ConnectionPill is the word beside the title; it leads to the page that tells more. */
export function ConnectionPill(): JSX.Element {
  const { state } = connection.value
  const pill = <Pill kind={kinds[state]} live>{t(`net.${state}`)}</Pill>
  return exists('happening') ? <a href="/happening" class="pill-link">{pill}</a> : pill
}

const calm = 1500

/** A hiccup of a second is not worth a banner. */
function useSettled(): boolean {
  const { state, since } = connection.value
  const [, redraw] = useState(0)
  const age = Date.now() - since / 1000
  useEffect(() => {
    if (state === 'live' || age >= calm) return
    const timer = setTimeout(() => redraw((n) => n + 1), calm - age)
    return () => clearTimeout(timer)
  }, [state, since])
  return age >= calm
}

/** ConnectionBanner says what is kept and what happens by itself; nothing when all is well. */
export function ConnectionBanner(): JSX.Element | null {
  const { state, waiting, reason, full } = connection.value
  const settled = useSettled()
  if (!ready.value) return null
  const count = waiting > 0 ? t('net.waiting', { n: waiting }) : undefined
  const retry = { label: t('net.now'), act: () => engine().reconnect() }
  if (state === 'refused') return <Banner kind="bad" icon="circleAlert" title={t(`refused.${reason ?? 'password'}` as Key)} text={t('refused.kept')} action={refusedAction()} />
  if (full) return <Banner kind="bad" icon="circleAlert" title={t('net.fullTitle')} text={t('net.fullText')} action={fullAction()} />
  if (!settled) return null
  if (state === 'offline') return <Banner icon="wifiOff" title={t('net.offlineTitle')} text={t('net.offlineText')} count={count} action={count ? undefined : retry} />
  if (state === 'connecting') return <Banner kind="info" icon="refresh" title={t('net.connectingTitle')} text={t('net.offlineText')} count={count} />
  if (state === 'fallback') return <Banner kind="info" icon="radio" title={t('net.fallbackTitle')} text={t('net.fallbackText')} count={count} />
  return null
}

const fullAction = (): { label: string; act: () => void } | undefined => (exists('settings') ? { label: t('net.fullAct'), act: () => go('/settings/data') } : undefined)

function refusedAction(): { label: string; act: () => void } | undefined {
  return exists('onboarding') ? { label: t('refused.signin'), act: () => go('/signin') } : undefined
}
