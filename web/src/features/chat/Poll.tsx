import type { JSX } from 'preact'
import type { Content, Message } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Icon } from '../../ui/Icon.tsx'

/** Poll shows a question with its answers; a click votes, another takes the vote back. */
export function Poll({ message, content }: { message: Message; content: Extract<Content, { type: 'poll' }> }): JSX.Element {
  const me = engine().account().jid
  const mine = content.votes[me] ?? []
  const voters = Object.values(content.votes).filter((v) => v.length > 0).length
  const counts = content.options.map((_, i) => Object.values(content.votes).filter((v) => v.includes(i)).length)
  const vote = (i: number): void => {
    const has = mine.includes(i)
    const next = content.many ? (has ? mine.filter((x) => x !== i) : [...mine, i]) : has ? [] : [i]
    void engine().vote(message.id, next)
  }
  return (
    <div class="poll">
      <b dir="auto">{content.question}</b>
      <small>{t(content.many ? 'poll.many' : 'poll.one')}</small>
      <div role={content.many ? 'group' : 'radiogroup'} aria-label={content.question} class={content.many ? 'many' : ''}>
        {content.options.map((option, i) => (
          <button type="button" class="opt" key={i} role={content.many ? 'checkbox' : 'radio'} aria-checked={mine.includes(i)} onClick={() => vote(i)}
            aria-label={t('poll.option', { option, n: counts[i] ?? 0 })}>
            <span class="box-mark">{mine.includes(i) && <Icon name="check" />}</span><span dir="auto">{option}</span><span class="num">{counts[i]}</span>
            <progress max={Math.max(1, voters)} value={counts[i]} aria-hidden="true" />
          </button>
        ))}
      </div>
    </div>
  )
}
