import type { JSX } from 'preact'
import editPath from 'icon:pencil'
import replyPath from 'icon:reply'
import { t } from '../../i18n/t.ts'
import { IconButton } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { authorOf, contentText } from './label.ts'
import { editing, replying } from './state.ts'

/** Above says, over the text field, what is being answered or corrected. */
export function Above({ close }: { close: () => void }): JSX.Element | null {
  const m = editing.value ?? replying.value
  if (!m) return null
  return (
    <div class="above">
      <Icon path={editing.value ? editPath : replyPath} flip />
      <span class="grow"><b class="cut" dir="auto">{editing.value ? t('edit.title') : t('reply.title', { name: authorOf(m) })}</b><span class="cut block" dir="auto">{contentText(m.content)}</span></span>
      <IconButton icon="x" label={t('cancel')} act={close} />
    </div>
  )
}
