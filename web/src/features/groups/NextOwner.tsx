import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Member } from '../../core/groups.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { back, chatPath } from '../../app/router.ts'
import { contactOf, engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Icon } from '../../ui/Icon.tsx'
import type { PageProps } from './index.tsx'
import { handOver } from './manage.tsx'

const perPage = 50

/** NextOwner chooses who owns a group from now on. */
export function NextOwner({ chat: { jid } }: PageProps): JSX.Element {
  const [words, setWords] = useState('')
  const [members, setMembers] = useState<Member[]>([])
  const me = engine().account().jid
  const up = `${chatPath(jid)}/about`
  useEffect(() => {
    let wanted = true
    engine().members(jid, { limit: perPage, ...(words.trim() ? { words: words.trim() } : {}) }).then((page) => { if (wanted) setMembers(page.members.filter((m) => m.jid !== me && m.affiliation !== 'owner')) }, (error: unknown) => console.warn('members', error))
    return () => { wanted = false }
  }, [jid, words])
  const choose = async (m: Member): Promise<void> => { if (await handOver(jid, m.jid, contactOf(m.jid)?.name ?? m.nick)) back(up) }
  return (
    <div class="scroll">
      <PageHead title={t('gr.owner')} up={up} always />
      <div class="page">
        <p class="small">{t('gr.ownerText')}</p>
        <div class="search"><Icon name="search" /><input type="search" dir="auto" aria-label={t('group.find')} placeholder={t('group.find')} value={words} onInput={(e) => setWords(e.currentTarget.value)} /></div>
        <ul class="card flat">{members.map((m) => <li key={m.jid}><button type="button" class="act" onClick={() => void choose(m)}><Avatar id={m.jid} name={m.nick} picture={contactOf(m.jid)?.avatar} size="s" /><span class="grow cut" dir="auto">{contactOf(m.jid)?.name ?? m.nick}</span></button></li>)}</ul>
      </div>
    </div>
  )
}
