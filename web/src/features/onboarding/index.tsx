// The way in: from an invitation, a password or another device to the first chat, within a minute.
import type { JSX } from 'preact'
import { place } from '../../app/router.ts'
import { ready } from '../../app/session.ts'
import type { ViewProps } from '../../app/View.tsx'
import { Install } from './Install.tsx'
import { Join } from './Join.tsx'
import { Me } from './Me.tsx'
import { Recovery } from './Recovery.tsx'
import { History, SignIn } from './SignIn.tsx'
import { Invitation, Welcome } from './Welcome.tsx'

/** Onboarding shows the step that the address names. Steps that need an account show the first screen without one. */
export default function Onboarding({ params, path }: ViewProps): JSX.Element {
  const token = params['token']
  if (token) return <Join token={token} />
  if (path === '/signin') return <SignIn />
  const { query } = place.value
  const to = query.get('to')
  const step = query.get('step')
  if (step === 'invitation') return <Invitation />
  if (!ready.value) return <Welcome />
  if (step === 'me') return <Me to={to} />
  if (step === 'recovery') return <Recovery to={to} />
  if (step === 'history') return <History to={to} />
  if (step === 'install') return <Install to={to} />
  return <Welcome />
}
