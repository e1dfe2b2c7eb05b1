import type { JSX } from 'preact'
import { mayWrite } from '../../app/groups.ts'
import type { Content, Message } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { fullTime, percent } from '../../i18n/when.ts'
import { Icon } from '../../ui/Icon.tsx'
import { withEvents } from './later.tsx'
import { isOver } from './pollState.ts'
import { open } from './state.ts'

/** Poll shows a question with its answers; a click votes, another takes the vote back. Percentages are of the people who have voted. */
export function Poll({ message, content }: { message: Message; content: Extract<Content, { type: 'poll' }> }): JSX.Element {
  const me = engine().account().jid
  const mine = content.votes[me] ?? []
  const voters = Object.values(content.votes).filter((v) => v.length > 0).length
  const counts = content.options.map((_, i) => Object.values(content.votes).filter((v) => v.includes(i)).length)
  const ended = isOver(content)
  const silent = ended || (open.value !== undefined && !mayWrite(open.value))
  const vote = (i: number): void => {
    if (isOver(content)) return
    const has = mine.includes(i)
    const next = content.many ? (has ? mine.filter((x) => x !== i) : [...mine, i]) : has ? [] : [i]
    void engine().vote(message.id, next)
  }
  return (
    <div class="poll">
      <b dir="auto">{content.question}</b>
      <small>{ended ? t('poll.over') : [t(content.many ? 'poll.many' : 'poll.one'), content.closes === undefined ? '' : t('poll.until', { time: fullTime(content.closes) })].filter(Boolean).join(' · ')}</small>
      <div role={content.many ? 'group' : 'radiogroup'} aria-label={content.question} class={content.many ? 'many' : ''}>
        {content.options.map((option, i) => (
          <button type="button" class="opt" key={i} role={content.many ? 'checkbox' : 'radio'} aria-checked={mine.includes(i)} aria-disabled={silent} onClick={() => { if (!silent) vote(i) }}
            aria-label={t('poll.option', { option, n: counts[i] ?? 0 })}>
            <span class="box-mark">{mine.includes(i) && <Icon name="check" />}</span><span dir="auto">{option}</span><span class="num">{voters ? percent((counts[i] ?? 0) / voters) : ''}</span>
            <progress max={Math.max(1, voters)} value={counts[i]} aria-hidden="true" />
          </button>
        ))}
      </div>
      <button type="button" class="poll-who" onClick={() => withEvents((e) => void e.showVotes(message))}>{t('poll.voters', { n: voters })}</button>
    </div>
  )
}
