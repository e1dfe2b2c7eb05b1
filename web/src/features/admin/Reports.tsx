// Reports of abuse: what people said about those whom they block, and whether somebody has dealt with it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { AdminReport } from '../../core/engine.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Button, Empty, Pill } from '../../ui/controls.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { over } from '../../ui/overlay.tsx'
import { AccountSheet } from './Account.tsx'
import { admin, attempt, useAnswer } from './load.ts'
import { Waiting } from './Waiting.tsx'

/** Reports shows the open ones, or those that were dealt with. */
export function Reports(): JSX.Element {
  const [handled, setHandled] = useState(false)
  const [before, setBefore] = useState<string>()
  const answer = useAnswer(() => admin('reports', { handled, ...(before ? { before } : {}) }), [handled, before])
  const { value, reload } = answer
  const which = (now: boolean): void => { setHandled(now); setBefore(undefined) }
  const set = async (one: AdminReport): Promise<void> => { if (await attempt(admin('handle', one.id, !one.handled), t('adm.done'))) reload() }
  return (
    <>
      <div class="span"><Radios label={t('adm.which')} hideLabel bar value={handled ? 'handled' : 'open'} change={(v) => which(v === 'handled')}
        answers={[{ value: 'open', label: t('adm.open', { n: value?.open ?? 0 }) }, { value: 'handled', label: t('adm.handled') }]} /></div>
      <Waiting answer={answer} />
      {value?.reports.length === 0 && <Empty title={t('adm.noReports')} text={t('adm.noReportsText')} />}
      {value?.reports.map((one) => <Report key={one.id} report={one} set={() => void set(one)} />)}
      {value?.more && <Button kind="g" wide act={() => setBefore(value.reports.at(-1)?.id)}>{t('adm.older')}</Button>}
      {before && <Button kind="t" wide act={() => setBefore(undefined)}>{t('adm.newest')}</Button>}
    </>
  )
}

function Report({ report: r, set }: { report: AdminReport; set: () => void }): JSX.Element {
  const [local, domain] = [r.jid.slice(0, r.jid.indexOf('@')), r.jid.split('@')[1]?.split('/')[0]]
  const ours = local !== '' && domain === engine().account().jid.split('@')[1]
  const kind = r.kind === 'spam' ? t('adm.spam') : r.kind === 'abuse' ? t('adm.abuse') : r.kind
  return (
    <article class="card report" aria-label={`${kind}: ${r.jid}`}>
      <p><Pill kind={r.kind === 'spam' ? 'wait' : 'bad'}>{kind}</Pill> <b><bdi dir="ltr">{r.jid}</bdi></b></p>
      {r.words && <blockquote dir="auto">{r.words}</blockquote>}
      <small>{[t('adm.from', { name: r.by || t('adm.removed') }), fullTime(r.at), r.messages > 0 && t('adm.messagesNamed', { n: r.messages })].filter(Boolean).join(' · ')}</small>
      <div class="dos">
        <Button kind={r.handled ? 'g' : 's'} icon={r.handled ? 'undo' : 'check'} act={set}>{t(r.handled ? 'adm.reopen' : 'adm.handle')}</Button>
        {ours && <Button kind="g" icon="user" act={() => void over((close) => <AccountSheet name={local} close={close} changed={() => undefined} />)}>{t('adm.theAccount')}</Button>}
      </div>
    </article>
  )
}
