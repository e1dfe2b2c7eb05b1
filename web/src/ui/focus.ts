// Where the keyboard is: traps for dialogs, arrows for lists.
import type { RefObject } from 'preact'
import { useEffect } from 'preact/hooks'

const reachable = 'a[href],button:not(:disabled),input:not(:disabled),textarea:not(:disabled),select:not(:disabled),[tabindex="0"]'

function inside(root: HTMLElement): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>(reachable)].filter((e) => e.offsetParent !== null)
}

/** useTrap keeps the focus inside a dialog while it stands, and gives it back to where it was. */
export function useTrap(ref: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const root = ref.current
    if (!root) return
    const before = document.activeElement
    if (!root.contains(before)) (root.querySelector<HTMLElement>('[autofocus]') ?? inside(root)[0] ?? root).focus()
    const keep = (event: KeyboardEvent): void => { if (event.key === 'Tab') turn(root, event) }
    root.addEventListener('keydown', keep)
    return () => {
      root.removeEventListener('keydown', keep)
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
    }
  }, [])
}

function turn(root: HTMLElement, event: KeyboardEvent): void {
  const all = inside(root)
  const first = all[0], last = all[all.length - 1]
  if (!first || !last) { event.preventDefault(); return }
  if (event.shiftKey && document.activeElement === first) { event.preventDefault(); last.focus() }
  else if (!event.shiftKey && document.activeElement === last) { event.preventDefault(); first.focus() }
}

/** arrows moves the focus among the elements that match, with arrow keys, Home and End; true when it did. */
export function arrows(event: KeyboardEvent, root: HTMLElement, selector: string, axis: 'vertical' | 'horizontal' | 'both' = 'vertical'): boolean {
  const all = [...root.querySelectorAll<HTMLElement>(selector)]
  const at = all.indexOf(document.activeElement as HTMLElement)
  const rtl = document.documentElement.dir === 'rtl'
  const step = new Map<string, number>()
  if (axis !== 'horizontal') step.set('ArrowDown', 1).set('ArrowUp', -1)
  if (axis !== 'vertical') step.set('ArrowRight', rtl ? -1 : 1).set('ArrowLeft', rtl ? 1 : -1)
  const by = step.get(event.key)
  let next: HTMLElement | undefined
  if (by !== undefined) next = at < 0 ? all[by > 0 ? 0 : all.length - 1] : all[at + by]
  else if (event.key === 'Home') next = all[0]
  else if (event.key === 'End') next = all[all.length - 1]
  else return false
  event.preventDefault()
  next?.focus()
  return true
}
