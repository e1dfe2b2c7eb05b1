import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Chat } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { lists, mostLists } from './lists.ts'

const longest = 40

/** chooseLists shows the lists that there are, to put a chat on them or on a new one. */
export function chooseLists(chat: Chat): Promise<void> {
  return over((close) => <Sheet title={t('lists.title')} close={close}><Choose chat={chat} close={close} /></Sheet>)
}

function Choose({ chat, close }: { chat: Chat; close: () => void }): JSX.Element {
  const [all] = useState(lists.value)
  const [on, setOn] = useState(chat.lists ?? [])
  const [fresh, setFresh] = useState('')
  const save = async (event: Event): Promise<void> => {
    event.preventDefault()
    close()
    try { await engine().setChat(chat.jid, { lists: [...on, fresh] }) } catch (error) { console.error('lists', error); toast(t('lists.failed')) }
  }
  const tick = (name: string, is: boolean): void => setOn(is ? [...on, name] : on.filter((n) => n !== name))
  return (
    <form class="stack sheet-in" onSubmit={(e) => void save(e)}>
      <p class="small">{t('lists.text')}</p>
      {all.map((name) => <label class="check" key={name}><input type="checkbox" checked={on.includes(name)} onChange={(e) => tick(name, e.currentTarget.checked)} /><span dir="auto">{name}</span></label>)}
      {all.length < mostLists && <Field label={t('lists.new')} value={fresh} change={setFresh} limit={longest} focus={!all.length} />}
      <div class="do"><Button kind="t" act={close}>{t('cancel')}</Button><Button kind="p" submit>{t('lists.save')}</Button></div>
    </form>
  )
}
