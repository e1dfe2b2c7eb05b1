// One account: what is known of it, its apps, and what can be done with it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import laptop from 'icon:monitor-smartphone'
import type { AdminAccountDetail, AdminChange } from '../../core/engine.ts'
import { engine } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { ago, fullTime, shortTime, size } from '../../i18n/when.ts'
import { Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { confirm, Sheet } from '../../ui/overlay.tsx'
import { shortDay } from './Accounts.tsx'
import { LinkBox } from './LinkBox.tsx'
import { admin, attempt, useAnswer } from './load.ts'
import { Waiting } from './Waiting.tsx'

interface SheetProps { name: string; close: () => void; changed: () => void }

/** AccountSheet shows one account and lets it be changed. */
export function AccountSheet({ name, close, changed }: SheetProps): JSX.Element {
  const answer = useAnswer(() => admin('account', name), [name])
  const { value } = answer
  const after = (gone: boolean): void => { changed(); if (gone) close(); else answer.reload() }
  return (
    <Sheet title={name} close={close}>
      <Waiting answer={answer} />
      {value && <div class="sheet-in"><Facts account={value} /><Apps account={value} /><Do account={value} after={after} /></div>}
      <Button kind="t" wide act={close}>{t('close')}</Button>
    </Sheet>
  )
}

function Facts({ account: a }: { account: AdminAccountDetail }): JSX.Element {
  const state = [a.admin && t('adm.admin'), a.disabled && t('adm.disabled'), a.online && t('adm.online')].filter(Boolean).join(' · ')
  return (
    <>
      <dl class="facts">
        {state && <><dt>{t('adm.state')}</dt><dd>{state}</dd></>}
        <dt>{t('adm.seen')}</dt><dd>{a.seen === undefined ? t('adm.never') : shortDay(a.seen)}</dd>
        <dt>{t('adm.created')}</dt><dd>{fullTime(a.created)}</dd>
        <dt>{t('adm.stored')}</dt><dd>{t('adm.of', { used: size(a.bytes), all: size(a.quota) })}</dd>
      </dl>
      <progress class="meter" max={Math.max(1, a.quota)} value={a.bytes} aria-label={t('adm.stored')} />
    </>
  )
}

function Apps({ account: a }: { account: AdminAccountDetail }): JSX.Element {
  return (
    <section>
      <h3 class="label2">{t('adm.devices')}</h3>
      {a.apps.length === 0 && <p class="small">{t('adm.noDevices')}</p>}
      <ul class="acts">{a.apps.map((app, i) => (
        <li class="act" key={i}><span class="tile"><Icon path={laptop} /></span>
          <span class="grow"><b dir="auto">{[app.software || t('adm.unknownApp'), app.device].filter(Boolean).join(' · ')}</b>
            <small>{app.connected ? t('adm.online') : ago(app.used)} · {t('adm.sinceDay', { time: shortTime(app.since) })}</small></span></li>
      ))}</ul>
    </section>
  )
}

interface Choice { change: AdminChange; label: Key; ask?: Key; danger?: boolean; gone?: boolean }

function choices(a: AdminAccountDetail, self: boolean): Choice[] {
  const list: Choice[] = [{ change: 'sign-out', label: 'adm.signOut', ask: 'adm.signOutAsk' }]
  if (self) return list
  list.push(a.admin ? { change: 'member', label: 'adm.makeMember', ask: 'adm.makeMemberAsk' } : { change: 'admin', label: 'adm.makeAdmin', ask: 'adm.makeAdminAsk' })
  list.push(a.disabled ? { change: 'enable', label: 'adm.enable' } : { change: 'disable', label: 'adm.disable', ask: 'adm.disableAsk', danger: true })
  return [...list, { change: 'remove', label: 'adm.remove', ask: 'adm.removeAsk', danger: true, gone: true }]
}

function Do({ account: a, after }: { account: AdminAccountDetail; after: (gone: boolean) => void }): JSX.Element {
  const [link, setLink] = useState<{ web: string; expires: number }>()
  const self = engine().account().jid.split('@')[0] === a.name
  const act = async ({ change, label, ask, danger, gone }: Choice): Promise<void> => {
    if (ask && !await confirm({ title: t(label), text: t(ask, { name: a.name }), yes: t(label), danger: danger ?? false })) return
    if (await attempt(admin('change', a.name, change), t('adm.done'))) after(gone ?? false)
  }
  const password = async (): Promise<void> => {
    await attempt(admin('passwordLink', a.name).then(setLink))
  }
  return (
    <section class="dos-of">
      {link && <LinkBox link={link.web} text={t('adm.passwordText', { time: fullTime(link.expires) })} />}
      <div class="dos">
        <Button kind="g" icon="lock" act={() => void password()}>{t('adm.password')}</Button>
        {choices(a, self).map((c) => <Button key={c.change} kind={c.danger ? 'd' : 'g'} act={() => void act(c)}>{t(c.label)}</Button>)}
      </div>
    </section>
  )
}
