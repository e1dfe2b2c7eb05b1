import type { JSX } from 'preact'
import type { Chat } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button } from '../../ui/controls.tsx'

/** NotAllowed stands in the place of the composer while a contact is blocked. */
export function NotAllowed({ chat }: { chat: Chat }): JSX.Element {
  return <div class="pickwarn">{t('blocked', { name: chat.name })} <Button kind="t" act={() => void engine().unblock(chat.jid)}>{t('act.unblock')}</Button></div>
}
