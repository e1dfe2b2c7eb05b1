// New devices of one's own account. Each is told, on every device, until a person has decided: one that somebody else signed in reads along.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { DeviceNotice } from '../../core/model.ts'
import { go, place } from '../../app/router.ts'
import { engine } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Button } from '../../ui/controls.tsx'
import { inEights } from '../../ui/DeviceRow.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { confirm, Dialog, over } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import '../../ui/css/pages.css'

/** Told at once above the list; the rest follows when these are decided. */
const maxShown = 3

/** NewDevices is what has to be decided about one's own devices; nothing when there is nothing. */
export default function NewDevices(): JSX.Element {
  const [news, setNews] = useState<DeviceNotice[]>([])
  useEffect(() => engine().watchNotices((all) => setNews(all.filter((n) => n.own))), [])
  return <>{news.slice(0, maxShown).map((n) => <NewDevice key={n.id} notice={n} />)}</>
}

const nameOf = (n: DeviceNotice): string => [n.app, n.platform].filter(Boolean).join(' · ') || t('own.unnamed', { id: String(n.device) })

function NewDevice({ notice: n }: { notice: DeviceNotice }): JSX.Element {
  const [busy, setBusy] = useState(false)
  const doing = (work: (n: DeviceNotice) => Promise<void>) => (): void => {
    setBusy(true)
    work(n).catch(() => toast(t('own.failed'))).finally(() => setBusy(false))
  }
  const title = t(n.type === 'new-key' ? 'own.newKey' : 'own.title')
  const reads = n.trust === 'trusted' || n.trust === 'verified'
  return (
    <section class="net offer" aria-label={title}>
      <Icon name="shieldAlert" />
      <div role="status">
        <b>{title}</b><bdi>{nameOf(n)}</bdi>, {fullTime(n.time)}. {t((reads ? 'own.reads' : 'own.waits') as Key)}
        <div class="dos">
          <Button kind="s" disabled={busy} act={doing(mine)}>{t('own.mine')}</Button>
          <Button kind="d" disabled={busy} act={doing(revoke)}>{t('own.revoke')}</Button>
        </div>
      </div>
    </section>
  )
}

/** Who says that it was them may compare the keys as well: only a verified device is given what was said before. */
async function mine(n: DeviceNotice): Promise<void> {
  const trust = await compared(n)
  if (!trust) return
  await engine().trust({ jid: n.jid, id: n.device }, trust)
  toast(t(trust === 'verified' ? 'own.verified' : 'own.trusted'))
}

async function compared(n: DeviceNotice): Promise<'trusted' | 'verified' | undefined> {
  let answer: 'trusted' | 'verified' | undefined
  await over((done) => {
    const say = (value: typeof answer) => (): void => { answer = value; done() }
    return (
      <Dialog title={t('own.compareTitle')} close={done} alert>
        <p>{t('own.compareText')}</p>
        <p class="print">{n.fingerprint ? inEights(n.fingerprint) : t('own.noKey')}</p>
        <div class="do">
          <Button kind="t" act={done}>{t('cancel')}</Button>
          <Button kind="s" act={say('trusted')}>{t('own.only')}</Button>
          {n.fingerprint && <Button kind="s" act={say('verified')}>{t('own.same')}</Button>}
        </div>
      </Dialog>
    )
  })
  return answer
}

async function revoke(n: DeviceNotice): Promise<void> {
  if (!await confirm({ title: t('own.revokeTitle', { name: nameOf(n) }), text: t('own.revokeText'), yes: t('own.revoke'), danger: true })) return
  const signedOut = await engine().removeDevice(n.device)
  toast(t(signedOut ? 'own.out' : 'own.keysOnly'))
  const next = signedOut ? '/settings/account' : '/devices' // nobody let it in, so it knows the password
  if (place.value.path !== next) go(next)
}
