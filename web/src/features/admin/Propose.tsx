// What one administrator proposes and another one approves, and the reason that each decision needs.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { engine } from '../../app/session.ts'
import { readAmount } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { Sheet } from '../../ui/overlay.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { admin, attempt } from './load.ts'
import type { Units } from './Money.tsx'

/** How long a reason may be. */
export const longest = 200

/** whole is an address: a name alone is one of this server's accounts. */
export const whole = (name: string): string => { const text = name.trim(); return text.includes('@') ? text : `${text}@${engine().account().jid.split('@')[1] ?? ''}` }

/** Propose asks what is to be done. */
export function Propose({ units, closed, close, made }: { units: Units; closed: string[]; close: () => void; made: () => void }): JSX.Element {
  const [kind, setKind] = useState<'issue' | 'withdraw' | 'correct'>('issue')
  const [account, setAccount] = useState('')
  const [unit, setUnit] = useState(closed[0] ?? '')
  const [typed, setTyped] = useState('')
  const [of, setOf] = useState('')
  const [why, setWhy] = useState('')
  const amount = units[unit] === undefined ? undefined : readAmount(typed, units[unit])
  const enough = why.trim() && (kind === 'issue' ? account.trim() && amount : of.trim() && (!typed || amount))
  const send = async (event: Event): Promise<void> => {
    event.preventDefault()
    const wanted = kind === 'issue' ? { kind, account: whole(account), unit, amount, why: why.trim() } : { kind, of: of.trim(), why: why.trim(), ...(kind === 'correct' && amount ? { amount, unit } : {}) }
    if (await attempt(admin('propose', wanted), t('adm.proposed'))) { made(); close() }
  }
  return (
    <Sheet title={t('adm.propose')} close={close}>
      <form class="form" onSubmit={(e) => void send(e)}>
        <Radios label={t('adm.what')} value={kind} change={setKind} answers={[
          { value: 'issue', label: t('adm.kindIssue') }, { value: 'withdraw', label: t('adm.kindWithdraw') }, { value: 'correct', label: t('adm.kindCorrect') }]} />
        <p class="small">{t(kind === 'issue' ? 'adm.issueHint' : kind === 'withdraw' ? 'adm.withdrawHint' : 'adm.correctHint')}</p>
        {kind === 'issue'
          ? <Field label={t('adm.account')} value={account} change={setAccount} limit={200} ltr required />
          : <Field label={t('adm.payment')} value={of} change={setOf} limit={64} ltr required />}
        {kind !== 'withdraw' && closed.length > 1 && <Radios label={t('adm.unit')} value={unit} change={setUnit} answers={closed.map((code) => ({ value: code, label: code }))} />}
        {kind !== 'withdraw' && <Field label={`${t('adm.amount')} (${unit})`} value={typed} change={setTyped} limit={24} ltr required={kind === 'issue'} />}
        <Field label={t('adm.why')} value={why} change={setWhy} limit={longest} required />
        <Button kind="p" wide submit disabled={!enough}>{t('adm.propose')}</Button>
      </form>
      <Button kind="t" wide act={close}>{t('close')}</Button>
    </Sheet>
  )
}

/** Because asks for a reason before something is done. */
export function Because({ title, text, close, does }: { title: string; text: string; close: () => void; does: (why: string) => Promise<void> }): JSX.Element {
  const [why, setWhy] = useState('')
  return (
    <Sheet title={title} close={close}>
      <form class="form" onSubmit={(e) => { e.preventDefault(); void does(why.trim()) }}>
        <p class="small">{text}</p>
        <Field label={t('adm.why')} value={why} change={setWhy} limit={longest} required />
        <Button kind="p" wide submit disabled={!why.trim()}>{title}</Button>
      </form>
      <Button kind="t" wide act={close}>{t('close')}</Button>
    </Sheet>
  )
}
