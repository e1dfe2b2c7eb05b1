// Keys and fingers on messages: one set of handlers for the whole list.
import { engine } from '../../app/session.ts'
import type { Message } from '../../core/model.ts'
import { arrows } from '../../ui/focus.ts'
import { holdIn, swipeIn } from '../../ui/gestures.ts'
import { copy, messageMenu, removeMessages } from './actions.tsx'
import { replying, select, selected } from './state.ts'
import type { Timeline } from './timeline.ts'

const itemOf = (target: EventTarget | null): HTMLElement | null => (target as Element | null)?.closest<HTMLElement>('li[data-id]') ?? null

function messageOf(line: Timeline, item: HTMLElement | null): Message | undefined {
  return item ? line.messages.value.find((m) => m.id === item.dataset['id']) : undefined
}

/** gestures opens the menu of a message by a long press or the right button, answers by a swipe, and selects while selecting. */
export function gestures(line: Timeline): object {
  const press = holdIn((at, target) => {
    const m = messageOf(line, itemOf(target))
    if (m) messageMenu(m, at)
  })
  const side = swipeIn((target) => itemOf(target)?.querySelector<HTMLElement>('.m') ?? null, (way, target) => {
    const m = messageOf(line, itemOf(target))
    if (m && way === 'start' && !m.retracted) answer(m)
  })
  const click = (event: MouseEvent): void => {
    const m = messageOf(line, itemOf(event.target))
    if (!m || !selected.value.size) return
    event.preventDefault()
    event.stopPropagation()
    select(m.id)
  }
  const twice = (event: MouseEvent): void => {
    const item = itemOf(event.target)
    const m = messageOf(line, item)
    if (m && event.target === item && !m.retracted) answer(m)
  }
  return { ...press, ...side, onClickCapture: click, onDblClick: twice }
}

/** answer begins a reply to a message. */
export function answer(m: Message): void {
  replying.value = m
  document.querySelector<HTMLTextAreaElement>('.comp textarea')?.focus()
}

/** keys moves between messages and acts on the one in focus. */
export function keys(event: KeyboardEvent, line: Timeline): void {
  const item = itemOf(event.target)
  if (!item || event.ctrlKey || event.metaKey || event.altKey) {
    if (item && (event.ctrlKey || event.metaKey) && event.key === 'c' && !getSelection()?.toString()) { const m = messageOf(line, item); if (m) void copy([m]) }
    return
  }
  const root = event.currentTarget as HTMLElement
  if (event.target === item && arrows(event, root, 'li[data-id]')) return
  const m = messageOf(line, item)
  if (!m || event.target !== item) return
  const act: Record<string, () => void> = {
    r: () => answer(m),
    ' ': () => select(m.id),
    Enter: () => menuAt(m, item),
    Delete: () => void removeMessages([m]),
    s: () => void engine().star([m.id], !m.starred),
  }
  const found = act[event.key]
  if (!found) return
  event.preventDefault()
  found()
}

function menuAt(m: Message, item: HTMLElement): void {
  const box = (item.querySelector('.m') ?? item).getBoundingClientRect()
  messageMenu(m, { x: box.left + 24, y: box.top + 24 })
}
