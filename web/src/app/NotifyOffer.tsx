// The offer to be told of new messages: above the list, once the first message of one's own has left, and never again after a yes or a no.
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { t } from '../i18n/t.ts'
import { Button } from '../ui/controls.tsx'
import { toast } from '../ui/toast.tsx'
import { declineOffer, offered, offerOnce, wake } from './notify.ts'
import { chats } from './session.ts'

const hasSent = (): boolean => (chats.value ?? []).some((c) => c.last?.own && c.last.state !== undefined && c.last.state !== 'waiting' && c.last.state !== 'failed')

/** NotifyOffer is nothing until the moment is good. */
export function NotifyOffer(): JSX.Element | null {
  const sent = hasSent()
  useEffect(() => { if (sent) offerOnce() }, [sent])
  if (!offered.value) return null
  const accept = (): void => { wake().then((w) => { if (w.state === 'on') toast(t('offer.done')) }, () => undefined) }
  return (
    <section class="notice" aria-label={t('offer.title')}>
      <div class="net info offer">
        <div><b>{t('offer.title')}</b>{t('offer.text')}
          <div class="dos"><Button kind="p" act={accept}>{t('offer.yes')}</Button><Button kind="t" act={declineOffer}>{t('offer.no')}</Button></div>
        </div>
      </div>
    </section>
  )
}
