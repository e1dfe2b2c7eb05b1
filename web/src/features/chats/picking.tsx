// Choosing several chats, and doing one thing with all of them.
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import type { Chat, JID } from '../../core/model.ts'
import { chats } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { IconButton } from '../../ui/controls.tsx'
import { archive, markRead, mute, pin, remove } from './actions.tsx'

/** The chats that are chosen; none means that a click opens. */
export const picked = signal<ReadonlySet<JID>>(new Set())

/** pick adds a chat to the choice or takes it out. */
export function pick(jid: JID): void {
  const next = new Set(picked.value)
  if (!next.delete(jid)) next.add(jid)
  picked.value = next
}

const none = (): void => { picked.value = new Set() }

/** Picking is the head of the list while chats are chosen. */
export function Picking(): JSX.Element {
  const chosen = (chats.value ?? []).filter((c) => picked.value.has(c.jid))
  const all = (act: (chats: Chat[]) => Promise<void>) => (): void => { none(); void act(chosen) }
  const allPinned = chosen.every((c) => c.pinned !== undefined)
  return (
    <div class="picking" role="toolbar" aria-label={t('pick.tools')} onKeyDown={(e) => { if (e.key === 'Escape') { e.stopPropagation(); none() } }}>
      <IconButton icon="x" label={t('pick.stop')} act={none} />
      <h1 class="num" tabIndex={-1}><span aria-hidden="true">{chosen.length}</span><span class="vh" role="status">{t('pick.count', { n: chosen.length })}</span></h1>
      <IconButton icon={allPinned ? 'pinOff' : 'pin'} label={t(allPinned ? 'act.unpin' : 'act.pin')} act={all((c) => pin(c, !allPinned))} />
      <IconButton icon="mailOpen" label={t('act.markRead')} act={all(markRead)} />
      <IconButton icon="bellOff" label={t('act.mute')} act={all(mute)} />
      <IconButton icon="archive" label={t('act.archive')} act={all(archive)} />
      <IconButton icon="trash" label={t('act.delete')} act={all(remove)} />
    </div>
  )
}
