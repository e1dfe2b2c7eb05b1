// The first screen: three ways in.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import globe from 'icon:globe'
import { go } from '../../app/router.ts'
import { ready } from '../../app/session.ts'
import { choose, language, languages, t } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { scan } from '../../ui/Scan.tsx'
import { Gate } from './Gate.tsx'
import { whereOf } from './links.ts'

/** Welcome is for who is not signed in, or adds an account. */
export function Welcome(): JSX.Element {
  return (
    <Gate title={t('ob.title')} text={t('ob.text')} logo {...(ready.value ? { up: '/settings' } : {})}>
      <div class="stack">
        <Button kind="p" icon="mailOpen" wide act={() => go('/welcome?step=invitation')}>{t('ob.haveInvite')}</Button>
        <Button kind="s" icon="user" wide act={() => go('/signin')}>{t('ob.haveAccount')}</Button>
        <Button kind="t" icon="qr" wide act={() => go('/link')}>{t('ob.linkThis')}</Button>
      </div>
      <Languages />
    </Gate>
  )
}

/** Languages changes the language before anything else is read. */
export function Languages(): JSX.Element {
  return (
    <label class="lang">
      <Icon path={globe} /><span class="vh">{t('ob.language')}</span>
      <select value={language.value} onChange={(e) => void choose(e.currentTarget.value)}>
        {Object.entries(languages).map(([code, name]) => <option key={code} value={code} lang={code}>{name}</option>)}
      </select>
    </label>
  )
}

/** Invitation takes a link that was sent otherwise, typed, pasted or scanned. */
export function Invitation(): JSX.Element {
  const [link, setLink] = useState('')
  const [wrong, setWrong] = useState(false)
  const [host, setHost] = useState<{ host: string; url: string }>()
  const use = (text: string): void => {
    setLink(text)
    const where = whereOf(text)
    setWrong(!where)
    setHost(undefined)
    if (where?.kind === 'here') go(`/join/${where.token}`)
    else if (where) setHost(where)
  }
  useEffect(() => { setWrong(false) }, [link === ''])
  return (
    <Gate title={t('ob.inviteTitle')} up="/welcome">
      <form onSubmit={(e) => { e.preventDefault(); use(link) }}>
        <Field label={t('ob.inviteLink')} hint={t('ob.inviteHint')} wrong={wrong ? t('ob.inviteNone') : undefined} value={link} change={setLink} type="text" ltr focus limit={2000} required />
        {host && <p role="alert">{t('ob.elsewhere', { host: host.host })} <a href={host.url} rel="noreferrer">{t('ob.openThere')}</a></p>}
        <Button kind="p" submit wide>{t('ob.next')}</Button>
        <Button kind="s" icon="camera" wide act={() => void scan(t('ob.scan')).then((text) => { if (text) use(text) })}>{t('ob.scan')}</Button>
      </form>
    </Gate>
  )
}
