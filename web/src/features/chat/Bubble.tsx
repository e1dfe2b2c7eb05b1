// One message. What surrounds the content is here: who, forwarded, the quotation, the time and state, reactions, what went wrong.
import type { JSX } from 'preact'
import type { Message } from '../../core/model.ts'
import { contactOf, engine } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { clock, fullTime } from '../../i18n/when.ts'
import { Avatar, hue } from '../../ui/Avatar.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { Ticks } from '../../ui/Ticks.tsx'
import { authorOf, called, contentText, goneText, systemText } from './label.ts'
import { body, isCard } from './Body.tsx'
import { broadcast } from './late.ts'
import { jump } from './state.ts'
import { showReactions } from './reactions.tsx'
import { explainLocked, explainProblem } from './help.tsx'

const manyTimes = 5
/** The service of payments tells it: it has not the states of a message. */
const isMoney = (m: Message): boolean => m.content.type === 'payment' || m.content.type === 'request'

/** Bubble draws a message. It is drawn again only when the message itself has changed. Its parts are called as functions: a bubble that is made
 * while somebody scrolls costs one component, not ten. */
export function Bubble({ message: m, first, group }: { message: Message; first: boolean; group: boolean }): JSX.Element {
  if (m.content.type === 'system') return systemLine(m, m.content)
  const card = !m.retracted && isCard(m.content)
  const bare = !m.retracted && m.content.type === 'sticker' && !m.reply
  return (
    <>
      {group && !m.own && first && <Avatar id={m.from} name={authorOf(m)} picture={contactOf(m.from)?.avatar} size="xs" />}
      <div class={`m${card ? ' crd' : bare ? ' bare' : ''}`}>
        {group && !m.own && first && <span class={`by c${hue(m.from)} cut`} dir="auto">{authorOf(m)}</span>}
        {m.forwarded !== undefined && !m.retracted && <span class="fwd"><Icon name="forward" flip />{t(m.forwarded >= manyTimes ? 'forwardedMany' : 'forwarded')}</span>}
        {m.reply && !m.retracted && quote(m.reply)}
        {m.about && !m.retracted && aboutStatus(m.about)}
        {m.retracted ? gone(m) : m.content.type === 'undecryptable' ? locked(m) : body(m)}
        {m.copies && counts(m)}
        {meta(m)}
      </div>
      {reactions(m)}
      {m.state === 'failed' ? problem(m) : m.untold && untold(m, m.untold)}
    </>
  )
}

function counts(m: Message): JSX.Element | null {
  const Count = broadcast.value?.Count
  return Count ? <Count message={m} /> : null
}

function meta(m: Message): JSX.Element {
  return (
    <span class="meta" aria-hidden="true">
      {m.starred && <Icon name="star" full />}
      {m.pinned && <Icon name="pin" />}
      {m.expiresAt !== undefined && <Icon name="clock" />}
      {m.protection === 'none' && !isMoney(m) && <Icon name="lockOpen" />}
      {m.edited && !m.retracted && m.content.type !== 'location' && <span>{t('edited')}</span>}
      <time onPointerEnter={(e) => { e.currentTarget.title = fullTime(m.time) }}>{clock(m.time)}</time>
      {m.own && m.state && !m.retracted && !isMoney(m) && Ticks({ state: m.state, quiet: true })}
    </span>
  )
}

function quote(reply: NonNullable<Message['reply']>): JSX.Element {
  return (
    <button type="button" class="quote" onClick={() => void jump(reply.id)} title={t('jumpThere')}>
      <b dir="auto">{reply.to === engine().account().jid ? t('you') : called(reply.to)}</b><span dir="auto">{reply.text || t('quote.none')}</span>
    </button>
  )
}

/** The status that is answered; its words stay when it is over. */
function aboutStatus({ author, text }: NonNullable<Message['about']>): JSX.Element {
  return <div class="quote"><b dir="auto">{author === engine().account().jid ? t('about.yours') : t('about.theirs', { name: called(author) })}</b><span dir="auto">{text || t('quote.none')}</span></div>
}

function gone(m: Message): JSX.Element {
  return <span class="gone"><Icon name="trash" /><span dir="auto">{goneText(m)}</span></span>
}

function locked(m: Message): JSX.Element {
  return (
    <span class="gone"><Icon name="lock" />
      <span>{contentText(m.content)} <button type="button" class="more" onClick={() => void explainLocked(m)}>{t('why')}</button></span>
    </span>
  )
}

function reactions(m: Message): JSX.Element | null {
  const all = Object.entries(m.reactions ?? {}).filter(([, who]) => who.length > 0)
  if (!all.length || m.retracted) return null
  const me = engine().account().jid
  return (
    <div class="rxs">
      {all.map(([emoji, who]) => (
        <button type="button" class="rx num" key={emoji} aria-pressed={who.includes(me)} onClick={() => void showReactions(m)}
          aria-label={t('reacted.label', { n: who.length, emoji })} title={who.slice(0, 8).map((j) => (j === me ? t('you') : called(j))).join(', ')}>
          {emoji}{who.length > 1 && <span>{who.length}</span>}
        </button>
      ))}
    </div>
  )
}

function problem(m: Message): JSX.Element {
  return (
    <div class="problem">
      <span>{t(`failed.${m.failure ?? 'server'}` as Key)}</span>
      {(m.content.type !== 'once' || m.content.file) && <button type="button" onClick={() => void engine().retry(m.id)}>{t('again')}</button>}
      <button type="button" onClick={() => void explainProblem(m)}>{t('why')}</button>
    </div>
  )
}

/** A change that the others did not get. */
function untold(m: Message, { what, failure, undo }: NonNullable<Message['untold']>): JSX.Element {
  return (
    <div class="problem">
      <span>{t(what === 'retract' ? 'untold.retract' : 'untold.change')} {t(`failed.${failure}` as Key)}</span>
      <button type="button" onClick={() => void engine().retry(m.id)}>{t('again')}</button>
      {undo && <button type="button" onClick={() => void engine().undo(m.id)}>{t('untold.undo')}</button>}
    </div>
  )
}

function systemLine(m: Message, content: Extract<Message['content'], { type: 'system' }>): JSX.Element {
  const key = /device|key|identity|trust/.test(content.key)
  return <div class={`note${key ? ' key' : ''}`}>{key && <Icon name="shieldAlert" />}<span>{systemText(content)}{key && !content.key.startsWith('group-') && <> <a href={`/chat/${encodeURIComponent(m.chat)}/security`}>{t('system.check')}</a></>}</span></div>
}
