// Files that are dropped onto the conversation.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Chat } from '../../core/model.ts'
import { t } from '../../i18n/t.ts'
import { offerFiles } from './Prepare.tsx'

/** DropPlace shows that files can be let go here while they are held over the conversation. */
export function DropPlace({ chat }: { chat: Chat }): JSX.Element | null {
  const [over, setOver] = useState(false)
  useEffect(() => {
    let inside = 0
    const has = (e: DragEvent): boolean => e.dataTransfer?.types.includes('Files') ?? false
    const enter = (e: DragEvent): void => { if (has(e)) { inside++; setOver(true) } }
    const leave = (): void => { inside = Math.max(0, inside - 1); if (!inside) setOver(false) }
    const stay = (e: DragEvent): void => { if (has(e)) e.preventDefault() }
    const drop = (e: DragEvent): void => {
      if (!has(e)) return
      e.preventDefault()
      inside = 0
      setOver(false)
      offerFiles(chat.jid, [...(e.dataTransfer?.files ?? [])])
    }
    addEventListener('dragenter', enter); addEventListener('dragleave', leave); addEventListener('dragover', stay); addEventListener('drop', drop)
    return () => { removeEventListener('dragenter', enter); removeEventListener('dragleave', leave); removeEventListener('dragover', stay); removeEventListener('drop', drop) }
  }, [chat.jid])
  return over ? <div class="drop">{t('drop')}</div> : null
}
