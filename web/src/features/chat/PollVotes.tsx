// Who has voted for what, and the end of a poll.
import type { JSX } from 'preact'
import type { Message } from '../../core/model.ts'
import { leads, mayWrite } from '../../app/groups.ts'
import { contactOf, engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button } from '../../ui/controls.tsx'
import { confirm, over, Sheet } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { called } from './label.ts'
import { isOver } from './pollState.ts'
import { open, timeline } from './state.ts'
import './events.css'

/** showVotes shows who has voted for what. */
export const showVotes = (m: Message): Promise<void> => over((close) => <Votes message={m} close={close} />)

function Votes({ message: first, close }: { message: Message; close: () => void }): JSX.Element | null {
  const m = timeline.value?.messages.value.find((one) => one.id === first.id) ?? first
  const poll = m.content
  if (poll.type !== 'poll') return null
  const me = engine().account().jid
  const chat = open.value
  const mayClose = chat && mayWrite(chat) && !isOver(poll) && (m.own || (chat.group !== undefined && leads(chat.group)))
  const end = async (): Promise<void> => {
    close()
    if (!await confirm({ title: t('poll.closeTitle'), text: t('poll.closeText'), yes: t('poll.close'), danger: true })) return
    try { await engine().closePoll(m.id) } catch (error) { console.error('poll', error); toast(t('notKept')) }
  }
  return (
    <Sheet title={t('poll.who')} close={close}>
      <div class="scroll ev-list">
        <p class="ev-q" dir="auto">{poll.question}</p>
        {poll.options.map((option, i) => {
          const people = Object.entries(poll.votes).filter(([, v]) => v.includes(i)).map(([jid]) => jid)
          return (
            <section key={i} aria-labelledby={`votes-${i}`}>
              <h3 class="part" id={`votes-${i}`}><span dir="auto">{option}</span> <span class="num">{people.length}</span></h3>
              <ul class="list-plain">{people.map((jid) => { const name = jid === me ? t('you') : called(jid); return <li key={jid}><Avatar id={jid} name={name} picture={contactOf(jid)?.avatar} size="xs" /><span class="cut" dir="auto">{name}</span></li> })}</ul>
            </section>
          )
        })}
        {poll.unread !== undefined && <p class="ev-none">{t('poll.unread', { n: poll.unread })}</p>}
        {mayClose && <div class="do"><Button kind="d" act={() => void end()}>{t('poll.close')}</Button></div>}
      </div>
    </Sheet>
  )
}
