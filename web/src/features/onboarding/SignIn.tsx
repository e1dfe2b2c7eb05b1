// Signing in with an address and a password, and the encrypted history that waits behind it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { TroubleCode } from '../../core/accounts.ts'
import { enter } from '../../app/enter.ts'
import { accounts } from '../../app/open.ts'
import { go } from '../../app/router.ts'
import { connection, ready } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { PasswordInput } from '../../ui/PasswordInput.tsx'
import { toast } from '../../ui/toast.tsx'
import { codeOf, Gate } from './Gate.tsx'
import { offerToBrowser } from './password.ts'
import { ending, nextSteps } from './steps.ts'
import { Languages } from './Welcome.tsx'

const wellFormed = /^[^@\s/"&'<>:]{1,64}@[^@\s/]{1,255}$/u

/** addressOf completes a name to an address of this server. */
const addressOf = (typed: string): string => { const name = typed.trim().toLowerCase(); return name && !name.includes('@') ? `${name}@${location.hostname}` : name }

/** useWay runs what leads to a session and says what is wrong. */
function useWay(): { busy: boolean; trouble: TroubleCode | undefined; way: (act: () => Promise<unknown>, then: string) => Promise<void> } {
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState<TroubleCode>()
  const way = async (act: () => Promise<unknown>, then: string): Promise<void> => {
    setBusy(true)
    setTrouble(undefined)
    try {
      await act()
      if (await enter(then) === 'here') go(then, { replace: true })
    } catch (error) { setTrouble(codeOf(error)) } finally { setBusy(false) }
  }
  return { busy, trouble, way }
}

/** SignIn is for who has an account. */
export function SignIn(): JSX.Element {
  const again = connection.value.state === 'refused' && ready.value
  const [typed, setTyped] = useState('')
  const [password, setPassword] = useState('')
  const [bad, setBad] = useState(false)
  const { busy, trouble, way } = useWay()
  const send = (event: Event): void => {
    event.preventDefault()
    const address = addressOf(typed)
    if (!wellFormed.test(address)) { setBad(true); return }
    setBad(false)
    void way(async () => { await (await accounts()).signIn(address, password); await offerToBrowser(address, password) }, nextSteps('history'))
  }
  return (
    <Gate title={t('ob.signTitle')} trouble={trouble} up={again ? '/' : '/welcome'}>
      <form onSubmit={send}>
        <Field label={t('ob.address')} hint={t('ob.signHint', { domain: location.hostname })} wrong={bad ? t('ob.signBad', { domain: location.hostname }) : undefined}
          value={typed} change={setTyped} complete="username" ltr focus limit={300} required />
        <PasswordInput label={t('ob.pass')} value={password} change={setPassword} complete="current-password" />
        <Button kind="p" submit wide disabled={busy}>{busy ? t('ob.signing') : t('ob.signIn')}</Button>
      </form>
      <Button kind="s" icon="qr" wide act={() => go('/link')}>{t('ob.linkThis')}</Button>
      <Button kind="t" wide act={() => go('/welcome?step=invitation')}>{t('ob.haveInvite')}</Button>
      <Languages />
    </Gate>
  )
}

/** History opens what was written before, after a sign-in with a password. */
export function History({ to }: { to: string | null }): JSX.Element {
  const [code, setCode] = useState('')
  const [wrong, setWrong] = useState(false)
  const [busy, setBusy] = useState(false)
  const end = (): void => go(ending(to), { replace: true })
  const open = async (event: Event): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    setWrong(false)
    try { await (await accounts()).recover(code.trim()); toast(t('ob.histDone')); end() } catch { setWrong(true) } finally { setBusy(false) }
  }
  return (
    <Gate title={t('ob.histTitle')} text={t('ob.histText')}>
      <Button kind="s" icon="qr" wide act={() => go('/link')}>{t('ob.linkThis')}</Button>
      <form onSubmit={(e) => void open(e)}>
        <Field label={t('ob.recCode')} wrong={wrong ? t('ob.histWrong') : undefined} value={code} change={setCode} ltr limit={200} required />
        <Button kind="p" submit wide disabled={busy}>{t('ob.histOpen')}</Button>
      </form>
      <Button kind="t" wide act={end}>{t('ob.later')}</Button>
    </Gate>
  )
}
