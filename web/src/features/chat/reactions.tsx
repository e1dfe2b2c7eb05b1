// Who reacted, with what; and taking one's own reaction back.
import type { JSX } from 'preact'
import type { Message } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button } from '../../ui/controls.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { called } from './label.ts'

/** showReactions lists everybody who reacted to a message. */
export function showReactions(message: Message): Promise<void> {
  return over((close) => <Who message={message} close={close} />)
}

function Who({ message, close }: { message: Message; close: () => void }): JSX.Element {
  const me = engine().account().jid
  const all = Object.entries(message.reactions ?? {}).flatMap(([emoji, who]) => who.map((jid) => ({ emoji, jid })))
  const mine = all.find((r) => r.jid === me)
  const takeBack = (): void => { close(); void engine().react(message.id, null) }
  return (
    <Sheet title={t('reacted.title', { n: all.length })} close={close}>
      <ul class="list-plain">
        {all.map((r) => <li key={r.jid + r.emoji}><Avatar id={r.jid} name={called(r.jid)} size="s" /><span class="cut" dir="auto">{r.jid === me ? t('you') : called(r.jid)}</span><small>{r.emoji}</small></li>)}
      </ul>
      {mine && <div class="do"><Button kind="d" act={takeBack}>{t('reacted.undo', { emoji: mine.emoji })}</Button></div>}
    </Sheet>
  )
}
