// What stands in the place of the composer, or above it, in a group: that one was invited, waits, may not write, or that it is over.
import type { JSX } from 'preact'
import type { Chat } from '../../core/model.ts'
import type { GroupEnd } from '../../core/groups.ts'
import { block } from '../../app/block.ts'
import { groupPath, isIn, tried } from '../../app/groups.ts'
import { go } from '../../app/router.ts'
import { contactOf, engine } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { Button } from '../../ui/controls.tsx'
import { toast } from '../../ui/toast.tsx'
import { called } from './label.ts'

/** Silent says why nothing can be written in a group, and what can be done about it. */
export function Silent({ chat }: { chat: Chat }): JSX.Element | null {
  const { group } = chat
  if (!group) return null
  if (group.ended) return <Ended ended={group.ended} />
  if (group.affiliation === 'none' || group.affiliation === 'outcast') {
    return <div class="pickwarn" role="status">{t('silent.outside')} <Button kind="t" act={() => go(groupPath(chat.jid))}>{t('silent.ask')}</Button></div>
  }
  return <div class="pickwarn" role="status">{t('silent.admins')}</div>
}

function Ended({ ended: { how, by, reason, instead } }: { ended: GroupEnd }): JSX.Element {
  const key = (by && how !== 'left' ? `silent.${how}By` : `silent.${how}`) as Key
  return (
    <div class="pickwarn" role="status">
      <span dir="auto">{t(key, { name: by ? called(by) : '' })}{reason && ` ${t('system.because', { reason })}`}</span> {t('silent.kept')}
      {instead && <Button kind="t" act={() => go(groupPath(instead))}>{t('silent.instead')}</Button>}
    </div>
  )
}

/** asked is whether somebody asks us to come into a group, and we did not say yes or no. */
export const asked = ({ group }: Chat): boolean => group?.invited !== undefined && !group.ended && !isIn(group)

/** Invited says who brought us into a group and asks whether that is well; nothing when a contact did, or it was answered. */
export function Invited({ chat }: { chat: Chat }): JSX.Element | null {
  const invited = chat.group?.invited
  const open = chat.request === true || asked(chat)
  if (!chat.group || !open && (!invited || chat.accepted || contactOf(invited.by))) return null
  const name = invited ? called(invited.by) : chat.name
  const title = t(open ? 'invited.title' : 'invited.added', { name })
  return (
    <div class="request" role="group" aria-label={title}>
      <b dir="auto">{title}</b>
      {invited?.reason && <p dir="auto">{invited.reason}</p>}
      <p>{chat.group.members > 0 && <>{t('group.members', { n: chat.group.members })} · </>}{t(chat.protection === 'omemo' ? 'head.encrypted' : 'head.open')}{open && <> · {t('invited.text')}</>}</p>
      <div class="dos">
        {invited && <Button kind="g" act={() => void blockAndLeave(chat, invited.by)}>{t('request.block')}</Button>}
        <Button kind="s" act={() => void decline(chat)}>{t(open ? 'invited.refuse' : 'invited.leave')}</Button>
        <Button kind="p" act={() => void accept(chat)}>{t(open ? 'invited.join' : 'invited.stay')}</Button>
      </div>
    </div>
  )
}

/** Who was only invited comes in now; who was added stays. */
async function accept(chat: Chat): Promise<void> {
  if (chat.group && !isIn(chat.group) && !await tried(engine().group('join', chat.jid))) return
  try { await engine().setChat(chat.jid, { accepted: true }) } catch { toast(t('notKept')) }
}

async function decline(chat: Chat): Promise<void> {
  if (await tried(engine().group('decline', chat.jid), t('invited.refused'))) go(chat.request ? '/requests' : '/', { replace: true })
}

/** Who blocks the one who invited declines with it. */
async function blockAndLeave(chat: Chat, by: string): Promise<void> {
  try { await block(by, called(by), () => void decline(chat)) } catch (error) { console.warn('block', error); toast(t('part.failed')) }
}
