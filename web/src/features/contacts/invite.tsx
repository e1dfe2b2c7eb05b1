// An invitation for somebody without an account: a link to send, and a code to scan.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Busy, Button } from '../../ui/controls.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { copy, share } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'

/** inviteSomebody makes an invitation and offers to send it. */
export function inviteSomebody(): void {
  void over((done) => <Sheet title={t('con.invite')} close={done}><Invitation /></Sheet>)
}

function Invitation(): JSX.Element {
  const [made, setMade] = useState<{ link: string; expires?: number }>()
  const [failed, setFailed] = useState(false)
  useEffect(() => { engine().invite().then(setMade, () => setFailed(true)) }, [])
  if (failed) return <p role="alert">{t('con.inviteNo')}</p>
  if (!made) return <Busy />
  const copied = (done: boolean): void => { if (done) toast(t('con.copied')) }
  return (
    <div class="qr-of">
      <p>{t('con.inviteText')}</p>
      <Qr text={made.link} label={t('con.inviteLabel')} />
      {made.expires !== undefined && <p class="small">{t('con.inviteUntil', { time: fullTime(made.expires) })}</p>}
      <div class="dos mid">
        <Button kind="p" icon="forward" act={() => void share({ text: t('con.inviteSay'), url: made.link }).then((how) => copied(how === 'copied'))}>{t('con.inviteShare')}</Button>
        <Button kind="s" act={() => void copy(made.link).then(copied)}>{t('con.inviteCopy')}</Button>
      </div>
    </div>
  )
}
