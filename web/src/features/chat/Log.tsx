// The conversation as it scrolls. The page holds a window of messages; when the window changes, what the eye was on stays where it was.
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import type { Chat, Message } from '../../core/model.ts'
import { engine, typing } from '../../app/session.ts'
import { dayName } from '../../i18n/when.ts'
import { t } from '../../i18n/t.ts'
import { Icon } from '../../ui/Icon.tsx'
import { say } from '../../ui/toast.tsx'
import { Bubble } from './Bubble.tsx'
import { gestures, keys } from './input.ts'
import { label, namesMe } from './label.ts'
import { layout, type Line } from './layout.ts'
import { flashed, jump, onJump, selected } from './state.ts'
import { Stick } from './stick.ts'
import type { Timeline } from './timeline.ts'

const near = 600

/** Log shows the window of a timeline, asks for more of it near its ends, and tells the engine what has been read. */
export function Log({ line, chat }: { line: Timeline; chat: Chat }): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const stick = useMemo(() => new Stick(() => box.current), [line])
  const messages = line.messages.value
  const old = useRef<Line[]>([])
  const whole = !line.older.value && !line.newer.value
  const lines = useMemo(() => { old.current = layout(messages, line.firstUnread.value, whole, old.current); return old.current }, [messages, line.firstUnread.value, whole])
  useLayoutEffect(() => stick.restore(line.firstUnread.value, !line.newer.value), [messages])
  useEffect(() => begin(line, stick, chat), [line])
  useEffect(() => {
    const list = box.current?.firstElementChild
    const watch = new ResizeObserver(() => { if (!line.newer.peek()) stick.grew() })
    if (list) watch.observe(list)
    return () => watch.disconnect()
  }, [line])
  useEffect(() => {
    reader(line, chat.jid, box.current, stick)
    if (box.current && box.current.scrollHeight < box.current.clientHeight + near) void line.loadOlder() // too short to be scrolled
  }, [messages])
  const scrolled = (): void => {
    const element = box.current
    if (!element) return
    stick.scrolled()
    if (element.scrollTop < near) void line.loadOlder()
    if (element.scrollHeight - element.scrollTop - element.clientHeight < near) void line.loadNewer()
    if (stick.atEnd.value && !line.newer.value) line.unseen.value = 0
    reader(line, chat.jid, element, stick)
  }
  return (
    <div class="log-box">
      <div class="log" ref={box} onScroll={scrolled} tabIndex={-1}>
        <ul role="list" aria-label={t('log')} onKeyDown={(e) => keys(e, line)} {...gestures(line)}>
          {!line.older.value && <li class="note"><Icon name={chat.protection === 'omemo' ? 'lock' : 'lockOpen'} /><span>{t(chat.protection === 'omemo' ? 'log.encrypted' : 'log.open')}</span></li>}
          {lines.map((l, i) => <Item key={l.key} line={l} group={chat.kind === 'group'} size={whole ? messages.length : -1} last={i === lines.length - 1} />)}
          <Writing chat={chat} />
        </ul>
      </div>
      {chat.kind === 'group' && <ToMention calls={chat.calls} />}
      <ToEnd line={line} stick={stick} />
    </div>
  )
}

function Item({ line, group, size, last }: { line: Line; group: boolean; size: number; last: boolean }): JSX.Element {
  if (line.kind === 'day') return <li class="day">{dayName(line.time)}</li>
  if (line.kind === 'unread') return <li class="unread-line">{t('log.unread', { n: line.count })}</li>
  const { message: m, first } = line
  const classes = `it${m.own ? ' o' : ''}${first ? ' f' : ''}${selected.value.has(m.id) ? ' picked' : ''}${flashed.value === m.id ? ' flash' : ''}${group && !m.own && m.content.type !== 'system' ? ' g' : ''}${group && namesMe(m) ? ' named' : ''}`
  return (
    <li class={classes} data-id={m.id} tabIndex={last ? 0 : -1} aria-label={label(m)} aria-setsize={size} aria-posinset={line.position}>
      <Bubble message={m} first={first} group={group} />
    </li>
  )
}

/** Three dots where the next message will be; that somebody writes is said in words at the top. */
function Writing({ chat }: { chat: Chat }): JSX.Element | null {
  if (!typing.value[chat.jid]?.length) return null
  return <li class="it f" aria-hidden="true"><div class="m"><span class="typing-dots"><i /><i /><i /></span></div></li>
}

function begin(line: Timeline, stick: Stick, chat: Chat): () => void {
  line.before = () => { if (!stick.atEnd.peek() || line.newer.peek()) stick.hold() }
  line.arrived = (fresh) => {
    for (const m of fresh) if (!m.own) say(label(m))
    if (fresh.some((m) => m.own)) stick.follow()
    else if (!stick.atEnd.value || document.hidden) line.unseen.value += fresh.filter((m) => !m.own).length
  }
  onJump((id) => stick.show(id))
  const back = (): void => reader(line, chat.jid, document.querySelector('.log'), stick)
  document.addEventListener('visibilitychange', back)
  addEventListener('focus', back)
  return () => { document.removeEventListener('visibilitychange', back); removeEventListener('focus', back) }
}

const settle = 300
let timer: ReturnType<typeof setTimeout> | undefined
let told = { jid: '', order: 0 }

/** What has been in view for a moment, in a page that somebody looks at, has been read. */
function reader(line: Timeline, jid: string, element: Element | null, stick: Stick): void {
  clearTimeout(timer)
  timer = setTimeout(() => {
    if (document.hidden || !document.hasFocus() || !element?.isConnected) return
    const last = lowest(line.messages.value, stick)
    if (!last || (told.jid === jid && told.order >= last.order)) return
    told = { jid, order: last.order }
    if (stick.atEnd.value && !line.newer.value) line.unseen.value = 0
    void engine().read(jid, last.order)
  }, settle)
}

function lowest(messages: Message[], stick: Stick): Message | undefined {
  const id = stick.lowest()
  return messages.find((m) => m.id === id)
}

/** Where we were named first of what we have not read; the focus goes there, too. */
function ToMention({ calls }: Pick<Chat, 'calls'>): JSX.Element | null {
  if (!calls) return null
  return (
    <button type="button" class="to-end to-mention" onClick={() => void jump(calls.first)} aria-label={t('log.toMention', { n: calls.count })}>
      <Icon name="atSign" /><span class="badge num" aria-hidden="true">{calls.count}</span>
    </button>
  )
}

function ToEnd({ line, stick }: { line: Timeline; stick: Stick }): JSX.Element | null {
  const count = line.unseen.value
  if (stick.atEnd.value && !line.newer.value) return null
  const act = async (): Promise<void> => { await line.end(); requestAnimationFrame(() => stick.toEnd()) }
  return (
    <button type="button" class="to-end" onClick={() => void act()} aria-label={count ? t('log.toEndCount', { n: count }) : t('log.toEnd')}>
      <Icon name="arrowDown" />{count > 0 && <span class="badge num" aria-hidden="true">{count}</span>}
    </button>
  )
}
