// Below a status of one's own: whether it has left, and who has looked at it.
import type { JSX } from 'preact'
import eye from 'icon:eye'
import type { Status } from '../../core/engine.ts'
import { contactOf, engine, nameOf } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { ago } from '../../i18n/when.ts'
import { Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { Peer } from '../../ui/Peer.tsx'
import { whyOf } from './label.ts'

/** Own says how a status of ours stands. */
export function Own({ status, busy }: { status: Status; busy: (on: boolean) => void }): JSX.Element {
  if (status.state === 'waiting') return <p class="stands"><Icon name="clock" />{t('st.waits')}</p>
  if (status.state === 'failed') return <div class="stands bad"><Icon name="circleAlert" /><span>{whyOf(status)}</span><Button kind="s" icon="refresh" act={() => void engine().status('retry', status.id)}>{t('again')}</Button></div>
  const show = (): void => { busy(true); void over((done) => <Sheet title={t('st.viewsTitle')} close={done}><Views status={status} /></Sheet>).then(() => busy(false)) }
  return <button type="button" class="views" onClick={show}><Icon path={eye} />{status.views ? t('st.views', { n: status.views.length }) : t('st.viewsTitle')}</button>
}

function Views({ status: { views } }: { status: Status }): JSX.Element {
  if (!views) return <p>{t('st.viewsOff')}</p>
  if (!views.length) return <p>{t('st.noViews')}</p>
  return <ul class="acts scroll">{views.map((v) => <li key={v.jid}><Peer id={v.jid} name={nameOf(v.jid)} picture={contactOf(v.jid)?.avatar} under={ago(v.time)} /></li>)}</ul>
}
