// Invitations: make one, see which can still be used, take one back.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import mail from 'icon:mail'
import type { AdminInvitation } from '../../core/engine.ts'
import { t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Button, Empty, Field, Pill, Switch } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { confirm, over, Sheet } from '../../ui/overlay.tsx'
import { LinkBox } from './LinkBox.tsx'
import { admin, attempt, useAnswer } from './load.ts'
import { Waiting } from './Waiting.tsx'

/** Invitations lists those that can still be used. */
export function Invitations(): JSX.Element {
  const answer = useAnswer(() => admin('invitations'), [])
  const { value, reload } = answer
  const withdraw = async (one: AdminInvitation): Promise<void> => {
    if (!await confirm({ title: t('adm.withdraw'), text: t('adm.withdrawAsk'), yes: t('adm.withdraw'), danger: true })) return
    if (await attempt(admin('withdraw', one.id ?? ''), t('adm.done'))) reload()
  }
  return (
    <>
      <Button kind="p" icon="userPlus" wide act={() => void over((close) => <Invite close={close} made={reload} />)}>{t('adm.invite')}</Button>
      <Waiting answer={answer} />
      {value?.length === 0 && <Empty title={t('adm.noInvitations')} text={t('adm.noInvitationsText')} />}
      {value && value.length > 0 && <section class="card flat"><h2 class="vh">{t('adm.invitations')}</h2>
        <ul class="acts">{value.map((one) => (
          <li class="act" key={one.id}>
            <span class="tile"><Icon path={mail} /></span>
            <span class="grow"><b dir="auto">{one.name ?? t('adm.anyName')}</b> {one.admin && <Pill kind="info">{t('adm.admin')}</Pill>}
              <small>{[t('adm.from', { name: one.by ?? t('adm.operator') }), t('adm.uses', { n: one.uses }), t('adm.until', { time: fullTime(one.expires) })].join(' · ')}</small></span>
            <button type="button" class="btn d" onClick={() => void withdraw(one)} aria-label={t('adm.withdrawOf', { name: one.name ?? t('adm.anyName') })}>{t('adm.withdraw')}</button>
          </li>
        ))}</ul></section>}
    </>
  )
}

const longest = 3650

function Invite({ close, made }: { close: () => void; made: () => void }): JSX.Element {
  const [name, setName] = useState('')
  const [uses, setUses] = useState('1')
  const [days, setDays] = useState('7')
  const [isAdmin, setAdmin] = useState(false)
  const [link, setLink] = useState<AdminInvitation>()
  const whole = (text: string, most: number): number => Math.min(most, Math.max(1, Math.floor(Number(text)) || 1))
  const make = async (event: Event): Promise<void> => {
    event.preventDefault()
    const wanted = { name: name.trim(), admin: isAdmin, uses: name.trim() ? 1 : whole(uses, 1000), days: whole(days, longest) }
    if (await attempt(admin('invite', wanted).then(setLink))) made()
  }
  return (
    <Sheet title={t('adm.invite')} close={close}>
      {link
        ? <LinkBox link={link.web ?? link.uri ?? ''} text={t('adm.inviteText', { time: fullTime(link.expires) })} />
        : <form class="form" onSubmit={(e) => void make(e)}>
          <Field label={t('adm.inviteName')} hint={t('adm.inviteNameHint')} value={name} change={setName} limit={64} ltr />
          {!name.trim() && <Field label={t('adm.inviteUses')} type="number" value={uses} change={setUses} />}
          <Field label={t('adm.inviteDays')} type="number" value={days} change={setDays} />
          <Switch label={t('adm.inviteAdmin')} on={isAdmin} change={setAdmin} />
          <Button kind="p" wide submit>{t('adm.make')}</Button>
        </form>}
      <Button kind="t" wide act={close}>{t('close')}</Button>
    </Sheet>
  )
}
