import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Chat, Message } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Icon } from '../../ui/Icon.tsx'
import { contentText } from './label.ts'
import { jump, timeline } from './state.ts'

/** Pinned shows the message that is pinned in a chat; a click leads to it. */
export function Pinned({ chat }: { chat: Chat }): JSX.Element | null {
  const [found, setFound] = useState<Message | undefined>(undefined)
  const id = chat.pinnedMessage
  const here = timeline.value?.messages.value.find((m) => m.id === id)
  useEffect(() => {
    if (!id || here) { setFound(here); return }
    let wanted = true
    void engine().page(chat.jid, { around: id, limit: 1, here: true }).then((w) => { if (wanted) setFound(w.messages.find((m) => m.id === id)) })
    return () => { wanted = false }
  }, [id, here])
  if (!id || !found || found.retracted) return null
  return (
    <button type="button" class="pinned" onClick={() => void jump(id)}>
      <Icon name="pin" /><span class="cut"><b>{t('pinned')}</b><span dir="auto">{contentText(found.content)}</span></span>
    </button>
  )
}
