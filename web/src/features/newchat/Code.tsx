// One's own code and invitation link, for somebody who stands beside, or far away.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Busy, Button } from '../../ui/controls.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { CopyButton, share } from './index.tsx'

/** Code shows a code that makes an account and a contact of whoever scans it; without network, the address alone. */
export function Code(): JSX.Element {
  const account = engine().account()
  const [invitation, setInvitation] = useState<{ link: string; expires?: number } | 'none' | undefined>(undefined)
  useEffect(() => { engine().invite().then(setInvitation, () => setInvitation('none')) }, [])
  const text = invitation === 'none' || !invitation ? `xmpp:${account.jid}` : invitation.link
  return (
    <>
      <PageHead title={t('chats.myCode')} always up="/new" />
      <div class="scroll"><div class="page">
        <div class="card code">
          <Avatar id={account.jid} name={account.name} picture={account.avatar} />
          <h2 dir="auto">{account.name}</h2>
          <small dir="ltr">{account.jid}</small>
          {invitation ? <Qr text={text} label={t('code.label', { name: account.name })} /> : <Busy />}
          <p>{t(invitation === 'none' ? 'code.offline' : 'code.text')}</p>
          {invitation && invitation !== 'none' && invitation.expires !== undefined && <small>{t('code.expires', { when: fullTime(invitation.expires) })}</small>}
          {invitation && <div class="do"><CopyButton text={text} label={t('code.copy')} /><Button kind="p" icon="userPlus" act={() => void share()}>{t('code.share')}</Button></div>}
        </div>
      </div></div>
    </>
  )
}
