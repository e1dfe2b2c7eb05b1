// The statuses of a day: our own first, then those of the people one knows.
import type { JSX } from 'preact'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Peer } from '../../ui/Peer.tsx'

/** Statuses lists them. */
export function Statuses(): JSX.Element {
  const me = engine().account()
  return (
    <section aria-labelledby="up-status">
      <h2 id="up-status">{t('up.status')}</h2>
      <Peer id={me.jid} name={t('up.mine')} picture={me.avatar} under={me.name} />
    </section>
  )
}
