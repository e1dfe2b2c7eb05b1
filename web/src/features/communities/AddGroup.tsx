import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Access } from '../../core/communities.ts'
import type { Chat } from '../../core/model.ts'
import { isIn, whyNot } from '../../app/groups.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { back } from '../../app/router.ts'
import { chats } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button, Empty } from '../../ui/controls.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { toast } from '../../ui/toast.tsx'
import { setJoin } from './Community.tsx'
import { communityPath } from './paths.ts'

/** Groups that we own, for members only, and in no community. */
const free = ({ group }: Chat): boolean => group !== undefined && isIn(group) && group.affiliation === 'owner' && group.settings.private && !group.kind && !group.community

/** AddGroup puts a group of ours into a community. */
export function AddGroup({ jid }: { jid: string }): JSX.Element {
  const [chosen, setChosen] = useState<string>()
  const [join, setHow] = useState<Access>('invited')
  const [busy, setBusy] = useState(false)
  const all = (chats.value ?? []).filter(free)
  const up = communityPath(jid)
  const add = async (): Promise<void> => {
    if (!chosen) return
    setBusy(true)
    try { await setJoin(jid, chosen, join); toast(t('co.added')); back(up) } catch (error) { toast(whyNot(error)); setBusy(false) }
  }
  return (
    <div class="scroll">
      <PageHead title={t('co.addGroup')} always up={up} />
      <div class="page">
        {!all.length ? <Empty title={t('co.addNone')} text={t('co.addNoneText')} /> : (
          <>
            <p class="small">{t('co.addText')}</p>
            <section class="card flat">
              <ul class="acts" role="radiogroup" aria-label={t('co.addGroup')}>
                {all.map((c) => <li key={c.jid} role="presentation"><button type="button" class="act one-of" role="radio" aria-checked={chosen === c.jid} onClick={() => setChosen(c.jid)}><Avatar id={c.jid} name={c.name} kind="group" picture={c.avatar} size="s" /><span class="grow"><b class="cut block" dir="auto">{c.name}</b><small>{t('group.members', { n: c.group?.members ?? 0 })}</small></span><span class="tick" aria-hidden="true" /></button></li>)}
              </ul>
            </section>
            <section class="card flat"><Radios<Access> label={t('co.how')} value={join} change={setHow} answers={(['open', 'ask', 'invited'] as const).map((value) => ({ value, label: t(`co.how.${value}` as Key) }))} /></section>
            <Button kind="p" wide disabled={!chosen || busy} act={() => void add()}>{t(busy ? 'busy' : 'co.addYes')}</Button>
          </>
        )}
      </div>
    </div>
  )
}
