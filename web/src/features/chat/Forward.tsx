// Passing messages on: to whom, and then each arrives as one that was forwarded.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { JID, Message } from '../../core/model.ts'
import { mayWrite } from '../../app/groups.ts'
import { chatPath, go } from '../../app/router.ts'
import { chats, engine, nameOf } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'

const most = 5

/** forward asks to whom messages are to be passed on, and passes them on. */
export function forward(messages: Message[]): Promise<void> {
  return over((close) => <To messages={messages.filter((m) => m.content.type !== 'once')} close={close} />)
}

/** Passes messages on; what could not be kept is told, and can be tried again. */
async function passOn(pairs: (readonly [JID, string])[]): Promise<boolean> {
  const left: typeof pairs = []
  for (const pair of pairs) {
    try { await engine().send(pair[0], { forwardOf: pair[1] }) } catch (error) { console.error('forward', error); left.push(pair) }
  }
  if (left.length) toast(t('forward.failed', { n: left.length }), { label: t('again'), act: () => void passOn(left) })
  return !left.length
}

function To({ messages, close }: { messages: Message[]; close: () => void }): JSX.Element {
  const [words, setWords] = useState('')
  const [to, setTo] = useState<JID[]>([])
  const wanted = words.trim().toLocaleLowerCase()
  const shown = (chats.value ?? []).filter((c) => mayWrite(c) && (!wanted || c.name.toLocaleLowerCase().includes(wanted))).slice(0, 40)
  const toggle = (jid: JID): void => setTo(to.includes(jid) ? to.filter((j) => j !== jid) : [...to, jid].slice(-most))
  const send = async (): Promise<void> => {
    close()
    const first = to[0]
    if (!await passOn(to.flatMap((jid) => messages.map((m) => [jid, m.id] as const)))) return
    if (to.length === 1 && first) go(chatPath(first))
    else toast(t('forward.done', { n: to.length }))
  }
  return (
    <Sheet title={t('forward.title', { n: messages.length })} close={close}>
      <div class="search sunk"><Icon name="search" /><input type="search" dir="auto" aria-label={t('forward.search')} placeholder={t('forward.search')} value={words} onInput={(e) => setWords(e.currentTarget.value)} /></div>
      <ul class="acts scroll" role="listbox" aria-multiselectable="true" aria-label={t('forward.title', { n: messages.length })}>
        {shown.map((c) => (
          <li key={c.jid} role="presentation">
            <button type="button" class="act" role="option" aria-selected={to.includes(c.jid)} onClick={() => toggle(c.jid)}>
              <Avatar id={c.jid} name={c.name} kind={c.kind} picture={c.avatar} size="s" /><span class="cut grow" dir="auto">{c.kind === 'self' ? t('chats.self') : c.name}</span>{to.includes(c.jid) && <Icon name="check" />}
            </button>
          </li>
        ))}
      </ul>
      <div class="do"><Button kind="t" act={close}>{t('cancel')}</Button><Button kind="p" icon="send" disabled={!to.length} act={() => void send()}>{to.length ? t('forward.to', { names: to.map(nameOf).join(', ') }) : t('act.forward')}</Button></div>
    </Sheet>
  )
}
