import type { JSX } from 'preact'
import type { Chat } from '../../core/model.ts'
import { go } from '../../app/router.ts'
import { contactOf, engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button } from '../../ui/controls.tsx'
import { confirm } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { blockContact } from './chatActions.tsx'

/** Request stands in the place of the composer while a stranger waits to be let in: they learn nothing before. */
export function Request({ chat }: { chat: Chat }): JSX.Element {
  return (
    <div class="request" role="group" aria-label={t('request.title', { name: chat.name })}>
      <b dir="auto">{t('request.title', { name: chat.name })}</b>
      <p>{t('request.text')}</p>
      <div class="dos">
        <Button kind="g" act={() => void blockContact(chat)}>{t('request.block')}</Button>
        <Button kind="s" act={() => void drop(chat)}>{t('request.delete')}</Button>
        <Button kind="p" act={() => void accept(chat)}>{t('request.accept')}</Button>
      </div>
    </div>
  )
}

/** A stranger who also asks to be a contact is answered with the same decision. */
async function accept(chat: Chat): Promise<void> {
  try {
    await engine().setChat(chat.jid, { accepted: true })
    if (contactOf(chat.jid)?.asks === 'in') await engine().answerContact(chat.jid, true)
  } catch { toast(t('notKept')) }
}

async function drop(chat: Chat): Promise<void> {
  if (!await confirm({ title: t('request.deleteTitle'), text: t('request.deleteText', { name: chat.name }), yes: t('request.delete'), danger: true })) return
  try { await engine().clearChat(chat.jid); go('/requests', { replace: true }) } catch { toast(t('notKept')) }
}
