// What opens above the keyboard beside words: emoji and stickers, as two tabs.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import smilePath from 'icon:smile'
import type { Chat } from '../../core/model.ts'
import { t } from '../../i18n/t.ts'
import { Busy } from '../../ui/controls.tsx'
import { EmojiPicker } from '../../ui/EmojiPicker.tsx'
import { arrows } from '../../ui/focus.ts'
import { Icon } from '../../ui/Icon.tsx'
import { toast } from '../../ui/toast.tsx'

type Shelf = typeof import('./Stickers.tsx')
let last: 'emoji' | 'stickers' = 'emoji'

/** Drawer offers emoji, which go into the text, and stickers, which are sent at once. */
export function Drawer({ chat, pick, close }: { chat: Chat; pick: (emoji: string) => void; close: () => void }): JSX.Element {
  const [tab, setTab] = useState(last)
  const [shelf, setShelf] = useState<Shelf>()
  useEffect(() => {
    last = tab
    if (tab === 'stickers' && !shelf) import('./Stickers.tsx').then((s) => setShelf(s), () => { toast(t('part.failed')); setTab('emoji') })
  }, [tab])
  const tabs = [['emoji', t('emoji')], ['stickers', t('stick.all')]] as const
  return (
    <div class="drawer">
      <div class="chips" role="tablist" aria-label={t('stick.drawer')} onKeyDown={(e) => arrows(e, e.currentTarget, 'button', 'horizontal')}>
        {tabs.map(([key, name]) => (
          <button type="button" class="chip" role="tab" key={key} id={`drawer-${key}`} aria-selected={tab === key} aria-controls="drawer-panel" tabIndex={tab === key ? 0 : -1} onClick={() => setTab(key)}>
            {key === 'emoji' ? <Icon path={smilePath} /> : <Icon name="sticker" />}{name}
          </button>
        ))}
      </div>
      <div id="drawer-panel" role="tabpanel" aria-labelledby={`drawer-${tab}`}>
        {tab === 'emoji' ? <EmojiPicker pick={pick} /> : shelf ? <shelf.Stickers chat={chat} sent={close} /> : <Busy />}
      </div>
    </div>
  )
}
