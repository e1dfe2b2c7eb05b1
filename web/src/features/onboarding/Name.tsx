// Choosing a name: whether it is free is said while it is typed, and when it is not, what is.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Accounts, InvitationFacts } from '../../core/accounts.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { suggest, tidy, wellFormed } from './names.ts'

const pauseMs = 300
type State = 'none' | 'checking' | 'free' | 'taken' | 'unusable' | 'unchecked'

/** useFree tells whether a name can be had, a moment after typing stops. */
function useFree(accounts: Accounts, invitation: InvitationFacts, name: string): { state: State; others: string[] } {
  const [found, setFound] = useState<{ name: string; state: State; others: string[] }>({ name: '', state: 'none', others: [] })
  useEffect(() => {
    if (!name) return
    if (!wellFormed(name)) { setFound({ name, state: 'unusable', others: [] }); return }
    let wanted = true
    const show = (state: State, others: string[] = []): void => { if (wanted) setFound({ name, state, others }) }
    const timer = setTimeout(() => {
      show('checking')
      accounts.free(invitation.token, name).then(async (answer) => show(answer, answer === 'taken' ? await suggest(accounts, invitation.token, name) : []), () => show('unchecked'))
    }, pauseMs)
    return () => { wanted = false; clearTimeout(timer) }
  }, [name])
  return found.name === name ? found : { state: 'none', others: [] }
}

/** Name is the first step of joining. */
export function Name({ accounts, invitation, first, done }: { accounts: Accounts; invitation: InvitationFacts; first: string; done: (name: string) => void }): JSX.Element {
  const [typed, setTyped] = useState(invitation.name ?? first)
  const name = tidy(typed)
  const { state, others } = useFree(accounts, invitation, invitation.name ? '' : name)
  const good = invitation.name !== undefined || state === 'free' || state === 'unchecked'
  return (
    <form onSubmit={(e) => { e.preventDefault(); if (name && wellFormed(name) && (good || state === 'none' || state === 'checking')) done(name) }}>
      {invitation.name ? <p><b dir="auto">{invitation.name}</b> · {t('ob.nameOnly')}</p>
        : <Field label={t('ob.name')} hint={t('ob.nameHint', { address: `${name || '…'}@${invitation.domain}` })} value={typed} change={setTyped} ltr focus complete="username" limit={64} required />}
      {!invitation.name && <Said state={name ? state : 'none'} name={name} />}
      {others.length > 0 && <div class="dos">{others.map((other) => <button type="button" class="chip" key={other} onClick={() => setTyped(other)}>{other}</button>)}</div>}
      <Button kind="p" submit wide disabled={state === 'taken' || state === 'unusable' || !name}>{t('ob.next')}</Button>
    </form>
  )
}

function Said({ state, name }: { state: State; name: string }): JSX.Element {
  const texts = { none: '', checking: t('ob.checking'), free: t('ob.free', { name }), taken: t('ob.taken', { name }), unusable: t('ob.unusable'), unchecked: t('ob.unchecked') }
  const bad = state === 'taken' || state === 'unusable'
  return (
    <p class={`state-line${state === 'free' ? ' ok' : bad ? ' bad' : ''}`} role="status">
      {state === 'free' && <Icon name="circleCheck" />}{bad && <Icon name="circleAlert" />}{texts[state]}
    </p>
  )
}
