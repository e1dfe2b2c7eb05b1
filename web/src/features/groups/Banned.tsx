import type { JSX } from 'preact'
import { tried } from '../../app/groups.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { chatPath } from '../../app/router.ts'
import { engine, nameOf } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Empty } from '../../ui/controls.tsx'
import { Peer } from '../../ui/Peer.tsx'
import type { PageProps } from './index.tsx'
import { useAsked, Waiting } from '../../app/asked.tsx'

/** Banned lists who may not come in any more. */
export function Banned({ chat: { jid }, group }: PageProps): JSX.Element {
  const asked = useAsked(() => engine().group('banned', jid), [jid, group.version])
  const unban = async (person: string): Promise<void> => { if (await tried(engine().group('unban', jid, person), t('gr.unbanned'))) asked.again() }
  return (
    <div class="scroll">
      <PageHead title={t('gr.bannedTitle')} up={`${chatPath(jid)}/about`} always />
      <div class="page">
        {!asked.value ? <Waiting asked={asked} /> : !asked.value.length ? <Empty title={t('gr.bannedNone')} text={t('gr.bannedText')} />
          : <ul class="card flat">{asked.value.map((person) => <li key={person}><Peer id={person} name={nameOf(person)} under={<bdi dir="ltr">{person}</bdi>}><button type="button" class="btn s" onClick={() => void unban(person)}>{t('gr.unban')}<span class="vh"> {nameOf(person)}</span></button></Peer></li>)}</ul>}
      </div>
    </div>
  )
}
