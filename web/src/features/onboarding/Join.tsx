// Joining with an invitation: a name, a password, and the account is there; the rest can wait.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Accounts, InvitationFacts, TroubleCode } from '../../core/accounts.ts'
import { enter } from '../../app/enter.ts'
import { accounts as openAccounts } from '../../app/open.ts'
import { go } from '../../app/router.ts'
import { t } from '../../i18n/t.ts'
import { Busy, Button } from '../../ui/controls.tsx'
import { Avatar } from '../../ui/Avatar.tsx'
import { codeOf, Gate } from './Gate.tsx'
import { Name } from './Name.tsx'
import { offerToBrowser } from './password.ts'
import { Password } from './Password.tsx'
import { nextSteps } from './steps.ts'
import { Languages } from './Welcome.tsx'

const steps = 4

/** Join leads from an invitation to an account. What was typed stays when something fails. */
export function Join({ token }: { token: string }): JSX.Element {
  const [accounts, setAccounts] = useState<Accounts>()
  const [invitation, setInvitation] = useState<InvitationFacts>()
  const [trouble, setTrouble] = useState<TroubleCode>()
  const [name, setName] = useState('')
  const [step, setStep] = useState<'name' | 'password'>('name')
  const [busy, setBusy] = useState(false)
  const ask = (): void => {
    setTrouble(undefined)
    openAccounts().then(async (all) => { setAccounts(all); setInvitation(await all.invitation(token)) }).catch((error: unknown) => setTrouble(codeOf(error)))
  }
  useEffect(ask, [token])
  if (!accounts || !invitation) return trouble ? <Refused code={trouble} again={ask} /> : <Gate title={t('ob.inviteTitle')}><Busy /></Gate>
  const create = async (password: string): Promise<void> => {
    setBusy(true)
    setTrouble(undefined)
    try {
      const address = await accounts.join(invitation, name, password)
      await offerToBrowser(address, password)
      const path = nextSteps('me', invitation.inviter)
      if (await enter(path) === 'here') go(path, { replace: true })
    } catch (error) {
      const code = codeOf(error)
      setTrouble(code)
      if (code === 'taken' || code === 'unusable') setStep('name')
    } finally { setBusy(false) }
  }
  if (step === 'name') {
    return (
      <Gate title={t('ob.nameTitle')} step={[1, steps]} up="/welcome" trouble={trouble}>
        <Host invitation={invitation} />
        <Name accounts={accounts} invitation={invitation} first={name} done={(chosen) => { setName(chosen); setTrouble(undefined); setStep('password') }} />
        <Languages />
      </Gate>
    )
  }
  return (
    <Gate title={t('ob.passTitle')} step={[2, steps]} trouble={trouble}>
      <Password address={`${name}@${invitation.domain}`} busy={busy} done={(password) => void create(password)} />
      <Button kind="t" wide act={() => setStep('name')}>{t('back')}</Button>
    </Gate>
  )
}

function Host({ invitation }: { invitation: InvitationFacts }): JSX.Element {
  const { inviter, admin, domain } = invitation
  if (!inviter) return <p class="lead">{t(admin ? 'ob.invitedAdmin' : 'ob.invited', { domain })}</p>
  const who = inviter.split('@')[0] ?? inviter
  return <div class="act"><Avatar id={inviter} name={who} /><span class="grow"><b dir="auto">{t('ob.invitedBy', { name: who })}</b><small dir="ltr">{inviter}</small></span></div>
}

function Refused({ code, again }: { code: TroubleCode; again: () => void }): JSX.Element {
  const lasting = code === 'invitation'
  return (
    <Gate title={t('ob.inviteTitle')} trouble={code} up="/welcome">
      {!lasting && <Button kind="p" icon="refresh" wide act={again}>{t('again')}</Button>}
      <Button kind={lasting ? 'p' : 's'} wide act={() => go('/signin')}>{t('ob.haveAccount')}</Button>
    </Gate>
  )
}
