// Answering a status: a message in the chat with its author, that says what it is about. One emoji is a reaction.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Status } from '../../core/engine.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Icon } from '../../ui/Icon.tsx'
import { toast } from '../../ui/toast.tsx'
import { wordsOf } from './label.ts'

const quick = ['❤️', '😂', '😮', '😢', '🙏', '👏']

async function answer(status: Status, text: string): Promise<boolean> {
  try {
    await engine().send(status.author, { text, about: { author: status.author, id: status.id, text: [...wordsOf(status)].slice(0, 300).join('') } })
    toast(t('st.replied'))
    return true
  } catch (error) { console.error('answer', error); toast(t('st.replyNotKept')); return false }
}

/** Answer is the field below a status; while somebody writes in it, nothing goes on. */
export function Answer({ status, name, busy }: { status: Status; name: string; busy: (on: boolean) => void }): JSX.Element {
  const [text, setText] = useState('')
  const [open, setOpen] = useState(false)
  const show = (on: boolean): void => { setOpen(on); busy(on) }
  const send = (event: Event): void => {
    event.preventDefault()
    if (!text.trim()) return
    void answer(status, text.trim()).then((kept) => { if (kept) { setText(''); (document.activeElement as HTMLElement | null)?.blur() } })
  }
  const label = t('st.reply', { name })
  return (
    <form class={`answer${open || text ? ' open' : ''}`} onSubmit={send} onFocusIn={() => show(true)} onFocusOut={(e) => { if (!e.currentTarget.contains(e.relatedTarget as Node | null)) show(false) }}>
      <div class="quick">{quick.map((emoji) => <button type="button" key={emoji} aria-label={t('st.react', { emoji })} onClick={() => void answer(status, emoji)}>{emoji}</button>)}</div>
      <div class="line">
        <input type="text" dir={text ? 'auto' : undefined} enterkeyhint="send" autocomplete="off" maxLength={5000} aria-label={label} placeholder={label} value={text} onInput={(e) => setText(e.currentTarget.value)} />
        <button type="submit" class="send" aria-label={t('st.send')} disabled={!text.trim()}><Icon name="send" flip /></button>
      </div>
    </form>
  )
}
