import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { MAX_ADDED, MAX_COMMUNITY, MAX_GROUP } from '../../core/groups.ts'
import type { JID } from '../../core/model.ts'
import { mayAdd, whyNot } from '../../app/groups.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { back, chatPath } from '../../app/router.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button, Empty } from '../../ui/controls.tsx'
import { toast } from '../../ui/toast.tsx'
import type { PageProps } from './index.tsx'
import { useAsked } from '../../app/asked.tsx'
import { showRefused } from './NewGroup.tsx'
import { People } from './People.tsx'

/** AddPeople brings people into a group. */
export function AddPeople({ chat: { jid }, group }: PageProps): JSX.Element {
  const [chosen, setChosen] = useState<JID[]>([])
  const [busy, setBusy] = useState(false)
  const max = group.kind ? MAX_COMMUNITY : MAX_GROUP
  const inside = useAsked(() => addressesIn(jid, max), [jid, group.version])
  const up = `${chatPath(jid)}/about`
  if (!mayAdd(group)) return <div class="scroll"><PageHead title={t('gr.add')} up={up} always /><Empty title={t('gr.addNot')} /></div>
  const add = async (): Promise<void> => {
    setBusy(true)
    try {
      const refused = await engine().group('add', jid, chosen)
      if (chosen.length > refused.length) toast(t('gr.added', { n: chosen.length - refused.length }))
      if (refused.length) await showRefused(refused)
      back(up)
    } catch (error) { toast(whyNot(error)); setBusy(false) }
  }
  return (
    <>
      <PageHead title={t('gr.add')} up={up} always />
      <People chosen={chosen} change={setChosen} max={max} most={Math.max(0, Math.min(MAX_ADDED, max - group.members))} {...(inside.value ? { except: inside.value } : {})} />
      <div class="bottom">{chosen.length > 0 && <p class="small">{t('gr.invites')}</p>}<Button kind="p" wide disabled={!chosen.length || busy} act={() => void add()}>{busy ? t('busy') : chosen.length ? t('gr.addYes', { n: chosen.length }) : t('gr.add')}</Button></div>
    </>
  )
}

/** Addresses alone, to leave out who is in it already. */
async function addressesIn(jid: JID, most: number): Promise<ReadonlySet<JID>> {
  const all = new Set<JID>()
  let after: string | undefined
  do {
    const page = await engine().members(jid, { limit: 100, ...(after === undefined ? {} : { after }) })
    for (const one of page.members) all.add(one.jid)
    after = page.next
  } while (after !== undefined && all.size < most)
  return all
}
